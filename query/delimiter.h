/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The character that parts what stands on a line of text, as the tools take it that read lines with
 * comments (rwbagbuild --delimiter, rwsetbuild --ip-ranges).
 *
 *	const char *meaning = delimiter_other_meaning(text[0]);
 *	if (meaning) return err_set(err, ST_EINVAL, "May not be the %s character", meaning);
 */
#ifndef TUSSAH_QUERY_DELIMITER_H
#define TUSSAH_QUERY_DELIMITER_H

/* What a character means on such a line already, in the words of SiLK; NULL: it is free to part
 * fields. */
const char *delimiter_other_meaning(char c);

#endif

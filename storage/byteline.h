/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text from a byte source, one line after the other.
 *
 *	GString *line = g_string_new(NULL);
 *	while ((status = byteline_read(src, 2048, line, err)) == ST_OK) ...
 *	if (status != ST_END) ...
 */
#ifndef TUSSAH_STORAGE_BYTELINE_H
#define TUSSAH_STORAGE_BYTELINE_H

#include <glib.h>

#include "storage/bytesource.h"

/*
 * Replace line by the next one, without its newline, which the last one may lack; NUL bytes are
 * kept, line->len counts them. A line of more than bytes_max bytes with its newline is consumed,
 * line holds its beginning, and the answer is ST_ELIMIT: one can go on after it.
 * Returns ST_OK, ST_END, ST_ELIMIT, or the error of a failed read.
 */
int byteline_read(struct bytesource *src, size_t bytes_max, GString *line, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of names as switches take them: "in,out,@more.txt". @PATH stands for the names in a text
 * file (@-: standard input), separated by commas and newlines, with # comments and blanks around
 * names ignored. In PATH, "@," and "@@" mean "," and "@".
 *
 *	listfile_each("in,@more.txt", add_name, add_error, arg);
 */
#ifndef TUSSAH_COMMON_LISTFILE_H
#define TUSSAH_COMMON_LISTFILE_H

/* A file of names larger than this is refused. */
#define LISTFILE_FILE_BYTES_MAX (16u << 20)

typedef void (*listfile_fn)(void *arg, const char *text);

/*
 * Call name for each name, and error with a reason for each thing that is not one, in order. Empty
 * names are skipped. Both texts are borrowed for the call.
 */
void listfile_each(const char *text, listfile_fn name, listfile_fn error, void *arg);

#endif

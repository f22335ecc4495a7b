/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a switch sends text: a file by its name, "stdout" (or "-"), or "stderr".
 *
 *	struct textfile *out = textfile_open(path);
 *	fprintf(textfile_stream(out), ...);
 *	if (textfile_close(out, &err) != ST_OK) ...
 *
 * An existing regular file is replaced at the end, when $SILK_CLOBBER allows it at all; it may be an
 * input (storage/namedfile.h). A program that ends in the middle leaves it as it was.
 */
#ifndef TUSSAH_QUERY_TEXTFILE_H
#define TUSSAH_QUERY_TEXTFILE_H

#include <stdio.h>

#include "common/err.h"

struct textfile;

/* Ends the program when it cannot be opened. */
struct textfile *textfile_open(const char *path);
/* The same whatever $SILK_CLOBBER says. */
struct textfile *textfile_open_anyhow(const char *path);

/* Borrowed; for those who print... */
FILE *textfile_stream(const struct textfile *out);
/* ... and those who write. */
int textfile_fd(const struct textfile *out);

/*
 * Close it and put it in its place; free. Standard output stays for the skeleton to close and look
 * at. ST_OK, ST_EIO, ST_ELIMIT. NULL is fine.
 */
int textfile_close(struct textfile *out, struct err *err);
/* The tool failed: the same, but a file that nothing was written to replaces none. */
int textfile_close_failed(struct textfile *out, struct err *err);
/* There was nothing to say: close, and remove a regular file of the name, but no link, which may be
 * /dev/stdout; free. NULL is fine. */
int textfile_close_empty(struct textfile *out, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines of a block of text, one record each.
 *
 *	struct tuclines *lines = tuclines_new(tuc);
 *	tuclines_begin(lines, text, len);
 *	while ((st = tuclines_next(lines, now_ns, &line, err)) != ST_END) {
 *		if (st == ST_OK) ... line.rec ...
 *		else ... tuclines_place(lines) is bad, because of err
 *	}
 *	tuclines_free(lines);
 *
 * Threads: one per tuclines, any number per tuc.
 */
#ifndef TUSSAH_QUERY_TUCLINES_H
#define TUSSAH_QUERY_TUCLINES_H

#include "query/tuc.h"
#include "query/tucfield.h"

/* Of a text so many bytes must be there behind it, to be read and written. */
#define TUCLINES_SLACK 64

struct tuclines;

/* Is there nothing but blanks? */
bool tuclines_is_empty(const char *line, size_t len);

/* tuc is kept; its columns are known. */
struct tuclines *tuclines_new(const struct tuc *tuc);
void tuclines_free(struct tuclines *lines);

/* text is kept, but not as it is: only between calls, and in the end. Shorter than 4 GiB. */
void tuclines_begin(struct tuclines *lines, char *text, size_t len);
/*
 * The next line that is not empty. now_ns: as of tuc_parse(). ST_OK; ST_EINVAL: it is no record, err
 * has the reason; ST_END: there is none.
 */
int tuclines_next(struct tuclines *lines, int64_t now_ns, struct tuc_line *line, struct err *err);

/* A line of the text. */
struct tuclines_place {
	uint64_t number; /* from 0 on */
	size_t at;
	size_t len; /* without the newline */
};
/* The one that was taken last; at the end: how many there were. */
struct tuclines_place tuclines_place(const struct tuclines *lines);

#endif

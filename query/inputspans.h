/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inputs that are block files, by the times in which their records start: spans of time, one after
 * the other, each with all files that have records in it. What is sorted by start time first may be
 * sorted span by span, without having all of it in memory.
 *
 *	struct inputspans *spans = inputspans_find(source);
 *	for (size_t i = 0; spans && i < inputspans_count(spans); i++) {
 *		const struct inputspan *span = inputspans_get(spans, i);
 *		... read span->files ...
 *	}
 *	inputspans_free(spans);
 */
#ifndef TUSSAH_QUERY_INPUTSPANS_H
#define TUSSAH_QUERY_INPUTSPANS_H

#include <stddef.h>
#include <stdint.h>

#include "query/source.h"
#include "storage/blockfile.h"

struct inputfile {
	char *name;
	size_t order;     /* in which the inputs are named */
	size_t blocks;    /* that it had when it was looked at; more may follow */
	uint64_t rows;    /* of them, at least one */
	int64_t first_ms; /* of their starts */
	int64_t last_ms;
	struct header header; /* its entries */
};

struct inputspan {
	const struct inputfile *files; /* as the inputs are named */
	size_t count;
	uint64_t rows;
};

struct inputspans;

/*
 * Opens all inputs that are still to come, one after the other. NULL when one of them is no block
 * file, cannot be opened or is damaged, or starts before 1970, or when there are no records: nothing
 * is said of it then, and the source is read as ever.
 */
struct inputspans *inputspans_find(struct source *source);
void inputspans_free(struct inputspans *spans);

/* In the order of time. */
size_t inputspans_count(const struct inputspans *spans);
struct inputspan inputspans_get(const struct inputspans *spans, size_t i);
uint64_t inputspans_rows(const struct inputspans *spans);
/* Of the largest one. */
uint64_t inputspans_rows_max(const struct inputspans *spans);
/* Tell the source of all files, as named, that they were opened. */
void inputspans_tell_opened(const struct inputspans *spans, struct source *source);

/*
 * How many blocks of a file, opened again, hold the rows that were seen: the first ones, behind which
 * more may have come, or all of a file that was sealed meanwhile. 0: it is another file.
 */
size_t inputspans_blocks(const struct inputfile *file, const struct blockfile *blocks);

#endif

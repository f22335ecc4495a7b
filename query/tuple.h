/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Five-tuples read from a text file, to find records by: rwfilter --tuple-file.
 *
 *	struct tuples *tuples = NULL;
 *	if (tuples_read(&tuples, &opts->tuples, err) == ST_OK) ...
 *	found = tuples_contain(tuples, batch, row);
 *	tuples_free(tuples);
 *
 * Each line has the same fields, any of sIP dIP sPort dPort protocol; addresses may be blocks,
 * numbers lists with ranges. Immutable once read: any number of threads may ask.
 */
#ifndef TUSSAH_QUERY_TUPLE_H
#define TUSSAH_QUERY_TUPLE_H

#include "common/batch.h"
#include "common/opt.h"
#include "storage/summary.h"

struct tuples;

struct tuple_opts {
	char *path;   /* --tuple-file; NULL: not given */
	char *fields; /* NULL: the first line says */
	int direction;
	char *delimiter; /* NULL: | */
};
extern const struct opt tuple_opt_table[];

/* Returns ST_OK, ST_EINVAL (the file or the switches are wrong), ST_EIO. */
int tuples_read(struct tuples **out, const struct tuple_opts *opts, struct err *err);
void tuples_free(struct tuples *tuples);

/* What is looked at in a batch. */
uint32_t tuples_columns(const struct tuples *tuples);

/* Could one of them be among the records of the summary? False is certain. */
bool tuples_may_be_in(const struct tuples *tuples, const struct summary *summary);

/* Is the row one of them, in the direction of the switches? */
bool tuples_contain(const struct tuples *tuples, const struct batch *batch, uint32_t row);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorted runs of rows in temporary files, and their merge; what sorter.c stands on.
 *
 *	rowrun_new(&run, "/tmp", row_size, err);
 *	rowrun_write(run, row, err); ... rowrun_finish(run, err);
 *	merge = rowmerge_new(key_size, row_size, false);
 *	rowmerge_add(merge, run);
 *	while ((st = rowmerge_next(merge, &row, err)) == ST_OK) ...
 *
 * Of equal keys the run that was added first comes first.
 */
#ifndef TUSSAH_QUERY_ROWRUN_H
#define TUSSAH_QUERY_ROWRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct rowrun;

/* A file without a name in temp_dir. ST_OK or ST_EIO. */
int rowrun_new(struct rowrun **out, const char *temp_dir, size_t row_size, struct err *err);
void rowrun_free(struct rowrun *run);
int rowrun_write(struct rowrun *run, const uint8_t *row, struct err *err);
/* The same with count rows, one behind the other. */
int rowrun_write_rows(struct rowrun *run, const uint8_t *rows, size_t count, struct err *err);
/* Write what is buffered; then the run can be read. */
int rowrun_finish(struct rowrun *run, struct err *err);
/* The next row, borrowed until the next call. ST_OK, ST_END or ST_EIO. */
int rowrun_read(struct rowrun *run, const uint8_t **row, struct err *err);

struct rowmerge;

struct rowmerge *rowmerge_new(size_t key_size, size_t row_size, bool reverse);
void rowmerge_free(struct rowmerge *merge);
/* run is borrowed as long as the merge lives. */
void rowmerge_add(struct rowmerge *merge, struct rowrun *run);
/* ST_OK, ST_END or ST_EIO; the row is borrowed until the next call. */
int rowmerge_next(struct rowmerge *merge, const uint8_t **row, struct err *err);

#endif

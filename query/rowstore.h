/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many rows of one size in memory, in less room than they have bytes: what rows that lie together
 * have in common is kept once (rowform.h).
 *
 *	struct rowstore *store = rowstore_new(row_size, key_size);
 *	uint8_t *to = rowstore_place(store, want, &count);	// fill them before the next call
 *	...			// rowbuckets.h gives their numbers
 *	rowstore_get(store, row, 0, row_size, scratch);
 *	rowstore_free(store);
 *
 * One thread adds; once all are there, any number may get.
 */
#ifndef TUSSAH_QUERY_ROWSTORE_H
#define TUSSAH_QUERY_ROWSTORE_H

#include <stddef.h>
#include <stdint.h>

#include "query/rowpack.h"

struct rowstore;

/* Keys are the first key_size bytes of rows. */
struct rowstore *rowstore_new(size_t row_size, size_t key_size);
void rowstore_free(struct rowstore *store);
/* No rows are in it any more. */
void rowstore_clear(struct rowstore *store);

/*
 * Place for rows, one behind the other: *count of them, 1..want, to be filled before the next call.
 * Borrowed until the next call.
 */
uint8_t *rowstore_place(struct rowstore *store, size_t want, size_t *count);
/* Rows that were packed elsewhere, by a rowpack of the same sizes. The area is taken. */
void rowstore_append(struct rowstore *store, struct rowarea *area);
size_t rowstore_count(const struct rowstore *store);
/* What all rows take, in bytes. */
size_t rowstore_bytes(const struct rowstore *store);
/* Is there no number for one more area? Until it is cleared nothing may be added then. */
bool rowstore_is_full(const struct rowstore *store);

/*
 * Bytes begin..end-1 of a row, to their places in out; some before and behind may
 * be written, too: row_size + ROWFORM_SLACK bytes.
 */
void rowstore_get(const struct rowstore *store, uint64_t row, size_t begin, size_t end,
		  uint8_t *out);
/* The row without its first from bytes, a multiple of 8; up to ROWFORM_SLACK more are written. */
void rowstore_get_end(const struct rowstore *store, uint64_t row, size_t from, uint8_t *out);
/* It will be asked for soon. */
void rowstore_fetch(const struct rowstore *store, uint64_t row);

#endif

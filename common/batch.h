/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A batch: up to BATCH_ROWS records as a struct of arrays, with a selection. The one form in which
 * storage hands records to queries. Only the columns in `columns` hold values.
 *
 *	struct batch *batch = batch_new();
 *	while (stream_read_batch(in, batch, COLUMN_BIT(COLUMN_BYTES), err) == ST_OK) {
 *		for (uint32_t i = 0; i < batch->selected; i++) {
 *			sum += batch->bytes[batch->selection[i]];
 *		}
 *	}
 *	batch_free(batch);
 *
 * A reader fills rows 0..rows-1 and selects them all; predicates narrow the selection, which stays
 * ascending. Threads: one at a time per batch.
 */
#ifndef TUSSAH_COMMON_BATCH_H
#define TUSSAH_COMMON_BATCH_H

#include "common/record.h"

#define BATCH_ROWS 1024

struct batch {
	uint32_t rows;     /* rows filled */
	uint32_t selected; /* entries of selection in use */
	uint32_t columns;  /* COLUMN_BIT of every column that holds values */
	uint16_t selection[BATCH_ROWS];
#define X(upper, member, type) type member[BATCH_ROWS] __attribute__((aligned(64)));
	RECORD_COLUMNS(X)
#undef X
};

/* An empty batch; free with batch_free(). Never NULL. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);

/* Forget all rows. */
void batch_clear(struct batch *batch, uint32_t columns);

/* Select every row. */
void batch_select_all(struct batch *batch);

/* Copy one row out; columns that the batch does not hold keep record_init() values. */
void batch_get(const struct batch *batch, uint32_t row, struct record *out);

/* Append a record to a batch that is not full, and select it; all columns of the batch are set. */
void batch_append(struct batch *batch, const struct record *rec);

/* SiLK's --ipv6-policy (silk-flow-files.md 5.2). */
enum ipv6_policy {
	IPV6_IGNORE,
	IPV6_ASV4,
	IPV6_MIX,
	IPV6_FORCE,
	IPV6_ONLY,
};

/* Columns that must be read so that the policy can be applied to the wanted ones. */
uint32_t ipv6_policy_columns(enum ipv6_policy policy, uint32_t wanted);

/* Convert rows and narrow the selection as the policy says. */
void batch_apply_ipv6_policy(struct batch *batch, enum ipv6_policy policy);

/* Leading abbreviation of a name, first match in the order of the enum. */
int ipv6_policy_parse(const char *text, enum ipv6_policy *out, struct err *err);

#endif

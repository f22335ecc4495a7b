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
 *
 * Information elements beyond the columns of struct record (extension columns, which block files
 * have) are filled in, too, when they were asked for before:
 *
 *	batch_want(batch, (struct ie_key){ 0, 305 });		// samplingPacketInterval
 *	const struct batch_extension *column = batch_extension(batch, 0);
 *	if (column->any && column->present[row]) ... column->numbers[row] ...
 */
#ifndef TUSSAH_COMMON_BATCH_H
#define TUSSAH_COMMON_BATCH_H

#include "common/iemodel.h"
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
	struct batch_extensions *extensions; /* NULL: none is wanted */
};

/* A byte string; borrowed. */
struct batch_bytes {
	const uint8_t *bytes;
	size_t len;
};

/* One extension column, of all rows. */
struct batch_extension {
	struct ie_key key;
	bool any;     /* some row has a value; else nothing of the rest counts */
	uint8_t type; /* enum ie_type: which of the arrays, and what it means; may change from
		       * batch to batch */
	uint8_t present[BATCH_ROWS]; /* 1: the row has a value */
	union {
		/* As storage holds them (storage/FORMAT.md section 3): signed types and times of
		 * microseconds and nanoseconds with the highest bit inverted. */
		uint64_t numbers[BATCH_ROWS];
		struct ip addresses[BATCH_ROWS];
		struct batch_bytes strings[BATCH_ROWS]; /* until the next batch is read */
	};
};

/* An empty batch; free with batch_free(). Never NULL. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);

/* Readers fill this extension column from now on, as number 0, 1, ... in the order of the calls. */
void batch_want(struct batch *batch, struct ie_key key);
/* Readers fill all extension columns that the block of the rows has, in the order of their keys;
 * which ones these are changes from batch to batch. */
void batch_want_every(struct batch *batch);
size_t batch_extension_count(const struct batch *batch);
struct batch_extension *batch_extension(const struct batch *batch, size_t i);
/* For readers: these are all (only after batch_want_every(), else nothing happens). */
void batch_set_extensions(struct batch *batch, const struct ie_key *keys, size_t count);
/* For readers: no row has a value of any extension column. */
void batch_clear_extensions(struct batch *batch);

/* Forget all rows. */
void batch_clear(struct batch *batch, uint32_t columns);

/* Select every row. */
void batch_select_all(struct batch *batch);

/* Copy one row out; columns that the batch does not hold keep record_init() values. */
void batch_get(const struct batch *batch, uint32_t row, struct record *out);

/* Append a record to a batch that is not full, and select it; all columns of the batch are set. */
void batch_append(struct batch *batch, const struct record *rec);

/* ICMP, or ICMPv6 in an IPv6 record: the ports hold type and code. Of columns PROTOCOL and STATE. */
static inline bool batch_is_icmp(const struct batch *batch, uint32_t row)
{
	return batch->protocol[row] == 1 ||
	       (batch->protocol[row] == 58 && batch->state[row] & RECORD_IPV6);
}

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

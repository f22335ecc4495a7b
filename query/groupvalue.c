/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/groupvalue.h"

#include "query/flowrate.h"

static void add_records(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		rows->values[i][v]++;
	}
}

static void add_packets(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		rows->values[i][v] += rows->batch->packets[rows->rows[i]];
	}
}

static void add_bytes(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		rows->values[i][v] += rows->batch->bytes[rows->rows[i]];
	}
}

static void add_payload(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		rows->values[i][v] += flow_payload(rows->batch, rows->rows[i]);
	}
}

static void add_time(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		uint64_t duration_ns = rows->batch->duration_ns[rows->rows[i]];

		rows->values[i][v] += duration_ns ? duration_ns : rows->zero_ns;
	}
}

static uint64_t merge_sum(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t merge_min(uint64_t a, uint64_t b)
{
	return (int64_t)a < (int64_t)b ? a : b;
}

static uint64_t merge_max(uint64_t a, uint64_t b)
{
	return (int64_t)a > (int64_t)b ? a : b;
}

static void add_start(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		uint64_t *value = &rows->values[i][v];

		*value = merge_min(*value, (uint64_t)rows->batch->start_ns[rows->rows[i]]);
	}
}

static void add_end(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		uint32_t row = rows->rows[i];
		uint64_t *value = &rows->values[i][v];

		*value = merge_max(*value, (uint64_t)rows->batch->start_ns[row] +
						   rows->batch->duration_ns[row]);
	}
}

static void add_first(const struct grouprows *rows, size_t v)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		uint64_t *value = &rows->values[i][v];

		*value = merge_min(*value, rows->position + rows->rows[i]);
	}
}

#define COLUMNS_OF_TIME (COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION))

const struct groupvalue_op groupvalue_ops[GROUP_OP_COUNT] = {
	[GROUP_RECORDS] = { .add = add_records, .merge = merge_sum },
	[GROUP_PACKETS] = { .columns = COLUMN_BIT(COLUMN_PACKETS),
			    .add = add_packets,
			    .merge = merge_sum },
	[GROUP_BYTES] = { .columns = COLUMN_BIT(COLUMN_BYTES),
			  .add = add_bytes,
			  .merge = merge_sum },
	[GROUP_START_MIN] = { .columns = COLUMN_BIT(COLUMN_START),
			      .initial = INT64_MAX,
			      .add = add_start,
			      .merge = merge_min },
	[GROUP_END_MAX] = { .columns = COLUMNS_OF_TIME,
			    .initial = (uint64_t)INT64_MIN,
			    .add = add_end,
			    .merge = merge_max },
	[GROUP_PAYLOAD] = { .columns = FLOW_PAYLOAD_COLUMNS,
			    .add = add_payload,
			    .merge = merge_sum },
	[GROUP_TIME] = { .columns = COLUMN_BIT(COLUMN_DURATION),
			 .add = add_time,
			 .merge = merge_sum },
	[GROUP_DISTINCT] = { .merge = merge_sum },
	[GROUP_FIRST] = { .initial = INT64_MAX, .add = add_first, .merge = merge_min },
};

/* Inlined for each merge. */
static inline void merge_all(uint64_t (*merge)(uint64_t, uint64_t), size_t v, uint64_t *const *to,
			     const uint64_t *const *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		to[i][v] = merge(to[i][v], from[i][v]);
	}
}

void groupvalue_merge(enum group_op op, size_t v, uint64_t *const *to, const uint64_t *const *from,
		      uint32_t count)
{
	uint64_t (*merge)(uint64_t, uint64_t) = groupvalue_ops[op].merge;

	if (merge == merge_sum) {
		merge_all(merge_sum, v, to, from, count);
	} else if (merge == merge_min) {
		merge_all(merge_min, v, to, from, count);
	} else {
		merge_all(merge_max, v, to, from, count);
	}
}

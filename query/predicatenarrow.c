/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loops of the predicates. Each writes the row number first and then moves on by 0 or 1, so
 * that no branch depends on the values.
 */
#include "query/predicaterow.h"

#include "common/timestamp.h"

static const size_t column_offset[COLUMN_COUNT] = {
#define X(upper, member, type) [COLUMN_##upper] = offsetof(struct batch, member),
	RECORD_COLUMNS(X)
#undef X
};

static const void *column_of(const struct batch *batch, enum column column)
{
	return (const char *)batch + column_offset[column];
}

#define NARROW(selection, count, row, passes)                                                      \
	do {                                                                                       \
		uint32_t kept_ = 0;                                                                \
		for (uint32_t i_ = 0; i_ < (count); i_++) {                                        \
			const uint16_t row = (selection)[i_];                                      \
			(selection)[kept_] = row;                                                  \
			kept_ += (passes) ? 1 : 0;                                                 \
		}                                                                                  \
		return kept_;                                                                      \
	} while (0)

uint32_t predicate_narrow_byte(const struct predicate *test, const struct batch *batch,
			       uint16_t *selection, uint32_t count)
{
	const uint8_t *column = column_of(batch, test->row->column);

	NARROW(selection, count, row, test->pass[column[row]]);
}

uint32_t predicate_narrow_u16(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count)
{
	const uint16_t *column = column_of(batch, test->row->column);

	NARROW(selection, count, row, numset_contains(test->numset, column[row]));
}

uint32_t predicate_narrow_u16_either(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count)
{
	const uint16_t *a = column_of(batch, test->row->column);
	const uint16_t *b = column_of(batch, test->row->other);

	NARROW(selection, count, row,
	       numset_contains(test->numset, a[row]) | numset_contains(test->numset, b[row]));
}

/* A list holds numbers of 16 bits; a larger value is in none. */
static bool numset_contains_u32(const struct numset *set, uint32_t number)
{
	return number <= UINT16_MAX && numset_contains(set, (uint16_t)number);
}

uint32_t predicate_narrow_u32(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count)
{
	const uint32_t *column = column_of(batch, test->row->column);

	NARROW(selection, count, row, numset_contains_u32(test->numset, column[row]));
}

uint32_t predicate_narrow_u32_either(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count)
{
	const uint32_t *a = column_of(batch, test->row->column);
	const uint32_t *b = column_of(batch, test->row->other);

	NARROW(selection, count, row,
	       numset_contains_u32(test->numset, a[row]) ||
		       numset_contains_u32(test->numset, b[row]));
}

uint32_t predicate_narrow_u64(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count)
{
	const uint64_t *column = column_of(batch, test->row->column);
	const uint64_t first = test->range.first;
	const uint64_t width = test->range.last - first;

	NARROW(selection, count, row, column[row] - first <= width);
}

uint32_t predicate_narrow_per_packet(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count)
{
	const uint64_t *bytes = batch->bytes;
	const uint64_t *packets = batch->packets;

	NARROW(selection, count, row,
	       predicate_in_ratio(&test->ratio, (double)bytes[row] / (double)packets[row]));
}

uint32_t predicate_narrow_per_second(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count)
{
	const uint64_t *volume = column_of(batch, test->row->column);
	const uint64_t *duration_ns = batch->duration_ns;

	NARROW(selection, count, row,
	       predicate_in_ratio(
		       &test->ratio,
		       (double)volume[row] * (double)NS_PER_S /
			       (double)(duration_ns[row] ? duration_ns[row] : test->zero_ns)));
}

uint32_t predicate_narrow_start(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count)
{
	const int64_t *start_ns = batch->start_ns;

	NARROW(selection, count, row,
	       start_ns[row] >= test->first_ns && start_ns[row] <= test->last_ns);
}

uint32_t predicate_narrow_end(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count)
{
	const int64_t *start_ns = batch->start_ns;
	const uint64_t *duration_ns = batch->duration_ns;

	NARROW(selection, count, row,
	       start_ns[row] + (int64_t)duration_ns[row] >= test->first_ns &&
		       start_ns[row] + (int64_t)duration_ns[row] <= test->last_ns);
}

uint32_t predicate_narrow_active(const struct predicate *test, const struct batch *batch,
				 uint16_t *selection, uint32_t count)
{
	const int64_t *start_ns = batch->start_ns;
	const uint64_t *duration_ns = batch->duration_ns;

	NARROW(selection, count, row,
	       start_ns[row] <= test->last_ns &&
		       start_ns[row] + (int64_t)duration_ns[row] >= test->first_ns);
}

uint32_t predicate_narrow_icmp_type(const struct predicate *test, const struct batch *batch,
				    uint16_t *selection, uint32_t count)
{
	NARROW(selection, count, row,
	       batch_is_icmp(batch, row) && test->pass[batch->dport[row] >> 8]);
}

uint32_t predicate_narrow_icmp_code(const struct predicate *test, const struct batch *batch,
				    uint16_t *selection, uint32_t count)
{
	NARROW(selection, count, row,
	       batch_is_icmp(batch, row) && test->pass[batch->dport[row] & 0xff]);
}

static inline bool block_has(const struct predicate *test, struct ip ip)
{
	return cidr_contains(&test->block, ip);
}

/* The family of a value tells how it is looked up; mapped addresses and IPv4 are the same. */
static inline bool wildcard_has(const struct predicate *test, struct ip ip)
{
	return wildcard_contains(test->wildcard, ip, !ip_is_mapped(ip));
}

static inline bool ipset_has(const struct predicate *test, struct ip ip)
{
	return ipset_contains(test->ipset, ip);
}

typedef bool (*has_fn)(const struct predicate *test, struct ip ip);

/* Inlined into its callers, so that has is a direct call in each of them. */
static inline __attribute__((always_inline)) uint32_t narrow_address(const struct predicate *test,
								     const struct batch *batch,
								     uint16_t *selection,
								     uint32_t count, has_fn has)
{
	const struct ip *a = column_of(batch, test->row->column);
	const struct ip *b = column_of(batch, test->row->other);
	const bool negated = test->row->flags & PREDICATE_NEGATED;

	if (a == b) {
		NARROW(selection, count, row, has(test, a[row]) != negated);
	}
	NARROW(selection, count, row, (has(test, a[row]) || has(test, b[row])) != negated);
}

uint32_t predicate_narrow_block(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count)
{
	return narrow_address(test, batch, selection, count, block_has);
}

uint32_t predicate_narrow_wildcard(const struct predicate *test, const struct batch *batch,
				   uint16_t *selection, uint32_t count)
{
	return narrow_address(test, batch, selection, count, wildcard_has);
}

uint32_t predicate_narrow_ipset(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count)
{
	return narrow_address(test, batch, selection, count, ipset_has);
}

uint32_t predicate_narrow_tuples(const struct predicate *test, const struct batch *batch,
				 uint16_t *selection, uint32_t count)
{
	NARROW(selection, count, row, tuples_contain(test->tuples, batch, row));
}

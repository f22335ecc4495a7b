/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/summary.h"

#include "storage/column.h"

#define PACKETS COLUMN_BIT(COLUMN_PACKETS)
#define BYTES   COLUMN_BIT(COLUMN_BYTES)

void summary_init(struct summary *summary)
{
	*summary = (struct summary){ .first_start_ns = INT64_MAX,
				     .last_start_ns = INT64_MIN,
				     .last_end_ns = INT64_MIN };
}

/* How ranges of a kind grow. */
static void widen_time(struct summary_range *range, const struct summary_range *other)
{
	range->min_ns = other->min_ns < range->min_ns ? other->min_ns : range->min_ns;
	range->max_ns = other->max_ns > range->max_ns ? other->max_ns : range->max_ns;
}

static void widen_address(struct summary_range *range, const struct summary_range *other)
{
	if (ip_compare(other->min_ip, range->min_ip) < 0) {
		range->min_ip = other->min_ip;
	}
	if (ip_compare(other->max_ip, range->max_ip) > 0) {
		range->max_ip = other->max_ip;
	}
}

static void widen_number(struct summary_range *range, const struct summary_range *other)
{
	range->min = other->min < range->min ? other->min : range->min;
	range->max = other->max > range->max ? other->max : range->max;
}

static void widen(enum column column, struct summary_range *range,
		  const struct summary_range *other)
{
	if (column == COLUMN_START) {
		widen_time(range, other);
	} else if (column_form(column_core(column)->type) == COLUMN_FORM_ADDRESS) {
		widen_address(range, other);
	} else {
		widen_number(range, other);
	}
}

/* A sum that would pass 2^64 is not known. */
static void add_sum(struct summary *summary, uint32_t bit, uint64_t *sum, uint64_t other)
{
	if (__builtin_add_overflow(*sum, other, sum)) {
		summary->summed &= ~bit;
	}
}

/* What other says beside the ranges. */
static void add_rest(struct summary *summary, const struct summary *other)
{
	if (other->first_start_ns < summary->first_start_ns) {
		summary->first_start_ns = other->first_start_ns;
	}
	if (other->last_start_ns > summary->last_start_ns) {
		summary->last_start_ns = other->last_start_ns;
	}
	if (other->last_end_ns > summary->last_end_ns) {
		summary->last_end_ns = other->last_end_ns;
	}
	summary->records += other->records;
	summary->summed &= other->summed;
	add_sum(summary, PACKETS, &summary->packets, other->packets);
	add_sum(summary, BYTES, &summary->bytes, other->bytes);
}

void summary_add(struct summary *summary, const struct summary *other)
{
	if (other->records == 0) {
		return;
	}
	if (summary->records == 0) {
		*summary = *other;
		summary->filter = NULL;
		summary->filter_size = 0;
		return;
	}
	summary->ranged &= other->ranged;
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		if (summary->ranged & COLUMN_BIT(column)) {
			widen(column, &summary->range[column], &other->range[column]);
		}
	}
	add_rest(summary, other);
}

static void set_address(struct summary_range *range, struct ip ip)
{
	range->min_ip = ip;
	range->max_ip = ip;
}

static void set_number(struct summary_range *range, uint64_t number)
{
	range->min = number;
	range->max = number;
}

void summary_add_record(struct summary *summary, const struct record *rec)
{
	struct summary one = {
		.records = 1,
		.first_start_ns = rec->start_ns,
		.last_start_ns = rec->start_ns,
		.last_end_ns = (int64_t)((uint64_t)rec->start_ns + rec->duration_ns),
		.ranged = COLUMNS_ALL,
		.summed = PACKETS | BYTES,
		.packets = rec->packets,
		.bytes = rec->bytes,
	};

#define X(upper, member, type)                                                                     \
	_Generic(rec->member, struct ip                                                            \
		 : set_address, default                                                            \
		 : set_number)(&one.range[COLUMN_##upper], rec->member);
	RECORD_COLUMNS(X)
#undef X
	summary_add(summary, &one);
}

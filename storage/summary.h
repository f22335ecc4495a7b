/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of some records without reading them: of a block from its directory, of a file from
 * its footer or from the catalog. Predicates judge by it whether none, all or some can pass.
 */
#ifndef TUSSAH_STORAGE_SUMMARY_H
#define TUSSAH_STORAGE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"
#include "common/record.h"

/* Of numbers as a block file holds them; start times as they are (int64_t in u.min_ns, max_ns). */
struct summary_range {
	union {
		struct {
			uint64_t min;
			uint64_t max;
		};
		struct {
			int64_t min_ns;
			int64_t max_ns;
		};
		struct {
			struct ip min_ip;
			struct ip max_ip;
		};
	};
};

struct summary {
	uint64_t records;
	int64_t first_start_ns;
	int64_t last_start_ns;
	int64_t last_end_ns;
	uint32_t ranged; /* COLUMN_BITs of the columns whose range is known */
	uint32_t summed; /* COLUMN_BITs of the columns whose sum is known: packets, bytes */
	uint64_t packets;
	uint64_t bytes;
	struct summary_range range[COLUMN_COUNT];
	const uint8_t *filter; /* bloom.h, over sip and dip; borrowed; NULL: none */
	size_t filter_size;
};

/* No records, nothing known. */
void summary_init(struct summary *summary);
/* Add what other says of other records; the filter is left out. */
void summary_add(struct summary *summary, const struct summary *other);
/* Add one record (to make a summary of a row file; all ranges and sums known). */
void summary_add_record(struct summary *summary, const struct record *rec);

#endif

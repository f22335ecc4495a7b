/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a predicate says of records of which only a summary is known. Each judge stands for a loop
 * of predicatenarrow.c and must never contradict it: none and all are certain.
 */
#include "query/predicaterow.h"

#include <glib.h>

#include "common/timestamp.h"
#include "storage/bloom.h"

typedef enum predicates_verdict verdict;

static verdict verdict_of(bool any, bool all)
{
	return all ? PREDICATES_ALL : any ? PREDICATES_SOME : PREDICATES_NONE;
}

static bool is_ranged(const struct summary *summary, uint32_t columns)
{
	return (summary->ranged & columns) == columns;
}

/* One of two passes. */
static verdict either(verdict a, verdict b)
{
	if (a == PREDICATES_ALL || b == PREDICATES_ALL) {
		return PREDICATES_ALL;
	}
	return MAX(a, b);
}

/* ---- numbers ---- */

static verdict judge_bytes_of(const uint8_t pass[256], uint64_t min, uint64_t max)
{
	bool any = false;
	bool all = true;

	for (uint64_t i = min; i <= max; i++) {
		any |= pass[i];
		all &= pass[i];
	}
	return verdict_of(any, all);
}

static verdict judge_byte(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *range = &summary->range[test->row->column];

	if (!is_ranged(summary, COLUMN_BIT(test->row->column)) || range->max > UINT8_MAX) {
		return PREDICATES_SOME;
	}
	return judge_bytes_of(test->pass, range->min, range->max);
}

/* Bits first..last of a word. */
static uint64_t word_mask(unsigned first, unsigned last)
{
	return UINT64_MAX << first & UINT64_MAX >> (63 - last);
}

/* bounds: the least and the greatest number of the set, so that no words are walked in vain. */
static verdict judge_numset(const struct numset *set, const struct number_range *bounds,
			    uint64_t min, uint64_t max)
{
	uint64_t first = MAX(min, bounds->first);
	uint64_t last = MIN(max, bounds->last);
	bool any = false;
	bool all = min >= bounds->first && max <= bounds->last;

	for (uint64_t at = first; at <= last && (all || !any); at = (at | 63) + 1) {
		uint64_t mask = word_mask((unsigned)at & 63,
					  (unsigned)MIN(last - (at & ~UINT64_C(63)), 63));
		uint64_t found = set->bits[at >> 6] & mask;

		any |= found != 0;
		all &= found == mask;
	}
	return verdict_of(any, all && any);
}

static verdict judge_numset_of(const struct predicate *test, const struct summary *summary,
			       enum column column)
{
	const struct summary_range *range = &summary->range[column];

	if (!is_ranged(summary, COLUMN_BIT(column))) {
		return PREDICATES_SOME;
	}
	return judge_numset(test->numset, &test->numbers, range->min, range->max);
}

static verdict judge_number_list(const struct predicate *test, const struct summary *summary)
{
	return judge_numset_of(test, summary, test->row->column);
}

static verdict judge_number_list_either(const struct predicate *test, const struct summary *summary)
{
	return either(judge_numset_of(test, summary, test->row->column),
		      judge_numset_of(test, summary, test->row->other));
}

static verdict judge_u64(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *range = &summary->range[test->row->column];

	if (!is_ranged(summary, COLUMN_BIT(test->row->column))) {
		return PREDICATES_SOME;
	}
	return verdict_of(range->min <= test->range.last && range->max >= test->range.first,
			  range->min >= test->range.first && range->max <= test->range.last);
}

/* ---- ratios; division is monotonic, also rounded ---- */

static verdict judge_ratio(const struct real_range *range, double min, double max)
{
	return verdict_of(min <= range->last && max >= range->first,
			  min >= range->first && max <= range->last);
}

static verdict judge_per_packet(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *packets = &summary->range[COLUMN_PACKETS];
	const struct summary_range *bytes = &summary->range[COLUMN_BYTES];

	if (!is_ranged(summary, COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES)) ||
	    packets->min == 0) {
		return PREDICATES_SOME;
	}
	return judge_ratio(&test->ratio, (double)bytes->min / (double)packets->max,
			   (double)bytes->max / (double)packets->min);
}

static verdict judge_per_second(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *volume = &summary->range[test->row->column];
	uint64_t shortest = summary->range[COLUMN_DURATION].min;
	uint64_t longest = summary->range[COLUMN_DURATION].max;

	if (!is_ranged(summary, COLUMN_BIT(test->row->column) | COLUMN_BIT(COLUMN_DURATION))) {
		return PREDICATES_SOME;
	}
	if (shortest == 0) {
		/* those of no time count as of some; others may be as short as can be */
		shortest = longest == 0 ? test->zero_ns : 1;
		longest = MAX(longest, test->zero_ns);
	}
	return judge_ratio(&test->ratio, (double)volume->min * (double)NS_PER_S / (double)longest,
			   (double)volume->max * (double)NS_PER_S / (double)shortest);
}

/* ---- times ---- */

static verdict judge_start(const struct predicate *test, const struct summary *summary)
{
	return verdict_of(summary->first_start_ns <= test->last_ns &&
				  summary->last_start_ns >= test->first_ns,
			  summary->first_start_ns >= test->first_ns &&
				  summary->last_start_ns <= test->last_ns);
}

/* The ends are between these two; false: not known, or a flow ends behind all that can be told. */
static bool find_ends(const struct summary *summary, int64_t *first_ns, int64_t *last_ns)
{
	const struct summary_range *duration = &summary->range[COLUMN_DURATION];
	int64_t latest_ns;

	if (!is_ranged(summary, COLUMN_BIT(COLUMN_DURATION)) || duration->max > INT64_MAX ||
	    __builtin_add_overflow(summary->last_start_ns, (int64_t)duration->max, &latest_ns)) {
		return false;
	}
	*first_ns = summary->first_start_ns + (int64_t)duration->min;
	*last_ns = summary->last_end_ns;
	return true;
}

static verdict judge_end(const struct predicate *test, const struct summary *summary)
{
	int64_t first_ns;
	int64_t last_ns;

	if (!find_ends(summary, &first_ns, &last_ns)) {
		return PREDICATES_SOME;
	}
	return verdict_of(first_ns <= test->last_ns && last_ns >= test->first_ns,
			  first_ns >= test->first_ns && last_ns <= test->last_ns);
}

static verdict judge_active(const struct predicate *test, const struct summary *summary)
{
	int64_t first_ns;
	int64_t last_ns;

	if (!find_ends(summary, &first_ns, &last_ns)) {
		return PREDICATES_SOME;
	}
	return verdict_of(summary->first_start_ns <= test->last_ns && last_ns >= test->first_ns,
			  summary->last_start_ns <= test->last_ns && first_ns >= test->first_ns);
}

/* ---- ICMP ---- */

static bool range_has(const struct summary_range *range, uint64_t number)
{
	return range->min <= number && number <= range->max;
}

static verdict judge_icmp(const struct summary *summary, verdict numbers)
{
	const struct summary_range *protocol = &summary->range[COLUMN_PROTOCOL];

	if (!is_ranged(summary, COLUMN_BIT(COLUMN_PROTOCOL))) {
		return MIN(numbers, PREDICATES_SOME);
	}
	if (!range_has(protocol, 1) && !range_has(protocol, 58)) {
		return PREDICATES_NONE;
	}
	return protocol->min == 1 && protocol->max == 1 ? numbers : MIN(numbers, PREDICATES_SOME);
}

static verdict judge_icmp_type(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *ports = &summary->range[COLUMN_DPORT];

	if (!is_ranged(summary, COLUMN_BIT(COLUMN_DPORT)) || ports->max > UINT16_MAX) {
		return judge_icmp(summary, PREDICATES_SOME);
	}
	return judge_icmp(summary, judge_bytes_of(test->pass, ports->min >> 8, ports->max >> 8));
}

static verdict judge_icmp_code(const struct predicate *test, const struct summary *summary)
{
	const struct summary_range *ports = &summary->range[COLUMN_DPORT];
	bool one_type = ports->min >> 8 == ports->max >> 8;

	if (!is_ranged(summary, COLUMN_BIT(COLUMN_DPORT))) {
		return judge_icmp(summary, PREDICATES_SOME);
	}
	return judge_icmp(summary, judge_bytes_of(test->pass, one_type ? ports->min & 0xff : 0,
						  one_type ? ports->max & 0xff : UINT8_MAX));
}

/* ---- addresses ---- */

typedef verdict (*range_judge_fn)(const struct predicate *test, struct ip min, struct ip max);

static verdict judge_cidr(const struct cidr *block, struct ip min, struct ip max)
{
	return verdict_of(ip_compare(min, block->last) <= 0 && ip_compare(max, block->first) >= 0,
			  ip_compare(min, block->first) >= 0 && ip_compare(max, block->last) <= 0);
}

static verdict judge_block_range(const struct predicate *test, struct ip min, struct ip max)
{
	return judge_cidr(&test->block, min, max);
}

static verdict judge_ipset_range(const struct predicate *test, struct ip min, struct ip max)
{
	struct ipset_cursor cursor;
	struct cidr range;

	if (!ipset_intersects_range(test->ipset, min, max)) {
		return PREDICATES_NONE;
	}
	ipset_cursor_start(&cursor, test->ipset);
	ipset_cursor_seek(&cursor, min);
	return ipset_cursor_next(&cursor, &range) ? judge_cidr(&range, min, max) : PREDICATES_NONE;
}

static unsigned lowest_bit(const uint8_t *bits, unsigned count)
{
	unsigned i = 0;

	while (i + 1 < count && !(bits[i >> 3] >> (i & 7) & 1)) {
		i++;
	}
	return i;
}

static unsigned highest_bit(const uint8_t *bits, unsigned count)
{
	unsigned i = count - 1;

	while (i > 0 && !(bits[i >> 3] >> (i & 7) & 1)) {
		i--;
	}
	return i;
}

/* The lowest and the highest address of a wildcard. */
static struct cidr wildcard_bounds(const struct wildcard *wildcard)
{
	unsigned __int128 first = 0;
	unsigned __int128 last = 0;
	unsigned parts = wildcard->is_v6 ? 8 : 4;
	unsigned bits = wildcard->is_v6 ? 16 : 8;

	for (unsigned i = 0; i < parts; i++) {
		const uint8_t *part = wildcard->is_v6 ? wildcard->v6[i] : wildcard->v4[i];

		first = first << bits | lowest_bit(part, 1u << bits);
		last = last << bits | highest_bit(part, 1u << bits);
	}
	if (!wildcard->is_v6) {
		return (struct cidr){ .first = ip_from_v4((uint32_t)first),
				      .last = ip_from_v4((uint32_t)last) };
	}
	return (struct cidr){ .first = { (uint64_t)(first >> 64), (uint64_t)first },
			      .last = { (uint64_t)(last >> 64), (uint64_t)last } };
}

static verdict judge_wildcard_range(const struct predicate *test, struct ip min, struct ip max)
{
	return MIN(judge_cidr(&test->bounds, min, max), PREDICATES_SOME);
}

static verdict judge_address_of(const struct predicate *test, const struct summary *summary,
				enum column column, range_judge_fn judge)
{
	const struct summary_range *range = &summary->range[column];

	if (!is_ranged(summary, COLUMN_BIT(column))) {
		return PREDICATES_SOME;
	}
	return judge(test, range->min_ip, range->max_ip);
}

/* Only tests that are not negated have hashes. */
static bool filter_lacks(const struct predicate *test, const struct summary *summary)
{
	if (!summary->filter || test->hash_count == 0) {
		return false;
	}
	for (size_t i = 0; i < test->hash_count; i++) {
		if (bloom_may_hold(summary->filter, summary->filter_size, test->hashes[i])) {
			return false;
		}
	}
	return true;
}

static verdict judge_address(const struct predicate *test, const struct summary *summary,
			     range_judge_fn judge)
{
	verdict a = judge_address_of(test, summary, test->row->column, judge);
	verdict b = test->row->column == test->row->other
			    ? PREDICATES_NONE
			    : judge_address_of(test, summary, test->row->other, judge);
	verdict both = either(a, b);
	bool negated = test->row->flags & PREDICATE_NEGATED;

	if (both == PREDICATES_SOME) {
		return filter_lacks(test, summary) ? PREDICATES_NONE : both;
	}
	return verdict_of(false, (both == PREDICATES_ALL) != negated);
}

static verdict judge_block(const struct predicate *test, const struct summary *summary)
{
	return judge_address(test, summary, judge_block_range);
}

static verdict judge_wildcard(const struct predicate *test, const struct summary *summary)
{
	return judge_address(test, summary, judge_wildcard_range);
}

static verdict judge_ipset(const struct predicate *test, const struct summary *summary)
{
	return judge_address(test, summary, judge_ipset_range);
}

static verdict judge_tuples(const struct predicate *test, const struct summary *summary)
{
	return tuples_may_be_in(test->tuples, summary) ? PREDICATES_SOME : PREDICATES_NONE;
}

static const struct {
	predicate_narrow_fn narrow;
	predicate_judge_fn judge;
} judges[] = {
	{ predicate_narrow_byte, judge_byte },
	{ predicate_narrow_u16, judge_number_list },
	{ predicate_narrow_u16_either, judge_number_list_either },
	{ predicate_narrow_u32, judge_number_list },
	{ predicate_narrow_u32_either, judge_number_list_either },
	{ predicate_narrow_u64, judge_u64 },
	{ predicate_narrow_per_packet, judge_per_packet },
	{ predicate_narrow_per_second, judge_per_second },
	{ predicate_narrow_start, judge_start },
	{ predicate_narrow_end, judge_end },
	{ predicate_narrow_active, judge_active },
	{ predicate_narrow_icmp_type, judge_icmp_type },
	{ predicate_narrow_icmp_code, judge_icmp_code },
	{ predicate_narrow_block, judge_block },
	{ predicate_narrow_wildcard, judge_wildcard },
	{ predicate_narrow_ipset, judge_ipset },
	{ predicate_narrow_tuples, judge_tuples },
};

/* How many addresses, when they are few; PREDICATE_HASHES_MAX + 1: more. */
static size_t count_addresses(const struct cidr *range)
{
	uint64_t width = range->last.lo - range->first.lo;

	return range->first.hi == range->last.hi && width < PREDICATE_HASHES_MAX
		       ? (size_t)width + 1
		       : PREDICATE_HASHES_MAX + 1;
}

static void hash_range(struct predicate *test, const struct cidr *range)
{
	size_t count = count_addresses(range);
	struct ip ip = range->first;

	for (size_t i = 0; i < count && test->hash_count <= PREDICATE_HASHES_MAX; i++) {
		test->hashes[test->hash_count++] = bloom_hash(ip);
		ip = ip_next(ip);
	}
}

/* The hashes of all addresses, if they are few and the filters hold what is looked at. */
static void hash_addresses(struct predicate *test)
{
	struct ipset_cursor cursor;
	struct cidr range;

	if (test->row->flags & PREDICATE_NEGATED || test->row->column == COLUMN_NHIP) {
		return;
	}
	test->hashes = g_new(uint64_t, PREDICATE_HASHES_MAX + 1);
	if (test->narrow == predicate_narrow_block) {
		hash_range(test, &test->block);
	} else {
		ipset_cursor_start(&cursor, test->ipset);
		while (test->hash_count <= PREDICATE_HASHES_MAX &&
		       ipset_cursor_next(&cursor, &range)) {
			hash_range(test, &range);
		}
	}
	if (test->hash_count > PREDICATE_HASHES_MAX) {
		test->hash_count = 0;
	}
}

static struct number_range numset_bounds(const struct numset *set)
{
	struct number_range bounds = { .first = 1, .last = 0 };

	for (uint32_t i = 0; i <= UINT16_MAX; i++) {
		if (numset_contains(set, (uint16_t)i)) {
			bounds.first = bounds.first > bounds.last ? i : bounds.first;
			bounds.last = i;
		}
	}
	return bounds;
}

static void list_ranges(struct predicate *test)
{
	struct ipset_cursor cursor;
	size_t count = ipset_ranges(test->ipset);

	if (count > PREDICATE_RANGES_MAX) {
		return;
	}
	test->ranges = g_new(struct cidr, count);
	ipset_cursor_start(&cursor, test->ipset);
	while (test->range_count < count &&
	       ipset_cursor_next(&cursor, &test->ranges[test->range_count])) {
		test->range_count++;
	}
}

/* Only looking at the records tells. */
static verdict judge_nothing(const struct predicate *test, const struct summary *summary)
{
	return PREDICATES_SOME;
}

void predicate_prepare(struct predicate *test)
{
	if (test->judge) {
		return;
	}
	test->judge = judge_nothing;
	for (size_t i = 0; i < G_N_ELEMENTS(judges); i++) {
		if (judges[i].narrow == test->narrow) {
			test->judge = judges[i].judge;
		}
	}
	if (test->cost == PREDICATE_COST_NUMSET) {
		test->numbers = numset_bounds(test->numset);
	}
	if (test->narrow == predicate_narrow_wildcard) {
		test->bounds = wildcard_bounds(test->wildcard);
	}
	if (test->narrow == predicate_narrow_block || test->narrow == predicate_narrow_ipset) {
		hash_addresses(test);
	}
	if (test->narrow == predicate_narrow_ipset) {
		list_ranges(test);
	}
}

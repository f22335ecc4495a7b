/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Both sets are walked at once from the lowest address on, in stretches that lie wholly inside or
 * wholly outside of each; a truth table says which stretches belong to the result. They come in
 * ascending order, so the result is appended to and never sorted. Two IPv4 sets are swept in 64-bit
 * numbers, as one place behind the last address must fit; others in 128-bit ones.
 */
#include "storage/ipsetalgebra.h"

#include "storage/ipsetform.h"
#include "storage/ipsetinside.h"

#include <glib.h>

typedef unsigned __int128 number;

#define HIGHEST (~(number)0)

/* The range of a set at or after the place of the sweep. */
struct side {
	struct ipset_cursor cursor;
	bool done;
	number first;
	number last;
};

static struct ip ip_of(number value)
{
	return (struct ip){ (uint64_t)(value >> 64), (uint64_t)value };
}

static void side_next(struct side *side)
{
	struct cidr range;

	side->done = !ipset_cursor_next(&side->cursor, &range);
	if (!side->done) {
		side->first = ip_number(range.first);
		side->last = ip_number(range.last);
	}
}

static void side_start(struct side *side, const struct ipset *set)
{
	ipset_cursor_start(&side->cursor, set);
	side_next(side);
}

static bool side_holds(const struct side *side, number at)
{
	return !side->done && side->first <= at;
}

/* How far from at on the side is all inside or all outside. */
static number side_reach(const struct side *side, number at)
{
	if (side->done) {
		return HIGHEST;
	}
	return side->first <= at ? side->last : side->first - 1;
}

static void side_pass(struct side *side, number at)
{
	if (!side->done && side->last <= at) {
		side_next(side);
	}
}

/* SiLK's result takes the form of the first set until IPv6 comes in from the second. */
static struct ipset *result_new(const struct ipset *a, const struct ipset *b, enum ipset_op op)
{
	bool adds = op == IPSET_UNION || op == IPSET_SYMMETRIC_DIFFERENCE;

	return ipset_is_wide(a) || (adds && ipset_has_ipv6(b)) ? ipset_new_wide() : ipset_new();
}

const struct ipset_truth ipset_truths[] = {
	[IPSET_UNION] = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
	[IPSET_INTERSECTION] = { 0, UINT64_MAX, 0 },
	[IPSET_DIFFERENCE] = { UINT64_MAX, 0, 0 },
	[IPSET_SYMMETRIC_DIFFERENCE] = { UINT64_MAX, 0, UINT64_MAX },
};

/*
 * The ends of ranges in turn: even ones begin a range, odd ones are the place behind it. The parity
 * of the next end tells whether the sweep is inside.
 */
static uint64_t end4(const struct ranges4 *ranges, size_t i)
{
	if (i >= 2 * ranges->count) {
		return UINT64_MAX;
	}
	return i % 2 ? (uint64_t)ranges->at[i / 2].last + 1 : ranges->at[i / 2].first;
}

static void sweep4(struct ipset *result, const struct ranges4 *a, const struct ranges4 *b,
		   const bool wanted[2][2])
{
	size_t i = 0;
	size_t j = 0;
	uint64_t end_a = end4(a, 0);
	uint64_t end_b = end4(b, 0);
	uint64_t start = 0;
	bool inside = false;

	while (i < 2 * a->count || j < 2 * b->count) {
		uint64_t at = MIN(end_a, end_b);

		if (end_a == at) {
			end_a = end4(a, ++i);
		}
		if (end_b == at) {
			end_b = end4(b, ++j);
		}
		if (wanted[i % 2][j % 2] == inside) {
			continue;
		}
		if (inside) {
			ipset_load_range(result, ip_from_v4((uint32_t)start),
					 ip_from_v4((uint32_t)(at - 1)));
		}
		inside = !inside;
		start = at;
	}
}

static void sweep6(struct ipset *result, const struct ipset *a, const struct ipset *b,
		   const bool wanted[2][2])
{
	struct side sides[2];
	number at = 0;

	side_start(&sides[0], a);
	side_start(&sides[1], b);
	while (!sides[0].done || !sides[1].done) {
		number end = MIN(side_reach(&sides[0], at), side_reach(&sides[1], at));

		if (wanted[side_holds(&sides[0], at)][side_holds(&sides[1], at)]) {
			ipset_load_range(result, ip_of(at), ip_of(end));
		}
		side_pass(&sides[0], end);
		side_pass(&sides[1], end);
		at = end + 1;
	}
}

struct ipset *ipset_combine(const struct ipset *a, const struct ipset *b, enum ipset_op op)
{
	const struct ipset_truth *truth = &ipset_truths[op];
	/* by [in a][in b] */
	const bool wanted[2][2] = { { false, truth->second }, { truth->first, truth->both } };
	struct ipset *result = result_new(a, b, op);

	if (a->ranges6.count || b->ranges6.count) {
		sweep6(result, a, b, wanted);
	} else {
		sweep4(result, &a->ranges4, &b->ranges4, wanted);
	}
	ipset_finish(result);
	return result;
}

bool ipset_equal(const struct ipset *a, const struct ipset *b)
{
	struct ipset_cursor x;
	struct ipset_cursor y;
	struct cidr range;
	struct cidr other;

	ipset_cursor_start(&x, a);
	ipset_cursor_start(&y, b);
	while (ipset_cursor_next(&x, &range)) {
		if (!ipset_cursor_next(&y, &other) || !ip_equal(range.first, other.first) ||
		    !ip_equal(range.last, other.last)) {
			return false;
		}
	}
	return !ipset_cursor_next(&y, &other);
}

static struct ipset *same_form(const struct ipset *set)
{
	return ipset_is_wide(set) ? ipset_new_wide() : ipset_new();
}

int ipset_mask(struct ipset **out, const struct ipset *set, unsigned prefix, struct err *err)
{
	struct ipset *result = same_form(set);
	struct ipset_cursor cursor;
	struct cidr range;
	unsigned shift = 128 - prefix;
	number next = 0; /* lowest block not seen yet */
	uint64_t left = IPSET_MASK_MAX;

	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		number first = MAX(ip_number(range.first) >> shift, next);
		number last = ip_number(range.last) >> shift;

		if (first > last) {
			continue;
		}
		if (shift == 0) {
			ipset_load_range(result, range.first, range.last);
			continue;
		}
		if (last - first >= left) {
			ipset_free(result);
			return err_set(err, ST_ELIMIT, "more than 2^32 blocks of /%u", prefix);
		}
		left -= (uint64_t)(last - first + 1);
		next = last + 1;
		for (number block = first; block <= last; block++) {
			ipset_load_range(result, ip_of(block << shift), ip_of(block << shift));
		}
	}
	ipset_finish(result);
	*out = result;
	return ST_OK;
}

struct ipset *ipset_fill(const struct ipset *set, unsigned prefix)
{
	struct ipset *result = same_form(set);
	struct ipset_cursor cursor;
	struct cidr range;

	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		ipset_load_range(result, ip_block_first(range.first, prefix),
				 ip_block_last(range.last, prefix));
	}
	ipset_finish(result);
	return result;
}

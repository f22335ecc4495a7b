/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets that can be counted through are: each address is taken or not, with the numbers of random(),
 * which gives the samples of SiLK. In larger ones, of IPv6 blocks, addresses are drawn by their
 * position in the set, in ascending order, so that a sample costs what it is large and not what the
 * set is large.
 */
#include "query/setsample.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>

typedef unsigned __int128 number;

/* SplitMix64: any seed is a good one. */
void setsample_seed(struct setsample_random *random, uint64_t seed)
{
	random->state = seed;
	random->steps = (struct random_data){ 0 };
	initstate_r((unsigned)seed, random->steps_state, sizeof(random->steps_state),
		    &random->steps);
}

/* In 0..1, both ends. */
static double next_step(struct setsample_random *random)
{
	int32_t value = 0;

	random_r(&random->steps, &value);
	return (double)value / RAND_MAX;
}

static uint64_t next_word(struct setsample_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* In 0..last, all equally likely: what does not fit is drawn again. */
static number next_below(struct setsample_random *random, number last)
{
	number mask = last;
	number value;

	for (unsigned shift = 1; shift < 128; shift *= 2) {
		mask |= mask >> shift;
	}
	do {
		value = ((number)next_word(random) << 64 | next_word(random)) & mask;
	} while (value > last);
	return value;
}

/* In 0..1, neither end. */
static double next_real(struct setsample_random *random)
{
	return ((double)(next_word(random) >> 12) + 0.5) * 0x1p-52;
}

/* Positions asked for must ascend. */
struct finder {
	struct ipset_cursor cursor;
	struct cidr range;
	number start; /* position of range.first */
};

static void finder_start(struct finder *finder, const struct ipset *set)
{
	finder->start = 0;
	ipset_cursor_start(&finder->cursor, set);
	ipset_cursor_next(&finder->cursor, &finder->range);
}

static struct ip finder_at(struct finder *finder, number position)
{
	number at;

	for (;;) {
		number last = ip_number(finder->range.last) - ip_number(finder->range.first);

		if (position - finder->start <= last) {
			break;
		}
		finder->start += last + 1;
		ipset_cursor_next(&finder->cursor, &finder->range);
	}
	at = ip_number(finder->range.first) + (position - finder->start);
	return (struct ip){ (uint64_t)(at >> 64), (uint64_t)at };
}

static bool can_count_through(number last)
{
	return last <= UINT32_MAX;
}

/* Every address has the same chance to be one of those that are still to be taken. */
static void count_size(struct ipset *result, const struct ipset *set, number last, uint64_t wanted,
		       struct setsample_random *random)
{
	struct finder finder;
	uint64_t left = (uint64_t)last + 1;

	finder_start(&finder, set);
	for (number position = 0; wanted; position++, left--) {
		if (wanted == left || next_step(random) * (double)left < (double)wanted) {
			ipset_add(result, finder_at(&finder, position));
			wanted--;
		}
	}
}

static void count_ratio(struct ipset *result, const struct ipset *set, number last, double ratio,
			struct setsample_random *random)
{
	struct finder finder;

	finder_start(&finder, set);
	for (number position = 0; position <= last; position++) {
		if (next_step(random) < ratio) {
			ipset_add(result, finder_at(&finder, position));
		}
	}
}

static void add_all(struct ipset *result, const struct ipset *set)
{
	struct ipset_cursor cursor;
	struct cidr range;

	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		ipset_add_range(result, range.first, range.last);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	number x = *(const number *)a;
	number y = *(const number *)b;

	return x < y ? -1 : x > y;
}

/* Sort and drop repeats; returns how many are left. */
static size_t sort_unique(number *positions, size_t count)
{
	size_t kept = 0;

	qsort(positions, count, sizeof(*positions), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (!kept || positions[kept - 1] != positions[i]) {
			positions[kept++] = positions[i];
		}
	}
	return kept;
}

/* Different positions in 0..last, ascending; size is at most half of them. Returned: g_free(). */
static number *draw_positions(struct setsample_random *random, number last, size_t size)
{
	number *positions = g_new(number, size);
	size_t have = 0;

	while (have < size) {
		for (; have < size; have++) {
			positions[have] = next_below(random, last);
		}
		have = sort_unique(positions, size);
	}
	return positions;
}

/* Add the addresses between the positions, which are left out. */
static void add_others(struct ipset *result, struct finder *finder, const number *positions,
		       size_t count, number last)
{
	number from = 0;
	size_t at = 0;

	for (number position = from; position <= last; position++) {
		if (at < count && positions[at] == position) {
			at++;
		} else {
			ipset_add(result, finder_at(finder, position));
		}
	}
}

void setsample_size(struct ipset *result, const struct ipset *set, uint64_t size,
		    struct setsample_random *random)
{
	struct finder finder;
	number *positions;
	uint64_t high;
	uint64_t low;
	number last;

	ipset_count(set, &high, &low);
	last = ((number)high << 64 | low) - 1; /* of an empty set never used */
	if (ipset_is_empty(set) || last < size) {
		add_all(result, set);
		return;
	}
	if (can_count_through(last)) {
		count_size(result, set, last, size, random);
		return;
	}
	finder_start(&finder, set);
	if (last / 2 < size) {
		size_t others = (size_t)(last + 1 - size);

		positions = draw_positions(random, last, others);
		add_others(result, &finder, positions, others, last);
	} else {
		positions = draw_positions(random, last, size);
		for (size_t i = 0; i < size; i++) {
			ipset_add(result, finder_at(&finder, positions[i]));
		}
	}
	g_free(positions);
}

void setsample_ratio(struct ipset *result, const struct ipset *set, double ratio,
		     struct setsample_random *random)
{
	struct finder finder;
	uint64_t high;
	uint64_t low;
	number last;
	number position = 0;

	if (ipset_is_empty(set) || ratio <= 0) {
		return;
	}
	if (ratio >= 1) {
		add_all(result, set);
		return;
	}
	ipset_count(set, &high, &low);
	last = ((number)high << 64 | low) - 1;
	if (can_count_through(last)) {
		count_ratio(result, set, last, ratio, random);
		return;
	}
	finder_start(&finder, set);
	for (;;) {
		/* how many are left out before the next one: geometrically distributed */
		double skip = floor(log(next_real(random)) / log1p(-ratio));

		if (skip > (double)(last - position) || skip >= 0x1p128) {
			return;
		}
		position += (number)skip;
		if (position > last) {
			return;
		}
		ipset_add(result, finder_at(&finder, position));
		if (position++ == last) {
			return;
		}
	}
}

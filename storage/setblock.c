/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorting by the bits in which the addresses differ, from the highest one of these on and some at a
 * time: addresses of one network, which have most bits in common, are not looked at in vain. What
 * is left together in a small heap is sorted by insertion.
 */
#include "storage/setblock.h"

#include "common/hugeroom.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64u
/* From here to there a list that is full becomes so many times as large. */
#define LARGE          (UINT32_C(1) << 16)
#define HUGE           (UINT32_C(1) << 20)
#define LARGE_TIMES    8u
#define SMALL          24u
#define DIGIT_BITS_MAX 11u
#define DIGITS_MAX     (1u << DIGIT_BITS_MAX)

/* Large ones in huge pages, and so far ahead that little is copied: what is not used takes no memory. */
void setblock_list_grow(struct setblock_list *list)
{
	uint32_t times = list->capacity >= LARGE && list->capacity < HUGE ? LARGE_TIMES : 2;
	struct setblock *at;

	if (list->capacity > UINT32_MAX / times) {
		g_error("more than %u blocks of addresses", list->capacity);
	}
	list->capacity = MAX(CAPACITY_MIN, times * list->capacity);
	at = hugeroom_new(list->capacity * sizeof(*at));
	if (list->count) {
		memcpy(at, list->at, list->count * sizeof(*at));
	}
	g_free(list->at);
	list->at = at;
}

static int order_of(const void *a, const void *b)
{
	return setblock_order(a, b);
}

static void sort_small(struct setblock *blocks, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct setblock block = blocks[i];
		size_t j = i;

		for (; j > 0 && setblock_order(&blocks[j - 1], &block) > 0; j--) {
			blocks[j] = blocks[j - 1];
		}
		blocks[j] = block;
	}
}

/* The number of leading bits that all have in common. */
static unsigned common_bits(const struct setblock *blocks, size_t count)
{
	struct ip differ = { 0, 0 };

	for (size_t i = 1; i < count; i++) {
		differ.hi |= blocks[i].ip.hi ^ blocks[0].ip.hi;
		differ.lo |= blocks[i].ip.lo ^ blocks[0].ip.lo;
	}
	return ip_shared_bits(differ, (struct ip){ 0, 0 });
}

/* As many as there are blocks to a digit's value, about. */
static unsigned digit_bits(size_t count)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(count / 2 | 1);

	return MIN(bits, DIGIT_BITS_MAX);
}

struct digit {
	unsigned shift;
	unsigned mask;
};

static unsigned digit_of(struct ip ip, struct digit digit)
{
	return (unsigned)(ip_number(ip) >> digit.shift) & digit.mask;
}

/* By the digit, into to; afterwards ends[value] is where the blocks with this value of it end. */
static void distribute(const struct setblock *from, struct setblock *to, size_t count,
		       struct digit digit, uint32_t ends[])
{
	uint32_t place = 0;

	memset(ends, 0, (digit.mask + 1) * sizeof(ends[0]));
	for (size_t i = 0; i < count; i++) {
		ends[digit_of(from[i].ip, digit)]++;
	}
	for (unsigned value = 0; value <= digit.mask; value++) {
		uint32_t many = ends[value];

		ends[value] = place;
		place += many;
	}
	for (size_t i = 0; i < count; i++) {
		to[ends[digit_of(from[i].ip, digit)]++] = from[i];
	}
}

/* Those that are left together are few, or all the same address. */
static bool sort_rest(struct setblock *blocks, size_t count, unsigned common)
{
	if (count <= SMALL) {
		sort_small(blocks, count);
	} else if (common == 128) {
		qsort(blocks, count, sizeof(*blocks), order_of);
	}
	return count <= SMALL || common == 128;
}

/*
 * Sort blocks; moves: into spare, else in place. Both are overwritten. At most 128 / 4 deep: each
 * step looks at as many bits more as there are blocks, at least 4.
 */
static void sort_large(struct setblock *blocks, struct setblock *spare, size_t count, bool moves)
{
	uint32_t ends[DIGITS_MAX];
	unsigned common = count > SMALL ? common_bits(blocks, count) : 0;
	unsigned bits = MIN(digit_bits(count), 128 - common);
	struct digit digit = { .shift = 128 - common - bits, .mask = (1u << bits) - 1 };
	uint32_t start = 0;

	if (sort_rest(blocks, count, common)) {
		if (moves) {
			memcpy(spare, blocks, count * sizeof(*blocks));
		}
		return;
	}
	distribute(blocks, spare, count, digit, ends);
	for (unsigned value = 0; value <= digit.mask; value++) {
		if (ends[value] > start) {
			sort_large(spare + start, blocks + start, ends[value] - start, !moves);
		}
		start = ends[value];
	}
}

static bool is_sorted(const struct setblock *blocks, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (setblock_order(&blocks[i - 1], &blocks[i]) > 0) {
			return false;
		}
	}
	return true;
}

void setblock_sort(struct setblock *blocks, size_t count)
{
	if (!is_sorted(blocks, count)) {
		struct setblock *spare = g_new(struct setblock, count);

		sort_large(blocks, spare, count, false);
		g_free(spare);
	}
}

static bool is_block(const struct setblock *block)
{
	return block->prefix == 128 ||
	       (block->prefix >= 1 && block->prefix < 128 &&
		ip_equal(ip_block_first(block->ip, block->prefix), block->ip));
}

bool setblock_are_leaves(const struct setblock *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct setblock *block = &blocks[i];

		if (!is_block(block)) {
			return false;
		}
		if (i &&
		    (ip_compare(block[-1].ip, block->ip) >= 0 || setblock_holds(block - 1, block) ||
		     (block->prefix > 1 && setblock_are_halves(block - 1, block)))) {
			return false;
		}
	}
	return true;
}

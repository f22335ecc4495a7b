/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A finished set is one sorted array of ranges: of 32-bit numbers when all addresses are IPv4, else
 * of 128-bit ones. An index by the upper 16 bits shortens the search in large IPv4 sets.
 *
 * While a narrow set is built, single addresses go to a bitmap in three levels and ranges to an
 * array that is sorted and joined when it has doubled. A wide set is built in the radix tree
 * (storage/iptree.h), which must see every insertion anyway for the sake of the file.
 */
#include "storage/ipset.h"

#include "storage/ipsetform.h"
#include "storage/iptree.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MIN      65536u /* ranges not in order that are let pile up at least */
#define INDEX_MIN     64u    /* ranges below which the index does not pay */
#define INDEX_ENTRIES 65537u

struct range4 {
	uint32_t first;
	uint32_t last;
};

struct range6 {
	struct ip first;
	struct ip last;
};

/* One bit per address: page by the upper 16 bits, block of 256 bits by the next 8. */
struct bitmap {
	uint32_t *pages[65536]; /* 256 numbers of blocks each; 0: none */
	GArray *blocks;         /* 8 x uint32_t each */
};

struct ipset {
	bool wide;
	struct iptree *tree;   /* wide sets that are built; NULL: those that were read */
	bool tree_changed;     /* the tree holds what the ranges do not */
	struct bitmap *bitmap; /* not yet in ranges4; NULL: nothing */
	GArray *ranges4;       /* when no address is outside ::ffff:0:0/96 */
	GArray *ranges6;       /* else */
	size_t sorted;         /* leading entries of the array in use that are in order */
	uint32_t *index;       /* first range of ranges4 that ends in or after each /16 */
};

/* --- bitmap --- */

static struct bitmap *bitmap_new(void)
{
	struct bitmap *bitmap = g_new0(struct bitmap, 1);

	bitmap->blocks = g_array_new(FALSE, TRUE, 8 * sizeof(uint32_t));
	g_array_set_size(bitmap->blocks, 1); /* number 0 is "none" */
	return bitmap;
}

static void bitmap_free(struct bitmap *bitmap)
{
	if (bitmap) {
		for (size_t i = 0; i < G_N_ELEMENTS(bitmap->pages); i++) {
			g_free(bitmap->pages[i]);
		}
		g_array_free(bitmap->blocks, TRUE);
		g_free(bitmap);
	}
}

static uint32_t *bitmap_block(struct bitmap *bitmap, uint32_t number)
{
	return (uint32_t *)(void *)bitmap->blocks->data + 8 * (size_t)number;
}

static void bitmap_add(struct bitmap *bitmap, uint32_t address)
{
	uint32_t **page = &bitmap->pages[address >> 16];
	uint32_t *number;

	if (!*page) {
		*page = g_new0(uint32_t, 256);
	}
	number = &(*page)[address >> 8 & 255];
	if (!*number) {
		*number = bitmap->blocks->len;
		g_array_set_size(bitmap->blocks, *number + 1);
	}
	bitmap_block(bitmap, *number)[address >> 5 & 7] |= 1u << (address & 31);
}

/* --- arrays of ranges --- */

static int range4_order(const void *a, const void *b)
{
	uint32_t x = ((const struct range4 *)a)->first;
	uint32_t y = ((const struct range4 *)b)->first;

	return x < y ? -1 : x > y;
}

static int range6_order(const void *a, const void *b)
{
	return ip_compare(((const struct range6 *)a)->first, ((const struct range6 *)b)->first);
}

/* Append, or extend the last one when they touch. Ranges must come in ascending order. */
static void append4(GArray *ranges, uint32_t first, uint32_t last)
{
	struct range4 range = { first, last };

	if (ranges->len) {
		struct range4 *tail = &g_array_index(ranges, struct range4, ranges->len - 1);

		if (tail->last == UINT32_MAX || tail->last + 1 >= first) {
			tail->last = MAX(tail->last, last);
			return;
		}
	}
	g_array_append_val(ranges, range);
}

static void append6(GArray *ranges, struct ip first, struct ip last)
{
	struct range6 range = { first, last };

	if (ranges->len) {
		struct range6 *tail = &g_array_index(ranges, struct range6, ranges->len - 1);
		struct ip next = ip_next(tail->last);
		bool at_end = next.hi == 0 && next.lo == 0;

		if (at_end || ip_compare(next, first) >= 0) {
			tail->last = ip_compare(tail->last, last) > 0 ? tail->last : last;
			return;
		}
	}
	g_array_append_val(ranges, range);
}

static void join4(struct ipset *set)
{
	GArray *old = set->ranges4;

	if (set->sorted < old->len) {
		set->ranges4 = g_array_sized_new(FALSE, FALSE, sizeof(struct range4), old->len);
		qsort(old->data, old->len, sizeof(struct range4), range4_order);
		for (guint i = 0; i < old->len; i++) {
			const struct range4 *range = &g_array_index(old, struct range4, i);

			append4(set->ranges4, range->first, range->last);
		}
		g_array_free(old, TRUE);
		set->sorted = set->ranges4->len;
	}
}

static void join6(struct ipset *set)
{
	GArray *old = set->ranges6;

	if (set->sorted < old->len) {
		set->ranges6 = g_array_sized_new(FALSE, FALSE, sizeof(struct range6), old->len);
		qsort(old->data, old->len, sizeof(struct range6), range6_order);
		for (guint i = 0; i < old->len; i++) {
			const struct range6 *range = &g_array_index(old, struct range6, i);

			append6(set->ranges6, range->first, range->last);
		}
		g_array_free(old, TRUE);
		set->sorted = set->ranges6->len;
	}
}

/* In order so far: keep it so. Out of order: let it pile up, and sort when it has doubled. */
static void add4(struct ipset *set, uint32_t first, uint32_t last)
{
	GArray *ranges = set->ranges4;
	struct range4 range = { first, last };

	if (set->sorted == ranges->len &&
	    (!ranges->len ||
	     g_array_index(ranges, struct range4, ranges->len - 1).first <= first)) {
		append4(ranges, first, last);
		set->sorted = ranges->len;
		return;
	}
	g_array_append_val(ranges, range);
	if (ranges->len - set->sorted > MAX(JOIN_MIN, set->sorted)) {
		join4(set);
	}
}

static void add6(struct ipset *set, struct ip first, struct ip last)
{
	GArray *ranges = set->ranges6;
	struct range6 range = { first, last };

	if (set->sorted == ranges->len &&
	    (!ranges->len ||
	     ip_compare(g_array_index(ranges, struct range6, ranges->len - 1).first, first) <= 0)) {
		append6(ranges, first, last);
		set->sorted = ranges->len;
		return;
	}
	g_array_append_val(ranges, range);
	if (ranges->len - set->sorted > MAX(JOIN_MIN, set->sorted)) {
		join6(set);
	}
}

static void drop_index(struct ipset *set)
{
	g_free(set->index);
	set->index = NULL;
}

static void clear_ranges(struct ipset *set)
{
	g_array_set_size(set->ranges4, 0);
	g_array_set_size(set->ranges6, 0);
	set->sorted = 0;
	drop_index(set);
}

/* --- building --- */

struct ipset *ipset_new(void)
{
	struct ipset *set = g_new0(struct ipset, 1);

	set->ranges4 = g_array_new(FALSE, FALSE, sizeof(struct range4));
	set->ranges6 = g_array_new(FALSE, FALSE, sizeof(struct range6));
	return set;
}

struct ipset *ipset_new_wide(void)
{
	struct ipset *set = ipset_new();

	set->wide = true;
	return set;
}

void ipset_free(struct ipset *set)
{
	if (set) {
		iptree_free(set->tree);
		bitmap_free(set->bitmap);
		g_array_free(set->ranges4, TRUE);
		g_array_free(set->ranges6, TRUE);
		g_free(set->index);
		g_free(set);
	}
}

static bool is_narrow(struct ip first, struct ip last)
{
	return ip_is_mapped(first) && ip_is_mapped(last);
}

struct iptree *ipset_grow_tree(const struct ipset *set)
{
	struct iptree *tree = iptree_new();
	size_t count = ipset_ranges(set);

	for (size_t i = 0; i < count; i++) {
		struct cidr range = ipset_range(set, i);

		iptree_insert_range(tree, range.first, range.last);
	}
	iptree_clean(tree);
	return tree;
}

void ipset_regrow_tree(struct ipset *set, const struct iptree_leaf *nodes, uint32_t count)
{
	struct ipset_cursor cursor;
	struct cidr range;

	set->tree = iptree_new();
	iptree_load(set->tree);
	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		iptree_insert_range(set->tree, range.first, range.last);
	}
	iptree_clean(set->tree);
	if (nodes) {
		iptree_renumber(set->tree, nodes, count);
	}
}

void ipset_widen(struct ipset *set)
{
	if (!set->tree) {
		ipset_finish(set);
		set->wide = true;
		set->tree = ipset_grow_tree(set);
		set->tree_changed = true;
	}
}

void ipset_add(struct ipset *set, struct ip ip)
{
	if (!set->wide && ip_is_mapped(ip)) {
		if (!set->bitmap) {
			set->bitmap = bitmap_new();
		}
		bitmap_add(set->bitmap, ip_to_v4(ip));
	} else {
		ipset_widen(set);
		set->tree_changed = true;
		iptree_insert(set->tree, ip, 128);
	}
}

void ipset_add_range(struct ipset *set, struct ip first, struct ip last)
{
	if (set->wide || !is_narrow(first, last)) {
		ipset_widen(set);
		set->tree_changed = true;
		iptree_insert_range(set->tree, first, last);
	} else if (ip_equal(first, last)) {
		ipset_add(set, first);
	} else {
		drop_index(set);
		add4(set, ip_to_v4(first), ip_to_v4(last));
	}
}

void ipset_load_range(struct ipset *set, struct ip first, struct ip last)
{
	drop_index(set);
	if (set->wide) {
		add6(set, first, last);
	} else {
		add4(set, ip_to_v4(first), ip_to_v4(last));
	}
}

/* --- finishing --- */

static void drain_block(struct ipset *set, uint32_t base, const uint32_t bits[8])
{
	for (uint32_t i = 0; i < 256;) {
		uint32_t word = bits[i / 32] >> (i % 32);

		if (!word) {
			i = (i / 32 + 1) * 32;
		} else {
			i += (uint32_t)__builtin_ctz(word);
			add4(set, base + i, base + i);
			i++;
		}
	}
}

/* Move the addresses of the bitmap into the ranges. */
static void drain_bitmap(struct ipset *set)
{
	struct bitmap *bitmap = set->bitmap;

	set->bitmap = NULL;
	drop_index(set);
	for (uint32_t i = 0; i < G_N_ELEMENTS(bitmap->pages); i++) {
		for (uint32_t j = 0; bitmap->pages[i] && j < 256; j++) {
			uint32_t number = bitmap->pages[i][j];

			if (number) {
				drain_block(set, i << 16 | j << 8, bitmap_block(bitmap, number));
			}
		}
		g_free(bitmap->pages[i]);
		bitmap->pages[i] = NULL;
	}
	bitmap_free(bitmap);
}

static void drain_tree(struct ipset *set)
{
	clear_ranges(set);
	iptree_clean(set->tree);
	for (uint32_t i = 1; i < iptree_leaf_count(set->tree); i++) {
		const struct iptree_leaf *leaf = iptree_leaf(set->tree, i);

		add6(set, leaf->ip, ip_block_last(leaf->ip, leaf->prefix));
	}
}

/* Ranges of 128 bits that are all of mapped addresses are kept as 32 bits. */
static void narrow_ranges(struct ipset *set)
{
	GArray *wide = set->ranges6;

	if (!wide->len || !is_narrow(g_array_index(wide, struct range6, 0).first,
				     g_array_index(wide, struct range6, wide->len - 1).last)) {
		return;
	}
	for (guint i = 0; i < wide->len; i++) {
		const struct range6 *range = &g_array_index(wide, struct range6, i);

		append4(set->ranges4, ip_to_v4(range->first), ip_to_v4(range->last));
	}
	g_array_set_size(wide, 0);
	set->sorted = set->ranges4->len;
}

static void build_index(struct ipset *set)
{
	const GArray *ranges = set->ranges4;
	guint at = 0;

	set->index = g_new(uint32_t, INDEX_ENTRIES);
	for (uint32_t i = 0; i < INDEX_ENTRIES - 1; i++) {
		while (at < ranges->len &&
		       g_array_index(ranges, struct range4, at).last < i << 16) {
			at++;
		}
		set->index[i] = at;
	}
	set->index[INDEX_ENTRIES - 1] = ranges->len;
}

void ipset_finish(struct ipset *set)
{
	if (set->bitmap) {
		drain_bitmap(set);
	}
	if (set->tree_changed) {
		drain_tree(set);
		set->tree_changed = false;
	}
	if (set->wide) {
		join6(set);
		narrow_ranges(set);
	} else {
		join4(set);
	}
	if (!set->index && set->ranges4->len >= INDEX_MIN) {
		build_index(set);
	}
}

/* --- asking --- */

/* Number of the first range that ends at or after address; that of all ranges when none does. */
static size_t find4(const struct ipset *set, uint32_t address)
{
	const struct range4 *ranges = (const struct range4 *)(const void *)set->ranges4->data;
	size_t low = 0;
	size_t high = set->ranges4->len;

	if (set->index) {
		low = set->index[address >> 16];
		high = set->index[(address >> 16) + 1];
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].last < address) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static size_t find6(const struct ipset *set, struct ip ip)
{
	const struct range6 *ranges = (const struct range6 *)(const void *)set->ranges6->data;
	size_t low = 0;
	size_t high = set->ranges6->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_compare(ranges[middle].last, ip) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool meets4(const struct ipset *set, uint32_t first, uint32_t last)
{
	size_t at = find4(set, first);

	return at < set->ranges4->len &&
	       g_array_index(set->ranges4, struct range4, at).first <= last;
}

static bool meets6(const struct ipset *set, struct ip first, struct ip last)
{
	size_t at = find6(set, first);

	return at < set->ranges6->len &&
	       ip_compare(g_array_index(set->ranges6, struct range6, at).first, last) <= 0;
}

bool ipset_contains(const struct ipset *set, struct ip ip)
{
	if (set->ranges6->len) {
		return meets6(set, ip, ip);
	}
	return ip_is_mapped(ip) && meets4(set, ip_to_v4(ip), ip_to_v4(ip));
}

bool ipset_intersects_range(const struct ipset *set, struct ip first, struct ip last)
{
	struct ip lowest = ip_from_v4(0);
	struct ip highest = ip_from_v4(UINT32_MAX);

	if (set->ranges6->len) {
		return meets6(set, first, last);
	}
	if (ip_compare(last, lowest) < 0 || ip_compare(first, highest) > 0) {
		return false;
	}
	return meets4(set, ip_compare(first, lowest) < 0 ? 0 : ip_to_v4(first),
		      ip_compare(last, highest) > 0 ? UINT32_MAX : ip_to_v4(last));
}

bool ipset_is_empty(const struct ipset *set)
{
	return ipset_ranges(set) == 0;
}

bool ipset_has_ipv6(const struct ipset *set)
{
	return set->ranges6->len != 0;
}

bool ipset_is_wide(const struct ipset *set)
{
	return set->wide;
}

void ipset_shrink(struct ipset *set)
{
	if (set->wide && !set->ranges6->len) {
		if (!set->tree) {
			set->tree = ipset_grow_tree(set);
		}
		set->wide = false;
	}
}

bool ipset_is_shrunk(const struct ipset *set)
{
	return !set->wide && set->tree;
}

void ipset_count(const struct ipset *set, uint64_t *high, uint64_t *low)
{
	unsigned __int128 count = 0;
	size_t ranges = ipset_ranges(set);

	for (size_t i = 0; i < ranges; i++) {
		struct cidr range = ipset_range(set, i);

		count += ip_number(range.last) - ip_number(range.first) + 1;
	}
	*high = (uint64_t)(count >> 64);
	*low = (uint64_t)count;
}

size_t ipset_ranges(const struct ipset *set)
{
	return set->ranges6->len ? set->ranges6->len : set->ranges4->len;
}

struct cidr ipset_range(const struct ipset *set, size_t i)
{
	if (set->ranges6->len) {
		const struct range6 *range = &g_array_index(set->ranges6, struct range6, i);

		return (struct cidr){ range->first, range->last, true };
	}
	const struct range4 *range = &g_array_index(set->ranges4, struct range4, i);

	return (struct cidr){ ip_from_v4(range->first), ip_from_v4(range->last), false };
}

bool ipset_intersects(const struct ipset *a, const struct ipset *b)
{
	size_t count_a = ipset_ranges(a);
	size_t count_b = ipset_ranges(b);
	size_t i = 0;
	size_t j = 0;

	while (i < count_a && j < count_b) {
		struct cidr x = ipset_range(a, i);
		struct cidr y = ipset_range(b, j);

		if (ip_compare(x.last, y.first) < 0) {
			i++;
		} else if (ip_compare(y.last, x.first) < 0) {
			j++;
		} else {
			return true;
		}
	}
	return false;
}

bool ipset_bounds(const struct ipset *set, struct ip *first, struct ip *last)
{
	size_t count = ipset_ranges(set);

	if (count) {
		*first = ipset_range(set, 0).first;
		*last = ipset_range(set, count - 1).last;
	}
	return count > 0;
}

void ipset_cursor_start(struct ipset_cursor *cursor, const struct ipset *set)
{
	*cursor = (struct ipset_cursor){ .set = set };
}

void ipset_cursor_seek(struct ipset_cursor *cursor, struct ip ip)
{
	const struct ipset *set = cursor->set;

	if (set->ranges6->len) {
		cursor->at = find6(set, ip);
	} else if (ip_is_mapped(ip)) {
		cursor->at = find4(set, ip_to_v4(ip));
	} else {
		cursor->at = ip_compare(ip, ip_from_v4(0)) < 0 ? 0 : set->ranges4->len;
	}
}

bool ipset_cursor_next(struct ipset_cursor *cursor, struct cidr *range)
{
	if (cursor->at == ipset_ranges(cursor->set)) {
		return false;
	}
	*range = ipset_range(cursor->set, cursor->at++);
	return true;
}

const struct iptree *ipset_tree(const struct ipset *set)
{
	return set->tree;
}

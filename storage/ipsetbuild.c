/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a set grows. Single addresses of a narrow set are gathered (storage/gather4.h) and merged
 * into the ranges when they have become as many as these; ranges are appended, and sorted and
 * joined when they have doubled. So no addition costs more than a constant number of sorts and
 * merges. A wide set is built in the radix tree (storage/iptree.h), which must see every insertion
 * anyway for the sake of the file.
 */
#include "storage/ipset.h"

#include "storage/ipsetform.h"
#include "storage/ipsetinside.h"

#include <glib.h>
#include <stdlib.h>

#define CAPACITY_MIN  64u
#define JOIN_MIN      65536u /* ranges not in order that are let pile up at least */
#define INDEX_MIN     64u    /* ranges below which the index does not pay */
#define INDEX_ENTRIES 65537u

/* --- arrays of ranges --- */

static void push4(struct ranges4 *ranges, struct range4 range)
{
	if (ranges->count == ranges->capacity) {
		ranges->capacity = MAX(CAPACITY_MIN, ranges->capacity + ranges->capacity / 2);
		ranges->at = g_renew(struct range4, ranges->at, ranges->capacity);
	}
	ranges->at[ranges->count++] = range;
}

static void push6(struct ranges6 *ranges, struct range6 range)
{
	if (ranges->count == ranges->capacity) {
		ranges->capacity = MAX(CAPACITY_MIN, ranges->capacity + ranges->capacity / 2);
		ranges->at = g_renew(struct range6, ranges->at, ranges->capacity);
	}
	ranges->at[ranges->count++] = range;
}

/* Append, or extend the last one when they touch. Ranges must come in ascending order. */
static void append4(struct ranges4 *ranges, struct range4 range)
{
	if (ranges->count) {
		struct range4 *tail = &ranges->at[ranges->count - 1];

		if (tail->last == UINT32_MAX || tail->last + 1 >= range.first) {
			tail->last = MAX(tail->last, range.last);
			return;
		}
	}
	push4(ranges, range);
}

static void append6(struct ranges6 *ranges, struct range6 range)
{
	if (ranges->count) {
		struct range6 *tail = &ranges->at[ranges->count - 1];
		struct ip next = ip_next(tail->last);
		bool at_end = next.hi == 0 && next.lo == 0;

		if (at_end || ip_compare(next, range.first) >= 0) {
			tail->last =
				ip_compare(tail->last, range.last) > 0 ? tail->last : range.last;
			return;
		}
	}
	push6(ranges, range);
}

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

/* Sort, and join in place: what is written is never ahead of what is read. */
static void join4(struct ipset *set)
{
	struct ranges4 *ranges = &set->ranges4;
	size_t count = ranges->count;

	if (set->sorted < count) {
		qsort(ranges->at, count, sizeof(struct range4), range4_order);
		ranges->count = 0;
		for (size_t i = 0; i < count; i++) {
			append4(ranges, ranges->at[i]);
		}
		set->sorted = ranges->count;
	}
}

static void join6(struct ipset *set)
{
	struct ranges6 *ranges = &set->ranges6;
	size_t count = ranges->count;

	if (set->sorted < count) {
		qsort(ranges->at, count, sizeof(struct range6), range6_order);
		ranges->count = 0;
		for (size_t i = 0; i < count; i++) {
			append6(ranges, ranges->at[i]);
		}
		set->sorted = ranges->count;
	}
}

/* In order so far: keep it so. Out of order: let it pile up, and sort when it has doubled. */
static void add4(struct ipset *set, struct range4 range)
{
	struct ranges4 *ranges = &set->ranges4;

	if (set->sorted == ranges->count &&
	    (!ranges->count || ranges->at[ranges->count - 1].first <= range.first)) {
		append4(ranges, range);
		set->sorted = ranges->count;
		return;
	}
	push4(ranges, range);
	if (ranges->count - set->sorted > MAX(JOIN_MIN, set->sorted)) {
		join4(set);
	}
}

static void add6(struct ipset *set, struct range6 range)
{
	struct ranges6 *ranges = &set->ranges6;

	if (set->sorted == ranges->count &&
	    (!ranges->count || ip_compare(ranges->at[ranges->count - 1].first, range.first) <= 0)) {
		append6(ranges, range);
		set->sorted = ranges->count;
		return;
	}
	push6(ranges, range);
	if (ranges->count - set->sorted > MAX(JOIN_MIN, set->sorted)) {
		join6(set);
	}
}

static void drop_index(struct ipset *set)
{
	g_free(set->index);
	set->index = NULL;
}

/* --- life --- */

struct ipset *ipset_new(void)
{
	return g_new0(struct ipset, 1);
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
		gather4_free(set->gather);
		g_free(set->loaded.at);
		g_free(set->ranges4.at);
		g_free(set->ranges6.at);
		g_free(set->index);
		g_free(set);
	}
}

/* --- gathered addresses --- */

/* Merge the ranges with the addresses gathered since. */
static void drain_gather(struct ipset *set)
{
	struct ranges4 merged = { 0 };
	size_t count;
	const uint32_t *addresses = gather4_sort(set->gather, &count);
	size_t i = 0;

	if (!count) {
		return;
	}
	drop_index(set);
	join4(set);
	merged.capacity = set->ranges4.count + count;
	merged.at = g_new(struct range4, merged.capacity);
	for (size_t n = 0; n < count; n++) {
		for (; i < set->ranges4.count && set->ranges4.at[i].first <= addresses[n]; i++) {
			append4(&merged, set->ranges4.at[i]);
		}
		append4(&merged, (struct range4){ addresses[n], addresses[n] });
	}
	for (; i < set->ranges4.count; i++) {
		append4(&merged, set->ranges4.at[i]);
	}
	g_free(set->ranges4.at);
	merged.capacity = merged.count;
	merged.at = g_renew(struct range4, merged.at, merged.capacity);
	set->ranges4 = merged;
	set->sorted = merged.count;
	gather4_clear(set->gather, merged.count);
}

static void gather(struct ipset *set, uint32_t address)
{
	if (!set->gather) {
		set->gather = gather4_new();
	}
	if (!gather4_add(set->gather, address)) {
		drain_gather(set);
		gather4_add(set->gather, address);
	}
}

/* --- the tree --- */

static bool is_narrow(struct ip first, struct ip last)
{
	return ip_is_mapped(first) && ip_is_mapped(last);
}

struct iptree *ipset_grow_tree(const struct ipset *set)
{
	struct iptree *tree = iptree_new();
	struct ipset_cursor cursor;
	struct cidr range;

	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		iptree_insert_range(tree, range.first, range.last);
	}
	iptree_clean(tree);
	return tree;
}

void ipset_regrow_tree(struct ipset *set)
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
}

void ipset_use_tree(struct ipset *set, struct iptree *tree)
{
	set->tree = tree;
	set->tree_changed = true;
}

void ipset_use_blocks(struct ipset *set, struct setblock *blocks, uint32_t count)
{
	set->loaded = (struct setblocks){ blocks, count };
	set->loaded_ipv6 = count && !is_narrow(blocks[0].ip, blocks[count - 1].ip);
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

void ipset_shrink(struct ipset *set)
{
	if (set->wide && !ipset_has_ipv6(set)) {
		if (!set->tree) {
			set->tree = ipset_grow_tree(set);
		}
		set->wide = false;
	}
}

void ipset_narrow(struct ipset *set)
{
	set->wide = false;
}

bool ipset_is_shrunk(const struct ipset *set)
{
	return !set->wide && set->tree;
}

const struct iptree *ipset_tree(const struct ipset *set)
{
	return set->tree;
}

/* --- adding --- */

void ipset_add(struct ipset *set, struct ip ip)
{
	if (!set->wide && ip_is_mapped(ip)) {
		gather(set, ip_to_v4(ip));
		return;
	}
	ipset_widen(set);
	set->tree_changed = true;
	iptree_insert(set->tree, ip, 128);
}

void ipset_add_many(struct ipset *set, const struct ip *ips, size_t count)
{
	size_t i = 0;

	for (; i < count && !set->wide && ip_is_mapped(ips[i]); i++) {
		gather(set, ip_to_v4(ips[i]));
	}
	if (i < count) {
		ipset_widen(set);
		set->tree_changed = true;
		iptree_insert_many(set->tree, ips + i, count - i);
	}
}

void ipset_add_range(struct ipset *set, struct ip first, struct ip last)
{
	if (set->wide || !is_narrow(first, last)) {
		ipset_widen(set);
		set->tree_changed = true;
		iptree_insert_range(set->tree, first, last);
	} else if (ip_equal(first, last)) {
		gather(set, ip_to_v4(first));
	} else {
		drop_index(set);
		add4(set, (struct range4){ ip_to_v4(first), ip_to_v4(last) });
	}
}

void ipset_add_set(struct ipset *set, struct ipset *other)
{
	struct ipset_cursor cursor;
	struct cidr range;

	if (other->loaded_ipv6) {
		ipset_widen(set);
		set->tree_changed = true;
		iptree_insert_blocks(set->tree, other->loaded.at, other->loaded.count);
		other->loaded = (struct setblocks){ NULL, 0 };
		other->loaded_ipv6 = false;
		return;
	}
	ipset_finish(other);
	ipset_cursor_start(&cursor, other);
	while (ipset_cursor_next(&cursor, &range)) {
		ipset_add_range(set, range.first, range.last);
	}
}

void ipset_load_range(struct ipset *set, struct ip first, struct ip last)
{
	if (set->wide) {
		add6(set, (struct range6){ first, last });
	} else {
		add4(set, (struct range4){ ip_to_v4(first), ip_to_v4(last) });
	}
}

/* --- finishing --- */

static void drain_tree(struct ipset *set)
{
	set->ranges4.count = 0;
	set->ranges6.count = 0;
	set->sorted = 0;
	drop_index(set);
	iptree_clean(set->tree);
	for (uint32_t i = 1; i < iptree_leaf_count(set->tree); i++) {
		struct iptree_leaf leaf = iptree_leaf(set->tree, i);

		add6(set, (struct range6){ leaf.ip, ip_block_last(leaf.ip, leaf.prefix) });
	}
}

static void drain_loaded(struct ipset *set)
{
	for (uint32_t i = 0; i < set->loaded.count; i++) {
		const struct setblock *block = &set->loaded.at[i];

		add6(set, (struct range6){ block->ip, ip_block_last(block->ip, block->prefix) });
	}
	g_free(set->loaded.at);
	set->loaded = (struct setblocks){ NULL, 0 };
	set->loaded_ipv6 = false;
}

/* Ranges of 128 bits that are all of mapped addresses are kept as 32 bits. */
static void narrow_ranges(struct ipset *set)
{
	struct ranges6 *wide = &set->ranges6;

	if (!wide->count || !is_narrow(wide->at[0].first, wide->at[wide->count - 1].last)) {
		return;
	}
	for (size_t i = 0; i < wide->count; i++) {
		append4(&set->ranges4,
			(struct range4){ ip_to_v4(wide->at[i].first), ip_to_v4(wide->at[i].last) });
	}
	wide->count = 0;
	set->sorted = set->ranges4.count;
}

static void build_index(struct ipset *set)
{
	const struct ranges4 *ranges = &set->ranges4;
	size_t at = 0;

	set->index = g_new(uint32_t, INDEX_ENTRIES);
	for (uint32_t i = 0; i < INDEX_ENTRIES - 1; i++) {
		while (at < ranges->count && ranges->at[at].last < i << 16) {
			at++;
		}
		set->index[i] = (uint32_t)at;
	}
	set->index[INDEX_ENTRIES - 1] = (uint32_t)ranges->count;
}

/* Sort, join and narrow what was loaded or has grown. */
static void settle(struct ipset *set)
{
	if (set->gather) {
		drain_gather(set);
		gather4_free(set->gather);
		set->gather = NULL;
	}
	if (set->tree_changed) {
		drain_tree(set);
		set->tree_changed = false;
	}
	if (set->wide) {
		drain_loaded(set);
		join6(set);
		narrow_ranges(set);
	} else {
		join4(set);
	}
}

void ipset_finish(struct ipset *set)
{
	settle(set);
	if (!set->index && set->ranges4.count >= INDEX_MIN) {
		build_index(set);
	}
}

void ipset_finish_for_tree(struct ipset *set)
{
	if (set->wide && set->tree_changed) {
		uint32_t count;

		iptree_clean(set->tree);
		count = iptree_leaf_count(set->tree);
		set->tree_only = count > 1 && !is_narrow(iptree_leaf(set->tree, 1).ip,
							 iptree_leaf(set->tree, count - 1).ip);
	}
	if (!set->tree_only) {
		ipset_finish(set);
	}
}

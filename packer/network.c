/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/network.h"

#include <glib.h>
#include <string.h>

#include "common/numlist.h"
#include "common/wildcard.h"
#include "storage/ipset.h"

/* A wildcard of more ranges than this is kept as it is; all others join the set. */
#define WILDCARD_RANGES_MAX 4096

struct network_list {
	enum network_kind kind;
	struct numset interfaces;
	struct ipset *ips;
	GPtrArray *wildcards; /* of struct wildcard * */
};

static const struct {
	const char *one;
	const char *many;
	const char *contents;
} network_kinds[NETWORK_KINDS] = {
	[NETWORK_INTERFACES] = { "interface", "interfaces", "interface values" },
	[NETWORK_IPBLOCKS] = { "ipblock", "ipblocks", "ipblocks" },
	[NETWORK_IPSETS] = { "ipset", "ipsets", "ipsets" },
};

int network_kind_parse(const char *word)
{
	for (int kind = 0; kind < NETWORK_KINDS; kind++) {
		if (strcmp(word, network_kinds[kind].one) == 0 ||
		    strcmp(word, network_kinds[kind].many) == 0) {
			return kind;
		}
	}
	return -1;
}

const char *network_kind_name(enum network_kind kind)
{
	return network_kinds[kind].one;
}

const char *network_kind_names(enum network_kind kind)
{
	return network_kinds[kind].many;
}

const char *network_kind_contents(enum network_kind kind)
{
	return network_kinds[kind].contents;
}

struct network_list *network_list_new(enum network_kind kind)
{
	struct network_list *list = g_new0(struct network_list, 1);

	list->kind = kind;
	list->ips = ipset_new();
	list->wildcards = g_ptr_array_new_with_free_func(g_free);
	return list;
}

void network_list_free(struct network_list *list)
{
	if (list) {
		ipset_free(list->ips);
		g_ptr_array_free(list->wildcards, TRUE);
		g_free(list);
	}
}

enum network_kind network_list_kind(const struct network_list *list)
{
	return list->kind;
}

static int network_add_interface(struct network_list *list, const char *text, struct err *err)
{
	uint64_t number;

	if (number_parse(text, 0, UINT16_MAX, &number, err) != ST_OK) {
		return err_prefix(err, "Invalid interfaces '%s'", text);
	}
	numset_add(&list->interfaces, (uint16_t)number);
	return ST_OK;
}

struct network_ranges {
	size_t count;
	struct ipset *set; /* NULL: only count */
};

static int network_take_range(void *arg, const struct cidr *range)
{
	struct network_ranges *ranges = arg;

	if (ranges->set) {
		ipset_add_range(ranges->set, range->first, range->last);
	}
	return ++ranges->count > WILDCARD_RANGES_MAX;
}

static int network_add_ipblock(struct network_list *list, const char *text, struct err *err)
{
	struct wildcard *wildcard = g_new0(struct wildcard, 1);
	struct network_ranges ranges = { 0 };

	if (wildcard_parse(text, wildcard, err) != ST_OK) {
		g_free(wildcard);
		return err_prefix(err, "Invalid IP address block '%s'", text);
	}
	if (wildcard_each_range(wildcard, network_take_range, &ranges) != 0) {
		g_ptr_array_add(list->wildcards, wildcard);
		return ST_OK;
	}
	ranges = (struct network_ranges){ .set = list->ips };
	wildcard_each_range(wildcard, network_take_range, &ranges);
	g_free(wildcard);
	return ST_OK;
}

static void network_add_set(struct network_list *list, const struct ipset *set)
{
	for (size_t i = 0; i < ipset_ranges(set); i++) {
		struct cidr range = ipset_range(set, i);

		ipset_add_range(list->ips, range.first, range.last);
	}
}

static int network_add_ipset(struct network_list *list, const char *path, struct err *err)
{
	struct ipset *set = NULL;
	int st;

	if (strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0) {
		return err_set(err, ST_EINVAL,
			       "May not read an IPset from the standard input ('%s')", path);
	}
	st = ipset_read(&set, path, NULL, err);
	if (st != ST_OK) {
		return err_prefix(err, "Unable to read IPset from '%s'", path);
	}
	if (ipset_is_empty(set)) {
		st = err_set(err, ST_EINVAL, "May not use the IPset in '%s': IPset is empty", path);
	} else {
		network_add_set(list, set);
	}
	ipset_free(set);
	return st;
}

int network_list_add(struct network_list *list, const char *text, struct err *err)
{
	static int (*const add[NETWORK_KINDS])(struct network_list *, const char *,
					       struct err *) = {
		[NETWORK_INTERFACES] = network_add_interface,
		[NETWORK_IPBLOCKS] = network_add_ipblock,
		[NETWORK_IPSETS] = network_add_ipset,
	};

	return add[list->kind](list, text, err);
}

void network_list_add_list(struct network_list *list, const struct network_list *other)
{
	for (size_t i = 0; i < G_N_ELEMENTS(list->interfaces.bits); i++) {
		list->interfaces.bits[i] |= other->interfaces.bits[i];
	}
	network_add_set(list, other->ips);
	for (guint i = 0; i < other->wildcards->len; i++) {
		const struct wildcard *wildcard = g_ptr_array_index(other->wildcards, i);

		g_ptr_array_add(list->wildcards, g_memdup2(wildcard, sizeof(*wildcard)));
	}
}

void network_list_finish(struct network_list *list)
{
	ipset_finish(list->ips);
}

bool network_list_has_interface(const struct network_list *list, uint32_t number)
{
	return numset_contains(&list->interfaces, (uint16_t)MIN(number, UINT16_MAX));
}

bool network_list_has_ip(const struct network_list *list, struct ip ip, bool is_v6)
{
	if (ipset_contains(list->ips, ip)) {
		return true;
	}
	for (guint i = 0; i < list->wildcards->len; i++) {
		if (wildcard_contains(g_ptr_array_index(list->wildcards, i), ip, is_v6)) {
			return true;
		}
	}
	return false;
}

bool network_list_has(const struct network_list *list, struct ip ip, bool is_v6, uint32_t interface)
{
	return list->kind == NETWORK_INTERFACES ? network_list_has_interface(list, interface)
						: network_list_has_ip(list, ip, is_v6);
}

static void network_mark_range(uint32_t first, uint32_t last, uint8_t *marks)
{
	marks[first >> 16] |= NETWORK_EDGE | (first & 0xffff ? NETWORK_MIXED : 0);
	marks[last >> 16] |= (last & 0xffff) == 0xffff ? 0 : NETWORK_MIXED;
	if (last >> 16 < NETWORK_PREFIXES - 1) {
		marks[(last >> 16) + 1] |= NETWORK_EDGE;
	}
}

bool network_list_mark(const struct network_list *list, uint8_t marks[NETWORK_PREFIXES])
{
	const struct ip lowest = ip_from_v4(0);
	const struct ip highest = ip_from_v4(UINT32_MAX);
	struct ipset_cursor cursor;
	struct cidr range;

	if (list->wildcards->len > 0) {
		return false;
	}
	ipset_cursor_start(&cursor, list->ips);
	ipset_cursor_seek(&cursor, lowest);
	while (ipset_cursor_next(&cursor, &range) && ip_compare(range.first, highest) <= 0) {
		network_mark_range(ip_compare(range.first, lowest) < 0 ? 0 : ip_to_v4(range.first),
				   ip_compare(range.last, highest) > 0 ? UINT32_MAX
								       : ip_to_v4(range.last),
				   marks);
	}
	return true;
}

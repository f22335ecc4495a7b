/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A finished set is one sorted array of ranges: of 32-bit numbers when all addresses are IPv4, else
 * of 128-bit ones. An index by the upper 16 bits shortens the search in large IPv4 sets.
 */
#include "storage/ipset.h"

#include "storage/ipsetform.h"
#include "storage/ipsetinside.h"

/* Number of the first range that ends at or after address; that of all ranges when none does. */
static size_t find4(const struct ipset *set, uint32_t address)
{
	const struct range4 *ranges = set->ranges4.at;
	size_t low = 0;
	size_t high = set->ranges4.count;

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
	const struct range6 *ranges = set->ranges6.at;
	size_t low = 0;
	size_t high = set->ranges6.count;

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

	return at < set->ranges4.count && set->ranges4.at[at].first <= last;
}

static bool meets6(const struct ipset *set, struct ip first, struct ip last)
{
	size_t at = find6(set, first);

	return at < set->ranges6.count && ip_compare(set->ranges6.at[at].first, last) <= 0;
}

bool ipset_contains(const struct ipset *set, struct ip ip)
{
	if (set->ranges6.count) {
		return meets6(set, ip, ip);
	}
	return ip_is_mapped(ip) && meets4(set, ip_to_v4(ip), ip_to_v4(ip));
}

bool ipset_intersects_range(const struct ipset *set, struct ip first, struct ip last)
{
	struct ip lowest = ip_from_v4(0);
	struct ip highest = ip_from_v4(UINT32_MAX);

	if (set->ranges6.count) {
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
	return set->tree_only || set->loaded_ipv6 || set->ranges6.count != 0;
}

bool ipset_is_wide(const struct ipset *set)
{
	return set->wide;
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
	return set->ranges6.count ? set->ranges6.count : set->ranges4.count;
}

struct cidr ipset_range(const struct ipset *set, size_t i)
{
	if (set->ranges6.count) {
		const struct range6 *range = &set->ranges6.at[i];

		return (struct cidr){ range->first, range->last, true };
	}
	const struct range4 *range = &set->ranges4.at[i];

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

	if (set->ranges6.count) {
		cursor->at = find6(set, ip);
	} else if (ip_is_mapped(ip)) {
		cursor->at = find4(set, ip_to_v4(ip));
	} else {
		cursor->at = ip_compare(ip, ip_from_v4(0)) < 0 ? 0 : set->ranges4.count;
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

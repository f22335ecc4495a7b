/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setprint.h"

#include "query/count128.h"
#include "storage/iptree.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Room for an address, a prefix, and a newline. */
#define LINE_MAX_BYTES (IP_TEXT_MAX + 8)

/*
 * Of a set with IPv6, mapped addresses are shown as IPv4 by default, but not as numbers. What is
 * asked for explicitly is left alone.
 */
static unsigned list_format(const struct setprint *print)
{
	unsigned base = print->ip_format & IP_BASE_MASK;

	if (!(print->ip_format & IP_MAP_V4) && (base == IP_CANONICAL || base == IP_NO_MIXED)) {
		return print->ip_format | IP_UNMAP_V6;
	}
	return print->ip_format;
}

/* Is an address of a set of this form shown as IPv4? Prefixes follow that. */
static bool shown_as_v4(const struct setprint *print, struct ip ip, unsigned prefix)
{
	if (!print->wide) {
		return !(print->ip_format & IP_MAP_V4);
	}
	return prefix >= 96 && ip_is_mapped(ip) && (list_format(print) & IP_UNMAP_V6);
}

/* One address of the set. A block that reaches beyond the mapped addresses is never IPv4. */
static size_t address_text(const struct setprint *print, char *out, struct ip ip, unsigned prefix)
{
	unsigned format = list_format(print);

	if (print->wide && prefix < 96) {
		format &= ~(unsigned)IP_UNMAP_V6;
	}
	return ip_print(out, ip, print->wide, format);
}

static int print_address(const struct setprint *print, struct ip ip)
{
	char line[LINE_MAX_BYTES];
	size_t len = address_text(print, line, ip, 128);

	line[len] = '\n';
	line[len + 1] = '\0';
	text_raw(print->text, line);
	return 0;
}

void setprint_addresses(const struct setprint *print, const struct ipset *set)
{
	size_t count = ipset_ranges(set);

	for (size_t i = 0; i < count; i++) {
		struct cidr range = ipset_range(set, i);

		for (;;) {
			print_address(print, range.first);
			if (ip_equal(range.first, range.last)) {
				break;
			}
			range.first = ip_next(range.first);
		}
	}
}

static int print_block(void *arg, struct ip first, uint8_t prefix)
{
	const struct setprint *print = arg;
	char line[LINE_MAX_BYTES];
	bool padded = print->ip_format & IP_ZERO_PADDED;
	bool v4 = shown_as_v4(print, first, prefix);
	size_t len;

	if (prefix == 128) {
		return print_address(print, first);
	}
	if (prefix == 96 && print->halve_all) {
		print_block(arg, first, 97);
		return print_block(arg, (struct ip){ first.hi, first.lo | UINT64_C(1) << 31 }, 97);
	}
	len = address_text(print, line, first, prefix);
	snprintf(line + len, sizeof(line) - len, "/%0*u\n",
		 !padded ? 1
		 : v4    ? 2
			 : 3,
		 v4 ? prefix - 96u : prefix);
	text_raw(print->text, line);
	return 0;
}

void setprint_blocks(const struct setprint *print, const struct ipset *set)
{
	struct setprint copy = *print;
	size_t count = ipset_ranges(set);

	for (size_t i = 0; i < count; i++) {
		struct cidr range = ipset_range(set, i);

		iptree_each_block(range.first, range.last, print_block, &copy);
	}
}

void setprint_range_columns(const struct setprint *print)
{
	int width = ip_print_width(print->ip_format, print->wide);

	text_add_column(print->text, "count", print->wide ? 39 : 10, true);
	text_add_column(print->text, "first", width, false);
	text_add_column(print->text, "last", width, false);
}

static unsigned __int128 range_size(const struct cidr *range)
{
	return ip_number(range->last) - ip_number(range->first) + 1;
}

void setprint_ranges(const struct setprint *print, const struct ipset *set)
{
	size_t count = ipset_ranges(set);

	for (size_t i = 0; i < count; i++) {
		struct cidr range = ipset_range(set, i);

		text_cell_done(print->text,
			       count128_print(text_cell(print->text), range_size(&range), 1));
		text_cell_done(print->text,
			       address_text(print, text_cell(print->text), range.first, 128));
		text_cell_done(print->text,
			       address_text(print, text_cell(print->text), range.last, 128));
		text_row_done(print->text);
	}
}

static unsigned __int128 set_size(const struct ipset *set)
{
	uint64_t high;
	uint64_t low;

	ipset_count(set, &high, &low);
	return (unsigned __int128)high << 64 | low;
}

void setprint_count(const struct setprint *print, const struct ipset *set)
{
	char line[COUNT128_TEXT_MAX + 1];
	size_t len = count128_print(line, set_size(set), !ipset_is_empty(set));

	line[len] = '\n';
	line[len + 1] = '\0';
	text_raw(print->text, line);
}

/* --- statistics --- */

/* Blocks of this prefix with at least one address of the set. */
static unsigned __int128 occupied(const struct ipset *set, unsigned prefix)
{
	unsigned __int128 blocks = 0;
	size_t count = ipset_ranges(set);
	unsigned shift = 128 - prefix;
	unsigned __int128 before = 0;

	for (size_t i = 0; i < count; i++) {
		struct cidr range = ipset_range(set, i);
		unsigned __int128 first = ip_number(range.first) >> shift;
		unsigned __int128 last = ip_number(range.last) >> shift;

		blocks += last - first + 1;
		if (i > 0 && before == first) {
			blocks--;
		}
		before = last;
	}
	return blocks;
}

static void print_ends(const struct setprint *print, const struct ipset *set, bool v6)
{
	unsigned format = print->ip_format & ~(unsigned)(IP_MAP_V4 | IP_UNMAP_V6);
	int width = ip_print_width(format, v6);
	size_t count = ipset_ranges(set);
	char first[IP_TEXT_MAX] = "-";
	char last[IP_TEXT_MAX] = "-";
	char lines[4 * IP_TEXT_MAX];

	if (!count) {
		width = ip_print_width(IP_CANONICAL, v6);
	} else {
		ip_print(first, ipset_range(set, 0).first, v6, format);
		ip_print(last, ipset_range(set, count - 1).last, v6, format);
	}
	snprintf(lines, sizeof(lines), "Network Summary\n\tminimumIP = %*s\n\tmaximumIP = %*s\n",
		 width, first, width, last);
	text_raw(print->text, lines);
}

static void statistics4(const struct setprint *print, const struct ipset *set)
{
	static const unsigned sizes[] = { 8, 16, 24, 27 };
	uint64_t hosts = (uint64_t)set_size(set);
	char line[128];

	snprintf(line, sizeof(line), "\t%10" G_GUINT64_FORMAT " %-14s %10.6f%% of 2^32\n", hosts,
		 hosts == 1 ? "host (/32)," : "hosts (/32s),", ldexp(100.0 * (double)hosts, -32));
	text_raw(print->text, line);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		uint64_t blocks = (uint64_t)occupied(set, 96 + sizes[i]);
		char what[32];

		snprintf(what, sizeof(what), "occupied /%u%s,", sizes[i], blocks == 1 ? "" : "s");
		snprintf(line, sizeof(line), "\t%10" G_GUINT64_FORMAT " %-14s %10.6f%% of 2^%u\n",
			 blocks, what, ldexp(100.0 * (double)blocks, -(int)sizes[i]), sizes[i]);
		text_raw(print->text, line);
	}
}

static void statistics6(const struct setprint *print, const struct ipset *set)
{
	unsigned __int128 hosts = set_size(set);
	char number[COUNT128_TEXT_MAX];
	char line[128];

	for (unsigned size = 8; size < 128; size += 8) {
		unsigned __int128 blocks = occupied(set, size);

		/* SiLK counts large numbers of blocks as floating point */
		if (blocks >> 64) {
			blocks = (unsigned __int128)(double)blocks;
		}
		count128_print(number, blocks, 0);
		snprintf(line, sizeof(line), "\t%39s occupied /%u%s\n", number, size,
			 blocks == 1 ? "" : "s");
		text_raw(print->text, line);
	}
	count128_print(number, hosts, !ipset_is_empty(set));
	snprintf(line, sizeof(line), "\t%39s %s\n", number,
		 hosts == 1 ? "host (/128)" : "hosts (/128s)");
	text_raw(print->text, line);
}

void setprint_statistics(const struct setprint *print, const struct ipset *set)
{
	print_ends(print, set, print->wide);
	if (print->wide) {
		statistics6(print, set);
	} else {
		statistics4(print, set);
	}
}

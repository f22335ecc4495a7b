/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setprint.h"

#include "common/decimal.h"
#include "query/count128.h"
#include "storage/iptree.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Room for an address, a prefix, and a newline. */
#define LINE_MAX_BYTES (IP_TEXT_MAX + 1 + DECIMAL_U64_MAX + 1)
#define LINES_BYTES    32768

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

/* The numbers 0 to 255, each with a dot or newline to follow. */
struct octets {
	char text[256][4];
	uint8_t len[256];
};

struct kind {
	const char *title; /* of the column, and of the value where it is measured */
	void (*start)(const struct setprint *print, const char *title);
	void (*add)(struct setprint_list *list, const struct cidr *range);
	void (*finish)(struct setprint_list *list);
};

struct setprint_list {
	const struct setprint *print;
	const struct kind *kind;
	unsigned __int128 count;
	bool any;
	/* lines that wait to be printed together */
	size_t used;
	char bytes[LINES_BYTES];
	/* of dotted quads: what the addresses of the last /24 have in common */
	struct octets octets;
	char common[16];
	size_t common_len;
	uint32_t common_of;
};

static bool is_data(const struct setprint *print)
{
	return text_form_is_data(print->style->form);
}

/* The cells before those of what is printed. */
static void begin_row(const struct setprint *print, const char *what, bool number)
{
	if (print->file) {
		text_cell_string(print->text, print->file);
	}
	if (print->measured) {
		text_cell_string(print->text, what);
		text_cell_is_number(print->text, number);
	}
}

/* Each line is a row of one value. */
static void lines_to_rows(const struct setprint_list *list)
{
	struct text *text = list->print->text;
	const char *end;

	for (const char *at = list->bytes; *at; at = end + 1) {
		end = strchr(at, '\n');
		begin_row(list->print, list->kind->title, false);
		memcpy(text_cell(text), at, (size_t)(end - at));
		text_cell_done(text, (size_t)(end - at));
		text_row_done(text);
	}
}

static void flush_lines(struct setprint_list *list)
{
	list->bytes[list->used] = '\0';
	if (is_data(list->print)) {
		lines_to_rows(list);
	} else {
		text_raw(list->print->text, list->bytes);
	}
	list->used = 0;
}

/* Where the next line goes; then add its length to list->used. */
static char *next_line(struct setprint_list *list)
{
	if (sizeof(list->bytes) - list->used < LINE_MAX_BYTES) {
		flush_lines(list);
	}
	return list->bytes + list->used;
}

/* --- addresses --- */

static void print_address(struct setprint_list *list, struct ip ip)
{
	char *line = next_line(list);
	size_t len = address_text(list->print, line, ip, 128);

	line[len] = '\n';
	list->used += len + 1;
}

static void add_addresses(struct setprint_list *list, const struct cidr *range)
{
	for (struct ip ip = range->first;; ip = ip_next(ip)) {
		print_address(list, ip);
		if (ip_equal(ip, range->last)) {
			break;
		}
	}
}

static void make_octets(struct octets *octets)
{
	char digits[DECIMAL_U64_MAX];

	for (unsigned i = 0; i < 256; i++) {
		size_t len = decimal_print(digits, i);

		memcpy(octets->text[i], digits, len);
		octets->text[i][len] = '.';
		octets->len[i] = (uint8_t)(len + 1);
	}
}

static char *print_octet(const struct octets *octets, char *out, unsigned octet)
{
	memcpy(out, octets->text[octet], 4);
	return out + octets->len[octet];
}

static void make_common(struct setprint_list *list, uint32_t v4)
{
	char *end = print_octet(&list->octets, list->common, v4 >> 24);

	end = print_octet(&list->octets, end, v4 >> 16 & 255);
	end = print_octet(&list->octets, end, v4 >> 8 & 255);
	list->common_len = (size_t)(end - list->common);
	list->common_of = v4 >> 8;
}

/* Dotted quads; what the addresses of a /24 have in common is made once. */
static void add_quads(struct setprint_list *list, const struct cidr *range)
{
	uint64_t last = ip_to_v4(range->last);

	for (uint64_t at = ip_to_v4(range->first); at <= last; at++) {
		uint32_t v4 = (uint32_t)at;
		char *line = next_line(list);
		char *end;

		if (!list->common_len || list->common_of != v4 >> 8) {
			make_common(list, v4);
		}
		memcpy(line, list->common, sizeof(list->common));
		end = print_octet(&list->octets, line + list->common_len, v4 & 255);
		end[-1] = '\n';
		list->used += (size_t)(end - line);
	}
}

/* --- blocks --- */

static int print_block(void *arg, struct ip first, uint8_t prefix)
{
	struct setprint_list *list = arg;
	const struct setprint *print = list->print;
	bool padded = print->ip_format & IP_ZERO_PADDED;
	bool v4 = shown_as_v4(print, first, prefix);
	char *line;
	char *end;

	if (prefix == 128) {
		print_address(list, first);
		return 0;
	}
	if (prefix == 96 && print->halve_all) {
		print_block(arg, first, 97);
		return print_block(arg, (struct ip){ first.hi, first.lo | UINT64_C(1) << 31 }, 97);
	}
	line = next_line(list);
	end = line + address_text(print, line, first, prefix);
	*end++ = '/';
	if (v4) {
		prefix = (uint8_t)(prefix - 96);
	}
	if (padded) {
		decimal_print_padded(end, prefix, v4 ? 2 : 3);
		end += v4 ? 2 : 3;
	} else {
		end += decimal_print(end, prefix);
	}
	*end++ = '\n';
	list->used += (size_t)(end - line);
	return 0;
}

static void add_blocks(struct setprint_list *list, const struct cidr *range)
{
	iptree_each_block(range->first, range->last, print_block, list);
}

/* --- ranges --- */

static void start_ranges(const struct setprint *print, const char *title)
{
	int width = ip_print_width(print->ip_format, print->wide);

	(void)title;
	text_add_column(print->text, "count", print->wide ? 39 : 10, true);
	text_add_column(print->text, "first", width, false);
	text_add_column(print->text, "last", width, false);
}

static unsigned __int128 range_size(const struct cidr *range)
{
	return ip_number(range->last) - ip_number(range->first) + 1;
}

/* As one value: both addresses with a hyphen between them. */
static size_t range_text(const struct setprint *print, char *out, const struct cidr *range)
{
	size_t len = address_text(print, out, range->first, 128);

	out[len++] = '-';
	return len + address_text(print, out + len, range->last, 128);
}

static void add_range(struct setprint_list *list, const struct cidr *range)
{
	const struct setprint *print = list->print;
	struct text *text = print->text;

	if (is_data(print)) {
		begin_row(print, list->kind->title, false);
	}
	if (is_data(print) && print->measured) {
		text_cell_done(text, range_text(print, text_cell(text), range));
	} else {
		text_cell_done(text, count128_print(text_cell(text), range_size(range), 1));
		text_cell_done(text, address_text(print, text_cell(text), range->first, 128));
		text_cell_done(text, address_text(print, text_cell(text), range->last, 128));
	}
	text_row_done(text);
}

/* --- the number of addresses --- */

static void add_count(struct setprint_list *list, const struct cidr *range)
{
	list->count += range_size(range);
	list->any = true;
}

void setprint_add_count(struct setprint_list *list, uint64_t count)
{
	list->count += count;
	list->any = true;
}

static void finish_count(struct setprint_list *list)
{
	struct text *text = list->print->text;
	char digits[COUNT128_TEXT_MAX + 1];
	size_t len = count128_print(digits, list->count, list->any);

	digits[len] = '\0';
	if (is_data(list->print)) {
		begin_row(list->print, "hosts", true);
		text_cell_string(text, digits);
		text_row_done(text);
	} else {
		text_raw(text, digits);
		text_raw(text, "\n");
	}
}

/* --- lists --- */

static void start_texts(const struct setprint *print, const char *title)
{
	text_add_column(print->text, title, 0, false);
}

static void start_count(const struct setprint *print, const char *title)
{
	text_add_column(print->text, title, 0, true);
}

static const struct kind kinds[] = {
	[SETPRINT_ADDRESSES] = { "ip", start_texts, add_addresses, flush_lines },
	[SETPRINT_BLOCKS] = { "block", start_texts, add_blocks, flush_lines },
	[SETPRINT_RANGES] = { "range", start_ranges, add_range, NULL },
	[SETPRINT_COUNT] = { "count", start_count, add_count, finish_count },
};
static const struct kind quads = { "ip", start_texts, add_quads, flush_lines };

static void start_measures(const struct setprint *print, const char *title)
{
	(void)title;
	text_add_column(print->text, "measure", 0, false);
	text_add_column(print->text, "value", 0, true);
}

static const struct kind statistics = { NULL, start_measures, NULL, NULL };

/* The columns; in CSV with titles, unless there is only one, which is what was asked for. */
static void start_table(const struct setprint *print, const struct kind *kind)
{
	if (!is_data(print)) {
		kind->start(print, kind->title);
		return;
	}
	if (print->file) {
		text_add_column(print->text, "file", 0, false);
	}
	(print->measured ? statistics.start : kind->start)(print, kind->title);
	if (print->file || print->measured || kind == &kinds[SETPRINT_RANGES]) {
		text_titles(print->text);
	}
}

static bool are_quads(const struct setprint *print)
{
	return !print->wide &&
	       (print->ip_format == IP_CANONICAL || print->ip_format == IP_NO_MIXED);
}

struct setprint_list *setprint_start(const struct setprint *print, enum setprint_kind kind)
{
	struct setprint_list *list = g_new0(struct setprint_list, 1);

	list->print = print;
	list->kind = kind == SETPRINT_ADDRESSES && are_quads(print) ? &quads : &kinds[kind];
	make_octets(&list->octets);
	start_table(print, list->kind);
	return list;
}

void setprint_add(struct setprint_list *list, const struct cidr *range)
{
	list->kind->add(list, range);
}

void setprint_finish(struct setprint_list *list)
{
	if (list->kind->finish) {
		list->kind->finish(list);
	}
	g_free(list);
}

void setprint_drop(struct setprint_list *list)
{
	g_free(list);
}

/* --- statistics --- */

static unsigned __int128 set_size(const struct ipset *set)
{
	uint64_t high;
	uint64_t low;

	ipset_count(set, &high, &low);
	return (unsigned __int128)high << 64 | low;
}

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

static void print_measure(const struct setprint *print, const char *name, const char *value,
			  bool number)
{
	begin_row(print, name, number);
	text_cell_string(print->text, value);
	text_row_done(print->text);
}

static void print_blocks_measure(const struct setprint *print, const struct ipset *set,
				 unsigned size)
{
	char number[COUNT128_TEXT_MAX];
	char name[8];

	count128_print(number, occupied(set, print->wide ? size : 96 + size), 0);
	snprintf(name, sizeof(name), "/%u", size);
	print_measure(print, name, number, true);
}

/* The same as rows of what is measured and its value. */
static void measures(const struct setprint *print, const struct ipset *set)
{
	const unsigned format = print->ip_format & ~(unsigned)(IP_MAP_V4 | IP_UNMAP_V6);
	char text[IP_TEXT_MAX];
	struct ip first;
	struct ip last;

	start_table(print, &statistics);
	if (ipset_bounds(set, &first, &last)) {
		ip_print(text, first, print->wide, format);
		print_measure(print, "minimumIP", text, false);
		ip_print(text, last, print->wide, format);
		print_measure(print, "maximumIP", text, false);
	}
	count128_print(text, set_size(set), !ipset_is_empty(set));
	print_measure(print, "hosts", text, true);
	for (unsigned size = 8; size < (print->wide ? 128 : 32); size += 8) {
		print_blocks_measure(print, set, size);
	}
	if (!print->wide) {
		print_blocks_measure(print, set, 27);
	}
}

void setprint_statistics(const struct setprint *print, const struct ipset *set)
{
	if (is_data(print)) {
		measures(print, set);
		return;
	}
	print_ends(print, set, print->wide);
	if (print->wide) {
		statistics6(print, set);
	} else {
		statistics4(print, set);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set is walked range by range, cut at the borders of the smallest blocks that have rows. Every
 * row that is open adds up hosts and the smaller blocks that a piece opens; a row is printed when a
 * piece lies beyond its block. So memory does not depend on the set.
 */
#include "query/netstructure.h"

#include "query/count128.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#define LEVELS_MAX    129
#define SIZE_TEXT_MAX 8 /* "/128" */
#define SUM_WIDTH     20
#define V4_OFFSET     96 /* IPv4 prefixes as those of mapped addresses */

/* --- parsing --- */

static const uint8_t v4_defaults[] = { 8, 16, 24, 27 };
static const uint8_t v6_defaults[] = { 48, 64 };

static void use_defaults(struct netstructure *net)
{
	const uint8_t *sizes = net->is_v6 ? v6_defaults : v4_defaults;
	size_t count = net->is_v6 ? G_N_ELEMENTS(v6_defaults) : G_N_ELEMENTS(v4_defaults);

	net->with_summary = true;
	for (size_t i = 0; i < count; i++) {
		net->summarise[sizes[i]] = true;
	}
}

/* The size that a letter stands for; -1: none. */
static int letter_size(const struct netstructure *net, char c)
{
	static const struct {
		char letter;
		int v4;
		int v6;
	} letters[] = {
		{ 'T', 0, 0 },   { 'H', 32, 128 }, { 'A', 8, -1 },
		{ 'B', 16, -1 }, { 'C', 24, -1 },  { 'X', 27, -1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(letters); i++) {
		if (letters[i].letter == c) {
			return net->is_v6 ? letters[i].v6 : letters[i].v4;
		}
	}
	return -1;
}

static int number_size(const struct netstructure *net, const char **pos, const char *text,
		       int *size, struct err *err)
{
	unsigned value = 0;

	for (; g_ascii_isdigit(**pos); (*pos)++) {
		value = value * 10 + (unsigned)(**pos - '0');
		value = MIN(value, 1000);
	}
	if (value > net->bits) {
		return err_set(err, ST_EINVAL,
			       "Invalid network-structure '%s': Value is above maximum of %u%s",
			       text, net->bits,
			       net->is_v6 ? ""
					  : "; prepend \"v6:\" to argument to allow IPv6 prefixes");
	}
	*size = (int)value;
	return ST_OK;
}

struct parsing {
	const char *text; /* for messages */
	bool *into;       /* print or summarise */
	bool any;         /* a size to print was named */
	bool slash;
	bool letter_s;
};

static int parse_slash(struct parsing *parsing, struct netstructure *net, struct err *err)
{
	if (parsing->slash) {
		return err_set(err, ST_EINVAL,
			       "Invalid network-structure '%s': Only one '/' is allowed",
			       parsing->text);
	}
	if (!parsing->any) {
		return err_set(
			err, ST_EINVAL,
			"Invalid %s network-structure '%s': A numeric prefix and/or a subset "
			"of %s must precede '/'",
			net->is_v6 ? "IPv6" : "IPv4", parsing->text, net->is_v6 ? "TH" : "THABCX");
	}
	parsing->slash = true;
	parsing->into = net->summarise;
	return ST_OK;
}

static int parse_sizes(struct parsing *parsing, struct netstructure *net, struct err *err)
{
	const char *pos = parsing->text;
	int status = ST_OK;

	while (status == ST_OK && *pos) {
		int size = -1;

		if (g_ascii_isdigit(*pos)) {
			status = number_size(net, &pos, parsing->text, &size, err);
		} else if (*pos == '/') {
			status = parse_slash(parsing, net, err);
			pos++;
		} else if (*pos == 'S') {
			parsing->letter_s = true;
			pos++;
		} else if (*pos == ',' || g_ascii_isspace(*pos)) {
			pos++;
		} else if ((size = letter_size(net, *pos)) >= 0) {
			pos++;
		} else {
			status = err_set(err, ST_EINVAL, "Invalid network-structure character '%c'",
					 *pos);
		}
		if (status == ST_OK && size >= 0) {
			parsing->any = true;
			parsing->into[size] = true;
		}
	}
	return status;
}

int netstructure_parse(const char *text, struct netstructure *out, struct err *err)
{
	struct parsing parsing = { .text = text ? text : "", .into = out->print };
	const char *colon = strchr(parsing.text, ':');
	int status;

	*out = (struct netstructure){ .bits = 32 };
	if (colon) {
		out->is_v6 = strncmp(text, "v6:", 3) == 0;
		out->bits = out->is_v6 ? 128 : 32;
		if (!out->is_v6 && strncmp(text, "v4:", 3) != 0) {
			return err_set(err, ST_EINVAL,
				       "Invalid network-structure '%s': Only 'v6' or 'v4' may "
				       "precede ':'",
				       text);
		}
		parsing.text = colon + 1;
	}
	if (!text || (colon && !colon[1])) {
		out->print[0] = true;
		use_defaults(out);
		return ST_OK;
	}
	status = parse_sizes(&parsing, out, err);
	if (status == ST_OK && !parsing.any) {
		status = err_set(err, ST_EINVAL,
				 "Invalid %s network-structure '%s': A numeric prefix and/or a "
				 "subset of %s must be specified",
				 out->is_v6 ? "IPv6" : "IPv4", parsing.text,
				 out->is_v6 ? "TH" : "THABCX");
	}
	out->with_summary = parsing.slash;
	if (parsing.letter_s && !parsing.slash) {
		use_defaults(out);
	}
	return status;
}

/* --- counting --- */

/* One size that is counted or has rows, the largest blocks first. */
struct level {
	uint8_t size;   /* as named */
	uint8_t prefix; /* of 128-bit addresses */
	bool has_rows;
	unsigned indent;                      /* of its rows */
	bool seen;                            /* last is valid */
	struct ip last;                       /* the block of this size that was touched last */
	unsigned __int128 inside[LEVELS_MAX]; /* of each smaller level, in the open row */
	unsigned __int128 hosts;
	uint64_t sum; /* of the counters */
};

struct netstructure_table {
	const struct netstructure *net;
	struct level *levels;
	unsigned count;
	struct text *text;
	char separator[2]; /* a string, empty for a NUL */
	bool columns;
	bool data; /* CSV or JSON */
	bool final_delimiter;
	bool sums;
	unsigned ip_format;
	int ip_width;
	int width; /* of the first column, when there are rows of several sizes */
	unsigned row_sizes;
	GString *row;
};

/* A size as it is shown: IPv4 may be shown as mapped addresses. */
static unsigned shown_size(const struct netstructure_table *counting, uint8_t size)
{
	bool mapped = !counting->net->is_v6 && counting->ip_format & IP_MAP_V4;

	return mapped ? size + (unsigned)V4_OFFSET : size;
}

/* "/24" beside an address; returns its length. */
static int size_text(const struct netstructure_table *counting, char *out, uint8_t size)
{
	bool v4 = !counting->net->is_v6 && !(counting->ip_format & IP_MAP_V4);
	bool padded = counting->ip_format & IP_ZERO_PADDED;

	return snprintf(out, SIZE_TEXT_MAX, "/%0*u",
			!padded ? 1
			: v4    ? 2
				: 3,
			shown_size(counting, size));
}

static void append_count(GString *row, unsigned __int128 count, int wrapped)
{
	char digits[COUNT128_TEXT_MAX];

	count128_print(digits, count, wrapped);
	g_string_append(row, digits);
}

/* "8 hosts in 1 /24, 2 /27s, and 3 /30s" */
static void append_counts(const struct netstructure_table *counting, const struct level *level,
			  GString *row)
{
	unsigned at = (unsigned)(level - counting->levels);
	/* beside sums, and when there is nothing, IPv4 sizes stay what they are even when mapped */
	bool as_is = counting->sums || level->hosts == 0;
	unsigned parts = 0;
	unsigned done = 0;

	append_count(row, level->hosts, level->seen);
	if (!counting->net->with_summary) {
		return;
	}
	g_string_append(row, level->hosts == 1 ? " host" : " hosts");
	for (unsigned i = at + 1; i < counting->count; i++) {
		parts += counting->levels[i].size != counting->net->bits;
	}
	for (unsigned i = at + 1; i < counting->count; i++) {
		uint8_t size = counting->levels[i].size;

		if (size == counting->net->bits) {
			continue;
		}
		g_string_append(row, done == 0           ? " in "
				     : parts == 2        ? " and "
				     : done + 1 == parts ? ", and "
							 : ", ");
		append_count(row, level->inside[i], 0);
		g_string_append_printf(row, " /%u%s", as_is ? size : shown_size(counting, size),
				       level->inside[i] == 1 ? "" : "s");
		done++;
	}
}

/* The sum, and the counts when they are asked for. */
static void append_sum(const struct netstructure_table *counting, const struct level *level,
		       GString *row)
{
	bool counts = counting->net->with_summary && level->size != counting->net->bits;

	g_string_append_printf(row, "%*" G_GUINT64_FORMAT, counting->columns ? SUM_WIDTH : 0,
			       level->sum);
	if (counts || counting->final_delimiter) {
		g_string_append(row, counting->separator);
	}
	if (counts) {
		g_string_append_c(row, ' ');
		append_counts(counting, level, row);
	}
}

static void block_text(const struct netstructure_table *counting, const struct level *level,
		       char *out)
{
	size_t len;

	if (level->size == 0) {
		memcpy(out, "TOTAL", sizeof("TOTAL"));
		return;
	}
	len = ip_print(out, level->last, counting->net->is_v6, counting->ip_format);
	if (level->size != counting->net->bits) {
		size_text(counting, out + len, level->size);
	}
}

/* Is there a column of how many blocks of this level others hold? */
static bool is_counted(const struct netstructure_table *counting, const struct level *level)
{
	return counting->net->with_summary && level->size > 0 && level->size < counting->net->bits;
}

static void add_columns(const struct netstructure_table *counting)
{
	char size[SIZE_TEXT_MAX];

	if (counting->net->file) {
		text_add_column(counting->text, "file", 0, false);
	}
	text_add_column(counting->text, "block", 0, false);
	if (counting->sums) {
		text_add_column(counting->text, "counter", 0, true);
	}
	text_add_column(counting->text, "hosts", 0, true);
	for (unsigned i = 0; i < counting->count; i++) {
		if (is_counted(counting, &counting->levels[i])) {
			size_text(counting, size, counting->levels[i].size);
			text_add_column(counting->text, size, 0, true);
		}
	}
	text_titles(counting->text);
}

/* Nothing stands where a size is not smaller than the row's. */
static void print_cells(const struct netstructure_table *counting, const struct level *level,
			const char *block)
{
	struct text *text = counting->text;

	if (counting->net->file) {
		text_cell_string(text, counting->net->file);
	}
	text_cell_string(text, block);
	if (counting->sums) {
		text_cell_u64(text, level->sum);
	}
	text_cell_done(text, count128_print(text_cell(text),
					    level->size == counting->net->bits ? 1 : level->hosts,
					    level->seen));
	for (unsigned i = 0; i < counting->count; i++) {
		const struct level *other = &counting->levels[i];

		if (is_counted(counting, other)) {
			char *cell = text_cell(text);

			text_cell_done(text, other > level
						     ? count128_print(cell, level->inside[i], 0)
						     : 0);
		}
	}
	text_row_done(text);
}

static void print_line(const struct netstructure_table *counting, const struct level *level,
		       const char *block)
{
	GString *row = counting->row;

	if (!counting->columns || !level->seen || (counting->row_sizes == 1 && level->size == 0)) {
		g_string_assign(row, block);
	} else if (counting->row_sizes > 1) {
		g_string_printf(row, "%*s%-*s", (int)level->indent, "",
				counting->width - (int)level->indent, block);
	} else {
		/* the size hangs over the edge of the column */
		const char *slash = strchr(block, '/');
		int shown = slash ? (int)(slash - block) : (int)strlen(block);

		g_string_printf(row, "%*.*s%s", counting->ip_width, shown, block,
				slash ? slash : "");
	}
	g_string_append(row, counting->separator);
	if (counting->sums) {
		append_sum(counting, level, row);
	} else if (level->size != counting->net->bits) {
		g_string_append_c(row, ' ');
		append_counts(counting, level, row);
	}
	g_string_append_c(row, '\n');
	text_raw(counting->text, row->str);
}

static void print_row(struct netstructure_table *counting, struct level *level)
{
	char block[IP_TEXT_MAX + SIZE_TEXT_MAX];

	block_text(counting, level, block);
	if (counting->data) {
		print_cells(counting, level, block);
	} else {
		print_line(counting, level, block);
	}
	level->hosts = 0;
	level->sum = 0;
	memset(level->inside, 0, sizeof(level->inside));
}

/* How many blocks of a level a piece touches that were not touched before. */
static unsigned __int128 new_blocks(const struct level *level, struct ip first, struct ip last)
{
	unsigned shift = 128u - level->prefix;
	unsigned __int128 blocks;

	if (shift == 128) {
		return !level->seen;
	}
	blocks = (ip_number(last) >> shift) - (ip_number(first) >> shift) + 1;
	if (level->seen && ip_equal(level->last, ip_block_first(first, level->prefix))) {
		blocks--;
	}
	return blocks;
}

/* A piece that lies in one block of every size that has rows. */
static void add_piece(struct netstructure_table *counting, struct ip first, struct ip last,
		      uint64_t counter)
{
	for (unsigned i = counting->count; i-- > 0;) {
		struct level *level = &counting->levels[i];

		if (level->has_rows && level->seen &&
		    !ip_equal(level->last, ip_block_first(first, level->prefix))) {
			print_row(counting, level);
		}
	}
	for (unsigned i = 0; i < counting->count; i++) {
		struct level *level = &counting->levels[i];
		unsigned __int128 blocks = new_blocks(level, first, last);

		for (unsigned j = 0; j < i; j++) {
			counting->levels[j].inside[i] += blocks;
		}
		level->hosts += ip_number(last) - ip_number(first) + 1;
		level->sum += counter;
		level->seen = true;
		level->last = ip_block_first(last, level->prefix);
	}
}

static void add_range(struct netstructure_table *counting, struct ip first, struct ip last,
		      uint64_t counter)
{
	unsigned prefix = 0;

	for (unsigned i = 0; i < counting->count; i++) {
		if (counting->levels[i].has_rows) {
			prefix = counting->levels[i].prefix;
		}
	}
	for (;;) {
		struct ip end = ip_block_last(first, prefix);

		end = ip_compare(end, last) < 0 ? end : last;
		add_piece(counting, first, end, counter);
		if (ip_compare(end, last) >= 0) {
			return;
		}
		first = ip_next(end);
	}
}

/* --- layout --- */

/*
 * Rows of smaller blocks are indented by two for each size in between, counted or not; but sizes
 * larger than the largest one with rows, the whole network aside, do not count.
 */
static void lay_out(struct netstructure_table *counting)
{
	unsigned steps = 0;
	bool below = false;

	for (unsigned i = 0; i < counting->count; i++) {
		struct level *level = &counting->levels[i];
		char size[SIZE_TEXT_MAX];
		int width = counting->ip_width + (int)(2 * steps);

		below = below || (level->has_rows && level->size);
		level->indent = 2 * steps;
		if (!level->has_rows) {
			steps += below;
			continue;
		}
		if (level->size && level->size != counting->net->bits) {
			width += size_text(counting, size, level->size);
		} else if (level->size && i > 0 && counting->levels[i - 1].has_rows) {
			/* as if the row before had to show the prefix of a host */
			width += size_text(counting, size, level->size) - 2;
		}
		counting->width = MAX(counting->width, width);
		counting->row_sizes++;
		steps++;
	}
}

static void make_levels(struct netstructure_table *counting)
{
	const struct netstructure *net = counting->net;

	counting->levels = g_new0(struct level, LEVELS_MAX);
	for (unsigned size = 0; size <= net->bits; size++) {
		if (net->print[size] || (net->summarise[size] && size && size < net->bits)) {
			counting->levels[counting->count++] = (struct level){
				.size = (uint8_t)size,
				.prefix = (uint8_t)(net->is_v6 ? size : size + V4_OFFSET),
				.has_rows = net->print[size],
			};
		}
	}
}

struct netstructure_table *netstructure_start(const struct netstructure *net, struct text *text,
					      const struct text_style *style, unsigned ip_format,
					      bool sums)
{
	struct netstructure_table *counting = g_new0(struct netstructure_table, 1);

	counting->net = net;
	counting->text = text;
	counting->separator[0] = style->separator;
	counting->columns = style->form == TEXT_COLUMNS;
	counting->data = text_form_is_data(style->form);
	counting->final_delimiter = !style->no_final_delimiter;
	counting->sums = sums;
	counting->ip_format = ip_format & ~(unsigned)(net->is_v6 ? IP_MAP_V4 | IP_UNMAP_V6 : 0);
	counting->ip_width = ip_print_width(counting->ip_format, net->is_v6);
	counting->row = g_string_new(NULL);
	make_levels(counting);
	lay_out(counting);
	if (counting->data) {
		add_columns(counting);
	}
	return counting;
}

/*
 * What a range has of IPv4; false: nothing. A block that holds all IPv4 addresses among others
 * counts as none of them, as in SiLK.
 */
static bool cut_to_v4(struct ip *first, struct ip *last)
{
	const struct ip lowest = ip_from_v4(0);
	const struct ip highest = ip_from_v4(UINT32_MAX);

	if (ip_compare(*first, ip_block_first(lowest, V4_OFFSET - 1)) <= 0 &&
	    ip_compare(*last, highest) >= 0) {
		return false;
	}
	*first = ip_compare(*first, lowest) < 0 ? lowest : *first;
	*last = ip_compare(*last, highest) > 0 ? highest : *last;
	return ip_compare(*first, *last) <= 0;
}

void netstructure_add(struct netstructure_table *table, struct ip first, struct ip last,
		      uint64_t counter)
{
	if (table->net->is_v6 || cut_to_v4(&first, &last)) {
		add_range(table, first, last, counter);
	}
}

void netstructure_finish(struct netstructure_table *table)
{
	for (unsigned i = table->count; i-- > 0;) {
		struct level *level = &table->levels[i];

		if (level->has_rows && (level->seen || level->size == 0)) {
			print_row(table, level);
		}
	}
	g_string_free(table->row, TRUE);
	g_free(table->levels);
	g_free(table);
}

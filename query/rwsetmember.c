/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsetmember: which sets hold an address, or one of many. */
#include "query/tool.h"

#include "common/text.h"
#include "common/wildcard.h"
#include "query/count128.h"
#include "storage/ipset.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

struct member_opts {
	bool count;
	bool quiet;
	int output_format;
};

static const struct opt member_opt_table[] = {
	OPT_FLAG(struct member_opts, count, "count", 0,
		 "print how many addresses match beside the name of every set"),
	OPT_FLAG(struct member_opts, quiet, "quiet", 0,
		 "print nothing; the exit status tells whether a set matched"),
	TEXT_DATA_FORMAT_ROW(struct member_opts, "print as text, csv or json lines"),
	OPT_END,
};

typedef unsigned __int128 number;

#define SECTIONS_MAX 8

/*
 * A wildcard can be hopelessly many addresses, and so can a set. Its addresses are therefore
 * counted by their rank: how many of the wildcard lie below a given address follows from the parts
 * of that address one by one, so a range of the set costs two ranks whatever its size.
 */
struct ranks {
	unsigned sections;
	unsigned bits;                 /* of a section */
	uint32_t *below[SECTIONS_MAX]; /* how many values of the section are less than each value */
	number weight[SECTIONS_MAX];   /* addresses that one value of the section stands for */
};

/* What is looked for: a range, or a wildcard that is more than one. */
struct pattern {
	bool is_range;
	struct cidr range;
	bool is_v6;
	struct ranks ranks;
};

struct tally {
	number found; /* modulo 2^128 */
	bool any;
};

static uint32_t *section_ranks(const uint8_t *bitmap, unsigned values)
{
	uint32_t *below = g_new(uint32_t, values + 1);
	uint32_t count = 0;

	for (unsigned i = 0; i < values; i++) {
		below[i] = count;
		count += bitmap[i / 8] >> (i % 8) & 1;
	}
	below[values] = count;
	return below;
}

static void make_ranks(const struct wildcard *wildcard, struct ranks *out)
{
	unsigned values = wildcard->is_v6 ? 65536 : 256;
	number weight = 1;

	out->sections = wildcard->is_v6 ? 8 : 4;
	out->bits = wildcard->is_v6 ? 16 : 8;
	for (unsigned i = out->sections; i-- > 0;) {
		out->below[i] =
			section_ranks(wildcard->is_v6 ? wildcard->v6[i] : wildcard->v4[i], values);
		out->weight[i] = weight;
		weight *= out->below[i][values];
	}
}

static void free_ranks(struct ranks *ranks)
{
	for (unsigned i = 0; i < ranks->sections; i++) {
		g_free(ranks->below[i]);
	}
}

/* Addresses of the wildcard below ip, and ip itself when it is one and own is set. */
static number rank_of(const struct ranks *ranks, struct ip ip, bool own)
{
	number at = ip_number(ip);
	number rank = 0;

	for (unsigned i = 0; i < ranks->sections; i++) {
		unsigned shift = ranks->bits * (ranks->sections - 1 - i);
		unsigned value = (unsigned)(at >> shift) & ((1u << ranks->bits) - 1);
		const uint32_t *below = ranks->below[i];

		rank += below[value] * ranks->weight[i];
		if (below[value] == below[value + 1]) {
			return rank;
		}
	}
	return rank + own;
}

static void parse_pattern(const char *text, struct pattern *out)
{
	struct wildcard *wildcard = g_new0(struct wildcard, 1); /* too large for the stack */
	struct err err;

	if (wildcard_parse(text, wildcard, &err) != ST_OK) {
		g_free(wildcard);
		tool_usage("Invalid IP '%s': %s", text, err.text);
	}
	out->is_v6 = wildcard->is_v6;
	out->is_range = wildcard_as_range(wildcard, &out->range);
	if (!out->is_range) {
		make_ranks(wildcard, &out->ranks);
	}
	g_free(wildcard);
}

/* Add what of the pattern is in a range of the set. */
static void tally_range(const struct pattern *pattern, struct tally *tally, struct cidr range)
{
	number count;

	if (pattern->is_range) {
		count = ip_number(range.last) - ip_number(range.first) + 1;
		tally->any = true;
	} else {
		count = rank_of(&pattern->ranks, range.last, true) -
			rank_of(&pattern->ranks, range.first, false);
		tally->any = tally->any || count;
	}
	tally->found += count;
}

/* The lowest and highest address that can match. */
static struct cidr pattern_bounds(const struct pattern *pattern)
{
	if (pattern->is_range) {
		return pattern->range;
	}
	return pattern->is_v6 ? (struct cidr){ { 0, 0 }, { UINT64_MAX, UINT64_MAX }, true }
			      : (struct cidr){ ip_from_v4(0), ip_from_v4(UINT32_MAX), false };
}

/* enough: one match will do. */
static struct tally tally_set(const struct pattern *pattern, const struct ipset *set, bool enough)
{
	struct cidr bounds = pattern_bounds(pattern);
	struct tally tally = { 0 };
	struct ipset_cursor cursor;
	struct cidr range;

	ipset_cursor_start(&cursor, set);
	ipset_cursor_seek(&cursor, bounds.first);
	while (!(enough && tally.any) && ipset_cursor_next(&cursor, &range) &&
	       ip_compare(range.first, bounds.last) <= 0) {
		if (ip_compare(range.first, bounds.first) < 0) {
			range.first = bounds.first;
		}
		if (ip_compare(range.last, bounds.last) > 0) {
			range.last = bounds.last;
		}
		tally_range(pattern, &tally, range);
	}
	return tally;
}

/* table: NULL: as SiLK prints. */
static void print_set(const struct member_opts *opts, struct text *table, const char *name,
		      const struct tally *tally)
{
	char count[COUNT128_TEXT_MAX];

	if (opts->quiet || (!opts->count && !tally->any)) {
		return;
	}
	count128_print(count, tally->found, tally->any);
	if (table) {
		text_cell_string(table, name);
		if (opts->count) {
			text_cell_is_number(table, true);
			text_cell_string(table, count);
		}
		text_row_done(table);
	} else if (opts->count) {
		printf("%s:%s\n", name, count);
	} else {
		printf("%s\n", name);
	}
}

/* Does the set match? A file that is no set is told about and passed over. */
static bool ask_file(const struct member_opts *opts, struct text *table,
		     const struct pattern *pattern, const char *path, const char *name)
{
	struct ipset *set = NULL;
	struct tally tally;
	struct err err;

	if (ipset_read(&set, path, NULL, &err) != ST_OK) {
		tool_warn("Unable to read IPset from '%s': %s", name, err.text);
		return false;
	}
	tally = tally_set(pattern, set, !opts->count || opts->quiet);
	ipset_free(set);
	print_set(opts, table, name, &tally);
	return tally.any;
}

static int member_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct member_opts *opts = base;
	const char *const columns[] = { "set", opts->count ? "count" : NULL, NULL };
	struct pattern pattern = { 0 };
	struct text *table;
	struct err err;
	bool found = false;

	if (argc < 1) {
		tool_usage("No pattern specified");
	}
	parse_pattern(argv[0], &pattern);
	table = opts->quiet ? NULL
			    : text_data_new(STDOUT_FILENO, opts->output_format, false, columns);
	if (argc == 1) {
		if (isatty(STDIN_FILENO)) {
			tool_usage("No input files given on command line and standard input is a "
				   "terminal");
		}
		found = ask_file(opts, table, &pattern, "-", "stdin");
	}
	for (int i = 1; i < argc; i++) {
		found = ask_file(opts, table, &pattern, argv[i], argv[i]) || found;
	}
	if (table && text_close(table, &err) != ST_OK) {
		tool_die_err(&err);
	}
	free_ranks(&pattern.ranks);
	return found ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwsetmember",
	.summary = "Tell which sets hold an address",
	.usage = "[SWITCHES] PATTERN [SET_FILES]",
	.opts = member_opt_table,
	.opts_size = sizeof(struct member_opts),
	.run = member_run,
};

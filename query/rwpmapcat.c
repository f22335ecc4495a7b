/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpmapcat: print a prefix map as text. */
#include "query/tool.h"

#include "common/numlist.h"
#include "common/text.h"
#include "query/format.h"
#include "query/mapfile.h"
#include "query/pmapkey.h"
#include "storage/country.h"
#include "storage/iptree.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

/* In the order in which they are printed. */
enum part { PART_TYPE, PART_MAPNAME, PART_LABELS, PART_RANGES, PART_COUNT };

static const char *const part_names[PART_COUNT] = { "type", "mapname", "labels", "ranges" };

struct part_set {
	bool given;
	bool on[PART_COUNT];
};

struct pmapcat_opts {
	struct mapfile_opts map;
	struct part_set parts;
	char *ignore_label;
	char *ip_label_to_ignore;
	bool left_justify_labels;
	bool no_cidr_blocks;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
};

static int parse_part(const char *name, struct part_set *parts, struct err *err)
{
	size_t len = strlen(name);
	int found = -1;

	for (int i = 0; i < PART_COUNT; i++) {
		if (g_ascii_strncasecmp(part_names[i], name, len) == 0) {
			found = i; /* the names begin differently */
		}
	}
	if (found < 0) {
		return err_set(err, ST_EINVAL, "no type of output is called '%s'", name);
	}
	parts->on[found] = true;
	return ST_OK;
}

static int parse_parts(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct part_set *parts = dest;
	char **names = g_strsplit(text, ",", -1);
	int status = ST_OK;

	*parts = (struct part_set){ .given = true };
	for (char **name = names; *name && status == ST_OK; name++) {
		if (**name) {
			status = parse_part(*name, parts, err);
		}
	}
	g_strfreev(names);
	return status == ST_OK && !text[0] ? err_set(err, ST_EINVAL, "the list is empty") : status;
}

static const struct opt pmapcat_opt_table[] = {
	OPT_GROUP(struct pmapcat_opts, map, mapfile_opt_table),
	OPT_CALL(struct pmapcat_opts, parts, "output-types", 0, "LIST", parse_parts, OPT_ONCE,
		 "what to print: any of type, mapname, labels, ranges", .default_text = "ranges"),
	OPT_STR(struct pmapcat_opts, ignore_label, "ignore-label", 0, "LABEL",
		"print no ranges that have this label", .flags = OPT_ONCE),
	OPT_STR(struct pmapcat_opts, ip_label_to_ignore, "ip-label-to-ignore", 0, "ADDRESS",
		"print no ranges that have the label of this address", .flags = OPT_ONCE),
	OPT_FLAG(struct pmapcat_opts, left_justify_labels, "left-justify-labels", 0,
		 "print labels at the left side of their column"),
	OPT_FLAG(struct pmapcat_opts, no_cidr_blocks, "no-cidr-blocks", 0,
		 "print the first and last address of ranges, not blocks"),
	OPT_GROUP(struct pmapcat_opts, format, format_ip_opt_table),
	OPT_GROUP(struct pmapcat_opts, text, text_opt_table),
	OPT_GROUP(struct pmapcat_opts, output, output_opt_table),
	OPT_END,
};

struct job {
	const struct pmapcat_opts *opts;
	const struct pmap *pmap;
	struct pmapkey key;
	struct text_style style;
	struct text *text;
	bool ends; /* print both ends of ranges, not blocks */
	int label_width;
	bool ignores;
	uint32_t ignored;
};

/* --- which ranges --- */

static bool is_number(const char *text, uint32_t *out)
{
	uint64_t number;

	if (number_parse(text, 0, PMAP_NO_VALUE, &number, NULL) != ST_OK) {
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

static void ignore_label(struct job *job, const char *label)
{
	job->ignores = true;
	if (job->key.countries) {
		job->ignored = country_parse(label);
		if (job->ignored == COUNTRY_INVALID) {
			tool_die("invalid ignore-label '%s': no country code", label);
		}
	} else if (pmap_word_limit(job->pmap) ? !pmap_find_word(job->pmap, label, &job->ignored)
					      : !is_number(label, &job->ignored)) {
		tool_die("invalid ignore-label '%s': the map has no such label", label);
	}
}

/* In a map of ports no address has a label. */
static void ignore_label_of(struct job *job, const char *address)
{
	struct ip ip;
	bool is_v6;
	struct err err;

	if (ip_parse(address, &ip, &is_v6, &err) != ST_OK) {
		tool_die("invalid address '%s': %s", address, err.text);
	}
	job->ignores = pmap_kind(job->pmap) == PMAP_IPV6 || ip_is_mapped(ip);
	job->ignored = pmap_lookup_ip(job->pmap, ip);
}

/* --- ranges --- */

static void print_label(const struct job *job, uint32_t value)
{
	char digits[PMAP_TEXT_MAX];
	const char *label = pmapkey_value(&job->key, value, digits);

	/* a hole is shown as a blank */
	label = label[0] ? label : " ";
	if (job->opts->left_justify_labels && job->style.form == TEXT_COLUMNS) {
		char *padded = g_strdup_printf("%-*s", job->label_width, label);

		text_cell_string(job->text, padded);
		g_free(padded);
	} else {
		text_cell_string(job->text, label);
	}
	text_row_done(job->text);
}

struct block_walk {
	const struct job *job;
	uint32_t value;
};

static int print_block(void *arg, struct ip first, uint8_t prefix)
{
	const struct block_walk *walk = arg;
	struct text *text = walk->job->text;

	text_cell_done(text, pmapkey_print_block(&walk->job->key, text_cell(text), first, prefix));
	print_label(walk->job, walk->value);
	return 0;
}

/* ::/0, which is never asked for in pieces. */
static bool is_everything(const struct pmap_range *range)
{
	return ip_equal(range->first, ip_block_first(range->last, 0)) &&
	       ip_equal(range->last, ip_block_last(range->first, 0));
}

static int print_range(void *arg, const struct pmap_range *range)
{
	const struct job *job = arg;
	struct block_walk walk = { job, range->value };

	if (job->ignores && range->value == job->ignored) {
		return 0;
	}
	if (!job->ends && is_everything(range)) {
		return print_block(&walk, range->first, 0);
	}
	if (!job->ends) {
		return iptree_each_block(range->first, range->last, print_block, &walk);
	}
	text_cell_done(job->text, pmapkey_print(&job->key, text_cell(job->text), range->first));
	text_cell_done(job->text, pmapkey_print(&job->key, text_cell(job->text), range->last));
	print_label(job, range->value);
	return 0;
}

static void add_label_column(struct job *job)
{
	bool has_words = pmap_word_limit(job->pmap) > 0;
	char *title;

	job->label_width = job->key.countries ? 5
			   : has_words        ? (int)MAX(5, pmap_word_bytes_max(job->pmap))
					      : 10;
	title = g_strdup_printf("%-*s",
				job->opts->left_justify_labels && job->style.form == TEXT_COLUMNS
					? job->label_width
					: 0,
				has_words ? "label" : "value");
	text_add_column(job->text, title, job->label_width, !has_words && !job->key.countries);
	g_free(title);
}

static void print_ranges(struct job *job)
{
	bool of_ports = pmap_kind(job->pmap) == PMAP_PROTO_PORT;

	job->ends = of_ports || job->opts->no_cidr_blocks;
	if (job->ends) {
		int width = pmapkey_width(&job->key);

		text_add_column(job->text, of_ports ? "startPair" : "startIP", width, false);
		text_add_column(job->text, of_ports ? "endPair" : "endIP", width, false);
	} else {
		text_add_column(job->text, "ipBlock", pmapkey_block_width(&job->key), false);
	}
	add_label_column(job);
	text_titles(job->text);
	pmap_each_range(job->pmap, print_range, job);
}

/* --- other parts --- */

/* "TITLE:  value", or the value alone without titles. */
static void print_fact(const struct job *job, const char *title, const char *value)
{
	if (!job->style.no_titles) {
		text_raw(job->text, title);
		text_raw(job->text, ":  ");
	}
	text_raw(job->text, value);
	text_raw(job->text, "\n");
}

static void print_labels(const struct job *job, bool ranges_follow)
{
	uint32_t count = pmap_word_limit(job->pmap);

	if (!count) {
		text_raw(job->text, "NO LABELS ARE PRESENT; VALUE IS APPLICATION DEPENDENT\n");
	} else if (!job->style.no_titles) {
		text_raw(job->text, "LABELS:\n");
	}
	for (uint32_t value = 0; value < count; value++) {
		const char *word = pmap_word(job->pmap, value);

		text_raw(job->text, word ? word : "");
		text_raw(job->text, "\n");
	}
	if (ranges_follow) {
		text_raw(job->text, "\n");
	}
}

static const char *const type_names[] = {
	[PMAP_IPV4] = "IPv4-address",
	[PMAP_IPV6] = "IPv6-address",
	[PMAP_PROTO_PORT] = "proto-port",
};

/* Country codes are ranges and nothing else. */
static bool has_part(const struct job *job, enum part part)
{
	const struct part_set *parts = &job->opts->parts;

	return part == PART_RANGES ? !parts->given || parts->on[part]
				   : !job->key.countries && parts->on[part];
}

static void print_part(struct text *text, enum part part, const char *value)
{
	text_cell_string(text, part == PART_LABELS ? "label" : part_names[part]);
	text_cell_string(text, value);
	text_row_done(text);
}

/* The other parts as rows, which are a table of their own. */
static void print_parts(const struct job *job, int fd)
{
	struct text *text = text_new(fd, &job->style);

	text_add_column(text, "part", 0, false);
	text_add_column(text, "value", 0, false);
	text_titles(text);
	if (has_part(job, PART_TYPE)) {
		print_part(text, PART_TYPE, type_names[pmap_kind(job->pmap)]);
	}
	if (has_part(job, PART_MAPNAME) && pmap_name(job->pmap)) {
		print_part(text, PART_MAPNAME, pmap_name(job->pmap));
	}
	for (uint32_t i = 0; has_part(job, PART_LABELS) && i < pmap_word_limit(job->pmap); i++) {
		const char *word = pmap_word(job->pmap, i);

		print_part(text, PART_LABELS, word ? word : "");
	}
	tool_close_text(text);
}

static void print_map(struct job *job)
{
	bool ranges = has_part(job, PART_RANGES);

	if (has_part(job, PART_TYPE)) {
		print_fact(job, "TYPE", type_names[pmap_kind(job->pmap)]);
	}
	if (has_part(job, PART_MAPNAME)) {
		if (pmap_name(job->pmap)) {
			print_fact(job, "MAPNAME", pmap_name(job->pmap));
		} else {
			text_raw(job->text, "NO MAPNAME IS PRESENT\n");
		}
	}
	if (has_part(job, PART_LABELS)) {
		print_labels(job, ranges);
	}
	if (ranges) {
		print_ranges(job);
	}
}

/* The same as CSV or JSON lines. */
static void print_data(struct job *job, int fd)
{
	if (has_part(job, PART_TYPE) || has_part(job, PART_MAPNAME) || has_part(job, PART_LABELS)) {
		print_parts(job, fd);
	}
	job->text = text_new(fd, &job->style);
	if (has_part(job, PART_RANGES)) {
		print_ranges(job);
	}
	tool_close_text(job->text);
}

static void print_text(struct job *job, int fd)
{
	job->text = text_new(fd, &job->style);
	print_map(job);
	tool_close_text(job->text);
}

/* --- the run --- */

/* The switch, else the one argument, else standard input. */
static struct pmap *read_map(const struct pmapcat_opts *opts, int argc, char **argv)
{
	struct mapfile_choice choice = opts->map.choice;

	if (argc > (choice.kind == MAPFILE_NONE)) {
		tool_usage("too many arguments: '%s'", argv[argc - 1]);
	}
	if (choice.kind == MAPFILE_NONE) {
		if (!argc && isatty(STDIN_FILENO)) {
			tool_usage("no prefix map given and standard input is a terminal");
		}
		choice = (struct mapfile_choice){ MAPFILE_NAMED, argc ? argv[0] : "stdin" };
	}
	return mapfile_read(&choice);
}

static int pmapcat_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct pmapcat_opts *opts = base;
	struct job job = { .opts = opts };
	struct pmap *pmap;
	struct err err;
	int fd;

	if (opts->ignore_label && opts->ip_label_to_ignore) {
		tool_usage("only one of --ignore-label and --ip-label-to-ignore may be given");
	}
	if (text_style_from_opts(&opts->text, &job.style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	pmap = read_map(opts, argc, argv);
	job.pmap = pmap;
	job.key = (struct pmapkey){ pmap, format_ip(&opts->format),
				    opts->map.choice.kind == MAPFILE_COUNTRY_CODES };
	if (opts->ignore_label) {
		ignore_label(&job, opts->ignore_label);
	} else if (opts->ip_label_to_ignore) {
		ignore_label_of(&job, opts->ip_label_to_ignore);
	}
	fd = tool_output(env, &opts->output);
	(text_form_is_data(job.style.form) ? print_data : print_text)(&job, fd);
	pmap_free(pmap);
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwpmapcat",
	.summary = "Print a prefix map as text",
	.usage = "[SWITCHES] [MAP_FILE]",
	.opts = pmapcat_opt_table,
	.opts_size = sizeof(struct pmapcat_opts),
	.run = pmapcat_run,
};

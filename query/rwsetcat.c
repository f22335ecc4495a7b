/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsetcat: print sets of addresses as text. */
#include "query/tool.h"

#include "common/text.h"
#include "common/timestamp.h"
#include "query/format.h"
#include "query/netstructure.h"
#include "query/setprint.h"
#include "storage/ipset.h"
#include "storage/ipsetform.h"
#include "storage/sightings.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

/* A switch that may be given as 0 or 1. */
struct setting {
	bool given;
	bool on;
};

struct setcat_opts {
	bool count_ips;
	bool print_statistics;
	bool print_ips;
	bool ip_ranges;
	bool with_times;
	struct setting cidr_blocks;
	struct setting print_filenames;
	struct opt_optstr network_structure;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
};

/* 1 once is 1. */
static int parse_setting(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct setting *setting = dest;

	if (text && strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
		return err_set(err, ST_EINVAL, "Value must be 0 or 1");
	}
	*setting = (struct setting){ true, setting->on || !text || text[0] == '1' };
	return ST_OK;
}

static const struct opt setcat_opt_table[] = {
	OPT_FLAG(struct setcat_opts, count_ips, "count-ips", 0,
		 "print how many addresses a set holds"),
	OPT_FLAG(struct setcat_opts, print_statistics, "print-statistics", 0,
		 "print the first and last address and how many blocks are occupied"),
	OPT_FLAG(struct setcat_opts, print_ips, "print-ips", 0,
		 "print the addresses, also beside a count or statistics"),
	OPT_OPTSTR(struct setcat_opts, network_structure, "network-structure", 0, "STRUCTURE",
		   "print hosts and smaller blocks in blocks of these sizes"),
	OPT_CALL(struct setcat_opts, cidr_blocks, "cidr-blocks", 0, "0|1", parse_setting,
		 OPT_ARG_OPTIONAL, "print CIDR blocks (1) or single addresses (0)"),
	OPT_FLAG(struct setcat_opts, ip_ranges, "ip-ranges", 0,
		 "print ranges: count, first and last address"),
	OPT_FLAG(struct setcat_opts, with_times, "with-times", 0,
		 "print when each address was first and last seen", .flags = OPT_ADDED),
	OPT_CALL(struct setcat_opts, print_filenames, "print-filenames", 0, "0|1", parse_setting,
		 OPT_ARG_OPTIONAL, "print the names of the files (1) or never (0)"),
	OPT_GROUP(struct setcat_opts, format, format_ip_opt_table),
	OPT_GROUP(struct setcat_opts, text, text_opt_table),
	OPT_GROUP(struct setcat_opts, output, output_opt_table),
	OPT_END,
};

struct job {
	const struct setcat_opts *opts;
	struct netstructure net;
	struct text_style style; /* with titles until they are printed */
	unsigned ip_format;
	int fd;
	bool several; /* inputs */
};

/* Each of a pair of switches excludes the other. */
static void check_combinations(const struct setcat_opts *opts)
{
	const struct {
		const char *name;
		bool given;
	} with_structure[] = {
		{ "count-ips", opts->count_ips }, { "print-statistics", opts->print_statistics },
		{ "print-ips", opts->print_ips }, { "cidr-blocks", opts->cidr_blocks.given },
		{ "ip-ranges", opts->ip_ranges },
	};

	if (opts->ip_ranges && opts->cidr_blocks.given) {
		tool_usage("Cannot combine the --ip-ranges and --cidr-blocks switches.");
	}
	if (opts->with_times && (opts->network_structure.given || opts->cidr_blocks.given ||
				 opts->ip_ranges || opts->count_ips || opts->print_statistics)) {
		tool_usage("Cannot combine the --with-times switch with others that say what to "
			   "print.");
	}
	for (size_t i = 0; opts->network_structure.given && i < G_N_ELEMENTS(with_structure); i++) {
		if (with_structure[i].given) {
			tool_usage("Cannot combine the --network-structure and --%s switches.",
				   with_structure[i].name);
		}
	}
}

static bool is_data(const struct job *job)
{
	return text_form_is_data(job->style.form);
}

static bool wants_name(const struct job *job)
{
	const struct setcat_opts *opts = job->opts;
	bool summary = opts->count_ips || opts->print_statistics;

	return opts->print_filenames.given ? opts->print_filenames.on : job->several && summary;
}

/* The name, where each row is to have it. */
static const char *name_of_rows(const struct job *job, const char *name)
{
	return is_data(job) && wants_name(job) ? name : NULL;
}

/* Name of the file before what is printed about it; not in a table. */
static void print_name(const struct job *job, const char *name)
{
	const struct setcat_opts *opts = job->opts;
	struct text *text;

	if (!wants_name(job) || is_data(job)) {
		return;
	}
	text = text_new(job->fd, &job->style);
	text_raw(text, name);
	text_raw(text, opts->count_ips ? ":" : ":\n");
	tool_close_text(text);
}

/* --- what is printed of a set --- */

/* CSV is one table of all files: its titles come once. */
static struct text *start_text(struct job *job)
{
	struct text *text = text_new(job->fd, &job->style);

	job->style.no_titles |= is_data(job);
	return text;
}

/* A list, range by range as they are read. */
struct listing {
	struct job *job;
	const char *name;
	bool count; /* how many addresses there are, no list of them */
	bool begun;
	struct setprint print;
	struct setprint_list *list;
	struct netstructure_table *table; /* instead of the list */
};

static enum setprint_kind kind_of_list(const struct setcat_opts *opts, bool wide)
{
	if (opts->ip_ranges) {
		return SETPRINT_RANGES;
	}
	return (opts->cidr_blocks.given ? opts->cidr_blocks.on : wide) ? SETPRINT_BLOCKS
								       : SETPRINT_ADDRESSES;
}

static void listing_start(struct listing *listing)
{
	struct job *job = listing->job;
	struct setprint *print = &listing->print;

	listing->begun = true;
	print->text = start_text(job);
	if (listing->count) {
		listing->list = setprint_start(print, SETPRINT_COUNT);
	} else if (job->opts->network_structure.given) {
		job->net.file = name_of_rows(job, listing->name);
		listing->table = netstructure_start(&job->net, print->text, &job->style,
						    job->ip_format, false);
	} else {
		listing->list = setprint_start(print, kind_of_list(job->opts, print->wide));
	}
}

static void listing_add(void *arg, const struct cidr *range)
{
	struct listing *listing = arg;

	if (listing->table) {
		netstructure_add(listing->table, range->first, range->last, 0);
	} else {
		setprint_add(listing->list, range);
	}
}

/* all: nothing is missing. */
static void listing_end(struct listing *listing, bool all)
{
	if (listing->table) {
		netstructure_finish(listing->table);
	} else if (listing->count && !all) {
		setprint_drop(listing->list);
	} else {
		setprint_finish(listing->list);
	}
	tool_close_text(listing->print.text);
}

static bool wants_list(const struct setcat_opts *opts)
{
	return opts->print_ips || opts->cidr_blocks.given || opts->ip_ranges ||
	       !(opts->count_ips || opts->print_statistics);
}

static struct setprint print_of(const struct job *job, const char *name,
				const struct header *header, bool wide)
{
	const struct setcat_opts *opts = job->opts;

	return (struct setprint){
		.style = &job->style,
		.ip_format = job->ip_format,
		.wide = wide,
		.halve_all = !wide && header->record_version != 3,
		.file = name_of_rows(job, name),
		.measured = opts->print_statistics || (opts->count_ips && wants_list(opts)),
	};
}

/* --- the set, where it is printed in more ways than one --- */

static void print_listing(struct job *job, const struct setprint *print, bool count,
			  const struct ipset *set)
{
	struct listing listing = { .job = job, .count = count, .print = *print };
	struct ipset_cursor cursor;
	struct cidr range;

	listing_start(&listing);
	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		listing_add(&listing, &range);
	}
	listing_end(&listing, true);
}

static void print_statistics(struct job *job, struct setprint *print, const struct ipset *set)
{
	print->text = start_text(job);
	setprint_statistics(print, set);
	tool_close_text(print->text);
}

/* Must the set be read before anything is printed? */
static bool needs_set(const struct setcat_opts *opts)
{
	return opts->print_statistics || (opts->count_ips && wants_list(opts));
}

static void print_set(struct job *job, const char *name, const struct ipset *set,
		      const struct header *header)
{
	const struct setcat_opts *opts = job->opts;
	struct setprint print = print_of(job, name, header, ipset_is_wide(set));
	bool counted = opts->print_statistics && is_data(job); /* the statistics have it */

	print_name(job, name);
	if (opts->count_ips && !counted) {
		print_listing(job, &print, true, set);
	}
	if (wants_list(opts)) {
		print_listing(job, &print, false, set);
	}
	if (opts->print_statistics) {
		print_statistics(job, &print, set);
	}
}

/* --- files --- */

/*
 * What SiLK prints of a file that is there but no set: its name, unless it must read the set before
 * it prints, and a network structure of nothing.
 */
static void print_failed(struct job *job, const char *name)
{
	if (!needs_set(job->opts)) {
		print_name(job, name);
	}
	if (job->opts->network_structure.given) {
		struct listing listing = { .job = job, .name = name };

		listing_start(&listing);
		listing_end(&listing, false);
	}
}

/* Not a failure of the tool, as in SiLK: the other files are printed. */
static void tell_failed(const char *name, const struct err *err)
{
	tool_warn("Unable to read IPset from '%s': %s", name, err->text);
}

static void begin_listing(void *arg, const struct header *header, bool wide)
{
	struct listing *listing = arg;

	print_name(listing->job, listing->name);
	listing->print = print_of(listing->job, listing->name, header, wide);
	listing_start(listing);
}

static void listing_add_count(void *arg, uint64_t count)
{
	struct listing *listing = arg;

	setprint_add_count(listing->list, count);
}

/* Print what is printed in one way only, as it is read. */
static void list_file(struct job *job, const char *path, const char *name)
{
	static const struct ipset_visitor lister = { begin_listing, listing_add, NULL };
	static const struct ipset_visitor counter = { begin_listing, listing_add,
						      listing_add_count };
	struct listing listing = { .job = job, .name = name, .count = job->opts->count_ips };
	struct err err;
	int read = ipset_visit(path, listing.count ? &counter : &lister, &listing, &err);

	if (listing.begun) {
		listing_end(&listing, read == ST_OK);
	} else if (read != ST_ENOENT) {
		print_failed(job, name);
	}
	if (read != ST_OK) {
		tell_failed(name, &err);
	}
}

/* A row an address: when it was first and last seen. */
static int print_times(struct job *job, const char *path, const char *name)
{
	struct sightings *seen = NULL;
	const char *file;
	struct text *text;
	bool v6;
	struct err err;

	if (sightings_read(&seen, path, NULL, &err) != ST_OK) {
		tool_warn("Unable to read times from '%s': %s", name, err.text);
		return TOOL_EXIT_ERROR;
	}
	v6 = sightings_have_ipv6(seen);
	print_name(job, name);
	file = name_of_rows(job, name);
	text = start_text(job);
	if (file) {
		text_add_column(text, "file", 0, false);
	}
	text_add_column(text, "ip", ip_print_width(job->ip_format, v6), false);
	text_add_column(text, "first", timestamp_print_width(TIMESTAMP_DEFAULT), false);
	text_add_column(text, "last", timestamp_print_width(TIMESTAMP_DEFAULT), false);
	if (is_data(job)) {
		text_titles(text);
	}
	for (size_t i = 0; i < sightings_count(seen); i++) {
		const struct sighting *at = sightings_at(seen, i);
		bool is_v6 = v6 && !ip_is_mapped(at->ip);

		if (file) {
			text_cell_string(text, file);
		}
		text_cell_done(text, ip_print(text_cell(text), at->ip, is_v6, job->ip_format));
		text_cell_time(text, at->first_ms * NS_PER_MS, TIMESTAMP_DEFAULT);
		text_cell_time(text, at->last_ms * NS_PER_MS, TIMESTAMP_DEFAULT);
		text_row_done(text);
	}
	tool_close_text(text);
	sightings_free(seen);
	return TOOL_EXIT_OK;
}

static int print_file(struct job *job, const char *path, const char *name)
{
	struct ipset *set = NULL;
	struct header header;
	struct err err;
	int read;

	if (job->opts->with_times) {
		return print_times(job, path, name);
	}
	if (!needs_set(job->opts)) {
		list_file(job, path, name);
		return TOOL_EXIT_OK;
	}
	read = ipset_read(&set, path, &header, &err);
	if (read == ST_OK) {
		print_set(job, name, set, &header);
	} else {
		if (read != ST_ENOENT) {
			print_failed(job, name);
		}
		tell_failed(name, &err);
	}
	ipset_free(set);
	header_release(&header);
	return TOOL_EXIT_OK;
}

static int setcat_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct setcat_opts *opts = base;
	struct job job = { .opts = opts, .several = argc > 1 };
	struct err err;
	int status = TOOL_EXIT_OK;

	check_combinations(opts);
	if (text_style_from_opts(&opts->text, &job.style, &err) != ST_OK ||
	    (opts->network_structure.given &&
	     netstructure_parse(opts->network_structure.text, &job.net, &err) != ST_OK)) {
		tool_die_err(&err);
	}
	job.ip_format = format_ip(&opts->format);
	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	job.fd = tool_output(env, &opts->output);
	if (!argc) {
		return print_file(&job, "-", "stdin");
	}
	for (int i = 0; i < argc; i++) {
		if (print_file(&job, argv[i], argv[i]) != TOOL_EXIT_OK) {
			status = TOOL_EXIT_ERROR;
		}
	}
	return status;
}

const struct tool tool = {
	.name = "rwsetcat",
	.summary = "Print sets of addresses as text",
	.usage = "[SWITCHES] [SET_FILES]",
	.opts = setcat_opt_table,
	.opts_size = sizeof(struct setcat_opts),
	.run = setcat_run,
};

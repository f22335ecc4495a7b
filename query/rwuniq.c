/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwuniq: group records by a key and print the volume of each group. */
#include <string.h>

#include <glib.h>

#include "query/bins.h"
#include "query/threads.h"
#include "query/tool.h"

/* A switch that adds a value, with its limits if any, in the order of the command line. */
struct wanted {
	const char *name;   /* of the value; NULL: it stands in text */
	const char *limits; /* or the whole of --threshold's argument; NULL: none */
};

struct uniq_opts {
	char *fields;
	char *values;
	GArray *wanted; /* struct wanted; NULL: none */
	bool help_fields;
	bool presorted_input;
	bool sort_output;
	struct bin_time bin_time;
	char *temp_directory;
	uint64_t memory; /* 0: not given */
	struct madefield_opts made;
	struct sampling_opts sampling;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct threads_opts threads;
	struct source_opts source;
	struct site_opts site;
};

/* The old switches that name a value each; opt->tag is the row. */
static const char *const old_values[] = { "Bytes",          "Packets",      "Records",
					  "sTime-Earliest", "eTime-Latest", "sIP-Distinct",
					  "dIP-Distinct" };
enum { OLD_BYTES, OLD_PACKETS, OLD_FLOWS, OLD_STIME, OLD_ETIME, OLD_SIP, OLD_DIP };

static void want(void *dest, const char *name, const char *limits)
{
	GArray **list = dest;
	const struct wanted wanted = { name, limits };

	if (!*list) {
		*list = g_array_new(FALSE, FALSE, sizeof(wanted));
	}
	g_array_append_val(*list, wanted);
}

static int parse_threshold(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	want(dest, NULL, text);
	return ST_OK;
}

static int parse_old_value(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	want(dest, old_values[opt->tag], text);
	return ST_OK;
}

static int parse_all_counts(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	for (int i = OLD_BYTES; i <= OLD_ETIME; i++) {
		want(dest, old_values[i], NULL);
	}
	return ST_OK;
}

#define OLD_VALUE(name, tag_, flags_, help_)                                                       \
	OPT_CALL(struct uniq_opts, wanted, name, 0, (flags_) == OPT_ARG_NONE ? NULL : "MIN-MAX",   \
		 parse_old_value, flags_, help_, .tag = tag_)

static const struct opt uniq_opt_table[] = {
	OPT_STR(struct uniq_opts, fields, "fields", 'f', "LIST", "group by these fields",
		.flags = OPT_ONCE),
	OPT_STR(struct uniq_opts, values, "values", 0, "LIST", "compute these values of each group",
		.flags = OPT_ONCE, .default_text = "Records"),
	OPT_CALL(struct uniq_opts, wanted, "threshold", 0, "VALUE=MIN-MAX", parse_threshold, 0,
		 "print only groups whose value lies between these"),
	OPT_FLAG(struct uniq_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_FLAG(struct uniq_opts, presorted_input, "presorted-input", 0,
		 "the input has been sorted by rwsort with the same --fields"),
	OPT_FLAG(struct uniq_opts, sort_output, "sort-output", 0, "print the groups sorted by key"),
	OPT_CALL(struct uniq_opts, bin_time, "bin-time", 0, "SECONDS", bin_time_parse,
		 OPT_ARG_OPTIONAL, "cut times in the key to multiples of this; alone: 60"),
	OPT_SIZE(struct uniq_opts, memory, "memory", 0, "SIZE", BINS_MEMORY_MIN, UINT64_MAX,
		 "group in this much memory, the rest in temporary files", .default_text = "1g",
		 .flags = OPT_ADDED),
	OPT_STR(struct uniq_opts, temp_directory, "temp-directory", 0, "DIR",
		"write temporary files here"),
	OPT_CALL(struct uniq_opts, wanted, "all-counts", 0, NULL, parse_all_counts, OPT_ARG_NONE,
		 "add bytes, packets, records and the times to --values"),
	OLD_VALUE("bytes", OLD_BYTES, OPT_ARG_OPTIONAL, "add Bytes to --values, with limits"),
	OLD_VALUE("packets", OLD_PACKETS, OPT_ARG_OPTIONAL, "add Packets to --values, with limits"),
	OLD_VALUE("flows", OLD_FLOWS, OPT_ARG_OPTIONAL, "add Records to --values, with limits"),
	OLD_VALUE("stime", OLD_STIME, OPT_ARG_NONE, "add sTime-Earliest to --values"),
	OLD_VALUE("etime", OLD_ETIME, OPT_ARG_NONE, "add eTime-Latest to --values"),
	OLD_VALUE("sip-distinct", OLD_SIP, OPT_ARG_OPTIONAL,
		  "add Distinct:sIP to --values, with limits"),
	OLD_VALUE("dip-distinct", OLD_DIP, OPT_ARG_OPTIONAL,
		  "add Distinct:dIP to --values, with limits"),
	OPT_GROUP(struct uniq_opts, made, madefield_opt_table),
	OPT_GROUP(struct uniq_opts, made, madefield_width_opt_table),
	OPT_GROUP(struct uniq_opts, sampling, sampling_opt_table),
	OPT_GROUP(struct uniq_opts, format, format_opt_table),
	OPT_GROUP(struct uniq_opts, text, text_opt_table),
	OPT_GROUP(struct uniq_opts, output, output_opt_table),
	OPT_GROUP(struct uniq_opts, threads, threads_opt_table),
	OPT_GROUP(struct uniq_opts, source, source_opt_table),
	OPT_GROUP(struct uniq_opts, site, site_opt_table),
	OPT_END,
};

static int add_wanted(struct bins *bins, const struct wanted *wanted, struct err *err)
{
	char *threshold;
	int status;

	if (!wanted->limits) {
		return bins_settle_value(bins, wanted->name, err);
	}
	if (!wanted->name) {
		return bins_add_threshold(bins, wanted->limits, err);
	}
	threshold = g_strconcat(wanted->name, "=", wanted->limits, NULL);
	status = bins_add_threshold(bins, threshold, err);
	g_free(threshold);
	return status;
}

static int choose_values(struct bins *bins, const struct uniq_opts *opts, struct err *err)
{
	int status = opts->values ? bins_add_values(bins, opts->values, true, err) : ST_OK;

	for (size_t i = 0; opts->wanted && i < opts->wanted->len && status == ST_OK; i++) {
		status = add_wanted(bins, &g_array_index(opts->wanted, struct wanted, i), err);
	}
	if (status == ST_OK && bins->values->len == 0) {
		status = bins_add_values(bins, "Records", true, err);
	}
	return status;
}

/* Returns an enum tool_exit. */
static int print_groups(struct bins *bins, const struct uniq_opts *opts, int read_status,
			bool presorted)
{
	struct err err;

	if (read_status == TOOL_EXIT_OK &&
	    bins_print(bins, !presorted && (opts->sort_output || opts->presorted_input), &err) !=
		    ST_OK) {
		tool_die_err(&err);
	}
	if (read_status != TOOL_EXIT_OK && opts->presorted_input) {
		text_titles(bins->text); /* without rows, as in SiLK */
	}
	if (text_close(bins->text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return read_status;
}

static int uniq_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct uniq_opts *opts = options;
	const struct bins_start_opts start = {
		.env = env,
		.format = &opts->format,
		.text = &opts->text,
		.output = &opts->output,
		.source = &opts->source,
		.site = &opts->site,
		.sampling = &opts->sampling,
		.bin_time = opts->bin_time,
		.presorted = opts->presorted_input && bins_has_one_input(&opts->source, argc),
		.in_order = !opts->sort_output && !opts->presorted_input,
		.threads = threads_wanted(&opts->threads),
		.memory_bytes = opts->memory,
		.temp_dir = opts->temp_directory,
	};
	struct bins bins;
	struct err err;
	int exit_status;

	if (opts->help_fields) {
		format_help_fields(FIELD_LIST_NO_DEPRECATED);
		return TOOL_EXIT_OK;
	}
	if (!opts->fields) {
		tool_usage("--fields is needed");
	}
	bins_init(&bins, &opts->made, start.env, &opts->site);
	if (bins_set_fields(&bins, opts->fields, &err) != ST_OK ||
	    choose_values(&bins, opts, &err) != ST_OK || bins_start(&bins, &start, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	exit_status =
		print_groups(&bins, opts, bins_read(&bins, &start, argc, argv), start.presorted);
	bins_release(&bins);
	if (opts->wanted) {
		g_array_free(opts->wanted, TRUE);
	}
	return exit_status;
}

const struct tool tool = {
	.name = "rwuniq",
	.summary = "group records by a key and print the volume of each group",
	.usage = "--fields=LIST [SWITCHES] [FILES]",
	.opts = uniq_opt_table,
	.opts_size = sizeof(struct uniq_opts),
	.run = uniq_run,
};

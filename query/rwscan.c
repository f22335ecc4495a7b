/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwscan: find the sources that scan. */
#include <stdio.h>

#include <glib.h>

#include "common/numlist.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/scanevents.h"
#include "query/scanmodel.h"
#include "query/source.h"
#include "query/tool.h"

#define THREADS_MAX 256

struct probability {
	double value;
};

struct scan_opts {
	uint64_t models;
	const char *internal_set;
	struct probability theta0;
	struct probability theta1;
	bool integer_ips;
	bool model_fields;
	bool scandb;
	uint64_t threads;
	uint64_t queue_depth;
	uint64_t progress_bits; /* 0: not given */
	bool verbose_flows;
	struct opt_optstr verbose_results;
	struct text_opts text;
	struct output_opts output;
	struct source_opts source;
	struct site_opts site;
};

static int parse_probability(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return real_parse(text, 0, 1, &((struct probability *)dest)->value, err);
}

/* By whichever of its names. */
static int parse_internal_set(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	const char **path = dest;

	if (*path) {
		return err_set(err, ST_EINVAL, "only one set may be given");
	}
	*path = text;
	return ST_OK;
}

static const struct opt scan_opt_table[] = {
	OPT_U64(struct scan_opts, models, "scan-model", 0, "MODEL", 0, 2,
		"0: threshold random walk, then regression; 1: the walk alone; 2: the regression "
		"alone",
		.default_text = "0"),
	OPT_STR(struct scan_opts, output.output_path, "output-path", 0, "PATH",
		"write the output to this file, \"stdout\" or \"stderr\"", .flags = OPT_ONCE),
	OPT_CALL(struct scan_opts, internal_set, "trw-internal-set", 0, "FILE", parse_internal_set,
		 0, "the IPset of all hosts there are, for the walk"),
	OPT_CALL(struct scan_opts, internal_set, "trw-sip-set", 0, "FILE", parse_internal_set, 0,
		 "as --trw-internal-set"),
	OPT_CALL(struct scan_opts, theta0, "trw-theta0", 0, "PROBABILITY", parse_probability, 0,
		 "how likely it is that a benign source asks a host that is there",
		 .default_text = "0.8"),
	OPT_CALL(struct scan_opts, theta1, "trw-theta1", 0, "PROBABILITY", parse_probability, 0,
		 "how likely it is that a scanner asks a host that is there",
		 .default_text = "0.2"),
	OPT_GROUP(struct scan_opts, text, text_opt_table),
	OPT_FLAG(struct scan_opts, integer_ips, "integer-ips", 0, "print addresses as numbers"),
	OPT_FLAG(struct scan_opts, model_fields, "model-fields", 0,
		 "print which model found the scan, and how sure it is"),
	OPT_FLAG(struct scan_opts, scandb, "scandb", 0,
		 "as --no-titles --no-columns --no-final-delimiter --model-fields --integer-ips"),
	OPT_U64(struct scan_opts, threads, "threads", 0, "N", 0, UINT32_MAX,
		"judge sources with this many threads", .default_text = "1"),
	OPT_U64(struct scan_opts, queue_depth, "queue-depth", 0, "N", 0, UINT32_MAX,
		"accepted; the queue is as long as threads need it"),
	OPT_U64(struct scan_opts, progress_bits, "verbose-progress", 0, "BITS", 0, 32,
		"tell on standard error when a network of so many bits begins"),
	OPT_FLAG(struct scan_opts, verbose_flows, "verbose-flows", 0,
		 "print every flow on standard error"),
	OPT_OPTSTR(struct scan_opts, verbose_results, "verbose-results", 0, "N",
		   "print the verdict on each source of at least so many flows on standard error"),
	OPT_GROUP(struct scan_opts, site, site_opt_table),
	OPT_END,
};

/* Only IPv4 has a model. */
static const struct scan_opts scan_defaults = {
	.theta0 = { 0.8 },
	.theta1 = { 0.2 },
	.source = { .own_policy = "asv4" },
};

struct scan {
	const struct scan_opts *opts;
	struct scanmodel_opts model;
	struct ipset *internal;
	uint64_t verbose_min; /* flows; UINT64_MAX: nothing is to be told */
	struct source *source;
	bool has_network;
	uint32_t network; /* that progress was told of */
	unsigned ip_format;
	struct text *text;
};

static void print_scan(const struct scan *scan, const struct scanevent *event)
{
	const unsigned times = TIMESTAMP_ISO | TIMESTAMP_NO_MSEC;
	struct text *text = scan->text;

	text_cell_done(text,
		       ip_print(text_cell(text), ip_from_v4(event->sip), false, scan->ip_format));
	text_cell_u64(text, event->protocol);
	text_cell_time(text, event->start_ns, times);
	text_cell_time(text, event->end_ns, times);
	text_cell_u64(text, event->flows);
	text_cell_u64(text, event->packets);
	text_cell_u64(text, event->bytes);
	if (scan->opts->model_fields) {
		text_cell_u64(text, event->verdict.model);
		text_cell_done(text, (size_t)snprintf(text_cell(text), TEXT_CELL_MAX, "%f",
						      event->verdict.probability));
	}
	text_row_done(text);
}

static void tell_verdict(const struct scanevent *event)
{
	char address[IP_TEXT_MAX];

	ip_print(address, ip_from_v4(event->sip), false, IP_CANONICAL);
	fprintf(stderr, "%s [%u] (%zu) %s %f\n", address, event->protocol, event->flows,
		event->verdict.is_scan ? "scan" : "no scan", event->verdict.probability);
}

static void take_event(void *arg, const struct scanevent *event)
{
	const struct scan *scan = arg;

	if (event->flows >= scan->verbose_min) {
		tell_verdict(event);
	}
	if (event->verdict.is_scan) {
		print_scan(scan, event);
	}
}

static void tell_progress(struct scan *scan, uint32_t sip)
{
	const uint32_t network =
		(uint32_t)((uint64_t)sip >> (32 - scan->opts->progress_bits)
						    << (32 - scan->opts->progress_bits));
	char address[IP_TEXT_MAX];

	if (scan->has_network && scan->network == network) {
		return;
	}
	scan->has_network = true;
	scan->network = network;
	ip_print(address, ip_from_v4(network), false, IP_CANONICAL);
	fprintf(stderr, "progress: %s/%u\n", address, (unsigned)scan->opts->progress_bits);
}

static void tell_record(void *arg, const struct batch *batch, uint32_t row)
{
	struct scan *scan = arg;
	const uint32_t sip = ip_to_v4(batch->sip[row]);

	if (scan->opts->progress_bits > 0) {
		tell_progress(scan, sip);
	}
	if (scan->opts->verbose_flows) {
		fprintf(stderr, "flow: %08x %u %08x\n", sip, batch->protocol[row],
			ip_to_v4(batch->dip[row]));
	}
}

static bool next_batch(void *arg, struct batch *batch)
{
	const struct scan *scan = arg;

	return source_next(scan->source, batch, scanevents_columns);
}

/* Returns an enum tool_exit. */
static int read_all(struct scan *scan, struct tool_env *env, int argc, char **argv)
{
	const struct scan_opts *opts = scan->opts;
	const bool tells = opts->progress_bits > 0 || opts->verbose_flows;
	const struct scanevents_opts events = {
		.threads = (unsigned)CLAMP(opts->threads, 1, THREADS_MAX),
		.one_by_one = tells || opts->verbose_results.given,
		.model = &scan->model,
		.arg = scan,
		.next = next_batch,
		.record = tells ? tell_record : NULL,
		.take = take_event,
	};

	scan->source = source_new(env, &opts->source, argc, argv);
	source_set_site(scan->source, tool_site(env, &opts->site, false));
	source_set_damage(scan->source, SOURCE_ALL_SKIPPED);
	scanevents_run(&events);
	return source_close(scan->source);
}

static void read_internal(struct scan *scan)
{
	const char *path = scan->opts->internal_set;
	struct err err;

	if (scan->model.models == SCANMODEL_BLR) {
		return;
	}
	if (!path) {
		tool_usage("the threshold random walk needs --trw-internal-set");
	}
	if (ipset_read(&scan->internal, path, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
	scan->model.internal = scan->internal;
}

static void check_verbose(struct scan *scan)
{
	const struct opt_optstr *verbose = &scan->opts->verbose_results;
	struct err err;

	scan->verbose_min = verbose->given ? 0 : UINT64_MAX;
	if (verbose->text &&
	    number_parse(verbose->text, 0, UINT32_MAX, &scan->verbose_min, &err) != ST_OK) {
		tool_usage("invalid verbose-results '%s': %s", verbose->text, err.text);
	}
}

static void make_text(struct scan *scan, struct tool_env *env)
{
	struct text_style style;
	struct err err;

	if (text_style_from_opts(&scan->opts->text, &style, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	scan->text = text_new(tool_output(env, &scan->opts->output), &style);
	text_add_column(scan->text, "sip", 16, scan->opts->integer_ips);
	text_add_column(scan->text, "proto", 6, true);
	text_add_column(scan->text, "stime", 24, false);
	text_add_column(scan->text, "etime", 24, false);
	text_add_column(scan->text, "flows", 10, true);
	text_add_column(scan->text, "packets", 10, true);
	text_add_column(scan->text, "bytes", 10, true);
	if (scan->opts->model_fields) {
		text_add_column(scan->text, "scan_model", 12, true);
		text_add_column(scan->text, "scan_prob", 10, true);
	}
	text_titles(scan->text);
}

static int scan_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct scan_opts *opts = options;
	struct scan scan = {
		.opts = opts,
		.model = {
			.models = (enum scanmodel)opts->models,
			.theta0 = opts->theta0.value,
			.theta1 = opts->theta1.value,
		},
	};
	struct err err;
	int status;

	if (opts->scandb) {
		opts->text.no_titles = true;
		opts->text.no_columns = true;
		opts->text.no_final_delimiter = true;
		opts->model_fields = true;
		opts->integer_ips = true;
	}
	scan.ip_format = opts->integer_ips ? IP_DECIMAL : IP_CANONICAL;
	check_verbose(&scan);
	read_internal(&scan);
	make_text(&scan, env);
	status = read_all(&scan, env, argc, argv);
	if (text_close(scan.text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	ipset_free(scan.internal);
	return status;
}

const struct tool tool = {
	.name = "rwscan",
	.summary = "print the sources that scan for hosts or ports",
	.usage = "--trw-internal-set=FILE [SWITCHES] [FILES]",
	.opts = scan_opt_table,
	.opts_size = sizeof(struct scan_opts),
	.opts_default = &scan_defaults,
	.run = scan_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwtotal: volume by a small key, with a row for every value of it. */
#include <glib.h>

#include "common/text.h"
#include "query/readcrew.h"
#include "query/source.h"
#include "query/threads.h"
#include "query/tool.h"
#include "query/totals.h"

struct total_opts {
	const struct totals_key *key; /* NULL: none yet */
	bool summation;
	struct volume_limits limits;
	struct text_opts text;
	struct output_opts output;
	struct threads_opts threads;
	struct source_opts source;
	struct site_opts site;
};

static int parse_key(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	const struct totals_key **key = dest;

	if (*key) {
		return err_set(err, ST_EINVAL, "only one key may be given: --%s is a second one",
			       opt->name);
	}
	*key = &totals_keys[opt->tag];
	return ST_OK;
}

/* At its place among the limits: those behind it may let zeroes pass again, as in SiLK. */
static int parse_skip(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	volume_limits_skip_zeroes(dest);
	return ST_OK;
}

static const struct opt total_opt_table[] = {
#define X(upper, name_, help_)                                                                     \
	OPT_CALL(struct total_opts, key, name_, 0, NULL, parse_key, OPT_ARG_NONE | OPT_OWN_ERROR,  \
		 help_, .tag = TOTALS_##upper),
	TOTALS_KEYS(X)
#undef X
		OPT_FLAG(struct total_opts, summation, "summation", 0,
			 "print a last row with the sums of all rows printed"),
	OPT_GROUP(struct total_opts, limits, volume_limits_opt_table),
	OPT_CALL(struct total_opts, limits, "skip-zeroes", 0, NULL, parse_skip, OPT_ARG_NONE,
		 "print no bin without records, bytes or packets"),
	OPT_GROUP(struct total_opts, text, text_opt_table),
	OPT_GROUP(struct total_opts, output, output_opt_table),
	OPT_GROUP(struct total_opts, threads, threads_opt_table),
	OPT_GROUP(struct total_opts, source, source_print_opt_table),
	OPT_CALL(struct total_opts, source.ipv6_policy, "ipv6-policy", 0, "POLICY",
		 source_parse_policy, OPT_ADDED,
		 "treat IPv6 records so: ignore, asv4, mix, force or only"),
	OPT_GROUP(struct total_opts, site, site_opt_table),
	OPT_END,
};

static const struct total_opts total_defaults = {
	.limits = VOLUME_LIMITS_NONE,
};

static void print_row(struct text *text, const struct volume *bin)
{
	text_cell_u64(text, bin->records);
	text_cell_u64(text, bin->bytes);
	text_cell_u64(text, bin->packets);
	text_row_done(text);
}

/* In JSON the key of the sums is null where keys are numbers. */
static void print_sums(struct text *text, const struct volume *sums, bool null_key)
{
	text_cell_string(text, null_key ? "" : "TOTALS");
	print_row(text, sums);
}

static void print_bins(const struct total_opts *opts, const struct totals *totals,
		       const struct text_style *style, struct text *text)
{
	const bool padded = style->form == TEXT_COLUMNS || style->form == TEXT_DELIMITED;
	struct volume sums = { 0 };
	const bool skip_zeroes = opts->limits.min.records > 0;
	uint32_t n = 0;

	text_titles(text);
	while ((n = totals_next(totals, n, skip_zeroes)) != TOTALS_END) {
		const struct volume *bin = totals_at(totals, n);

		if (volume_passes(bin, &opts->limits)) {
			text_cell_done(text, totals_print(totals, text_cell(text), n, padded));
			print_row(text, bin);
			volume_add(&sums, bin);
		}
		n++;
	}
	if (opts->summation) {
		print_sums(text, &sums, style->form == TEXT_JSON && opts->key->number);
	}
}

static void *begin_worker(void *totals)
{
	return totals_worker_new(totals);
}

static void add_batch(void *totals, void *worker, struct batch *batch, struct readturn *turn)
{
	totals_worker_add(worker, batch);
}

static void end_worker(void *totals, void *worker)
{
	totals_worker_free(worker);
}

/* Returns an enum tool_exit; *usable: what was read is to be printed. */
static int read_all(struct total_opts *opts, struct totals *totals, struct tool_env *env, int argc,
		    char **argv, bool *usable)
{
	struct source *source = source_new(env, &opts->source, argc, argv);
	const struct readcrew crew = {
		.source = source,
		.threads = threads_wanted(&opts->threads),
		.columns = totals_columns(totals),
		.arg = totals,
		.begin = begin_worker,
		.batch = add_batch,
		.end = end_worker,
	};

	source_set_site(source, tool_site(env, &opts->site, false));
	source_set_damage(source, SOURCE_DAMAGE_SKIPS);
	readcrew_run(&crew);
	*usable = !source_failed(source);
	return source_close(source);
}

/* Unless it is asked for, all records count, and addresses are IPv4 or can be seen as such. */
static enum ipv6_policy choose_policy(struct total_opts *opts)
{
	static char every[] = "mix", like_v4[] = "asv4";

	if (!opts->source.ipv6_policy) {
		opts->source.ipv6_policy = opts->key->address ? like_v4 : every;
	}
	return source_policy(&opts->source);
}

static struct text *make_text(const struct totals *totals, const struct totals_key *key,
			      const struct text_style *style, int fd)
{
	struct text *text = text_new(fd, style);
	int width = totals_has_v6(totals) ? MAX(11, key->v6_width) : 11;

	text_add_column(text, key->title, width, key->number);
	text_add_column(text, "Records", 15, true);
	text_add_column(text, "Bytes", 20, true);
	text_add_column(text, "Packets", 17, true);
	return text;
}

static int total_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct total_opts *opts = options;
	struct text_style style;
	struct totals *totals;
	struct text *text;
	struct err err;
	bool usable;
	int status;

	if (!opts->key) {
		tool_usage("no key is given");
	}
	if (volume_limits_check(&opts->limits, &err) != ST_OK) {
		tool_die_err(&err);
	}
	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	source_check_copy(&opts->source, opts->output.output_path);
	totals = totals_new(opts->key, choose_policy(opts));
	text = make_text(totals, opts->key, &style, tool_output(env, &opts->output));
	status = read_all(opts, totals, env, argc, argv, &usable);
	if (usable) {
		print_bins(opts, totals, &style, text);
	}
	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	totals_free(totals);
	return status;
}

const struct tool tool = {
	.name = "rwtotal",
	.summary = "print the volume of records by a small key",
	.usage = "KEY [SWITCHES] [FILES]",
	.opts = total_opt_table,
	.opts_size = sizeof(struct total_opts),
	.opts_default = &total_defaults,
	.run = total_run,
};

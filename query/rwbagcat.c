/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwbagcat: print bags as text. */
#include "query/textfile.h"
#include "query/tool.h"

#include "common/numlist.h"
#include "query/bagprint.h"
#include "query/pmapfile.h"
#include "storage/bag.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

/* Which of the forms of output, if any. */
enum form { FORM_LIST, FORM_NETWORKS, FORM_BINS, FORM_SORTED };

/* A switch whose argument may be left out: index into choices. */
struct choice {
	bool given;
	int value;
};

struct bagcat_opts {
	struct opt_optstr network_structure;
	struct choice bin_ips;
	struct choice sort_counters;
	struct opt_optstr print_statistics;
	struct baglimits limits;
	char *mask_set;
	char *pmap_file;
	struct bagkey_format format;
	struct text_opts text;
	struct output_opts output;
	struct site_opts site;
};

static const struct bagcat_opts defaults = {
	.limits = { .min_counter = 1, .max_counter = UINT64_MAX },
};

static const char *const scale_names[] = { "linear", "binary", "decimal", NULL };
static const char *const order_names[] = { "decreasing", "increasing", NULL };

/* By unique prefix; none is the first. */
static int parse_choice(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	const char *const *names = opt->tag ? scale_names : order_names;
	struct choice *choice = dest;
	size_t len = text ? strlen(text) : 0;

	*choice = (struct choice){ true, 0 };
	for (int i = 0; text && len && names[i]; i++) {
		if (g_ascii_strncasecmp(text, names[i], len) == 0) {
			choice->value = i;
			return ST_OK;
		}
	}
	return text ? err_set(err, ST_EINVAL, "none of %s, %s%s%s", names[0], names[1],
			      names[2] ? ", " : "", names[2] ? names[2] : "")
		    : ST_OK;
}

/* One file may be named, however often the switch is given. */
static int parse_statistics(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct opt_optstr *statistics = dest;

	if (text && statistics->text) {
		return err_set(err, ST_EINVAL, "Only one file may be named");
	}
	statistics->given = true;
	if (text) {
		statistics->text = g_strdup(text);
	}
	return ST_OK;
}

static const struct opt bagcat_opt_table[] = {
	OPT_OPTSTR(struct bagcat_opts, network_structure, "network-structure", 0, "STRUCTURE",
		   "print sums of counters in blocks of these sizes"),
	OPT_CALL(struct bagcat_opts, bin_ips, "bin-ips", 0, "SCALE", parse_choice, OPT_ARG_OPTIONAL,
		 "print how many keys have each counter: linear, binary, decimal", .tag = 1),
	OPT_CALL(struct bagcat_opts, sort_counters, "sort-counters", 0, "ORDER", parse_choice,
		 OPT_ARG_OPTIONAL, "print in order of the counters: decreasing, increasing"),
	OPT_CALL(struct bagcat_opts, print_statistics, "print-statistics", 0, "PATH",
		 parse_statistics, OPT_ARG_OPTIONAL,
		 "print statistics of keys and counters, to this file if one is named"),
	OPT_GROUP(struct bagcat_opts, limits, baglimits_key_opt_table),
	OPT_STR(struct bagcat_opts, mask_set, "mask-set", 0, "FILE",
		"print only keys in this IPset", .flags = OPT_ONCE),
	OPT_U64(struct bagcat_opts, limits.min_counter, "mincounter", 0, "N", 1, UINT64_MAX,
		"print only keys with a counter of at least this"),
	OPT_U64(struct bagcat_opts, limits.max_counter, "maxcounter", 0, "N", 1, UINT64_MAX,
		"print only keys with a counter of at most this"),
	OPT_FLAG(struct bagcat_opts, limits.zero_counts, "zero-counts", 0,
		 "print keys without a counter, too; needs a set or both key limits"),
	OPT_STR(struct bagcat_opts, pmap_file, "pmap-file", 0, "[NAME:]PATH",
		"the prefix map for keys that were made with one", .flags = OPT_ONCE),
	OPT_GROUP(struct bagcat_opts, format, bagkey_opt_table),
	OPT_GROUP(struct bagcat_opts, text, text_opt_table),
	OPT_GROUP(struct bagcat_opts, output, output_opt_table),
	OPT_GROUP(struct bagcat_opts, site, site_opt_table),
	OPT_END,
};

struct job {
	const struct bagcat_opts *opts;
	enum form form;
	struct baglimits limits;
	struct netstructure net;
	struct ipset *mask;
	struct pmapfile map;
	const struct site *site;
	struct text_style style;
	int fd;
	int statistics_fd;           /* -1: none */
	struct textfile *statistics; /* where they are another file than the rest, or NULL */
	bool titled;                 /* CSV is one table of all files: its titles come once */
	bool statistics_titled;      /* the same of statistics */
};

/* --- switches that go together --- */

static enum form choose_form(const struct bagcat_opts *opts)
{
	if (opts->network_structure.given && opts->bin_ips.given) {
		tool_die("Cannot specify both --network-structure and --bin-ips");
	}
	if (opts->bin_ips.given) {
		return FORM_BINS;
	}
	/* as in SiLK, whose sorted keys have no networks */
	return opts->sort_counters.given       ? FORM_SORTED
	       : opts->network_structure.given ? FORM_NETWORKS
					       : FORM_LIST;
}

static void check_limits(const struct baglimits *limits, bool mask)
{
	if (limits->zero_counts && !mask && !(limits->min_key_given && limits->max_key_given)) {
		tool_usage("To use --zero-counts, either --mask-set or both --minkey and --maxkey "
			   "must be specified");
	}
	baglimits_check(limits);
}

/* Addresses only: networks and sets of them are of no use for other keys. */
static int check_addresses(const struct job *job, const struct bag *bag, struct err *err)
{
	enum bagtype_kind kind = bagtype_kind(bag_key_type(bag));

	if (kind == BAGKIND_IP || kind == BAGKIND_CUSTOM ||
	    (job->form != FORM_NETWORKS && !job->mask)) {
		return ST_OK;
	}
	return err_set(err, ST_EINVAL, "Cannot use --%s with a Bag containing %s keys",
		       job->form == FORM_NETWORKS ? "network-structure" : "mask-set",
		       bagtype_name(bag_key_type(bag)));
}

/* --- printing --- */

static void print_form(const struct job *job, const struct bagprint *print, struct bag *bag)
{
	const struct bagcat_opts *opts = job->opts;

	switch (job->form) {
	case FORM_NETWORKS:
		bagprint_networks(print, bag, &job->net);
		break;
	case FORM_BINS:
		bagprint_bins(print, bag, (enum bagprint_bins)opts->bin_ips.value);
		break;
	case FORM_SORTED:
		bagprint_list(print, bag,
			      opts->sort_counters.value ? BAGPRINT_INCREASING
							: BAGPRINT_DECREASING);
		break;
	case FORM_LIST:
		bagprint_list(print, bag, BAGPRINT_BY_KEY);
		break;
	}
}

/* What one table prints to one descriptor. */
static void print_to(struct job *job, int fd, const struct bagkey *key, struct bag *bag,
		     bool statistics)
{
	bool *titled = statistics ? &job->statistics_titled : &job->titled;
	struct text_style style = job->style;
	struct bagprint print = { .limits = &job->limits, .key = key, .style = &style };

	style.no_titles |= *titled;
	*titled = text_form_is_data(style.form);
	print.text = text_new(fd, &style);
	if (statistics) {
		bagprint_statistics(&print, bag);
	} else {
		print_form(job, &print, bag);
	}
	tool_close_text(print.text);
}

static int print_bag(struct job *job, struct bag *bag, struct err *err)
{
	bool list = job->form != FORM_LIST || job->statistics_fd < 0;
	/* bins have no keys: how they would be printed does not matter */
	bool keys = job->form != FORM_BINS || job->statistics_fd >= 0;
	struct bagkey key = { 0 };
	int status =
		keys ? bagkey_init(&key, &job->opts->format, bag, job->site, job->map.pmap, err)
		     : ST_OK;

	if (status == ST_OK) {
		status = check_addresses(job, bag, err);
	}
	if (!job->opts->format.text) {
		key.ctx.timestamp_format =
			text_time_format(job->style.form, key.ctx.timestamp_format);
	}
	if (status == ST_OK && list) {
		print_to(job, job->fd, &key, bag, false);
	}
	if (status == ST_OK && job->statistics_fd >= 0) {
		print_to(job, job->statistics_fd, &key, bag, true);
	}
	return status;
}

/* SiLK's tools stop at the first file that is wrong, so does this. */
static int print_file(struct job *job, const char *path)
{
	struct bag *bag = NULL;
	struct err err;
	int status = bag_read(&bag, path, NULL, &err);

	if (status == ST_OK) {
		status = print_bag(job, bag, &err);
	}
	bag_free(bag);
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

/* --- the run --- */

static void open_statistics(struct job *job)
{
	const char *path = job->opts->print_statistics.text;

	job->statistics_fd = -1;
	if (!job->opts->print_statistics.given) {
		return;
	}
	if ((!path || tool_is_stdout(path)) && !job->opts->output.output_path) {
		job->statistics_fd = job->fd;
		return;
	}
	job->statistics = textfile_open(path ? path : "stdout");
	job->statistics_fd = textfile_fd(job->statistics);
}

static int close_statistics(struct job *job)
{
	struct err err;

	if (textfile_close(job->statistics, &err) != ST_OK) {
		tool_warn("cannot write %s", err.text);
		return TOOL_EXIT_ERROR;
	}
	return TOOL_EXIT_OK;
}

static void set_up(struct job *job, struct tool_env *env)
{
	const struct bagcat_opts *opts = job->opts;
	struct err err;

	job->form = choose_form(opts);
	check_limits(&opts->limits, opts->mask_set);
	job->limits = opts->limits;
	if (text_style_from_opts(&opts->text, &job->style, &err) != ST_OK ||
	    (opts->network_structure.given &&
	     netstructure_parse(opts->network_structure.text, &job->net, &err) != ST_OK) ||
	    (opts->mask_set && ipset_read(&job->mask, opts->mask_set, NULL, &err) != ST_OK) ||
	    (opts->pmap_file && pmapfile_read(&job->map, opts->pmap_file, &err) != ST_OK)) {
		tool_die_err(&err);
	}
	job->limits.mask = job->mask;
	job->site = tool_site(env, &opts->site, false);
	job->fd = tool_output(env, &opts->output);
	open_statistics(job);
	if (job->style.form == TEXT_CSV && job->form != FORM_LIST &&
	    job->statistics_fd == job->fd) {
		tool_die("CSV is one table: --print-statistics needs a file of its own");
	}
}

static int bagcat_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct job job = { .opts = base };
	int status = TOOL_EXIT_OK;

	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	set_up(&job, env);
	if (!argc) {
		status = print_file(&job, "-");
	}
	for (int i = 0; i < argc && status == TOOL_EXIT_OK; i++) {
		status = print_file(&job, argv[i]);
	}
	if (close_statistics(&job) != TOOL_EXIT_OK) {
		status = TOOL_EXIT_ERROR;
	}
	ipset_free(job.mask);
	pmapfile_release(&job.map);
	return status;
}

const struct tool tool = {
	.name = "rwbagcat",
	.summary = "Print bags as text",
	.usage = "[SWITCHES] [BAG_FILES]",
	.opts = bagcat_opt_table,
	.opts_size = sizeof(struct bagcat_opts),
	.opts_default = &defaults,
	.run = bagcat_run,
};

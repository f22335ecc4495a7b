/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwstats: the groups of records with the greatest or smallest value. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/numlist.h"
#include "query/bins.h"
#include "query/protostats.h"
#include "query/sorter.h"
#include "query/toplist.h"
#include "query/threads.h"
#include "query/tool.h"

struct stats_opts {
	char *fields;
	char *values;
	unsigned old_fields; /* --sip and its like: bits of OLD_SIP ... */
	const char *old_value;
	struct bins_mask mask;
	bool help_fields;
	bool overall_stats;
	char *detail_proto_stats;
	struct number_choice {
		bool given;
		uint64_t number;
	} count, threshold;
	struct percent_choice {
		bool given;
		double percent;
	} percentage;
	bool top;
	bool bottom;
	bool no_percents;
	bool presorted_input;
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

static int parse_number(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct number_choice *choice = dest;

	choice->given = true;
	return number_parse(text, 0, UINT64_MAX - 1, &choice->number, err);
}

static int parse_percent(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct percent_choice *choice = dest;

	choice->given = true;
	return real_parse(text, 0, 100, &choice->percent, err);
}

static const char *const old_field_names[] = { "sip",   "dip",      "sport",
					       "dport", "protocol", "icmpTypeCode" };
enum { OLD_SIP, OLD_DIP, OLD_SPORT, OLD_DPORT, OLD_PROTOCOL, OLD_ICMP };

/* dest is the whole options struct: an old key switch may also set a mask. */
static int parse_old_field(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct stats_opts *opts = dest;
	uint64_t bits = 0;

	if (opts->old_fields & 1U << opt->tag) {
		return err_set(err, ST_EINVAL, "switch used multiple times");
	}
	opts->old_fields |= 1U << opt->tag;
	if (text && number_parse(text, 1, 31, &bits, err) != ST_OK) {
		return ST_EINVAL;
	}
	if (opt->tag == OLD_SIP) {
		opts->mask.sip_bits = (unsigned)bits;
	} else if (opt->tag == OLD_DIP) {
		opts->mask.dip_bits = (unsigned)bits;
	}
	return ST_OK;
}

static int parse_old_value(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	const char **value = dest;

	if (*value) {
		return err_set(err, ST_EINVAL,
			       "Only one of --flows, --packets and --bytes may be given");
	}
	*value = opt->name;
	return ST_OK;
}

static int parse_legacy_help(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	tool_help(NULL);
	exit(TOOL_EXIT_OK);
}

#define OLD_FIELD(name_, tag_, arg_, flags_, help_)                                                \
	{                                                                                          \
		.kind = OPT_KIND_CALL, .name = name_, .arg = arg_, .parse = parse_old_field,       \
		.flags = flags_, .help = help_, .tag = tag_                                        \
	}
#define OLD_VALUE(name_, help_)                                                                    \
	OPT_CALL(struct stats_opts, old_value, name_, 0, NULL, parse_old_value, OPT_ARG_NONE, help_)

static const struct opt stats_opt_table[] = {
	OPT_FLAG(struct stats_opts, overall_stats, "overall-stats", 0,
		 "print intervals and quartiles of bytes, packets and bytes per packet"),
	OPT_STR(struct stats_opts, detail_proto_stats, "detail-proto-stats", 0, "LIST",
		"print the same for each of these protocols, too"),
	OPT_STR(struct stats_opts, fields, "fields", 'f', "LIST", "group by these fields",
		.flags = OPT_ONCE),
	OPT_STR(struct stats_opts, values, "values", 0, "LIST",
		"compute these values of each group; the first one ranks", .flags = OPT_ONCE,
		.default_text = "Records"),
	OPT_CALL(struct stats_opts, count, "count", 0, "N", parse_number, OPT_ONCE,
		 "print this many groups; 0: all"),
	OPT_CALL(struct stats_opts, threshold, "threshold", 0, "N", parse_number, OPT_ONCE,
		 "print groups whose value is at least (bottom: at most) this"),
	OPT_CALL(struct stats_opts, percentage, "percentage", 0, "PERCENT", parse_percent, OPT_ONCE,
		 "print groups whose value is at least (bottom: at most) this part of the total"),
	OPT_FLAG(struct stats_opts, top, "top", 0, "the greatest values (the default)",
		 .flags = OPT_ONCE),
	OPT_FLAG(struct stats_opts, bottom, "bottom", 0, "the smallest values", .flags = OPT_ONCE),
	OPT_FLAG(struct stats_opts, no_percents, "no-percents", 0,
		 "do not print the columns of percentages"),
	OPT_FLAG(struct stats_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_CALL(struct stats_opts, help_fields, "legacy-help", 0, NULL, parse_legacy_help,
		 OPT_ARG_NONE, "list all switches and exit"),
	OPT_FLAG(struct stats_opts, presorted_input, "presorted-input", 0,
		 "the input has been sorted by rwsort with the same --fields"),
	OPT_CALL(struct stats_opts, bin_time, "bin-time", 0, "SECONDS", bin_time_parse,
		 OPT_ARG_OPTIONAL, "cut times in the key to multiples of this; alone: 60"),
	OPT_SIZE(struct stats_opts, memory, "memory", 0, "SIZE", BINS_MEMORY_MIN, UINT64_MAX,
		 "group in this much memory, the rest in temporary files", .default_text = "1g",
		 .flags = OPT_ADDED),
	OPT_STR(struct stats_opts, temp_directory, "temp-directory", 0, "DIR",
		"write temporary files here"),
	OLD_FIELD("sip", OLD_SIP, "BITS", OPT_ARG_OPTIONAL, "as --fields=sip, of so many bits"),
	OLD_FIELD("dip", OLD_DIP, "BITS", OPT_ARG_OPTIONAL, "as --fields=dip, of so many bits"),
	OLD_FIELD("sport", OLD_SPORT, NULL, OPT_ARG_NONE, "as --fields=sport"),
	OLD_FIELD("dport", OLD_DPORT, NULL, OPT_ARG_NONE, "as --fields=dport"),
	OLD_FIELD("protocol", OLD_PROTOCOL, NULL, OPT_ARG_NONE, "as --fields=protocol"),
	OLD_FIELD("icmp", OLD_ICMP, NULL, OPT_ARG_NONE, "as --fields=iType,iCode"),
	OLD_VALUE("flows", "as --values=flows"),
	OLD_VALUE("packets", "as --values=packets"),
	OLD_VALUE("bytes", "as --values=bytes"),
	OPT_GROUP(struct stats_opts, made, madefield_opt_table),
	OPT_GROUP(struct stats_opts, made, madefield_width_opt_table),
	OPT_GROUP(struct stats_opts, sampling, sampling_opt_table),
	OPT_GROUP(struct stats_opts, format, format_opt_table),
	OPT_GROUP(struct stats_opts, text, text_opt_table),
	OPT_GROUP(struct stats_opts, output, output_opt_table),
	OPT_GROUP(struct stats_opts, threads, threads_opt_table),
	OPT_GROUP(struct stats_opts, source, source_opt_table),
	OPT_GROUP(struct stats_opts, site, site_opt_table),
	OPT_END,
};

/* Up to so many bins are kept in a list; more are sorted with all others. */
#define TOP_MAX 10000

/*
 * A ranking: bins sorted by value, then by key. But those of presorted input come in the order in which
 * SiLK has them, too: there those of equal values are put as SiLK puts them.
 */
struct ranking {
	struct bins *bins;
	bool bottom;
	bool presorted;
	bool by_key;           /* presorted, but of several files: as merging them would have it */
	struct sorter *sorter; /* rows: primary value for sorting, key, values */
	struct toplist *top;   /* in its place, when few bins are wanted, or presorted */
	uint64_t wanted;       /* --count; 0: not given, or all */
	uint8_t *row;          /* one being made for top */
	uint64_t bin_count;
	uint64_t total; /* of the primary value */
	uint64_t limit; /* bins to print */
	bool by_value;  /* only bins within threshold */
	uint64_t threshold;
};

static bool are_pair(unsigned fields)
{
	return fields == (1U << OLD_SIP | 1U << OLD_DIP) ||
	       fields == (1U << OLD_SPORT | 1U << OLD_DPORT);
}

static void check_old_switches(const struct stats_opts *opts)
{
	const unsigned fields = opts->old_fields;

	if (opts->fields && fields) {
		tool_usage("--fields cannot be combined with switches that name a field each");
	}
	if (opts->values && opts->old_value) {
		tool_usage("--values cannot be combined with --%s", opts->old_value);
	}
	if ((fields & (fields - 1)) && !are_pair(fields)) {
		tool_usage("of the switches that name a field each, only --sip and --dip, or "
			   "--sport and --dport, go together: use --fields");
	}
}

static void check_opts(const struct stats_opts *opts)
{
	int limits = opts->count.given + opts->threshold.given + opts->percentage.given;

	check_old_switches(opts);
	if (!opts->fields && !opts->old_fields) {
		tool_usage("--fields is needed, or one of --overall-stats and "
			   "--detail-proto-stats");
	}
	if (opts->top && opts->bottom) {
		tool_usage("only one of --top and --bottom may be given");
	}
	if (limits != 1) {
		tool_usage("one of --count, --threshold and --percentage is needed");
	}
	if (opts->presorted_input && opts->percentage.given) {
		tool_usage("--percentage cannot be combined with --presorted-input");
	}
}

static int choose_fields(struct bins *bins, const struct stats_opts *opts, struct err *err)
{
	GString *list;
	int status;

	if (opts->fields) {
		return bins_set_fields(bins, opts->fields, err);
	}
	list = g_string_new(NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(old_field_names); i++) {
		if (opts->old_fields & 1U << i) {
			g_string_append_printf(list, "%s,", old_field_names[i]);
		}
	}
	status = bins_set_fields(bins, list->str, err);
	g_string_free(list, TRUE);
	return status;
}

static int choose_bins(struct bins *bins, const struct stats_opts *opts, struct err *err)
{
	const char *values = opts->values ? opts->values : opts->old_value;
	int status = choose_fields(bins, opts, err);

	return status == ST_OK ? bins_add_values(bins, values ? values : "Records", false, err)
			       : status;
}

static const struct bin_value *primary(const struct bins *bins)
{
	return &g_array_index(bins->values, struct bin_value, 0);
}

static void add_percent_columns(struct bins *bins)
{
	char *title = g_strconcat("%", primary(bins)->title, NULL);

	text_add_column(bins->text, title, 10, true);
	text_add_column(bins->text, "cumul_%", 10, true);
	g_free(title);
}

/* ---- ranking ---- */

/* The rank of a value as a number: greatest first unless bottom. */
static uint64_t rank_of(const struct ranking *ranking, uint64_t value)
{
	return ranking->bottom ? value : ~value;
}

static bool within(const struct ranking *ranking, uint64_t value)
{
	return !ranking->by_value ||
	       (ranking->bottom ? value <= ranking->threshold : value >= ranking->threshold);
}

static int rank_bin(struct ranking *ranking, const struct group_bin *bin, struct err *err)
{
	struct bins *bins = ranking->bins;
	size_t key_size = group_key_size(bins->group);
	uint8_t *row = ranking->top ? ranking->row : sorter_add(ranking->sorter, err);
	uint64_t value = bins_rank(bins, bin, 0);
	uint64_t rank = GUINT64_TO_BE(rank_of(ranking, value));

	if (!row) {
		return ST_EIO;
	}
	memcpy(row, &rank, sizeof(rank));
	memcpy(row + sizeof(rank), bin->key, key_size);
	memcpy(row + sizeof(rank) + key_size, bin->values, bins->values->len * sizeof(uint64_t));
	if (ranking->top && within(ranking, value)) {
		toplist_offer(ranking->top, row);
	}
	ranking->bin_count++;
	ranking->total += bin->values[0];
	return ST_OK;
}

static int rank_all(struct ranking *ranking, const char *temp_dir, struct err *err)
{
	struct bins *bins = ranking->bins;
	size_t key_size = group_key_size(bins->group);
	size_t row_size = sizeof(uint64_t) + key_size + bins->values->len * sizeof(uint64_t);
	struct group_bin bin;
	int status = group_finish(bins->group, ranking->by_key, err);

	ranking->row = g_malloc(row_size);
	if (ranking->presorted) {
		ranking->top = toplist_new(ranking->wanted ? ranking->wanted : SIZE_MAX,
					   sizeof(uint64_t), row_size);
	} else if (ranking->wanted > 0 && ranking->wanted <= TOP_MAX) {
		ranking->top = toplist_new(ranking->wanted, sizeof(uint64_t) + key_size, row_size);
	} else {
		ranking->sorter = sorter_new(&(struct sorter_opts){
			.key_size = sizeof(uint64_t) + key_size,
			.row_size = row_size,
			.temp_dir = temp_dir,
			.beside = bins->values->len + 1, /* those of the groups, at most */
		});
	}
	while (status == ST_OK && (status = group_next(bins->group, &bin, err)) == ST_OK) {
		status = rank_bin(ranking, &bin, err);
	}
	if (status == ST_END && ranking->top) {
		toplist_finish(ranking->top);
		return ST_OK;
	}
	if (status == ST_END) {
		status = sorter_finish(ranking->sorter, err);
	}
	return status;
}

/* The bin of a row of the sorter. values: a buffer for them. */
static struct group_bin bin_of_row(const struct ranking *ranking, const uint8_t *row,
				   uint64_t *values)
{
	size_t key_size = group_key_size(ranking->bins->group);

	memcpy(values, row + sizeof(uint64_t) + key_size,
	       ranking->bins->values->len * sizeof(uint64_t));
	return (struct group_bin){ .key = row + sizeof(uint64_t), .values = values };
}

/* ---- printing ---- */

/* SiLK's mark, in forms that know no better. */
static void print_unknown_percents(struct bins *bins)
{
	const char *mark = bins->no_marks ? "" : "?";

	text_cell_string(bins->text, mark);
	text_cell_string(bins->text, mark);
}

static void print_percents(struct bins *bins, uint64_t value, uint64_t sum, uint64_t total)
{
	bool distinct = primary(bins)->value.op == GROUP_DISTINCT;
	double divisor = (double)total;
	int len;

	if (primary(bins)->made) {
		print_unknown_percents(bins);
		return;
	}

	len = snprintf(text_cell(bins->text), TEXT_CELL_MAX, "%.6f",
		       total ? 100.0 * (double)value / divisor : 0.0);
	text_cell_done(bins->text, (size_t)len);
	len = snprintf(text_cell(bins->text), TEXT_CELL_MAX, "%.*f", distinct ? 4 : 6,
		       total ? 100.0 * (double)sum / divisor : 0.0);
	text_cell_done(bins->text, (size_t)len);
}

/* Rows are gathered first, as the heading tells how many there are. */
static int print_rows(struct ranking *ranking, GByteArray *rows, size_t row_size, bool percents)
{
	struct bins *bins = ranking->bins;
	uint64_t *values = g_new(uint64_t, bins->values->len);
	uint64_t sum = 0;

	for (size_t at = 0; at < rows->len; at += row_size) {
		struct group_bin bin = bin_of_row(ranking, rows->data + at, values);

		sum += bin.values[0];
		bins_print_key(bins, &bin);
		bins_print_values(bins, &bin);
		if (percents) {
			print_percents(bins, bin.values[0], sum, ranking->total);
		}
		text_row_done(bins->text);
	}
	g_free(values);
	return ST_OK;
}

static int gather_rows(struct ranking *ranking, GByteArray *rows, size_t row_size, struct err *err)
{
	const uint8_t *row;
	int status = ST_OK;

	for (size_t i = 0; ranking->top && i < toplist_count(ranking->top); i++) {
		g_byte_array_append(rows, toplist_row(ranking->top, i), (guint)row_size);
	}
	if (ranking->top) {
		return ST_OK;
	}
	while (rows->len / row_size < ranking->limit &&
	       (status = sorter_next(ranking->sorter, &row, err)) == ST_OK) {
		uint64_t rank;

		memcpy(&rank, row, sizeof(rank));
		if (!within(ranking, rank_of(ranking, GUINT64_FROM_BE(rank)))) {
			break;
		}
		g_byte_array_append(rows, row, (guint)row_size);
	}
	return status == ST_END ? ST_OK : status;
}

static const char *plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

static void print_input(const struct ranking *ranking, uint64_t records, GString *text)
{
	g_string_append_printf(text, "INPUT: %" PRIu64 " Record%s for %" PRIu64 " Bin%s", records,
			       plural(records), ranking->bin_count, plural(ranking->bin_count));
	if (ranking->bin_count && !primary(ranking->bins)->made) {
		g_string_append_printf(text, " and %" PRIu64 " Total %s", ranking->total,
				       primary(ranking->bins)->title);
	}
	g_string_append_c(text, '\n');
}

/* What ends the list: a number of bins, a value, or a part of the total; and when none is left. */
static void print_heading(const struct ranking *ranking, const struct stats_opts *opts,
			  uint64_t records, uint64_t shown)
{
	const char *title = primary(ranking->bins)->title;
	const char *side = ranking->bottom ? "Bottom" : "Top";
	const char *beyond = ranking->bottom ? "below" : "above";
	double percent = opts->percentage.percent;
	GString *text = g_string_new(NULL);

	print_input(ranking, records, text);
	g_string_append(text, "OUTPUT: ");
	if (opts->count.given) {
		g_string_append_printf(text, "%s %" PRIu64 " Bin%s by %s", side, shown,
				       plural(shown), title);
	} else if (opts->threshold.given && shown) {
		g_string_append_printf(text, "%s %" PRIu64 " bins by %s (threshold %" PRIu64 ")",
				       side, shown, title, ranking->threshold);
	} else if (opts->threshold.given) {
		g_string_append_printf(text, "No bins %s threshold of %" PRIu64 " %s", beyond,
				       ranking->threshold, title);
	} else if (shown) {
		g_string_append_printf(text, "%s %" PRIu64 " bins by %s (%.4f%% == %" PRIu64 ")",
				       side, shown, title, percent, ranking->threshold);
	} else {
		g_string_append_printf(text, "No bins %s threshold of %.4f%% (%" PRIu64 " %s)",
				       beyond, percent, ranking->threshold, title);
	}
	g_string_append_c(text, '\n');
	text_raw(ranking->bins->text, text->str);
	g_string_free(text, TRUE);
}

static int print_ranking(struct ranking *ranking, const struct stats_opts *opts, uint64_t records,
			 struct err *err)
{
	size_t row_size = sizeof(uint64_t) + group_key_size(ranking->bins->group) +
			  ranking->bins->values->len * sizeof(uint64_t);
	GByteArray *rows = g_byte_array_new();
	struct text *text = ranking->bins->text;
	bool headings = !opts->text.no_titles && !text_is_data(&opts->text);
	int status = gather_rows(ranking, rows, row_size, err);
	uint64_t shown = rows->len / row_size;

	if (headings) {
		print_heading(ranking, opts, records,
			      opts->count.number ? opts->count.number : shown);
	}
	if (shown || opts->count.given) {
		text_titles(text);
	}
	if (status == ST_OK) {
		status = print_rows(ranking, rows, row_size, !opts->no_percents);
	}
	g_byte_array_free(rows, TRUE);
	return status;
}

static struct ranking ranking_of(const struct stats_opts *opts, const struct bins_start_opts *start,
				 struct bins *bins)
{
	return (struct ranking){
		.bins = bins,
		.bottom = opts->bottom,
		.presorted = opts->presorted_input,
		.by_key = opts->presorted_input && !start->presorted,
		.wanted = opts->count.number,
		.limit = opts->count.number ? opts->count.number : UINT64_MAX,
		.by_value = !opts->count.given,
		.threshold = opts->threshold.number,
	};
}

/* The limits that follow from all bins. */
static void set_limits(struct ranking *ranking, const struct stats_opts *opts)
{
	if (ranking->bins->want_total) {
		ranking->total = bins_total(ranking->bins);
	}
	if (opts->percentage.given) {
		ranking->threshold =
			(uint64_t)((double)ranking->total * opts->percentage.percent / 100.0);
	}
}

static int rank_run(const struct stats_opts *opts, struct bins_start_opts *start, int argc,
		    char **argv)
{
	struct bins bins;
	struct ranking ranking = ranking_of(opts, start, &bins);
	struct err err;
	int exit_status;

	check_opts(opts);
	bins_init(&bins, &opts->made, start->env, &opts->site);
	if (choose_bins(&bins, opts, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	if (primary(&bins)->made && !opts->count.given) {
		tool_usage("a value that is worked out can be ranked with --count only");
	}
	bins.no_marks = text_is_data(&opts->text);
	bins.want_total = primary(&bins)->value.op == GROUP_DISTINCT;
	bins.mask = opts->mask;
	if (bins_start(&bins, start, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	if (!opts->no_percents) {
		add_percent_columns(&bins);
	}
	exit_status = bins_read(&bins, start, argc, argv);
	if (exit_status == TOOL_EXIT_OK) {
		if (rank_all(&ranking, bins_temp_dir(opts->temp_directory), &err) != ST_OK) {
			tool_die_err(&err);
		}
		set_limits(&ranking, opts);
		if (print_ranking(&ranking, opts, bins.records, &err) != ST_OK) {
			tool_die_err(&err);
		}
	}
	if (text_close(bins.text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	sorter_free(ranking.sorter);
	toplist_free(ranking.top);
	g_free(ranking.row);
	bins_release(&bins);
	return exit_status;
}

/* No field is printed, but a map that cannot be read is told, as it is with --fields. */
static void check_made_fields(const struct stats_opts *opts, struct tool_env *env)
{
	struct extfields *ext = extfields_new();

	madefields_free(madefields_new(&opts->made, env, &opts->site, ext));
	extfields_free(ext);
}

static int stats_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct stats_opts *opts = options;
	struct bins_start_opts start = {
		.env = env,
		.format = &opts->format,
		.text = &opts->text,
		.output = &opts->output,
		.source = &opts->source,
		.site = &opts->site,
		.sampling = &opts->sampling,
		.bin_time = opts->bin_time,
		.presorted = opts->presorted_input && bins_has_one_input(&opts->source, argc),
		.threads = threads_wanted(&opts->threads),
		.memory_bytes = opts->memory,
		.temp_dir = opts->temp_directory,
	};

	if (opts->help_fields) {
		format_help_fields(FIELD_LIST_NO_DEPRECATED);
		return TOOL_EXIT_OK;
	}
	if (opts->overall_stats || opts->detail_proto_stats) {
		check_made_fields(opts, env);
		return protostats_run(&start, opts->detail_proto_stats, argc, argv);
	}
	return rank_run(opts, &start, argc, argv);
}

const struct tool tool = {
	.name = "rwstats",
	.summary = "print the groups of records with the greatest or smallest value",
	.usage = "--fields=LIST {--count=N | --threshold=N | --percentage=N} [SWITCHES] [FILES]",
	.opts = stats_opt_table,
	.opts_size = sizeof(struct stats_opts),
	.run = stats_run,
};

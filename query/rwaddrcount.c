/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwaddrcount: volume and time of activity by source or destination address. */
#include <glib.h>

#include "common/text.h"
#include "common/timestamp.h"
#include "query/bins.h"
#include "query/format.h"
#include "query/groupcrew.h"
#include "query/setsink.h"
#include "query/source.h"
#include "query/threads.h"
#include "query/tool.h"
#include "query/volume.h"

/* What becomes of the addresses; the last switch counts. */
enum addr_mode {
	MODE_NONE,
	MODE_RECORDS,
	MODE_ADDRESSES,
	MODE_STATISTICS,
	MODE_SET,
};

struct addr_output {
	enum addr_mode mode;
	const char *set_path;
};

struct addr_opts {
	struct addr_output what;
	bool use_dest;
	bool sort_ips;
	struct volume_limits limits;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct threads_opts threads;
	struct source_opts source;
	struct site_opts site;
};

static int parse_mode(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	*(struct addr_output *)dest = (struct addr_output){ (enum addr_mode)opt->tag, text };
	return ST_OK;
}

#define PRINT(name_, mode_, help_)                                                                 \
	OPT_CALL(struct addr_opts, what, name_, 0, NULL, parse_mode, OPT_ARG_NONE, help_,          \
		 .tag = mode_)
#define OLD_LIMIT(name_, member_, new_name_)                                                       \
	OPT_U64(struct addr_opts, limits.member_, name_, 0, "COUNT", 0, UINT64_MAX,                \
		"as --" new_name_, .flags = OPT_HIDDEN)

static const struct opt addr_opt_table[] = {
	PRINT("print-recs", MODE_RECORDS, "print volume and times of each address"),
	PRINT("print-stat", MODE_STATISTICS,
	      "print the number of addresses and the volume of all of them together"),
	PRINT("print-ips", MODE_ADDRESSES, "print the addresses alone"),
	OPT_FLAG(struct addr_opts, use_dest, "use-dest", 0,
		 "count by destination addresses, not by source addresses"),
	OPT_GROUP(struct addr_opts, limits, volume_limits_opt_table),
	OPT_CALL(struct addr_opts, what, "set-file", 0, "FILE", parse_mode, 0,
		 "write the addresses as an IPset to this file", .tag = MODE_SET),
	OPT_GROUP(struct addr_opts, format, format_ip_time_opt_table),
	OPT_FLAG(struct addr_opts, sort_ips, "sort-ips", 0, "print addresses in ascending order"),
	OPT_GROUP(struct addr_opts, text, text_opt_table),
	OPT_GROUP(struct addr_opts, output, output_opt_table),
	OPT_GROUP(struct addr_opts, threads, threads_opt_table),
	OPT_GROUP(struct addr_opts, source, source_print_opt_table),
	OPT_CALL(struct addr_opts, source.ipv6_policy, "ipv6-policy", 0, "POLICY",
		 source_parse_policy, OPT_ADDED,
		 "treat IPv6 records so: ignore, asv4, mix, force or only", .default_text = "asv4"),
	OPT_GROUP(struct addr_opts, site, site_opt_table),
	OLD_LIMIT("byte-min", min.bytes, "min-bytes"),
	OLD_LIMIT("packet-min", min.packets, "min-packets"),
	OLD_LIMIT("rec-min", min.records, "min-records"),
	OLD_LIMIT("byte-max", max.bytes, "max-bytes"),
	OLD_LIMIT("packet-max", max.packets, "max-packets"),
	OLD_LIMIT("rec-max", max.records, "max-records"),
	OPT_END,
};

/* As SiLK has it, unless told otherwise. */
static char like_v4[] = "asv4";
static const struct addr_opts addr_defaults = {
	.limits = VOLUME_LIMITS_NONE,
	.source = { .ipv6_policy = like_v4 },
};

/* ---- counting ---- */

enum addr_value { VALUE_BYTES, VALUE_PACKETS, VALUE_RECORDS, VALUE_START, VALUE_END, VALUE_COUNT };

static const struct group_value group_values[VALUE_COUNT] = {
	[VALUE_BYTES] = { .op = GROUP_BYTES },     [VALUE_PACKETS] = { .op = GROUP_PACKETS },
	[VALUE_RECORDS] = { .op = GROUP_RECORDS }, [VALUE_START] = { .op = GROUP_START_MIN },
	[VALUE_END] = { .op = GROUP_END_MAX },
};

struct addrcount {
	const struct addr_opts *opts;
	const struct field *field;
	enum ipv6_policy policy;
	unsigned threads;
	struct group *group;
	struct text_style style;
	struct field_context ctx;
	struct text *text;
	struct outfile *set_out;
};

static void make_group(struct addrcount *count)
{
	const struct group_spec spec = {
		.fields = &count->field,
		.field_count = 1,
		.values = group_values,
		.value_count = count->opts->what.mode == MODE_RECORDS ? VALUE_COUNT : VALUE_START,
		.in_order = !count->opts->sort_ips,
		.threads = count->threads,
		.temp_dir = bins_default_temp_dir(),
	};
	struct err err;

	count->field = field_find(count->opts->use_dest ? "dIP" : "sIP", NULL);
	if (group_new(&count->group, &spec, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* Returns an enum tool_exit; *usable: what was read is to be shown. */
static int read_all(struct addrcount *count, struct tool_env *env, int argc, char **argv,
		    bool *usable)
{
	struct source *source = source_new(env, &count->opts->source, argc, argv);
	const struct groupcrew crew = {
		.source = source,
		.threads = count->threads,
		.groups = { count->group },
	};
	struct err err;

	source_set_site(source, tool_site(env, &count->opts->site, false));
	source_set_damage(source, SOURCE_DAMAGE_SKIPS);
	if (groupcrew_run(&crew, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
	*usable = !source_failed(source);
	return source_close(source);
}

static struct volume bin_volume(const struct group_bin *bin)
{
	return (struct volume){
		.records = bin->values[VALUE_RECORDS],
		.bytes = bin->values[VALUE_BYTES],
		.packets = bin->values[VALUE_PACKETS],
	};
}

/* The next address that is within the limits. */
static bool next_address(struct addrcount *count, struct group_bin *bin)
{
	struct err err;
	int status;

	while ((status = group_next(count->group, bin, &err)) == ST_OK) {
		const struct volume volume = bin_volume(bin);

		if (volume_passes(&volume, &count->opts->limits)) {
			return true;
		}
	}
	if (status != ST_END) {
		tool_die_err(&err);
	}
	return false;
}

/* ---- output ---- */

static void print_time(const struct addrcount *count, uint64_t ns)
{
	text_cell_done(count->text, timestamp_print(text_cell(count->text), (int64_t)ns,
						    count->ctx.timestamp_format));
}

static void show_addresses(struct addrcount *count)
{
	struct text *text = count->text;
	struct group_bin bin;

	text_titles(text);
	while (next_address(count, &bin)) {
		struct value value;

		group_key(count->group, bin.key, 0, &value);
		text_cell_done(text, ip_print(text_cell(text), value.ip,
					      value.is_v6 || count->policy == IPV6_FORCE,
					      count->ctx.ip_format));
		if (count->opts->what.mode == MODE_RECORDS) {
			text_cell_u64(text, bin.values[VALUE_BYTES]);
			text_cell_u64(text, bin.values[VALUE_PACKETS]);
			text_cell_u64(text, bin.values[VALUE_RECORDS]);
			print_time(count, bin.values[VALUE_START]);
			print_time(count, bin.values[VALUE_END]);
		}
		text_row_done(text);
	}
}

static void print_sums(struct text *text, const char *name, uint64_t addresses,
		       const struct volume *sums)
{
	text_cell_string(text, name);
	text_cell_u64(text, addresses);
	text_cell_u64(text, sums->bytes);
	text_cell_u64(text, sums->packets);
	text_cell_u64(text, sums->records);
	text_row_done(text);
}

static void show_statistics(struct addrcount *count)
{
	struct volume all = { 0 }, qualifying = { 0 };
	uint64_t addresses = 0, qualifying_addresses = 0;
	struct group_bin bin;
	struct err err;
	int status;

	while ((status = group_next(count->group, &bin, &err)) == ST_OK) {
		const struct volume volume = bin_volume(&bin);

		addresses++;
		volume_add(&all, &volume);
		if (volume_passes(&volume, &count->opts->limits)) {
			qualifying_addresses++;
			volume_add(&qualifying, &volume);
		}
	}
	if (status != ST_END) {
		tool_die_err(&err);
	}
	text_titles(count->text);
	print_sums(count->text, "Total", addresses, &all);
	if (volume_limits_given(&count->opts->limits)) {
		print_sums(count->text, "Qualifying", qualifying_addresses, &qualifying);
	}
}

/* Returns an enum tool_exit. */
static int write_set(struct addrcount *count)
{
	static const struct setsink_opts sink_opts = {
		.version = { .given = true },
		.sink.compression = { .given = true, .method = COMPRESSION_NONE },
	};
	struct ipset *set = ipset_new();
	struct header entries;
	struct group_bin bin;
	int status;

	while (next_address(count, &bin)) {
		struct value value;

		group_key(count->group, bin.key, 0, &value);
		ipset_add(set, value.ip);
	}
	header_init(&entries);
	status = setsink_write(count->set_out, set, &sink_opts, &entries, "cannot write IPset");
	count->set_out = NULL;
	header_release(&entries);
	ipset_free(set);
	return status;
}

static void add_columns(const struct addrcount *count)
{
	const bool may_be_v6 = count->policy != IPV6_IGNORE && count->policy != IPV6_ASV4;
	const bool epoch = timestamp_is_number(count->ctx.timestamp_format);
	const bool named = count->style.form == TEXT_CSV || count->style.form == TEXT_JSON;
	const char *title = count->opts->use_dest ? "dIP" : "sIP";
	struct text *text = count->text;

	if (count->opts->what.mode == MODE_STATISTICS) {
		text_add_column(text, named ? "Row" : "", 10, false);
		text_add_column(text, count->opts->use_dest ? "dIP_Uniq" : "sIP_Uniq", 10, true);
		text_add_column(text, "Bytes", 20, true);
		text_add_column(text, "Packets", 15, true);
		text_add_column(text, "Records", 15, true);
		return;
	}
	text_add_column(text, title, ip_print_width(count->ctx.ip_format, may_be_v6), false);
	if (count->opts->what.mode == MODE_RECORDS) {
		text_add_column(text, "Bytes", 20, true);
		text_add_column(text, "Packets", 10, true);
		text_add_column(text, "Records", 10, true);
		text_add_column(text, "Start_Time", 20, epoch);
		text_add_column(text, "End_Time", 20, epoch);
	}
}

static void make_text(struct addrcount *count, struct tool_env *env)
{
	struct err err;

	if (text_style_from_opts(&count->opts->text, &count->style, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	if (count->opts->what.mode == MODE_ADDRESSES) {
		count->style.no_final_delimiter = true;
	}
	format_context(&count->opts->format, false, NULL, &count->style, &count->ctx);
	count->ctx.timestamp_format |= TIMESTAMP_NO_MSEC;
	count->text = text_new(tool_output(env, &count->opts->output), &count->style);
	add_columns(count);
}

/* Returns an enum tool_exit. */
static int show(struct addrcount *count)
{
	const enum addr_mode mode = count->opts->what.mode;
	struct err err;

	if (group_finish(count->group, count->opts->sort_ips, &err) != ST_OK) {
		tool_die_err(&err);
	}
	if (mode == MODE_SET) {
		return write_set(count);
	}
	if (mode == MODE_STATISTICS) {
		show_statistics(count);
	} else {
		show_addresses(count);
	}
	return TOOL_EXIT_OK;
}

static int addr_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct addr_opts *opts = options;
	struct addrcount count = { .opts = opts };
	struct err err;
	bool usable;
	int status;

	if (opts->what.mode == MODE_NONE) {
		tool_usage("one of --print-recs, --print-stat, --print-ips and --set-file is "
			   "needed");
	}
	if (volume_limits_check(&opts->limits, &err) != ST_OK) {
		tool_die_err(&err);
	}
	count.policy = source_policy(&opts->source);
	count.threads = threads_wanted(&opts->threads);
	source_check_copy(&opts->source, opts->output.output_path);
	make_group(&count);
	make_text(&count, env);
	if (opts->what.mode == MODE_SET) {
		count.set_out = outfile_create(opts->what.set_path);
	}
	status = read_all(&count, env, argc, argv, &usable);
	/* Half a set looks like a whole one. */
	if (usable && (status == TOOL_EXIT_OK || opts->what.mode != MODE_SET)) {
		status |= show(&count);
	}
	outfile_drop(count.set_out);
	if (text_close(count.text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	group_free(count.group);
	return status;
}

const struct tool tool = {
	.name = "rwaddrcount",
	.summary = "print volume and times of activity by address",
	.usage = "{--print-recs | --print-ips | --print-stat | --set-file=FILE} [SWITCHES] [FILES]",
	.opts = addr_opt_table,
	.opts_size = sizeof(struct addr_opts),
	.opts_default = &addr_defaults,
	.run = addr_run,
};

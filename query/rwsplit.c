/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsplit: cut a stream of records into files of limited size, or take samples of it. */
#include "query/tool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <glib.h>

#include "common/numlist.h"
#include "query/sink.h"
#include "query/source.h"
#include "storage/keytable.h"

#define OUTPUTS_MAX 999999999

enum split_by { SPLIT_BY_NOTHING, SPLIT_BY_IPS, SPLIT_BY_FLOWS, SPLIT_BY_PACKETS, SPLIT_BY_BYTES };

struct criterion {
	const struct opt *opt; /* the switch that was given; its tag is an enum split_by */
	uint64_t limit;
};

struct split_opts {
	struct criterion criterion;
	char *basename;
	uint64_t seed;
	uint64_t sample_ratio;
	uint64_t file_ratio;
	uint64_t max_outputs;
	struct source_opts source;
	struct sink_opts sink;
	struct site_opts site;
};

#define NO_SEED UINT64_MAX

static const struct split_opts split_defaults = {
	.source = { .own_policy = "mix" },
	.seed = NO_SEED,
	.sample_ratio = 1,
	.file_ratio = 1,
	.max_outputs = OUTPUTS_MAX,
};

static int parse_limit(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct criterion *criterion = dest;

	if (criterion->opt) {
		return err_set(err, ST_EINVAL, "only one limit may be given, and there is --%s",
			       criterion->opt->name);
	}
	criterion->opt = opt;
	return number_parse(text, 1, UINT64_MAX, &criterion->limit, err);
}

#define LIMIT(name, by, help)                                                                      \
	OPT_CALL(struct split_opts, criterion, name, 0, "N", parse_limit, 0, help, .tag = by)

static const struct opt split_opt_table[] = {
	LIMIT("ip-limit", SPLIT_BY_IPS, "end a file at this many different addresses"),
	LIMIT("flow-limit", SPLIT_BY_FLOWS, "end a file at this many records"),
	LIMIT("packet-limit", SPLIT_BY_PACKETS, "end a file at this many packets"),
	LIMIT("byte-limit", SPLIT_BY_BYTES, "end a file at this many bytes of traffic"),
	OPT_STR(struct split_opts, basename, "basename", 0, "PATH",
		"name the files so, with a number and .rwf behind it", .flags = OPT_ONCE),
	OPT_U64(struct split_opts, seed, "seed", 0, "N", 0, UINT32_MAX,
		"draw the same numbers as every run with this seed"),
	OPT_U64(struct split_opts, sample_ratio, "sample-ratio", 0, "N", 1, UINT32_MAX,
		"take one record, drawn at random, of every N"),
	OPT_U64(struct split_opts, file_ratio, "file-ratio", 0, "N", 1, UINT32_MAX,
		"write one file, drawn at random, of every N"),
	OPT_U64(struct split_opts, max_outputs, "max-outputs", 0, "N", 1, OUTPUTS_MAX,
		"write no more files than this"),
	OPT_GROUP(struct split_opts, source, source_names_opt_table),
	OPT_GROUP(struct split_opts, sink, sink_opt_table),
	OPT_GROUP(struct split_opts, site, site_opt_table),
	OPT_END,
};

/* One of every so many, drawn anew for each group. */
struct draw {
	uint64_t ratio;
	uint64_t at;
	uint64_t pick;
};

struct split {
	const struct split_opts *opts;
	struct header entries;
	struct draw record_draw;
	struct draw file_draw;
	uint64_t number;  /* of the file that is being filled */
	uint64_t outputs; /* files written */
	bool filling;
	struct stream *out; /* NULL while filling: the file was not drawn */
	uint64_t so_far;    /* of what is limited, in this file */
	struct keytable addresses;
};

static bool draw_next(struct draw *draw)
{
	bool drawn;

	if (draw->ratio == 1) {
		return true;
	}
	if (draw->at == 0) {
		draw->pick = (uint64_t)random() % draw->ratio;
	}
	drawn = draw->at == draw->pick;
	draw->at = (draw->at + 1) % draw->ratio;
	return drawn;
}

static void begin_file(struct split *split)
{
	struct stream_write_opts write_opts = { .entries = &split->entries };
	char *path;
	struct err err;

	split->filling = true;
	split->so_far = 0;
	if (!draw_next(&split->file_draw)) {
		return;
	}
	sink_write_opts(&split->opts->sink, &write_opts);
	path = g_strdup_printf("%s.%08" G_GUINT64_FORMAT ".rwf", split->opts->basename,
			       split->number);
	if (stream_create(&split->out, path, &write_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	g_free(path);
}

/* false: no more files are to be written. */
static bool end_file(struct split *split)
{
	struct err err;

	if (split->out) {
		split->outputs++;
		if (stream_close(split->out, &err) != ST_OK) {
			tool_die_err(&err);
		}
	}
	split->out = NULL;
	split->filling = false;
	split->number++;
	keytable_clear(&split->addresses);
	return split->outputs < split->opts->max_outputs;
}

static uint64_t add_address(struct keytable *table, struct ip ip)
{
	uint8_t key[16];
	bool added;

	ip_to_bytes(ip, key);
	keytable_find(table, key, keytable_hash(table, key), &added);
	return added;
}

/* How much the row adds to what is limited. */
static uint64_t row_weight(struct split *split, const struct batch *batch, uint16_t row)
{
	switch ((enum split_by)split->opts->criterion.opt->tag) {
	case SPLIT_BY_IPS:
		return add_address(&split->addresses, batch->sip[row]) +
		       add_address(&split->addresses, batch->dip[row]);
	case SPLIT_BY_PACKETS:
		return batch->packets[row];
	case SPLIT_BY_BYTES:
		return batch->bytes[row];
	default:
		return 1;
	}
}

/* Write the rows first..end of the list, as the selection of the batch. */
static void write_rows(struct split *split, struct batch *batch, const uint16_t *rows,
		       uint32_t count)
{
	struct err err;

	if (!split->out || count == 0) {
		return;
	}
	memcpy(batch->selection, rows, count * sizeof(*rows));
	batch->selected = count;
	if (stream_write_batch(split->out, batch, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* false: no more files are to be written. */
static bool split_batch(struct split *split, struct batch *batch)
{
	uint16_t rows[BATCH_ROWS]; /* of the file that is being filled */
	uint16_t selection[BATCH_ROWS];
	uint32_t selected = batch->selected;
	uint32_t count = 0;

	memcpy(selection, batch->selection, selected * sizeof(*selection));
	for (uint32_t i = 0; i < selected; i++) {
		uint16_t row = selection[i];

		if (!draw_next(&split->record_draw)) {
			continue;
		}
		if (!split->filling) {
			begin_file(split);
		}
		rows[count++] = row;
		split->so_far += row_weight(split, batch, row);
		if (split->so_far >= split->opts->criterion.limit) {
			write_rows(split, batch, rows, count);
			count = 0;
			if (!end_file(split)) {
				return false;
			}
		}
	}
	write_rows(split, batch, rows, count);
	return true;
}

static void seed_numbers(uint64_t seed)
{
	unsigned number = (unsigned)seed;

	if (seed == NO_SEED && getrandom(&number, sizeof(number), 0) != sizeof(number)) {
		tool_die("cannot get random numbers");
	}
	srandom(number);
}

static void check_options(const struct split_opts *opts)
{
	if (!opts->criterion.opt) {
		tool_usage("one of --ip-limit, --flow-limit, --packet-limit and --byte-limit must "
			   "be given");
	}
	if (!opts->basename) {
		tool_usage("--basename must be given");
	}
}

static int split_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct split_opts *opts = base;
	struct split split = {
		.opts = opts,
		.record_draw = { .ratio = opts->sample_ratio },
		.file_draw = { .ratio = opts->file_ratio },
	};
	struct batch *batch = batch_new();
	struct source *source;

	check_options(opts);
	seed_numbers(opts->seed);
	source = source_new(env, &opts->source, argc, argv);
	source_set_site(source, tool_site(env, &opts->site, false));
	source_set_damage(source, SOURCE_DAMAGE_SKIPS);
	header_init(&split.entries);
	sink_add_notes(&opts->sink, &split.entries);
	header_add_invocation(&split.entries, tool_argc(env), tool_argv(env));
	keytable_init(&split.addresses, sizeof(struct ip), 0);
	while (source_next(source, batch, COLUMNS_ALL) && split_batch(&split, batch)) {
	}
	if (split.filling) {
		end_file(&split);
	}
	keytable_release(&split.addresses);
	header_release(&split.entries);
	batch_free(batch);
	return source_close(source);
}

const struct tool tool = {
	.name = "rwsplit",
	.summary = "Split a stream of flow records into a set of files",
	.usage = "--basename=PATH {--ip-limit | --flow-limit | --packet-limit | --byte-limit}=N "
		 "[SWITCHES] [FILES]",
	.opts = split_opt_table,
	.opts_size = sizeof(struct split_opts),
	.opts_default = &split_defaults,
	.run = split_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwdedupe: write each record once. */
#include <string.h>

#include <glib.h>

#include "query/bins.h"
#include "query/deduper.h"
#include "query/ignorefields.h"
#include "query/recordout.h"
#include "query/recordread.h"
#include "query/recordsort.h"
#include "query/source.h"
#include "query/threads.h"
#include "query/tool.h"

struct dedupe_opts {
	bool help_fields;
	char *ignore_fields;
	struct deduper_deltas deltas;
	struct recordsort_opts sort;
	char *output_path;
	struct sink_opts sink;
	struct source_opts source;
	struct threads_opts threads;
	struct site_opts site;
};

#define DELTA(name_, delta_, help_)                                                                \
	OPT_U64(struct dedupe_opts, deltas.values[delta_], name_, 0, "N", 0, UINT64_MAX, help_,    \
		.default_text = "0")

static const struct opt dedupe_opt_table[] = {
	OPT_FLAG(struct dedupe_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_STR(struct dedupe_opts, ignore_fields, "ignore-fields", 0, "LIST",
		"these fields do not matter", .flags = OPT_ONCE),
	DELTA("packets-delta", DEDUPER_PACKETS, "numbers of packets may differ by so much"),
	DELTA("bytes-delta", DEDUPER_BYTES, "numbers of bytes may differ by so much"),
	DELTA("stime-delta", DEDUPER_START, "start times may differ by so many milliseconds"),
	DELTA("duration-delta", DEDUPER_DURATION, "durations may differ by so many milliseconds"),
	OPT_STR(struct dedupe_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file, pipe or stdout", .flags = OPT_ONCE),
	OPT_GROUP(struct dedupe_opts, sort, recordsort_opt_table),
	OPT_GROUP(struct dedupe_opts, source, source_names_opt_table),
	OPT_GROUP(struct dedupe_opts, sink, sink_opt_table),
	OPT_GROUP(struct dedupe_opts, threads, threads_opt_table),
	OPT_GROUP(struct dedupe_opts, site, site_opt_table),
	OPT_END,
};

static const struct dedupe_opts dedupe_defaults = {
	.sort = { .buffer_size = RECORDSORT_BUFFER_DEFAULT },
	.source = { .own_policy = "mix" },
};

static const char *const compared[] = {
	"sIP",   "dIP",   "sPort",        "dPort",        "protocol",   "packets",     "bytes",
	"flags", "sTime", "duration",     "sensor",       "in",         "out",         "nhIP",
	"class", "type",  "initialFlags", "sessionFlags", "attributes", "application",
};

struct dedupe {
	const struct dedupe_opts *opts;
	const struct field **fields;
	size_t field_count;
	struct rowkey key;
	struct recordsort *sort;
	struct deduper *deduper; /* NULL: only equal records are duplicates */
	uint8_t *last;           /* key of the record before */
	struct header entries;
	struct recordout *out;
};

/* What may differ is no part of the key. */
static void leave_out(struct dedupe *dedupe, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < dedupe->field_count; i++) {
		if (strcmp(dedupe->fields[i]->name, name) != 0) {
			dedupe->fields[kept++] = dedupe->fields[i];
		}
	}
	dedupe->field_count = kept;
}

static bool has_field(const struct dedupe *dedupe, const char *name)
{
	for (size_t i = 0; i < dedupe->field_count; i++) {
		if (strcmp(dedupe->fields[i]->name, name) == 0) {
			return true;
		}
	}
	return false;
}

static void prepare(struct dedupe *dedupe)
{
	static const char *const names[DEDUPER_DELTAS] = {
		[DEDUPER_PACKETS] = "packets",
		[DEDUPER_BYTES] = "bytes",
		[DEDUPER_START] = "sTime",
		[DEDUPER_DURATION] = "duration",
	};
	struct deduper_deltas deltas = dedupe->opts->deltas;
	bool any = false;
	struct err err;

	if (ignorefields_parse(compared, G_N_ELEMENTS(compared), dedupe->opts->ignore_fields,
			       &dedupe->fields, &dedupe->field_count, &err) != ST_OK) {
		tool_die("invalid ignore-fields: %s", err.text);
	}
	for (int i = 0; i < DEDUPER_DELTAS; i++) {
		if (!has_field(dedupe, names[i])) {
			deltas.values[i] = 0;
		} else if (deltas.values[i] > 0) {
			leave_out(dedupe, names[i]);
			any = true;
		}
	}
	rowkey_init(&dedupe->key, dedupe->fields, dedupe->field_count);
	rowkey_tell_family(&dedupe->key);
	/* SiLK compares whole records when every field counts: the order of the output tells */
	dedupe->sort =
		recordsort_new(any || dedupe->opts->ignore_fields ? &dedupe->key : NULL,
			       &(struct recordsort_plan){
				       .memory_bytes = dedupe->opts->sort.buffer_size,
				       .temp_dir = bins_temp_dir(dedupe->opts->sort.temp_directory),
				       .threads = threads_wanted(&dedupe->opts->threads),
			       });
	dedupe->deduper = any ? deduper_new(&deltas) : NULL;
	header_init(&dedupe->entries);
}

static void copy_entries(void *arg, const char *path, const struct header *header)
{
	if (header) {
		header_add_entries(&((struct dedupe *)arg)->entries, header);
	}
}

/* Returns an enum tool_exit. */
static int read_all(struct dedupe *dedupe, struct tool_env *env, int argc, char **argv)
{
	struct source *source = source_new(env, &dedupe->opts->source, argc, argv);

	source_set_site(source, tool_site(env, &dedupe->opts->site, false));
	source_on_open(source, copy_entries, dedupe);
	recordread_run(&(struct recordread){
		.source = source,
		.sort = dedupe->sort,
		.threads = threads_wanted(&dedupe->opts->threads),
	});
	return source_close(source);
}

/* Is this the record of its group, or one that is not near those kept before? */
static bool is_kept(struct dedupe *dedupe, const struct recordsort_row *row, bool is_new_key)
{
	struct record rec;

	if (!dedupe->deduper) {
		return is_new_key;
	}
	if (is_new_key) {
		deduper_clear(dedupe->deduper);
	}
	recordsort_get(dedupe->sort, row, &rec);
	return deduper_add(dedupe->deduper, &rec);
}

static int write_kept(void *arg, const struct recordsort_row *row, struct err *err)
{
	struct dedupe *dedupe = arg;
	const size_t key_size = recordsort_key_size(dedupe->sort);
	const bool is_new_key = !dedupe->last || memcmp(dedupe->last, row->key, key_size) != 0;

	if (!dedupe->last) {
		dedupe->last = g_malloc(key_size);
	}
	if (is_new_key) {
		memcpy(dedupe->last, row->key, key_size);
	}
	return is_kept(dedupe, row, is_new_key)
		       ? stream_write_encoded(recordout_stream(dedupe->out), row->encoded, err)
		       : ST_OK;
}

static void release(struct dedupe *dedupe)
{
	recordsort_free(dedupe->sort);
	deduper_free(dedupe->deduper);
	header_release(&dedupe->entries);
	g_free(dedupe->fields);
	g_free(dedupe->last);
}

static int dedupe_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct dedupe_opts *opts = options;
	struct dedupe dedupe = { .opts = opts };
	struct err err;
	int status;

	if (opts->help_fields) {
		ignorefields_help(compared, G_N_ELEMENTS(compared));
		return TOOL_EXIT_OK;
	}
	opts->sink.one_thread = threads_wanted(&opts->threads) == 1;
	prepare(&dedupe);
	dedupe.out = recordout_open(opts->output_path, &opts->sink);
	status = read_all(&dedupe, env, argc, argv);
	if (status != TOOL_EXIT_OK) {
		recordout_leave_empty(dedupe.out);
	} else {
		recordout_begin(dedupe.out, env, &dedupe.entries);
		if (recordsort_drain(dedupe.sort, write_kept, &dedupe, &err) != ST_OK ||
		    recordout_close(dedupe.out, &err) != ST_OK) {
			tool_die_err(&err);
		}
	}
	release(&dedupe);
	return status;
}

const struct tool tool = {
	.name = "rwdedupe",
	.summary = "write each record once, however often it was read",
	.usage = "[SWITCHES] [FILES]",
	.opts = dedupe_opt_table,
	.opts_size = sizeof(struct dedupe_opts),
	.opts_default = &dedupe_defaults,
	.run = dedupe_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcombine: join the records of flows that an exporter cut by timeouts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <glib.h>

#include "common/numlist.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/bins.h"
#include "query/flowcombine.h"
#include "query/ignorefields.h"
#include "query/recordout.h"
#include "query/recordread.h"
#include "query/recordsort.h"
#include "query/source.h"
#include "query/textfile.h"
#include "query/threads.h"
#include "query/tool.h"

struct idle_limit {
	bool given;
	int64_t ns;
};

struct actions {
	bool given;
};

struct combine_opts {
	bool help_fields;
	struct actions actions;
	char *ignore_fields;
	struct idle_limit max_idle;
	struct opt_optstr statistics;
	int output_format; /* of them */
	struct recordsort_opts sort;
	char *output_path;
	struct sink_opts sink;
	struct source_opts source;
	struct threads_opts threads;
	struct site_opts site;
};

/* There is one action so far, and "all" are that one. */
static int parse_actions(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	static const char *const names[] = { "all", "timeout" };
	char **parts = g_strsplit(text, ",", -1);
	unsigned seen = 0;
	int status = ST_OK;

	for (char **part = parts; *part && status == ST_OK; part++) {
		int found = -1;

		for (int i = 0; i < (int)G_N_ELEMENTS(names) && **part; i++) {
			if (strncasecmp(names[i], *part, strlen(*part)) == 0) {
				found = i;
			}
		}
		if (**part && found < 0) {
			status = err_set(err, ST_EINVAL, "there is no action '%s'", *part);
		}
		seen |= **part && found >= 0 ? 1u << found : 0;
	}
	if (!*text) {
		status = err_set(err, ST_EINVAL, "no action is named");
	} else if (status == ST_OK && seen == 3) {
		status = err_set(err, ST_EINVAL, "'all' stands alone");
	}
	g_strfreev(parts);
	((struct actions *)dest)->given = true;
	return status;
}

static int parse_idle(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct idle_limit *limit = dest;
	double seconds;
	int status = real_parse(text, 0, 1e9, &seconds, err);

	/* cut as SiLK cuts it */
	if (status == ST_OK) {
		*limit = (struct idle_limit){ true, (int64_t)(seconds * 1000) * NS_PER_MS };
	}
	return status;
}

static const struct opt combine_opt_table[] = {
	OPT_FLAG(struct combine_opts, help_fields, "help-fields", 0,
		 "describe each field and exit"),
	OPT_CALL(struct combine_opts, actions, "actions", 0, "LIST", parse_actions, 0,
		 "what is done: all, or timeout", .default_text = "all"),
	OPT_STR(struct combine_opts, ignore_fields, "ignore-fields", 0, "LIST",
		"these fields may differ between the records of a flow", .flags = OPT_ONCE),
	OPT_CALL(struct combine_opts, max_idle, "max-idle-time", 0, "SECONDS", parse_idle, 0,
		 "do not join records with more time between them"),
	OPT_OPTSTR(struct combine_opts, statistics, "print-statistics", 0, "FILE",
		   "print how many records were joined to this file or standard error",
		   .flags = OPT_ONCE),
	TEXT_DATA_FORMAT_ROW(struct combine_opts, "print statistics as text, csv or json lines"),
	OPT_STR(struct combine_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file, pipe or stdout", .flags = OPT_ONCE),
	OPT_GROUP(struct combine_opts, sort, recordsort_opt_table),
	OPT_GROUP(struct combine_opts, source, source_names_opt_table),
	OPT_GROUP(struct combine_opts, sink, sink_opt_table),
	OPT_GROUP(struct combine_opts, threads, threads_opt_table),
	OPT_GROUP(struct combine_opts, site, site_opt_table),
	OPT_END,
};

static const struct combine_opts combine_defaults = {
	.sort = { .buffer_size = RECORDSORT_BUFFER_DEFAULT },
	.source = { .own_policy = "mix" },
};

/* What tells one flow from another. */
static const char *const compared[] = {
	"sIP", "dIP", "sPort", "dPort",       "protocol", "sensor",
	"in",  "out", "nhIP",  "application", "class",    "type",
};

struct combiner {
	const struct combine_opts *opts;
	struct tool_env *env;
	const struct field **fields; /* of a session, then time */
	size_t field_count;
	struct rowkey key;
	size_t session_fields; /* the first ones of the key */
	uint8_t *session;      /* their bytes in the key before, while records are combined */
	size_t session_size;
	struct recordsort *sort;
	struct flowcombine combine;
	struct header entries;
	struct recordout *out;
	bool begun;                  /* the output's header is complete */
	uint64_t whole;              /* records that are no part of a flow */
	struct textfile *statistics; /* NULL: none */
};

static void add_time_fields(struct combiner *combiner)
{
	combiner->fields =
		g_renew(const struct field *, combiner->fields, combiner->field_count + 2);
	combiner->fields[combiner->field_count++] = field_find("sTime", NULL);
	combiner->fields[combiner->field_count++] = field_find("duration", NULL);
}

static int write_record(void *arg, const struct record *rec, struct err *err)
{
	const struct combiner *combiner = arg;

	return stream_write(recordout_stream(combiner->out), rec, err);
}

static struct textfile *open_statistics(const struct combine_opts *opts)
{
	const char *path = opts->statistics.text;

	if (!opts->statistics.given) {
		return NULL;
	}
	if (path && tool_is_stdout(path) &&
	    (!opts->output_path || tool_is_stdout(opts->output_path))) {
		tool_usage("cannot send both records and statistics to standard output");
	}
	return textfile_open(path ? path : "stderr");
}

static void prepare(struct combiner *combiner)
{
	const struct combine_opts *opts = combiner->opts;
	struct err err;

	if (ignorefields_parse(compared, G_N_ELEMENTS(compared), opts->ignore_fields,
			       &combiner->fields, &combiner->field_count, &err) != ST_OK) {
		tool_die("invalid ignore-fields: %s", err.text);
	}
	combiner->session_fields = combiner->field_count;
	add_time_fields(combiner);
	rowkey_init(&combiner->key, combiner->fields, combiner->field_count);
	rowkey_tell_family(&combiner->key);
	combiner->sort = recordsort_new(
		&combiner->key, &(struct recordsort_plan){
					.memory_bytes = opts->sort.buffer_size,
					.temp_dir = bins_temp_dir(opts->sort.temp_directory),
					.threads = threads_wanted(&opts->threads),
				});
	flowcombine_init(&combiner->combine,
			 opts->max_idle.given ? opts->max_idle.ns : FLOWCOMBINE_ANY_IDLE,
			 write_record, combiner);
	header_init(&combiner->entries);
	combiner->statistics = open_statistics(opts);
	combiner->out = recordout_open(opts->output_path, &opts->sink);
}

static void copy_entries(void *arg, const char *path, const struct header *header)
{
	if (header) {
		header_add_entries(&((struct combiner *)arg)->entries, header);
	}
}

/* The header goes out with the first record: it tells of the inputs opened until then. */
static void begin(struct combiner *combiner)
{
	if (!combiner->begun) {
		recordout_begin(combiner->out, combiner->env, &combiner->entries);
		combiner->begun = true;
	}
}

/* Is it a part of a flow? */
static bool is_part(const struct batch *batch, uint16_t row)
{
	return batch->state[row] & (RECORD_TIMEOUT | RECORD_CONTINUED);
}

static void write_whole(void *arg, const uint8_t *encoded, size_t count)
{
	struct combiner *combiner = arg;
	struct err err;

	begin(combiner);
	combiner->whole += count;
	if (stream_write_encoded_rows(recordout_stream(combiner->out), encoded, count, &err) !=
	    ST_OK) {
		tool_die_err(&err);
	}
}

/* Returns an enum tool_exit. */
static int read_all(struct combiner *combiner, int argc, char **argv)
{
	const struct combine_opts *opts = combiner->opts;
	struct source *source = source_new(combiner->env, &opts->source, argc, argv);

	source_set_site(source, tool_site(combiner->env, &opts->site, false));
	source_on_open(source, copy_entries, combiner);
	recordread_run(&(struct recordread){
		.source = source,
		.sort = combiner->sort,
		.threads = threads_wanted(&opts->threads),
		.arg = combiner,
		.sorts = is_part,
		.others = write_whole,
	});
	return source_close(source);
}

static int combine_record(void *arg, const struct recordsort_row *row, struct err *err)
{
	struct combiner *combiner = arg;
	const size_t size = recordsort_key_extent(combiner->sort, row, combiner->session_fields);
	const bool is_new =
		size != combiner->session_size || memcmp(combiner->session, row->key, size) != 0;
	struct record rec;

	memcpy(combiner->session, row->key, size);
	combiner->session_size = size;
	recordsort_get(combiner->sort, row, &rec);
	return flowcombine_add(&combiner->combine, &rec, is_new, err);
}

static int combine_all(struct combiner *combiner, struct err *err)
{
	int status;

	combiner->session = g_malloc(recordsort_key_size(combiner->sort));
	status = recordsort_drain(combiner->sort, combine_record, combiner, err);
	g_free(combiner->session);
	return status == ST_OK ? flowcombine_finish(&combiner->combine, err) : status;
}

static void print_idle(FILE *out, const char *name, uint64_t ms)
{
	fprintf(out, "%-14s%3" PRIu64 ":%02u:%02u:%02u.%03u\n", name, ms / 86400000,
		(unsigned)(ms / 3600000 % 24), (unsigned)(ms / 60000 % 60),
		(unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static void print_statistics(const struct combiner *combiner, FILE *out)
{
	const struct flowcombine_counts *counts = &combiner->combine.counts;
	const uint64_t read = combiner->whole + counts->added;
	const struct {
		const char *name;
		const char *sign;
		uint64_t count;
		const char *end;
	} rows[] = {
		{ "Read:", "", read, "" },
		{ "Initially Complete:", "-", combiner->whole, " *" },
		{ "Sorted & Examined:", "=", counts->added, "" },
		{ "Missing end:", "-", counts->missing_end, " *" },
		{ "Missing start & end:", "-", counts->missing_both, " *" },
		{ "Missing start:", "-", counts->missing_start, " *" },
		{ "Prior to combining:", "=", counts->eliminated + counts->complete, "" },
		{ "Eliminated:", "-", counts->eliminated, "" },
		{ "Made complete:", "=", counts->complete, " *" },
		{ "Written:", "", read - counts->eliminated, " (sum of *)" },
	};

	fprintf(out, "FLOW RECORD COUNTS:\n");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		fprintf(out, "%-30s%-1s%12" PRIu64 "%s\n", rows[i].name, rows[i].sign,
			rows[i].count, rows[i].end);
	}
	fprintf(out, "\nIDLE TIMES:\n");
	print_idle(out, "Minimum:", read > 0 ? counts->idle_min_ms : 0);
	print_idle(out, "Penultimate:", counts->idle_before_max_ms);
	print_idle(out, "Maximum:", counts->idle_max_ms);
}

static int put_statistics(const struct combiner *combiner, struct err *err)
{
	const struct flowcombine_counts *counts = &combiner->combine.counts;
	const uint64_t read = combiner->whole + counts->added;
	const struct text_count cells[] = {
		{ "read", read },
		{ "initially-complete", combiner->whole },
		{ "examined", counts->added },
		{ "missing-end", counts->missing_end },
		{ "missing-start-and-end", counts->missing_both },
		{ "missing-start", counts->missing_start },
		{ "prior-to-combining", counts->eliminated + counts->complete },
		{ "eliminated", counts->eliminated },
		{ "made-complete", counts->complete },
		{ "written", read - counts->eliminated },
		{ "idle-minimum-ms", read > 0 ? counts->idle_min_ms : 0 },
		{ "idle-penultimate-ms", counts->idle_before_max_ms },
		{ "idle-maximum-ms", counts->idle_max_ms },
	};

	return text_data_counts(textfile_fd(combiner->statistics), combiner->opts->output_format,
				cells, G_N_ELEMENTS(cells), err);
}

static void close_statistics(const struct combiner *combiner)
{
	int status = ST_OK;
	struct err err;

	if (!combiner->statistics) {
		return;
	}
	fflush(stdout);
	if (combiner->opts->output_format > 0) {
		status = put_statistics(combiner, &err);
	} else {
		print_statistics(combiner, textfile_stream(combiner->statistics));
	}
	if (status != ST_OK || textfile_close(combiner->statistics, &err) != ST_OK) {
		tool_die("cannot write %s", err.text);
	}
}

static void release(struct combiner *combiner)
{
	recordsort_free(combiner->sort);
	header_release(&combiner->entries);
	g_free(combiner->fields);
}

static int combine_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct combine_opts *opts = options;
	struct combiner combiner = { .opts = opts, .env = env };
	struct err err;
	int status;

	if (opts->help_fields) {
		ignorefields_help(compared, G_N_ELEMENTS(compared));
		return TOOL_EXIT_OK;
	}
	opts->sink.one_thread = threads_wanted(&opts->threads) == 1;
	prepare(&combiner);
	status = read_all(&combiner, argc, argv);
	if (status != TOOL_EXIT_OK) {
		recordout_leave_empty(combiner.out);
	} else {
		begin(&combiner);
		if (combine_all(&combiner, &err) != ST_OK ||
		    recordout_close(combiner.out, &err) != ST_OK) {
			tool_die_err(&err);
		}
		close_statistics(&combiner);
	}
	release(&combiner);
	return status;
}

const struct tool tool = {
	.name = "rwcombine",
	.summary = "join the records of flows that an exporter cut by timeouts",
	.usage = "[SWITCHES] [FILES]",
	.opts = combine_opt_table,
	.opts_size = sizeof(struct combine_opts),
	.opts_default = &combine_defaults,
	.run = combine_run,
};

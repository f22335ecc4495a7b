/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcount: volume over time, in bins of equal size. */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "common/decimal.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "query/format.h"
#include "query/readcrew.h"
#include "query/sampling.h"
#include "query/scanspares.h"
#include "query/source.h"
#include "query/threads.h"
#include "query/timebins.h"
#include "query/tool.h"

struct count_opts {
	struct bin_size {
		int64_t ms;
	} bin_size;
	struct load_scheme {
		enum timebins_scheme scheme;
	} load_scheme;
	struct time_switch {
		bool given;
		int64_t ms;      /* as written */
		int64_t last_ms; /* last millisecond of what was written */
	} start_time, end_time;
	bool skip_zeroes;
	bool bin_slots;
	struct sampling_opts sampling;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct threads_opts threads;
	struct source_opts source;
	struct site_opts site;
};

static int parse_bin_size(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct bin_size *size = dest;
	double seconds;

	if (real_parse(text, 0.001, 1e9, &seconds, err) != ST_OK) {
		return ST_EINVAL;
	}
	/* cut, as SiLK cuts what a double makes of it: 1.001 is one second */
	size->ms = MAX((int64_t)(seconds * 1000), 1);
	return ST_OK;
}

static int parse_load_scheme(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return timebins_scheme_parse(text, &((struct load_scheme *)dest)->scheme, err);
}

static int parse_time(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct time_switch *time = dest;
	enum timestamp_precision precision;
	int64_t ns, last_ns;

	if (timestamp_parse(text, false, &ns, &precision, err) != ST_OK) {
		return ST_EINVAL;
	}
	last_ns = timestamp_ceiling(ns, precision);
	time->given = true;
	time->ms = ns / NS_PER_MS;
	time->last_ms = last_ns / NS_PER_MS;
	return ST_OK;
}

static const struct opt count_opt_table[] = {
	OPT_CALL(struct count_opts, bin_size, "bin-size", 0, "SECONDS", parse_bin_size, 0,
		 "size of a bin, to the millisecond", .default_text = "30"),
	OPT_CALL(struct count_opts, load_scheme, "load-scheme", 0, "NAME", parse_load_scheme, 0,
		 "how the volume of a record is spread over the bins that it spans",
		 .default_text = "time-proportional"),
	OPT_CALL(struct count_opts, start_time, "start-time", 0, "TIME", parse_time, 0,
		 "start the first bin here"),
	OPT_CALL(struct count_opts, end_time, "end-time", 0, "TIME", parse_time, 0,
		 "end with the bin that holds this time"),
	OPT_FLAG(struct count_opts, skip_zeroes, "skip-zeroes", 0, "print no empty bin"),
	OPT_FLAG(struct count_opts, bin_slots, "bin-slots", 0,
		 "print the number of a bin instead of its time"),
	OPT_CALL(struct count_opts, start_time, "start-epoch", 0, "TIME", parse_time, OPT_HIDDEN,
		 "as --start-time"),
	OPT_CALL(struct count_opts, end_time, "end-epoch", 0, "TIME", parse_time, OPT_HIDDEN,
		 "as --end-time"),
	OPT_GROUP(struct count_opts, sampling, sampling_opt_table),
	OPT_GROUP(struct count_opts, format, format_slots_opt_table),
	OPT_GROUP(struct count_opts, text, text_opt_table),
	OPT_GROUP(struct count_opts, output, output_opt_table),
	OPT_GROUP(struct count_opts, threads, threads_opt_table),
	OPT_GROUP(struct count_opts, source, source_print_opt_table),
	OPT_GROUP(struct count_opts, site, site_opt_table),
	OPT_END,
};

static const struct count_opts count_defaults = {
	.bin_size = { 30000 },
	.load_scheme = { TIMEBINS_TIME_PROPORTIONAL },
	.source = { .own_policy = "mix" },
};

/* ---- reading ---- */

/* How much may wait for its turn. */
#define WAITING_BYTES (16u << 20)

/* Records on their way from the threads that read to the one that counts. */
struct piece {
	struct readpiece head; /* first */
	struct timeruns runs;
};

struct worker {
	struct piece *piece; /* NULL: none is begun */
};

struct reading {
	const struct sampling_opts *sampling;
	struct timebins *bins;
	struct scanspares spares;
};

static void want_rates(void *arg, struct batch *batch)
{
	const struct reading *reading = arg;

	sampling_want(reading->sampling, batch);
}

static void *begin_worker(void *arg)
{
	return g_new0(struct worker, 1);
}

static void end_worker(void *arg, void *worker)
{
	g_free(worker);
}

static void free_piece(struct scanpiece *piece)
{
	g_free(piece);
}

static struct piece *new_piece(struct reading *reading)
{
	struct piece *piece = (struct piece *)scanspares_take(&reading->spares);

	if (!piece) {
		piece = g_new(struct piece, 1);
	}
	piece->head = (struct readpiece){ .piece.bytes = sizeof(*piece) };
	piece->runs.run_count = 0;
	piece->runs.row_count = 0;
	return piece;
}

static void hand_over(void *arg, void *state, struct readturn *turn)
{
	struct worker *worker = state;
	struct piece *piece = g_steal_pointer(&worker->piece);

	if (piece) {
		readcrew_put(turn, &piece->head);
	}
}

static void gather(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	struct reading *reading = arg;
	const struct timegrid grid = timebins_grid(reading->bins);
	struct worker *worker = state;

	sampling_scale(reading->sampling, batch);
	if (!worker->piece) {
		worker->piece = new_piece(reading);
	}
	timeruns_gather(&worker->piece->runs, &grid, batch);
	if (!timeruns_have_room(&worker->piece->runs)) {
		hand_over(arg, state, turn);
	}
}

static void count_piece(void *arg, struct readpiece *head, bool drained)
{
	struct reading *reading = arg;
	struct piece *piece = (struct piece *)head;
	struct err err;

	if (!drained && timebins_add(reading->bins, &piece->runs, &err) != ST_OK) {
		tool_die_err(&err);
	}
	scanspares_keep(&reading->spares, &head->piece);
}

static int read_all(const struct count_opts *opts, struct timebins *bins, struct tool_env *env,
		    int argc, char **argv)
{
	struct source *source = source_new(env, &opts->source, argc, argv);
	struct reading reading = {
		.sampling = &opts->sampling,
		.bins = bins,
		.spares = SCANSPARES_INIT(free_piece),
	};
	const struct readcrew crew = {
		.source = source,
		.threads = threads_wanted(&opts->threads),
		.columns = COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION) |
			   COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_PACKETS),
		.waiting_bytes = WAITING_BYTES,
		.arg = &reading,
		.want = want_rates,
		.begin = begin_worker,
		.batch = gather,
		.rest = hand_over,
		.take = count_piece,
		.end = end_worker,
	};

	source_set_site(source, tool_site(env, &opts->site, false));
	readcrew_run(&crew);
	scanspares_release(&reading.spares);
	return source_close(source);
}

/* ---- output ---- */

static void print_volume(struct text *text, double volume)
{
	char *cell = text_cell(text);

	text_cell_done(text, volume < DECIMAL_HUNDREDTHS_END
				     ? decimal_print_hundredths(cell, volume)
				     : (size_t)snprintf(cell, TEXT_CELL_MAX, "%.2f", volume));
}

static void print_bins(const struct count_opts *opts, const struct timebins *bins,
		       unsigned time_format, struct text *text)
{
	int64_t first, last;

	timebins_range(bins, &first, &last);
	text_titles(text);
	for (int64_t n = first; n <= last; n++) {
		const struct timebin *bin = timebins_at(bins, n);

		if (opts->skip_zeroes && bin->records == 0) {
			continue;
		}
		if (opts->bin_slots) {
			text_cell_u64(text, timebins_slot(bins, n));
		} else {
			text_cell_done(text, timestamp_print(text_cell(text),
							     timebins_time(bins, n) * NS_PER_MS,
							     time_format));
		}
		print_volume(text, bin->records);
		print_volume(text, bin->bytes);
		print_volume(text, bin->packets);
		text_row_done(text);
	}
}

static struct text *make_text(const struct count_opts *opts, const struct text_style *style,
			      unsigned time_format, int fd)
{
	struct text *text = text_new(fd, style);

	text_add_column(text, "Date", time_format & TIMESTAMP_NO_MSEC ? 19 : 23,
			opts->bin_slots || timestamp_is_number(time_format));
	text_add_column(text, "Records", 15, true);
	text_add_column(text, "Bytes", 20, true);
	text_add_column(text, "Packets", 17, true);
	return text;
}

static int count_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct count_opts *opts = options;
	const struct timebins_opts bins_opts = {
		.size_ms = opts->bin_size.ms,
		.scheme = opts->load_scheme.scheme,
		/* the epoch itself is no time to SiLK: bins from there would be millions */
		.has_start = opts->start_time.given && opts->start_time.ms > 0,
		.has_end = opts->end_time.given,
		.start_ms = opts->start_time.ms,
		.end_ms = opts->end_time.ms,
		.last_ms = opts->end_time.last_ms,
	};
	struct timebins *bins;
	struct field_context ctx;
	struct text_style style;
	struct text *text;
	struct err err;
	int status;

	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	if (bins_opts.has_start && bins_opts.has_end && bins_opts.last_ms < bins_opts.start_ms) {
		tool_die("--end-time is before --start-time");
	}
	source_check_copy(&opts->source, opts->output.output_path);
	format_context(&opts->format, false, NULL, &style, &ctx);
	if (opts->bin_size.ms % 1000 == 0) {
		ctx.timestamp_format |= TIMESTAMP_NO_MSEC;
	}
	if (timebins_new(&bins, &bins_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	text = make_text(opts, &style, ctx.timestamp_format, tool_output(env, &opts->output));
	status = read_all(opts, bins, env, argc, argv);
	if (status == TOOL_EXIT_OK) {
		print_bins(opts, bins, ctx.timestamp_format, text);
	}
	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
	timebins_free(bins);
	return status;
}

const struct tool tool = {
	.name = "rwcount",
	.summary = "print the volume of records over time, in bins of equal size",
	.usage = "[SWITCHES] [FILES]",
	.opts = count_opt_table,
	.opts_size = sizeof(struct count_opts),
	.opts_default = &count_defaults,
	.run = count_run,
};

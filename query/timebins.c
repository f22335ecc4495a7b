/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/timebins.h"

#include <string.h>
#include <strings.h>

#include <glib.h>

#include "common/timestamp.h"

#define DAY_MS INT64_C(86400000)

struct timebins {
	struct timebins_opts opts;
	bool anchored;
	int64_t anchor_ms; /* bin 0 starts here */
	int64_t low_limit; /* bins outside of these are not kept */
	int64_t high_limit;
	bool has_grid;   /* atomic; written once: */
	int64_t grid_ms; /* some bin starts here */
	struct bintable table;

	bool seen;     /* a record, whether or not it is kept */
	bool any;      /* volume has been added: */
	int64_t first; /* to these bins first and last in time */
	int64_t last;
	int64_t base; /* slots count from this bin; shares of bins are told from its start */

	/* that rows lay in as a whole, and when it begins and ends; never, before there is one */
	struct timebin *recent;
	int64_t recent_ms, recent_end_ms;
	int64_t near, near_ms; /* the bin in which the last run began, and when that begins */
};

static const char *const scheme_names[TIMEBINS_SCHEME_COUNT] = {
	[TIMEBINS_BIN_UNIFORM] = "bin-uniform",
	[TIMEBINS_START_SPIKE] = "start-spike",
	[TIMEBINS_END_SPIKE] = "end-spike",
	[TIMEBINS_MIDDLE_SPIKE] = "middle-spike",
	[TIMEBINS_TIME_PROPORTIONAL] = "time-proportional",
	[TIMEBINS_MAXIMUM_VOLUME] = "maximum-volume",
	[TIMEBINS_MINIMUM_VOLUME] = "minimum-volume",
};

int timebins_scheme_parse(const char *text, enum timebins_scheme *out, struct err *err)
{
	size_t len = strlen(text);
	int found = -1, matches = 0;

	if (len == 1 && *text >= '0' && *text < '0' + TIMEBINS_SCHEME_COUNT) {
		*out = (enum timebins_scheme)(*text - '0');
		return ST_OK;
	}
	for (int i = 0; i < TIMEBINS_SCHEME_COUNT && len > 0; i++) {
		if (strncasecmp(scheme_names[i], text, len) == 0) {
			found = i;
			matches++;
		}
	}
	if (matches != 1) {
		return err_set(err, ST_EINVAL,
			       matches ? "more than one scheme begins so" : "no such scheme");
	}
	*out = (enum timebins_scheme)found;
	return ST_OK;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t bin_of(const struct timebins *bins, int64_t ms)
{
	return floor_divide(ms - bins->anchor_ms, bins->opts.size_ms);
}

/* The same without a division for what lies in bin number `near` or in the next one, as most does. */
static int64_t bin_near(const struct timebins *bins, int64_t ms)
{
	uint64_t after_ms = (uint64_t)(ms - bins->near_ms);
	uint64_t size_ms = (uint64_t)bins->opts.size_ms;

	if (after_ms < 2 * size_ms) {
		return bins->near + (after_ms >= size_ms);
	}
	return bin_of(bins, ms);
}

static void set_grid(struct timebins *bins, int64_t some_start_ms)
{
	bins->grid_ms = some_start_ms;
	__atomic_store_n(&bins->has_grid, true, __ATOMIC_RELEASE);
}

/* Bins that begin with a start or an end, and those that divide a day, are known at once. */
static void plan_grid(struct timebins *bins)
{
	if (bins->opts.has_start) {
		set_grid(bins, bins->opts.start_ms);
	} else if (bins->opts.has_end) {
		set_grid(bins, bins->opts.end_ms);
	} else if (DAY_MS % bins->opts.size_ms == 0) {
		set_grid(bins, 0);
	}
}

struct timegrid timebins_grid(const struct timebins *bins)
{
	struct timegrid grid = { .size_ms = bins->opts.size_ms };

	if (__atomic_load_n(&bins->has_grid, __ATOMIC_ACQUIRE)) {
		grid.known = true;
		grid.origin_ms = bins->grid_ms;
	}
	return grid;
}

int timebins_new(struct timebins **out, const struct timebins_opts *opts, struct err *err)
{
	struct timebins *bins = g_new0(struct timebins, 1);

	bins->opts = *opts;
	bins->recent_ms = INT64_MAX;
	bins->low_limit = INT64_MIN;
	bins->high_limit = INT64_MAX;
	if (opts->has_start) {
		bins->anchored = true;
		bins->anchor_ms = opts->start_ms;
		bins->near_ms = opts->start_ms;
		bins->low_limit = 0;
		if (opts->has_end) {
			bins->high_limit = bin_of(bins, opts->last_ms);
		}
	}
	if (opts->has_start && opts->has_end && bins->high_limit >= BINTABLE_SPAN) {
		timebins_free(bins);
		return err_set(err, ST_ELIMIT,
			       "there are too many bins from the start to the end; choose "
			       "a larger bin size");
	}
	plan_grid(bins);
	*out = bins;
	return ST_OK;
}

void timebins_free(struct timebins *bins)
{
	if (bins) {
		bintable_release(&bins->table);
		g_free(bins);
	}
}

/* ---- one record ---- */

/* A record in milliseconds and bins; from..to are those of its bins that are kept. */
struct span {
	int64_t start_ms, end_ms;
	int64_t first, last;
	int64_t from, to;
	double bytes, packets;
};

static void touch(struct timebins *bins, int64_t first, int64_t last)
{
	bins->first = bins->any ? MIN(bins->first, first) : first;
	bins->last = bins->any ? MAX(bins->last, last) : last;
	bins->any = true;
}

static struct timebin volume_share(const struct span *span, double share)
{
	return (struct timebin){ share, span->bytes * share, span->packets * share };
}

static void add_volume(struct timebin *bin, const struct timebin *volume)
{
	bin->records += volume->records;
	bin->bytes += volume->bytes;
	bin->packets += volume->packets;
}

static void add_share(struct timebin *bin, const struct span *span, double share)
{
	const struct timebin volume = volume_share(span, share);

	add_volume(bin, &volume);
}

/* The same share to each of these bins, worked out once. */
static void add_shares(const struct timebins *bins, int64_t from, int64_t to,
		       const struct span *span, double share)
{
	const struct timebin volume = volume_share(span, share);

	while (from <= to) {
		struct timebin *bin = bintable_at(&bins->table, from);
		int64_t end = MIN(to, bintable_page_end(from));

		for (; from <= end; from++) {
			add_volume(bin++, &volume);
		}
	}
}

/* Everything into one bin, if that is kept. */
static void add_spike(struct timebins *bins, const struct span *span, int64_t at_ms)
{
	int64_t n = bin_of(bins, at_ms);

	if (n >= span->from && n <= span->to) {
		add_share(bintable_at(&bins->table, n), span, 1);
		touch(bins, n, n);
	}
}

static void spread_start(struct timebins *bins, const struct span *span)
{
	add_spike(bins, span, span->start_ms);
}

static void spread_end(struct timebins *bins, const struct span *span)
{
	add_spike(bins, span, span->end_ms);
}

static void spread_middle(struct timebins *bins, const struct span *span)
{
	add_spike(bins, span, span->start_ms + (span->end_ms - span->start_ms) / 2);
}

/* SiLK counts one bin more where a record begins together with a bin that is too early to be kept.
 */
static void spread_uniform(struct timebins *bins, const struct span *span)
{
	const bool more =
		span->first < bins->low_limit && span->start_ms == timebins_time(bins, span->first);
	const int64_t count = span->last - span->first + 1 + more;

	touch(bins, span->from, span->to);
	add_shares(bins, span->from, span->to, span, 1.0 / (double)count);
}

/* How many bins after the start of the first slot a time is. */
static double slots_until(const struct timebins *bins, int64_t ms)
{
	return (double)(ms - timebins_time(bins, bins->base)) / (double)bins->opts.size_ms;
}

/*
 * Both ends of a record count: it lasts one millisecond more than its duration. What a number of
 * slots loses to rounding is SiLK's, so that results compare.
 */
static void add_overlap(struct timebins *bins, const struct span *span, int64_t n, double whole)
{
	const double slot = (double)(n - bins->base);
	double covered = 1;

	if (n == span->first) {
		covered = slot + 1 - slots_until(bins, span->start_ms);
	} else if (n == span->last) {
		covered = slots_until(bins, span->end_ms + 1) - slot;
	}
	add_share(bintable_at(&bins->table, n), span, covered * (double)bins->opts.size_ms / whole);
}

/* All bins but the first and the last are covered whole, and get the same. */
static void spread_proportional(struct timebins *bins, const struct span *span)
{
	double whole = (double)(span->end_ms - span->start_ms + 1);

	touch(bins, span->from, span->to);
	add_overlap(bins, span, span->from, whole);
	if (span->to > span->from) {
		add_shares(bins, span->from + 1, span->to - 1, span,
			   (double)bins->opts.size_ms / whole);
		add_overlap(bins, span, span->to, whole);
	}
}

static void spread_maximum(struct timebins *bins, const struct span *span)
{
	touch(bins, span->from, span->to);
	add_shares(bins, span->from, span->to, span, 1);
}

/* Of a record that spans bins only its presence is certain; such bins do not widen the result. */
static void spread_minimum(struct timebins *bins, const struct span *span)
{
	for (int64_t n = span->from; n <= span->to; n++) {
		bintable_at(&bins->table, n)->records++;
	}
}

typedef void (*spread_fn)(struct timebins *bins, const struct span *span);
static const spread_fn spreads[TIMEBINS_SCHEME_COUNT] = {
	[TIMEBINS_BIN_UNIFORM] = spread_uniform,
	[TIMEBINS_START_SPIKE] = spread_start,
	[TIMEBINS_END_SPIKE] = spread_end,
	[TIMEBINS_MIDDLE_SPIKE] = spread_middle,
	[TIMEBINS_TIME_PROPORTIONAL] = spread_proportional,
	[TIMEBINS_MAXIMUM_VOLUME] = spread_maximum,
	[TIMEBINS_MINIMUM_VOLUME] = spread_minimum,
};

/*
 * Without a start, SiLK's bins begin two days before the day of the first record, or, where they
 * are shorter than a second, at that day; with an end, at the last multiple of a bin before that
 * which makes a bin start at the end.
 */
static void anchor(struct timebins *bins, int64_t start_ms)
{
	int64_t base_ms = floor_divide(start_ms, DAY_MS) * DAY_MS;

	if (bins->opts.size_ms >= 1000) {
		base_ms -= 2 * DAY_MS;
	}

	bins->anchored = true;
	bins->anchor_ms = base_ms;
	if (bins->opts.has_end) {
		int64_t size_ms = bins->opts.size_ms;
		int64_t steps = floor_divide(bins->opts.end_ms - base_ms, size_ms) + 1;

		bins->anchor_ms = bins->opts.end_ms - steps * size_ms;
		bins->high_limit = bin_of(bins, bins->opts.last_ms);
	}
	bins->near_ms = bins->anchor_ms;
	if (!bins->has_grid) {
		set_grid(bins, bins->anchor_ms);
	}
}

/* A record that begins before the first slot: as SiLK does, make room for 2^21 bins at least. */
static void move_base(struct timebins *bins, int64_t start_ms)
{
	const int64_t base_ms = timebins_time(bins, bins->base);
	const int64_t missing = (base_ms - start_ms) / bins->opts.size_ms + 1;

	bins->base -= MAX(missing, INT64_C(1) << 21);
}

/* The bins of a run. */
static void locate(struct timebins *bins, struct span *span)
{
	span->first = bin_near(bins, span->start_ms);
	if (span->first != bins->near) {
		bins->near = span->first;
		bins->near_ms = timebins_time(bins, span->first);
	}
	span->last = bin_near(bins, span->end_ms);
	span->from = MAX(span->first, bins->low_limit);
	span->to = MIN(span->last, bins->high_limit);
}

/* The bin that a run lies in, for the runs to come. */
static void remember(struct timebins *bins)
{
	bins->recent = bintable_at(&bins->table, bins->near);
	bins->recent_ms = bins->near_ms;
	bins->recent_end_ms = bins->near_ms + bins->opts.size_ms;
}

/* All of a run's volume into one bin. */
static void add_to_bin(struct timebin *bin, const struct timerun *run,
		       const struct timerun_row *rows)
{
	if (run->count > 0) {
		timerun_add(bin, rows, run->count);
	} else {
		bin->records++;
		bin->bytes += (double)run->bytes;
		bin->packets += (double)run->packets;
	}
}

static int add_run(struct timebins *bins, const struct timerun *run, const struct timerun_row *rows,
		   struct err *err)
{
	struct span span = {
		.start_ms = run->start_ms,
		.end_ms = run->end_ms,
		.bytes = (double)run->bytes,
		.packets = (double)run->packets,
	};

	bins->seen = true;
	if (!bins->anchored) {
		anchor(bins, span.start_ms);
	}
	locate(bins, &span);
	if (span.from < bins->base) {
		move_base(bins, span.start_ms);
	}
	if (span.from > span.to) {
		return ST_OK;
	}
	if (bintable_cover(&bins->table, span.from, span.to, err) != ST_OK) {
		return ST_ELIMIT;
	}
	if (span.first == span.last) {
		remember(bins);
		add_to_bin(bins->recent, run, rows);
		touch(bins, span.first, span.first);
	} else {
		spreads[bins->opts.scheme](bins, &span);
	}
	return ST_OK;
}

int timebins_add(struct timebins *bins, const struct timeruns *runs, struct err *err)
{
	const struct timerun_row *rows = runs->rows;
	int status = ST_OK;

	for (uint32_t i = 0; i < runs->run_count && status == ST_OK; i++) {
		const struct timerun *run = &runs->runs[i];

		if (run->start_ms >= bins->recent_ms && run->end_ms < bins->recent_end_ms) {
			add_to_bin(bins->recent, run, rows);
		} else {
			status = add_run(bins, run, rows, err);
		}
		rows += run->count;
	}
	return status;
}

/* ---- results ---- */

void timebins_range(const struct timebins *bins, int64_t *first, int64_t *last)
{
	*first = bins->any ? bins->first : 0;
	*last = bins->any ? bins->last : -1;
	if (bins->opts.has_start && bins->seen) {
		*first = 0;
		*last = MAX(*last, 0);
	}
	if (bins->opts.has_end && (bins->any || (bins->opts.has_start && bins->seen))) {
		*last = bins->high_limit;
	}
}

uint64_t timebins_slot(const struct timebins *bins, int64_t n)
{
	return (uint64_t)(n - bins->base);
}

const struct timebin *timebins_at(const struct timebins *bins, int64_t n)
{
	static const struct timebin none = { 0 };
	const struct timebin *bin = bintable_look_up(&bins->table, n);

	return bin ? bin : &none;
}

int64_t timebins_time(const struct timebins *bins, int64_t n)
{
	return bins->anchor_ms + n * bins->opts.size_ms;
}

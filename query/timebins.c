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

	struct timebin *bins; /* bins[0] is bin number `lowest` */
	int64_t lowest;
	int64_t count;

	bool seen;     /* a record, whether or not it is kept */
	bool any;      /* volume has been added: */
	int64_t first; /* to these bins first and last in time */
	int64_t last;
	int64_t base; /* slots count from this bin; shares of bins are told from its start */

	/* a bin that a row lay in as a whole, and when it begins and ends; never, before there is one */
	int64_t recent;
	int64_t recent_ms, recent_end_ms;
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

/* Make room for bins low..high, with slack so that growing stays rare. */
static int cover(struct timebins *bins, int64_t low, int64_t high, struct err *err)
{
	int64_t new_low = low, new_high = high, slack;
	struct timebin *wider;

	if (bins->count > 0) {
		if (low >= bins->lowest && high < bins->lowest + bins->count) {
			return ST_OK;
		}
		new_low = MIN(low, bins->lowest);
		new_high = MAX(high, bins->lowest + bins->count - 1);
	}
	if (new_high - new_low >= TIMEBINS_MAX) {
		return err_set(err, ST_ELIMIT,
			       "the times span too many bins; choose a larger bin size");
	}
	slack = (new_high - new_low) / 2 + 64;
	if (low < bins->lowest || bins->count == 0) {
		new_low -= slack;
	}
	if (high >= bins->lowest + bins->count || bins->count == 0) {
		new_high += slack;
	}
	wider = g_new0(struct timebin, (gsize)(new_high - new_low + 1));
	if (bins->count > 0) {
		memcpy(wider + (bins->lowest - new_low), bins->bins,
		       (size_t)bins->count * sizeof(*wider));
	}
	g_free(bins->bins);
	bins->bins = wider;
	bins->lowest = new_low;
	bins->count = new_high - new_low + 1;
	return ST_OK;
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
		bins->low_limit = 0;
		if (opts->has_end) {
			bins->high_limit = bin_of(bins, opts->last_ms);
		}
	}
	if (opts->has_start && opts->has_end &&
	    cover(bins, bins->low_limit, bins->high_limit, err) != ST_OK) {
		timebins_free(bins);
		return ST_ELIMIT;
	}
	*out = bins;
	return ST_OK;
}

void timebins_free(struct timebins *bins)
{
	if (bins) {
		g_free(bins->bins);
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

static struct timebin *bin_at(const struct timebins *bins, int64_t n)
{
	return &bins->bins[n - bins->lowest];
}

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
	struct timebin *bin = bin_at(bins, from);

	for (int64_t n = from; n <= to; n++) {
		add_volume(bin++, &volume);
	}
}

/* Everything into one bin, if that is kept. */
static void add_spike(struct timebins *bins, const struct span *span, int64_t at_ms)
{
	int64_t n = bin_of(bins, at_ms);

	if (n >= span->from && n <= span->to) {
		add_share(bin_at(bins, n), span, 1);
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
	const double slot = (double)timebins_slot(bins, n);
	double covered = 1;

	if (n == span->first) {
		covered = slot + 1 - slots_until(bins, span->start_ms);
	} else if (n == span->last) {
		covered = slots_until(bins, span->end_ms + 1) - slot;
	}
	add_share(bin_at(bins, n), span, covered * (double)bins->opts.size_ms / whole);
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
		bin_at(bins, n)->records++;
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
}

/* A record that begins before the first slot: as SiLK does, make room for 2^21 bins at least. */
static void move_base(struct timebins *bins, int64_t start_ms)
{
	const int64_t base_ms = timebins_time(bins, bins->base);
	const int64_t missing = (base_ms - start_ms) / bins->opts.size_ms + 1;

	bins->base -= MAX(missing, INT64_C(1) << 21);
}

static int add_record(struct timebins *bins, const struct timebins_row *row, struct err *err)
{
	struct span span = {
		.start_ms = row->start_ms,
		.end_ms = row->end_ms,
		.bytes = (double)row->bytes,
		.packets = (double)row->packets,
	};

	bins->seen = true;
	if (!bins->anchored) {
		anchor(bins, span.start_ms);
	}
	span.first = bin_of(bins, span.start_ms);
	span.last = span.end_ms < timebins_time(bins, span.first + 1) ? span.first
								      : bin_of(bins, span.end_ms);
	span.from = MAX(span.first, bins->low_limit);
	span.to = MIN(span.last, bins->high_limit);
	if (span.from < bins->base) {
		move_base(bins, span.start_ms);
	}
	if (span.from > span.to) {
		return ST_OK;
	}
	if (cover(bins, span.from, span.to, err) != ST_OK) {
		return ST_ELIMIT;
	}
	if (span.first == span.last) {
		add_share(bin_at(bins, span.first), &span, 1);
		touch(bins, span.first, span.first);
		bins->recent = span.first;
		bins->recent_ms = timebins_time(bins, span.first);
		bins->recent_end_ms = bins->recent_ms + bins->opts.size_ms;
	} else {
		spreads[bins->opts.scheme](bins, &span);
	}
	return ST_OK;
}

int timebins_add(struct timebins *bins, const struct timebins_row *rows, size_t count,
		 struct err *err)
{
	int status = ST_OK;

	for (size_t i = 0; i < count && status == ST_OK; i++) {
		const struct timebins_row *row = &rows[i];

		if (row->start_ms >= bins->recent_ms && row->end_ms < bins->recent_end_ms) {
			struct timebin *bin = bin_at(bins, bins->recent);

			bin->records++;
			bin->bytes += (double)row->bytes;
			bin->packets += (double)row->packets;
		} else {
			status = add_record(bins, row, err);
		}
	}
	return status;
}

size_t timebins_rows(const struct batch *batch, struct timebins_row *rows)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		int64_t start_ms = floor_divide(batch->start_ns[row], NS_PER_MS);
		int64_t duration_ms = (int64_t)(batch->duration_ns[row] / NS_PER_MS);

		rows[i] = (struct timebins_row){
			.start_ms = start_ms,
			.end_ms = start_ms + duration_ms,
			.bytes = batch->bytes[row],
			.packets = batch->packets[row],
		};
	}
	return batch->selected;
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

	if (n < bins->lowest || n >= bins->lowest + bins->count) {
		return &none;
	}
	return bin_at(bins, n);
}

int64_t timebins_time(const struct timebins *bins, int64_t n)
{
	return bins->anchor_ms + n * bins->opts.size_ms;
}

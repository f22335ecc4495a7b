/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of all inputs into the groups of bins, by a crew of threads. */
#include "query/bins.h"

#include <pthread.h>

#include "common/extfield.h"
#include "common/timestamp.h"
#include "query/labelling.h"
#include "query/readcrew.h"
#include "query/tool.h"

/*
 * With a bin time of its own, SiLK moves the record as a whole to the bin of the times in the key;
 * so the earliest start and latest end of a group are told by moved records, too.
 */
static void shift_times(const struct bins *bins, struct batch *batch)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		int64_t start = batch->start_ns[row];
		int64_t duration = (int64_t)batch->duration_ns[row];
		int64_t end = timestamp_floor(start + duration, bins->shift_ns);

		if (!bins->shift_start) {
			start = end - duration;
		} else {
			start = timestamp_floor(start, bins->shift_ns);
			duration = bins->shift_end ? end - start : duration;
		}
		batch->start_ns[row] = start;
		batch->duration_ns[row] = (uint64_t)duration;
	}
}

/*
 * Of the address of an IPv6 record SiLK masks the first four bytes, as a number whose lowest byte comes first. That
 * says nothing of a network, but scripts have these keys.
 */
static struct ip mask_wide(struct ip ip, unsigned bits)
{
	const uint32_t mask = __builtin_bswap32(UINT32_MAX << (32 - bits));

	ip.hi &= (uint64_t)mask << 32 | UINT32_MAX;
	return ip;
}

static void mask_addresses(const struct batch *batch, struct ip *column, unsigned bits)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		struct ip *ip = &column[batch->selection[i]];

		*ip = batch->state[batch->selection[i]] & RECORD_IPV6
			      ? mask_wide(*ip, bits)
			      : ip_block_first(*ip, 96 + bits);
	}
}

/* All that reads. */
struct reading {
	struct bins *bins;
	const struct sampling_opts *sampling_opts;
	struct sampling sampling;
	pthread_mutex_t lock;
	bool failed; /* atomic; err tells why */
	struct err err;
};

struct worker {
	struct group_worker *group;
	struct group_worker *total; /* NULL: not wanted */
	uint64_t records;
};

static void want_columns(void *arg, struct batch *batch)
{
	const struct reading *reading = arg;
	struct sampling sampling;

	extfields_want(reading->bins->ext, batch);
	sampling_want(&sampling, reading->sampling_opts, batch);
}

static void *begin_worker(void *arg)
{
	const struct reading *reading = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->group = group_worker_new(reading->bins->group);
	if (reading->bins->total) {
		worker->total = group_worker_new(reading->bins->total);
	}
	return worker;
}

static void fail(struct reading *reading, const struct err *err)
{
	pthread_mutex_lock(&reading->lock);
	if (!reading->failed) {
		reading->err = *err;
		__atomic_store_n(&reading->failed, true, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&reading->lock);
}

/* Records as they are grouped. */
static void change_batch(const struct reading *reading, struct batch *batch)
{
	const struct bins *bins = reading->bins;

	sampling_scale(&reading->sampling, batch);
	if (bins->shift_ns) {
		shift_times(bins, batch);
	}
	if (bins->mask.sip_bits) {
		mask_addresses(batch, batch->sip, bins->mask.sip_bits);
	}
	if (bins->mask.dip_bits) {
		mask_addresses(batch, batch->dip, bins->mask.dip_bits);
	}
}

static void add_batch(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	struct reading *reading = arg;
	struct worker *worker = state;
	uint64_t position = readcrew_position(turn);
	struct err err;

	if (__atomic_load_n(&reading->failed, __ATOMIC_RELAXED)) {
		return;
	}
	change_batch(reading, batch);
	worker->records += batch->selected;
	if (group_worker_add(worker->group, batch, position, &err) != ST_OK ||
	    (worker->total && group_worker_add(worker->total, batch, position, &err) != ST_OK)) {
		fail(reading, &err);
	}
}

static void end_worker(void *arg, void *state)
{
	struct reading *reading = arg;
	struct worker *worker = state;
	struct err err;

	reading->bins->records += worker->records;
	if (group_worker_free(worker->group, &err) != ST_OK) {
		fail(reading, &err);
	}
	if (group_worker_free(worker->total, &err) != ST_OK) {
		fail(reading, &err);
	}
	g_free(worker);
}

static uint32_t columns_to_read(const struct bins *bins)
{
	uint32_t columns = group_columns(bins->group);

	if (bins->total) {
		columns |= group_columns(bins->total);
	}
	if (bins->shift_ns) {
		columns |= COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION);
	}
	if (bins->mask.sip_bits || bins->mask.dip_bits) {
		columns |= COLUMN_BIT(COLUMN_STATE);
	}
	return columns;
}

int bins_read(struct bins *bins, const struct bins_start_opts *opts, int argc, char **argv)
{
	struct source *source = source_new(opts->env, opts->source, argc, argv);
	struct reading reading = {
		.bins = bins,
		.sampling_opts = opts->sampling,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	const struct readcrew crew = {
		.source = source,
		.threads = bins->threads,
		.columns = columns_to_read(bins),
		.arg = &reading,
		.want = want_columns,
		.begin = begin_worker,
		.batch = add_batch,
		.end = end_worker,
	};
	struct batch *batch = batch_new();

	bins->labelling = labelling_new(bins->ext, opts->env, opts->site);
	/* where the rates are among the columns that every batch is asked for */
	extfields_want(bins->ext, batch);
	sampling_want(&reading.sampling, opts->sampling, batch);
	batch_free(batch);
	source_set_site(source, bins->ctx.site);
	readcrew_run(&crew);
	pthread_mutex_destroy(&reading.lock);
	if (reading.failed) {
		tool_die_err(&reading.err);
	}
	return source_close(source);
}

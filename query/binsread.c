/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of all inputs into the groups of bins, by a crew of threads. */
#include "query/bins.h"

#include "common/extfield.h"
#include "common/timestamp.h"
#include "query/groupcrew.h"
#include "query/labelling.h"
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
	const struct bins *bins;
	const struct sampling_opts *sampling;
};

static void want_columns(void *arg, struct batch *batch)
{
	const struct reading *reading = arg;

	extfields_want(reading->bins->ext, batch);
	sampling_want(reading->sampling, batch);
}

/* Records as they are grouped. */
static void change_batch(void *arg, struct batch *batch)
{
	const struct reading *reading = arg;
	const struct bins *bins = reading->bins;

	sampling_scale(reading->sampling, batch);
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

/* COLUMN_BITs that records are changed by. */
static uint32_t columns_to_change(const struct bins *bins)
{
	uint32_t columns = 0;

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
	struct reading reading = { bins, opts->sampling };
	const struct groupcrew crew = {
		.source = source,
		.threads = bins->threads,
		.groups = { bins->group, bins->total },
		.columns = columns_to_change(bins),
		.arg = &reading,
		.want = want_columns,
		.change = change_batch,
	};
	struct err err;

	bins->labelling = labelling_new(bins->ext, opts->env, opts->site);
	source_set_site(source, bins->ctx.site);
	if (groupcrew_run(&crew, &bins->records, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return source_close(source);
}

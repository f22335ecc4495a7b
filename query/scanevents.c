/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flows are gathered into parcels of whole events, which a crew of threads judges; one thread at a
 * time reads on meanwhile.
 */
#include "query/scanevents.h"

#include <glib.h>

#include "common/timestamp.h"
#include "query/scancrew.h"

/* So many flows that handing them over costs nothing. */
#define PARCEL_FLOWS 16384

const uint32_t scanevents_columns = COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) |
				    COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT) |
				    COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_PACKETS) |
				    COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_FLAGS) |
				    COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION);

struct parcel {
	struct scanpiece piece; /* first */
	GArray *events;         /* struct scanevent */
	GArray *flows;          /* struct scanflow, of one event after the other */
};

struct reading {
	const struct scanevents_opts *opts;
	struct batch *batch;
	uint32_t at; /* the next of its selected rows */
	bool is_over;
};

static struct parcel *parcel_new(void)
{
	struct parcel *parcel = g_new0(struct parcel, 1);

	parcel->events = g_array_new(FALSE, FALSE, sizeof(struct scanevent));
	parcel->flows = g_array_new(FALSE, FALSE, sizeof(struct scanflow));
	return parcel;
}

static void parcel_free(struct parcel *parcel)
{
	g_array_free(parcel->events, TRUE);
	g_array_free(parcel->flows, TRUE);
	g_free(parcel);
}

/* ---- reading ---- */

static struct scanevent *last_event(const struct parcel *parcel)
{
	return parcel->events->len > 0
		       ? &g_array_index(parcel->events, struct scanevent, parcel->events->len - 1)
		       : NULL;
}

static bool is_of_event(const struct scanevent *event, const struct batch *batch, uint32_t row)
{
	return event && event->sip == ip_to_v4(batch->sip[row]) &&
	       event->protocol == batch->protocol[row];
}

static void open_event(struct parcel *parcel, const struct batch *batch, uint32_t row)
{
	const struct scanevent event = {
		.sip = ip_to_v4(batch->sip[row]),
		.protocol = batch->protocol[row],
		.start_ns = batch->start_ns[row],
		.end_ns = batch->start_ns[row] + (int64_t)batch->duration_ns[row],
	};

	g_array_append_val(parcel->events, event);
}

static void add_flow(struct parcel *parcel, const struct batch *batch, uint32_t row)
{
	struct scanevent *event = last_event(parcel);
	const int64_t start_ns = batch->start_ns[row];
	const uint64_t packets = batch->packets[row];
	const struct scanflow flow = {
		.dip = ip_to_v4(batch->dip[row]),
		.sport = batch->sport[row],
		.dport = batch->dport[row],
		.flags = batch->flags[row],
		.few_packets = (packets < 3),
		.large = (packets > 0) && batch->bytes[row] / packets > 60,
		.start_ns = start_ns,
	};

	event->start_ns = MIN(event->start_ns, start_ns);
	/* As SiLK has it: a flow that starts in the second of the end so far, or before, does not
	 * move it. */
	if (timestamp_floor(start_ns, NS_PER_S) > timestamp_floor(event->end_ns, NS_PER_S)) {
		event->end_ns = start_ns + (int64_t)batch->duration_ns[row];
	}
	event->packets += packets;
	event->bytes += batch->bytes[row];
	event->flows++;
	g_array_append_val(parcel->flows, flow);
}

/* false: the next record begins an event, and there is enough. */
static bool add_rows(struct reading *reading, struct parcel *parcel)
{
	const struct batch *batch = reading->batch;
	const guint enough = reading->opts->one_by_one ? 1 : PARCEL_FLOWS;

	for (; reading->at < batch->selected; reading->at++) {
		const uint32_t row = batch->selection[reading->at];

		if (!is_of_event(last_event(parcel), batch, row)) {
			if (parcel->flows->len >= enough) {
				return false;
			}
			open_event(parcel, batch, row);
		}
		if (reading->opts->record) {
			reading->opts->record(reading->opts->arg, batch, row);
		}
		add_flow(parcel, batch, row);
	}
	return true;
}

static void *next_parcel(void *arg)
{
	struct reading *reading = arg;
	struct parcel *parcel = parcel_new();

	while (!reading->is_over && add_rows(reading, parcel)) {
		reading->at = 0;
		reading->is_over = !reading->opts->next(reading->opts->arg, reading->batch);
	}
	if (parcel->events->len == 0) {
		parcel_free(parcel);
		return NULL;
	}
	return parcel;
}

/* ---- judging ---- */

static void judge(void *arg, void *worker, void *unit, struct scanturn *turn)
{
	const struct reading *reading = arg;
	struct parcel *parcel = unit;
	struct scanflow *flows = (struct scanflow *)(void *)parcel->flows->data;

	for (guint i = 0; i < parcel->events->len; i++) {
		struct scanevent *event = &g_array_index(parcel->events, struct scanevent, i);

		scanmodel_judge(reading->opts->model, event->protocol, flows, event->flows,
				&event->verdict);
		flows += event->flows;
	}
	parcel->piece.bytes = sizeof(struct scanevent) * parcel->events->len;
	g_array_set_size(parcel->flows, 0);
	scancrew_put(turn, &parcel->piece);
}

static bool is_worth_threads(void *arg, void *unit)
{
	return ((const struct parcel *)unit)->flows->len >= PARCEL_FLOWS;
}

static void drop_parcel(void *arg, void *unit)
{
	parcel_free(unit);
}

static int take_parcel(void *arg, struct scanpiece *piece, bool drained, struct err *err)
{
	const struct reading *reading = arg;
	struct parcel *parcel = (struct parcel *)piece;

	for (guint i = 0; i < parcel->events->len && !drained; i++) {
		reading->opts->take(reading->opts->arg,
				    &g_array_index(parcel->events, struct scanevent, i));
	}
	parcel_free(parcel);
	return ST_OK;
}

void scanevents_run(const struct scanevents_opts *opts)
{
	struct reading reading = { .opts = opts, .batch = batch_new() };
	const struct scancrew_opts crew_opts = {
		.threads = opts->one_by_one ? 1 : opts->threads,
		.arg = &reading,
		.next = next_parcel,
		.worth = is_worth_threads,
		.work = judge,
		.drop = drop_parcel,
		.take = take_parcel,
	};
	struct scancrew *crew = scancrew_new(&crew_opts);

	scancrew_run(crew, NULL);
	scancrew_free(crew);
	batch_free(reading.batch);
}

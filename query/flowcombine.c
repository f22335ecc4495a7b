/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowcombine.h"

#include <glib.h>

#include "common/timestamp.h"

/* A joined record must fit SiLK's formats. */
#define VOLUME_MAX   UINT32_MAX
#define DURATION_MAX ((uint64_t)UINT32_MAX * NS_PER_MS)

void flowcombine_init(struct flowcombine *combine, int64_t max_idle_ns, flowcombine_write_fn write,
		      void *arg)
{
	*combine = (struct flowcombine){
		.counts.idle_min_ms = UINT64_MAX,
		.max_idle_ns = max_idle_ns,
		.write = write,
		.arg = arg,
	};
}

static int let_go(struct flowcombine *combine, struct err *err)
{
	struct flowcombine_counts *counts = &combine->counts;
	/* by marks: C is 2, T is 1 */
	uint64_t *const kinds[] = {
		&counts->complete,
		&counts->missing_end,
		&counts->missing_start,
		&counts->missing_both,
	};
	const uint8_t state = combine->held.state;

	if (!combine->holds) {
		return ST_OK;
	}
	combine->holds = false;
	(*kinds[(state & RECORD_CONTINUED ? 2 : 0) + (state & RECORD_TIMEOUT ? 1 : 0)])++;
	return combine->write(combine->arg, &combine->held, err);
}

static void note_idle(struct flowcombine_counts *counts, int64_t idle_ns)
{
	const uint64_t idle_ms = (uint64_t)(idle_ns / NS_PER_MS);

	if (counts->idle_min_ms == UINT64_MAX) {
		counts->idle_min_ms = idle_ms;
		counts->idle_max_ms = idle_ms;
	} else if (idle_ns < 0 || idle_ms < counts->idle_min_ms) {
		counts->idle_min_ms = idle_ms;
	} else if (idle_ms > counts->idle_max_ms) {
		counts->idle_before_max_ms = counts->idle_max_ms;
		counts->idle_max_ms = idle_ms;
	}
}

static bool is_uniform(const struct record *rec)
{
	return rec->state & RECORD_UNIFORM || rec->packets == 1;
}

/* Packets of both together are of one size, as far as sums of them tell. */
static bool are_uniform(const struct record *a, const struct record *b)
{
	return is_uniform(a) && is_uniform(b) && a->packets > 0 && b->packets > 0 &&
	       a->bytes / a->packets == b->bytes / b->packets;
}

/* The end is that of the second record, even if it is before that of the first. */
static bool join(struct flowcombine *combine, const struct record *rec)
{
	struct record *held = &combine->held;
	const int64_t idle_ns = rec->start_ns - record_end_ns(held);
	const uint64_t duration_ns = (uint64_t)(record_end_ns(rec) - held->start_ns);

	if (!(held->state & RECORD_TIMEOUT) || !(rec->state & RECORD_CONTINUED) ||
	    idle_ns > combine->max_idle_ns || held->packets + rec->packets > VOLUME_MAX ||
	    held->bytes + rec->bytes > VOLUME_MAX || duration_ns > DURATION_MAX) {
		return false;
	}
	held->state = (uint8_t)((held->state & ~RECORD_UNIFORM) |
				(are_uniform(held, rec) ? RECORD_UNIFORM : 0));
	held->packets += rec->packets;
	held->bytes += rec->bytes;
	held->duration_ns = duration_ns;
	held->flags |= rec->flags;
	held->session_flags |= rec->initial_flags | rec->session_flags;
	held->state &= (uint8_t)~RECORD_TIMEOUT;
	held->state |= rec->state & RECORD_TIMEOUT;
	note_idle(&combine->counts, idle_ns);
	combine->counts.eliminated++;
	return true;
}

int flowcombine_add(struct flowcombine *combine, const struct record *rec, bool is_new_session,
		    struct err *err)
{
	int status;

	combine->counts.added++;
	if (combine->holds && !is_new_session && join(combine, rec)) {
		return ST_OK;
	}
	status = let_go(combine, err);
	combine->held = *rec;
	combine->holds = true;
	return status;
}

int flowcombine_finish(struct flowcombine *combine, struct err *err)
{
	return let_go(combine, err);
}

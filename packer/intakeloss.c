/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was dropped before it reached the journal of a relay, put into the journal, so that the packer
 * behind it can say which hours are short. */
#include <glib.h>
#include <string.h>

#include "common/clock.h"
#include "packer/intake_internal.h"

/* Of one probe. */
struct intakeloss {
	struct intake_channel *channel; /* a session for nothing else; NULL: nothing was dropped */
	struct envelope_loss told;
};

static void intakeloss_free(gpointer pointer)
{
	struct intakeloss *loss = pointer;

	intake_channel_free(loss->channel);
	g_free(loss);
}

GHashTable *intakeloss_new_table(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, intakeloss_free);
}

/* Datagrams come from anybody: the packer is to go on with the session after a restart. */
static int intakeloss_open(struct intake *intake, const char *probe, struct intakeloss *loss,
			   struct err *err)
{
	const struct envelope_open open = {
		.flags = ENVELOPE_DATAGRAMS,
		.stream = "",
		.probe = probe,
		.place = "losses",
		.peer = "",
	};

	return loss->channel ? ST_OK : intake_channel_open(intake, &open, &loss->channel, err);
}

static int intakeloss_append(const struct intakeloss *loss, const struct envelope_loss *since,
			     struct err *err)
{
	uint8_t bytes[ENVELOPE_LOSS_BYTES];
	struct envelope envelope = {
		.kind = ENVELOPE_LOSS,
		.arrival_ns = clock_now_ns(CLOCK_REALTIME),
		.bytes = bytes,
		.len = sizeof(bytes),
	};

	envelope_put_loss(bytes, since);
	return intake_append_whole(loss->channel, &envelope, err);
}

struct intakeloss_count {
	const char *probe;
	struct envelope_loss dropped; /* since the start */
};

static void intakeloss_collect(void *arg, const struct probestats *stats)
{
	const struct intakeloss_count count = {
		stats->name,
		{ metric_get(&stats->values[PROBE_KERNEL_DROPS]),
		  metric_get(&stats->values[PROBE_JOURNAL_DROPS]) },
	};

	g_array_append_val((GArray *)arg, count);
}

/* False: there is no room. */
static bool intakeloss_tell(struct intake *intake, const struct intakeloss_count *count)
{
	struct intakeloss *loss = g_hash_table_lookup(intake->losses, count->probe);
	struct envelope_loss since = count->dropped;
	struct err err;

	if (!loss) {
		loss = g_new0(struct intakeloss, 1);
		g_hash_table_insert(intake->losses, g_strdup(count->probe), loss);
	}
	since.kernel -= loss->told.kernel;
	since.journal -= loss->told.journal;
	if (since.kernel + since.journal == 0) {
		return true;
	}
	if (intakeloss_open(intake, count->probe, loss, &err) != ST_OK ||
	    intakeloss_append(loss, &since, &err) != ST_OK) {
		return false;
	}
	loss->told = count->dropped;
	return true;
}

bool intake_tell_losses(struct intake *intake)
{
	GArray *counts = g_array_new(FALSE, FALSE, sizeof(struct intakeloss_count));
	bool told = true;

	pthread_mutex_lock(&intake->losses_lock);
	probetable_each(intake->env.stats, intakeloss_collect, counts);
	for (guint i = 0; i < counts->len; i++) {
		told &= intakeloss_tell(intake, &g_array_index(counts, struct intakeloss_count, i));
	}
	pthread_mutex_unlock(&intake->losses_lock);
	g_array_free(counts, TRUE);
	return told;
}

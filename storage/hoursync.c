/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hoursync.h"

#include <glib.h>

#include "common/parallel.h"

/* They wait for the disk, not for a processor. */
#define SYNCS_AT_ONCE 8

struct outcome {
	int status;
	struct err err;
};

struct syncing {
	struct hourappend *const *appends;
	struct outcome *outcomes;
};

static void sync_one(void *arg, unsigned thread, size_t i)
{
	const struct syncing *syncing = arg;
	struct outcome *outcome = &syncing->outcomes[i];

	(void)thread;
	outcome->status = hourappend_sync(syncing->appends[i], &outcome->err);
}

int hoursync(struct hourappend *const *appends, size_t count, struct err *err)
{
	struct syncing syncing = { appends, g_new0(struct outcome, count + 1) };
	size_t failed = 0;
	int st;

	parallel_run(SYNCS_AT_ONCE, count, sync_one, &syncing);
	while (failed < count && syncing.outcomes[failed].status == ST_OK) {
		failed++;
	}
	st = syncing.outcomes[failed].status; /* the one behind the last is ST_OK */
	if (st != ST_OK && err) {
		*err = syncing.outcomes[failed].err;
	}
	g_free(syncing.outcomes);
	return st;
}

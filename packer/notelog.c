/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/notelog.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "packer/probe.h"

#define NOTELOG_PER_MINUTE 600 /* of each kind, over all exporters */

/* log_flag 0: always. */
static const struct notelog_row {
	unsigned log_flag; /* enum probe_log_flag */
	enum log_level level;
} notelog_rows[DECODER_NOTES] = {
	[DECODER_NOTE_BAD] = { PROBE_LOG_BAD, LOG_LEVEL_NOTICE },
	[DECODER_NOTE_MISSING] = { PROBE_LOG_MISSING, LOG_LEVEL_NOTICE },
	[DECODER_NOTE_SAMPLING] = { PROBE_LOG_SAMPLING, LOG_LEVEL_INFO },
	[DECODER_NOTE_FIREWALL] = { PROBE_LOG_FIREWALL_EVENT, LOG_LEVEL_INFO },
	[DECODER_NOTE_TIMESTAMPS] = { PROBE_LOG_RECORD_TIMESTAMPS, LOG_LEVEL_INFO },
	[DECODER_NOTE_TEMPLATES] = { PROBE_LOG_SHOW_TEMPLATES, LOG_LEVEL_INFO },
	[DECODER_NOTE_UNSUPPORTED] = { 0, LOG_LEVEL_WARNING },
	[DECODER_NOTE_CLOCK] = { 0, LOG_LEVEL_NOTICE },
};

struct notelog {
	pthread_mutex_t lock; /* guards limits */
	struct log_limit limits[DECODER_NOTES];
};

struct notelog *notelog_new(void)
{
	struct notelog *notes = g_new0(struct notelog, 1);

	pthread_mutex_init(&notes->lock, NULL);
	return notes;
}

void notelog_free(struct notelog *notes)
{
	if (notes) {
		pthread_mutex_destroy(&notes->lock);
		g_free(notes);
	}
}

unsigned notelog_environment(void)
{
	const char *templates = getenv("SILK_IPFIX_PRINT_TEMPLATES");

	return templates && strcmp(templates, "1") == 0 ? PROBE_LOG_SHOW_TEMPLATES : 0;
}

unsigned notelog_wanted(unsigned log_flags)
{
	unsigned notes = 0;

	for (unsigned note = 0; note < DECODER_NOTES; note++) {
		unsigned flag = notelog_rows[note].log_flag;

		notes |= !flag || (log_flags & flag) ? 1U << note : 0;
	}
	return notes;
}

void notelog_write(struct notelog *notes, const char *probe, enum decoder_note note,
		   const char *text)
{
	uint64_t held_back = 0;
	bool ok;

	pthread_mutex_lock(&notes->lock);
	ok = log_limit_ok(&notes->limits[note], NOTELOG_PER_MINUTE, clock_now_ns(CLOCK_MONOTONIC),
			  &held_back);
	pthread_mutex_unlock(&notes->lock);
	if (!ok) {
		return;
	}
	log_msg(notelog_rows[note].level, "'%s': %s", probe, text);
	if (held_back > 0) {
		log_msg(LOG_LEVEL_INFO, "%" PRIu64 " lines of this kind were held back", held_back);
	}
}

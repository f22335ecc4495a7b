/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/notelog.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "packer/loglimits.h"
#include "packer/probe.h"

/* Names of probes come from relays, too. */
#define PROBES_MAX 1024

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

/* Of each probe: a few to see what is wrong, then a line a minute; more of what was asked for. */
static const struct log_rate notelog_rates[NOTELOG_KINDS] = {
	[DECODER_NOTE_BAD] = { 60, 1 },
	[DECODER_NOTE_MISSING] = { 60, 1 },
	[DECODER_NOTE_SAMPLING] = { 60, 1 },
	[DECODER_NOTE_FIREWALL] = { 600, 600 },
	[DECODER_NOTE_TIMESTAMPS] = { 600, 600 },
	[DECODER_NOTE_TEMPLATES] = { 600, 600 },
	[DECODER_NOTE_UNSUPPORTED] = { 10, 1 },
	[DECODER_NOTE_CLOCK] = { 10, 1 },
	[NOTELOG_DROPPED] = { 10, 1 },
	[NOTELOG_DAMAGED] = { 10, 1 },
	[NOTELOG_IGNORED] = { 600, 600 },
	[NOTELOG_CONNECTED] = { 200, 1 },
	[NOTELOG_DISCONNECTED] = { 200, 1 },
};

struct notelog {
	struct loglimits *limits;
};

struct notelog *notelog_new(void)
{
	struct notelog *notes = g_new0(struct notelog, 1);

	notes->limits = loglimits_new(notelog_rates, NOTELOG_KINDS, PROBES_MAX);
	return notes;
}

void notelog_free(struct notelog *notes)
{
	if (notes) {
		loglimits_free(notes->limits);
		g_free(notes);
	}
}

unsigned notelog_environment(void)
{
	const char *templates = getenv("SILK_IPFIX_PRINT_TEMPLATES");

	return templates && *templates && strcmp(templates, "0") != 0 ? PROBE_LOG_SHOW_TEMPLATES
								      : 0;
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

bool notelog_may(struct notelog *notes, const char *probe, unsigned kind, uint64_t *held_back)
{
	return loglimits_ok(notes->limits, probe, kind, held_back);
}

void notelog_write(struct notelog *notes, const char *probe, enum decoder_note note,
		   const char *text)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (notelog_may(notes, probe, note, &held_back)) {
		log_msg(notelog_rows[note].level, "'%s': %s%s", probe, text,
			log_held_back(held_back, more));
	}
}

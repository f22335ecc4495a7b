/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an exporter's clocks say, and whether to believe them. NetFlow v1 to v9 give with each
 * message the time of day and the milliseconds since boot (a counter of 32 bits that wraps after
 * 49.7 days), and in flows milliseconds since boot. Pure: the time of arrival is an argument.
 *
 *	struct exporterclock clock = { 0 };			// one per exporter
 *	struct exporterclock_message message = { export_ns, uptime_ms, arrival_ns };
 *	unsigned signs = exporterclock_take(&clock, &message);	// EXPORTERCLOCK_REBOOT ...
 *	const int64_t boot_ns = exporterclock_boot_ns(&message);
 *	exporterclock_flow(&message, boot_ns, first_ms, last_ms, &start_ns, &duration_ns);
 *	if (exporterclock_correct(limit_ns, &message, &start_ns, duration_ns))
 *		counts[DECODER_CLOCK_OFF]++;
 */
#ifndef TUSSAH_PACKER_EXPORTERCLOCK_H
#define TUSSAH_PACKER_EXPORTERCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/timestamp.h"

#define EXPORTERCLOCK_WRAP_MS (INT64_C(1) << 32)
/* A flow's counter that differs so much from the message's has wrapped in between. */
#define EXPORTERCLOCK_WRAPPED_MS (INT64_C(45) * 86400 * 1000)

struct exporterclock_message {
	int64_t export_ns;  /* time of day at the exporter, since the epoch */
	uint32_t uptime_ms; /* since it booted, modulo 2^32 */
	int64_t arrival_ns; /* our clock */
};

struct exporterclock { /* zeroed: no message yet. May be saved as it is, field by field */
	bool known;
	uint32_t uptime_ms; /* of the latest message */
	int64_t export_ns;
	int64_t arrival_ns;
};

enum exporterclock_sign {
	EXPORTERCLOCK_REBOOT = 1 << 0,  /* the uptime began anew: sequence numbers do too */
	EXPORTERCLOCK_WRAPPED = 1 << 1, /* the uptime went past 2^32 */
	EXPORTERCLOCK_STEPPED = 1 << 2, /* the time of day was set */
	EXPORTERCLOCK_LATE = 1 << 3, /* sent before the latest message; nothing is learnt from it */
};

/*
 * Compare a message with the ones before. What the two clocks drift against each other, up to a
 * thousandth, is no sign. Returns bits of enum exporterclock_sign.
 */
unsigned exporterclock_take(struct exporterclock *clock,
			    const struct exporterclock_message *message);

/* When the exporter booted by its own clocks, one full wrap of the uptime aside. */
int64_t exporterclock_boot_ns(const struct exporterclock_message *message);

/*
 * First and last packet in milliseconds since boot to a time and a duration; either counter may
 * have wrapped between them or before the message was sent (silk-packing.md 11.2). boot_ns: of
 * exporterclock_boot_ns(), which is the same for all flows of a message.
 */
static inline void exporterclock_flow(const struct exporterclock_message *message, int64_t boot_ns,
				      uint32_t first_ms, uint32_t last_ms, int64_t *start_ns,
				      uint64_t *duration_ns)
{
	int64_t lead_ms = (int64_t)message->uptime_ms - first_ms;
	int64_t start_ms = first_ms;

	if (lead_ms > EXPORTERCLOCK_WRAPPED_MS) {
		start_ms += EXPORTERCLOCK_WRAP_MS;
	} else if (lead_ms < -EXPORTERCLOCK_WRAPPED_MS) {
		start_ms -= EXPORTERCLOCK_WRAP_MS;
	}
	*start_ns = boot_ns + start_ms * NS_PER_MS;
	*duration_ns = (uint64_t)(uint32_t)(last_ms - first_ms) * NS_PER_MS;
}

/*
 * A flow that ended further than limit_ns (0: any time is believed) from its arrival is moved: by
 * as much as the exporter's clock is off, and if that is not it, to end when it arrived. True if
 * moved.
 */
bool exporterclock_correct(int64_t limit_ns, const struct exporterclock_message *message,
			   int64_t *start_ns, uint64_t duration_ns);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sequence numbers of an exporter: what never came, what came late, where counting began anew
 * (silk-packing.md 11.2). Numbers count units (flow records, datagrams, samples) modulo 2^32; each
 * message says the number of its first unit. Pure.
 *
 *	struct sequence sequence = { 0 };
 *	struct sequence_step step;
 *	if (sequence_take(&sequence, header_number, records, &step) != SEQUENCE_IN_ORDER)
 *		missing += (uint64_t)step.missing;		// negative: came late after all
 */
#ifndef TUSSAH_PACKER_SEQUENCE_H
#define TUSSAH_PACKER_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

struct sequence { /* zeroed: nothing came yet. May be saved field by field */
	bool known;
	uint32_t next;     /* number of the unit that is due */
	uint64_t received; /* units, for ever */
	uint64_t missing;  /* units, less those that came late */
};

enum sequence_sign {
	SEQUENCE_IN_ORDER,
	SEQUENCE_GAP,   /* units between are missing */
	SEQUENCE_LATE,  /* units thought to be missing */
	SEQUENCE_RESET, /* too far away to be either: begun anew */
};

struct sequence_step {
	uint32_t expected;
	int64_t missing; /* to be added to what is missing */
	bool wrapped;    /* the numbers went past 2^32 between expected and received */
};

/* count: units in this message, which is taken in. step: returned. */
enum sequence_sign sequence_take(struct sequence *sequence, uint32_t number, uint32_t count,
				 struct sequence_step *step);

/* Numbers begin anew with the next message; totals stay. */
void sequence_restart(struct sequence *sequence);

#endif

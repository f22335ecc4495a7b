/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sequence.h"

/* An hour of a thousand records a second; a minute of them. */
#define SEQUENCE_GAP_MAX  UINT32_C(3600000)
#define SEQUENCE_LATE_MAX UINT32_C(60000)

/* One distance modulo 2^32 covers the six cases of the specification. */
static enum sequence_sign sequence_sign(uint32_t ahead)
{
	if (ahead == 0) {
		return SEQUENCE_IN_ORDER;
	}
	if (ahead < SEQUENCE_GAP_MAX) {
		return SEQUENCE_GAP;
	}
	return -ahead < SEQUENCE_LATE_MAX ? SEQUENCE_LATE : SEQUENCE_RESET;
}

enum sequence_sign sequence_take(struct sequence *sequence, uint32_t number, uint32_t count,
				 struct sequence_step *step)
{
	uint32_t ahead = sequence->known ? number - sequence->next : 0;
	enum sequence_sign sign = sequence_sign(ahead);

	step->expected = sequence->next;
	step->missing = 0;
	step->wrapped = sign == SEQUENCE_GAP    ? number < sequence->next
			: sign == SEQUENCE_LATE ? number > sequence->next
						: false;
	if (sign == SEQUENCE_GAP) {
		step->missing = ahead;
		sequence->missing += ahead;
	} else if (sign == SEQUENCE_LATE) {
		uint64_t late = sequence->missing < count ? sequence->missing : count;

		step->missing = -(int64_t)late;
		sequence->missing -= late;
	}
	if (sign != SEQUENCE_LATE) {
		sequence->next = number + count;
	}
	sequence->known = true;
	sequence->received += count;
	return sign;
}

void sequence_restart(struct sequence *sequence)
{
	sequence->known = false;
}

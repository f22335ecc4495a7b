/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the intake share: intake.c, intakefile.c. */
#ifndef TUSSAH_PACKER_INTAKE_INTERNAL_H
#define TUSSAH_PACKER_INTAKE_INTERNAL_H

#include <pthread.h>

#include "common/log.h"
#include "packer/envelope.h"
#include "packer/intake.h"

struct intake {
	struct intake_env env;
	pthread_mutex_t lock; /* guards full_limit */
	struct log_limit full_limit;
	atomic_bool stopping;
	_Atomic uint64_t messages;
};

/* What comes in through one probe of one peer, or file: a session of the journal. */
struct intake_channel {
	struct intake *intake;
	char *probe;
	struct probestats *stats;
	struct feedback *feedback;
	bool may_drop; /* when the journal is full; else the sender waits */
};

/* Begin a session. ST_OK; ST_EAGAIN: the journal is full; ST_EIO. */
int intake_channel_open(struct intake *intake, const struct envelope_open *open,
			struct intake_channel **out, struct err *err);
/* The session is over, which is appended; *position (may be NULL): of that entry. */
int intake_channel_close(struct intake_channel *channel, uint64_t *position, struct err *err);
/* Free what intake_channel_open() made. */
void intake_channel_free(struct intake_channel *channel);

/*
 * Append one message; *entry: its position in the journal, 0 when it was dropped. ST_OK; ST_EAGAIN:
 * the journal is full and nobody may wait any more; ST_EIO.
 */
int intake_append(struct intake_channel *channel, const uint8_t *bytes, size_t len,
		  uint64_t position, uint64_t *entry, struct err *err);

#endif

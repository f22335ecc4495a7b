/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the intake share: intake.c, intakefile.c, intakerelay.c. */
#ifndef TUSSAH_PACKER_INTAKE_INTERNAL_H
#define TUSSAH_PACKER_INTAKE_INTERNAL_H

#include <pthread.h>

#include "common/log.h"
#include "packer/door.h"
#include "packer/envelope.h"
#include "packer/intake.h"
#include "packer/notelog.h"

struct intake {
	struct intake_env env;
	pthread_mutex_t lock; /* guards full_limit */
	struct log_limit full_limit;
	atomic_bool stopping;
	_Atomic uint64_t messages;
	pthread_mutex_t losses_lock; /* of the following: */
	GHashTable *losses; /* what the packer behind a relay was told, by probe (intakeloss.c) */
};

/* What comes in through one probe of one peer, or file: a session of the journal. */
struct intake_channel {
	struct intake *intake;
	char *probe;
	struct probestats *stats;
	struct feedback *feedback;
	bool may_drop; /* when the journal is full; else the sender waits */
};

/* What is acknowledged once the journal is durable up to entry. */
struct intake_mark {
	uint64_t entry; /* 0: nothing */
	uint64_t position;
};

/* One transport session: a connection, or a peer that sends datagrams. */
struct intake_session {
	struct intake *intake;
	char *door_key;
	bool datagrams;
	char *address;
	char **names;
	struct door_peer peer;          /* points to the two above */
	struct stream_position *stream; /* NULL: not acknowledged */
	char *stream_name;
	uint8_t stream_id[16];
	bool claimed;        /* the stream is this packer's from the last message on */
	int64_t claim_ns;    /* to claim it is tried again then */
	uint64_t generation; /* that the probes were last looked up in */
	GPtrArray *channels; /* of struct intake_channel, one a probe */
	/* Of messages of this type, and, last, of any other; NULL: not looked up yet. A connection
	 * has the last one only. */
	struct intake_channel *by_type[PROBE_TYPES + 1];
	GHashTable *relayed; /* of a relay: channels by the session that it calls them; else NULL */
	uint64_t acknowledged;
	struct intake_mark waiting; /* acknowledged next */
	struct intake_mark latest;
};

/* The first message behind what another has: ST_OK, also when there is no room to say so. */
int intake_claim(struct intake_session *session, uint64_t position, struct err *err);
/* What was taken in up to here is acknowledged once entry is durable. */
void intake_note(struct intake_session *session, uint64_t entry, uint64_t position);

/* Of a relay; position 0: while its connection is opened. As listen_handler's message. */
int intake_relay_message(struct intake_session *session, const uint8_t *bytes, size_t len,
			 uint64_t position, struct err *err);

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
/* The same of an envelope of another kind than ENVELOPE_OPEN and ENVELOPE_CLOSE; its session is set. */
int intake_append_envelope(struct intake_channel *channel, struct envelope *envelope,
			   uint64_t *entry, struct err *err);
/* Without waiting, and without counting: ST_EAGAIN: the journal is full. */
int intake_append_whole(struct intake_channel *channel, struct envelope *envelope, struct err *err);

/* For intake.losses. Returned: g_hash_table_destroy(). */
GHashTable *intakeloss_new_table(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A spool: IPFIX messages of one exporter kept in a journal until a collector has acknowledged
 * them, over restarts of the exporter too. common/link.h sends from it.
 *
 *	st = spool_open(&spool, &opts, &recovery, err);
 *	st = spool_add_template(spool, templates, len, err);	// before the first message
 *	st = spool_append(spool, message, len, records, err);	// one thread
 *
 *	while (spool_next(spool, &message, err) == ST_OK) {	// another thread
 *		if (message.epoch != epoch) {
 *			templates = spool_templates(spool, message.epoch, &len);
 *		}
 *		...
 *	}
 *	spool_release(spool, position, err);			// as soon as it is acknowledged
 *
 * A relay has a journal of its own already, whose entries are the messages (envelopes):
 * spool_attach() lets the link send from there. It has no epochs; what opens a connection is asked
 * for each time.
 *
 * Every life of the exporter is an epoch with templates of its own, which are kept beside the
 * journal (EPOCH.templates, 16 hexadecimal digits: IPFIX messages one after the other) as long as
 * messages of that epoch are. Entries of the journal are the epoch, 8 bytes big-endian, and a
 * message.
 */
#ifndef TUSSAH_COMMON_SPOOL_H
#define TUSSAH_COMMON_SPOOL_H

#include "common/journal.h"

#define SPOOL_TEMPLATES_MAX (1024 * 1024)
#define SPOOL_RELAY_EPOCH   1 /* of all messages of a relay */

struct spool;

struct spool_opts {
	const char *directory;
	uint64_t max_bytes;
	bool drop_oldest;     /* when full; else spool_append() says so */
	int sync_interval_ms; /* what is appended is durable, and goes out, so much later */
};

struct spool_message {
	uint64_t position;
	uint64_t epoch;
	uint32_t records;
	size_t len;
	const uint8_t *bytes; /* borrowed until the next spool_next() */
};

/* As journal_open(). */
int spool_open(struct spool **out, const struct spool_opts *opts, struct journal_recovery *recovery,
	       struct err *err);
int spool_close(struct spool *spool, struct err *err);

struct spool_relay {
	/* Messages that open a connection whose first message is the one behind position: each with
	 * its length before it, 4 bytes big-endian. Returned: g_free(). Everything up to position
	 * is acknowledged. */
	uint8_t *(*opening)(void *arg, uint64_t position, size_t *len);
	/* Everything up to position is acknowledged: instead of journal_release(). */
	void (*release)(void *arg, uint64_t position);
	void *arg;
};

/* On a journal that stays the caller's, from the entry behind done on; relay is copied.
 * spool_append() and templates are not for such a spool. ST_OK, ST_EINVAL. */
int spool_attach(struct spool **out, struct journal *journal, uint64_t done,
		 const struct spool_relay *relay, struct err *err);

/* Templates of this life; copied, and durable on return. ST_ELIMIT: too many bytes; ST_EIO. */
int spool_add_template(struct spool *spool, const void *message, size_t len, struct err *err);
/* As journal_append(). */
int spool_append(struct spool *spool, const void *message, size_t len, uint32_t records,
		 struct err *err);

/* --- one thread, which may be another one ---------------------------------------------------- */

/* The next durable message. ST_OK; ST_END: none now; ST_EFORMAT: some are lost, go on; ST_EIO. */
int spool_next(struct spool *spool, struct spool_message *message, struct err *err);
/* Position of the next message that spool_next() could give. */
uint64_t spool_position(const struct spool *spool);
/* The templates of an epoch; returned: g_free(). NULL: they are lost. */
uint8_t *spool_templates(const struct spool *spool, uint64_t epoch, size_t *len);
/* Is it a relay's? Then this instead of templates. */
bool spool_is_relay(const struct spool *spool);
uint8_t *spool_opening(const struct spool *spool, uint64_t position, size_t *len);
/* Nothing before this epoch is needed any more. */
void spool_forget_before(struct spool *spool, uint64_t epoch);
int spool_release(struct spool *spool, uint64_t position, struct err *err);
/* A new id, when a collector has more of the stream than the spool does. */
int spool_renew_id(struct spool *spool, struct err *err);

/* --- any thread ------------------------------------------------------------------------------ */

const uint8_t *spool_id(const struct spool *spool);
void spool_get_stats(const struct spool *spool, struct journal_stats *out);
const char *spool_directory(const struct spool *spool);
/* Entries that spool_next() could not give, since it was opened. */
uint64_t spool_lost(const struct spool *spool);
bool spool_is_empty(const struct spool *spool);

#endif

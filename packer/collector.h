/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The collector: messages of exporters in, records in the repository out (DESIGN 5).
 *
 *	listeners, files -> intake -> journal -> packing thread -> writer -> commit
 *	                      |          |                                     |
 *	                acknowledged <- synced                    the journal is released up to here
 *
 * A commit makes the records of all messages up to one entry of the journal durable, all or none;
 * after a crash packing goes on behind it. Who sent what of which templates is kept beside it
 * (packer/exporterstore.h), now and then: what came between that and the commit is taken again
 * without its records.
 *
 *	struct collector *collector = collector_new(&opts);
 *	collector_publish(collector, site, conf);		// and again whenever it changes
 *	collector_start(collector, err);
 *	... listeners with intake_handler, collector_intake(collector) ...
 *	while (collector_wants_commit() or it is time) {
 *		collector_commit(collector, WRITER_REPORT, now_ns, now_s, err);
 *	}
 *	collector_stop(collector);
 *	collector_commit(collector, WRITER_CLOSE, now_ns, now_s, err);
 *	collector_free(collector);
 *
 * Everything but publishing, starting and stopping may be called from any thread.
 */
#ifndef TUSSAH_PACKER_COLLECTOR_H
#define TUSSAH_PACKER_COLLECTOR_H

#include "packer/decoder.h"
#include "packer/intake.h"
#include "packer/positions.h"
#include "packer/sensorconf.h"
#include "packer/writer.h"

struct collector_opts {
	struct writer *writer; /* kept: both outlive the collector */
	struct positions *positions;
	const char *state_directory; /* kept: has the journal and what exporters said */
	uint64_t journal_bytes;      /* the journal takes no more on disk; 0: no bound */
	struct ipfix_limits limits;
	/* Flows of exporters (not of files) that ended further from their arrival are moved to it;
	 * 0: none. */
	int64_t clock_limit_ns;
	bool by_probe; /* see struct exporters_env */
	/* Records are for who comes behind: entries are taken up to where collector_allow() says.
	 */
	bool relays;
	bool no_file_locking;
	const char *repository; /* kept: where the writer writes, maybe others too */
	/* where losses, counters of interfaces and names go; nothing in it: nowhere */
	struct hourlines_place lines;
	void (*fatal)(void); /* the repository or the journal fails: the daemon is to stop */
};

struct collector;

struct collector *collector_new(const struct collector_opts *opts);
/* All listeners are stopped. */
void collector_free(struct collector *collector);

/*
 * Replace the configuration: both are taken. On return no session uses the old one, which is freed.
 * Open sessions stay if the new configuration accepts them, else they end at their next message.
 * From one thread.
 */
void collector_publish(struct collector *collector, struct site *site, struct sensorconf *conf);
/* The current configuration; for the publishing thread alone. */
const struct sensorconf *collector_conf(const struct collector *collector);

/*
 * Take out of the repository what was appended and does not count, open the journal and begin to
 * pack what is in it, and what comes. ST_OK, ST_EIO, ST_ELIMIT, ST_EFORMAT, ST_EAGAIN (another
 * packer uses the state).
 */
int collector_start(struct collector *collector, struct err *err);
/* Started. Borrowed. */
struct intake *collector_intake(struct collector *collector);

/* Of a relay. The journal, to send it on; everything up to here was at the start. */
struct journal *collector_journal(struct collector *collector, uint64_t *committed);
/* Everything up to position is acknowledged: it may be forgotten. */
void collector_allow(struct collector *collector, uint64_t position);
/* exporters_print_opening() as of this entry, which is allowed: waits until that is known. */
void collector_print_opening(struct collector *collector, uint64_t position, GByteArray *out);

/* Wait until all that is in the journal now, and allowed, is packed, or for so long. */
bool collector_drain(struct collector *collector, int64_t timeout_ns);
/* Nothing is packed from here on; what is not stays in the journal. */
void collector_stop(struct collector *collector);

/*
 * Make all that is packed durable, all of it or nothing. ST_OK; ST_ELIMIT: the repository or the
 * state has no room, nothing has changed, try again; else fatal.
 */
int collector_commit(struct collector *collector, unsigned writer_flush_flags, int64_t now_ns,
		     int64_t now_s, struct err *err);
/* Is so much packed that it should be committed at once? */
bool collector_wants_commit(struct collector *collector);

struct collector_state {
	uint64_t messages;       /* taken in since the start */
	uint64_t packed;         /* entries of the journal that are packed */
	uint64_t committed;      /* and that are durable in the repository */
	uint64_t unsynced_bytes; /* of messages packed and not committed */
	int64_t lag_ns;          /* age of the message that is packed next; 0: none waits */
	uint64_t ticks;          /* changes while the packing thread moves */
	struct journal_stats journal;
};
void collector_get_state(struct collector *collector, struct collector_state *out);

/* What each probe that was ever configured has counted; from any thread. */
struct probestats;
void collector_each_probe(struct collector *collector,
			  void (*fn)(void *arg, const struct probestats *stats), void *arg);

/* The lines of probestats_report() for each probe that listens; files report when they are done. */
void collector_report(struct collector *collector);
void collector_report_probe(struct collector *collector, const char *probe);

/* Note what was lost since the last call, by hour, counters of interfaces whose hour is over, and
 * names that exporters told; last: nothing comes in any more. */
void collector_book_losses(struct collector *collector, int64_t now_ns, bool last);

#endif

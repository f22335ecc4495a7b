/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where messages go: a file, standard output, or a collector over the link.
 *
 *	if (sink_open(&sink, &opts, err) == ST_OK) {
 *		sink_set_spool(sink, &spool);			// or not
 *		st = sink_start(sink, err);
 *		st = sink_send(sink, &message, err);	// from export's function
 *		sink_poll(sink, now_ns, 0);		// often
 *		st = sink_finish(sink, deadline_ns, clock, err);
 *	}
 *	sink_close(sink);
 *
 * With a spool (common/spool.h) a message is taken when the spool has it, and a thread of the sink
 * sends from there; without, sink_poll() sends.
 *
 * Threads: one per sink uses it.
 */
#ifndef TUSSAH_SENSOR_SINK_H
#define TUSSAH_SENSOR_SINK_H

#include "common/link.h"
#include "sensor/export.h"

struct sink;

struct sink_stats {
	uint64_t messages; /* handed in, with records in them */
	uint64_t records;
	bool is_link;
	struct link_stats link; /* of links; dropped: since the start */
	bool has_spool;
	struct journal_stats spool; /* dropped: since the spool was made */
	uint64_t lost;              /* entries of the spool that could not be read */
};

/* Largest message that the destination takes, by its form. */
size_t sink_message_bytes(const char *destination);

/*
 * opts->destination: "-", "tls://", "tcp://", "udp://" or the name of a file, which is replaced.
 * The other members are for links; strings are borrowed for the call. Returns ST_OK, ST_EINVAL,
 * ST_EIO.
 */
int sink_open(struct sink **out, const struct link_opts *opts, struct err *err);

struct sink_spool_opts {
	const char *directory;
	uint64_t max_bytes;
	bool drop_oldest; /* when it is full, else sink_send() says ST_EAGAIN */
};
/* For links only; copied. */
void sink_set_spool(struct sink *sink, const struct sink_spool_opts *opts);
/*
 * Open the spool and start its thread: after the last fork and change of user. ST_OK, also without
 * a spool; ST_EINVAL (not a link); as journal_open().
 */
int sink_start(struct sink *sink, struct err *err);
/* Close without waiting for anything. */
void sink_close(struct sink *sink);

/*
 * Take a message; copied. ST_EAGAIN: a link's buffer or spool is full, nothing was taken;
 * sink_poll() makes room, or sink_drop_oldest(). ST_EIO: the file or spool cannot be written.
 */
int sink_send(struct sink *sink, const struct export_message *message, struct err *err);
/* With a spool: whatever does not fit from now on is counted and forgotten. */
void sink_drop_oldest(struct sink *sink);

/* Let a link work, for at most timeout_ms. now_ns: any steady clock. */
void sink_poll(struct sink *sink, int64_t now_ns, int timeout_ms);
/* One line about what happened to a link; false: nothing. */
bool sink_take_event(struct sink *sink, struct err *out);

/* Is everything delivered, or, for files, handed to the system? */
bool sink_is_drained(const struct sink *sink);
/* Write out what is buffered. */
int sink_flush(struct sink *sink, struct err *err);

void sink_get_stats(const struct sink *sink, struct sink_stats *out);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The collector: sessions of exporters in, records in the repository out. Joins listeners,
 * decoders, the configuration, the packing logic, the writer and the positions.
 *
 *	struct collector *collector = collector_new(&opts);
 *	collector_publish(collector, site, conf);		// and again whenever it changes
 *	collector_recover(collector, err);
 *	struct collector_door *door = collector_door_new(collector, probe);
 *	listener_start(&listener, &listen_opts, &collector_handler, door, err);
 *	...
 *	collector_checkpoint(collector, WRITER_REPORT, now_ns, now_s, err);	// now and then
 *
 * Everything but publishing may be called from any thread.
 */
#ifndef TUSSAH_PACKER_SESSION_H
#define TUSSAH_PACKER_SESSION_H

#include "packer/decoder.h"
#include "packer/listen.h"
#include "packer/positions.h"
#include "packer/sensorconf.h"
#include "packer/writer.h"

struct collector_opts {
	struct writer *writer; /* kept: both outlive the collector */
	struct positions *positions;
	struct ipfix_limits limits;
	/* Flows of exporters (not of files) that ended further from their arrival are moved to it;
	 * 0: none. */
	int64_t clock_limit_ns;
	const char *root;    /* kept: where losses and interface counters go; NULL: nowhere */
	void (*fatal)(void); /* the repository cannot be written: the daemon is to stop */
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

/* A place where peers come in: all probes that listen there. arg of the listener. */
struct collector_door;
struct collector_door *collector_door_new(struct collector *collector, const struct probe *probe);
void collector_door_free(struct collector_door *door);
/* Names the place: equal for probes that share a door. Returned: g_free(). */
char *collector_door_key(const struct probe *probe);
extern const struct listen_handler collector_handler;

/*
 * Read a file of IPFIX messages for the probe. *records: how many flows were in it. ST_EFORMAT:
 * not a single one. Damage after the first is logged and ends the file. ST_ENOENT: the probe is no
 * longer configured.
 */
int collector_read_file(struct collector *collector, const char *probe, const char *path,
			uint64_t *records, struct err *err);

/*
 * Before any message: take out of the repository what was appended by this packer before it died
 * and was never acknowledged. ST_OK, ST_EIO, ST_EFORMAT, ST_EAGAIN (another packer uses the state).
 */
int collector_recover(struct collector *collector, struct err *err);

/*
 * Make all that was taken in before the call durable, all of it or nothing, and tell the exporters.
 * Returns ST_OK or a fatal error: nothing is acknowledged then.
 */
int collector_checkpoint(struct collector *collector, unsigned writer_flush_flags, int64_t now_ns,
			 int64_t now_s, struct err *err);
/* Bytes of messages taken in since the last checkpoint. */
uint64_t collector_unsynced_bytes(const struct collector *collector);
/* Messages taken in since the start; a change tells that something is going on. */
uint64_t collector_messages(const struct collector *collector);

/* What each probe that was ever configured has counted; from any thread. */
struct probestats;
void collector_each_probe(struct collector *collector,
			  void (*fn)(void *arg, const struct probestats *stats), void *arg);

/* The lines of probestats_report() for each probe that listens; files report when they are done. */
void collector_report(struct collector *collector);

/* Note what was lost since the last call, by hour, and counters of interfaces whose hour is over;
 * last: nothing comes in any more. */
void collector_book_losses(struct collector *collector, int64_t now_ns, bool last);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flows to IPFIX messages (RFC 7011, RFC 5103), by libfixbuf; export.c is the only file of the
 * sensor that knows it. Messages are handed to a function; where they go is not known here.
 *
 *	struct export_opts opts = { .max_message_bytes = 8192, .precision = EXPORT_MS };
 *	if (export_new(&export, &opts, on_message, arg, err) == ST_OK) {
 *		st = export_templates(export, err);	// first of all, and for every new session
 *		st = export_flow(export, flow, err);	// many times
 *		st = export_flush(export, err);		// what is not full yet
 *	}
 *	export_free(export);
 *
 * Threads: one per object.
 */
#ifndef TUSSAH_SENSOR_EXPORT_H
#define TUSSAH_SENSOR_EXPORT_H

#include <stddef.h>

#include "common/err.h"
#include "sensor/flowtable.h"

/* Unit of start and end: elements 152/153, 154/155 or 156/157. */
enum export_precision { EXPORT_MS, EXPORT_US, EXPORT_NS };

/* Message sizes that fit every template and record of ours. */
#define EXPORT_MESSAGE_MIN 512
#define EXPORT_MESSAGE_MAX 65496

struct export_opts {
	uint32_t domain;          /* observation domain */
	size_t max_message_bytes; /* EXPORT_MESSAGE_MIN .. EXPORT_MESSAGE_MAX */
	enum export_precision precision;
	bool uniflow;    /* one record per direction instead of RFC 5103 biflows */
	bool delta;      /* elements 1 and 2 instead of 85 and 86 */
	bool force_ipv6; /* IPv4 addresses as ::ffff:a.b.c.d */
	bool mac;        /* elements 56 and 80 */
	bool interfaces; /* elements 10 and 14, from ingress and egress */
	uint32_t ingress;
	uint32_t egress;
};

/* The options record of the exporting process; totals since start. */
struct export_stats {
	uint32_t process_id;
	uint32_t exporter_address; /* IPv4, host order, 0: unknown */
	uint32_t now_s;
	int64_t start_ms;
	uint64_t flows;
	uint64_t packets;         /* accepted into flows */
	uint64_t dropped_packets; /* by the capture */
	uint64_t ignored_packets; /* rejected in decode */
	uint64_t late_packets;    /* older than the clock */
	uint32_t expired_fragments;
	uint32_t assembled_fragments;
	uint32_t flush_events; /* flows exported early */
	uint32_t peak_flows;
};

struct export_message {
	const uint8_t *bytes;
	size_t len;
	uint32_t records; /* data records in it */
	bool templates;   /* holds templates only */
};

/* Takes a message, which is borrowed. Returns ST_OK or an error that ends the call under way. */
typedef int (*export_message_fn)(void *arg, const struct export_message *message, struct err *err);

struct export;

/* arg is kept for fn. *out: free with export_free(). Returns ST_OK, ST_EINVAL. */
int export_new(struct export **out, const struct export_opts *opts, export_message_fn fn, void *arg,
	       struct err *err);
void export_free(struct export *export);

/*
 * All functions below return ST_OK, fn's error, or ST_EFORMAT when a record cannot be encoded.
 * export_templates() sends first what is waiting, then all templates in messages of their own.
 */
int export_templates(struct export *export, struct err *err);
int export_flow(struct export *export, const struct flow *flow, struct err *err);
int export_statistics(struct export *export, const struct export_stats *stats, struct err *err);
int export_flush(struct export *export, struct err *err);

#endif

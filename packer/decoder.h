/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exports of every kind to records. One decoder per exporter session (transport session, UDP peer,
 * or file); the version at the head of each message picks the format, so that exporters of several
 * kinds may share a port. Hostile input costs the message, nothing else. Pure: no socket, no log,
 * no clock; the time of arrival comes with the message.
 *
 *	decoder = decoder_new(&opts, &sink);
 *	decoder_load(decoder, state, state_len, err);		// what decoder_save() gave, if any
 *	rc = decoder_take(decoder, &(struct decoder_message){ bytes, len, arrival_ns }, err);
 *	decoder_save(decoder, state);
 *	decoder_free(decoder);
 *
 * A format is a row of decoder_formats[] (packer/decoder.c) with its state behind a void pointer,
 * opened at its first message; its source file knows the bytes, this one only the version word.
 */
#ifndef TUSSAH_PACKER_DECODER_H
#define TUSSAH_PACKER_DECODER_H

#include <glib.h>

#include "common/iemodel.h"
#include "common/metrics.h"
#include "common/record.h"
#include "packer/budget.h"
#include "packer/exporteroptions.h"
#include "packer/extras.h"
#include "packer/ipfixmap.h"
#include "packer/rowqueue.h"
#include "packer/template.h"
#include "storage/ifcounters.h"

/* Counted by a decoder since it was made; what was missing and comes late is taken off again. */
enum decoder_counter {
	DECODER_MESSAGES,
	DECODER_BYTES,
	DECODER_FORWARD, /* records that came out, forward half */
	DECODER_REVERSE, /* reverse half */
	DECODER_IGNORED, /* data records without a flow in them; not options */
	DECODER_BAD,     /* data records that cannot be true (NetFlow v5) */
	DECODER_TEMPLATES,
	DECODER_OPTIONS,         /* option records */
	DECODER_UNKNOWN_SETS,    /* data sets given up: their template never came */
	DECODER_HELD,            /* data sets that waited for their template and were decoded */
	DECODER_MISSING,         /* records missing by sequence number */
	DECODER_MISSING_PACKETS, /* the same where numbers count datagrams (NetFlow v9, sFlow) */
	DECODER_OUT_OF_SEQUENCE,
	DECODER_REBOOTS, /* of exporters */
	DECODER_MALFORMED,
	DECODER_UNSUPPORTED,     /* messages of a version that is known and not decoded (v8) */
	DECODER_CLOCK_OFF,       /* records filed under their time of arrival */
	DECODER_END_FIRST,       /* records whose end was before their start */
	DECODER_DISCARDS,        /* packets that the exporter says it dropped (sFlow) */
	DECODER_COUNTER_SAMPLES, /* of interfaces (sFlow) */
	DECODER_EXTRAS_LOST,     /* values of elements that found no room */
	DECODER_COUNTERS,
};

extern const struct metric decoder_counter_names[DECODER_COUNTERS];

/* What a line for the log is about; a probe's log-flags choose. */
enum decoder_note {
	DECODER_NOTE_BAD,
	DECODER_NOTE_MISSING,
	DECODER_NOTE_SAMPLING,
	DECODER_NOTE_FIREWALL,
	DECODER_NOTE_TIMESTAMPS,
	DECODER_NOTE_TEMPLATES,
	DECODER_NOTE_UNSUPPORTED,
	DECODER_NOTE_CLOCK,
	DECODER_NOTES,
};

struct decoder_sink {
	/* Each record as it comes out, both borrowed, the record to be changed at will; non-zero
	 * stops the message and is returned by decoder_take(). */
	int (*flow)(void *arg, struct record *rec, const struct extras *extras);
	/* Several records at once, from formats whose messages hold many alike, with distinct
	 * values: behind what the queue has, where they may stay if there is room (rowqueue.h) for
	 * those of the next message; first: of the new ones. Returns as flow does. queue: kept,
	 * and may be that of several decoders. Both NULL: each record goes to flow. */
	struct rowqueue *queue;
	int (*queued)(void *arg, size_t first);
	/* A data record that is no flow, mapped as far as it goes, and why. May be NULL. */
	void (*ignored)(void *arg, const struct record *rec, const char *reason);
	/* One line, without the probe's name. The receiver limits the rate. May be NULL; formats
	 * ask decoder_wants() before they make a costly text. */
	void (*note)(void *arg, enum decoder_note note, const char *text);
	void *arg;
	unsigned notes; /* bits 1 << enum decoder_note that are wanted */
	/* Counters of an interface (sFlow), borrowed. May be NULL. */
	void (*counters)(void *arg, const struct ifcounters *counters);
};

/* What one decoder keeps of what it was told, in bytes. */
#define DECODER_BYTES_MAX (UINT64_C(32) << 20)

struct decoder_opts {
	struct ipfix_limits limits;
	struct ipfix_mapping mapping;
	bool from_file; /* formats of files are taken, too */
	/* What types elements have; kept. NULL: each decoder that needs it makes its own. */
	const struct iemodel *model;
	struct budget *budget; /* of all decoders together; kept; NULL: there is none */
};

struct decoder_message {
	const uint8_t *bytes; /* borrowed */
	size_t len;
	int64_t arrival_ns; /* since the epoch */
};

struct decoder; /* one thread at a time */

/* Both are copied; what sink->arg points to must outlive the decoder. */
struct decoder *decoder_new(const struct decoder_opts *opts, const struct decoder_sink *sink);
void decoder_free(struct decoder *decoder);

/* What the probe says may change with a reload; templates are kept. */
void decoder_set_mapping(struct decoder *decoder, const struct ipfix_mapping *mapping,
			 unsigned notes);

/*
 * Take one whole message or datagram. Returns ST_OK, the sink's value, or ST_EFORMAT / ST_ELIMIT
 * with the reason; the next message may be fed after any of them.
 */
int decoder_take(struct decoder *decoder, const struct decoder_message *message, struct err *err);

/*
 * What the next messages need: templates, options, sequence numbers, clocks. Appended to out;
 * loaded into a new decoder only. Damaged or foreign bytes: ST_EFORMAT, and the decoder is as new.
 */
void decoder_save(const struct decoder *decoder, GByteArray *out);
int decoder_load(struct decoder *decoder, const uint8_t *bytes, size_t len, struct err *err);

/* Names that the exporter gave to numbers, id as exporteroptions_each_name() has it; name is borrowed.
 */
typedef void (*decoder_name_fn)(void *arg, enum exporteroptions_kind kind, uint64_t id,
				const char *name);
void decoder_each_name(const struct decoder *decoder, decoder_name_fn fn, void *arg);

void decoder_get_counts(const struct decoder *decoder, uint64_t out[DECODER_COUNTERS]);

/* ---- for formats ---- */

/* What a format is given when it is opened; lives as long as the decoder. */
struct decoder_context {
	struct decoder_opts opts;
	struct decoder_sink sink;
	uint64_t counts[DECODER_COUNTERS];
	struct budget budget; /* DECODER_BYTES_MAX, of that of all */
};

struct decoder_format {
	const char *name;
	uint32_t versions; /* bits 1 << version word (16 bits at offset 0; 0: sFlow) */
	uint16_t magic;    /* of a format of files: this word instead; 0: none */
	void *(*open)(struct decoder_context *context);
	int (*take)(void *state, const struct decoder_message *message, struct err *err);
	void (*mapping_changed)(void *state); /* may be NULL */
	/* State for decoder_save() and back; both NULL: none. */
	void (*save)(const void *state, GByteArray *out);
	int (*load)(void *state, const uint8_t *bytes, size_t len, struct err *err);
	/* For decoder_each_name(); NULL: it knows no names. */
	void (*each_name)(const void *state, decoder_name_fn fn, void *arg);
	void (*close)(void *state);
};

static inline bool decoder_wants(const struct decoder_context *context, enum decoder_note note)
{
	return context->sink.note && (context->sink.notes & (1U << note));
}
void decoder_note(struct decoder_context *context, enum decoder_note note, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The rows of the queue from first on to the sink, as it takes them; returns its value. */
int decoder_deliver(const struct decoder_sink *sink, struct rowqueue *queue, size_t first);
/* One by one to sink->flow, which adds nothing to the queue; they are not in it any more. */
int decoder_deliver_each(const struct decoder_sink *sink, struct rowqueue *queue, size_t first);

extern const struct decoder_format decoder_ipfix;      /* packer/ipfixformat.c */
extern const struct decoder_format decoder_netflow9;   /* packer/netflow9.c */
extern const struct decoder_format decoder_netflow5;   /* packer/netflow5.c: v1, v5, v7; v8 not */
extern const struct decoder_format decoder_silk;       /* packer/silkmessage.c: from files */
extern const struct decoder_format decoder_silkvalues; /* likewise, with extension columns */
extern const struct decoder_format decoder_sflow;      /* packer/sflow.c: v2, v4, v5 */

#endif

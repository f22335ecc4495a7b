/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPFIX messages to records. One decoder per transport session; hostile input ends the session,
 * nothing else: every message is checked byte for byte (packer/ipfixscan.h) before libfixbuf, which
 * ipfix.c alone knows, decodes it. Mapping of elements to records: packer/ipfixmap.h.
 *
 *	decoder = ipfix_decoder_new(&limits, &mapping);
 *	rc = ipfix_decode(decoder, message, len, take_record, arg, err);
 *	ipfix_decoder_free(decoder);
 */
#ifndef TUSSAH_PACKER_IPFIX_H
#define TUSSAH_PACKER_IPFIX_H

#include "common/record.h"
#include "packer/ipfixmap.h"
#include "packer/ipfixscan.h"

struct ipfix_stats {
	uint64_t messages;
	uint64_t bytes;
	uint64_t templates;
	uint64_t forward;         /* records that came out, forward half */
	uint64_t reverse;         /* reverse half */
	uint64_t ignored;         /* data records without a flow in them (no volume); not options */
	uint64_t unknown_sets;    /* data sets skipped: their template has not come */
	uint64_t missing;         /* data records missing by sequence number */
	uint64_t out_of_sequence; /* messages out of sequence */
	uint64_t malformed;       /* messages refused */
};

/* Each record as it comes out; non-zero stops the message and is returned by ipfix_decode(). */
typedef int (*ipfix_record_fn)(void *arg, const struct record *rec);
/* A data record that is no flow, mapped as far as it goes, and why. Both borrowed. */
typedef void (*ipfix_ignored_fn)(void *arg, const struct record *rec, const char *reason);

struct ipfix_decoder; /* one thread at a time */

/* Both are copied. */
struct ipfix_decoder *ipfix_decoder_new(const struct ipfix_limits *limits,
					const struct ipfix_mapping *mapping);
void ipfix_decoder_free(struct ipfix_decoder *decoder);

/* What the probe says may change with a reload; templates are kept. */
void ipfix_set_mapping(struct ipfix_decoder *decoder, const struct ipfix_mapping *mapping);
/* Hear of ignored records (log-flags bad, firewall-event); fn NULL: no longer. */
void ipfix_set_ignored(struct ipfix_decoder *decoder, ipfix_ignored_fn fn, void *arg);

/*
 * Decode one whole message. Returns ST_OK, fn's value, or ST_EFORMAT / ST_ELIMIT with the reason;
 * nothing of a message that is refused by its looks has been delivered. After an error the decoder
 * can be freed or, on datagram transports, fed the next message: it has forgotten all templates
 * then.
 */
int ipfix_decode(struct ipfix_decoder *decoder, const uint8_t *message, size_t len,
		 ipfix_record_fn fn, void *arg, struct err *err);

void ipfix_get_stats(const struct ipfix_decoder *decoder, struct ipfix_stats *out);

#endif

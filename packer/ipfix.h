/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPFIX messages to records: the only file of the packer that knows libfixbuf (besides ipfix.c).
 * One decoder per transport session; hostile input ends the session, nothing else.
 * Mapping of elements to records: silk-packing.md 11.3 to 11.6.
 */
#ifndef TUSSAH_PACKER_IPFIX_H
#define TUSSAH_PACKER_IPFIX_H

#include "common/record.h"
#include "packer/ipfixscan.h"

struct ipfix_limits {
	uint32_t max_templates;       /* per session and observation domain */
	uint32_t max_template_fields; /* in one template */
	uint32_t max_domains;         /* observation domains per session */
};

/* What the probe says about the mapping (sensor.conf). */
struct ipfix_mapping {
	bool vlan_interfaces; /* interface-values vlan */
	unsigned quirks;      /* enum probe_quirk of packer/sensorconf.h */
};

struct ipfix_stats {
	uint64_t messages;
	uint64_t bytes;
	uint64_t templates;
	uint64_t forward;         /* records that came out, forward half */
	uint64_t reverse;         /* reverse half */
	uint64_t ignored;         /* data records without a flow in them (options, no volume) */
	uint64_t missing;         /* data records missing by sequence number */
	uint64_t out_of_sequence; /* messages out of sequence */
	uint64_t malformed;       /* messages refused */
};

/* Each record as it comes out; non-zero stops the message and is returned by ipfix_decode(). */
typedef int (*ipfix_record_fn)(void *arg, const struct record *rec);

struct ipfix_decoder;

struct ipfix_decoder *ipfix_decoder_new(const struct ipfix_limits *limits,
					const struct ipfix_mapping *mapping);
void ipfix_decoder_free(struct ipfix_decoder *decoder);

/*
 * Decode one whole message. Returns ST_OK, fn's value, or ST_EFORMAT / ST_ELIMIT with the reason;
 * records before the damage have been delivered. After an error the decoder can only be freed or,
 * on datagram transports, fed the next message.
 */
int ipfix_decode(struct ipfix_decoder *decoder, const uint8_t *message, size_t len,
		 ipfix_record_fn fn, void *arg, struct err *err);

void ipfix_get_stats(const struct ipfix_decoder *decoder, struct ipfix_stats *out);

#endif

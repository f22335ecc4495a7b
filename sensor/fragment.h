/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reassembly of fragments, as far as flows need it: which parts of a datagram have come, and its
 * first bytes, where the transport header is. A datagram becomes one packet when it is whole
 * (RFC 791, RFC 8200 4.5). Pure: time comes with the packets, all memory is taken at creation.
 *
 *	struct fragments *fragments = fragments_new(&opts);
 *	if (packet.is_fragment && fragments_add(fragments, &packet) == DECODE_OK) {
 *		...					// packet is the whole datagram now
 *	}
 *	fragments_free(fragments);
 *
 * Threads: one per object.
 */
#ifndef TUSSAH_SENSOR_FRAGMENT_H
#define TUSSAH_SENSOR_FRAGMENT_H

#include "common/decode.h"
#include "sensor/hash.h"

struct fragment_opts {
	uint32_t max_datagrams; /* under assembly at once, at least 1; the oldest is given up */
	int64_t timeout_ns;     /* a datagram is given up this long after its last fragment */
	struct hash_key key;    /* random */
};

struct fragment_stats {
	uint64_t assembled; /* datagrams completed */
	uint64_t expired;   /* given up: too old */
	uint64_t evicted;   /* given up: too many */
	uint64_t refused;   /* given up: overlapping IPv6 fragments */
};

struct fragments;

/* Never NULL; free with fragments_free(). */
struct fragments *fragments_new(const struct fragment_opts *opts);
void fragments_free(struct fragments *fragments);

/*
 * Take in a fragment from decode_packet(). DECODE_OK: the datagram is whole, and *packet is that
 * datagram as one packet, at the time of this fragment. DECODE_HELD: not whole yet. Anything else:
 * why the fragment or its datagram was given up.
 */
enum decode_cause fragments_add(struct fragments *fragments, struct packet *packet);

/* Give up what is older than the timeout; fragments_add() does so on its own. */
void fragments_expire(struct fragments *fragments, int64_t now_ns);
/* Give up everything. */
void fragments_flush(struct fragments *fragments);

void fragments_get_stats(const struct fragments *fragments, struct fragment_stats *out);

#endif

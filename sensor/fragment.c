/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fragments start at multiples of eight bytes, so a datagram of 64 KiB is a bitmap of 8192 units:
 * order, duplicates and overlaps need no list and no allocation. Datagrams live in one array and
 * are linked by index: into hash chains, and into a queue by their last fragment.
 */
#include "sensor/fragment.h"

#include <glib.h>
#include <string.h>

#define UNIT_BYTES 8
#define UNITS      (65536 / UNIT_BYTES)
#define HEAD_BYTES 256 /* kept from the start: room for option and extension headers */
#define NONE       UINT32_MAX

struct fragment_key {
	struct ip sip;
	struct ip dip;
	uint64_t id; /* identification, IP version and, for IPv4, protocol (RFC 791; RFC 8200) */
};

struct datagram {
	struct fragment_key key;
	int64_t last_ns;
	uint32_t hash;
	uint32_t chain;        /* next in the hash chain or the free list */
	uint32_t older, newer; /* queue */
	uint32_t units;        /* set bits of the bitmap */
	uint32_t total_bytes;  /* 0: last fragment not seen */
	uint32_t end_bytes;    /* furthest byte seen */
	uint8_t protocol;      /* from the first fragment (RFC 8200 4.5) */
	uint8_t tos;
	uint32_t prefix_bytes;
	uint64_t bitmap[UNITS / 64];
	uint8_t head[HEAD_BYTES];
	uint8_t head_units[HEAD_BYTES / UNIT_BYTES]; /* captured bytes of each unit of head */
};

struct fragments {
	struct fragment_opts opts;
	struct fragment_stats stats;
	uint32_t bucket_mask;
	uint32_t *buckets;
	struct datagram *datagrams;
	uint32_t unused; /* datagrams from here on have never been used */
	uint32_t free_list;
	uint32_t oldest, newest;
};

struct fragments *fragments_new(const struct fragment_opts *opts)
{
	struct fragments *fragments = g_new0(struct fragments, 1);
	uint32_t buckets = 64;

	while (buckets < opts->max_datagrams) {
		buckets *= 2;
	}
	fragments->opts = *opts;
	fragments->bucket_mask = buckets - 1;
	fragments->buckets = g_new(uint32_t, buckets);
	memset(fragments->buckets, 0xff, buckets * sizeof(uint32_t));
	/* Zeroed, so that the system backs pages only once they are used. */
	fragments->datagrams = g_new0(struct datagram, opts->max_datagrams);
	fragments->free_list = NONE;
	fragments->oldest = NONE;
	fragments->newest = NONE;
	return fragments;
}

void fragments_free(struct fragments *fragments)
{
	if (fragments != NULL) {
		g_free(fragments->buckets);
		g_free(fragments->datagrams);
		g_free(fragments);
	}
}

void fragments_get_stats(const struct fragments *fragments, struct fragment_stats *out)
{
	*out = fragments->stats;
}

static void queue_remove(struct fragments *fragments, struct datagram *datagram)
{
	struct datagram *all = fragments->datagrams;

	*(datagram->older != NONE ? &all[datagram->older].newer : &fragments->oldest) =
		datagram->newer;
	*(datagram->newer != NONE ? &all[datagram->newer].older : &fragments->newest) =
		datagram->older;
}

static void queue_append(struct fragments *fragments, struct datagram *datagram)
{
	uint32_t index = (uint32_t)(datagram - fragments->datagrams);

	datagram->older = fragments->newest;
	datagram->newer = NONE;
	*(fragments->newest != NONE ? &fragments->datagrams[fragments->newest].newer
				    : &fragments->oldest) = index;
	fragments->newest = index;
}

static void datagram_drop(struct fragments *fragments, struct datagram *datagram)
{
	uint32_t index = (uint32_t)(datagram - fragments->datagrams);
	uint32_t *link = &fragments->buckets[datagram->hash & fragments->bucket_mask];

	while (*link != index) {
		link = &fragments->datagrams[*link].chain;
	}
	*link = datagram->chain;
	queue_remove(fragments, datagram);
	datagram->chain = fragments->free_list;
	fragments->free_list = index;
}

static struct datagram *datagram_find(struct fragments *fragments, const struct fragment_key *key,
				      uint32_t hash)
{
	uint32_t index = fragments->buckets[hash & fragments->bucket_mask];

	while (index != NONE) {
		struct datagram *datagram = &fragments->datagrams[index];

		if (datagram->hash == hash && memcmp(&datagram->key, key, sizeof(*key)) == 0) {
			return datagram;
		}
		index = datagram->chain;
	}
	return NULL;
}

static struct datagram *datagram_make(struct fragments *fragments, const struct fragment_key *key,
				      uint32_t hash)
{
	uint32_t *bucket = &fragments->buckets[hash & fragments->bucket_mask];
	struct datagram *datagram;
	uint32_t index;

	if (fragments->free_list == NONE && fragments->unused == fragments->opts.max_datagrams) {
		fragments->stats.evicted++;
		datagram_drop(fragments, &fragments->datagrams[fragments->oldest]);
	}
	if (fragments->free_list != NONE) {
		index = fragments->free_list;
		fragments->free_list = fragments->datagrams[index].chain;
	} else {
		index = fragments->unused++;
	}
	datagram = &fragments->datagrams[index];
	memset(datagram, 0, sizeof(*datagram));
	datagram->key = *key;
	datagram->hash = hash;
	datagram->chain = *bucket;
	*bucket = index;
	queue_append(fragments, datagram);
	return datagram;
}

void fragments_expire(struct fragments *fragments, int64_t now_ns)
{
	while (fragments->oldest != NONE) {
		struct datagram *datagram = &fragments->datagrams[fragments->oldest];

		if (now_ns - datagram->last_ns <= fragments->opts.timeout_ns) {
			break;
		}
		fragments->stats.expired++;
		datagram_drop(fragments, datagram);
	}
}

void fragments_flush(struct fragments *fragments)
{
	while (fragments->oldest != NONE) {
		fragments->stats.expired++;
		datagram_drop(fragments, &fragments->datagrams[fragments->oldest]);
	}
}

/* Mark the units of the fragment; returns how many of them were there before. */
static uint32_t datagram_mark(struct datagram *datagram, uint32_t first, uint32_t count)
{
	uint32_t before = 0;

	for (uint32_t unit = first; unit < first + count; unit++) {
		uint64_t bit = UINT64_C(1) << (unit % 64);

		before += (datagram->bitmap[unit / 64] & bit) != 0;
		datagram->bitmap[unit / 64] |= bit;
	}
	datagram->units += count - before;
	return before;
}

/* Keep the bytes that fall into the head; later ones replace earlier ones. */
static void datagram_keep_head(struct datagram *datagram, const struct packet *packet)
{
	uint32_t offset = packet->fragment_offset;
	uint32_t len = packet->fragment_captured;

	if (offset >= HEAD_BYTES) {
		return;
	}
	len = len < HEAD_BYTES - offset ? len : HEAD_BYTES - offset;
	memcpy(datagram->head + offset, packet->fragment_bytes, len);
	for (uint32_t at = 0; at < len; at += UNIT_BYTES) {
		uint32_t kept = len - at < UNIT_BYTES ? len - at : UNIT_BYTES;
		uint8_t *unit = &datagram->head_units[(offset + at) / UNIT_BYTES];

		*unit = (uint8_t)(kept > *unit ? kept : *unit);
	}
}

/* Bytes readable from the start of the head without a hole. */
static uint32_t datagram_head_len(const struct datagram *datagram)
{
	uint32_t len = 0;

	for (size_t i = 0; i < sizeof(datagram->head_units); i++) {
		len += datagram->head_units[i];
		if (datagram->head_units[i] < UNIT_BYTES) {
			break;
		}
	}
	return len;
}

/* The datagram is whole: make *packet it, and forget it. */
static enum decode_cause datagram_finish(struct fragments *fragments, struct datagram *datagram,
					 struct packet *packet)
{
	enum decode_cause cause;

	packet->key.protocol = datagram->protocol;
	packet->tos = datagram->tos;
	packet->bytes = datagram->prefix_bytes + datagram->total_bytes;
	packet->is_fragment = false;
	packet->reassembled = true;
	cause = decode_reassembled(datagram->head, datagram_head_len(datagram),
				   datagram->total_bytes, packet);
	fragments->stats.assembled++;
	datagram_drop(fragments, datagram);
	return cause == DECODE_TRANSPORT_SHORT ? DECODE_FRAGMENT_HEADER : cause;
}

static struct datagram *datagram_for(struct fragments *fragments, const struct packet *packet)
{
	struct fragment_key key = {
		.sip = packet->key.sip,
		.dip = packet->key.dip,
		.id = packet->fragment_id | (uint64_t)packet->key.version << 32,
	};
	struct datagram *datagram;
	uint32_t hash;

	if (packet->key.version == 4) {
		key.id |= (uint64_t)packet->key.protocol << 40;
	}
	hash = (uint32_t)hash_words(
		fragments->opts.key,
		(uint64_t[]){ key.sip.hi, key.sip.lo, key.dip.hi, key.dip.lo, key.id }, 5);
	datagram = datagram_find(fragments, &key, hash);
	if (datagram == NULL) {
		return datagram_make(fragments, &key, hash);
	}
	queue_remove(fragments, datagram);
	queue_append(fragments, datagram);
	return datagram;
}

/* The end can be told once only, and nothing lies behind it. */
static bool datagram_fits(const struct datagram *datagram, const struct packet *packet,
			  uint32_t end)
{
	if (!packet->fragment_more && end < datagram->end_bytes) {
		return false;
	}
	if (datagram->total_bytes == 0) {
		return true;
	}
	return packet->fragment_more ? end <= datagram->total_bytes : end == datagram->total_bytes;
}

static bool datagram_is_whole(const struct datagram *datagram)
{
	return datagram->total_bytes != 0 &&
	       datagram->units == (datagram->total_bytes + UNIT_BYTES - 1) / UNIT_BYTES;
}

/* Headers and ends that this fragment tells of. */
static void datagram_note(struct datagram *datagram, const struct packet *packet, uint32_t end)
{
	datagram->end_bytes = end > datagram->end_bytes ? end : datagram->end_bytes;
	if (packet->fragment_offset == 0) {
		datagram->protocol = packet->key.protocol;
		datagram->tos = packet->tos;
		datagram->prefix_bytes = packet->fragment_prefix_bytes;
	}
	if (!packet->fragment_more) {
		datagram->total_bytes = end;
	}
}

enum decode_cause fragments_add(struct fragments *fragments, struct packet *packet)
{
	uint32_t first = packet->fragment_offset / UNIT_BYTES;
	uint32_t count = (packet->fragment_len + UNIT_BYTES - 1u) / UNIT_BYTES;
	uint32_t end = (uint32_t)packet->fragment_offset + packet->fragment_len;
	struct datagram *datagram;
	uint32_t before;

	fragments_expire(fragments, packet->time_ns);
	datagram = datagram_for(fragments, packet);
	datagram->last_ns = packet->time_ns;
	if (!datagram_fits(datagram, packet, end)) {
		return DECODE_FRAGMENT_MALFORMED;
	}
	before = datagram_mark(datagram, first, count);
	/* RFC 5722: an overlap, other than a plain duplicate, spoils an IPv6 datagram. */
	if (packet->key.version == 6 && before != 0 && before != count) {
		fragments->stats.refused++;
		datagram_drop(fragments, datagram);
		return DECODE_FRAGMENT_OVERLAP;
	}
	datagram_keep_head(datagram, packet);
	datagram_note(datagram, packet, end);
	return datagram_is_whole(datagram) ? datagram_finish(fragments, datagram, packet)
					   : DECODE_HELD;
}

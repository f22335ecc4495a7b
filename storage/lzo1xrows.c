/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows are compared 16 bytes at a time, which gives a bit for each byte; runs of set bits are
 * matches. The bits of a row are two words that overlap by 23 bytes, so that most runs lie in one of
 * them.
 */
#include "storage/lzo1xrows.h"

#include <glib.h>
#include <string.h>

#include "common/bytemask.h"
#include "storage/byteorder.h"

#define ROW LZO1XROWS_BYTES
/* The second word of a row begins at this byte. */
#define HIGH_AT   40
#define HIGH_BITS (ROW - HIGH_AT)
/* The first word has as many, so that there is always a bit behind a run. */
#define LOW_BITS (UINT64_MAX >> 1)
/* Rows that are compared with a row: the one before it, and one for each place. */
#define SOURCES (1 + LZO1XROWS_PLACES)
/* Shorter runs are not worth an instruction. From further away they are longer ones. */
#define RUN_MIN     3
#define FAR_RUN_MIN 4
/* An instruction reaches so far back. */
#define DISTANCE_MAX 49151u

/*
 * Where three rows may have been found: packets and bytes, and the last eight bytes of source and
 * destination, which is all of an address of IPv4.
 */
static const size_t places[LZO1XROWS_PLACES] = { 48, 64, 32 };
#define PLACE_BYTES 8

/* Bytes of a row that are alike in another. */
struct source {
	uint64_t low;  /* bytes 0..62 */
	uint64_t high; /* bytes HIGH_AT..87 */
	size_t distance;
};

struct packing {
	const uint8_t *literals; /* bytes that are not put out yet begin here */
	const uint8_t *end;      /* of the input */
	uint8_t *begin;
	uint8_t *out;
	/* the last match, which the next one may continue, so that it waits; length 0: none yet */
	const uint8_t *at;
	size_t length;
	size_t distance;
};

#define INLINE static inline __attribute__((always_inline))

/* ---- instructions ---- */

static uint8_t *put_length(uint8_t *out, size_t rest)
{
	for (; rest > 255; rest -= 255) {
		*out++ = 0;
	}
	*out++ = (uint8_t)rest;
	return out;
}

/* A run of 4 and more, or of any length at the beginning of all. */
INLINE uint8_t *put_run(const struct packing *p, size_t len)
{
	uint8_t *out = p->out;

	if (G_UNLIKELY(out == p->begin) && len <= 238) {
		*out++ = (uint8_t)(17 + len);
	} else if (len <= 18) {
		*out++ = (uint8_t)(len - 3);
	} else {
		*out++ = 0;
		out = put_length(out, len - 18);
	}
	if (G_LIKELY(len <= 18 && p->end - p->literals >= 18)) {
		memcpy(out, p->literals, 16);
		memcpy(out + 16, p->literals + 16, 2);
	} else {
		memcpy(out, p->literals, len);
	}
	return out + len;
}

/* The literals in front of a match: up to 3 are told by the instruction before. */
INLINE uint8_t *put_literals(const struct packing *p, size_t len)
{
	uint8_t *out = p->out;

	if (len > 3) {
		return put_run(p, len);
	}
	out[-2] = (uint8_t)(out[-2] | len);
	if (G_LIKELY(p->end - p->literals >= 4)) {
		memcpy(out, p->literals, 4);
	} else {
		memcpy(out, p->literals, len);
	}
	return out + len;
}

static uint8_t *put_rare_match(uint8_t *out, size_t length, size_t distance)
{
	const bool far = distance > 16384;
	const size_t most = far ? 9 : 33;
	const size_t d = far ? distance - 16384 : distance - 1;
	const uint8_t t = (uint8_t)(far ? 16 | (d >> 11 & 8) : 32);

	if (length <= most) {
		*out++ = (uint8_t)(t | (length - 2));
	} else {
		*out++ = t;
		out = put_length(out, length - most);
	}
	*out++ = (uint8_t)(d << 2);
	*out++ = (uint8_t)(d >> 6);
	return out;
}

/* The match that waits, and the literals before it. */
INLINE void put_match(struct packing *p)
{
	uint8_t *out = put_literals(p, (size_t)(p->at - p->literals));
	const uint32_t length = (uint32_t)p->length;
	const uint32_t d = (uint32_t)p->distance - 1;

	if (G_LIKELY(length <= 33 && d < 16384)) {
		const bool byte = length <= 8 && d < 2048;
		const uint32_t two = (length - 1) << 5 | (d & 7) << 2 | d >> 3 << 8;
		const uint32_t three = 32 | (length - 2) | d << 10;

		store32(out, byte ? two : three, HOST_BIG_ENDIAN);
		out += byte ? 2 : 3;
	} else {
		out = put_rare_match(out, length, p->distance);
	}
	p->out = out;
	p->literals = p->at + length;
}

INLINE void add_match(struct packing *p, const uint8_t *at, size_t length, size_t distance)
{
	if (at == p->at + p->length && distance == p->distance) {
		p->length += length;
		return;
	}
	if (G_LIKELY(p->length > 0)) {
		put_match(p);
	}
	p->at = at;
	p->length = length;
	p->distance = distance;
}

/* ---- rows ---- */

INLINE uint64_t alike_at(const uint8_t *row, const uint8_t *other, size_t at)
{
	return bytemask_bits(bytemask_same(bytemask_load(row + at), bytemask_load(other + at)));
}

/* The bits that are in runs of as many. */
INLINE uint64_t keep_runs(uint64_t bits, unsigned shortest)
{
	uint64_t first = bits & bits >> 1 & bits >> 2;

	first &= shortest > RUN_MIN ? bits >> 3 : UINT64_MAX;
	first |= first << 1 | first << 2 | (shortest > RUN_MIN ? first << 3 : 0);
	return first;
}

INLINE struct source compare(const uint8_t *row, size_t distance, unsigned shortest)
{
	const uint8_t *other = row - distance;
	uint64_t low = alike_at(row, other, 0) | alike_at(row, other, 16) << 16 |
		       alike_at(row, other, 24) >> 8 << 32;
	uint64_t high = alike_at(row, other, 40) | alike_at(row, other, 56) << 16 |
			alike_at(row, other, 72) << 32;

	return (struct source){
		.low = keep_runs((low | high << HIGH_AT) & LOW_BITS, shortest),
		.high = keep_runs(high, shortest),
		.distance = distance,
	};
}

/* Another row that has the same at a place, where the one before has not; else nothing is alike. */
INLINE struct source look_up(struct lzo1xrows *work, const uint8_t *row, uint32_t number,
			     unsigned place)
{
	const uint8_t *at = row + places[place];
	const uint64_t value = load64(at, false);
	const uint64_t hash = value * UINT64_C(0x9e3779b97f4a7c15) >> (64 - LZO1XROWS_HASH_BITS);
	uint16_t *last = &work->last[place][hash];
	const size_t distance = (size_t)(number - *last) * ROW;

	*last = (uint16_t)number;
	if (load64(at - ROW, false) == value || distance > DISTANCE_MAX ||
	    load64(at - distance, false) != value) {
		return (struct source){ .distance = 0 };
	}
	return compare(row, distance, FAR_RUN_MIN);
}

INLINE unsigned run_at(uint64_t bits, unsigned at)
{
	/* bits that come in are none of a run */
	return (unsigned)__builtin_ctzll(~(bits >> at));
}

/*
 * The matches that begin in bits from..end-1 of a word whose first bit is byte row[0]. Of several
 * the longest is taken, the row before being worth one byte. Returns where the last one ends.
 */
INLINE unsigned take_word(struct packing *p, const uint8_t *row, const uint64_t words[SOURCES],
			  const struct source sources[SOURCES], unsigned from, unsigned end)
{
	uint64_t left = (words[0] | words[1] | words[2] | words[3]) & UINT64_MAX << from &
			UINT64_MAX >> (64 - end);

	while (left != 0) {
		const unsigned at = (unsigned)__builtin_ctzll(left);
		unsigned length = run_at(words[0], at);
		size_t distance = ROW;

#pragma GCC unroll 3
		for (unsigned i = 1; i < SOURCES; i++) {
			const unsigned other = run_at(words[i], at);
			const bool better = other > length + 1;

			length = better ? other : length;
			distance = better ? sources[i].distance : distance;
		}
		if (length >= RUN_MIN) {
			add_match(p, row + at, length, distance);
			from = at + length;
			left = from < 64 ? left & UINT64_MAX << from : 0;
		} else {
			left &= left - 1;
		}
	}
	return from;
}

INLINE void take_row(struct packing *p, struct lzo1xrows *work, const uint8_t *row, uint32_t number)
{
	const struct source sources[SOURCES] = {
		compare(row, ROW, RUN_MIN),
		look_up(work, row, number, 0),
		look_up(work, row, number, 1),
		look_up(work, row, number, 2),
	};
	const uint64_t low[SOURCES] = { sources[0].low, sources[1].low, sources[2].low,
					sources[3].low };
	const uint64_t high[SOURCES] = { sources[0].high, sources[1].high, sources[2].high,
					 sources[3].high };
	unsigned end = take_word(p, row, low, sources, 0, HIGH_AT);

	take_word(p, row + HIGH_AT, high, sources, end > HIGH_AT ? end - HIGH_AT : 0, HIGH_BITS);
}

size_t lzo1xrows_pack(struct lzo1xrows *work, const uint8_t *in, size_t len, uint8_t *out)
{
	struct packing p = { .literals = in, .end = in + len, .begin = out, .out = out, .at = in };

	memset(work, 0, sizeof(*work));
	for (uint32_t number = 1; number < len / ROW; number++) {
		take_row(&p, work, in + (size_t)number * ROW, number);
	}
	if (p.length > 0) {
		put_match(&p);
	}
	if (p.literals < p.end) {
		const size_t left = (size_t)(p.end - p.literals);

		p.out = p.out == out ? put_run(&p, left) : put_literals(&p, left);
	}
	/* the end mark */
	memcpy(p.out, "\x11\0", 3);
	return (size_t)(p.out + 3 - out);
}

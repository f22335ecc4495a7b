/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lzo1x.h"

#include <glib.h>
#include <string.h>

#include "storage/byteorder.h"

/* What literals says after a run: neither 0 nor what can follow a match. */
#define AFTER_RUN 4

/*
 * The quick loop copies in pieces of fixed lengths, beyond the end of what is wanted. With this much
 * left on both sides even the longest instruction it takes stays inside: 3 bytes and 3 literals in, read as
 * 4; 33 bytes of a match out, copied as 40, and 4.
 */
#define QUICK_IN  32
#define QUICK_OUT 48

struct unpacking {
	const uint8_t *in;
	const uint8_t *in_end;
	const uint8_t *begin;
	uint8_t *out;
	uint8_t *out_end;
	size_t literals; /* 0 to 3 of the last instruction, or AFTER_RUN */
};

struct match {
	size_t length;
	size_t distance; /* 0: the end mark */
	size_t literals;
};

static inline void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	uint8_t piece[16];

	memcpy(piece, from, len);
	memcpy(to, piece, len);
}

static inline size_t room_in(const struct unpacking *u)
{
	return (size_t)(u->in_end - u->in);
}

static inline size_t room_out(const struct unpacking *u)
{
	return (size_t)(u->out_end - u->out);
}

static inline bool reaches_back(const struct unpacking *u, size_t distance)
{
	return distance <= (size_t)(u->out - u->begin);
}

/* Literals of a run, len 4 to 18. */
static inline void run_quickly(struct unpacking *u, size_t len)
{
	copy(u->out, u->in, 16);
	copy(u->out + 16, u->in + 16, 2);
	u->in += len;
	u->out += len;
	u->literals = AFTER_RUN;
}

/* A match that reaches back, of length up to 33, and its literals. */
static inline void match_quickly(struct unpacking *u, struct match m)
{
	const uint8_t *from = u->out - m.distance;

	if (G_UNLIKELY(m.distance < 8)) {
		for (size_t i = 0; i < m.length; i++) {
			u->out[i] = from[i];
		}
	} else {
		copy(u->out, from, 8);
		copy(u->out + 8, from + 8, 8);
		if (m.length > 16) {
			copy(u->out + 16, from + 16, 8);
			copy(u->out + 24, from + 24, 8);
			copy(u->out + 32, from + 32, 8);
		}
	}
	u->out += m.length;
	copy(u->out, u->in, 4);
	u->out += m.literals;
	u->in += m.literals;
	u->literals = m.literals;
}

/*
 * Take the frequent short instructions while both sides have room. Leaves what is rare, long or
 * wrong to the careful way. This loop is where the time goes: a branch for each kind of match is
 * quicker than arithmetic for all where kinds come in patterns, as in sets.
 */
static inline void unpack_quickly(struct unpacking *whole)
{
	struct unpacking u = *whole; /* in registers */

	while (G_LIKELY(room_in(&u) >= QUICK_IN && room_out(&u) >= QUICK_OUT)) {
		size_t t = *u.in;
		size_t high = u.in[1];
		size_t d = load16(u.in + 1, HOST_BIG_ENDIAN);
		size_t taken = 3;
		struct match m;

		if (t >= 64) {
			taken = 2;
			m = (struct match){ (t >> 5) + 1, (high << 3) + ((t >> 2) & 7) + 1, t & 3 };
		} else if (t > 32) {
			m = (struct match){ (t & 31) + 2, (d >> 2) + 1, d & 3 };
		} else if (t > 0 && t < 16 && u.literals == 0) {
			u.in++;
			run_quickly(&u, t + 3);
			continue;
		} else if (t > 24 && t < 32) {
			m = (struct match){ (t & 7) + 2, (d >> 2) + 32768, d & 3 };
		} else if (t > 16 && t < 24 && d > 3) {
			m = (struct match){ (t & 7) + 2, (d >> 2) + 16384, d & 3 };
		} else {
			break;
		}
		if (G_UNLIKELY(!reaches_back(&u, m.distance))) {
			break;
		}
		u.in += taken;
		match_quickly(&u, m);
	}
	*whole = u;
}

/* The rest of a length that did not fit its bits: zeros for 255 each, then a byte. */
static bool long_length(struct unpacking *u, size_t *length)
{
	while (u->in < u->in_end && *u->in == 0) {
		*length += 255;
		u->in++;
	}
	if (u->in == u->in_end) {
		return false;
	}
	*length += *u->in++;
	return true;
}

static bool take_literals(struct unpacking *u, size_t len)
{
	if (len > room_in(u) || len > room_out(u)) {
		return false;
	}
	memcpy(u->out, u->in, len);
	u->in += len;
	u->out += len;
	return true;
}

static bool take_run(struct unpacking *u, size_t t)
{
	size_t len = t > 0 ? 3 + t : 18;

	u->literals = AFTER_RUN;
	return (t > 0 || long_length(u, &len)) && take_literals(u, len);
}

/* A match whose distance is one more byte: t of 64 and more, or below 16. */
static bool byte_match(struct unpacking *u, size_t t, struct match *m)
{
	if (u->in == u->in_end) {
		return false;
	}
	size_t high = *u->in++;

	m->literals = t & 3;
	if (t >= 64) {
		m->length = (t >> 5) + 1;
		m->distance = (high << 3) + ((t >> 2) & 7) + 1;
	} else {
		bool far = u->literals == AFTER_RUN;

		m->length = far ? 3 : 2;
		m->distance = (high << 2) + (t >> 2) + (far ? 2049 : 1);
	}
	return true;
}

/* A match whose distance is a word: t of 16 to 63. */
static bool word_match(struct unpacking *u, size_t t, struct match *m)
{
	bool far = t < 32;
	size_t bits = t & (far ? 7 : 31);

	m->length = bits > 0 ? bits + 2 : far ? 9 : 33;
	if ((bits == 0 && !long_length(u, &m->length)) || room_in(u) < 2) {
		return false;
	}
	size_t d = load16(u->in, HOST_BIG_ENDIAN);

	u->in += 2;
	m->literals = d & 3;
	m->distance = (d >> 2) + (far ? (t & 8) << 11 : 1);
	if (far && m->distance > 0) {
		m->distance += 16384;
	}
	return true;
}

/* The bytes of a match may be its own: each piece is as long as all that repeats so far. */
static bool take_match(struct unpacking *u, const struct match *m)
{
	if (!reaches_back(u, m->distance) || m->length > room_out(u)) {
		return false;
	}
	const uint8_t *from = u->out - m->distance;

	for (size_t left = m->length; left > 0;) {
		size_t piece = MIN(left, (size_t)(u->out - from));

		memcpy(u->out, from, piece);
		u->out += piece;
		left -= piece;
	}
	u->literals = m->literals;
	return take_literals(u, m->literals);
}

enum step { STEP_MORE, STEP_END, STEP_DAMAGED };

/* One instruction of any kind, each byte looked at before it is touched. */
static enum step unpack_carefully(struct unpacking *u)
{
	struct match m;

	if (u->in == u->in_end) {
		return STEP_DAMAGED;
	}
	size_t t = *u->in++;

	if (t < 16 && u->literals == 0) {
		return take_run(u, t) ? STEP_MORE : STEP_DAMAGED;
	}
	if (!(t >= 16 && t < 64 ? word_match(u, t, &m) : byte_match(u, t, &m))) {
		return STEP_DAMAGED;
	}
	if (m.distance == 0) {
		return u->in == u->in_end ? STEP_END : STEP_DAMAGED;
	}
	return take_match(u, &m) ? STEP_MORE : STEP_DAMAGED;
}

bool lzo1x_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	struct unpacking u = { in, in + len, out, out, out + *out_len, 0 };
	enum step step = STEP_MORE;

	if (len > 0 && *in > 17) {
		size_t run = *u.in++ - 17u;

		u.literals = MIN(run, AFTER_RUN);
		if (!take_literals(&u, run)) {
			return false;
		}
	}
	while (step == STEP_MORE) {
		unpack_quickly(&u);
		step = unpack_carefully(&u);
	}
	*out_len = (size_t)(u.out - out);
	return step == STEP_END;
}

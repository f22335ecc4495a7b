/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapread.h"

#include <glib.h>
#include <string.h>

#include "common/timestamp.h"

#define HEADER_BYTES      24
#define PACKET_BYTES      16     /* the header of one */
#define CAPTURED_MAX      262144 /* as libpcap has it */
#define MAGIC_MICRO       UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO        UINT32_C(0xa1b23c4d)
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_COOKED   113
#define LINKTYPE_COOKED2  276
#define FETCH_BYTES       512 /* so far ahead of the packet that is handed out */

struct pcapread {
	struct readahead *ahead;
	uint8_t *at; /* what is not handed out yet, in the piece at hand */
	uint8_t *end;
	bool swapped;
	bool nano;
	uint32_t snap_bytes;
	uint32_t linktype;
	uint8_t left[READAHEAD_FRONT_BYTES]; /* of one piece, on the way to the next */
};

_Static_assert(PACKET_BYTES + CAPTURED_MAX <= READAHEAD_FRONT_BYTES, "a packet fits");

static inline uint16_t get16(const struct pcapread *reader, const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return reader->swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t get32(const struct pcapread *reader, const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return reader->swapped ? __builtin_bswap32(value) : value;
}

static size_t left(const struct pcapread *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* What is left comes to be in front of the next piece. */
static int next_piece(struct pcapread *reader, struct err *err)
{
	const size_t len = left(reader);
	struct readahead_piece piece;
	int st;

	if (len > 0) {
		memcpy(reader->left, reader->at, len);
	}
	st = readahead_next(reader->ahead, &piece);
	if (st == ST_OK) {
		reader->at = piece.bytes - len;
		reader->end = piece.bytes + piece.len;
		memcpy(reader->at, reader->left, len);
	}
	return st == ST_EIO ? err_set(err, ST_EFORMAT, "error reading dump file") : st;
}

/* Have len bytes. ST_OK; ST_END: there are fewer; ST_EFORMAT. */
static inline int want(struct pcapread *reader, size_t len, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && left(reader) < len) {
		st = next_piece(reader, err);
	}
	return st;
}

/* Does libpcap have the same number for links of this type as files have? */
static bool is_common_link(uint32_t linktype)
{
	static const uint32_t links[] = { LINKTYPE_ETHERNET, LINKTYPE_COOKED, LINKTYPE_COOKED2 };

	for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
		if (linktype == links[i]) {
			return true;
		}
	}
	return false;
}

/* Of another byte order, with nanoseconds, of version 2.4: is it one that this file knows? */
static bool take_header(struct pcapread *reader, const uint8_t *header)
{
	uint32_t magic = get32(reader, header);

	reader->swapped =
		magic == __builtin_bswap32(MAGIC_MICRO) || magic == __builtin_bswap32(MAGIC_NANO);
	magic = get32(reader, header);
	reader->nano = magic != MAGIC_MICRO;
	reader->snap_bytes = get32(reader, header + 16);
	reader->linktype = get32(reader, header + 20);
	return (magic == MAGIC_MICRO || magic == MAGIC_NANO) && get16(reader, header + 4) == 2 &&
	       get16(reader, header + 6) == 4 && reader->snap_bytes > 0 &&
	       reader->snap_bytes <= CAPTURED_MAX && is_common_link(reader->linktype);
}

int pcapread_open(struct pcapread **out, struct readahead *ahead, struct err *err)
{
	struct pcapread *reader = g_new0(struct pcapread, 1);
	int st;

	reader->ahead = ahead;
	*out = reader;
	st = want(reader, HEADER_BYTES, err);
	if (st != ST_OK || !take_header(reader, reader->at)) {
		return st == ST_EFORMAT ? st : ST_ESUPPORT;
	}
	reader->at += HEADER_BYTES;
	return ST_OK;
}

void pcapread_free(struct pcapread *reader)
{
	if (reader) {
		readahead_free(reader->ahead);
		g_free(reader);
	}
}

ssize_t pcapread_take(struct pcapread *reader, void *out, size_t size)
{
	int st = want(reader, 1, NULL);
	size_t len = MIN(size, left(reader));

	if (st != ST_OK) {
		return st == ST_END ? 0 : -1;
	}
	memcpy(out, reader->at, len);
	reader->at += len;
	return (ssize_t)len;
}

int pcapread_linktype(const struct pcapread *reader)
{
	return (int)reader->linktype;
}

int pcapread_snap_bytes(const struct pcapread *reader)
{
	return (int)reader->snap_bytes;
}

bool pcapread_is_nano(const struct pcapread *reader)
{
	return reader->nano;
}

static int tell_cut(const struct pcapread *reader, const char *what, size_t len, struct err *err)
{
	return err_set(err, ST_EFORMAT,
		       "truncated dump file; tried to read %zu %s bytes, only got %zu", len, what,
		       left(reader));
}

int pcapread_next(struct pcapread *reader, struct pcapread_packet *out, struct err *err)
{
	uint32_t captured;
	int st = want(reader, PACKET_BYTES, err);

	if (st != ST_OK) {
		return st == ST_END && left(reader) > 0
			       ? tell_cut(reader, "header", PACKET_BYTES, err)
			       : st;
	}
	captured = get32(reader, reader->at + 8);
	if (captured > CAPTURED_MAX) {
		return err_set(err, ST_EFORMAT,
			       "invalid packet capture length %u, bigger than maximum of %u",
			       captured, CAPTURED_MAX);
	}
	st = want(reader, PACKET_BYTES + captured, err);
	if (st == ST_END) {
		reader->at += PACKET_BYTES;
		return tell_cut(reader, "captured", captured, err);
	}
	if (st != ST_OK) {
		return st;
	}
	out->time_ns = get32(reader, reader->at) * NS_PER_S +
		       get32(reader, reader->at + 4) * (reader->nano ? 1 : NS_PER_US);
	out->captured = MIN(captured, reader->snap_bytes);
	out->wire_len = get32(reader, reader->at + 12);
	out->bytes = reader->at + PACKET_BYTES;
	reader->at += PACKET_BYTES + captured;
	__builtin_prefetch(reader->at + FETCH_BYTES);
	return ST_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of a journal's files (JOURNAL.md), without the files.
 *
 *	journalformat_put_entry(room, key, position, records, iov, iovcnt, len);
 *	...
 *	if (journalformat_get_entry(bytes, available, key, &entry) == ST_OK) {
 *		next = bytes + entry.total;
 *	}
 */
#ifndef TUSSAH_COMMON_JOURNALFORMAT_H
#define TUSSAH_COMMON_JOURNALFORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/journal.h"

#define JOURNALFORMAT_VERSION       1
#define JOURNALFORMAT_HEADER_BYTES  64 /* of a segment */
#define JOURNALFORMAT_ENTRY_BYTES   24 /* in front of the bytes of an entry */
#define JOURNALFORMAT_ENTRY_TOTAL   (JOURNALFORMAT_ENTRY_BYTES + JOURNAL_ENTRY_MAX)
#define JOURNALFORMAT_SLOT_BYTES    128 /* of the state file, which has two */
#define JOURNALFORMAT_SLOT_DISTANCE 4096
#define JOURNALFORMAT_STATE_BYTES   (JOURNALFORMAT_SLOT_DISTANCE + JOURNALFORMAT_SLOT_BYTES)

struct journalformat_entry {
	uint64_t position;
	uint32_t records;
	uint32_t len; /* 0: the end mark of a segment, position is that of the next entry */
	const uint8_t *bytes;
	size_t total; /* with header and padding */
};

struct journalformat_state {
	bool clean;
	uint64_t generation;
	uint8_t id[JOURNAL_ID_BYTES];
	uint64_t key; /* seeds the checksums of entries: what is in an entry cannot pass for one */
	uint64_t released;
	uint64_t durable; /* at least so much was */
	uint64_t handed;  /* first position of the newest segment that a reader was in */
	uint64_t dropped_entries;
	uint64_t dropped_records;
	uint64_t floor;    /* positions up to here are used */
	uint64_t dropping; /* the segment that was counted as dropped last, by first position */
};

/* Bytes on disk of an entry of len bytes. */
static inline size_t journalformat_total(size_t len)
{
	return (JOURNALFORMAT_ENTRY_BYTES + len + 7) & ~(size_t)7;
}

void journalformat_put_header(uint8_t out[JOURNALFORMAT_HEADER_BYTES], uint64_t first,
			      uint64_t key);
/* ST_OK, ST_EFORMAT, ST_EVERSION. */
int journalformat_check_header(const uint8_t in[JOURNALFORMAT_HEADER_BYTES], uint64_t first,
			       uint64_t key);

/* The pieces have len bytes in all; out has journalformat_total(len). */
void journalformat_put_entry(uint8_t *out, uint64_t key, uint64_t position, uint32_t records,
			     const struct iovec *iov, int iovcnt, size_t len);

/*
 * The entry at in. ST_OK; ST_EFORMAT: not an entry; ST_ETRUNC: entry->total bytes (or, when that is
 * 0, a header) are needed to know. entry->bytes points into in.
 */
int journalformat_get_entry(const uint8_t *in, size_t available, uint64_t key,
			    struct journalformat_entry *entry);
/* The same without a look at the checksum: of bytes that were put and have not left memory since. */
int journalformat_get_unchecked(const uint8_t *in, size_t available,
				struct journalformat_entry *entry);

void journalformat_put_state(uint8_t out[JOURNALFORMAT_SLOT_BYTES],
			     const struct journalformat_state *state);
/* ST_OK, ST_EFORMAT, ST_EVERSION. */
int journalformat_get_state(const uint8_t in[JOURNALFORMAT_SLOT_BYTES],
			    struct journalformat_state *state);

#endif

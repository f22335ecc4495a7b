/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream of byte strings opened for reading (storage/FORMAT.md section 4).
 *
 *	struct strings strings = { 0 };				// opened again and again
 *	strings_open(&strings, bytes, end, rows, err);
 *	strings_read(&strings, 0, 1024, out, err);
 *	strings_release(&strings);
 *
 * Statuses: ST_OK, ST_EFORMAT. Threads: any number may read.
 */
#ifndef TUSSAH_STORAGE_STRINGS_H
#define TUSSAH_STORAGE_STRINGS_H

#include "storage/numbers.h"

struct strings {
	uint8_t encoding; /* enum encoding */
	uint32_t count;
	struct numbers numbers; /* lengths */
	struct frames frames;   /* places in the dictionary */
	const uint8_t *bytes;   /* of the strings, one behind the other; borrowed */
	uint32_t *begins;       /* of each string in bytes, and the end of the last */
	uint32_t distinct;      /* strings in bytes */
	size_t begins_room;     /* grows only */
};

/* As numbers_open(). */
int strings_open(struct strings *strings, const uint8_t *at, const uint8_t *end, uint32_t count,
		 struct err *err);
void strings_release(struct strings *strings);

/* As frames_read(); out points into the bytes that were opened. */
int strings_read(const struct strings *strings, uint32_t row, uint32_t count,
		 struct encode_bytes *out, struct err *err);

#endif

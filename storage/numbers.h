/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A number stream opened for reading (storage/FORMAT.md section 4).
 *
 *	struct numbers numbers = { 0 };				// opened again and again
 *	numbers_open(&numbers, bytes, end, rows, true, err);
 *	numbers_read(&numbers, 0, 1024, &lanes_u16, ports, err);
 *	numbers_release(&numbers);
 *
 * Statuses: ST_OK, ST_EFORMAT. Threads: any number may read.
 */
#ifndef TUSSAH_STORAGE_NUMBERS_H
#define TUSSAH_STORAGE_NUMBERS_H

#include "storage/frames.h"

struct numbers {
	uint8_t encoding; /* enum encoding */
	uint32_t count;
	struct frames frames;      /* values, or places in the dictionary */
	uint64_t *dictionary;      /* distinct values, ascending; of a constant the one */
	uint32_t dictionary_count; /* 0: neither a dictionary nor constant */
	size_t dictionary_room;    /* grows only */
};

/* The stream of count (1..ENCODE_ROWS_MAX) values ends at end, behind which CHUNK_PADDING bytes
 * can be read; kept. */
int numbers_open(struct numbers *numbers, const uint8_t *at, const uint8_t *end, uint32_t count,
		 bool may_be_dictionary, struct err *err);
void numbers_release(struct numbers *numbers);

/* As frames_read(). */
int numbers_read(const struct numbers *numbers, uint32_t row, uint32_t count,
		 const struct lanes *lanes, void *out, struct err *err);
/* All of them. */
int numbers_read_all(const struct numbers *numbers, const struct lanes *lanes, void *out,
		     struct err *err);

/* Places in the dictionary, each below dictionary_count, which is not 0. */
int numbers_read_codes(const struct numbers *numbers, uint32_t row, uint32_t count, uint16_t *out,
		       struct err *err);

/* Other dictionaries have such codes too: a frames stream, with its encoding, of places below
 * limit. */
int codes_open(struct frames *frames, const uint8_t *at, const uint8_t *end, uint32_t count,
	       struct err *err);
int codes_read(const struct frames *frames, uint32_t row, uint32_t count, uint32_t limit,
	       uint16_t *out, struct err *err);

/* The part of a stream that a varint length announces; *at moves behind it. */
int numbers_part(const uint8_t **at, const uint8_t *end, const uint8_t **part_end, struct err *err);

#endif

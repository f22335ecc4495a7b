/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values into streams (storage/FORMAT.md section 4): of the encodings that fit, the one that comes
 * out smallest, where one that is searched faster is preferred to one that is slightly smaller.
 *
 *	struct encoder *encoder = encoder_new();
 *	encode_numbers(encoder, values, rows, out);		// appends to a GByteArray
 *	encoder_free(encoder);
 *
 * Threads: one at a time per encoder.
 */
#ifndef TUSSAH_STORAGE_ENCODE_H
#define TUSSAH_STORAGE_ENCODE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"

#define ENCODE_ROWS_MAX 65536u
#define FRAME_ROWS      1024u

enum encoding {
	ENCODING_CONSTANT = 0,
	ENCODING_FRAMES = 1,
	ENCODING_DELTA = 2,
	ENCODING_DICTIONARY = 3,
	ENCODING_ADDRESS_CONSTANT = 16,
	ENCODING_ADDRESS_V4 = 17,
	ENCODING_ADDRESS_DICTIONARY = 18,
	ENCODING_STRINGS = 32,
	ENCODING_STRING_DICTIONARY = 33,
};

struct encoder; /* scratch space */

struct encoder *encoder_new(void);
void encoder_free(struct encoder *encoder);
/*
 * From now on the encoding that is made fastest: for what is read little and made anew before long.
 * Constants stay small, dictionaries are made only where nothing else can hold the values.
 */
void encoder_set_quick(struct encoder *encoder, bool quick);

/* Append the stream of count (1..ENCODE_ROWS_MAX) values to out. */
void encode_numbers(struct encoder *encoder, const uint64_t *values, size_t count, GByteArray *out);
void encode_addresses(struct encoder *encoder, const struct ip *values, size_t count,
		      GByteArray *out);

/* A byte string; borrowed. */
struct encode_bytes {
	const uint8_t *bytes;
	size_t len; /* up to COLUMN_BYTES_MAX */
};
void encode_strings(struct encoder *encoder, const struct encode_bytes *values, size_t count,
		    GByteArray *out);

/* For tests: one encoding, if it fits the values (else false and nothing is appended). */
bool encode_numbers_as(struct encoder *encoder, enum encoding encoding, const uint64_t *values,
		       size_t count, GByteArray *out);

#endif

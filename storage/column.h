/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Columns of a block file: identified by IPFIX information element, typed as RFC 5610 types them
 * (storage/FORMAT.md section 3). The core columns are those of struct record.
 *
 *	const struct core_column *core = column_core(COLUMN_BYTES);	// core->key, core->type
 *	int column = column_find(&key);				// COLUMN_BYTES, or COLUMN_COUNT
 */
#ifndef TUSSAH_STORAGE_COLUMN_H
#define TUSSAH_STORAGE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/record.h"

/* Enterprise of the elements that only block files have. */
#define COLUMN_PEN_PRIVATE UINT32_MAX
#define COLUMN_NAME_MAX    32

struct column_key {
	uint32_t pen; /* 0: IANA */
	uint16_t id;
};

/* RFC 5610 section 3.1. */
enum column_type {
	COLUMN_OCTET_ARRAY,
	COLUMN_UNSIGNED8,
	COLUMN_UNSIGNED16,
	COLUMN_UNSIGNED32,
	COLUMN_UNSIGNED64,
	COLUMN_SIGNED8,
	COLUMN_SIGNED16,
	COLUMN_SIGNED32,
	COLUMN_SIGNED64,
	COLUMN_FLOAT32,
	COLUMN_FLOAT64,
	COLUMN_BOOLEAN,
	COLUMN_MAC_ADDRESS,
	COLUMN_STRING,
	COLUMN_SECONDS,
	COLUMN_MILLISECONDS,
	COLUMN_MICROSECONDS,
	COLUMN_NANOSECONDS,
	COLUMN_IPV4_ADDRESS,
	COLUMN_IPV6_ADDRESS,
	COLUMN_BASIC_LIST,
	COLUMN_SUB_TEMPLATE_LIST,
	COLUMN_SUB_TEMPLATE_MULTI_LIST,
	COLUMN_TYPES,
};

/* How values are held: the three kinds of streams. */
enum column_form {
	COLUMN_FORM_NUMBER,  /* uint64_t whose order is the order of the values (not floats) */
	COLUMN_FORM_ADDRESS, /* struct ip */
	COLUMN_FORM_BYTES,   /* up to COLUMN_BYTES_MAX bytes */
};
#define COLUMN_BYTES_MAX 65535

/* type is below COLUMN_TYPES. */
enum column_form column_form(uint8_t type);
/* Do minimum and maximum make sense? Not for floats and byte strings. */
bool column_is_ordered(uint8_t type);
/* Signed types are held with their highest bit inverted; this is the bit, or 0. */
uint64_t column_sign(uint8_t type);

struct core_column {
	struct column_key key;
	uint8_t type;
	size_t size;          /* of one value in struct record and struct batch */
	size_t record_offset; /* in struct record */
	size_t batch_offset;  /* of the array in struct batch */
};

const struct core_column *column_core(enum column column);
/* The core column of key, or COLUMN_COUNT. */
enum column column_find(const struct column_key *key);

/* -1, 0, 1 in the order of a directory: enterprise, then element. */
int column_key_compare(const struct column_key *a, const struct column_key *b);
/* For messages: "bytes", "sip" (names of struct record) or "6871/33"; returns out. */
const char *column_name(const struct column_key *key, char out[COLUMN_NAME_MAX]);

#endif

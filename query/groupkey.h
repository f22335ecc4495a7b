/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that records are grouped by: fields, packed so that memcmp() has the order of their
 * values. A wide key has room for addresses of both families; a narrow one is for rows whose
 * addresses are all IPv4, and a good deal shorter. Narrow keys ascend as the wide ones of the same
 * values do.
 *
 *	groupkey_init(&key, spec, err);
 *	groupkey_split(&key, batch, rows, counts);	// which rows have which shape
 *	... batch->selection = rows of one shape ...
 *	groupkey_pack(&key, shape, batch, out, stride);
 *	groupkey_widen(&key, shape, packed, wide);
 *	groupkey_release(&key);
 */
#ifndef TUSSAH_QUERY_GROUPKEY_H
#define TUSSAH_QUERY_GROUPKEY_H

#include "query/group.h"

enum groupkey_shape { GROUPKEY_NARROW, GROUPKEY_WIDE, GROUPKEY_SHAPES };

/* How a field becomes part of a key. */
enum groupkey_form {
	GROUPKEY_PLAIN,
	GROUPKEY_TIME, /* cut to unit_ns */
	GROUPKEY_DURATION,
	/*
	 * Of a start, an end and a duration in one key, as SiLK has it, the last follows from what the
	 * others are cut to, where times are binned the duration.
	 */
	GROUPKEY_REST,
};

struct groupkey_part {
	const struct field *field;
	enum groupkey_form form;
	int64_t unit_ns;
	bool is_address;
	size_t offset[GROUPKEY_SHAPES];
};

struct groupkey {
	struct groupkey_part *parts;
	size_t count;
	size_t size[GROUPKEY_SHAPES]; /* bytes */
	bool wide_only;
	uint32_t columns; /* COLUMN_BITs that are read */
};

/* ST_OK, or ST_ELIMIT when the key is longer than GROUP_KEY_MAX. */
int groupkey_init(struct groupkey *key, const struct group_spec *spec, struct err *err);
void groupkey_release(struct groupkey *key);

/* The selected rows of each shape, in order, and how many there are. */
void groupkey_split(const struct groupkey *key, const struct batch *batch,
		    uint16_t rows[GROUPKEY_SHAPES][BATCH_ROWS], uint32_t counts[GROUPKEY_SHAPES]);
/* The keys of the selected rows, which have this shape, stride apart. */
void groupkey_pack(const struct groupkey *key, enum groupkey_shape shape, const struct batch *batch,
		   uint8_t *out, size_t stride);
/* The wide key of the same values. */
void groupkey_widen(const struct groupkey *key, enum groupkey_shape shape, const uint8_t *packed,
		    uint8_t *wide);

/* A part that stands alone, as counted values do. */
struct groupkey_part groupkey_part(const struct field *field, int64_t time_ns, int64_t duration_ns);
/* Its values of the selected rows, wide, stride apart. */
void groupkey_pack_part(const struct groupkey_part *part, const struct batch *batch, uint8_t *out,
			size_t stride);

/* The four bytes of a wide address that is IPv4, and back. */
#define GROUPKEY_V4_BYTES 4
bool groupkey_is_v4(const uint8_t *wide);
void groupkey_put_v4(uint8_t *wide, const uint8_t *v4);
/* Where these bytes are. */
#define GROUPKEY_V4_AT 12

#endif

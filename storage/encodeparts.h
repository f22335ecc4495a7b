/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What encode.c, encodeaddress.c and encodestring.c share: the scratch space, and number streams
 * without dictionaries, of which the streams of addresses, strings and dictionaries are made.
 *
 *	struct plain plain;
 *	plain_plan(&plain, values, count, reduced);
 *	plain_put_with_length(&plain, encoder->part, out);
 */
#ifndef TUSSAH_STORAGE_ENCODEPARTS_H
#define TUSSAH_STORAGE_ENCODEPARTS_H

#include "storage/encode.h"
#include "storage/frameplan.h"
#include "storage/ranks.h"

struct encoder {
	struct ranks *ranks;
	/* ENCODE_ROWS_MAX of each */
	uint64_t *reduced;  /* (value - origin) / scale */
	uint64_t *distinct; /* numbers, ascending */
	uint64_t *codes;    /* places of the rows' values among the distinct ones */
	uint64_t *numbers;  /* IPv4 addresses, lengths */
	struct ip *ips;     /* distinct, IPv4 first */
	GByteArray *part;
	bool quick;
};

/* A constant, frames or delta stream, whichever is smallest. */
struct plain {
	bool is_constant;
	uint64_t constant;
	struct frameplan frames;
	size_t bytes; /* about */
};

/* reduced (room for count numbers, may be values itself) is kept, as long as plain is used. */
void plain_plan(struct plain *plain, const uint64_t *values, size_t count, uint64_t *reduced);
/* Frames without exceptions, or a constant: worked out in one go. */
void plain_plan_quick(struct plain *plain, const uint64_t *values, size_t count, uint64_t *reduced);
/* The same as plain_plan() of origin + scale * reduced[i], the least of which is 0. */
void plain_plan_reduced(struct plain *plain, const uint64_t *reduced, size_t count, uint64_t origin,
			uint64_t scale);
void plain_put(const struct plain *plain, GByteArray *out);
/* With its length, a varint, before it; part is scratch space. */
void plain_put_with_length(const struct plain *plain, GByteArray *part, GByteArray *out);

#endif

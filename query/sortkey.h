/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key of a record to be sorted: what a rowkey makes of it, with addresses of IPv4 in 5 bytes in
 * the place of 16, so that the first bytes of keys, by which rows are distributed and sorted, tell
 * more of them apart.
 *
 *	sortkey_init(&sort, &key);
 *	sortkey_pack(&sort, batch, rows, stride);	// sort.size bytes for each selected row
 *
 * The order of memcmp() is that of the fields, as keys have fields one after the other, and the
 * first byte of an address tells how long it is. Behind the last field is 0.
 */
#ifndef TUSSAH_QUERY_SORTKEY_H
#define TUSSAH_QUERY_SORTKEY_H

#include "query/rowkey.h"

struct sortkey {
	const struct rowkey *key; /* kept */
	size_t size;              /* of the longest one */
	size_t addresses;         /* fields that are addresses */
};

void sortkey_init(struct sortkey *sort, const struct rowkey *key);
/* The keys of the selected rows, stride apart. */
void sortkey_pack(const struct sortkey *sort, const struct batch *batch, uint8_t *out,
		  size_t stride);
/* How many bytes of this key are of its first fields. */
size_t sortkey_extent(const struct sortkey *sort, const uint8_t *key, size_t fields);

#endif

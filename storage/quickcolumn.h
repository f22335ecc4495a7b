/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Number streams that are made as fast as can be (storage/FORMAT.md section 4), from arrays of any
 * width: constants, or frames of whole bytes. For quick blocks (struct flowblock_opts).
 *
 *	struct quickcolumn column = { .values = ports, .size = sizeof(*ports), .rows = rows };
 *	quickcolumn_measure(&column);				// column.min, column.max
 *	quickcolumn_put(&column, out);
 */
#ifndef TUSSAH_STORAGE_QUICKCOLUMN_H
#define TUSSAH_STORAGE_QUICKCOLUMN_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct quickcolumn {
	const void *values; /* borrowed */
	size_t size;        /* of one: 1, 2, 4 or 8 bytes */
	uint32_t rows;      /* 1..ENCODE_ROWS_MAX */
	uint64_t min;
	uint64_t max;
};

void quickcolumn_measure(struct quickcolumn *column);
/* Append the stream of a column that was measured. */
void quickcolumn_put(const struct quickcolumn *column, GByteArray *out);
/* The same of IPv4 addresses (ip_to_v4()): a stream of addresses. */
void quickcolumn_put_v4(const struct quickcolumn *column, GByteArray *out);

#endif

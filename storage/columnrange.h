/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a block's directory says of the values of a column: the least and the greatest, and a sum.
 *
 *	columnrange_numbers(values, NULL, rows, &column);	// column.min, column.max
 *	columnrange_sum(values, rows, &column);			// column.sum
 */
#ifndef TUSSAH_STORAGE_COLUMNRANGE_H
#define TUSSAH_STORAGE_COLUMNRANGE_H

#include "storage/flowblock.h"

/* Of the rows whose presence is not 0; NULL: all have a value. */
void columnrange_numbers(const uint64_t *values, const uint64_t *presence, uint32_t rows,
			 struct flowblock_column *out);
void columnrange_addresses(const struct ip *values, const uint64_t *presence, uint32_t rows,
			   struct flowblock_column *out);
/* A sum beyond 64 bits is left out. */
void columnrange_sum(const uint64_t *values, uint32_t rows, struct flowblock_column *out);

#endif

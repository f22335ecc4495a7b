/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A shorter form for rows of bytes that are much alike: what nearly all of them have in common is
 * kept once, and left out of each.
 *
 *	struct rowform *form = rowform_choose(rows, row_size, count);
 *	if (rowform_pack(form, row, packed)) {		// rowform_size(form) bytes
 *		rowform_unpack(form, packed, 0, row_size, again);
 *	}
 *
 * Rows are read and written up to 64 bytes at a time: ROWFORM_SLACK bytes more than their size must
 * be there to be read behind each row, packed or not, and to be overwritten behind what is written.
 */
#ifndef TUSSAH_QUERY_ROWFORM_H
#define TUSSAH_QUERY_ROWFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWFORM_SLACK 64

struct rowform;

/*
 * The form that takes the least room for these rows, one behind the other, judged by a sample;
 * those that do not fit are counted with their full size. Returned: rowform_free().
 */
struct rowform *rowform_choose(const uint8_t *rows, size_t row_size, size_t count);
/* One more that holds it, and will call rowform_free(); by any thread. */
struct rowform *rowform_hold(struct rowform *form);
void rowform_free(struct rowform *form);
/* Go by words of eight bytes, as on any processor, from now on. */
void rowform_use_words(struct rowform *form);
size_t rowform_size(const struct rowform *form);
/* Bytes that each of these rows takes on the average, those that fit packed, by a sample. */
double rowform_cost(const struct rowform *form, const uint8_t *rows, size_t count);
/* false: the row does not fit, and what is in packed is nothing. */
bool rowform_pack(const struct rowform *form, const uint8_t *row, uint8_t *packed);
/* Bytes begin..end-1 of the row, to their places in it; some before and behind may be written, too.
 */
void rowform_unpack(const struct rowform *form, const uint8_t *packed, size_t begin, size_t end,
		    uint8_t *row);
/* The row without its first from bytes, a multiple of 8. */
void rowform_unpack_end(const struct rowform *form, const uint8_t *packed, size_t from,
			uint8_t *out);

#endif

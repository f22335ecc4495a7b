/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The values of extension columns that a block which is being made has so far. Only values that
 * there are take room, so that a column which few records have costs little.
 *
 *	struct extension_buffer *buffer = extension_buffer_new();
 *	extension_put(buffer, row, &value, err);
 *	for (size_t i = 0; i < extension_count(buffer); i++) {
 *		extension_numbers(extension_column(buffer, i), numbers);
 *	}
 */
#ifndef TUSSAH_STORAGE_EXTENSION_H
#define TUSSAH_STORAGE_EXTENSION_H

#include "storage/flowblock.h"

struct extension_buffer;
struct extension_column;

struct extension_buffer *extension_buffer_new(void);
void extension_buffer_free(struct extension_buffer *buffer);
/* Forget values and columns. */
void extension_clear(struct extension_buffer *buffer);
/* Room that the values take. */
size_t extension_bytes(const struct extension_buffer *buffer);

/* Rows must come in ascending order, each at most once per column. See flowblock_set(). */
int extension_put(struct extension_buffer *buffer, uint32_t row,
		  const struct flowblock_value *value, struct err *err);
/* The same of rows that follow each other, from first on; returns how many values had no place. */
size_t extension_put_rows(struct extension_buffer *buffer, uint32_t first,
			  struct flowblock_row *const *rows, size_t count);

size_t extension_count(const struct extension_buffer *buffer);
const struct extension_column *extension_column(const struct extension_buffer *buffer, size_t i);
struct column_key extension_key(const struct extension_column *column);
uint8_t extension_type(const struct extension_column *column);
uint32_t extension_present(const struct extension_column *column); /* rows with a value */

/* The numbers of a number column of which all rows have one, in an array of unsigned numbers of
 * *width bytes, borrowed; else NULL. */
const void *extension_dense_numbers(const struct extension_column *column, uint32_t rows,
				    size_t *width);
/* All values by row, by the form of the column; rows without a value are not touched. */
void extension_numbers(const struct extension_column *column, uint64_t *out);
void extension_addresses(const struct extension_column *column, struct ip *out);
void extension_strings(const struct extension_column *column, struct encode_bytes *out);
/* 1 for each row that has a value; others are not touched. */
void extension_presence(const struct extension_column *column, uint64_t *out);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows packed and unpacked as rowform.h says, 64 bytes at a time, by the instructions that
 * processors with AVX-512 VBMI2 have for just this. Where there are none, rowform.c does it word by
 * word, with the same bytes.
 */
#ifndef TUSSAH_QUERY_ROWVECTOR_H
#define TUSSAH_QUERY_ROWVECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWVECTOR_BYTES 64

/* 64 bytes of a row, or what there is of them. */
struct rowvector {
	uint64_t kept;   /* by byte: is it in packed rows? */
	uint64_t fixed;  /* the other bytes of the row */
	uint32_t at;     /* place of the kept ones in packed rows */
	uint8_t *common; /* the fixed bytes; of all vectors one behind the other, and 64 more */
};

/* Does this processor have them? Else nothing else is to be called. */
bool rowvector_available(void);
/*
 * As the functions of rowform.h with a row of count vectors, behind which is one of zeros. Up to 64
 * bytes behind rows and packed rows are read and written.
 */
bool rowvector_pack(const struct rowvector *vectors, size_t count, const uint8_t *row,
		    uint8_t *packed);
void rowvector_unpack(const struct rowvector *vectors, const uint8_t *packed, size_t begin,
		      size_t end, uint8_t *row);
void rowvector_unpack_end(const struct rowvector *vectors, size_t row_size, const uint8_t *packed,
			  size_t from, uint8_t *out);

#endif

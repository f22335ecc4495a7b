/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowvector.h"

#ifdef __x86_64__

#include <immintrin.h>

#define VECTORS __attribute__((target("avx512f,avx512bw,avx512vbmi2,popcnt")))

bool rowvector_available(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2");
}

VECTORS bool rowvector_pack(const struct rowvector *vectors, size_t count, const uint8_t *row,
			    uint8_t *packed)
{
	__mmask64 differs = 0;

	/* what is written too much is overwritten by the next vector */
	for (size_t i = 0; i < count; i++, row += ROWVECTOR_BYTES) {
		const struct rowvector *vector = &vectors[i];
		__m512i bytes = _mm512_loadu_si512(row);

		differs |= _mm512_mask_cmpneq_epu8_mask(vector->fixed, bytes,
							_mm512_loadu_si512(vector->common));
		_mm512_storeu_si512(packed + vector->at,
				    _mm512_maskz_compress_epi8(vector->kept, bytes));
	}
	return differs == 0;
}

VECTORS void rowvector_unpack(const struct rowvector *vectors, const uint8_t *packed, size_t begin,
			      size_t end, uint8_t *row)
{
	for (size_t i = begin / ROWVECTOR_BYTES; i * ROWVECTOR_BYTES < end; i++) {
		const struct rowvector *vector = &vectors[i];
		__m512i bytes = _mm512_loadu_si512(packed + vector->at);

		_mm512_storeu_si512(row + i * ROWVECTOR_BYTES,
				    _mm512_mask_expand_epi8(_mm512_loadu_si512(vector->common),
							    vector->kept, bytes));
	}
}

VECTORS void rowvector_unpack_end(const struct rowvector *vectors, size_t row_size,
				  const uint8_t *packed, size_t from, uint8_t *out)
{
	const unsigned skip = from % ROWVECTOR_BYTES;
	const struct rowvector *vector = &vectors[from / ROWVECTOR_BYTES];

	for (; from < row_size; from += ROWVECTOR_BYTES, vector++, out += ROWVECTOR_BYTES) {
		const uint64_t before = vector->kept & ((UINT64_C(1) << skip) - 1);
		const uint8_t *at = packed + vector->at + _mm_popcnt_u64(before);
		uint64_t kept = vector->kept >> skip;

		/* behind the last one is another, which keeps nothing */
		kept |= skip > 0 ? vector[1].kept << (ROWVECTOR_BYTES - skip) : 0;
		_mm512_storeu_si512(
			out, _mm512_mask_expand_epi8(_mm512_loadu_si512(vector->common + skip),
						     kept, _mm512_loadu_si512(at)));
	}
}

#else

bool rowvector_available(void)
{
	return false;
}

bool rowvector_pack(const struct rowvector *vectors, size_t count, const uint8_t *row,
		    uint8_t *packed)
{
	return false;
}

void rowvector_unpack(const struct rowvector *vectors, const uint8_t *packed, size_t begin,
		      size_t end, uint8_t *row)
{
}

void rowvector_unpack_end(const struct rowvector *vectors, size_t row_size, const uint8_t *packed,
			  size_t from, uint8_t *out)
{
}

#endif

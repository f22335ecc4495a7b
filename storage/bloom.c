/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bloom.h"

#include "storage/byteorder.h"

#include <xxhash.h>

/* Eight bits an address: about three wrong answers of a hundred for half a byte a record. */
#define BITS_PER_ADDRESS 8
#define UNIT_WORDS       (BLOOM_UNIT_BYTES / 4)

static const uint32_t salt[UNIT_WORDS] = {
	0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
	0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
};

size_t bloom_size(size_t addresses)
{
	const size_t per_unit = BLOOM_UNIT_BYTES * 8 / BITS_PER_ADDRESS;

	if (addresses > BLOOM_BYTES_MAX / BLOOM_UNIT_BYTES * per_unit) {
		return BLOOM_BYTES_MAX;
	}
	return (addresses + per_unit - 1) / per_unit * BLOOM_UNIT_BYTES;
}

uint64_t bloom_hash(struct ip ip)
{
	uint8_t bytes[16];

	store64_be(bytes, ip.hi);
	store64_be(bytes + 8, ip.lo);
	return XXH64(bytes, sizeof(bytes), 0);
}

/* Where the bits of hash are. */
static size_t unit_at(size_t size, uint64_t hash)
{
	return (size_t)((hash >> 32) * (size / BLOOM_UNIT_BYTES) >> 32) * BLOOM_UNIT_BYTES;
}

static uint32_t bit_of(uint64_t hash, unsigned word)
{
	return UINT32_C(1) << ((uint32_t)hash * salt[word] >> 27);
}

void bloom_add(uint8_t *filter, size_t size, uint64_t hash)
{
	uint8_t *unit = filter + unit_at(size, hash);

	for (unsigned i = 0; i < UNIT_WORDS; i++) {
		uint8_t *word = unit + (size_t)i * 4;

		store32(word, load32(word, HOST_BIG_ENDIAN) | bit_of(hash, i), HOST_BIG_ENDIAN);
	}
}

bool bloom_may_hold(const uint8_t *filter, size_t size, uint64_t hash)
{
	const uint8_t *unit = filter + unit_at(size, hash);
	uint32_t missing = 0;

	for (unsigned i = 0; i < UNIT_WORDS; i++) {
		missing |= bit_of(hash, i) & ~load32(unit + (size_t)i * 4, HOST_BIG_ENDIAN);
	}
	return missing == 0;
}

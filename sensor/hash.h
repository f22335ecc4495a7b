/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-1-3 over whole words, for tables that the network fills: without the key nobody can aim
 * many entries at one place. Not for anything that is stored.
 */
#ifndef TUSSAH_SENSOR_HASH_H
#define TUSSAH_SENSOR_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

static inline uint64_t hash_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void hash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = hash_rotate(v[1], 13) ^ v[0];
	v[0] = hash_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = hash_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = hash_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = hash_rotate(v[1], 17) ^ v[2];
	v[2] = hash_rotate(v[2], 32);
}

static inline uint64_t hash_words(struct hash_key key, const uint64_t *words, size_t count)
{
	uint64_t v[4] = { key.k0 ^ UINT64_C(0x736f6d6570736575),
			  key.k1 ^ UINT64_C(0x646f72616e646f6d),
			  key.k0 ^ UINT64_C(0x6c7967656e657261),
			  key.k1 ^ UINT64_C(0x7465646279746573) };

	for (size_t i = 0; i <= count; i++) {
		uint64_t word = i < count ? words[i] : (uint64_t)count << 59;

		v[3] ^= word;
		hash_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	hash_round(v);
	hash_round(v);
	hash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif

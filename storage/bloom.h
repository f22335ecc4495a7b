/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address filter: a split-block Bloom filter (storage/FORMAT.md section 5). It answers whether
 * an address is certainly not among those added; what it says of the others is wrong in a few of a
 * hundred cases.
 *
 *	uint8_t *filter = g_malloc0(bloom_size(count));
 *	bloom_add(filter, size, bloom_hash(ip));
 *	if (!bloom_may_hold(filter, size, bloom_hash(other))) ...	// is not there
 */
#ifndef TUSSAH_STORAGE_BLOOM_H
#define TUSSAH_STORAGE_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"

#define BLOOM_UNIT_BYTES 32
#define BLOOM_BYTES_MAX  (2u << 20)

/* Bytes for this many distinct addresses; a multiple of BLOOM_UNIT_BYTES, 0 for none. */
size_t bloom_size(size_t addresses);
uint64_t bloom_hash(struct ip ip);
/* size is not 0. */
void bloom_add(uint8_t *filter, size_t size, uint64_t hash);
bool bloom_may_hold(const uint8_t *filter, size_t size, uint64_t hash);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making an address filter without knowing how many addresses there will be: hashes are kept while
 * they are few, then put into a filter of the largest size, which is folded in half as often as the
 * filling allows. Sizes are powers of two times BLOOM_UNIT_BYTES.
 *
 *	struct bloombuild *build = bloombuild_new(BLOOM_BYTES_MAX);
 *	bloombuild_add(build, bloom_hash(ip));
 *	filter = bloombuild_finish(build, 0.5, &size);
 */
#ifndef TUSSAH_STORAGE_BLOOMBUILD_H
#define TUSSAH_STORAGE_BLOOMBUILD_H

#include "storage/bloom.h"

struct bloombuild;

/* size_max: a power of two, at least BLOOM_UNIT_BYTES. */
struct bloombuild *bloombuild_new(size_t size_max);
/* Go on with a copy of a filter of a power of two, whose size stays. */
struct bloombuild *bloombuild_new_from(const uint8_t *filter, size_t size);
void bloombuild_free(struct bloombuild *build);

void bloombuild_add(struct bloombuild *build, uint64_t hash);

/*
 * The filter, of the smallest size at which at most this part of its bits is set (of the largest
 * size otherwise); frees build. Returned: g_free(); NULL and size 0: no address was added.
 */
uint8_t *bloombuild_finish(struct bloombuild *build, double filling_max, size_t *size);

/* The part of the bits that are set, 0 to 1. */
double bloom_filling(const uint8_t *filter, size_t size);

#endif

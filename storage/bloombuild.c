/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bloombuild.h"

#include <glib.h>
#include <string.h>

/* With so many bytes for each hash, distinct or not, a filter is far from full. */
#define BYTES_PER_HASH 4u
#define HASHES_MAX     (1u << 16)

struct bloombuild {
	size_t size_max;
	size_t size;     /* of filter */
	uint8_t *filter; /* NULL: all is in hashes still */
	GArray *hashes;  /* of uint64_t */
};

struct bloombuild *bloombuild_new(size_t size_max)
{
	struct bloombuild *build = g_new0(struct bloombuild, 1);

	build->size_max = size_max;
	build->hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return build;
}

struct bloombuild *bloombuild_new_from(const uint8_t *filter, size_t size)
{
	struct bloombuild *build = bloombuild_new(size);

	build->size = size;
	build->filter = g_memdup2(filter, size);
	return build;
}

void bloombuild_free(struct bloombuild *build)
{
	if (build) {
		g_array_free(build->hashes, TRUE);
		g_free(build->filter);
		g_free(build);
	}
}

/* From a list to a filter. */
static void pour(struct bloombuild *build, size_t size)
{
	build->size = size;
	build->filter = g_malloc0(size);
	for (guint i = 0; i < build->hashes->len; i++) {
		bloom_add(build->filter, size, g_array_index(build->hashes, uint64_t, i));
	}
	g_array_set_size(build->hashes, 0);
}

void bloombuild_add(struct bloombuild *build, uint64_t hash)
{
	if (build->filter) {
		bloom_add(build->filter, build->size, hash);
		return;
	}
	if (build->hashes->len == HASHES_MAX) {
		pour(build, build->size_max);
		bloom_add(build->filter, build->size, hash);
		return;
	}
	g_array_append_val(build->hashes, hash);
}

static size_t count_bits(const uint8_t *filter, size_t size)
{
	size_t bits = 0;

	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, filter + i, sizeof(word));
		bits += (size_t)__builtin_popcountll(word);
	}
	return bits;
}

double bloom_filling(const uint8_t *filter, size_t size)
{
	return size == 0 ? 0 : (double)count_bits(filter, size) / ((double)size * 8);
}

/* The place of a hash in half as many units is half its place: neighbours share one. */
static void fold(uint8_t *to, const uint8_t *filter, size_t size)
{
	for (size_t unit = 0; unit < size / 2; unit += BLOOM_UNIT_BYTES) {
		for (size_t i = 0; i < BLOOM_UNIT_BYTES; i++) {
			to[unit + i] =
				filter[2 * unit + i] | filter[2 * unit + BLOOM_UNIT_BYTES + i];
		}
	}
}

uint8_t *bloombuild_finish(struct bloombuild *build, double filling_max, size_t *size)
{
	size_t wanted = BLOOM_UNIT_BYTES;
	uint8_t *half;
	uint8_t *filter;

	*size = 0;
	if (!build->filter && build->hashes->len == 0) {
		bloombuild_free(build);
		return NULL;
	}
	while (wanted < build->hashes->len * BYTES_PER_HASH && wanted < build->size_max) {
		wanted *= 2;
	}
	if (!build->filter) {
		pour(build, wanted);
	}
	half = g_malloc(build->size / 2 + 1);
	while (build->size > BLOOM_UNIT_BYTES) {
		fold(half, build->filter, build->size);
		if (bloom_filling(half, build->size / 2) > filling_max) {
			break;
		}
		build->size /= 2;
		memcpy(build->filter, half, build->size);
	}
	g_free(half);
	filter = g_realloc(g_steal_pointer(&build->filter), build->size);
	*size = build->size;
	bloombuild_free(build);
	return filter;
}

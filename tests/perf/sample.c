/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/sample.h"

#include <glib.h>

#include "tests/perf/rng.h"

struct sampled {
	uint64_t hash;
	struct ip ip;
};

/* A heap with the largest hash on top: the one that goes when a smaller one comes. */
struct sample {
	size_t size;
	size_t count;
	uint64_t seed;
	struct sampled *heap;
};

struct sample *sample_new(size_t size, uint64_t seed)
{
	struct sample *sample = g_new0(struct sample, 1);

	sample->size = size;
	sample->seed = seed;
	sample->heap = g_new0(struct sampled, size);
	return sample;
}

void sample_free(struct sample *sample)
{
	g_free(sample->heap);
	g_free(sample);
}

static void sift_up(struct sampled *heap, size_t place)
{
	struct sampled moved = heap[place];

	while (place > 0 && heap[(place - 1) / 2].hash < moved.hash) {
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = moved;
}

static void sift_down(struct sampled *heap, size_t count)
{
	struct sampled moved = heap[0];
	size_t place = 0;
	size_t child;

	while ((child = 2 * place + 1) < count) {
		if (child + 1 < count && heap[child + 1].hash > heap[child].hash) {
			child++;
		}
		if (heap[child].hash <= moved.hash) {
			break;
		}
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = moved;
}

static void add_address(struct sample *sample, struct ip ip)
{
	struct sampled sampled = { rng_mix(rng_mix(sample->seed, ip.hi), ip.lo), ip };
	bool is_full = sample->count == sample->size;

	if (is_full && sampled.hash >= sample->heap[0].hash) {
		return;
	}
	for (size_t i = 0; i < sample->count; i++) {
		if (sample->heap[i].hash == sampled.hash) {
			return;
		}
	}
	if (is_full) {
		sample->heap[0] = sampled;
		sift_down(sample->heap, sample->count);
	} else {
		sample->heap[sample->count] = sampled;
		sift_up(sample->heap, sample->count++);
	}
}

void sample_add(struct sample *sample, const struct record *rec)
{
	add_address(sample, rec->sip);
	add_address(sample, rec->dip);
}

void sample_print(const struct sample *sample, FILE *out)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < sample->count; i++) {
		struct ip ip = sample->heap[i].ip;

		ip_print(text, ip, !ip_is_mapped(ip), IP_CANONICAL);
		fprintf(out, "%s\n", text);
	}
}

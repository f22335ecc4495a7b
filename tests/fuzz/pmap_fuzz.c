/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A prefix map file. What could be read answers questions, and is written again into a file that
 * reads as the same map.
 */
#include "storage/pmap.h"

#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 4096 /* a tree may use its nodes again and again */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct seen {
	unsigned count;
	struct pmap_range ranges[RANGES_MAX];
};

static int see(void *arg, const struct pmap_range *range)
{
	struct seen *seen = arg;

	seen->ranges[seen->count++] = *range;
	return seen->count == RANGES_MAX;
}

static struct seen *ask(const struct pmap *pmap)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	char digits[PMAP_TEXT_MAX];

	pmap_each_range(pmap, see, seen);
	for (unsigned i = 0; i < seen->count; i++) {
		const struct pmap_range *range = &seen->ranges[i];
		struct pmap_range block;

		if (!pmap_lookup_block(pmap, range->last, &block) || block.value != range->value) {
			abort();
		}
		if (strlen(pmap_text(pmap, range->value, digits)) >
		    pmap_word_bytes_max(pmap) + PMAP_TEXT_MAX) {
			abort();
		}
	}
	return seen;
}

static bool same(const struct seen *a, const struct seen *b)
{
	bool equal = a->count == b->count;

	for (unsigned i = 0; equal && i < a->count; i++) {
		equal = ip_equal(a->ranges[i].first, b->ranges[i].first) &&
			ip_equal(a->ranges[i].last, b->ranges[i].last) &&
			a->ranges[i].value == b->ranges[i].value;
	}
	return equal;
}

static struct pmap *read_bytes(const uint8_t *bytes, size_t size)
{
	struct bytesource *src = bytesource_memory(bytes, size, "fuzz");
	struct pmap *pmap = NULL;
	struct err err;

	pmap_read_from(&pmap, src, NULL, &err);
	bytesource_close(src);
	return pmap;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct pmap_write_opts opts = { 0 };
	struct pmap *pmap = read_bytes(bytes, size);
	struct bytesink *sink;
	struct pmap *again;
	struct seen *before;
	struct seen *after;
	const uint8_t *written;
	size_t len;

	/* without words a map of ports makes a file that ends too early, as SiLK's */
	if (!pmap || (pmap_kind(pmap) == PMAP_PROTO_PORT && !pmap_word_limit(pmap))) {
		pmap_free(pmap);
		return 0;
	}
	sink = bytesink_memory("fuzz");
	if (pmap_write_to(pmap, sink, &opts, NULL) != ST_OK) {
		abort();
	}
	written = bytesink_bytes(sink, &len);
	again = read_bytes(written, len);
	if (!again || pmap_kind(again) != pmap_kind(pmap) ||
	    pmap_word_limit(again) != pmap_word_limit(pmap)) {
		abort();
	}
	before = ask(pmap);
	after = ask(again);
	if (!same(before, after)) {
		abort();
	}
	free(before);
	free(after);
	bytesink_close(sink, NULL);
	pmap_free(again);
	pmap_free(pmap);
	return 0;
}

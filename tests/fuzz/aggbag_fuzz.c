/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aggregate bag files: what can be read can be written, and reads back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/aggbag.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct aggbag *read_bag(const uint8_t *bytes, size_t len)
{
	struct bytesource *src = bytesource_memory(bytes, len, "fuzz");
	struct aggbag *bag = NULL;
	struct err err;

	aggbag_read_from(&bag, src, NULL, &err);
	bytesource_close(src);
	return bag;
}

static void compare(const struct aggbag *a, const struct aggbag *b)
{
	const struct agglayout *layout = aggbag_layout(a);
	size_t counters = layout->count - layout->key_count;
	struct aggbag_cursor one;
	struct aggbag_cursor two;

	aggbag_first(a, &one);
	aggbag_first(b, &two);
	while (aggbag_next(&one)) {
		if (!aggbag_next(&two) || memcmp(one.key, two.key, layout->key_bytes) != 0 ||
		    memcmp(one.counters, two.counters, counters * sizeof(uint64_t)) != 0) {
			abort();
		}
	}
	if (aggbag_next(&two)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct aggbag_write_opts opts = { 0 };
	struct aggbag *bag = read_bag(bytes, len);
	struct bytesink *sink;
	struct aggbag *again;
	const uint8_t *at;
	size_t written;

	if (!bag) {
		return 0;
	}
	sink = bytesink_memory("fuzz");
	aggbag_write_to(bag, sink, &opts, NULL);
	at = bytesink_bytes(sink, &written);
	again = read_bag(at, written);
	if (!again) {
		abort();
	}
	compare(bag, again);
	aggbag_free(again);
	aggbag_free(bag);
	bytesink_close(sink, NULL);
	return 0;
}

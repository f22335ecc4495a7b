/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bag files: what can be read can be written, and reads back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "storage/bag.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct bag *read_bag(const uint8_t *bytes, size_t len)
{
	struct bytesource *src = bytesource_memory(bytes, len, "fuzz");
	struct bag *bag = NULL;
	struct err err;

	bag_read_from(&bag, src, NULL, &err);
	bytesource_close(src);
	return bag;
}

static void compare(struct bag *a, struct bag *b)
{
	struct bag_cursor one;
	struct bag_cursor two;

	bag_first(a, &one);
	bag_first(b, &two);
	while (bag_next(&one)) {
		if (!bag_next(&two) || !ip_equal(one.key, two.key) || one.counter != two.counter ||
		    bag_get(a, one.key) != one.counter) {
			abort();
		}
	}
	if (bag_next(&two)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct bag_write_opts opts = { 0 };
	struct bag *bag = read_bag(bytes, len);
	struct bytesink *sink;
	struct bag *again;
	const uint8_t *at;
	size_t written;

	if (!bag) {
		return 0;
	}
	sink = bytesink_memory("fuzz");
	bag_write_to(bag, sink, &opts, NULL);
	at = bytesink_bytes(sink, &written);
	again = read_bag(at, written);
	if (!again) {
		abort();
	}
	compare(bag, again);
	bag_free(again);
	bag_free(bag);
	bytesink_close(sink, NULL);
	return 0;
}

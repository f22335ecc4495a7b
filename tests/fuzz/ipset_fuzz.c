/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An IPset file of any record version, ours with times among them. Whatever could be read is
 * written again as every version that can hold it, and must then be read as the same set.
 */
#include "storage/ipset.h"

#include <stdlib.h>

#include "storage/ipsetalgebra.h"
#include "storage/ipsetform.h"
#include "storage/sightings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A few bytes can mean more blocks than are worth writing. */
#define BLOCKS_MAX 4096

static bool is_small(const struct ipset *set)
{
	struct ipset_cursor cursor;
	struct cidr range;
	unsigned __int128 blocks = 0;

	if (ipset_is_wide(set)) {
		return true;
	}
	ipset_cursor_start(&cursor, set);
	while (ipset_cursor_next(&cursor, &range)) {
		blocks += (ip_number(range.last) >> 8) - (ip_number(range.first) >> 8) + 1;
	}
	return blocks < BLOCKS_MAX;
}

static void check_version(const struct ipset *set, uint16_t version)
{
	const struct ipset_write_opts opts = { .record_version = version };
	struct bytesink *sink = bytesink_memory("fuzz");

	if (ipset_write_to(set, sink, &opts, NULL) == ST_OK) {
		struct ipset *again = NULL;
		struct bytesource *src;
		const uint8_t *written;
		size_t len;

		written = bytesink_bytes(sink, &len);
		src = bytesource_memory(written, len, "fuzz");
		if (ipset_read_from(&again, src, NULL, NULL) != ST_OK || !ipset_equal(set, again)) {
			abort();
		}
		ipset_free(again);
		bytesource_close(src);
	}
	bytesink_close(sink, NULL);
}

static void check_times(const uint8_t *bytes, size_t size)
{
	const struct ipset_write_opts opts = { 0 };
	struct bytesource *src = bytesource_memory(bytes, size, "fuzz");
	struct sightings *seen = NULL;

	if (sightings_read_from(&seen, src, NULL, NULL) == ST_OK) {
		struct bytesink *sink = bytesink_memory("fuzz");

		if (sightings_write_to(seen, sink, &opts, NULL) != ST_OK) {
			abort();
		}
		bytesink_close(sink, NULL);
	}
	sightings_free(seen);
	bytesource_close(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bytesource *src = bytesource_memory(bytes, size, "fuzz");
	struct ipset *set = NULL;
	struct err err;

	if (ipset_read_growing_from(&set, src, NULL, &err) == ST_OK) {
		ipset_finish(set);
	}
	if (set && is_small(set)) {
		for (uint16_t version = 0; version <= 5; version++) {
			check_version(set, version);
		}
		ipset_shrink(set);
		check_version(set, 4);
	}
	ipset_free(set);
	bytesource_close(src);
	check_times(bytes, size);
	return 0;
}

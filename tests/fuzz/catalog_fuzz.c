/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A catalog file, read from a folder of its own. So that not every change ends at a checksum, those
 * of header, entries and ranges are made right first when the lengths agree.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/catalogform.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void repair(uint8_t *file, size_t size)
{
	struct catalog_layout layout = { .count = get32(file + CATALOG_AT_COUNT),
					 .names_len = get32(file + CATALOG_AT_NAMES_LEN),
					 .union_len = get32(file + CATALOG_AT_UNION_LEN),
					 .filters_len = get64(file + CATALOG_AT_FILTERS_LEN) };

	if (layout.count > CATALOG_COUNT_MAX || layout.filters_len > CATALOG_FILTERS_MAX) {
		return;
	}
	catalog_lay_out(&layout);
	if (layout.end != size) {
		return;
	}
	put64(file + CATALOG_AT_HEAD_SUM,
	      catalog_checksum(file + CATALOG_HEADER_BYTES,
			       (size_t)layout.ranges - CATALOG_HEADER_BYTES));
	put64(file + CATALOG_AT_RANGES_SUM,
	      catalog_checksum(file + layout.ranges, (size_t)layout.count * CATALOG_RANGES_BYTES));
	put64(file + CATALOG_AT_HEADER_SUM, catalog_checksum(file, CATALOG_AT_HEADER_SUM));
}

static void read_all(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct catalog_entry *entry = catalog_at(catalog, i);
		struct summary summary;

		catalog_find(catalog, entry->path);
		if (catalog_summary(catalog, entry, true, &summary, NULL) == ST_OK &&
		    summary.filter_size > 0) {
			bloom_may_hold(summary.filter, summary.filter_size, i);
		}
	}
	for (uint64_t hash = 1; hash != 0; hash <<= 1) {
		catalog_may_hold(catalog, &hash, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *root = g_dir_make_tmp("tussah-fuzz-XXXXXX", NULL);
	uint8_t *file = g_memdup2(bytes, size);
	struct catalog *catalog = NULL;
	int64_t day_ns = 0;
	char *paths[5] = { 0 };

	if (!root) {
		abort();
	}
	if (size >= CATALOG_HEADER_BYTES) {
		repair(file, size);
		day_ns = catalog_day_ns((int64_t)get64(file + CATALOG_AT_DAY));
	}
	paths[0] = catalog_path(root, day_ns);
	for (int i = 1; i < 5; i++) {
		paths[i] = g_path_get_dirname(paths[i - 1]);
	}
	if (g_mkdir_with_parents(paths[1], 0700) != 0 ||
	    !g_file_set_contents(paths[0], (const char *)file, (gssize)size, NULL)) {
		abort();
	}
	if (catalog_open(&catalog, root, day_ns, NULL) == ST_OK) {
		read_all(catalog);
	}
	catalog_close(catalog);
	for (int i = 0; i < 5; i++) {
		g_remove(paths[i]);
		g_free(paths[i]);
	}
	g_free(file);
	g_free(root);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a catalog file, for those who read (catalog.c) and write (catalogwrite.c) it:
 * places and limits of storage/FORMAT.md section 8.
 */
#ifndef TUSSAH_STORAGE_CATALOGFORM_H
#define TUSSAH_STORAGE_CATALOGFORM_H

#include <xxhash.h>

#include "storage/bloom.h"
#include "storage/byteorder.h"
#include "storage/catalog.h"

#define CATALOG_MAGIC       "\x89TUSCAT\n"
#define CATALOG_MAGIC_BYTES 8
#define CATALOG_VERSION     1

#define CATALOG_HEADER_BYTES 64u
#define CATALOG_ENTRY_BYTES  128u
#define CATALOG_PAGE_BYTES   4096u /* of the filter of the day, with a checksum each */
#define CATALOG_COUNT_MAX    (1u << 18)
#define CATALOG_PATH_MAX     4095u
#define CATALOG_NAMES_MAX    (64u << 20)
#define CATALOG_UNION_MAX    (64u << 20)
#define CATALOG_FILTERS_MAX  (UINT64_C(1) << 40)

enum catalog_header_offset {
	CATALOG_AT_VERSION = 8,
	CATALOG_AT_COUNT = 12,
	CATALOG_AT_DAY = 16,
	CATALOG_AT_NAMES_LEN = 24,
	CATALOG_AT_UNION_LEN = 28,
	CATALOG_AT_FILTERS_LEN = 32,
	CATALOG_AT_HEAD_SUM = 40,
	CATALOG_AT_RANGES_SUM = 48,
	CATALOG_AT_HEADER_SUM = 56,
};

enum catalog_entry_offset {
	ENTRY_AT_INODE = 0,
	ENTRY_AT_SIZE = 8,
	ENTRY_AT_CHANGED = 16,
	ENTRY_AT_MODIFIED = 24,
	ENTRY_AT_PATH_HASH = 32,
	ENTRY_AT_PATH = 40,
	ENTRY_AT_PATH_LEN = 44,
	ENTRY_AT_KIND = 46,
	ENTRY_AT_RECORDS = 48,
	ENTRY_AT_FIRST_START = 56,
	ENTRY_AT_LAST_START = 64,
	ENTRY_AT_LAST_END = 72,
	ENTRY_AT_PACKETS = 80,
	ENTRY_AT_BYTES = 88,
	ENTRY_AT_RANGED = 96,
	ENTRY_AT_SUMMED = 100,
	ENTRY_AT_FILTER = 104,
	ENTRY_AT_FILTER_LEN = 112,
	ENTRY_AT_FILTER_SUM = 120,
};

/* Ranges of one entry: minimum and maximum of every column, wide or narrow as the column is. */
#define CATALOG_RANGES_BYTES (3 * 32u + (COLUMN_COUNT - 3) * 16u)

#define CATALOG_LE(bits)                                                                           \
	static inline uint##bits##_t get##bits(const uint8_t *at)                                  \
	{                                                                                          \
		return load##bits(at, HOST_BIG_ENDIAN);                                            \
	}                                                                                          \
	static inline void put##bits(uint8_t *at, uint##bits##_t value)                            \
	{                                                                                          \
		store##bits(at, value, HOST_BIG_ENDIAN);                                           \
	}
CATALOG_LE(16)
CATALOG_LE(32)
CATALOG_LE(64)
#undef CATALOG_LE

static inline uint64_t catalog_checksum(const void *bytes, size_t len)
{
	return XXH64(bytes, len, 0);
}

static inline bool catalog_column_is_wide(unsigned column)
{
	return column == COLUMN_SIP || column == COLUMN_DIP || column == COLUMN_NHIP;
}

/* Where things are in the file, from the numbers of its header. */
struct catalog_layout {
	uint32_t count;
	uint32_t names_len;
	uint32_t union_len;
	uint64_t filters_len;
	/* offsets in the file */
	uint64_t names;
	uint64_t page_sums;
	uint64_t ranges; /* the head ends here */
	uint64_t day_filter;
	uint64_t filters;
	uint64_t end;
};

static inline void catalog_lay_out(struct catalog_layout *layout)
{
	uint64_t pages =
		((uint64_t)layout->union_len + CATALOG_PAGE_BYTES - 1) / CATALOG_PAGE_BYTES;

	layout->names = CATALOG_HEADER_BYTES + (uint64_t)layout->count * CATALOG_ENTRY_BYTES;
	layout->page_sums = layout->names + layout->names_len;
	layout->ranges = layout->page_sums + pages * sizeof(uint64_t);
	layout->day_filter = layout->ranges + (uint64_t)layout->count * CATALOG_RANGES_BYTES;
	layout->filters = layout->day_filter + layout->union_len;
	layout->end = layout->filters + layout->filters_len;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One block of a block file: its prelude and its directory (storage/FORMAT.md 2.2, 2.3). Blocks are
 * made by storage/flowblockbuild.h; storage/blockfile.h reads them and hands out directories.
 *
 *	struct flowblock block;
 *	flowblock_parse_prelude(bytes, &prelude, err);
 *	flowblock_parse(directory, len, prelude.count, prelude.body_len, sensor, flowtype, &block, err);
 *	flowblock_release(&block);
 */
#ifndef TUSSAH_STORAGE_FLOWBLOCK_H
#define TUSSAH_STORAGE_FLOWBLOCK_H

#include <glib.h>

#include "common/err.h"
#include "storage/chunk.h"
#include "storage/column.h"
#include "storage/summary.h"

#define FLOWBLOCK_ROWS_MAX      65536u
#define FLOWBLOCK_PRELUDE_BYTES 24u
#define FLOWBLOCK_HEADER_MAX    (16u << 20)
#define FLOWBLOCK_BODY_MAX      (1u << 30)
#define FLOWBLOCK_COLUMNS_MAX   4096u

/* Compression of chunks; the first two as in SiLK files. */
enum chunk_compression {
	CHUNK_PLAIN = 0,
	CHUNK_LZO1X = 2,
	CHUNK_ZSTD = 4,
};

struct flowblock_column {
	struct column_key key;
	uint8_t type; /* enum column_type */
	uint8_t compression;
	uint8_t flags;       /* enum flowblock_column_flags */
	uint32_t offset;     /* of the chunk in the body */
	uint32_t stored_len; /* bytes in the body */
	uint32_t plain_len;
	uint64_t checksum;
	union {
		struct {
			uint64_t min;
			uint64_t max;
		};
		struct {
			struct ip min_ip;
			struct ip max_ip;
		};
	};
	uint64_t sum;
};

enum flowblock_column_flags {
	FLOWBLOCK_RANGED = 1 << 0, /* min and max are known */
	FLOWBLOCK_SUMMED = 1 << 1,
	FLOWBLOCK_ABSENT = 1 << 2, /* some rows have no value */
};

struct flowblock_prelude {
	uint32_t magic; /* enum flowblock_magic */
	uint32_t header_len;
	uint32_t body_len;
	uint32_t count;
};

enum flowblock_magic { /* as little-endian numbers */
		       FLOWBLOCK_MAGIC = 0x4b4c4254,
		       FLOWBLOCK_FOOTER_MAGIC = 0x52544654,
};

/* ST_OK, or ST_EFORMAT: not a prelude, or damaged. */
int flowblock_parse_prelude(const uint8_t bytes[FLOWBLOCK_PRELUDE_BYTES],
			    struct flowblock_prelude *out, struct err *err);
void flowblock_put_prelude(uint8_t bytes[FLOWBLOCK_PRELUDE_BYTES],
			   const struct flowblock_prelude *prelude);

/* A parsed directory. */
struct flowblock {
	uint32_t rows;
	bool sorted; /* rows ascend by start time */
	uint32_t filter_len;
	uint64_t filter_checksum;
	struct summary summary; /* filter not set */
	size_t column_count;
	struct flowblock_column *columns; /* ascending by key */
	/* Place in columns of each core column, or -1: not listed. */
	int16_t core[COLUMN_COUNT];
};

/*
 * Parse the directory bytes of a block of rows records whose body has body_len bytes. A core column
 * that is not listed has the default: sensor and flowtype come from the file.
 * *out returned: flowblock_release(). ST_OK, ST_EFORMAT, ST_EVERSION (something not known).
 */
int flowblock_parse(const uint8_t *directory, size_t len, uint32_t rows, uint32_t body_len,
		    uint16_t sensor, uint8_t flowtype, struct flowblock *out, struct err *err);
void flowblock_release(struct flowblock *block);
/* Append the directory: rows, filter, columns, and of the summary the times are looked at. */
void flowblock_put_directory(const struct flowblock *block, GByteArray *out);

/* ---- what a block is made of ---- */

struct flowblock_value {
	struct column_key key;
	uint8_t type;
	union {
		uint64_t number; /* as held, see column_form() */
		struct ip ip;
		struct encode_bytes bytes;
	};
};

/* A record and its values, with distinct keys. */
struct flowblock_row {
	struct record rec;
	const struct flowblock_value *values; /* borrowed */
	uint32_t value_count;
	/* Rows that are added together and have the same one have values of the same keys and types,
	 * in the same order. 0: nothing is known. */
	uint32_t shape;
};
#endif

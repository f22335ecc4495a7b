/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One block of a block file: its directory, and the making of one (storage/FORMAT.md 2.2, 2.3).
 *
 * Making:
 *	struct flowblock_builder *builder = flowblock_builder_new(&opts);
 *	flowblock_add(builder, &rec);				// until flowblock_rows() is enough
 *	flowblock_build(builder, &bytes, &len, err);		// the whole block, ready to write
 * Reading: see storage/blockfile.h, which hands out directories.
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

/* ---- making ---- */

struct flowblock_opts {
	uint8_t compression; /* enum chunk_compression, where it helps */
	bool no_filter;
	/* Blocks that are sealed soon: made fast rather than small, not compressed, no filter, of
	 * fewer rows. */
	bool quick;
	uint16_t sensor; /* of the file: the default of these columns */
	uint8_t flowtype;
};

struct flowblock_builder;

struct flowblock_builder *flowblock_builder_new(const struct flowblock_opts *opts);
void flowblock_builder_free(struct flowblock_builder *builder);
uint32_t flowblock_rows(const struct flowblock_builder *builder);
/* No more records may be added before flowblock_build(): there are FLOWBLOCK_ROWS_MAX, or their
 * extension values take so much room that the block had better end. */
bool flowblock_is_full(const struct flowblock_builder *builder);
/* Add one record to a builder that is not full. */
void flowblock_add(struct flowblock_builder *builder, const struct record *rec);

struct flowblock_value {
	struct column_key key;
	uint8_t type;
	union {
		uint64_t number; /* as held, see column_form() */
		struct ip ip;
		struct encode_bytes bytes;
	};
};
/*
 * Give the record added last a value of an extension column; value is copied. The first value
 * decides the type of the column. ST_OK; ST_EINVAL: another type later in the block, a second value
 * of the record, or a column of struct record; ST_ELIMIT: too many columns.
 */
int flowblock_set(struct flowblock_builder *builder, const struct flowblock_value *value,
		  struct err *err);

/* A record and its values, with distinct keys. */
struct flowblock_row {
	struct record rec;
	const struct flowblock_value *values; /* borrowed */
	size_t value_count;
};
/* Records that may be added before it is full, unless their values take much room. */
uint32_t flowblock_room(const struct flowblock_builder *builder);
/* Add as many, at least one; what costs something for each is done for all together. Returns how
 * many values flowblock_set() would have refused. */
size_t flowblock_add_rows(struct flowblock_builder *builder, struct flowblock_row *const *rows,
			  size_t count);

/*
 * Encode everything added, which is at least one row, behind what out has; on failure out is as it
 * was. The builder is empty then. ST_OK, ST_ELIMIT (more than a body may hold), ST_EIO (a
 * compression library failed).
 */
int flowblock_append(struct flowblock_builder *builder, GByteArray *out, struct err *err);

/*
 * The same; *bytes (header and body, in one piece) are borrowed until the next call.
 */
int flowblock_build(struct flowblock_builder *builder, const uint8_t **bytes, size_t *len,
		    struct err *err);
/* Distinct addresses of the block built last, for the filter of a file: their hashes. Borrowed. */
const uint64_t *flowblock_address_hashes(const struct flowblock_builder *builder, size_t *count);

#endif

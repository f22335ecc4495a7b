/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a block file (storage/FORMAT.md sections 2 and 6).
 *
 *	struct blockfile *file;
 *	blockfile_open(&file, fd, path, err);
 *	for (size_t i = 0; i < blockfile_count(file); i++) {
 *		const struct flowblock *block = blockfile_block(file, i);
 *		... prune by block->summary ...
 *		blockfile_chunk(file, i, COLUMN_BYTES, chunk, scratch, err);
 *		chunk_read_u64(chunk, ...);
 *	}
 *	blockfile_close(file);
 *
 * The directories are parsed when the file is opened; chunks are read when asked for, each with one
 * pread(). Damage that costs a whole block is told by blockfile_damage(), the other blocks are
 * there. Threads: after blockfile_open() any number may read, each with scratch space of its own.
 */
#ifndef TUSSAH_STORAGE_BLOCKFILE_H
#define TUSSAH_STORAGE_BLOCKFILE_H

#include <sys/stat.h>

#include "common/batch.h"

#include "storage/flowblock.h"

#define BLOCKFILE_MAGIC_BYTES 8
extern const uint8_t blockfile_magic[BLOCKFILE_MAGIC_BYTES];
#define BLOCKFILE_VERSION 1u

struct blockfile;

/*
 * fd is taken, also on failure; path is copied, for messages. ST_OK, ST_EFORMAT (not a block file,
 * or its header is damaged), ST_EVERSION, ST_EIO, ST_ELIMIT.
 */
int blockfile_open(struct blockfile **out, int fd, const char *path, struct err *err);
void blockfile_close(struct blockfile *file);

struct blockfile_header {
	int64_t hour_ns; /* INT64_MIN: none */
	uint16_t sensor;
	uint8_t flowtype;
	uint64_t footer_offset; /* 0: not sealed */
	uint32_t footer_len;
	size_t property_count;
	struct blockfile_property {
		uint16_t type; /* enum blockfile_property_type */
		char *text;
	} * properties;
};
enum blockfile_property_type {
	BLOCKFILE_ANNOTATION = 1,
	BLOCKFILE_INVOCATION = 2,
	BLOCKFILE_PROBE_NAME = 3,
};

const struct blockfile_header *blockfile_header(const struct blockfile *file);
/* The file as it was when opened. */
const struct stat *blockfile_stat(const struct blockfile *file);

/* Blocks that can be read, in the order of the file. */
size_t blockfile_count(const struct blockfile *file);
const struct flowblock *blockfile_block(const struct blockfile *file, size_t i);
/* The number of block i in the file, damaged ones counted, for messages; and its offset. */
size_t blockfile_number(const struct blockfile *file, size_t i);
uint64_t blockfile_offset(const struct blockfile *file, size_t i);

/* Of all blocks, with the file's address filter when it has one that covers all of them. */
const struct summary *blockfile_summary(const struct blockfile *file);
/* Are all blocks listed in an intact footer? */
bool blockfile_is_sealed(const struct blockfile *file);
/* Bytes of a torn tail; 0: none. */
uint64_t blockfile_torn(const struct blockfile *file);
/* What was found damaged when opening: one line each, NULL behind the last. */
const char *blockfile_damage(const struct blockfile *file, size_t i);

/* Bytes read so far by this scratch space, and the buffers of one thread. */
struct blockfile_scratch;
struct blockfile_scratch *blockfile_scratch_new(void);
void blockfile_scratch_free(struct blockfile_scratch *scratch);
uint64_t blockfile_scratch_bytes(const struct blockfile_scratch *scratch);

/*
 * Read, check, decompress and open the chunk of a core column of block i. A column that the block
 * does not list gives ST_END: every row has the default (flowblock.h). Damage is ST_EFORMAT and
 * names file, block and column. The scratch buffer of a column is good until the next call for the
 * same column with the same scratch.
 */
int blockfile_chunk(const struct blockfile *file, size_t i, enum column column, struct chunk *chunk,
		    struct blockfile_scratch *scratch, struct err *err);
/* The same for column n of the directory, whatever it is (extension columns). */
int blockfile_chunk_at(const struct blockfile *file, size_t i, size_t n, struct chunk *chunk,
		       struct blockfile_scratch *scratch, struct err *err);
/* The address filter of block i, checked; *filter NULL when it has none. Borrowed as above. */
int blockfile_filter(const struct blockfile *file, size_t i, const uint8_t **filter, size_t *size,
		     struct blockfile_scratch *scratch, struct err *err);

/*
 * Fill batch with up to BATCH_ROWS rows of block i from row on (a multiple of FRAME_ROWS), the
 * wanted columns only, all rows selected. chunks is the caller's, one per column of RECORD_COLUMNS,
 * opened as needed (struct blockfile_cursor keeps that).
 */
struct blockfile_cursor;
struct blockfile_cursor *blockfile_cursor_new(void);
void blockfile_cursor_free(struct blockfile_cursor *cursor);
/* Stand at block i of file (kept); opens no chunk yet. */
void blockfile_cursor_set(struct blockfile_cursor *cursor, const struct blockfile *file, size_t i);
/*
 * Put the columns of rows row.. into batch->columns in addition to what the batch holds; the first
 * call for a frame is told by blockfile_cursor_frame(), which also sets batch->rows and selects
 * all.
 */
uint32_t blockfile_cursor_frame(struct blockfile_cursor *cursor, uint32_t row, struct batch *batch);
int blockfile_cursor_load(struct blockfile_cursor *cursor, struct batch *batch, uint32_t columns,
			  struct err *err);
/*
 * The extension columns that batch wants, of the frame it has; where the block has no such column
 * no row has a value. blockfile_cursor_open_extensions() only makes sure that the chunks of the
 * block are there and whole.
 */
int blockfile_cursor_open_extensions(struct blockfile_cursor *cursor, struct batch *batch,
				     struct err *err);
int blockfile_cursor_load_extensions(struct blockfile_cursor *cursor, struct batch *batch,
				     struct err *err);
/* The opened chunk of a column at the cursor's block (ST_END: default everywhere). */
int blockfile_cursor_chunk(struct blockfile_cursor *cursor, enum column column,
			   struct chunk **chunk, struct err *err);
uint64_t blockfile_cursor_bytes(const struct blockfile_cursor *cursor); /* read so far */

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockfileparts.h"

#include "storage/compress.h"

#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* Bodies up to this many bytes are read whole when a cursor needs several of their columns. */
#define WHOLE_BODY_MAX (16u << 10)

static void blocks_release(gpointer pointer)
{
	flowblock_release(&((struct file_block *)pointer)->block);
}

int blockfile_open(struct blockfile **out, int fd, const char *path, struct err *err)
{
	struct blockfile *file = g_new0(struct blockfile, 1);
	int rc = ST_OK;

	file->fd = fd;
	file->path = g_strdup(path);
	file->blocks = g_array_new(FALSE, FALSE, sizeof(struct file_block));
	g_array_set_clear_func(file->blocks, blocks_release);
	file->damage = g_ptr_array_new_with_free_func(g_free);
	summary_init(&file->summary);
	if (fstat(fd, &file->stat) != 0) {
		rc = err_errno(err, ST_EIO, errno, "stat");
	}
	file->size = (uint64_t)file->stat.st_size;
	if (rc == ST_OK) {
		rc = blockfile_find_blocks(file, err);
	}
	if (rc != ST_OK) {
		if (err != NULL) {
			err_prefix(err, "%s", path);
		}
		blockfile_close(file);
		return rc;
	}
	*out = file;
	return ST_OK;
}

void blockfile_close(struct blockfile *file)
{
	if (file == NULL) {
		return;
	}
	close(file->fd);
	blockheader_release(&file->header);
	g_array_unref(file->blocks);
	g_ptr_array_unref(file->damage);
	g_free(file->filter);
	g_free(file->path);
	g_free(file);
}

const struct blockfile_header *blockfile_header(const struct blockfile *file)
{
	return &file->header;
}

const struct stat *blockfile_stat(const struct blockfile *file)
{
	return &file->stat;
}

size_t blockfile_count(const struct blockfile *file)
{
	return file->blocks->len;
}

const struct flowblock *blockfile_block(const struct blockfile *file, size_t i)
{
	return &blockfile_at(file, i)->block;
}

size_t blockfile_number(const struct blockfile *file, size_t i)
{
	return blockfile_at(file, i)->number;
}

uint64_t blockfile_offset(const struct blockfile *file, size_t i)
{
	return blockfile_at(file, i)->offset;
}

const struct summary *blockfile_summary(const struct blockfile *file)
{
	return &file->summary;
}

bool blockfile_is_sealed(const struct blockfile *file)
{
	return file->sealed;
}

uint64_t blockfile_torn(const struct blockfile *file)
{
	return file->torn;
}

const char *blockfile_damage(const struct blockfile *file, size_t i)
{
	return i < file->damage->len ? g_ptr_array_index(file->damage, i) : NULL;
}

/* ---- chunks ---- */

/* Bytes that grow and are used again. */
struct buffer {
	uint8_t *bytes;
	size_t capacity;
};

/* Slots of a scratch space: one for each core column, then these, then extension columns. */
enum slot {
	SLOT_FILTER = COLUMN_COUNT,
	SLOT_STORED, /* compressed bytes */
	SLOT_BODY,
	SLOT_EXTENSIONS,
};

struct blockfile_scratch {
	struct buffer *slots;
	size_t slot_count;
	uint64_t bytes;
	const struct blockfile *whole_file; /* whose body of block whole_block is in SLOT_BODY */
	size_t whole_block;
};

struct blockfile_scratch *blockfile_scratch_new(void)
{
	return g_new0(struct blockfile_scratch, 1);
}

void blockfile_scratch_free(struct blockfile_scratch *scratch)
{
	if (scratch == NULL) {
		return;
	}
	for (size_t i = 0; i < scratch->slot_count; i++) {
		g_free(scratch->slots[i].bytes);
	}
	g_free(scratch->slots);
	g_free(scratch);
}

uint64_t blockfile_scratch_bytes(const struct blockfile_scratch *scratch)
{
	return scratch->bytes;
}

/* Room for len bytes and what chunks need behind them. */
static uint8_t *get_slot(struct blockfile_scratch *scratch, size_t slot, size_t len)
{
	struct buffer *buffer;

	if (slot >= scratch->slot_count) {
		scratch->slots = g_renew(struct buffer, scratch->slots, slot + 1);
		memset(scratch->slots + scratch->slot_count, 0,
		       (slot + 1 - scratch->slot_count) * sizeof(*scratch->slots));
		scratch->slot_count = slot + 1;
	}
	buffer = &scratch->slots[slot];
	if (len + CHUNK_PADDING > buffer->capacity) {
		g_free(buffer->bytes);
		buffer->capacity = len + len / 4 + CHUNK_PADDING;
		buffer->bytes = g_malloc0(buffer->capacity);
	}
	return buffer->bytes;
}

int blockfile_prefix(const struct blockfile *file, size_t i, const struct column_key *key,
		     struct err *err)
{
	char name[COLUMN_NAME_MAX];

	return err_prefix(err, "%s: block %zu: column %s", file->path, blockfile_number(file, i),
			  column_name(key, name));
}

/* Bytes of the body of block i. ST_ETRUNC: the file became shorter. */
static int read_body(const struct blockfile *file, size_t i, uint32_t offset, size_t len,
		     struct blockfile_scratch *scratch, uint8_t *to, struct err *err)
{
	const struct file_block *at = blockfile_at(file, i);
	size_t got = 0;
	int rc = blockfile_read_at(file->fd, at->offset + at->header_len + offset, to, len, &got,
				   err);

	scratch->bytes += got;
	if (rc == ST_OK && got < len) {
		rc = err_set(err, ST_EFORMAT, "the file became shorter");
	}
	return rc;
}

void blockfile_scratch_begin(struct blockfile_scratch *scratch, const struct blockfile *file,
			     size_t i)
{
	const struct file_block *at = blockfile_at(file, i);
	uint8_t *body;

	scratch->whole_file = NULL;
	if (at->body_len > WHOLE_BODY_MAX) {
		return;
	}
	body = get_slot(scratch, SLOT_BODY, at->body_len);
	if (read_body(file, i, 0, at->body_len, scratch, body, NULL) == ST_OK) {
		scratch->whole_file = file;
		scratch->whole_block = i;
	}
}

/* The stored bytes of a column or filter, checked; slot: where to read them. */
static int get_stored(const struct blockfile *file, size_t i, uint32_t offset, size_t len,
		      uint64_t checksum, size_t slot, struct blockfile_scratch *scratch,
		      const uint8_t **out, struct err *err)
{
	int rc = ST_OK;

	if (scratch->whole_file == file && scratch->whole_block == i) {
		*out = scratch->slots[SLOT_BODY].bytes + offset;
	} else {
		uint8_t *to = get_slot(scratch, slot, len);

		*out = to;
		rc = read_body(file, i, offset, len, scratch, to, err);
	}
	if (rc == ST_OK && XXH64(*out, len, 0) != checksum) {
		rc = err_set(err, ST_EFORMAT, "checksum differs");
	}
	return rc;
}

static int open_chunk(const struct blockfile *file, size_t i, const struct flowblock_column *column,
		      size_t slot, struct chunk *chunk, struct blockfile_scratch *scratch,
		      struct err *err)
{
	bool plain = column->compression == CHUNK_PLAIN;
	const uint8_t *bytes = NULL;
	int rc = get_stored(file, i, column->offset, column->stored_len, column->checksum,
			    plain ? slot : SLOT_STORED, scratch, &bytes, err);

	if (rc == ST_OK && !plain) {
		uint8_t *to = get_slot(scratch, slot, column->plain_len);

		rc = decompress_block(column->compression, bytes, column->stored_len, to,
				      column->plain_len, err);
		bytes = to;
	}
	if (rc == ST_OK) {
		rc = chunk_open(chunk, column->type, bytes, column->plain_len,
				blockfile_block(file, i)->rows, column->flags & FLOWBLOCK_ABSENT,
				err);
	}
	if (rc != ST_OK && err != NULL) {
		blockfile_prefix(file, i, &column->key, err);
	}
	return rc;
}

int blockfile_chunk(const struct blockfile *file, size_t i, enum column column, struct chunk *chunk,
		    struct blockfile_scratch *scratch, struct err *err)
{
	const struct flowblock *block = blockfile_block(file, i);

	if (block->core[column] < 0) {
		return ST_END;
	}
	return open_chunk(file, i, &block->columns[block->core[column]], column, chunk, scratch,
			  err);
}

int blockfile_chunk_at(const struct blockfile *file, size_t i, size_t n, struct chunk *chunk,
		       struct blockfile_scratch *scratch, struct err *err)
{
	return open_chunk(file, i, &blockfile_block(file, i)->columns[n], SLOT_EXTENSIONS + n,
			  chunk, scratch, err);
}

int blockfile_filter(const struct blockfile *file, size_t i, const uint8_t **filter, size_t *size,
		     struct blockfile_scratch *scratch, struct err *err)
{
	const struct flowblock *block = blockfile_block(file, i);
	int rc;

	*filter = NULL;
	*size = block->filter_len;
	if (block->filter_len == 0) {
		return ST_OK;
	}
	rc = get_stored(file, i, 0, block->filter_len, block->filter_checksum, SLOT_FILTER, scratch,
			filter, err);
	if (rc != ST_OK) {
		*filter = NULL;
		if (err != NULL) {
			err_prefix(err, "%s: block %zu: address filter", file->path,
				   blockfile_number(file, i));
		}
	}
	return rc;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block file, with checksums put right as far as they can be, so that what they protect is
 * reached: prelude, directory, footer and chunks. All rows of all columns are read, and a writer
 * recovers a copy, which can be opened then.
 */
#include "storage/blockfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "storage/blockrecover.h"
#include "storage/byteorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define SWAP HOST_BIG_ENDIAN

static void put_checksum(uint8_t *at, size_t len)
{
	store64(at + len, XXH64(at, len, 0), SWAP);
}

/* Of header, preludes and directories; where a section ends the next one begins. */
static void mend(uint8_t *bytes, size_t size)
{
	size_t at;

	if (size < 64) {
		return;
	}
	at = load32(bytes + 12, SWAP);
	if (at >= 64 && at <= size) {
		put_checksum(bytes, at - 8);
	}
	while (at < size && size - at >= FLOWBLOCK_PRELUDE_BYTES) {
		size_t header_len = load32(bytes + at + 4, SWAP);
		size_t body_len = load32(bytes + at + 8, SWAP);

		put_checksum(bytes + at, 16);
		if (header_len < 33 || header_len > size - at) {
			return;
		}
		put_checksum(bytes + at, header_len - 8);
		at += header_len + body_len;
	}
}

static int memory_file(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		abort();
	}
	return fd;
}

/* Rows of core columns; how many can be read. */
static uint64_t read_rows(const struct blockfile *file)
{
	struct blockfile_cursor *cursor = blockfile_cursor_new();
	struct batch *batch = batch_new();
	uint64_t rows = 0;
	struct err err;

	for (size_t i = 0; i < blockfile_count(file); i++) {
		uint32_t row = 0;

		blockfile_cursor_set(cursor, file, i);
		while (blockfile_cursor_frame(cursor, row, batch) > 0 &&
		       blockfile_cursor_load(cursor, batch, COLUMNS_ALL, &err) == ST_OK) {
			rows += batch->rows;
			row += FRAME_ROWS;
		}
	}
	batch_free(batch);
	blockfile_cursor_free(cursor);
	return rows;
}

static void read_column(struct chunk *chunk, uint8_t type, uint32_t rows)
{
	static uint64_t numbers[FRAME_ROWS];
	static struct ip addresses[FRAME_ROWS];
	static struct encode_bytes strings[FRAME_ROWS];
	static uint8_t presence[FRAME_ROWS];

	for (uint32_t row = 0; row < rows; row += FRAME_ROWS) {
		uint32_t count = rows - row < FRAME_ROWS ? rows - row : FRAME_ROWS;

		chunk_read_presence(chunk, row, count, presence, NULL);
		switch (column_form(type)) {
		case COLUMN_FORM_NUMBER:
			chunk_read_u64(chunk, row, count, numbers, NULL);
			break;
		case COLUMN_FORM_ADDRESS:
			chunk_read_ip(chunk, row, count, addresses, NULL);
			break;
		case COLUMN_FORM_BYTES:
			chunk_read_strings(chunk, row, count, strings, NULL);
			break;
		}
	}
}

/* Every column and filter by itself. */
static void read_columns(const struct blockfile *file)
{
	struct blockfile_scratch *scratch = blockfile_scratch_new();
	struct chunk *chunk = chunk_new();

	for (size_t i = 0; i < blockfile_count(file); i++) {
		const struct flowblock *block = blockfile_block(file, i);
		const uint8_t *filter;
		size_t size;

		blockfile_filter(file, i, &filter, &size, scratch, NULL);
		for (size_t n = 0; n < block->column_count; n++) {
			if (blockfile_chunk_at(file, i, n, chunk, scratch, NULL) == ST_OK) {
				read_column(chunk, block->columns[n].type, block->rows);
			}
		}
	}
	chunk_free(chunk);
	blockfile_scratch_free(scratch);
}

static void read_file(const uint8_t *bytes, size_t size)
{
	struct blockfile *file = NULL;

	if (blockfile_open(&file, memory_file(bytes, size), "fuzz", NULL) == ST_OK) {
		if (read_rows(file) > blockfile_summary(file)->records) {
			abort();
		}
		read_columns(file);
		blockfile_close(file);
	}
}

/* What is left can be opened. */
static void recover(const uint8_t *bytes, size_t size)
{
	struct blockrecover_result result;
	struct blockfile *file = NULL;
	int fd = memory_file(bytes, size);

	if (blockrecover(fd, "fuzz", &result, NULL) != ST_OK || result.end == 0) {
		close(fd);
		return;
	}
	if (result.end + result.cut != size || blockfile_open(&file, fd, "fuzz", NULL) != ST_OK) {
		abort();
	}
	blockfile_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *mended;

	if (size == 0) {
		return 0;
	}
	read_file(bytes, size);
	mended = g_memdup2(bytes, size);
	mend(mended, size);
	read_file(mended, size);
	recover(mended, size);
	g_free(mended);
	return 0;
}

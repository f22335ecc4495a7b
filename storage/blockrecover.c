/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockrecover.h"

#include "storage/blockfileparts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#define PIECE_BYTES (256u << 10)

static uint64_t end_of(const struct file_block *block)
{
	return block->offset + block->header_len + block->body_len;
}

static int check_bytes(int fd, uint64_t offset, size_t len, uint64_t checksum, bool *intact,
		       struct err *err)
{
	uint8_t *bytes = g_malloc(len + 1);
	size_t got = 0;
	int rc = blockfile_read_at(fd, offset, bytes, len, &got, err);

	*intact = rc == ST_OK && got == len && XXH64(bytes, len, 0) == checksum;
	g_free(bytes);
	return rc;
}

/* Are filter and chunks as their checksums say? The directory is. */
static int check_body(int fd, const struct file_block *at, bool *intact, struct err *err)
{
	const struct flowblock *block = &at->block;
	uint64_t body = at->offset + at->header_len;
	int rc = ST_OK;

	*intact = true;
	if (block->filter_len > 0) {
		rc = check_bytes(fd, body, block->filter_len, block->filter_checksum, intact, err);
	}
	for (size_t i = 0; rc == ST_OK && *intact && i < block->column_count; i++) {
		const struct flowblock_column *column = &block->columns[i];

		rc = check_bytes(fd, body + column->offset, column->stored_len, column->checksum,
				 intact, err);
	}
	return rc;
}

/* Are all bytes from begin to end zero? So a file system leaves what it had not written yet. */
static int check_zeros(int fd, uint64_t begin, uint64_t end, bool *zeros, struct err *err)
{
	uint8_t *bytes = g_malloc(PIECE_BYTES);
	int rc = ST_OK;

	*zeros = true;
	while (rc == ST_OK && *zeros && begin < end) {
		size_t got = 0;

		rc = blockfile_read_at(fd, begin, bytes, (size_t)MIN(end - begin, PIECE_BYTES),
				       &got, err);
		for (size_t i = 0; i < got; i++) {
			*zeros &= bytes[i] == 0;
		}
		*zeros &= got > 0;
		begin += got;
	}
	g_free(bytes);
	return rc;
}

/* Where the file is to end: behind the last section that is whole. */
static int find_end(const struct blockfile *file, uint64_t *end, struct err *err)
{
	size_t left = file->blocks->len;
	bool good = false;
	int rc = ST_OK;

	*end = file->size - file->torn;
	if (*end > file->end) {
		bool zeros = false;

		rc = check_zeros(file->fd, file->end, *end, &zeros, err);
		if (rc != ST_OK || !zeros) {
			return rc;
		}
		*end = file->end;
	}
	if (file->lost != 0 && *end == file->end) {
		*end = file->lost;
	}
	while (rc == ST_OK && !good && left > 0) {
		const struct file_block *at = blockfile_at(file, --left);

		if (end_of(at) != *end || at->offset < file->listed_end) {
			break;
		}
		rc = check_body(file->fd, at, &good, err);
		*end = good ? *end : at->offset;
	}
	return rc;
}

static int cut(int fd, const char *path, uint64_t end, struct blockrecover_result *out,
	       struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return err_errno(err, err_status(errno), errno, "%s", path);
	}
	out->end = end;
	out->cut = (uint64_t)st.st_size - end;
	if (out->cut > 0 && ftruncate(fd, (off_t)end) != 0) {
		return err_errno(err, err_status(errno), errno, "%s: cannot cut its torn end",
				 path);
	}
	return ST_OK;
}

int blockrecover(int fd, const char *path, struct blockrecover_result *out, struct err *err)
{
	struct blockfile *file = NULL;
	uint64_t end = 0;
	struct err reason;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int rc;

	*out = (struct blockrecover_result){ 0 };
	if (copy < 0) {
		return err_errno(err, err_status(errno), errno, "%s", path);
	}
	rc = blockfile_open(&file, copy, path, &reason);
	/* The header of a new file that was not written whole. */
	if (rc == ST_ETRUNC) {
		return cut(fd, path, 0, out, err);
	}
	if (rc != ST_OK) {
		return err_set(err, rc, "%s", reason.text);
	}
	out->sensor = file->header.sensor;
	out->flowtype = file->header.flowtype;
	rc = find_end(file, &end, err);
	blockfile_close(file);
	if (rc != ST_OK) {
		return err == NULL ? rc : err_prefix(err, "%s", path);
	}
	return cut(fd, path, end, out, err);
}

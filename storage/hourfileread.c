/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hourfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/byteorder.h"
#include "storage/newfile.h"

#define PIECE_BYTES (256u << 10)

struct hourfile_reader {
	struct stream *stream; /* or the rest */
	struct blockfile *blocks;
	struct blockfile_cursor *cursor;
	struct hourfile_blocks part; /* all of the file */
	struct header entries;       /* of the block file */
	size_t damage;               /* lines told */
};

/* ---- opening ---- */

/* Everything that src has left goes into a file that has no name. */
static int spool(struct bytesource *src, int *fd, struct err *err)
{
	uint64_t size = 0;
	int rc = newfile_nameless(P_tmpdir, fd, err);

	while (rc == ST_OK) {
		const uint8_t *bytes = NULL;
		size_t len = 0;

		rc = bytesource_view(src, PIECE_BYTES, &bytes, &len, err);
		if (rc == ST_OK && len == 0) {
			return ST_OK;
		}
		if (rc == ST_OK) {
			rc = newfile_write(*fd, size, bytes, len, err);
			size += len;
			bytesource_consume(src, len);
		}
	}
	if (*fd >= 0) {
		close(*fd);
	}
	return rc;
}

/* fd is taken. */
static int open_blocks(struct hourfile_reader *reader, int fd, const char *path, struct err *err)
{
	int rc = blockfile_open(&reader->blocks, fd, path, err);

	if (rc == ST_OK) {
		reader->cursor = blockfile_cursor_new();
		reader->part.file = reader->blocks;
		reader->part.end = blockfile_count(reader->blocks);
		hourfile_block_entries(reader->blocks, &reader->entries);
	}
	return rc;
}

bool hourfile_is_blocks(int fd)
{
	uint8_t magic[BLOCKFILE_MAGIC_BYTES];

	return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, blockfile_magic, sizeof(magic)) == 0;
}

/* Can the file below be read at any place, and was nothing of it read yet? */
static bool is_at_start(const struct bytesource *src)
{
	int fd = bytesource_fd(src);

	return fd >= 0 && lseek(fd, 0, SEEK_CUR) == 0;
}

bool hourfile_source_is_blocks(struct bytesource *src)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;

	if (is_at_start(src)) {
		return hourfile_is_blocks(bytesource_fd(src));
	}
	return bytesource_view(src, BLOCKFILE_MAGIC_BYTES, &bytes, &len, NULL) == ST_OK &&
	       len >= BLOCKFILE_MAGIC_BYTES &&
	       memcmp(bytes, blockfile_magic, BLOCKFILE_MAGIC_BYTES) == 0;
}

/* Block files are read in place where that can be. src is taken. */
static int open_block_source(struct hourfile_reader *reader, struct bytesource *src,
			     struct err *err)
{
	int rc = ST_OK;
	int fd = -1;

	if (!is_at_start(src)) {
		rc = spool(src, &fd, err);
	} else {
		fd = fcntl(bytesource_fd(src), F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			rc = err_errno(err, ST_EIO, errno, "%s", bytesource_name(src));
		}
	}
	if (rc == ST_OK) {
		rc = open_blocks(reader, fd, bytesource_name(src), err);
	}
	bytesource_close(src);
	return rc;
}

int hourfile_open_source(struct hourfile_reader **out, struct bytesource *src,
			 const struct stream_read_opts *opts, struct err *err)
{
	struct hourfile_reader *reader = g_new0(struct hourfile_reader, 1);
	int rc;

	header_init(&reader->entries);
	rc = hourfile_source_is_blocks(src) ? open_block_source(reader, src, err)
					    : stream_open_source(&reader->stream, src, opts, err);
	if (rc != ST_OK) {
		hourfile_close(reader);
		return rc;
	}
	*out = reader;
	return ST_OK;
}

int hourfile_open(struct hourfile_reader **out, const char *path,
		  const struct stream_read_opts *opts, struct err *err)
{
	struct bytesource *src = NULL;
	int rc = bytesource_open_binary(&src, path, err);

	return rc == ST_OK ? hourfile_open_source(out, src, opts, err) : rc;
}

void hourfile_close(struct hourfile_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	stream_close(reader->stream, NULL);
	blockfile_cursor_free(reader->cursor);
	blockfile_close(reader->blocks);
	header_release(&reader->entries);
	g_free(reader);
}

/* ---- what it is ---- */

void hourfile_block_entries(const struct blockfile *blocks, struct header *out)
{
	static const uint32_t ids[] = {
		[BLOCKFILE_ANNOTATION] = ENTRY_ANNOTATION,
		[BLOCKFILE_INVOCATION] = ENTRY_INVOCATION,
		[BLOCKFILE_PROBE_NAME] = ENTRY_PROBE_NAME,
	};
	const struct blockfile_header *header = blockfile_header(blocks);

	out->big_endian = HOST_BIG_ENDIAN;
	if (header->hour_ns != INT64_MIN) {
		header_add_packed_file(out, header->hour_ns, header->flowtype, header->sensor);
	}
	for (size_t i = 0; i < header->property_count; i++) {
		header_add_text(out, ids[header->properties[i].type], header->properties[i].text);
	}
}

const struct header *hourfile_header(const struct hourfile_reader *reader)
{
	return reader->stream != NULL ? stream_header(reader->stream) : &reader->entries;
}

const struct blockfile *hourfile_blocks(const struct hourfile_reader *reader)
{
	return reader->blocks;
}

/* ---- reading ---- */

/* Damage costs the rest of the block. */
static int fail_block(struct hourfile_blocks *part, struct batch *batch, int rc)
{
	batch_clear(batch, 0);
	part->block++;
	part->row = 0;
	return rc;
}

int hourfile_read_blocks(struct hourfile_blocks *part, struct blockfile_cursor *cursor,
			 struct batch *batch, uint32_t columns, struct err *err)
{
	batch_clear(batch, columns);
	while (part->block < part->end) {
		int rc;

		if (part->row == 0) {
			blockfile_cursor_set(cursor, part->file, part->block);
		}
		if (blockfile_cursor_frame(cursor, part->row, batch) == 0) {
			part->block++;
			part->row = 0;
			continue;
		}
		rc = blockfile_cursor_load(cursor, batch, columns, err);
		if (rc == ST_OK) {
			rc = blockfile_cursor_load_extensions(cursor, batch, err);
		}
		part->row += FRAME_ROWS;
		return rc == ST_OK ? ST_OK : fail_block(part, batch, rc);
	}
	return ST_END;
}

static int read_blocks(struct hourfile_reader *reader, struct batch *batch, uint32_t columns,
		       struct err *err)
{
	const char *damage = blockfile_damage(reader->blocks, reader->damage);

	if (damage != NULL) {
		batch_clear(batch, columns);
		reader->damage++;
		return err_set(err, ST_EFORMAT, "%s", damage);
	}
	return hourfile_read_blocks(&reader->part, reader->cursor, batch, columns, err);
}

int hourfile_read_batch(struct hourfile_reader *reader, struct batch *batch, uint32_t columns,
			struct err *err)
{
	if (reader->stream != NULL) {
		return stream_read_batch(reader->stream, batch, columns, err);
	}
	return read_blocks(reader, batch, columns, err);
}

bool hourfile_goes_on(const struct hourfile_reader *reader)
{
	return reader->blocks != NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockwriter.h"

#include "storage/blockheader.h"
#include "storage/blockrecover.h"
#include "storage/flowblockbuild.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#include <errno.h>
#include <unistd.h>

struct blockwriter {
	char *path;
	int fd;
	uint64_t end; /* of the file */
	struct flowblock_builder *builder;
	uint64_t records;
	bool failed; /* nothing more is written */
};

static int write_header(int fd, const struct blockfile_header *header, uint64_t *end,
			struct err *err)
{
	GByteArray *bytes = g_byte_array_new();
	struct blockfile_header unsealed = *header;
	int rc;

	unsealed.footer_len = 0;
	unsealed.footer_offset = 0;
	rc = blockheader_put(&unsealed, bytes, err);
	if (rc == ST_OK) {
		rc = newfile_write(fd, 0, bytes->data, bytes->len, err);
	}
	*end = bytes->len;
	g_byte_array_unref(bytes);
	return rc;
}

/* A new file appears with its header, so that readers never meet a part of one. That another made
 * it meanwhile is fine. */
static int make_file(const char *path, const struct blockfile_header *header, struct err *err)
{
	char *temp = NULL;
	uint64_t end;
	int fd = -1;
	int rc = newfile_open(path, &temp, &fd, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = write_header(fd, header, &end, err);
	if (rc == ST_OK && link(temp, path) != 0 && errno != EEXIST) {
		rc = err_errno(err, err_status(errno), errno, "%s", path);
	}
	unlink(temp);
	close(fd);
	g_free(temp);
	return rc;
}

/* Open and lock the file, making it if need be. */
static int open_file(const char *path, const struct blockwriter_opts *opts, int *fd,
		     struct err *err)
{
	unsigned flags = (opts->no_locking ? LOCKEDFILE_NO_LOCK : 0) |
			 (opts->no_wait ? LOCKEDFILE_NO_WAIT : 0);
	int rc = lockedfile_open(path, flags, fd, err);

	while (rc == ST_ENOENT) {
		rc = make_file(path, &opts->header, err);
		if (rc == ST_OK) {
			rc = lockedfile_open(path, flags, fd, err);
		} else if (rc == ST_ENOENT) {
			return ST_EIO; /* the folder is not there */
		}
	}
	return rc;
}

int blockwriter_open_file(const char *path, const struct blockwriter_opts *opts, int *fd,
			  struct blockrecover_result *found, struct err *err)
{
	int rc = open_file(path, opts, fd, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = blockrecover(*fd, path, found, err);
	if (rc == ST_OK && found->end == 0) {
		rc = write_header(*fd, &opts->header, &found->end, err);
		found->sensor = opts->header.sensor;
		found->flowtype = opts->header.flowtype;
	}
	if (rc != ST_OK) {
		close(*fd);
	}
	return rc;
}

int blockwriter_append(struct blockwriter **out, const char *path,
		       const struct blockwriter_opts *opts, uint64_t *cut_bytes, struct err *err)
{
	struct blockrecover_result found = { 0 };
	struct flowblock_opts block_opts;
	struct blockwriter *writer;
	int fd = -1;
	int rc = blockwriter_open_file(path, opts, &fd, &found, err);

	if (rc != ST_OK) {
		return rc;
	}
	block_opts = (struct flowblock_opts){ .compression = opts->compression,
					      .quick = opts->quick,
					      .sensor = found.sensor,
					      .flowtype = found.flowtype };
	if (cut_bytes != NULL) {
		*cut_bytes = found.cut;
	}
	writer = g_new0(struct blockwriter, 1);
	writer->path = g_strdup(path);
	writer->fd = fd;
	writer->end = found.end;
	writer->builder = flowblock_builder_new(&block_opts);
	*out = writer;
	return ST_OK;
}

static int fail(struct blockwriter *writer, int rc, struct err *err)
{
	writer->failed = true;
	return err == NULL ? rc : err_prefix(err, "%s", writer->path);
}

static int check_failed(const struct blockwriter *writer, struct err *err)
{
	return writer->failed ? err_set(err, ST_EIO, "%s: a write failed before", writer->path)
			      : ST_OK;
}

/* What is buffered, as one block, by one write. A part that was written when it failed is taken
 * back; should that fail too, it is a torn tail. */
static int write_block(struct blockwriter *writer, struct err *err)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int rc;

	if (flowblock_rows(writer->builder) == 0) {
		return ST_OK;
	}
	rc = flowblock_build(writer->builder, &bytes, &len, err);
	if (rc != ST_OK) {
		return fail(writer, rc, err);
	}
	rc = newfile_write(writer->fd, writer->end, bytes, len, err);
	if (rc != ST_OK) {
		if (ftruncate(writer->fd, (off_t)writer->end) != 0 && err != NULL) {
			err_prefix(err, "a torn block stays");
		}
		return fail(writer, rc, err);
	}
	writer->end += len;
	return ST_OK;
}

int blockwriter_write(struct blockwriter *writer, const struct record *rec, struct err *err)
{
	int rc = check_failed(writer, err);

	if (rc == ST_OK && flowblock_is_full(writer->builder)) {
		rc = write_block(writer, err);
	}
	if (rc == ST_OK) {
		flowblock_add(writer->builder, rec);
		writer->records++;
	}
	return rc;
}

int blockwriter_set(struct blockwriter *writer, const struct flowblock_value *value,
		    struct err *err)
{
	int rc = check_failed(writer, err);

	return rc == ST_OK ? flowblock_set(writer->builder, value, err) : rc;
}

int blockwriter_flush(struct blockwriter *writer, bool sync, struct err *err)
{
	int rc = check_failed(writer, err);

	if (rc == ST_OK) {
		rc = write_block(writer, err);
	}
	if (rc == ST_OK && sync && fdatasync(writer->fd) != 0 && errno != EINVAL &&
	    errno != EROFS) {
		writer->failed = true;
		rc = err_errno(err, err_status(errno), errno, "%s", writer->path);
	}
	return rc;
}

uint64_t blockwriter_records(const struct blockwriter *writer)
{
	return writer->records;
}

int blockwriter_close(struct blockwriter *writer, struct err *err)
{
	int rc = ST_OK;

	if (writer == NULL) {
		return ST_OK;
	}
	if (!writer->failed) {
		rc = write_block(writer, err);
	}
	if (close(writer->fd) != 0 && errno != EINTR && rc == ST_OK) {
		rc = err_errno(err, err_status(errno), errno, "%s", writer->path);
	}
	writer->fd = -1;
	blockwriter_discard(writer);
	return rc;
}

void blockwriter_discard(struct blockwriter *writer)
{
	if (writer == NULL) {
		return;
	}
	if (writer->fd >= 0) {
		close(writer->fd);
	}
	flowblock_builder_free(writer->builder);
	g_free(writer->path);
	g_free(writer);
}

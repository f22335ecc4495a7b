/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hourappend.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blockheader.h"
#include "storage/blockwriter.h"
#include "storage/bulkwrite.h"
#include "storage/flowblockbuild.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"
#include "storage/parts.h"

struct hourappend {
	char *path;
	struct hourfile_key key;
	struct hourfile_write_opts opts;

	/* Blocks: */
	struct flowblock_builder *builder; /* NULL: a SiLK file */
	struct parts blocks;
	GArray *ends; /* of them, in all parts; uint64_t */
	/* or a SiLK stream into memory: */
	struct stream *stream;
	struct bytesink *memory;
	struct iovec part;  /* all of the memory */
	GByteArray *header; /* of a new file */
	uint64_t staged;    /* records that the memory holds all of */

	/* While it is locked: */
	int fd;
	uint64_t end;
	unsigned new_folders;
	bool is_new; /* until the names are durable */
	uint64_t cut_bytes;

	struct hourappend_left left; /* needs no recovery when it still is so */
};

/* ---- the form of the file ---- */

static void start_blocks(struct hourappend *append)
{
	const struct flowblock_opts opts = {
		.compression = hourfile_chunk_method(append->opts.compression),
		.quick = append->opts.quick,
		.sensor = append->key.sensor,
		.flowtype = append->key.flowtype,
	};

	append->builder = flowblock_builder_new(&opts);
	parts_init(&append->blocks, append->opts.pool);
	append->ends = g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

/* A stream whose records are those of the file that has the header found (NULL: a new one). */
static int start_silk(struct hourappend *append, const struct header *found, struct err *err)
{
	struct stream_write_opts opts = {
		.format = append->opts.format != 0 ? append->opts.format : FORMAT_RWIPV6,
		.record_version = append->opts.record_version,
		.compression = append->opts.compression,
		.byte_order = append->opts.byte_order,
		.no_silk_version = append->opts.no_silk_version,
	};
	struct header entries;
	const uint8_t *bytes;
	size_t len;
	int st;

	if (found) {
		opts.format = found->format;
		opts.record_version = (uint16_t)found->record_version;
		opts.compression = found->compression;
		opts.byte_order = found->big_endian ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE;
	}
	header_init(&entries);
	if (!append->opts.no_hour) {
		header_add_packed_file(&entries, append->key.hour_ns, append->key.flowtype,
				       append->key.sensor);
	}
	if (append->opts.entries) {
		header_add_entries(&entries, append->opts.entries);
	}
	opts.entries = &entries;
	append->memory = bytesink_memory(append->path);
	st = stream_create_sink(&append->stream, append->memory, &opts, err);
	header_release(&entries);
	if (st == ST_OK) {
		st = stream_flush(append->stream, err);
	}
	if (st == ST_OK) {
		bytes = bytesink_bytes(append->memory, &len);
		append->header = g_byte_array_new();
		g_byte_array_append(append->header, bytes, (guint)len);
		bytesink_clear(append->memory);
	}
	return st;
}

/* fd is borrowed. */
static int read_silk_header(const struct hourappend *append, int fd, struct stream **out,
			    struct err *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0 || lseek(fd, 0, SEEK_SET) != 0) {
		if (copy >= 0) {
			close(copy);
		}
		return err_errno(err, err_status(errno), errno, "%s", append->path);
	}
	return stream_open_fd(out, copy, append->path, NULL, err);
}

static int start_like(struct hourappend *append, int fd, struct err *err)
{
	struct stream *found = NULL;
	int st;

	if (hourfile_is_blocks(fd)) {
		start_blocks(append);
		return ST_OK;
	}
	st = read_silk_header(append, fd, &found, err);
	if (st == ST_OK) {
		st = start_silk(append, stream_header(found), err);
		stream_close(found, NULL);
	}
	return st;
}

int hourappend_new(struct hourappend **out, const char *path, const struct hourfile_key *key,
		   const struct hourfile_write_opts *opts, bool *existed, struct err *err)
{
	struct hourappend *append = g_new0(struct hourappend, 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat = { 0 };
	int st = ST_OK;

	append->path = g_strdup(path);
	append->key = *key;
	append->opts = *opts;
	append->fd = -1;
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		st = err_errno(err, err_status(errno), errno, "%s", path);
	} else if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > 0) {
		st = start_like(append, fd, err);
	} else if (opts->kind == HOURFILE_BLOCKS) {
		start_blocks(append);
	} else {
		st = start_silk(append, NULL, err);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (st != ST_OK) {
		hourappend_free(append);
		return st;
	}
	if (existed) {
		*existed = stat.st_size > 0;
	}
	*out = append;
	return ST_OK;
}

void hourappend_free(struct hourappend *append)
{
	if (!append) {
		return;
	}
	if (append->fd >= 0) {
		close(append->fd);
	}
	flowblock_builder_free(append->builder);
	parts_release(&append->blocks);
	if (append->ends) {
		g_array_free(append->ends, TRUE);
	}
	stream_close(append->stream, NULL);
	if (append->header) {
		g_byte_array_unref(append->header);
	}
	g_free(append->path);
	g_free(append);
}

/* ---- records ---- */

static int encode_block(struct hourappend *append, struct err *err)
{
	uint64_t end;
	int st;

	if (flowblock_rows(append->builder) == 0) {
		return ST_OK;
	}
	st = flowblock_append(append->builder, parts_tail(&append->blocks), err);
	if (st == ST_OK) {
		end = parts_len(&append->blocks);
		g_array_append_val(append->ends, end);
	}
	return st == ST_OK || !err ? st : err_prefix(err, "%s", append->path);
}

int hourappend_write(struct hourappend *append, const struct record *rec, struct err *err)
{
	int st = ST_OK;

	if (!append->builder) {
		return stream_write(append->stream, rec, err);
	}
	if (flowblock_is_full(append->builder)) {
		st = encode_block(append, err);
	}
	if (st == ST_OK) {
		flowblock_add(append->builder, rec);
	}
	return st;
}

bool hourappend_takes_rows(const struct hourappend *append)
{
	return append->builder != NULL;
}

int hourappend_write_rows(struct hourappend *append, struct flowblock_row *const *rows,
			  size_t count, uint64_t *lost, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && count > 0) {
		size_t some = MIN(flowblock_room(append->builder), count);

		if (some == 0) {
			st = encode_block(append, err);
			continue;
		}
		*lost += flowblock_add_rows(append->builder, rows, some);
		rows += some;
		count -= some;
	}
	return st;
}

int hourappend_set(struct hourappend *append, const struct flowblock_value *value, struct err *err)
{
	return append->builder ? flowblock_set(append->builder, value, err) : ST_OK;
}

int hourappend_stage(struct hourappend *append, struct err *err)
{
	int st = append->builder ? encode_block(append, err) : stream_flush(append->stream, err);

	if (st == ST_OK && append->stream) {
		append->staged = stream_records(append->stream);
	}
	return st;
}

size_t hourappend_bytes(const struct hourappend *append)
{
	size_t len;

	if (append->builder) {
		return parts_len(&append->blocks);
	}
	bytesink_bytes(append->memory, &len);
	return len;
}

/* Where they are. */
static const struct iovec *encoded(struct hourappend *append, size_t *count)
{
	const uint8_t *bytes;
	size_t len;

	if (append->builder) {
		return parts_vectors(&append->blocks, count);
	}
	bytes = bytesink_bytes(append->memory, &len);
	append->part = (struct iovec){ (void *)bytes, len };
	*count = 1;
	return &append->part;
}

bool hourappend_is_empty(const struct hourappend *append)
{
	bool buffered = append->builder ? flowblock_rows(append->builder) > 0
					: stream_records(append->stream) > append->staged;

	return !buffered && hourappend_bytes(append) == 0;
}

/* ---- the file ---- */

static int changed(const struct hourappend *append, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: the file is of another form than it was",
		       append->path);
}

static int open_blocks(struct hourappend *append, struct err *err)
{
	const struct blockwriter_opts opts = {
		.no_locking = append->opts.no_locking,
		.no_wait = true,
		.header = { .hour_ns = append->key.hour_ns,
			    .sensor = append->key.sensor,
			    .flowtype = append->key.flowtype },
	};
	struct blockrecover_result found = { 0 };
	int st = blockwriter_open_file(append->path, &opts, &append->fd, &found, err);

	if (st != ST_OK) {
		append->fd = -1;
		return st;
	}
	append->end = found.end;
	append->cut_bytes = found.cut;
	return found.sensor == append->key.sensor && found.flowtype == append->key.flowtype
		       ? ST_OK
		       : changed(append, err);
}

/* Does what was encoded go with the records that the file has? */
static int check_silk(const struct hourappend *append, struct err *err)
{
	const struct header *ours = stream_header(append->stream);
	struct stream *found = NULL;
	const struct header *its;
	int st = read_silk_header(append, append->fd, &found, err);

	if (st != ST_OK) {
		return st;
	}
	its = stream_header(found);
	if (its->format != ours->format || its->record_version != ours->record_version ||
	    its->compression != ours->compression || its->big_endian != ours->big_endian) {
		st = changed(append, err);
	}
	stream_close(found, NULL);
	return st;
}

static int open_silk(struct hourappend *append, struct err *err)
{
	struct stat stat;
	int st = lockedfile_open(append->path,
				 LOCKEDFILE_CREATE | LOCKEDFILE_NO_WAIT |
					 (append->opts.no_locking ? LOCKEDFILE_NO_LOCK : 0),
				 &append->fd, err);

	if (st != ST_OK) {
		append->fd = -1;
		return st;
	}
	if (fstat(append->fd, &stat) != 0) {
		return err_errno(err, err_status(errno), errno, "%s", append->path);
	}
	append->end = (uint64_t)stat.st_size;
	append->cut_bytes = 0;
	if (stat.st_size > 0) {
		return check_silk(append, err);
	}
	st = newfile_write(append->fd, 0, append->header->data, append->header->len, err);
	append->end = append->header->len;
	if (st != ST_OK && ftruncate(append->fd, 0) != 0) {
		return err == NULL ? st : err_prefix(err, "part of a header stays in a new file");
	}
	return st == ST_OK || !err ? st : err_prefix(err, "%s", append->path);
}

/* The file as it was left by us: ST_ENOENT when another has been at it. */
static int open_known(struct hourappend *append, struct err *err)
{
	struct stat stat;
	int st = lockedfile_open(append->path,
				 LOCKEDFILE_NO_WAIT |
					 (append->opts.no_locking ? LOCKEDFILE_NO_LOCK : 0),
				 &append->fd, err);

	if (st != ST_OK) {
		append->fd = -1;
		return st;
	}
	if (fstat(append->fd, &stat) != 0 || stat.st_dev != append->left.device ||
	    stat.st_ino != append->left.inode || stat.st_size != append->left.size) {
		close(append->fd);
		append->fd = -1;
		return ST_ENOENT;
	}
	append->end = (uint64_t)stat.st_size;
	append->cut_bytes = 0;
	return ST_OK;
}

int hourappend_lock(struct hourappend *append, struct err *err)
{
	struct stat stat_now;
	int st = append->left.size > 0 ? open_known(append, err) : ST_ENOENT;

	if (st != ST_ENOENT) {
		return st;
	}
	if (stat(append->path, &stat_now) != 0 && !append->is_new) {
		append->new_folders = hourfile_missing_folders(append->path);
		append->is_new = true;
	}
	st = hourfile_make_folders(append->path, err);
	if (st == ST_OK) {
		st = append->builder ? open_blocks(append, err) : open_silk(append, err);
	}
	if (st != ST_OK && append->fd >= 0) {
		close(append->fd);
		append->fd = -1;
	}
	return st;
}

uint64_t hourappend_cut_bytes(const struct hourappend *append)
{
	return append->cut_bytes;
}

void hourappend_get_claim(struct hourappend *append, struct appendlog_claim *out)
{
	*out = (struct appendlog_claim){
		.path = append->path,
		.offset = append->end,
		.len = hourappend_bytes(append),
	};
	out->parts = encoded(append, &out->part_count);
	if (append->ends) {
		out->pieces = (const uint64_t *)(void *)append->ends->data;
		out->piece_count = append->ends->len;
	}
}

int hourappend_put(struct hourappend *append, struct err *err)
{
	size_t count;
	const struct iovec *parts = encoded(append, &count);
	int st = bulkwrite(append->fd, append->end, parts, count, append->opts.pool, err);

	return st == ST_OK || !err ? st : err_prefix(err, "%s", append->path);
}

int hourappend_sync(struct hourappend *append, struct err *err)
{
	int st = ST_OK;

	if (fdatasync(append->fd) != 0 && errno != EINVAL && errno != EROFS) {
		st = err_errno(err, err_status(errno), errno, "sync %s", append->path);
	}
	if (st == ST_OK && append->is_new) {
		st = hourfile_sync_folders(append->path, append->new_folders, err);
		append->is_new = st != ST_OK;
	}
	return st;
}

static void unlock(struct hourappend *append)
{
	struct stat stat;

	if (append->fd >= 0) {
		append->left = (struct hourappend_left){ .size = 0 };
		if (fstat(append->fd, &stat) == 0) {
			append->left =
				(struct hourappend_left){ stat.st_dev, stat.st_ino, stat.st_size };
		}
		close(append->fd);
		append->fd = -1;
	}
}

struct hourappend_left hourappend_left(const struct hourappend *append)
{
	return append->left;
}

void hourappend_set_left(struct hourappend *append, const struct hourappend_left *left)
{
	append->left = *left;
}

void hourappend_keep(struct hourappend *append)
{
	if (append->builder) {
		parts_clear(&append->blocks);
		g_array_set_size(append->ends, 0);
	} else {
		bytesink_clear(append->memory);
	}
	unlock(append);
}

int hourappend_take_back(struct hourappend *append, struct err *err)
{
	int st = ST_OK;

	if (append->fd >= 0 && ftruncate(append->fd, (off_t)append->end) != 0) {
		st = err_errno(err, err_status(errno), errno, "%s: cannot take back a write",
			       append->path);
	}
	unlock(append);
	return st;
}

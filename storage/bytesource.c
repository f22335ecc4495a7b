/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bytesource.h"

#include "storage/compress.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10)

struct bytesource {
	char *name;
	int fd;               /* -1: gzip or memory */
	struct gzip *gzip;    /* or NULL */
	const uint8_t *bytes; /* the buffer, or the caller's memory */
	uint8_t *buffer;
	size_t capacity;
	size_t pos; /* consumed of bytes */
	size_t len; /* valid in bytes */
	uint64_t offset;
	bool ended;
	struct err failure; /* status ST_OK: none yet */
};

static struct bytesource *source_alloc(const char *name)
{
	struct bytesource *src = g_new0(struct bytesource, 1);

	src->name = g_strdup(name);
	src->fd = -1;
	return src;
}

struct bytesource *bytesource_open_fd(int fd, const char *name)
{
	struct bytesource *src = source_alloc(name);

	src->fd = fd;
	return src;
}

struct bytesource *bytesource_memory(const void *bytes, size_t len, const char *name)
{
	struct bytesource *src = source_alloc(name);

	src->bytes = bytes;
	src->len = len;
	src->ended = true;
	return src;
}

static bool is_gzip_name(const char *path)
{
	const char *found = strstr(path, ".gz");

	return found != NULL && (found[3] == '\0' || found[3] == '.');
}

bool bytesource_is_stdin(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0;
}

bool bytesource_is_file(const char *path)
{
	return !bytesource_is_stdin(path) && g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static int open_path(struct bytesource **out, const char *path, bool gzip, struct err *err)
{
	int fd;

	if (bytesource_is_stdin(path)) {
		/* A copy is taken: standard input itself stays open for whoever comes later. */
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			return err_errno(err, ST_EIO, errno, "standard input");
		}
		*out = bytesource_open_fd(fd, "stdin");
		return ST_OK;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s", path);
	}
	*out = bytesource_open_fd(fd, path);
	if (gzip) {
		int rc = gzip_open(&(*out)->gzip, fd, false, err);

		(*out)->fd = -1;
		if (rc != ST_OK) {
			bytesource_close(*out);
			return err == NULL ? rc : err_prefix(err, "%s", path);
		}
	}
	return ST_OK;
}

int bytesource_open(struct bytesource **out, const char *path, struct err *err)
{
	return open_path(out, path, is_gzip_name(path), err);
}

int bytesource_open_binary(struct bytesource **out, const char *path, struct err *err)
{
	int rc = bytesource_open(out, path, err);

	if (rc == ST_OK && isatty(bytesource_fd(*out))) {
		rc = err_set(err, ST_EIO, "%s: will not read binary input from a terminal",
			     bytesource_name(*out));
		bytesource_close(*out);
		*out = NULL;
	}
	return rc;
}

int bytesource_open_gzip(struct bytesource **out, const char *path, struct err *err)
{
	return open_path(out, path, true, err);
}

void bytesource_close(struct bytesource *src)
{
	if (src == NULL) {
		return;
	}
	if (src->gzip != NULL) {
		gzip_close(src->gzip, NULL);
	}
	if (src->fd >= 0) {
		close(src->fd);
	}
	g_free(src->buffer);
	g_free(src->name);
	g_free(src);
}

int bytesource_fd(const struct bytesource *src)
{
	return src->fd;
}

const char *bytesource_name(const struct bytesource *src)
{
	return src->name;
}

uint64_t bytesource_offset(const struct bytesource *src)
{
	return src->offset;
}

/* Read once into the free end of the buffer. */
static void read_some(struct bytesource *src)
{
	uint8_t *to = src->buffer + src->len;
	size_t room = src->capacity - src->len;
	ssize_t n;

	if (src->gzip != NULL) {
		size_t got = 0;

		gzip_read(src->gzip, to, room, &got, &src->failure);
		src->len += got;
		src->ended = got == 0;
		return;
	}
	do {
		n = read(src->fd, to, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		err_errno(&src->failure, ST_EIO, errno, "read at byte %" G_GUINT64_FORMAT,
			  src->offset + (src->len - src->pos));
		return;
	}
	src->len += (size_t)n;
	src->ended = n == 0;
}

/* Room for want bytes after pos, the unconsumed ones moved to the front. */
static void make_room(struct bytesource *src, size_t want)
{
	if (src->pos > 0) {
		memmove(src->buffer, src->buffer + src->pos, src->len - src->pos);
		src->len -= src->pos;
		src->pos = 0;
	}
	if (src->capacity < want) {
		src->capacity = MAX(want, BUFFER_BYTES);
		src->buffer = g_realloc(src->buffer, src->capacity);
	}
	src->bytes = src->buffer;
}

int bytesource_view(struct bytesource *src, size_t want, const uint8_t **bytes, size_t *len,
		    struct err *err)
{
	assert(want <= BYTESOURCE_VIEW_MAX);
	if (src->len - src->pos < want && !src->ended && src->failure.status == ST_OK) {
		make_room(src, want);
		while (src->len < want && !src->ended && src->failure.status == ST_OK) {
			read_some(src);
		}
	}
	*bytes = src->bytes == NULL ? NULL : src->bytes + src->pos;
	*len = src->len - src->pos;
	if (*len < want && src->failure.status != ST_OK) {
		return err_set(err, src->failure.status, "%s: %s", src->name, src->failure.text);
	}
	return ST_OK;
}

void bytesource_consume(struct bytesource *src, size_t len)
{
	assert(len <= src->len - src->pos);
	src->pos += len;
	src->offset += len;
}

/* Seek over as much of len as there is; 0 where one cannot. Nothing may be buffered. */
static uint64_t seek_over(struct bytesource *src, uint64_t len)
{
	struct stat st;
	off_t at;

	if (src->fd < 0 || fstat(src->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		return 0;
	}
	at = lseek(src->fd, 0, SEEK_CUR);
	if (at < 0 || at >= st.st_size) {
		return 0;
	}
	len = MIN(len, (uint64_t)(st.st_size - at));
	return lseek(src->fd, (off_t)len, SEEK_CUR) < 0 ? 0 : len;
}

int bytesource_skip(struct bytesource *src, uint64_t len, uint64_t *skipped, struct err *err)
{
	*skipped = 0;
	while (*skipped < len) {
		uint64_t left = len - *skipped;
		uint64_t step = MIN(left, src->len - src->pos);

		if (step > 0) {
			bytesource_consume(src, (size_t)step);
		} else if ((step = seek_over(src, left)) > 0) {
			src->offset += step;
		} else {
			const uint8_t *bytes;
			size_t have;
			int rc = bytesource_view(src, 1, &bytes, &have, err);

			if (rc != ST_OK || have == 0) {
				return rc;
			}
		}
		*skipped += step;
	}
	return ST_OK;
}

int bytesource_read(struct bytesource *src, void *to, size_t len, struct err *err)
{
	uint8_t *out = to;

	while (len > 0) {
		const uint8_t *bytes;
		size_t have;
		int rc = bytesource_view(src, 1, &bytes, &have, err);

		if (rc != ST_OK) {
			return rc;
		}
		if (have == 0) {
			return err_set(err, ST_ETRUNC,
				       "%s: unexpected end of data at byte %" G_GUINT64_FORMAT,
				       src->name, src->offset);
		}
		have = MIN(have, len);
		memcpy(out, bytes, have);
		bytesource_consume(src, have);
		out += have;
		len -= have;
	}
	return ST_OK;
}

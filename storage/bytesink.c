/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bytesink.h"

#include "storage/compress.h"
#include "storage/lockedfile.h"
#include "storage/namedfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytesink {
	char *name;
	int fd;                 /* -1: gzip or memory */
	struct gzip *gzip;      /* or NULL */
	GByteArray *memory;     /* or NULL */
	bool seekable;          /* what is below gzip, if there is one */
	struct namedfile *file; /* opened by its name to be written from the beginning, or NULL */
	bool failed;            /* a write, so that it is not to take the place of another */
};

static struct bytesink *sink_alloc(const char *name)
{
	struct bytesink *sink = g_new0(struct bytesink, 1);

	sink->name = g_strdup(name);
	sink->fd = -1;
	return sink;
}

struct bytesink *bytesink_open_fd(int fd, const char *name)
{
	struct bytesink *sink = sink_alloc(name);

	sink->fd = fd;
	sink->seekable = lseek(fd, 0, SEEK_CUR) >= 0;
	return sink;
}

struct bytesink *bytesink_memory(const char *name)
{
	struct bytesink *sink = sink_alloc(name);

	sink->memory = g_byte_array_new();
	sink->seekable = true;
	return sink;
}

const uint8_t *bytesink_bytes(const struct bytesink *sink, size_t *len)
{
	assert(sink->memory != NULL);
	*len = sink->memory->len;
	return sink->memory->data;
}

void bytesink_clear(struct bytesink *sink)
{
	assert(sink->memory != NULL);
	g_byte_array_set_size(sink->memory, 0);
}

static bool is_gzip_name(const char *path)
{
	const char *found = strstr(path, ".gz");

	return found != NULL && found[3] == '\0';
}

/* Standard output or error. */
static int create_standard(struct bytesink **out, int standard_fd, const char *name,
			   struct err *err)
{
	int fd;

	if (isatty(standard_fd)) {
		return err_set(err, ST_EINVAL, "%s: will not write binary output to a terminal",
			       name);
	}
	/* A copy is taken: the tool's skeleton closes standard output and checks that. */
	fd = fcntl(standard_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", name);
	}
	*out = bytesink_open_fd(fd, name);
	return ST_OK;
}

static int open_append(const char *path, unsigned flags, struct err *err)
{
	unsigned lock = flags & BYTESINK_LOCK ? 0 : LOCKEDFILE_NO_LOCK;
	int fd = -1;
	int rc = lockedfile_open(path, LOCKEDFILE_CREATE | lock, &fd, err);

	return rc == ST_OK ? fd : rc;
}

bool bytesink_clobbers(const char *value)
{
	return value && *value && *value != '0';
}

static int open_named(struct bytesink *sink, unsigned flags, struct err *err)
{
	unsigned how = (flags & BYTESINK_OVERWRITE ? NAMEDFILE_OVERWRITE : 0) |
		       (flags & BYTESINK_WHOLE ? NAMEDFILE_WHOLE : 0);
	int fd = -1;
	int rc = namedfile_open(&sink->file, sink->name, how, &fd, err);

	if (rc == ST_OK && isatty(fd)) {
		close(fd);
		rc = err_set(err, ST_EINVAL, "%s: will not write binary output to a terminal",
			     sink->name);
	}
	return rc == ST_OK ? fd : rc;
}

int bytesink_create(struct bytesink **out, const char *path, unsigned flags, struct err *err)
{
	bool append = flags & BYTESINK_APPEND;
	struct bytesink *sink;
	int rc = ST_OK;
	int fd;

	if (strcmp(path, "-") == 0 || strcmp(path, "stdout") == 0) {
		return create_standard(out, STDOUT_FILENO, "stdout", err);
	}
	if (strcmp(path, "stderr") == 0) {
		return create_standard(out, STDERR_FILENO, "stderr", err);
	}
	if (append && is_gzip_name(path)) {
		return err_set(err, ST_ESUPPORT, "%s: cannot append to a gzip file", path);
	}
	sink = sink_alloc(path);
	fd = append ? open_append(path, flags, err) : open_named(sink, flags, err);
	if (fd < 0) {
		bytesink_discard(sink);
		return fd;
	}
	sink->seekable = lseek(fd, 0, SEEK_CUR) >= 0;
	if (is_gzip_name(path)) {
		rc = gzip_open(&sink->gzip, fd, true, err);
	} else {
		sink->fd = fd;
	}
	if (rc != ST_OK) {
		bytesink_discard(sink);
		return rc;
	}
	*out = sink;
	return ST_OK;
}

const char *bytesink_name(const struct bytesink *sink)
{
	return sink->name;
}

bool bytesink_is_seekable(const struct bytesink *sink)
{
	return sink->seekable;
}

static bool is_null_device(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && stat("/dev/null", &null) == 0 &&
	       st.st_rdev == null.st_rdev;
}

bool bytesink_is_hidden(const struct bytesink *sink)
{
	return (sink->file != NULL && namedfile_is_hidden(sink->file)) || is_null_device(sink->fd);
}

int bytesink_fd(const struct bytesink *sink)
{
	return sink->fd;
}

/*
 * Half a block would hide whatever is appended behind it: cut off what a failed write left. Should
 * that fail too, the write has been reported anyway.
 */
static void take_back(struct bytesink *sink, size_t written)
{
	off_t end = sink->seekable && written > 0 ? lseek(sink->fd, -(off_t)written, SEEK_CUR) : -1;

	if (end >= 0 && ftruncate(sink->fd, end) != 0) {
		lseek(sink->fd, 0, SEEK_END);
	}
}

static int write_all(struct bytesink *sink, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = write(sink->fd, at, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			int errnum = errno;

			take_back(sink, (size_t)(at - (const uint8_t *)bytes));
			return err_errno(err, errnum == EPIPE ? ST_EPIPE : ST_EIO, errnum, "%s",
					 sink->name);
		}
		at += n;
		len -= (size_t)n;
	}
	return ST_OK;
}

int bytesink_write(struct bytesink *sink, const void *bytes, size_t len, struct err *err)
{
	int rc = ST_OK;

	if (sink->memory != NULL) {
		g_byte_array_append(sink->memory, bytes, (guint)len);
	} else if (sink->gzip != NULL) {
		rc = gzip_write(sink->gzip, bytes, len, err);
		rc = rc == ST_OK || err == NULL ? rc : err_prefix(err, "%s", sink->name);
	} else {
		rc = write_all(sink, bytes, len, err);
	}
	sink->failed |= rc != ST_OK;
	return rc;
}

int bytesink_flush(struct bytesink *sink, bool sync, struct err *err)
{
	int rc = sink->gzip != NULL ? gzip_flush(sink->gzip, err) : ST_OK;

	if (rc != ST_OK) {
		return err == NULL ? rc : err_prefix(err, "%s", sink->name);
	}
	/* Pipes and terminals cannot be synced, which is as good as done. */
	if (sync && sink->fd >= 0 && fdatasync(sink->fd) != 0 && errno != EINVAL &&
	    errno != EROFS) {
		return err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return ST_OK;
}

/* Close what is below; what it was opened by stays to be kept or dropped. */
static int close_below(struct bytesink *sink, struct err *err)
{
	int rc = ST_OK;

	if (sink->gzip != NULL && gzip_close(sink->gzip, err) != ST_OK) {
		rc = err == NULL ? ST_EIO : err_prefix(err, "%s", sink->name);
	}
	if (sink->fd >= 0 && close(sink->fd) != 0 && errno != EINTR) {
		rc = err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return rc;
}

static void sink_free(struct bytesink *sink)
{
	if (sink->memory != NULL) {
		g_byte_array_unref(sink->memory);
	}
	g_free(sink->name);
	g_free(sink);
}

int bytesink_close(struct bytesink *sink, struct err *err)
{
	int rc;

	if (sink == NULL) {
		return ST_OK;
	}
	rc = close_below(sink, err);
	if (rc == ST_OK && !sink->failed) {
		rc = namedfile_keep(sink->file, err);
	} else {
		namedfile_leave(sink->file);
	}
	sink_free(sink);
	return rc;
}

void bytesink_abandon(struct bytesink *sink)
{
	if (sink != NULL) {
		sink->failed = true;
		bytesink_close(sink, NULL);
	}
}

void bytesink_discard(struct bytesink *sink)
{
	if (sink != NULL) {
		close_below(sink, NULL);
		namedfile_drop(sink->file);
		sink_free(sink);
	}
}

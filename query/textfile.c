/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/textfile.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "query/tool.h"
#include "storage/namedfile.h"

struct textfile {
	char *path;
	FILE *stream;
	struct namedfile *file; /* NULL: a standard stream */
};

static FILE *standard_stream(const char *path)
{
	if (tool_is_stdout(path)) {
		return stdout;
	}
	return strcmp(path, "stderr") == 0 ? stderr : NULL;
}

static struct textfile *open_text(const char *path, bool overwrite)
{
	struct textfile *out = g_new0(struct textfile, 1);
	struct err err;
	int status;
	int fd;

	out->path = g_strdup(path);
	out->stream = standard_stream(path);
	if (out->stream) {
		return out;
	}
	status = namedfile_open(&out->file, path, overwrite ? NAMEDFILE_OVERWRITE : 0, &fd, &err);
	if (status == ST_EEXIST) {
		tool_die("%s, and SILK_CLOBBER is not set", err.text);
	}
	if (status != ST_OK) {
		tool_die("cannot open output: %s", err.text);
	}
	out->stream = fdopen(fd, "w");
	return out;
}

struct textfile *textfile_open(const char *path)
{
	return open_text(path, tool_clobbers());
}

struct textfile *textfile_open_anyhow(const char *path)
{
	return open_text(path, true);
}

FILE *textfile_stream(const struct textfile *out)
{
	return out->stream;
}

int textfile_fd(const struct textfile *out)
{
	return fileno(out->stream);
}

/* Standard output and error are not. */
static bool is_own(const struct textfile *out)
{
	return out->stream != stdout && out->stream != stderr;
}

static void textfile_free(struct textfile *out)
{
	g_free(out->path);
	g_free(out);
}

int textfile_close(struct textfile *out, struct err *err)
{
	bool failed;
	int status = ST_OK;

	if (!out) {
		return ST_OK;
	}
	errno = 0;
	failed = ferror(out->stream) != 0;
	failed |= (is_own(out) ? fclose(out->stream) : fflush(out->stream)) != 0;
	if (failed && out->stream != stdout) {
		status = err_errno(err, ST_EIO, errno ? errno : EIO, "%s", out->path);
	}
	if (failed) {
		namedfile_leave(out->file);
	} else {
		status = namedfile_keep(out->file, err);
	}
	textfile_free(out);
	return status;
}

int textfile_close_failed(struct textfile *out, struct err *err)
{
	struct stat st;

	if (out && out->file && fflush(out->stream) == 0 && fstat(textfile_fd(out), &st) == 0 &&
	    st.st_size == 0) {
		namedfile_leave(out->file);
		out->file = NULL;
	}
	return textfile_close(out, err);
}

int textfile_close_empty(struct textfile *out, struct err *err)
{
	char *path = out && out->file ? g_strdup(out->path) : NULL;
	int status = textfile_close(out, err);
	struct stat st;

	if (status == ST_OK && path && lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		unlink(path);
	}
	g_free(path);
	return status;
}

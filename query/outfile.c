/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/outfile.h"

#include "query/tool.h"
#include "storage/namedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_ROW                                                                                 \
	OPT_STR(struct outfile_opts, output_path, "output-path", 0, "PATH",                        \
		"write the output to this file instead of standard output", .flags = OPT_ONCE)

const struct opt outfile_path_opt_table[] = {
	OUTPUT_ROW,
	OPT_END,
};

const struct opt outfile_opt_table[] = {
	OUTPUT_ROW,
	OPT_FLAG(struct outfile_opts, modify_inplace, "modify-inplace", 0,
		 "replace the output file once it is written; it may be an input"),
	OPT_STR(struct outfile_opts, backup_path, "backup-path", 0, "PATH",
		"keep the replaced output file under this name or in this folder",
		.flags = OPT_ONCE),
	OPT_END,
};

struct outfile {
	char *path;
	char *backup; /* where the file goes that is replaced; NULL: nowhere */
	char *old;    /* with backup: that file, behind links */
	struct bytesink *sink;
};

static int outfile_make(struct outfile **out, const char *path, unsigned flags, struct err *err)
{
	struct bytesink *sink = NULL;
	int status = bytesink_create(&sink, path, flags, err);

	if (status == ST_OK) {
		*out = g_new0(struct outfile, 1);
		(*out)->sink = sink;
		(*out)->path = g_strdup(path);
	}
	return status;
}

static unsigned overwrite_flags(void)
{
	return tool_clobbers() ? BYTESINK_OVERWRITE : 0;
}

struct outfile *outfile_create(const char *path)
{
	struct outfile *out = NULL;
	struct err err;

	if (outfile_make(&out, path, overwrite_flags(), &err) != ST_OK) {
		tool_die_err(&err);
	}
	return out;
}

void outfile_create_all(struct outfile *outs[], char *const paths[], size_t count)
{
	int status = ST_OK;
	struct err err;

	for (size_t i = 0; i < count; i++) {
		outs[i] = NULL;
	}
	for (size_t i = 0; status == ST_OK && i < count; i++) {
		status = paths[i] ? outfile_make(&outs[i], paths[i], overwrite_flags(), &err)
				  : ST_OK;
	}
	if (status != ST_OK) {
		for (size_t i = 0; i < count; i++) {
			outfile_drop(outs[i]);
		}
		tool_die_err(&err);
	}
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Is there, where the old file is to go, the file itself or the link that leads to it? */
static bool is_own_place(const char *path, const char *backup)
{
	struct stat there;
	struct stat here;

	return lstat(backup, &there) == 0 && ((stat(path, &here) == 0 && is_same(&there, &here)) ||
					      (lstat(path, &here) == 0 && is_same(&there, &here)));
}

/* Where the old file goes; NULL: nowhere, as that is its own place. */
static char *backup_name(const char *path, const char *backup)
{
	char *base;
	char *name;

	if (!backup) {
		return NULL;
	}
	if (g_file_test(backup, G_FILE_TEST_IS_DIR)) {
		base = g_path_get_basename(path);
		name = g_build_filename(backup, base, NULL);
		g_free(base);
	} else {
		name = g_strdup(backup);
	}
	if (is_own_place(path, name)) {
		g_clear_pointer(&name, g_free);
	}
	return name;
}

struct outfile *outfile_open(const struct outfile_opts *opts)
{
	const char *path = opts->output_path ? opts->output_path : "stdout";
	struct outfile *out = NULL;
	struct err err;
	struct stat old;

	if (opts->backup_path && !opts->modify_inplace) {
		tool_usage("May not specify --backup-path without --modify-inplace");
	}
	if (!opts->modify_inplace || tool_is_stdout(path) || strcmp(path, "stderr") == 0 ||
	    stat(path, &old) != 0) {
		return outfile_create(path);
	}
	if (!S_ISREG(old.st_mode)) {
		tool_die("--modify-inplace: '%s' is not a regular file", path);
	}
	if (outfile_make(&out, path, BYTESINK_OVERWRITE | BYTESINK_WHOLE, &err) != ST_OK) {
		tool_die_err(&err);
	}
	out->backup = backup_name(path, opts->backup_path);
	out->old = realpath(path, NULL);
	return out;
}

struct bytesink *outfile_sink(const struct outfile *out)
{
	return out->sink;
}

const char *outfile_path(const struct outfile *out)
{
	return out->path;
}

static void outfile_free(struct outfile *out)
{
	g_free(out->path);
	g_free(out->backup);
	free(out->old);
	g_free(out);
}

/* What is to be replaced goes to where it is kept, which may be another file system. */
static int keep_old(const struct outfile *out, struct err *err)
{
	int status = bytesink_flush(out->sink, false, err);

	if (status != ST_OK || rename(out->old, out->backup) == 0) {
		return status;
	}
	status = namedfile_copy(out->old, out->backup, err);
	return status == ST_OK ? ST_OK : err_prefix(err, "cannot move '%s'", out->path);
}

/* Put the new file in its place; when that fails the old one comes back. */
static int replace_old(const struct outfile *out, struct err *err)
{
	int status = bytesink_close(out->sink, err);

	if (status != ST_OK && out->backup) {
		rename(out->backup, out->old);
	}
	return status;
}

int outfile_close(struct outfile *out, struct err *err)
{
	int status = out->backup ? keep_old(out, err) : ST_OK;

	if (status == ST_OK) {
		status = replace_old(out, err);
	} else {
		bytesink_abandon(out->sink);
	}
	outfile_free(out);
	return status;
}

void outfile_drop(struct outfile *out)
{
	if (out) {
		bytesink_discard(out->sink);
		outfile_free(out);
	}
}

void outfile_leave_empty(struct outfile *out)
{
	char *path = g_strdup(out->path);

	outfile_drop(out);
	outfile_leave_name(path);
	g_free(path);
}

void outfile_leave_name(const char *path)
{
	int fd;

	if (!path || tool_is_stdout(path) || strcmp(path, "stderr") == 0) {
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd >= 0) {
		close(fd);
	}
}

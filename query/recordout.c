/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "query/outfile.h"
#include "query/tool.h"
#include "storage/newfile.h"

struct recordout {
	char *path;
	char *temporary; /* where it is until it is whole; NULL: in its place already */
	const struct sink_opts *sink;
	struct stream *stream;
};

/* Is it something that can be replaced by a file of the name? */
static bool is_plain(const char *path)
{
	struct stat st;

	if (tool_is_stdout(path) || strcmp(path, "stderr") == 0) {
		return false;
	}
	return lstat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* The way out of tool_die(). */
static void remove_at_exit(int status, void *arg)
{
	struct recordout *out = arg;

	if (out->temporary) {
		unlink(out->temporary);
	}
}

/* Messages are to have the name that the user knows, where that can be. */
static int create(struct recordout *out, struct stream_write_opts *write, struct err *err)
{
	struct err why;
	int fd;

	if (!is_plain(out->path)) {
		return stream_create(&out->stream, out->path, write, err);
	}
	if (!write->overwrite && access(out->path, F_OK) == 0) {
		return err_set(err, ST_EEXIST, "%s: file exists", out->path);
	}
	if (newfile_open_like(out->path, 0666, &out->temporary, &fd, &why) != ST_OK) {
		tool_die("cannot write '%s': %s", out->path, why.text);
	}
	on_exit(remove_at_exit, out);
	if (!g_str_has_suffix(out->path, ".gz")) {
		return stream_create_fd(&out->stream, fd, out->path, write, err);
	}
	close(fd);
	write->overwrite = true;
	return stream_create(&out->stream, out->temporary, write, err);
}

struct recordout *recordout_open(const char *path, const struct sink_opts *sink)
{
	struct recordout *out = g_new0(struct recordout, 1);
	struct stream_write_opts write = { .format = FORMAT_RWIPV6ROUTING };
	struct err err;

	out->path = g_strdup(path ? path : "-");
	out->sink = sink;
	sink_write_opts(sink, &write);
	if (create(out, &write, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return out;
}

struct stream *recordout_stream(const struct recordout *out)
{
	return out->stream;
}

void recordout_begin(struct recordout *out, const struct tool_env *env,
		     const struct header *entries)
{
	struct header all;

	header_init(&all);
	header_copy_entries(&all, entries, ENTRY_INVOCATION);
	header_copy_entries(&all, entries, ENTRY_ANNOTATION);
	header_add_invocation(&all, tool_argc(env), tool_argv(env));
	sink_add_notes(out->sink, &all);
	stream_add_entries(out->stream, &all);
	header_release(&all);
}

/* The struct stays for remove_at_exit(). */
static void release(struct recordout *out)
{
	g_clear_pointer(&out->path, g_free);
	g_clear_pointer(&out->temporary, g_free);
}

int recordout_close(struct recordout *out, struct err *err)
{
	int status = stream_close(out->stream, err);

	if (status != ST_OK && out->temporary) {
		unlink(out->temporary);
	} else if (out->temporary && rename(out->temporary, out->path) != 0) {
		status = err_errno(err, ST_EIO, errno, "cannot write '%s'", out->path);
		unlink(out->temporary);
	}
	release(out);
	return status;
}

void recordout_drop(struct recordout *out)
{
	if (!out) {
		return;
	}
	stream_abandon(out->stream);
	if (out->temporary) {
		unlink(out->temporary);
	}
	release(out);
}

void recordout_leave_empty(struct recordout *out)
{
	char *path = out->temporary ? g_strdup(out->path) : NULL;

	recordout_drop(out);
	outfile_leave_name(path);
	g_free(path);
}

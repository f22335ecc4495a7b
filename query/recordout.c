/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "query/outfile.h"
#include "query/tool.h"

struct recordout {
	char *path;
	const struct sink_opts *sink;
	struct stream *stream;
	off_t stdout_end; /* to be cut off there when it fails; -1: no */
};

/* Standard output that is a file which we write on at its end can be cut off there again: where it
 * ends; else -1. */
static off_t find_stdout_end(const char *path)
{
	const int flags = fcntl(STDOUT_FILENO, F_GETFL);
	struct stat st;

	if (tool_is_stdout(path) && fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (flags & O_APPEND || lseek(STDOUT_FILENO, 0, SEEK_CUR) == st.st_size)) {
		return st.st_size;
	}
	return -1;
}

struct recordout *recordout_open(const char *path, const struct sink_opts *sink)
{
	struct recordout *out = g_new0(struct recordout, 1);
	struct stream_write_opts write = { .format = FORMAT_RWIPV6ROUTING, .whole = true };
	struct err err;

	out->path = g_strdup(path ? path : "-");
	out->sink = sink;
	out->stdout_end = find_stdout_end(out->path);
	sink_write_opts(sink, &write);
	if (stream_create(&out->stream, out->path, &write, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return out;
}

bool recordout_is_hidden(const struct recordout *out)
{
	return out->stdout_end >= 0 || stream_is_hidden(out->stream);
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

static void recordout_free(struct recordout *out)
{
	g_free(out->path);
	g_free(out);
}

int recordout_close(struct recordout *out, struct err *err)
{
	int status = stream_close(out->stream, err);

	recordout_free(out);
	return status;
}

/* Unless somebody else has written behind us. */
static void take_back_stdout(const struct recordout *out)
{
	struct stat st;

	if (out->stdout_end >= 0 && fstat(STDOUT_FILENO, &st) == 0 &&
	    lseek(STDOUT_FILENO, 0, SEEK_CUR) == st.st_size &&
	    ftruncate(STDOUT_FILENO, out->stdout_end) == 0) {
		lseek(STDOUT_FILENO, out->stdout_end, SEEK_SET);
	}
}

void recordout_drop(struct recordout *out)
{
	if (out) {
		stream_abandon(out->stream);
		take_back_stdout(out);
		recordout_free(out);
	}
}

void recordout_leave_empty(struct recordout *out)
{
	char *path = g_strdup(out->path);

	recordout_drop(out);
	outfile_leave_name(path);
	g_free(path);
}

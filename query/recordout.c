/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordout.h"

#include <string.h>

#include <glib.h>

#include "query/outfile.h"
#include "query/tool.h"

struct recordout {
	char *path;
	const struct sink_opts *sink;
	struct stream *stream;
	bool hidden;
};

/* A regular file, or one that will be. */
static bool is_plain(const char *path)
{
	return !tool_is_stdout(path) && strcmp(path, "stderr") != 0 &&
	       (!g_file_test(path, G_FILE_TEST_EXISTS) ||
		g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

struct recordout *recordout_open(const char *path, const struct sink_opts *sink)
{
	struct recordout *out = g_new0(struct recordout, 1);
	struct stream_write_opts write = { .format = FORMAT_RWIPV6ROUTING, .whole = true };
	struct err err;

	out->path = g_strdup(path ? path : "-");
	out->sink = sink;
	out->hidden = is_plain(out->path);
	sink_write_opts(sink, &write);
	if (stream_create(&out->stream, out->path, &write, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return out;
}

bool recordout_is_hidden(const struct recordout *out)
{
	return out->hidden;
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

void recordout_drop(struct recordout *out)
{
	if (out) {
		stream_abandon(out->stream);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sink.h"

#include <glib.h>
#include <string.h>

#include "query/tool.h"

/* A header holds no more than this anyway. */
#define NOTE_BYTES_MAX (1u << 20)

struct sink_notes {
	GPtrArray *texts; /* char *, as long as the process */
};

static void add_note(struct sink_notes **notes, char *text)
{
	if (!*notes) {
		*notes = g_new(struct sink_notes, 1);
		(*notes)->texts = g_ptr_array_new();
	}
	g_ptr_array_add((*notes)->texts, text);
}

static int parse_note(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	add_note(dest, g_strdup(text));
	return ST_OK;
}

static int parse_note_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	GError *error = NULL;
	char *content = NULL;
	gsize len = 0;

	if (!g_file_get_contents(text, &content, &len, &error)) {
		int st = err_set(err, ST_EIO, "%s", error->message);

		g_error_free(error);
		return st;
	}
	if (len > NOTE_BYTES_MAX) {
		g_free(content);
		return err_set(err, ST_ELIMIT, "larger than %u bytes", NOTE_BYTES_MAX);
	}
	add_note(dest, content);
	return ST_OK;
}

static int parse_compression(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct sink_compression *compression = dest;

	compression->given = true;
	return compression_parse(text, &compression->method, err);
}

const struct opt sink_note_opt_table[] = {
	OPT_CALL(struct sink_opts, notes, "note-add", 0, "TEXT", parse_note, 0,
		 "write this text into the header of the output"),
	OPT_CALL(struct sink_opts, notes, "note-file-add", 0, "FILE", parse_note_file, 0,
		 "write the content of this file into the header of the output"),
	OPT_END,
};

const struct opt sink_opt_table[] = {
	{ .kind = OPT_KIND_GROUP, .group = sink_note_opt_table },
	OPT_CALL(struct sink_opts, compression, "compression-method", 0, "METHOD",
		 parse_compression, 0, "compress the output: none, zlib, lzo1x, snappy or best"),
	OPT_END,
};

enum compression sink_compression(const struct sink_opts *opts)
{
	const char *name = tool_getenv("SILK_COMPRESSION_METHOD");
	enum compression method;

	if (opts->compression.given) {
		return opts->compression.method;
	}
	return name && compression_parse(name, &method, NULL) == ST_OK ? method
								       : COMPRESSION_DEFAULT;
}

void sink_write_opts(const struct sink_opts *opts, struct stream_write_opts *out)
{
	out->compression = (uint8_t)sink_compression(opts);
	out->overwrite = tool_getenv("SILK_CLOBBER") != NULL;
	out->no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL;
}

void sink_add_notes(const struct sink_opts *opts, struct header *header)
{
	for (guint i = 0; opts->notes && i < opts->notes->texts->len; i++) {
		header_add_text(header, ENTRY_ANNOTATION, g_ptr_array_index(opts->notes->texts, i));
	}
}

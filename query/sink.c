/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sink.h"

#include "query/tool.h"

const struct opt sink_note_opt_table[] = {
	OPT_GROUP(struct sink_opts, notes, notes_opt_table),
	OPT_END,
};

const struct opt sink_opt_table[] = {
	{ .kind = OPT_KIND_GROUP, .group = sink_note_opt_table },
	OPT_CALL(struct sink_opts, compression, "compression-method", 0, "METHOD",
		 compressionopt_parse, 0, "compress the output: none, zlib, lzo1x, snappy or best"),
	OPT_END,
};

enum compression sink_compression(const struct sink_opts *opts)
{
	return compressionopt_choose(&opts->compression, tool_getenv(COMPRESSIONOPT_VARIABLE));
}

void sink_write_opts(const struct sink_opts *opts, struct stream_write_opts *out)
{
	out->compression = (uint8_t)sink_compression(opts);
	out->crew = !opts->one_thread;
	out->overwrite = tool_clobbers();
	out->no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL;
}

void sink_copy_history(struct header *to, const struct header *from, bool invocation_strip,
		       bool note_strip)
{
	if (from && !invocation_strip) {
		header_copy_entries(to, from, ENTRY_INVOCATION);
	}
	if (from && !note_strip) {
		header_copy_entries(to, from, ENTRY_ANNOTATION);
	}
}

void sink_add_notes(const struct sink_opts *opts, struct header *header)
{
	notes_add_to(opts->notes, header);
}

struct stream *sink_create(const struct sink_opts *opts, const char *path,
			   struct stream_write_opts write)
{
	struct stream *out = NULL;
	struct header notes;
	struct err err;

	header_init(&notes);
	sink_add_notes(opts, &notes);
	sink_write_opts(opts, &write);
	write.entries = &notes;
	if (stream_create(&out, path ? path : "stdout", &write, &err) != ST_OK) {
		tool_die_err(&err);
	}
	header_release(&notes);
	return out;
}

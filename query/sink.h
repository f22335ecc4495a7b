/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tools that write binary files share: the switches --note-add, --note-file-add and
 * --compression-method, and the environment that goes with them.
 *
 *	OPT_GROUP(struct sort_opts, sink, sink_opt_table)
 *	...
 *	struct header entries;
 *	struct stream_write_opts write = { .entries = &entries };
 *	header_init(&entries);
 *	header_add_invocation(&entries, tool_argc(env), tool_argv(env));
 *	sink_add_notes(&opts->sink, &entries);
 *	sink_write_opts(&opts->sink, &write);
 *	stream_create(&out, path, &write, err);
 */
#ifndef TUSSAH_QUERY_SINK_H
#define TUSSAH_QUERY_SINK_H

#include "common/opt.h"
#include "storage/compressionopt.h"
#include "storage/notes.h"
#include "storage/stream.h"

struct sink_opts {
	struct notes *notes;
	struct compressionopt compression;
	bool one_thread; /* no switch: nothing is compressed on threads */
};
extern const struct opt sink_opt_table[];
extern const struct opt sink_note_opt_table[]; /* without --compression-method */

/* --compression-method, else $SILK_COMPRESSION_METHOD if it names one, else the default. */
enum compression sink_compression(const struct sink_opts *opts);

/* Set compression and its threads, overwriting ($SILK_CLOBBER) and version
 * ($SILK_HEADER_NOVERSION). */
void sink_write_opts(const struct sink_opts *opts, struct stream_write_opts *out);

/* Append the history of an input: its command lines and its notes, without those that are stripped.
 * from is borrowed; NULL: it has none. */
void sink_copy_history(struct header *to, const struct header *from, bool invocation_strip,
		       bool note_strip);

/* Append the notes to the header, one annotation each. */
void sink_add_notes(const struct sink_opts *opts, struct header *header);

/*
 * Create a stream (path NULL: standard output) whose header has nothing of ours but the notes, as
 * tools make that pass records on. write: what else is wanted; its entries are not looked at. Dies
 * when that fails.
 */
struct stream *sink_create(const struct sink_opts *opts, const char *path,
			   struct stream_write_opts write);

#endif

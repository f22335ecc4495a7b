/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of records that a tool writes. It appears under its name when it is whole, and not at
 * all when the tool fails or is killed.
 *
 *	struct recordout *out = recordout_open(opts->output_path, &opts->sink);
 *	recordout_begin(out, env, &entries);
 *	... stream_write(recordout_stream(out), &rec, &err) ...
 *	if (recordout_close(out, &err) != ST_OK) ...
 */
#ifndef TUSSAH_QUERY_RECORDOUT_H
#define TUSSAH_QUERY_RECORDOUT_H

#include "query/sink.h"
#include "query/tool.h"

struct recordout;

/*
 * path NULL or "-": standard output; pipes and devices are written to as they are. An existing file
 * is replaced when $SILK_CLOBBER allows. Ends the program when it cannot be written to.
 */
struct recordout *recordout_open(const char *path, const struct sink_opts *sink);
/* Is nothing seen of it when it is dropped? What went into a pipe is. */
bool recordout_is_hidden(const struct recordout *out);
struct stream *recordout_stream(const struct recordout *out);
/*
 * Before the first record: the header gets the command lines and notes among these entries of the
 * inputs, our own command line, and the notes of the switches.
 */
void recordout_begin(struct recordout *out, const struct tool_env *env,
		     const struct header *entries);
/* Put the file in its place and free, also on failure. ST_OK or ST_EIO. */
int recordout_close(struct recordout *out, struct err *err);
/* Nothing is to be seen of it: free. NULL is fine. */
void recordout_drop(struct recordout *out);
/* The same, and outfile_leave_name(). */
void recordout_leave_empty(struct recordout *out);

#endif

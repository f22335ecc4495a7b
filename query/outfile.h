/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The binary file that a tool writes, which may be one of its inputs; or several of them.
 *
 *	OPT_GROUP(struct tool_opts, out, outfile_opt_table)
 *	...
 *	struct outfile *out = outfile_open(&opts->out);
 *	status = bag_write_to(bag, outfile_sink(out), &write, &err);
 *	if (status == ST_OK) { status = outfile_close(out, &err); } else { outfile_drop(out); }
 *
 * The file is made when it is opened, so that a wrong name is told before the work is done, and
 * taken away again when nothing is written to it.
 */
#ifndef TUSSAH_QUERY_OUTFILE_H
#define TUSSAH_QUERY_OUTFILE_H

#include "common/opt.h"
#include "storage/bytesink.h"

struct outfile_opts {
	char *output_path;
	bool modify_inplace;
	char *backup_path;
};
extern const struct opt outfile_opt_table[];      /* --output-path --modify-inplace --backup-path */
extern const struct opt outfile_path_opt_table[]; /* --output-path alone */

struct outfile;

/* As the switches say; no path is standard output. Ends the program when it cannot be made. */
struct outfile *outfile_open(const struct outfile_opts *opts);
/* "-" and "stdout" are standard output. Ends the program when the file cannot be made. */
struct outfile *outfile_create(const char *path);
/*
 * The same of several files, all or none: where one cannot be made the others are removed. The file
 * of a path that is NULL is NULL.
 */
void outfile_create_all(struct outfile *outs[], char *const paths[], size_t count);

struct bytesink *outfile_sink(const struct outfile *out);
/* As the user named it; borrowed. */
const char *outfile_path(const struct outfile *out);

/* Put the file in its place and free, also on failure. ST_OK or ST_EIO. */
int outfile_close(struct outfile *out, struct err *err);
/* Nothing is to be written after all: free, and remove the file. NULL is fine. */
void outfile_drop(struct outfile *out);
/* As outfile_drop(), but an empty file stays where none was to be replaced, as SiLK leaves it. */
void outfile_leave_empty(struct outfile *out);
/*
 * For a tool that failed before it opened its output: make an empty file of the name, as SiLK
 * leaves it, unless there is one. NULL and standard output are fine.
 */
void outfile_leave_name(const char *path);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The output modes incremental-files and sending (silk-packing.md 5.6): records go into small files
 * of one flowtype, sensor and hour, for rwflowappend. While records come, NAME.XXXXXX is an empty
 * place holder and .NAME.XXXXXX has the records; when it is published, the latter takes the place
 * of the former, or goes to the sender directory.
 *
 *	struct outputincremental *output = outputincremental_new(&opts);
 *	writer opts: .root = opts.directory, .place = outputincremental_place(output)
 *	writer_recover(...);	// publishes what an earlier packer left, removes what is empty
 *	... write, writer_commit(writer, WRITER_CLOSE, ...) ...
 *	outputincremental_publish(output);
 *
 * What is committed is published exactly once, whatever is killed: what was closed and not
 * published is found again at the next start. What happens is logged.
 */
#ifndef TUSSAH_PACKER_OUTPUTINCREMENTAL_H
#define TUSSAH_PACKER_OUTPUTINCREMENTAL_H

#include "packer/writer.h"
#include "storage/hourlines.h"

/* For files that are neither of an hour nor of a sensor: flowcap's. */
struct outputincremental_files {
	/* The name of a new file, without its suffix. Returned: g_free(). */
	char *(*name)(void *arg, const struct hourfile_key *key);
	/* Its first record is about to be taken. ST_OK or a fatal error. */
	int (*begin)(void *arg, const char *name, struct err *err);
	void (*form)(void *arg, const struct hourfile_key *key, struct hourfile_write_opts *opts);
	/* It is closed; its path is still that of the hidden file. */
	void (*closed)(void *arg, const char *path, const char *name, uint64_t records);
	void (*published)(void *arg, const char *name);
	uint64_t max_bytes; /* of a file, about; 0: no bound */
	void *arg;
};

struct outputincremental_opts {       /* strings are kept */
	const char *directory;        /* where the files are made */
	const char *sender_directory; /* where they go; NULL: they stay, under their own name */
	const struct outputincremental_files *files; /* kept; NULL: incremental files */
};

struct outputincremental;

struct outputincremental *outputincremental_new(const struct outputincremental_opts *opts);
void outputincremental_free(struct outputincremental *output);

/* For the writer; lives as long as the output. */
const struct writer_place *outputincremental_place(const struct outputincremental *output);

/*
 * Where losses and other notes about hours go: into a file of their own (storage/hournotes.h),
 * which is published with the others. Lives as long as the output; from any thread.
 */
const struct hourlines_place *outputincremental_lines(const struct outputincremental *output);
/* Make those that went there durable; the file is closed. ST_OK, ST_EIO. */
int outputincremental_end_lines(struct outputincremental *output, struct err *err);

/* Publish the files that the writer has closed. What cannot be published is tried again the next
 * time. */
void outputincremental_publish(struct outputincremental *output);
/* Are there any? */
bool outputincremental_has_closed(struct outputincremental *output);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incremental files into the hourly files of a repository, each exactly once, whatever is killed in
 * between (silk-packing.md section 6).
 *
 *	struct appender *appender;
 *	appender_open(&appender, &opts, err);		// takes out what was not finished before
 *	appender_take(appender, 0, files, count, err);	// thread number 0; any number of threads
 *	appender_close(appender);
 *
 * Files of notes about hours (storage/hournotes.h) go to the lines in the root instead.
 *
 * What is about to be appended is written down (storage/appendlog.h) before it is; it counts from
 * the moment at which the incremental file leaves the incoming directory. So at the next start a
 * log whose incremental file is still there is undone, and the file comes again.
 */
#ifndef TUSSAH_PACKER_APPENDER_H
#define TUSSAH_PACKER_APPENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/site.h"
#include "packer/disposal.h"
#include "packer/keeper.h"
#include "storage/hourfile.h"

#define APPENDER_AS_IS       255 /* compression of new files: that of the incremental file */
#define APPENDER_THREADS_MAX 256

struct appender_opts { /* everything kept until appender_close() */
	const struct site *site;
	const char *incoming_directory;
	const char *root_directory;
	struct disposal_opts disposal;
	const char *hour_file_command; /* NULL: none */
	int64_t hours_past;            /* first records older are refused; -1: none */
	int64_t hours_future;
	unsigned threads;
	bool no_locking;
	bool keep_kind;       /* new files are of the kind of the incremental file; else: */
	uint8_t kind;         /* enum hourfile_kind */
	bool keep_byte_order; /* likewise */
	enum byte_order byte_order;
	uint8_t compression; /* APPENDER_AS_IS or enum compression */
};

struct appender;

/* Letters and digits that stand for the appender of this directory. Returned: g_free(). */
char *appender_id(const char *incoming_directory);

/*
 * Lock the incoming directory and finish what an appender before us left. ST_OK, ST_EIO, ST_EAGAIN
 * (another has the directory).
 */
int appender_open(struct appender **out, const struct appender_opts *opts, struct err *err);
void appender_close(struct appender *appender);
/* Before the first file: tell this keeper (kept; NULL: none) of hourly files, to seal them. */
void appender_set_keeper(struct appender *appender, struct keeper *keeper);

struct appender_file {
	const char *path;
	const char *name; /* the last part of it */
	bool busy;        /* set: somebody still writes it */
	bool done;        /* set: it is not there any more */
};

#define APPENDER_GROUP_MAX 16

/*
 * Append each of the files, APPENDER_GROUP_MAX at most, to its hourly file, and archive, remove or
 * put it aside; small ones of different hours together, which takes less time. From thread number
 * thread of opts->threads, each in one call at a time. Waits while another thread or process has an
 * hourly file. What happens is logged. ST_OK: files that are neither busy nor done are gone. Else
 * fatal: the repository is as before those that are not done, if that could be, and they are where
 * they were.
 */
int appender_take(struct appender *appender, unsigned thread, struct appender_file *files,
		  size_t count, struct err *err);

#endif

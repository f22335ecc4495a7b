/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the writer share: writer.c takes records in, writercommit.c puts them on disk.
 *
 * One lock for all: while a record goes in, and while the committing thread looks for files, or
 * closes them. A file that is held is never closed. What is frozen belongs to the committing
 * thread.
 */
#ifndef TUSSAH_PACKER_WRITER_INTERNAL_H
#define TUSSAH_PACKER_WRITER_INTERNAL_H

#include <glib.h>
#include <pthread.h>

#include "packer/writer.h"
#include "storage/hourappend.h"
#include "storage/parts.h"

#define WRITER_NEAR 64 /* a power of two */

struct writer_file {
	struct hourfile_key key;
	uint32_t types;         /* writer_types() of the key */
	uint64_t used;          /* greater than that of files without a record since */
	bool held;              /* by the committing thread */
	struct hourappend *out; /* NULL: no record since the last freeze */
	char *path;
	bool opened;    /* the keeper has been told */
	bool full;      /* another takes its records: it is not in writer.files */
	uint64_t bytes; /* committed */
	uint64_t records;
	uint64_t unreported;     /* records since the last report */
	int64_t last_written_ns; /* of the commit that found records */

	struct flowblock_row *rows[WRITER_ROWS_MAX]; /* of writer_write_rows(), on their way in */
	size_t row_count;

	struct hourappend *frozen;   /* of the committing thread; NULL: nothing to commit */
	struct hourappend *spare;    /* was committed: to gather records again; or NULL */
	struct hourappend_left left; /* by the last commit */
};

struct writer {
	struct writer_opts opts;
	pthread_mutex_t lock;                  /* guards what is not the committing thread's */
	GHashTable *files;                     /* struct hourfile_key to struct writer_file */
	GPtrArray *all;                        /* of struct writer_file, those that are full, too */
	uint64_t uses;                         /* of files */
	struct writer_file *near[WRITER_NEAR]; /* found last by this place; NULL: none */
	struct partpool *pool;                 /* of what waits for a commit */
	int64_t trimmed_ns;
	struct appendlog *log; /* NULL: what is committed counts at once */
	_Atomic bool crowded;  /* more files than the cache is to hold wait for a commit */
	_Atomic uint64_t extras_lost;
	_Atomic bool failed;
};

/* The following with the lock held. */

/* Are there records that are not committed? */
bool writer_file_waits(const struct writer_file *file);
/* Log how many records came since the last time. */
void writer_report(struct writer_file *file);
/* Close a file without records to commit, that is not held. */
void writer_close_file(struct writer *writer, struct writer_file *file);

#endif

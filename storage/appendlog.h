/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a writer is about to append to files of a repository, written down before it does, so that
 * it can be taken out again should the writer die before it has said that the appending counts. The
 * log lies in the root, ROOT/.rwflowpack-appends-ID, for others to see which files must not be
 * rewritten meanwhile; each writer has an id of its own.
 *
 *	appendlog_open(&log, root, id, err);
 *	appendlog_undo(log, epoch, report, arg, err);	// once: what was appended in this epoch
 *	...
 *	lock the files;
 *	appendlog_write(log, epoch, claims, count, err);	// durable
 *	append to the files, sync them;
 *	remember durably that the epoch is over;		// from here on the appending counts
 *	appendlog_clear(log);
 *	unlock the files;
 *	appendlog_close(log);
 *
 * Where claims are of epochs of their own, of which some may be over and others not:
 *
 *	appendlog_undo_where(log, is_open, arg, report, report_arg, err);
 *	...
 *	appendlog_write_each(log, claims, count, err);
 *
 * On disk, numbers big-endian: "TSAL", version (4 bytes), epoch (8), number of entries (4), zero
 * (4), entries, and the XXH64 of all before. An entry: in version 2 its epoch (8; that before is 0,
 * in version 1 it is that of all entries), length of the path (2), path from the root, offset (8),
 * length (8), number of marks (4), marks. A mark: an offset in what is appended (8),
 * the XXH64 of it up to there (8): one at each multiple of 4096 in the file, at the end of each
 * piece that can be cut off alone, and at the end of all. A log that is not whole claims nothing.
 */
#ifndef TUSSAH_STORAGE_APPENDLOG_H
#define TUSSAH_STORAGE_APPENDLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"

#define APPENDLOG_PREFIX ".rwflowpack-appends-"
#define APPENDLOG_ID_MAX 64
#define APPENDLOG_MAX    (64u << 20) /* bytes of a log */

struct appendlog_claim {
	uint64_t epoch;            /* for appendlog_write_each() */
	const char *path;          /* under the root; borrowed, as are parts and pieces */
	uint64_t offset;           /* the end of the file */
	const struct iovec *parts; /* what is appended, one behind the other */
	size_t part_count;
	size_t len;             /* of all parts */
	const uint64_t *pieces; /* ends of pieces in them, ascending; may be NULL */
	size_t piece_count;
};

struct appendlog;

/* id: letters and digits. *out returned: appendlog_close(). ST_OK, ST_EIO. */
int appendlog_open(struct appendlog **out, const char *root, const char *id, struct err *err);
void appendlog_close(struct appendlog *log);

/* Replace what the log says; durable on return. Call with all files locked. ST_OK, ST_EIO. */
int appendlog_write(struct appendlog *log, uint64_t epoch, const struct appendlog_claim *claims,
		    size_t count, struct err *err);
/* The same of claims that each have an epoch. */
int appendlog_write_each(struct appendlog *log, const struct appendlog_claim *claims, size_t count,
			 struct err *err);
/* Nothing is claimed any more. Need not be durable: the epoch is over. */
void appendlog_clear(struct appendlog *log);

/* What was done about one file: bytes were taken out; or why they could not be (borrowed). */
typedef void (*appendlog_report_fn)(void *arg, const char *path, uint64_t bytes,
				    const char *trouble);

/*
 * If the log is of this epoch, take out of the files what was appended, be it whole or torn, also
 * where others have appended behind it. A file that is gone is passed over. Waits for locks. ST_OK,
 * ST_EIO: to be called again; nothing may be appended before it succeeds.
 */
int appendlog_undo(struct appendlog *log, uint64_t epoch, appendlog_report_fn report, void *arg,
		   struct err *err);

/* The same of all entries whose epoch is_open; what the others appended counts. The last entry
 * first: several may be of one file. */
int appendlog_undo_where(struct appendlog *log, bool (*is_open)(const void *arg, uint64_t epoch),
			 const void *arg, appendlog_report_fn report, void *report_arg,
			 struct err *err);

/* Does any log in root claim the file? Ask with the lock of the file held. */
bool appendlog_is_claimed(const char *root, const char *path);

#endif

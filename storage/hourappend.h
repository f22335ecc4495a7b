/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Appending to an hourly file in steps, so that many files are appended to together or not at all:
 * records are encoded in memory, without the file; then the file is locked, its end is known, what
 * is going to be written can be told (storage/appendlog.h), is written, and kept or taken back.
 *
 *	hourappend_new(&append, path, &key, &opts, &existed, err);
 *	hourappend_write(append, &rec, err); ...
 *	hourappend_stage(append, err);			// all records are encoded now
 *	while ((rc = hourappend_lock(append, err)) == ST_EAGAIN) { wait a little; }
 *	hourappend_get_claim(append, &claim);
 *	rc = hourappend_put(append, err);
 *	rc = hourappend_sync(append, err);	// durable; of many files: storage/hoursync.h, after all puts
 *	if (all is well) { hourappend_keep(append); } else { hourappend_take_back(append, err); }
 *	hourappend_free(append);
 *
 * The file is open only while it is locked. One thread.
 */
#ifndef TUSSAH_STORAGE_HOURAPPEND_H
#define TUSSAH_STORAGE_HOURAPPEND_H

#include <sys/types.h>

#include "storage/appendlog.h"
#include "storage/hourfile.h"

struct hourappend;

/* How a file was left; size 0: not known. */
struct hourappend_left {
	dev_t device;
	ino_t inode;
	off_t size;
};

/*
 * Look at the file, if there is one, for its kind and format; nothing is made or written. *existed
 * may be NULL. ST_OK, ST_EFORMAT and so on (it is no hourly file), ST_EIO.
 */
int hourappend_new(struct hourappend **out, const char *path, const struct hourfile_key *key,
		   const struct hourfile_write_opts *opts, bool *existed, struct err *err);
/* What was not kept is lost. */
void hourappend_free(struct hourappend *append);

/* ST_OK; ST_ERANGE: this record does not fit and was left out; else fatal. */
int hourappend_write(struct hourappend *append, const struct record *rec, struct err *err);
/* The same of rows with their values, by a file of blocks (else false: it takes no rows); *lost
 * counts values that had no place. */
bool hourappend_takes_rows(const struct hourappend *append);
int hourappend_write_rows(struct hourappend *append, struct flowblock_row *const *rows,
			  size_t count, uint64_t *lost, struct err *err);
/* As hourfile_set(). */
int hourappend_set(struct hourappend *append, const struct flowblock_value *value, struct err *err);
bool hourappend_is_empty(const struct hourappend *append); /* nothing to be written */
size_t hourappend_bytes(const struct hourappend *append);  /* encoded, to be written */

/* Encode what is buffered. ST_OK or fatal. */
int hourappend_stage(struct hourappend *append, struct err *err);
/*
 * Open and lock the file, which is made if need be, and cut its torn tail. ST_OK; ST_EAGAIN:
 * another has the lock; ST_EIO; ST_EFORMAT: the file is not of the kind and format any more that
 * the records were encoded for, or damaged.
 */
int hourappend_lock(struct hourappend *append, struct err *err);
uint64_t
hourappend_cut_bytes(const struct hourappend *append); /* of a torn tail, by the last lock */
/* Where and what will be written; borrowed until it is kept. */
void hourappend_get_claim(struct hourappend *append, struct appendlog_claim *out);
/* Write, and make that durable. On failure what was written is still to be taken back. */
int hourappend_put(struct hourappend *append, struct err *err);
int hourappend_sync(struct hourappend *append, struct err *err);
/* It is written: forget it, and unlock. */
void hourappend_keep(struct hourappend *append);
/*
 * How the file was when it was unlocked last, by this one or, as it is told, another: while it is
 * still so, locking need not look for a torn tail.
 */
struct hourappend_left hourappend_left(const struct hourappend *append);
void hourappend_set_left(struct hourappend *append, const struct hourappend_left *left);
/* Cut the file to what it was and unlock; it can be locked and put again. Does nothing when it is
 * not locked. ST_OK; ST_EIO: it is not known what is in the file. */
int hourappend_take_back(struct hourappend *append, struct err *err);

#endif

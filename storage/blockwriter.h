/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing block files: appending under a lock with recovery of a torn tail, and making a sealed
 * file (storage/FORMAT.md sections 6 and 7).
 */
#ifndef TUSSAH_STORAGE_BLOCKWRITER_H
#define TUSSAH_STORAGE_BLOCKWRITER_H

#include "storage/blockfile.h"
#include "storage/blockrecover.h"

struct blockwriter;

struct blockwriter_opts {
	uint8_t compression; /* enum chunk_compression */
	bool no_locking;
	bool no_wait;                   /* ST_EAGAIN when another has the lock */
	bool quick;                     /* the file is to be sealed: see struct flowblock_opts */
	struct blockfile_header header; /* of a new file; footer not used; properties copied */
};

/*
 * Open path for appending; a new file gets its header at once. Waits for the lock; a file that was
 * replaced meanwhile (sealed) is opened anew. The torn tail of an existing file is cut:
 * *cut_bytes (may be NULL). ST_OK, ST_EFORMAT (exists and is of another kind, or damaged so that
 * nothing can be appended safely), ST_EIO, ST_EAGAIN.
 */
int blockwriter_append(struct blockwriter **out, const char *path,
		       const struct blockwriter_opts *opts, uint64_t *cut_bytes, struct err *err);
/*
 * The same without a writer, for those that make the blocks themselves: *fd returned, locked, to be
 * closed; found->end is where a block may be written.
 */
int blockwriter_open_file(const char *path, const struct blockwriter_opts *opts, int *fd,
			  struct blockrecover_result *found, struct err *err);
/* Buffered until a block is full or flushed. */
int blockwriter_write(struct blockwriter *writer, const struct record *rec, struct err *err);
/* A value of an extension column for the record written last. */
int blockwriter_set(struct blockwriter *writer, const struct flowblock_value *value,
		    struct err *err);
/* What is buffered becomes a block; durable when sync. Written whole or not at all. */
int blockwriter_flush(struct blockwriter *writer, bool sync, struct err *err);
uint64_t blockwriter_records(const struct blockwriter *writer); /* accepted so far */
/* Flush, unlock, free; the file is as before the last failed write. NULL is fine. */
int blockwriter_close(struct blockwriter *writer, struct err *err);
/* Drop what is buffered, unlock and free. */
void blockwriter_discard(struct blockwriter *writer);

#endif

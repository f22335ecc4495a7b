/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A new block file, written from its beginning to its end into a file, a pipe or standard output:
 * what query tools write when records are to keep their extension columns. It is not of one hour,
 * and not sealed.
 *
 *	struct blockout *out;
 *	rc = blockout_create(&out, "-", 0, COMPRESSION_DEFAULT, err);
 *	blockout_add_entries(out, &entries);		// before the first row
 *	rc = blockout_write_batch(out, batch, err);	// with the extension columns of the batch
 *	rc = blockout_close(out, err);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_STORAGE_BLOCKOUT_H
#define TUSSAH_STORAGE_BLOCKOUT_H

#include "common/batch.h"
#include "storage/flowblock.h"
#include "storage/header.h"

struct blockout;

/* flags: enum bytesink_flags; compression: enum compression, as struct hourfile_write_opts has it.
 * *out returned: blockout_close(). As bytesink_create(). */
int blockout_create(struct blockout **out, const char *path, unsigned flags, uint8_t compression,
		    struct err *err);
/* Texts of a SiLK header that block files have, too: command lines and annotations. */
void blockout_add_entries(struct blockout *out, const struct header *entries);

/* The selected rows, which have all columns. ST_OK, ST_EIO; nothing can be written after a failure.
 */
int blockout_write_batch(struct blockout *out, const struct batch *batch, struct err *err);
/* One record, and then values of it. ST_EINVAL: see flowblock_set(). */
int blockout_write(struct blockout *out, const struct record *rec, struct err *err);
int blockout_set(struct blockout *out, const struct flowblock_value *value, struct err *err);
/* End the block, so that columns may have other types in the next. */
int blockout_end_block(struct blockout *out, struct err *err);

/* Write what is left, and free; an output that failed is removed. NULL is fine. */
int blockout_close(struct blockout *out, struct err *err);

/* The value of a column in a row that has one, as block files hold it. */
struct flowblock_value blockout_value(const struct batch_extension *column, uint32_t row);

#endif

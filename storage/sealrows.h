/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows gathered from the blocks of a file, extension values included, to be put into other blocks
 * in the order of their start times; equal ones keep their order.
 *
 *	struct sealrows *rows = sealrows_new();
 *	rc = sealrows_take(rows, file, i, first_ns, last_ns, err);	// of each block
 *	sealrows_sort(rows);
 *	for (size_t k = 0; k < sealrows_count(rows); k++) {
 *		rc = sealrows_put(rows, k, builder, err);
 *	}
 *	sealrows_free(rows);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_STORAGE_SEALROWS_H
#define TUSSAH_STORAGE_SEALROWS_H

#include "storage/blockfile.h"
#include "storage/flowblockbuild.h"

struct sealrows;

struct sealrows *sealrows_new(void);
void sealrows_free(struct sealrows *rows);
/* Forget all rows. */
void sealrows_clear(struct sealrows *rows);

/*
 * Take the rows of block i that start from first_ns to last_ns, both inclusive. file is not kept.
 * ST_OK, or ST_EFORMAT, ST_EIO: a column could not be read; what was taken is of no use then.
 */
int sealrows_take(struct sealrows *rows, const struct blockfile *file, size_t i, int64_t first_ns,
		  int64_t last_ns, struct err *err);

void sealrows_sort(struct sealrows *rows);
size_t sealrows_count(const struct sealrows *rows);

/* Add row k to a builder that is not full. What flowblock_set() returns. */
int sealrows_put(const struct sealrows *rows, size_t k, struct flowblock_builder *builder,
		 struct err *err);

#endif

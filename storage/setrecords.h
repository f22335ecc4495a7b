/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Set files of record version 0 to 2, which hold a bitmap for each /24 that has an address, read
 * and put together without holding a set in memory (silk-set-bag-pmap-files.md 1.3).
 *
 *	struct setrecords *records;
 *	struct setrecord record;
 *
 *	status = setrecords_open(&records, path, &err);
 *	while (status == ST_OK && (status = setrecords_next(records, &record, &err)) == ST_OK) ...
 *	setrecords_close(records);
 */
#ifndef TUSSAH_STORAGE_SETRECORDS_H
#define TUSSAH_STORAGE_SETRECORDS_H

#include "storage/header.h"
#include "storage/ipset.h"
#include "storage/ipsetalgebra.h"

struct setrecord {
	uint32_t base;    /* of the /24 */
	uint64_t bits[4]; /* bit i of bits[n]: address base + 64 n + i; one is set at least */
};

struct setrecords;

/*
 * *out returned: setrecords_close(). ST_OK, ST_ESUPPORT: a set file of another version; else as
 * ipset_read().
 */
int setrecords_open(struct setrecords **out, const char *path, struct err *err);
void setrecords_close(struct setrecords *records);
const struct header *setrecords_header(const struct setrecords *records);

/*
 * The next one, ascending. ST_OK, ST_END, ST_ESUPPORT: they do not ascend, which ipset_read()
 * allows; or what else ipset_read() fails with.
 */
int setrecords_next(struct setrecords *records, struct setrecord *out, struct err *err);

/*
 * Write to sink, as ipset_write_to() in record version 2, what becomes of the first file by the
 * operation with the second, of this with the third, and so on. Errors of setrecords_next(), or of
 * writing; something may have been written then.
 */
int setrecords_combine(struct setrecords *const records[], size_t count, enum ipset_op op,
		       struct bytesink *sink, const struct ipset_write_opts *opts, struct err *err);

#endif

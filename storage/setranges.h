/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Set files of any record version, read range by range without holding the set, and put together:
 * what is held is the result.
 *
 *	struct setranges *ranges;
 *	struct ip first;
 *	struct ip last;
 *
 *	status = setranges_open(&ranges, path, &err);
 *	while (status == ST_OK) {
 *		status = setranges_next(ranges, &first, &last, &err);
 *		...
 *	}
 *	setranges_close(ranges);
 */
#ifndef TUSSAH_STORAGE_SETRANGES_H
#define TUSSAH_STORAGE_SETRANGES_H

#include "storage/header.h"
#include "storage/ipset.h"
#include "storage/ipsetalgebra.h"

struct setranges;

/* *out returned: setranges_close(). Errors of ipset_read(). */
int setranges_open(struct setranges **out, const char *path, struct err *err);
void setranges_close(struct setranges *ranges);
const struct header *setranges_header(const struct setranges *ranges);

/*
 * The next one, behind the one before, which it may touch. ST_OK, ST_END, ST_ESUPPORT: they do not
 * ascend, which ipset_read() allows; or what else ipset_read() fails with.
 */
int setranges_next(struct setranges *ranges, struct ip *first, struct ip *last, struct err *err);

/*
 * What becomes of the first file by the operation with the second, of this with the third, and so
 * on, as ipset_combine() would make it. changed: whether any of these steps took something away or
 * added something. *out returned: finished, ipset_free(). Errors of setranges_next().
 */
int setranges_combine(struct setranges *const files[], size_t count, enum ipset_op op,
		      struct ipset **out, bool *changed, struct err *err);

#endif

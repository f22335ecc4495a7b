/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text of plain addresses, one a line, read by a crew of threads and handed over in its order.
 *
 *	static int take(void *arg, const struct addresschunk *chunk, struct err *err) ...
 *
 *	status = addresscrew_read(src, LINE_BYTES_MAX, take, job, &err);
 *
 * No thread is started where there is one processor, nor for little text.
 */
#ifndef TUSSAH_QUERY_ADDRESSCREW_H
#define TUSSAH_QUERY_ADDRESSCREW_H

#include <stdbool.h>

#include "common/ip.h"
#include "storage/bytesource.h"

/* Whole lines; only the last one of the text may lack its newline. */
struct addresschunk {
	const char *text;
	size_t len;
	/* What its first lines are, one an address, up to the first that is something else. */
	const struct ip *ips;
	size_t count;
	size_t taken; /* bytes, of these lines */
	bool has_v6;  /* one of them is in IPv6 notation */
};

/* Borrowed for the call. Anything but ST_OK ends the reading. */
typedef int (*addresscrew_take_fn)(void *arg, const struct addresschunk *chunk, struct err *err);

/*
 * Read all of src. Of lines longer than longest bytes, with their newline, more than these are
 * there, but not all. ST_OK, what take() returned, or what reading failed with.
 */
int addresscrew_read(struct bytesource *src, size_t longest, addresscrew_take_fn take, void *arg,
		     struct err *err);

#endif

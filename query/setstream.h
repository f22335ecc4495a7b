/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Set files that are put together while they are read, without holding the sets: IPv4 sets bitmap
 * by bitmap from file to file, others range by range into the result.
 *
 *	const struct setstream stream = { .op = IPSET_UNION, .paths = paths, .count = count,
 *					  .opened = copy_notes, .arg = job };
 *	if (setstream_may(&stream) && setstream_combine(&stream, &set, &changed) == ST_OK) ...
 *
 * Either way may come to nothing, as with a file whose blocks are not in order or one that is
 * damaged: then the files are to be read in another way, which tells what is wrong.
 */
#ifndef TUSSAH_QUERY_SETSTREAM_H
#define TUSSAH_QUERY_SETSTREAM_H

#include "storage/ipsetalgebra.h"

struct setstream {
	enum ipset_op op; /* of the first file and the second, of this and the third, and so on */
	char **paths;
	int count;
	/* Called for each file in order before anything is read of it. */
	void (*opened)(void *arg, const struct header *header);
	void *arg;
};

/* Few files enough, which can be read again? */
bool setstream_may(const struct setstream *stream);

/*
 * Write to sink, as ipset_write_to() in record version 2. ready() says how, once all files are
 * open. Anything but ST_OK: something may have been written.
 */
int setstream_write(const struct setstream *stream, struct bytesink *sink,
		    void (*ready)(void *arg, struct ipset_write_opts *opts));

/* As setranges_combine(). */
int setstream_combine(const struct setstream *stream, struct ipset **out, bool *changed);

#endif

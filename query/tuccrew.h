/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of text into records, by several threads: the rest of an input whose first line has told
 * the columns. Lines go to the threads in parts; records and bad lines come back in the order of
 * the input, whatever the number of threads.
 *
 *	struct tuccrew crew = { .tuc = tuc, .format = format, .threads = 2, .arg = run,
 *				.rows = write, .bad = bad };
 *	status = tuccrew_run(&crew, src, lines_read, &err);
 */
#ifndef TUSSAH_QUERY_TUCCREW_H
#define TUSSAH_QUERY_TUCCREW_H

#include "query/tuc.h"
#include "storage/bytesource.h"
#include "storage/rowformat.h"

/* A line that could not be parsed, and why; borrowed for the call. */
struct tuccrew_bad {
	uint64_t number;
	const char *bytes; /* without the newline */
	size_t len;
	const char *why;
};

struct tuccrew {
	struct tuc *tuc;                /* borrowed; its columns are known */
	const struct rowformat *format; /* that records are encoded in, and that holds any */
	unsigned threads;               /* at most */
	void *arg;                      /* of the callbacks, which the caller's thread makes */
	/* Some records, one behind the other, in the byte order of the machine; borrowed. */
	void (*rows)(void *arg, const uint8_t *rows, size_t count);
	bool (*bad)(void *arg, const struct tuccrew_bad *bad); /* false: stop here */
};

/*
 * Everything that src still has; lines_read of it have been read before. ST_END; ST_OK: bad() said
 * stop; or the error of the read, as of byteline_read().
 */
int tuccrew_run(const struct tuccrew *crew, struct bytesource *src, uint64_t lines_read,
		struct err *err);

#endif

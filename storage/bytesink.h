/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where bytes go: a file, a pipe, a gzip file or memory. Unbuffered: one call of bytesink_write()
 * is one write to the operating system, so whole blocks appear in a file at once.
 *
 *	struct bytesink *sink;
 *	if (bytesink_create(&sink, path, 0, err) != ST_OK) ...
 *	rc = bytesink_write(sink, bytes, len, err);
 *	rc2 = bytesink_close(sink, rc == ST_OK ? err : NULL);
 *
 * Threads: one at a time per sink.
 */
#ifndef TUSSAH_STORAGE_BYTESINK_H
#define TUSSAH_STORAGE_BYTESINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct bytesink;

enum bytesink_flags {
	BYTESINK_OVERWRITE = 1 << 0, /* an existing regular file is no error: it is replaced at the
				      * end (storage/namedfile.h) */
	BYTESINK_APPEND = 1 << 1,    /* read and write at the end of the file, made if missing */
	BYTESINK_LOCK = 1 << 2,  /* with APPEND: hold an exclusive lock, waited for, while open */
	BYTESINK_WHOLE = 1 << 3, /* a new file has its name only when it is whole, too */
};

/* Does this value of SILK_CLOBBER (NULL: not set) allow to overwrite? Empty ones and those that begin
 * with 0 do not. */
bool bytesink_clobbers(const char *value);

/*
 * Open path; "-" and "stdout" are standard output, "stderr" is standard error; a terminal is
 * refused. A name whose first ".gz" is its end is written through gzip; to append to it is refused.
 * *out returned: bytesink_close(). Errors name the path. ST_OK, ST_EEXIST, ST_EIO, ST_ESUPPORT.
 */
int bytesink_create(struct bytesink **out, const char *path, unsigned flags, struct err *err);

/* On a descriptor, which is taken. name is copied, for messages. */
struct bytesink *bytesink_open_fd(int fd, const char *name);

/* Into memory, for tests. */
struct bytesink *bytesink_memory(const char *name);
/* What was written so far; borrowed until the next write. */
const uint8_t *bytesink_bytes(const struct bytesink *sink, size_t *len);
/* Forget it. */
void bytesink_clear(struct bytesink *sink);

const char *bytesink_name(const struct bytesink *sink);
/* Can the file below seek? Pipes cannot. */
bool bytesink_is_seekable(const struct bytesink *sink);
/* Is nothing seen of what is written before it is closed? So it is with the null device, too. */
bool bytesink_is_hidden(const struct bytesink *sink);
/* The descriptor, to read or cut the file when appending; -1: none. */
int bytesink_fd(const struct bytesink *sink);

/* All of it or, where one can seek, nothing. ST_OK, ST_EIO, or ST_EPIPE where SIGPIPE is ignored. */
int bytesink_write(struct bytesink *sink, const void *bytes, size_t len, struct err *err);
/* Everything written is with the operating system, and durable when sync. */
int bytesink_flush(struct bytesink *sink, bool sync, struct err *err);
/* Free, also on failure; reports what closing reports. After a write that failed as
 * bytesink_abandon(). NULL is fine. */
int bytesink_close(struct bytesink *sink, struct err *err);
/* Free, for output that failed: a new file stays as far as it came, one that was to be replaced as
 * it was. NULL is fine. */
void bytesink_abandon(struct bytesink *sink);
/*
 * Free, for output that failed: a new file that bytesink_create() made is removed, one that was to be
 * replaced stays. A device, a pipe, standard output or a file appended to stays what it is. NULL is
 * fine.
 */
void bytesink_discard(struct bytesink *sink);

#endif

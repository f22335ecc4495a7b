/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where bytes come from: a file, a pipe, a gzip file or memory, behind one bounded view. Formats
 * are read through it, so tests need no disk.
 *
 *	struct bytesource *src = bytesource_memory(bytes, sizeof(bytes), "test");
 *	const uint8_t *at;
 *	size_t len;
 *	if (bytesource_view(src, 16, &at, &len, err) == ST_OK && len >= 16) {
 *		... bytesource_consume(src, 16);
 *	}
 *	bytesource_close(src);
 *
 * Threads: one at a time per source.
 */
#ifndef TUSSAH_STORAGE_BYTESOURCE_H
#define TUSSAH_STORAGE_BYTESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct bytesource;

/* The most that one view may ask for. */
#define BYTESOURCE_VIEW_MAX ((1u << 20) + 4096)

/*
 * Open path; "-" and "stdin" are standard input. A name ending in ".gz" or containing ".gz." is
 * read through gzip if its content is (silk-flow-files.md 2.6).
 * *out returned: bytesource_close(). Errors name the path. ST_OK, ST_ENOENT, ST_EIO.
 */
int bytesource_open(struct bytesource **out, const char *path, struct err *err);
/* Does bytesource_open() take it for standard input? A file may have such a name, too. */
bool bytesource_is_stdin(const char *path);
/* Is it a regular file, which can be opened again? */
bool bytesource_is_file(const char *path);
/* The same, but no terminal, where nobody types such bytes: ST_EIO. */
int bytesource_open_binary(struct bytesource **out, const char *path, struct err *err);
/* The same, read through gzip if its content is, whatever the name; standard input as it is. */
int bytesource_open_gzip(struct bytesource **out, const char *path, struct err *err);

/* On a descriptor, which is taken. name is copied, for messages. */
struct bytesource *bytesource_open_fd(int fd, const char *name);

/* On memory, which is kept: it must live as long as the source. */
struct bytesource *bytesource_memory(const void *bytes, size_t len, const char *name);

void bytesource_close(struct bytesource *src);

const char *bytesource_name(const struct bytesource *src);
/* The descriptor that bytes are read from as they are; -1: gzip or memory. Borrowed. */
int bytesource_fd(const struct bytesource *src);
/* Position of the next byte not yet consumed, from where the source began. */
uint64_t bytesource_offset(const struct bytesource *src);

/*
 * Show the next bytes without consuming them: at least want (<= BYTESOURCE_VIEW_MAX) of them unless
 * the data end first. *bytes is good until the next call. When reading fails, *bytes and *len still
 * show what came before the failure, and every later call fails in the same way.
 */
int bytesource_view(struct bytesource *src, size_t want, const uint8_t **bytes, size_t *len,
		    struct err *err);
void bytesource_consume(struct bytesource *src, size_t len);

/*
 * Pass over len bytes, without reading where one can seek. *skipped is less only at the end of the
 * data or when reading failed. ST_OK, or the error of a failed read.
 */
int bytesource_skip(struct bytesource *src, uint64_t len, uint64_t *skipped, struct err *err);

/* Copy and consume len bytes; ST_ETRUNC when there are fewer. */
int bytesource_read(struct bytesource *src, void *to, size_t len, struct err *err);

#endif

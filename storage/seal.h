/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealing: a block file is rewritten sorted by start time, in full blocks, with a footer, and
 * replaces itself at once (storage/FORMAT.md section 7). Readers that have the old file open are
 * not disturbed; writers that wait for its lock find the new one.
 *
 *	struct seal_result result;
 *	rc = seal_file(path, &(struct seal_opts){ .compression = CHUNK_LZO1X }, &result, err);
 */
#ifndef TUSSAH_STORAGE_SEAL_H
#define TUSSAH_STORAGE_SEAL_H

#include "storage/blockfile.h"

struct seal_opts {
	uint8_t compression; /* enum chunk_compression */
	bool force;          /* also what is sealed already and has nothing behind its footer */
	bool no_wait;        /* ST_EAGAIN when a writer holds the lock */
	const char *root; /* not NULL: ST_EAGAIN also when a log of this repository claims the file
			     (storage/appendlog.h) */
};

struct seal_result {
	bool sealed; /* false: there was nothing to do */
	uint64_t records;
	uint64_t blocks_before;
	uint64_t blocks;
	uint64_t bytes_before;
	uint64_t bytes;
	uint64_t torn_bytes; /* left out */
};

/*
 * A file with damage is not sealed (ST_EFORMAT): nothing that could still be read by other means is
 * thrown away. ST_OK, ST_EFORMAT, ST_EIO, ST_EAGAIN, ST_ENOENT; on failure the file is as it was.
 */
int seal_file(const char *path, const struct seal_opts *opts, struct seal_result *out,
	      struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that lie in several places, written to a file in as few calls as can be. Long runs go to
 * the disk past the kernel's cache of pages: at rates at which there are any, the cache could not
 * keep them until they are read, and finding pages for them costs more than all else in writing.
 *
 *	rc = bulkwrite(fd, offset, parts, count, pool, err);
 *	rc = fdatasync(fd) ...		// as after any write
 */
#ifndef TUSSAH_STORAGE_BULKWRITE_H
#define TUSSAH_STORAGE_BULKWRITE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"
#include "storage/parts.h"

#define BULKWRITE_DIRECT_BYTES (1u << 20) /* so long a run goes past the cache */

/*
 * Write all parts at offset; what was written of them when it failed stays. Nobody else may use fd
 * meanwhile: its flags change. Where the file system has no way past the cache it is not used. The
 * pool lends the memory that whole blocks are moved through; NULL: the system does.
 */
int bulkwrite(int fd, uint64_t offset, const struct iovec *parts, size_t count,
	      struct partpool *pool, struct err *err);

#endif

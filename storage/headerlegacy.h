/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers of file versions 0 to 15 (silk-flow-files.md 1.5); read only. For header.c alone. */
#ifndef TUSSAH_STORAGE_HEADERLEGACY_H
#define TUSSAH_STORAGE_HEADERLEGACY_H

#include "storage/header.h"

/* What comes first in all of them, and has been read already when headerlegacy_read() is called. */
#define HEADERLEGACY_BYTES 8

/*
 * Read on after the first eight bytes, of which format, file_version, compression and big_endian
 * have been set. Makes entries of what the header says. Contract as of header_read().
 */
int headerlegacy_read(struct header *header, struct bytesource *src, const struct site *site,
		      struct err *err);

#endif

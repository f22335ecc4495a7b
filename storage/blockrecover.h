/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a writer does to a block file before it appends (storage/FORMAT.md section 6). */
#ifndef TUSSAH_STORAGE_BLOCKRECOVER_H
#define TUSSAH_STORAGE_BLOCKRECOVER_H

#include "storage/blockfile.h"

struct blockrecover_result {
	uint64_t end; /* where the next block goes; 0: there is no header yet */
	uint64_t cut; /* bytes that were cut off */
	uint16_t sensor;
	uint8_t flowtype;
};

/*
 * fd is borrowed: open for reading and writing, and locked. The torn tail is cut off, and the
 * blocks at the end that a lost write left damaged; damage before is left alone. ST_OK, ST_EFORMAT
 * (another kind of file, or its header is damaged), ST_EVERSION, ST_EIO.
 */
int blockrecover(int fd, const char *path, struct blockrecover_result *out, struct err *err);

#endif

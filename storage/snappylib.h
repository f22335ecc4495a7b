/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Snappy library, loaded when a block asks for it. Few do, and with the library of C++, which
 * nothing else needs, it was a third of the time and the memory that a small tool starts with.
 *
 *	struct snappylib snappy;
 *
 *	if (snappylib_open(&snappy)) {
 *		status = snappy.uncompress(...);
 *		snappylib_close(&snappy);
 *	}
 *
 * Threads: any, each with a struct of its own.
 */
#ifndef TUSSAH_STORAGE_SNAPPYLIB_H
#define TUSSAH_STORAGE_SNAPPYLIB_H

#include <snappy-c.h>
#include <stdbool.h>

struct snappylib {
	void *handle;
	__typeof__(snappy_compress) *compress;
	__typeof__(snappy_uncompress) *uncompress;
	__typeof__(snappy_max_compressed_length) *max_compressed_length;
};

/* False: it is not there, and why is to be had from dlerror(). It stays in memory once it is loaded. */
bool snappylib_open(struct snappylib *lib);
void snappylib_close(struct snappylib *lib);

#endif

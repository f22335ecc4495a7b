/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The compression libraries, all behind this one door: single blocks by the methods of
 * enum compression and enum chunk_compression, and whole files by gzip.
 */
#ifndef TUSSAH_STORAGE_COMPRESS_H
#define TUSSAH_STORAGE_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/* State of compressing, made once per stream. Threads: one at a time. */
struct compressor;

/* method is none, zlib, lzo1x, snappy or CHUNK_ZSTD. Never NULL; free with compressor_free(). */
struct compressor *compressor_new(uint8_t method);
/*
 * The same for records of so many bytes, one behind the other: any reader reads what it makes, but
 * the bytes are not always those that the library makes.
 */
struct compressor *compressor_new_rows(uint8_t method, size_t row_bytes);
void compressor_free(struct compressor *compressor);

/* Bytes that compressing len bytes may need at most. */
size_t compress_bound(uint8_t method, size_t len);

/*
 * Compress one block. out has room for compress_bound() bytes; *out_len returns how many are used.
 * Returns ST_OK or ST_EIO (the library failed, or is not there).
 */
int compress_block(struct compressor *compressor, const uint8_t *in, size_t len, uint8_t *out,
		   size_t *out_len, struct err *err);

/*
 * Decompress one block that must give exactly out_len bytes. Never writes beyond them, whatever the
 * input. Returns ST_OK, ST_EFORMAT, or ST_EIO (the library is not there).
 */
int decompress_block(uint8_t method, const uint8_t *in, size_t len, uint8_t *out, size_t out_len,
		     struct err *err);

/* A whole file through gzip. */
struct gzip;

/*
 * fd is taken, also on failure. Reading passes data that are not gzip through as they are.
 * Returns ST_OK or ST_EIO.
 */
int gzip_open(struct gzip **out, int fd, bool writing, struct err *err);
/* *got < len only at the end. ST_OK, ST_EIO, ST_EFORMAT or ST_ETRUNC; *got bytes are good anyway.
 */
int gzip_read(struct gzip *gzip, void *to, size_t len, size_t *got, struct err *err);
int gzip_write(struct gzip *gzip, const void *from, size_t len, struct err *err);
/* Hand all that was written to the operating system, readable up to here. */
int gzip_flush(struct gzip *gzip, struct err *err);
int gzip_close(struct gzip *gzip, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data section of a SiLK file: plain bytes, or compressed blocks of them
 * (silk-flow-files.md section 2). Used for flows and by every other SiLK file with a header.
 */
#ifndef TUSSAH_STORAGE_BLOCK_H
#define TUSSAH_STORAGE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/bytesink.h"
#include "storage/bytesource.h"

/* A full block before compression, rounded down to whole records. */
#define BLOCK_BYTES 65536u
/* What a reader accepts (2.2). */
#define BLOCK_COMPRESSED_MAX (1u << 20)
#define BLOCK_PLAIN_MAX      ((1u << 20) - 3)
/* In front of a compressed block: its compressed and its plain size. */
#define BLOCK_FRAME_BYTES 8u

struct block_reader;

/*
 * Read from where src stands; src is kept and must outlive the reader. *out returned:
 * block_reader_free(). ST_OK, or ST_ESUPPORT: no such compression. Errors name the source.
 */
int block_reader_new(struct block_reader **out, struct bytesource *src, uint8_t compression,
		     struct err *err);
void block_reader_free(struct block_reader *reader);
/*
 * When the data are compressed, in a regular file, and turn out to be more than a few blocks:
 * decompress on a thread, some blocks ahead of what is shown. To be called before the first view.
 * From then on src is not to be touched until the reader is freed, nor block_reader_measure()
 * called. What is shown, and when damage is told, does not change.
 */
void block_reader_read_ahead(struct block_reader *reader);

/*
 * What is found out about a block by the thread that decompresses it, which has it at hand: about len
 * bytes of it from begin on, in numbers that mean something to the caller.
 */
struct block_digest {
	uint32_t begin;
	uint32_t len; /* 0: there is none */
	uint64_t numbers[4];
};
/* offset: of the block's first byte among all plain bytes. May be called by several threads at once. */
typedef void (*block_digest_fn)(uint64_t offset, const uint8_t *bytes, size_t len,
				struct block_digest *digest);
/* When the data are compressed, digest each block. To be called before the first view. */
void block_reader_digest(struct block_reader *reader, block_digest_fn digest);
/*
 * The digest of the block shown last, if none of its bytes is consumed: *before bytes of those shown
 * come before them. NULL: there is none. Good until the next view.
 */
const struct block_digest *block_reader_digested(const struct block_reader *reader, size_t *before);

/*
 * Show the next plain bytes, at least want (<= BLOCK_BYTES) unless the data end first, without
 * consuming them. At damage *bytes and *len show what came before it, and the call, and all later
 * ones, fail: ST_EFORMAT, ST_ETRUNC, ST_EIO.
 */
int block_reader_view(struct block_reader *reader, size_t want, const uint8_t **bytes, size_t *len,
		      struct err *err);
void block_reader_consume(struct block_reader *reader, size_t len);
/* Copy and consume len bytes; ST_ETRUNC when there are fewer. */
int block_reader_read(struct block_reader *reader, void *to, size_t len, struct err *err);
/*
 * Pass over len bytes, without decompressing blocks that lie wholly in them: damage inside these
 * is not seen. *skipped is less only at the end of the data, or when the call fails.
 */
int block_reader_skip(struct block_reader *reader, uint64_t len, uint64_t *skipped,
		      struct err *err);
/*
 * Pass over everything that is left, decompressing nothing. *bytes: how many plain bytes it holds,
 * up to the damage when the call fails.
 */
int block_reader_measure(struct block_reader *reader, uint64_t *bytes, struct err *err);
/* Where the reader stands, for messages: "byte 120" or "block 3". Static for the reader. */
const char *block_reader_place(struct block_reader *reader);

struct block_writer;

/*
 * The method that files have for what a writer was asked for: "best" and "default" are lzo1x where
 * one can seek, none on a pipe (2.5).
 */
uint8_t block_compression(uint8_t wanted, const struct bytesink *sink);

/*
 * Write to sink, which is kept. unit: length of a record, so that none is split over two blocks;
 * 1: bytes may go anywhere. compression is one that files have (no "best", no "default").
 */
struct block_writer *block_writer_new(struct bytesink *sink, uint8_t compression, size_t unit);
void block_writer_free(struct block_writer *writer); /* what is not flushed is lost */
/* Units are records, and are compressed as compressor_new_rows() says. Before the first one. */
void block_writer_use_rows(struct block_writer *writer);
/*
 * Compress on threads (storage/packcrew.h) when it turns out to be more than a few blocks. The
 * bytes are the same; they, and errors, come some blocks later, at block_writer_flush() at the
 * latest.
 */
void block_writer_use_crew(struct block_writer *writer);

/*
 * Room for count units in the current block: *to. Ends the block first if not even one fits.
 * Returns how many units (1..count) may be put there, or a status < 0.
 */
int block_writer_room(struct block_writer *writer, uint32_t count, uint8_t **to, struct err *err);
void block_writer_commit(struct block_writer *writer, uint32_t count);
/* Any bytes, split over blocks as they come; for unit 1. */
int block_writer_write(struct block_writer *writer, const void *bytes, size_t len, struct err *err);
/*
 * What can be put together from any place on, total bytes of it, and then nothing else but
 * flushing; for unit 1. fill() puts len bytes of it, from offset on, to where they belong; with
 * block_writer_use_crew() it is called by several threads at once. arg is borrowed until
 * block_writer_flush().
 */
typedef void (*block_fill_fn)(const void *arg, uint64_t offset, uint8_t *to, size_t len);
int block_writer_fill(struct block_writer *writer, uint64_t total, block_fill_fn fill,
		      const void *arg, struct err *err);
/* End the current block. */
int block_writer_flush(struct block_writer *writer, struct err *err);

/* ---- blocks packed elsewhere, by another thread ---- */

/* Bytes of a full block of this unit. */
static inline size_t block_full_bytes(size_t unit)
{
	return BLOCK_BYTES - BLOCK_BYTES % unit;
}
struct compressor;
/* Bytes that packing len bytes may need at most. */
size_t block_pack_bound(uint8_t compression, size_t len);
/* Compress a block of len bytes, as a writer would, into out: *out_len. ST_OK or ST_EIO. */
int block_pack(struct compressor *compressor, const uint8_t *plain, size_t len, uint8_t *out,
	       size_t *out_len, struct err *err);
/* Units that the current block still takes; of an empty or a full one: all. */
uint32_t block_writer_left(const struct block_writer *writer);
/* Write a packed block behind the current one, which is empty or full. */
int block_writer_put_packed(struct block_writer *writer, const uint8_t *packed, size_t len,
			    struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams of SiLK flow records: files, pipes, gzip, every format and version of
 * silk-flow-files.md, read into batches and written from records or batches.
 *
 *	struct stream *in;
 *	if (stream_open(&in, "-", NULL, err) != ST_OK) ...
 *	while ((st = stream_read_batch(in, batch, COLUMNS_ALL, err)) == ST_OK) ...
 *	stream_close(in, NULL);			// st is ST_END, or an error that names the place
 */
#ifndef TUSSAH_STORAGE_STREAM_H
#define TUSSAH_STORAGE_STREAM_H

#include "common/batch.h"
#include "common/site.h"
#include "storage/header.h"

struct stream;

struct stream_read_opts {
	const struct site *site; /* names in legacy headers' file names; may be NULL */
	bool keep_icmp_sport;    /* do not repair ICMP ports ($SILK_ICMP_SPORT_HANDLER=none) */
	bool read_ahead;         /* on a thread of its own (block_reader_read_ahead()) */
};

/*
 * Open for reading and check the header. path "-" or "stdin" is standard input; opts may be NULL.
 * Returns ST_OK, ST_ENOENT, ST_EIO, ST_EFORMAT (not SiLK, or not flows), ST_EVERSION, ST_ETRUNC,
 * ST_ELIMIT (header too large), ST_ESUPPORT (compression unknown); text as "path: reason".
 * *out: free with stream_close().
 */
int stream_open(struct stream **out, const char *path, const struct stream_read_opts *opts,
		struct err *err);

/* As stream_open, on a descriptor, which is taken. */
int stream_open_fd(struct stream **out, int fd, const char *name,
		   const struct stream_read_opts *opts, struct err *err);

/* As stream_open, on any source of bytes, which is taken, also on failure. */
int stream_open_source(struct stream **out, struct bytesource *src,
		       const struct stream_read_opts *opts, struct err *err);

/* The header as read; borrowed until stream_close(). */
const struct header *stream_header(const struct stream *stream);
uint64_t stream_records(const struct stream *stream); /* read or written so far */

/*
 * Read up to BATCH_ROWS rows; only the columns asked for are filled (more may be). Returns ST_OK
 * with at least one row, ST_END, or an error; rows before the damage have been delivered first.
 */
int stream_read_batch(struct stream *stream, struct batch *batch, uint32_t columns,
		      struct err *err);

/* Skip rows without decoding; *skipped <= count. Returns ST_OK, ST_END or an error. */
int stream_skip(struct stream *stream, uint64_t count, uint64_t *skipped, struct err *err);

struct stream_write_opts {
	uint8_t format;          /* 0: FORMAT_RWIPV6ROUTING */
	uint16_t record_version; /* 0: the format's default (RWGENERIC version 0 cannot be asked) */
	uint8_t compression;     /* enum compression; COMPRESSION_DEFAULT */
	enum byte_order byte_order;
	bool no_silk_version; /* $SILK_HEADER_NOVERSION */
	bool append;          /* add to an existing file in its own format, or make a new one */
	bool lock;            /* exclusive fcntl lock, waited for, while open */
	bool overwrite;       /* else an existing regular file is an error (ST_EEXIST) */
	bool whole;           /* a new file has its name only when it is whole */
	bool crew;            /* compress on threads (block_writer_use_crew()): bytes, and errors,
			       * come some blocks later */
	/* Make the new file of the format, version and compression of this header, with its
	 * entries; the members above that say so do not count then. Borrowed; NULL: no. */
	const struct header *like;
	const struct header *entries; /* entries to write in a new file; borrowed; NULL: none */
};

/*
 * Open for writing. path "-" or "stdout" is standard output; a terminal is refused. A name ending
 * in ".gz" is written through gzip. The header goes out with the first record or at close.
 */
int stream_create(struct stream **out, const char *path, const struct stream_write_opts *opts,
		  struct err *err);
int stream_create_fd(struct stream **out, int fd, const char *name,
		     const struct stream_write_opts *opts, struct err *err);

/* As stream_create, on any sink of bytes, which is taken, also on failure. opts->append, lock,
 * overwrite and whole are not looked at. */
int stream_create_sink(struct stream **out, struct bytesink *sink,
		       const struct stream_write_opts *opts, struct err *err);

/* bytesink_is_hidden() of a writer. */
bool stream_is_hidden(const struct stream *stream);

/*
 * Append copies of these entries to the header of a new file that nothing was written to yet, for
 * tools that learn them from their input after the output is open.
 */
void stream_add_entries(struct stream *stream, const struct header *entries);

/* ST_OK; ST_ERANGE: this record does not fit the format and was not written; else fatal. */
int stream_write(struct stream *stream, const struct record *rec, struct err *err);

/*
 * Write the selected rows of a batch that holds all columns. Rows that do not fit are skipped and
 * counted in *refused (may be NULL), the first reason in err. Returns ST_OK or a fatal error.
 */
int stream_write_batch(struct stream *stream, const struct batch *batch, uint64_t *refused,
		       struct err *err);

/*
 * Write a record of the stream's format and byte order as it is; rowformat_encode() made it. ST_OK
 * or a fatal error.
 */
int stream_write_encoded(struct stream *stream, const uint8_t *bytes, struct err *err);
/* The same with count records, one behind the other. */
int stream_write_encoded_rows(struct stream *stream, const uint8_t *bytes, uint64_t count,
			      struct err *err);
/*
 * Blocks that another thread packs (block_pack(), of block_full_bytes() of the record length): the
 * records that the current block still takes, all of a block when it is empty or full, and then
 * only may a block of rows records be written behind it.
 */
uint32_t stream_block_left(const struct stream *stream);
int stream_write_packed(struct stream *stream, const uint8_t *packed, size_t len, uint32_t rows,
			struct err *err);

/* End the current block and hand everything to the operating system; readers see whole records. */
int stream_flush(struct stream *stream, struct err *err);
/* stream_flush and fdatasync. */
int stream_sync(struct stream *stream, struct err *err);

/* Flush (writers) and free, also on failure. NULL is fine. Returns the first error. */
int stream_close(struct stream *stream, struct err *err);
/*
 * Free a writer as it is: records that are not flushed are lost, and of a stream without records
 * not even the header goes out. NULL is fine.
 */
void stream_abandon(struct stream *stream);

#endif

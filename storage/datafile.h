/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SiLK files that hold one thing: a set, a bag, an aggregate bag, a prefix map. What is the same in
 * reading and writing all of them: whose header it is, opening and closing, blocks.
 *
 *	static int read_thing(struct datafile *file, void *out, struct err *err) ...
 *
 *	int thing_read(struct thing **out, const char *path, struct header *header, struct err *err)
 *	{
 *		return datafile_read(path, header, read_thing, out, err);
 *	}
 */
#ifndef TUSSAH_STORAGE_DATAFILE_H
#define TUSSAH_STORAGE_DATAFILE_H

#include "storage/block.h"
#include "storage/header.h"

/* A file whose header was read; everything is borrowed. */
struct datafile {
	struct bytesource *src; /* stands behind the header */
	const char *name;       /* for messages */
	const struct header *header;
	bool swap;               /* numbers are in the other byte order than the machine's */
	struct block_reader *in; /* NULL before datafile_blocks() */
};

/*
 * Read the thing. out is what was given to datafile_read(), to be written only when all is well.
 * Errors name the file.
 */
typedef int datafile_read_fn(struct datafile *file, void *out, struct err *err);

/*
 * Read the header, then the thing. header, NULL when the caller does not want it, is filled as far
 * as it could be read, also on failure: header_release(). Returns what read() does, or the errors
 * of header_read().
 */
int datafile_read_from(struct bytesource *src, struct header *header, datafile_read_fn *read,
		       void *out, struct err *err);
/* The same of the file at path ("-" and "stdin" are standard input); errors of bytesource_open()
 * too. */
int datafile_read(const char *path, struct header *header, datafile_read_fn *read, void *out,
		  struct err *err);

/*
 * For those who read piece by piece: open the file and read its header, which is filled as far as
 * it could be read, and kept by file. datafile_close() and header_release(), also on failure.
 * Errors of datafile_read().
 */
int datafile_open(struct datafile *file, const char *path, struct header *header, struct err *err);
void datafile_close(struct datafile *file);

/* Make file->in, decompressing ahead; src is not to be touched then. As block_reader_new(). */
int datafile_blocks(struct datafile *file, struct err *err);

/*
 * Begin the header of a file of this format: not compressed, in the machine's byte order, without
 * entries. no_silk_version: see $SILK_HEADER_NOVERSION.
 */
void datafile_header(struct header *header, uint8_t format, uint16_t record_version,
		     uint16_t record_length, bool no_silk_version);

/* Write what into blocks and flush them. */
typedef int datafile_write_fn(void *what, struct block_writer *out, struct err *err);

/*
 * Write the header, then what in blocks that do not split a record of its length;
 * header->compression is one that files have. sink stays open. ST_OK, ST_EIO, or what write()
 * returns.
 */
int datafile_write(struct bytesink *sink, struct header *header, datafile_write_fn *write,
		   void *what, struct err *err);

#endif

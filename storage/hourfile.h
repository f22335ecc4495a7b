/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seam where an hourly repository file is opened: whatever kind it is, told by its magic, it is
 * read into batches and appended to through this interface: block files and SiLK streams.
 */
#ifndef TUSSAH_STORAGE_HOURFILE_H
#define TUSSAH_STORAGE_HOURFILE_H

#include "common/batch.h"
#include "storage/blockfile.h"
#include "storage/stream.h"

struct hourfile_reader;

int hourfile_open(struct hourfile_reader **out, const char *path,
		  const struct stream_read_opts *opts, struct err *err);
int hourfile_read_batch(struct hourfile_reader *reader, struct batch *batch, uint32_t columns,
			struct err *err);
/* The SiLK header, or NULL when the file is of another kind. */
const struct header *hourfile_header(const struct hourfile_reader *reader);
/* The block file, or NULL when the file is of another kind. Borrowed. */
const struct blockfile *hourfile_blocks(const struct hourfile_reader *reader);
void hourfile_close(struct hourfile_reader *reader);

struct hourfile_key {
	int64_t hour_ns;
	uint16_t sensor;
	uint8_t flowtype;
};

/* What a new file becomes; an existing one keeps its kind. */
enum hourfile_kind {
	HOURFILE_BLOCKS,
	HOURFILE_SILK,
};

struct hourfile_write_opts {
	uint8_t kind;        /* enum hourfile_kind */
	uint8_t compression; /* enum chunk_compression or enum compression, by kind */
	/* SiLK files. */
	uint8_t format; /* enum header_format; 0: FORMAT_RWIPV6 */
	enum byte_order byte_order;
	bool no_locking;
	bool no_silk_version;
};

struct hourfile_writer;

/*
 * Open the file of key for appending, locked; directories and file are made as needed. An existing
 * file keeps its own format. *created (may be NULL) tells whether it was new.
 */
int hourfile_append(struct hourfile_writer **out, const char *path, const struct hourfile_key *key,
		    const struct hourfile_write_opts *opts, bool *created, struct err *err);
/* ST_OK; ST_ERANGE: this record does not fit and was not written; else fatal. */
int hourfile_write(struct hourfile_writer *writer, const struct record *rec, struct err *err);
/* Everything written so far becomes visible as a whole; durable, as are the names of a new file and
 * of the folders made for it, when sync. */
int hourfile_flush(struct hourfile_writer *writer, bool sync, struct err *err);
uint64_t hourfile_records(const struct hourfile_writer *writer); /* written since the last call to
								    hourfile_take_records() */
uint64_t hourfile_take_records(struct hourfile_writer *writer);
int hourfile_finish(struct hourfile_writer *writer, struct err *err); /* flush, unlock, free */

#endif

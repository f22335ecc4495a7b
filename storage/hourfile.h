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

/*
 * Open any flow file; "-" and "stdin" are standard input. A block file that comes through a pipe or
 * gzip is put into a temporary file without a name first. As stream_open() and blockfile_open().
 */
int hourfile_open(struct hourfile_reader **out, const char *path,
		  const struct stream_read_opts *opts, struct err *err);
/* The same of a source at its beginning, which is taken, also on failure. */
int hourfile_open_source(struct hourfile_reader **out, struct bytesource *src,
			 const struct stream_read_opts *opts, struct err *err);
/* As stream_read_batch(). After a failure hourfile_goes_on() tells whether to read on. */
int hourfile_read_batch(struct hourfile_reader *reader, struct batch *batch, uint32_t columns,
			struct err *err);
/* After a failed read: can the next one give what is behind the damage? It costs one block of a
 * block file, and all the rest of other files. */
bool hourfile_goes_on(const struct hourfile_reader *reader);
/* A part of a block file, and how far it was read. */
struct hourfile_blocks {
	const struct blockfile *file;
	size_t block; /* at row */
	size_t end;   /* the block behind the part */
	uint32_t row;
};
/*
 * The same as hourfile_read_batch() of a part, block by block, without what was found damaged when
 * the file was opened; damage costs the rest of its block. Threads: any number may read parts of
 * one file, each with a cursor of its own, which stays with the part until its end.
 */
int hourfile_read_blocks(struct hourfile_blocks *part, struct blockfile_cursor *cursor,
			 struct batch *batch, uint32_t columns, struct err *err);
/* The SiLK header. Of a block file, which has none, a header of format 0 with the entries that say
 * the same as its own. */
const struct header *hourfile_header(const struct hourfile_reader *reader);
/* The block file, or NULL when the file is of another kind. Borrowed. */
const struct blockfile *hourfile_blocks(const struct hourfile_reader *reader);
void hourfile_close(struct hourfile_reader *reader);

/* Does the file, or what the source shows next, begin as a block file does? fd can seek. */
bool hourfile_is_blocks(int fd);
bool hourfile_source_is_blocks(struct bytesource *src);
/* Add to out what the header of a block file says, as entries of a SiLK header. */
void hourfile_block_entries(const struct blockfile *blocks, struct header *out);

struct hourfile_key {
	int64_t hour_ns;
	uint16_t sensor;
	uint8_t flowtype;
};

/* By sensor, flowtype, hour, as strcmp(): the order of reports, and in which several are locked. */
int hourfile_key_compare(const struct hourfile_key *a, const struct hourfile_key *b);

/* What a new file becomes; an existing one keeps its kind. */
enum hourfile_kind {
	HOURFILE_BLOCKS,
	HOURFILE_SILK,
};

struct hourfile_write_opts {
	uint8_t kind; /* enum hourfile_kind */
	/* enum compression; block files take lzo1x for snappy and the default, zstd for zlib and
	 * the best. */
	uint8_t compression;
	bool quick; /* block files that will be sealed: what is appended is made fast, not small */
	/* SiLK files. */
	uint8_t format;          /* enum header_format; 0: FORMAT_RWIPV6 */
	uint16_t record_version; /* 0: the format's default */
	/* Entries of a new file besides the one of the hour; borrowed for the call. NULL: none. */
	const struct header *entries;
	bool no_hour; /* that entry is left out: the file is of no hour */
	enum byte_order byte_order;
	bool no_locking;
	bool no_silk_version;
	/* hourappend: what is encoded shares its memory with others' here; kept. NULL: it does not.
	 */
	struct partpool *pool;
};

/* The method of chunks that does what this one of SiLK files does. */
uint8_t hourfile_chunk_method(uint8_t compression);

/* The folders above a file that is to be made: how many are missing; make them; and, when the file
 * is there, make its name and theirs durable. */
unsigned hourfile_missing_folders(const char *path);
int hourfile_make_folders(const char *path, struct err *err);
int hourfile_sync_folders(const char *path, unsigned made, struct err *err);

struct hourfile_writer;

/*
 * Open the file of key for appending, locked; directories and file are made as needed. An existing
 * file keeps its own format. *created (may be NULL) tells whether it was new.
 */
int hourfile_append(struct hourfile_writer **out, const char *path, const struct hourfile_key *key,
		    const struct hourfile_write_opts *opts, bool *created, struct err *err);
/* ST_OK; ST_ERANGE: this record does not fit and was not written; else fatal. */
int hourfile_write(struct hourfile_writer *writer, const struct record *rec, struct err *err);
/*
 * A value of an extension column for the record written last; value is copied. Files that keep none
 * (SiLK's) take it and forget it. Else as blockwriter_set(): ST_OK, ST_EINVAL, ST_ELIMIT.
 */
int hourfile_set(struct hourfile_writer *writer, const struct flowblock_value *value,
		 struct err *err);
/* Everything written so far becomes visible as a whole; durable, as are the names of a new file and
 * of the folders made for it, when sync. */
int hourfile_flush(struct hourfile_writer *writer, bool sync, struct err *err);
uint64_t hourfile_records(const struct hourfile_writer *writer); /* written since the last call to
								    hourfile_take_records() */
uint64_t hourfile_take_records(struct hourfile_writer *writer);
/* Bytes of a torn tail that were cut off when the file was opened (storage/FORMAT.md section 6). */
uint64_t hourfile_cut_bytes(const struct hourfile_writer *writer);
int hourfile_finish(struct hourfile_writer *writer, struct err *err); /* flush, unlock, free */

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The open hourly files of the repository. Any number of threads may write, one at a time; the
 * files that were written to longest ago are closed when more than the cache's size are open.
 *
 *	struct writer *writer = writer_new(&opts);
 *	writer_begin(writer);
 *	st = writer_write(writer, site, &rec, &extras, err);	// rec.sensor, rec.flowtype are set
 *	...
 *	writer_end(writer);
 *	st = writer_flush(writer, WRITER_REPORT, now_ns, err);	// now everything is durable
 *	writer_free(writer);
 */
#ifndef TUSSAH_PACKER_WRITER_H
#define TUSSAH_PACKER_WRITER_H

#include "common/site.h"
#include "packer/extras.h"
#include "packer/keeper.h"
#include "storage/hourfile.h"

/* Where records go that do not go to the hourly files of the root at once; any thread may call. */
struct writer_place {
	/* A name for a file of this key, under the root. Returned: g_free(). */
	char *(*path)(void *arg, const struct site *site, const struct hourfile_key *key);
	/* Its first record comes. ST_OK, or a fatal error. */
	int (*begin)(void *arg, const char *path, struct err *err);
	/* All its records are committed, and no more will come. */
	void (*closed)(void *arg, const char *path, uint64_t records);
	/* What was appended and does not count is taken out: see to what else was left. */
	int (*recover)(void *arg, struct err *err);
	/* What a new file of this key becomes, other than the opts say; may be NULL. What is put
	 * into the opts lives as long as the place. */
	void (*form)(void *arg, const struct hourfile_key *key, struct hourfile_write_opts *opts);
	uint64_t max_bytes; /* a file that has so many gets no more records; 0: no bound */
	void *arg;
};

struct writer_opts {
	const char *root;  /* borrowed for the life of the writer */
	size_t cache_size; /* files open at a time */
	struct hourfile_write_opts file;
	int64_t idle_ns;       /* close files not written to for so long; 0: five minutes */
	struct keeper *keeper; /* told of files that are opened and closed; may be NULL; kept */
	const struct writer_place *place; /* NULL: hourly files; kept */
};

struct writer;

struct writer *writer_new(const struct writer_opts *opts);
/* What was not committed is lost. */
void writer_free(struct writer *writer);

/* Between these, and only there, records may be written: by one thread, for a moment. */
void writer_begin(struct writer *writer);
void writer_end(struct writer *writer);

/*
 * Add the record to the file of its flowtype, sensor and hour, with the values that extras (NULL:
 * none) has for extension columns; formats without such columns leave those out. Returns ST_OK;
 * ST_ERANGE: it does not fit the file's format and was not written; else fatal: this and every
 * later call fails. Logs the opening of files.
 */
int writer_write(struct writer *writer, const struct site *site, const struct record *rec,
		 const struct extras *extras, struct err *err);
/* The same; a SiLK file that is new takes this format (enum header_format; 0: that of the opts),
 * or, where the format of the opts has interfaces, the one that has them, too. */
int writer_write_as(struct writer *writer, const struct site *site, const struct record *rec,
		    const struct extras *extras, uint8_t format, struct err *err);
/* Into the file of this key instead of that of its hour, sensor and flowtype. */
int writer_write_file(struct writer *writer, const struct site *site,
		      const struct hourfile_key *key, const struct record *rec,
		      const struct extras *extras, uint8_t format, struct err *err);
/*
 * Many records, each to the file of its flowtype, sensor and hour; formats: of new SiLK files, by
 * flowtype, as writer_write_as() has it. *refused of them did not fit the formats of their files
 * and were left out (err says of the last why). ST_OK or fatal.
 */
#define WRITER_ROWS_MAX 512
int writer_write_rows(struct writer *writer, const struct site *site, struct flowblock_row *rows,
		      size_t count, const uint8_t *formats, uint64_t *refused, struct err *err);
/* Values that a block had no column for: too many columns, or the type of one changed. */
uint64_t writer_extras_lost(const struct writer *writer);

/* Are there more files with records in memory than the cache is to hold? Then commit. */
bool writer_is_crowded(const struct writer *writer);

/*
 * Before the first record: keep a log of what is appended under this id in the root
 * (storage/appendlog.h), and take out of the files what a writer of this id that died had appended
 * in this epoch. What is done is logged. ST_OK, ST_EIO.
 */
int writer_recover(struct writer *writer, const char *id, uint64_t epoch, struct err *err);

enum writer_flush_flags {
	WRITER_REPORT = 1 << 0, /* log "PATH: N recs" for every file written to since last time */
	WRITER_CLOSE = 1 << 1,  /* close all files, not just the idle ones */
};

/*
 * What was written before this call is what the next commit makes durable; what is written
 * afterwards is not in it. Not while a commit is to be tried again. Returns at once.
 */
void writer_freeze(struct writer *writer);

struct writer_epoch {
	uint64_t number;
	/* Everything is appended (if anything was) and synced: say durably that the epoch is over.
	 * ST_ELIMIT: it is not, for want of room. When this fails otherwise it is not known whether
	 * it is; the next writer_recover() decides. */
	int (*over)(void *arg, bool appended, struct err *err);
	void *arg;
};

/*
 * Append what is frozen to all files, so that all of it counts once the epoch is over, or none.
 * epoch NULL: there is no log; each file counts by itself. now_ns: any clock that only goes
 * forward. Returns ST_OK; ST_ELIMIT: there is no room, nothing has changed, and the next commit
 * tries again with what was frozen; or the first error, which is fatal: this and every later commit
 * fails. One thread at a time; writers go on.
 */
int writer_commit(struct writer *writer, unsigned flags, int64_t now_ns,
		  const struct writer_epoch *epoch, struct err *err);

/* Freeze and commit without an epoch. */
int writer_flush(struct writer *writer, unsigned flags, int64_t now_ns, struct err *err);

/* Forget what was not committed. Nothing is written, or committed, meanwhile. */
void writer_discard(struct writer *writer);

size_t writer_open_files(struct writer *writer);

#endif

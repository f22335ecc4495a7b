/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The database of scans: the table "scans" of an SQLite file, with the columns that the manual page
 * of rwscan names. The only user of libsqlite3.
 *
 *	struct scandb_query query = { .first_ns = first, .last_ns = last };
 *	if (scandb_open(&db, "scans.sqlite", SCANDB_READ, err) == ST_OK &&
 *	    scandb_select(db, &query, err) == ST_OK) {
 *		while ((status = scandb_next(db, &row, err)) == ST_OK) ...
 *	}
 *	scandb_close(db);
 *
 * Errors name the file. Threads: one at a time per database. Other programs may use the file
 * meanwhile; one that writes is waited for.
 */
#ifndef TUSSAH_QUERY_SCANDB_H
#define TUSSAH_QUERY_SCANDB_H

#include "query/scanrow.h"
#include "storage/ipset.h"

struct scandb;

enum scandb_mode {
	SCANDB_READ,  /* the file must be there */
	SCANDB_WRITE, /* it is made, with its table and indexes, where they are missing */
};

/* *out returned: scandb_close(); untouched on failure. ST_OK, ST_ENOENT, ST_EIO. */
int scandb_open(struct scandb **out, const char *path, enum scandb_mode mode, struct err *err);
/* What was written is undone, unless scandb_commit() came before. NULL is fine. */
void scandb_close(struct scandb *db);

/* Scans that were active at some time from first to last, both included, by sources in the sets. */
struct scandb_query {
	int64_t first_ns;
	int64_t last_ns;
	const struct ipset *sources[2]; /* kept; NULL: all */
	bool by_time;                   /* in the order of their starts, not of their ids */
};

/* ST_OK, ST_EIO (there is no such table, too). A selection before this one ends. */
int scandb_select(struct scandb *db, const struct scandb_query *query, struct err *err);
/* ST_OK, ST_END, ST_EIO, ST_EFORMAT (a row that rwscan cannot have made). */
int scandb_next(struct scandb *db, struct scanrow *row, struct err *err);

/* Add a scan, whatever its id, unless the very same one is there: *added. ST_OK, ST_EIO. */
int scandb_add(struct scandb *db, const struct scanrow *row, bool *added, struct err *err);
/* All that was added is there for good, or (ST_EIO) nothing of it. */
int scandb_commit(struct scandb *db, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scandb.h"

#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <sqlite3.h>

#include "common/timestamp.h"

/* How long another program may hold the file. */
#define BUSY_MS 60000

#define TIME_FORMAT (TIMESTAMP_ISO | TIMESTAMP_NO_MSEC)

static const char schema[] = "BEGIN IMMEDIATE;"
			     "CREATE TABLE IF NOT EXISTS scans ("
			     " id INTEGER PRIMARY KEY AUTOINCREMENT,"
			     " sip INTEGER NOT NULL, proto SMALLINT NOT NULL,"
			     " stime TIMESTAMP NOT NULL, etime TIMESTAMP NOT NULL,"
			     " flows INTEGER NOT NULL, packets INTEGER NOT NULL,"
			     " bytes INTEGER NOT NULL,"
			     " scan_model INTEGER NOT NULL, scan_prob FLOAT NOT NULL);"
			     "CREATE INDEX IF NOT EXISTS scans_stime_idx ON scans (stime);"
			     "CREATE INDEX IF NOT EXISTS scans_etime_idx ON scans (etime);";

static const char insert_sql[] =
	"INSERT INTO scans"
	" (sip, proto, stime, etime, flows, packets, bytes, scan_model, scan_prob)"
	" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM scans"
	"  WHERE stime = ?3 AND sip = ?1 AND proto = ?2 AND etime = ?4 AND flows = ?5"
	"  AND packets = ?6 AND bytes = ?7 AND scan_model = ?8 AND scan_prob = ?9)";

#define SELECT_SQL                                                                                 \
	"SELECT id, sip, proto, stime, etime, flows, packets, bytes, scan_model, scan_prob"        \
	" FROM scans WHERE stime < ?2 AND etime >= ?1 ORDER BY "
static const char *const select_sql[] = { SELECT_SQL "id", SELECT_SQL "stime, id" };

struct scandb {
	char *path;
	sqlite3 *sqlite;
	sqlite3_stmt *select;
	sqlite3_stmt *insert;
	const struct ipset *sources[2];
};

static int fail(const struct scandb *db, struct err *err)
{
	return err_set(err, ST_EIO, "%s: %s", db->path, sqlite3_errmsg(db->sqlite));
}

static int open_file(struct scandb *db, enum scandb_mode mode, struct err *err)
{
	const int flags = mode == SCANDB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					       : SQLITE_OPEN_READONLY;

	if (mode == SCANDB_READ && access(db->path, F_OK) != 0) {
		return err_set(err, ST_ENOENT, "there is no database %s", db->path);
	}
	if (sqlite3_open_v2(db->path, &db->sqlite, flags, NULL) != SQLITE_OK) {
		return fail(db, err);
	}
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	if (mode == SCANDB_WRITE &&
	    (sqlite3_exec(db->sqlite, schema, NULL, NULL, NULL) != SQLITE_OK ||
	     sqlite3_prepare_v2(db->sqlite, insert_sql, -1, &db->insert, NULL) != SQLITE_OK)) {
		return fail(db, err);
	}
	return ST_OK;
}

int scandb_open(struct scandb **out, const char *path, enum scandb_mode mode, struct err *err)
{
	struct scandb *db = g_new0(struct scandb, 1);
	int status;

	db->path = g_strdup(path);
	status = open_file(db, mode, err);
	if (status != ST_OK) {
		scandb_close(db);
		return status;
	}
	*out = db;
	return ST_OK;
}

void scandb_close(struct scandb *db)
{
	if (!db) {
		return;
	}
	sqlite3_finalize(db->select);
	sqlite3_finalize(db->insert);
	sqlite3_close(db->sqlite);
	g_free(db->path);
	g_free(db);
}

static int bind_time(sqlite3_stmt *statement, int at, int64_t ns)
{
	char text[TIMESTAMP_TEXT_MAX];
	size_t len = timestamp_print(text, ns, TIME_FORMAT);

	return sqlite3_bind_text(statement, at, text, (int)len, SQLITE_TRANSIENT);
}

/* --- reading --- */

int scandb_select(struct scandb *db, const struct scandb_query *query, struct err *err)
{
	/* the first second after it; rows have whole seconds or fractions of them */
	int64_t end_ns = timestamp_floor(query->last_ns, NS_PER_S) + NS_PER_S;

	memcpy(db->sources, query->sources, sizeof(db->sources));
	sqlite3_finalize(db->select);
	db->select = NULL;
	if (sqlite3_prepare_v2(db->sqlite, select_sql[query->by_time], -1, &db->select, NULL) !=
		    SQLITE_OK ||
	    bind_time(db->select, 1, query->first_ns) != SQLITE_OK ||
	    bind_time(db->select, 2, end_ns) != SQLITE_OK) {
		return fail(db, err);
	}
	return ST_OK;
}

static int read_time(struct scandb *db, int column, int64_t *out_ns, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(db->select, column);

	return timestamp_parse(text ? text : "", false, out_ns, NULL, err);
}

static int read_row(struct scandb *db, struct scanrow *row, struct err *err)
{
	const int64_t sip = sqlite3_column_int64(db->select, 1);
	const int64_t protocol = sqlite3_column_int64(db->select, 2);

	*row = (struct scanrow){
		.id = sqlite3_column_int64(db->select, 0),
		.sip = (uint32_t)sip,
		.protocol = (uint8_t)protocol,
		.flows = (uint64_t)sqlite3_column_int64(db->select, 5),
		.packets = (uint64_t)sqlite3_column_int64(db->select, 6),
		.bytes = (uint64_t)sqlite3_column_int64(db->select, 7),
		.model = (uint32_t)sqlite3_column_int64(db->select, 8),
		.probability = sqlite3_column_double(db->select, 9),
	};
	if (row->sip != sip || row->protocol != protocol) {
		return err_set(err, ST_EFORMAT, "%s: scan %" G_GINT64_FORMAT ": not of IPv4",
			       db->path, row->id);
	}
	if (read_time(db, 3, &row->start_ns, err) != ST_OK ||
	    read_time(db, 4, &row->end_ns, err) != ST_OK) {
		err_prefix(err, "%s: scan %" G_GINT64_FORMAT, db->path, row->id);
		return ST_EFORMAT;
	}
	return ST_OK;
}

static bool is_wanted(const struct scandb *db, uint32_t sip)
{
	for (size_t i = 0; i < G_N_ELEMENTS(db->sources); i++) {
		if (db->sources[i] && !ipset_contains(db->sources[i], ip_from_v4(sip))) {
			return false;
		}
	}
	return true;
}

int scandb_next(struct scandb *db, struct scanrow *row, struct err *err)
{
	int step;

	while ((step = sqlite3_step(db->select)) == SQLITE_ROW) {
		int status = read_row(db, row, err);

		if (status != ST_OK || is_wanted(db, row->sip)) {
			return status;
		}
	}
	return step == SQLITE_DONE ? ST_END : fail(db, err);
}

/* --- writing --- */

static int bind_row(sqlite3_stmt *insert, const struct scanrow *row)
{
	const int64_t numbers[] = {
		[1] = row->sip,
		[2] = row->protocol,
		[5] = (int64_t)row->flows,
		[6] = (int64_t)row->packets,
		[7] = (int64_t)row->bytes,
		[8] = row->model,
	};
	int status = SQLITE_OK;

	for (int at = 1; at < (int)G_N_ELEMENTS(numbers) && status == SQLITE_OK; at++) {
		status = sqlite3_bind_int64(insert, at, numbers[at]);
	}
	if (status == SQLITE_OK) {
		status = bind_time(insert, 3, row->start_ns);
	}
	if (status == SQLITE_OK) {
		status = bind_time(insert, 4, row->end_ns);
	}
	return status == SQLITE_OK ? sqlite3_bind_double(insert, 9, row->probability) : status;
}

int scandb_add(struct scandb *db, const struct scanrow *row, bool *added, struct err *err)
{
	if (bind_row(db->insert, row) != SQLITE_OK || sqlite3_step(db->insert) != SQLITE_DONE) {
		return fail(db, err);
	}
	*added = sqlite3_changes(db->sqlite) > 0;
	sqlite3_reset(db->insert);
	return ST_OK;
}

int scandb_commit(struct scandb *db, struct err *err)
{
	if (sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
		return fail(db, err);
	}
	return ST_OK;
}

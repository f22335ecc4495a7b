/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/appender.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/log.h"
#include "common/timestamp.h"
#include "packer/filestate.h"
#include "storage/blockout.h"
#include "storage/hourappend.h"
#include "storage/hournotes.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"
#include "storage/repo.h"

#define APPENDER_LOCK        ".rwflowappend-lock"
#define APPENDER_RETRY_NS    5000000
#define APPENDER_FORMS_TRIED 5 /* the form of an hourly file changes under us when it is sealed */

struct appender {
	struct appender_opts opts;
	int lock_fd;             /* of the incoming directory; -1: none */
	struct appendlog **logs; /* of each thread */
	struct keeper *keeper;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	GHashTable *busy; /* hourly files in work */
};

/* One incremental file in work. */
struct increment {
	struct appender *appender;
	struct appendlog *log;
	const char *path;
	const char *name;
	uint64_t epoch; /* stands for this file and no other */
	struct hourfile_reader *reader;
	struct batch *batch;
	struct hourfile_key key;
	char *hour_path;
	const char *hour_name; /* from the root; in hour_path */
	GHashTable *types;     /* of extension columns in the block that is being made */
	uint64_t records;
	struct err damage; /* that ended the reading */
};

/* ---- opening ---- */

char *appender_id(const char *incoming_directory)
{
	char *real = realpath(incoming_directory, NULL);
	const char *path = real ? real : incoming_directory;
	char *id = g_strdup_printf("append%016" PRIx64, (uint64_t)XXH64(path, strlen(path), 0));

	free(real);
	return id;
}

/* The logs are those of the incoming directory, which only one appender has. */
static char *log_id(const struct appender *appender, unsigned thread)
{
	char *id = appender_id(appender->opts.incoming_directory);
	char *of_thread = g_strdup_printf("%st%u", id, thread);

	g_free(id);
	return of_thread;
}

static void tell_undone(void *arg, const char *path, uint64_t bytes, const char *trouble)
{
	(void)arg;
	if (trouble) {
		log_msg(LOG_LEVEL_ERR, "%s: %s", path, trouble);
	} else {
		log_msg(LOG_LEVEL_NOTICE,
			"'%s': took out %" PRIu64
			" bytes of an incremental file that was not finished",
			path, bytes);
	}
}

/* Undo what the log says if the file that it is about is still there. */
static int undo_if_there(struct appender *appender, struct appendlog *log, struct err *err)
{
	GDir *dir = g_dir_open(appender->opts.incoming_directory, 0, NULL);
	const char *name;
	int st = ST_OK;

	if (!dir) {
		return err_set(err, ST_EIO, "%s: cannot be read",
			       appender->opts.incoming_directory);
	}
	while (st == ST_OK && (name = g_dir_read_name(dir))) {
		char *path = g_build_filename(appender->opts.incoming_directory, name, NULL);
		struct stat stat;

		if (lstat(path, &stat) == 0 && S_ISREG(stat.st_mode)) {
			st = appendlog_undo(log, filestate_file(name, &stat), tell_undone, NULL,
					    err);
		}
		g_free(path);
	}
	g_dir_close(dir);
	if (st == ST_OK) {
		appendlog_clear(log); /* of a file that is gone: what was appended counts */
	}
	return st;
}

static bool log_exists(const struct appender *appender, const char *id)
{
	char *name = g_strconcat(APPENDLOG_PREFIX, id, NULL);
	char *path = g_build_filename(appender->opts.root_directory, name, NULL);
	bool exists = g_file_test(path, G_FILE_TEST_EXISTS);

	g_free(path);
	g_free(name);
	return exists;
}

/* Also the logs of threads that are no more. */
static int open_logs(struct appender *appender, struct err *err)
{
	int st = ST_OK;

	for (unsigned i = 0; st == ST_OK && i < APPENDER_THREADS_MAX; i++) {
		char *id = log_id(appender, i);
		struct appendlog *log = NULL;

		if (i < appender->opts.threads || log_exists(appender, id)) {
			st = appendlog_open(&log, appender->opts.root_directory, id, err);
		}
		if (st == ST_OK && log) {
			st = undo_if_there(appender, log, err);
		}
		if (st == ST_OK && i < appender->opts.threads) {
			appender->logs[i] = log;
		} else {
			appendlog_close(log);
		}
		g_free(id);
	}
	return st;
}

static int lock_incoming(struct appender *appender, struct err *err)
{
	char *path = g_build_filename(appender->opts.incoming_directory, APPENDER_LOCK, NULL);
	int st = ST_OK;

	if (!appender->opts.no_locking) {
		st = lockedfile_open(path, LOCKEDFILE_CREATE | LOCKEDFILE_NO_WAIT,
				     &appender->lock_fd, err);
		if (st == ST_EAGAIN) {
			st = err_set(err, st, "another rwflowappend watches '%s'",
				     appender->opts.incoming_directory);
		}
	}
	g_free(path);
	return st;
}

int appender_open(struct appender **out, const struct appender_opts *opts, struct err *err)
{
	struct appender *appender = g_new0(struct appender, 1);
	int st;

	appender->opts = *opts;
	appender->lock_fd = -1;
	appender->logs = g_new0(struct appendlog *, opts->threads);
	appender->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pthread_mutex_init(&appender->lock, NULL);
	pthread_cond_init(&appender->freed, NULL);
	st = lock_incoming(appender, err);
	if (st == ST_OK) {
		st = open_logs(appender, err);
	}
	if (st != ST_OK) {
		appender_close(appender);
		return st;
	}
	*out = appender;
	return ST_OK;
}

void appender_close(struct appender *appender)
{
	if (!appender) {
		return;
	}
	for (unsigned i = 0; i < appender->opts.threads; i++) {
		appendlog_close(appender->logs[i]);
	}
	if (appender->lock_fd >= 0) {
		close(appender->lock_fd);
	}
	g_hash_table_destroy(appender->busy);
	pthread_cond_destroy(&appender->freed);
	pthread_mutex_destroy(&appender->lock);
	g_free(appender->logs);
	g_free(appender);
}

void appender_set_keeper(struct appender *appender, struct keeper *keeper)
{
	appender->keeper = keeper;
}

/* ---- one thread at a time for each hourly file ---- */

static void begin_hour(struct appender *appender, const char *hour_path)
{
	pthread_mutex_lock(&appender->lock);
	while (g_hash_table_contains(appender->busy, hour_path)) {
		pthread_cond_wait(&appender->freed, &appender->lock);
	}
	g_hash_table_add(appender->busy, g_strdup(hour_path));
	pthread_mutex_unlock(&appender->lock);
}

static void end_hour(struct appender *appender, const char *hour_path)
{
	pthread_mutex_lock(&appender->lock);
	g_hash_table_remove(appender->busy, hour_path);
	pthread_cond_broadcast(&appender->freed);
	pthread_mutex_unlock(&appender->lock);
}

/* ---- files that are not appended ---- */

static int put_aside(struct increment *in, struct err *err)
{
	int st;

	log_msg(LOG_LEVEL_INFO, "Moving incremental file '%s' to the error directory", in->name);
	st = disposal_bad(&in->appender->opts.disposal, in->path, err);
	return st == ST_OK ? newfile_sync_folder(in->path, err) : st;
}

static int refuse(struct increment *in, const char *why, struct err *err)
{
	log_msg(LOG_LEVEL_WARNING, "%s", why);
	return put_aside(in, err);
}

/* A file without records is done with. */
static int take_empty(struct increment *in, struct err *err)
{
	char *folder = g_path_get_dirname(in->hour_name);
	int st;

	log_msg(LOG_LEVEL_INFO, "No records found in incremental file '%s'. Repository unchanged",
		in->name);
	st = disposal_good_under(&in->appender->opts.disposal, in->path, folder, err);
	if (st == ST_OK) {
		st = newfile_sync_folder(in->path, err);
	}
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "APPEND OK '%s' to '%s' @ 0", in->name, in->hour_path);
	}
	g_free(folder);
	return st;
}

/* NULL: the first record is within the hours; else why not. Returned: g_free(). */
static char *outside_window(const struct increment *in)
{
	const struct appender_opts *opts = &in->appender->opts;
	int64_t start_s = in->batch->start_ns[0] / NS_PER_S;
	int64_t hours = (int64_t)time(NULL) / 3600 - start_s / 3600;
	bool past = opts->hours_past >= 0 && hours > opts->hours_past;
	bool future = opts->hours_future >= 0 && -hours > opts->hours_future;

	if (!past && !future) {
		return NULL;
	}
	return g_strdup_printf("Skipping incremental file: First record's timestamp occurs %" PRId64
			       " hours in the %s: '%s'. Repository unchanged",
			       past ? hours : -hours, past ? "past" : "future", in->path);
}

/* ---- destination ---- */

/* From the header, else from the name; the site must know both. */
static bool find_key(struct increment *in)
{
	const struct site *site = in->appender->opts.site;
	const struct header *header = hourfile_header(in->reader);
	struct hourfile_key *key = &in->key;

	return (header_packed_file(header, &key->hour_ns, &key->flowtype, &key->sensor) &&
		site_sensor_name(site, key->sensor) && site_flowtype_name(site, key->flowtype)) ||
	       repo_parse_name(site, in->name, key) == ST_OK;
}

static void set_destination(struct increment *in)
{
	const struct appender_opts *opts = &in->appender->opts;

	in->hour_path = repo_path(opts->site, opts->root_directory, &in->key);
	in->hour_name = in->hour_path + strlen(opts->root_directory);
	in->hour_name += strspn(in->hour_name, "/");
}

/* What a new hourly file becomes; entries is filled for it. */
static struct hourfile_write_opts write_opts(const struct increment *in, struct header *entries)
{
	const struct appender_opts *opts = &in->appender->opts;
	const struct header *header = hourfile_header(in->reader);
	bool blocks = hourfile_blocks(in->reader) != NULL;
	struct hourfile_write_opts out = {
		.kind = opts->keep_kind ? (blocks ? HOURFILE_BLOCKS : HOURFILE_SILK) : opts->kind,
		.byte_order = opts->byte_order,
		.compression = opts->compression,
		.no_locking = opts->no_locking,
		.quick = in->appender->keeper != NULL, /* sealing makes it small */
		.entries = entries,
	};

	header_init(entries);
	if (blocks) {
		out.compression =
			out.compression == APPENDER_AS_IS ? COMPRESSION_DEFAULT : out.compression;
		return out;
	}
	out.format = header->format;
	out.record_version = header->record_version;
	if (opts->keep_byte_order) {
		out.byte_order = header->big_endian ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE;
	}
	if (out.compression == APPENDER_AS_IS) {
		out.compression = header->compression;
	}
	header_add_entries(entries, header);
	header_remove(entries, ENTRY_PACKED_FILE);
	return out;
}

/* ---- records ---- */

static int write_row(const struct increment *in, struct hourappend *out, uint32_t row,
		     struct err *err)
{
	struct record rec;
	int st;

	batch_get(in->batch, row, &rec);
	st = hourappend_write(out, &rec, err);
	for (size_t i = 0; st == ST_OK && i < batch_extension_count(in->batch); i++) {
		const struct batch_extension *column = batch_extension(in->batch, i);

		if (column->any && column->present[row]) {
			struct flowblock_value value = blockout_value(column, row);

			st = hourappend_set(out, &value, err);
		}
	}
	return st;
}

/* A column has one type in all of a block: has one of the batch another than before? */
static bool types_differ(struct increment *in)
{
	bool differ = false;

	for (size_t i = 0; i < batch_extension_count(in->batch); i++) {
		const struct batch_extension *column = batch_extension(in->batch, i);
		uint64_t key = (uint64_t)column->key.pen << 32 | column->key.id;
		gpointer type = GUINT_TO_POINTER(column->type + 1u);
		gpointer before = g_hash_table_lookup(in->types, &key);

		differ |= column->any && before && before != type;
		if (column->any) {
			g_hash_table_replace(in->types, g_memdup2(&key, sizeof(key)), type);
		}
	}
	return differ;
}

static int write_batch(struct increment *in, struct hourappend *out, struct err *err)
{
	int st = types_differ(in) ? hourappend_stage(out, err) : ST_OK;

	for (uint32_t row = 0; st == ST_OK && row < in->batch->rows; row++) {
		st = write_row(in, out, row, err);
	}
	in->records += in->batch->rows;
	return st;
}

/* The first batch has been read. *damage tells what ended the reading too early. */
static int encode(struct increment *in, struct hourappend *out, struct err *err)
{
	int st = write_batch(in, out, err);
	int read = ST_OK;

	while (st == ST_OK && (read = hourfile_read_batch(in->reader, in->batch, COLUMNS_ALL,
							  &in->damage)) == ST_OK) {
		st = write_batch(in, out, err);
	}
	in->damage.status = read == ST_OK || read == ST_END ? ST_OK : read;
	return st == ST_OK ? hourappend_stage(out, err) : st;
}

/* ---- appending ---- */

static int lock_hour(struct hourappend *out, struct err *err)
{
	const struct timespec moment = { .tv_nsec = APPENDER_RETRY_NS };
	int st;

	while ((st = hourappend_lock(out, err)) == ST_EAGAIN) {
		nanosleep(&moment, NULL);
	}
	return st;
}

/*
 * The hourly file is locked, and has all that it is to have. It counts when the incremental file
 * has left the directory. A failure after it may have left leaves the log to the next start.
 */
static int settle(struct increment *in, struct hourappend *out, struct err *err)
{
	char *folder = g_path_get_dirname(in->hour_name);
	int st;

	if (in->damage.status == ST_OK) {
		st = disposal_good_under(&in->appender->opts.disposal, in->path, folder, err);
	} else {
		log_msg(LOG_LEVEL_WARNING, "%s; the %" PRIu64 " records before are appended",
			in->damage.text, in->records);
		log_msg(LOG_LEVEL_INFO, "Moving incremental file '%s' to the error directory",
			in->name);
		st = disposal_bad(&in->appender->opts.disposal, in->path, err);
	}
	g_free(folder);
	if (st != ST_OK && access(in->path, F_OK) == 0) {
		if (hourappend_take_back(out, err) == ST_OK) {
			appendlog_clear(in->log);
		}
		return st;
	}
	st = newfile_sync_folder(in->path, err);
	if (st == ST_OK) {
		appendlog_clear(in->log);
		hourappend_keep(out);
	}
	return st;
}

static int append(struct increment *in, struct hourappend *out, bool existed, struct err *err)
{
	struct appendlog_claim claim;
	uint64_t old_size;
	struct err undo;
	int st;

	hourappend_get_claim(out, &claim);
	old_size = existed ? claim.offset : 0;
	st = appendlog_write(in->log, in->epoch, &claim, 1, err);
	if (st == ST_OK) {
		st = hourappend_put(out, err);
	}
	if (st == ST_OK) {
		st = hourappend_sync(out, err);
	}
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "APPEND FAILED '%s' to '%s' @ %" PRIu64, in->name,
			in->hour_path, old_size);
		if (hourappend_take_back(out, &undo) == ST_OK) {
			appendlog_clear(in->log);
		}
		return st;
	}
	st = settle(in, out, err);
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_DEBUG,
			"Read %" PRIu64 " recs from '%s'; wrote %" PRIu64
			" recs to '%s'; old size %" PRIu64 "; new size %" PRIu64,
			in->records, in->name, in->records, strrchr(in->hour_path, '/') + 1,
			old_size, claim.offset + claim.len);
		log_msg(LOG_LEVEL_INFO, "APPEND OK '%s' to '%s' @ %" PRIu64, in->name,
			in->hour_path, old_size);
	}
	return st;
}

/* ST_EFORMAT: the hourly file is not what it was, or damaged. ST_ERANGE: a record does not fit. */
static int take_records(struct increment *in, struct err *err)
{
	struct header entries;
	const struct hourfile_write_opts opts = write_opts(in, &entries);
	struct hourappend *out = NULL;
	bool existed = false;
	int st = hourappend_new(&out, in->hour_path, &in->key, &opts, &existed, err);

	if (st == ST_OK) {
		st = encode(in, out, err);
	}
	keeper_opened(in->appender->keeper, in->hour_path, in->key.hour_ns);
	if (st == ST_OK) {
		st = lock_hour(out, err);
	}
	if (st == ST_OK) {
		if (!existed) {
			log_msg(LOG_LEVEL_INFO, "Opening new repository file '%s'", in->hour_path);
		}
		st = append(in, out, existed, err);
		if (st == ST_OK && !existed && in->appender->opts.hour_file_command) {
			disposal_run("hour-file-command", in->appender->opts.hour_file_command,
				     in->hour_path);
		}
	}
	hourappend_free(out);
	keeper_closed(in->appender->keeper, in->hour_path);
	header_release(&entries);
	return st;
}

/* ---- one file ---- */

static void close_reader(struct increment *in)
{
	hourfile_close(in->reader);
	batch_free(in->batch);
	g_clear_pointer(&in->types, g_hash_table_destroy);
	in->reader = NULL;
	in->batch = NULL;
	in->records = 0;
	g_clear_pointer(&in->hour_path, g_free);
}

/* ST_OK, ST_END (no records), or why it is no good. */
static int open_reader(struct increment *in, struct err *err)
{
	const struct stream_read_opts opts = { .site = in->appender->opts.site };
	int st = hourfile_open(&in->reader, in->path, &opts, err);

	if (st != ST_OK) {
		return st;
	}
	in->batch = batch_new();
	in->types = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	if (hourfile_blocks(in->reader)) {
		batch_want_every(in->batch);
	}
	return hourfile_read_batch(in->reader, in->batch, COLUMNS_ALL, err);
}

/* *again: the form of the hourly file changed meanwhile. */
static int take_open_file(struct increment *in, bool *again, struct err *err)
{
	struct err why = { .status = ST_OK };
	int read = open_reader(in, &why);
	char *outside;
	int st;

	if (in->reader && !find_key(in)) {
		return refuse(in,
			      "Cannot tell the hourly file of an incremental file by its header or "
			      "name. Repository unchanged",
			      err);
	}
	if (read != ST_OK && read != ST_END) {
		log_msg(LOG_LEVEL_WARNING,
			"Error reading %s incremental file: %s. Repository unchanged",
			in->reader ? "first record from" : "header from", why.text);
		return put_aside(in, err);
	}
	set_destination(in);
	if (read == ST_END) {
		return take_empty(in, err);
	}
	outside = outside_window(in);
	if (outside) {
		st = refuse(in, outside, err);
		g_free(outside);
		return st;
	}
	begin_hour(in->appender, in->hour_path);
	st = take_records(in, &why);
	end_hour(in->appender, in->hour_path);
	*again = st == ST_EFORMAT;
	if (st == ST_ERANGE) {
		log_msg(LOG_LEVEL_WARNING,
			"A record of '%s' does not fit its hourly file: %s. Repository unchanged",
			in->name, why.text);
		return put_aside(in, err);
	}
	return st == ST_OK ? ST_OK : err_set(err, st, "%s", why.text);
}

/* Losses and other notes about hours: lines that are there already do no harm. */
static int take_notes(struct increment *in, struct err *err)
{
	const struct appender_opts *opts = &in->appender->opts;
	const struct hourlines_place place = { .root = opts->root_directory };
	struct err why;
	size_t lines;
	int st = hournotes_deliver(in->path, &place, NULL, NULL, &lines, &why);

	if (st == ST_EFORMAT || st == ST_ELIMIT) {
		return refuse(in, why.text, err);
	}
	if (st != ST_OK) {
		return err_set(err, st, "%s", why.text);
	}
	st = disposal_good_under(&opts->disposal, in->path, "notes", err);
	if (st == ST_OK) {
		st = newfile_sync_folder(in->path, err);
	}
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "APPEND OK '%s': %zu lines about hours", in->name, lines);
	}
	return st;
}

int appender_take(struct appender *appender, unsigned thread, const char *path, const char *name,
		  struct err *err)
{
	struct increment in = {
		.appender = appender,
		.log = appender->logs[thread],
		.path = path,
		.name = name,
	};
	struct stat stat;
	bool again = true;
	int fd = -1;
	int st = lockedfile_open(
		path, LOCKEDFILE_NO_WAIT | (appender->opts.no_locking ? LOCKEDFILE_NO_LOCK : 0),
		&fd, err);

	if (st == ST_EAGAIN) {
		log_msg(LOG_LEVEL_DEBUG, "Incremental file '%s' is in use", name);
	}
	if (st != ST_OK) {
		return st;
	}
	if (fstat(fd, &stat) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
		again = false;
	}
	log_msg(LOG_LEVEL_DEBUG, "Processing incremental file '%s'...", name);
	in.epoch = filestate_file(name, &stat);
	if (again && hournotes_recognise(path)) {
		st = take_notes(&in, err);
		again = false;
	}
	for (unsigned tries = 0; again && tries < APPENDER_FORMS_TRIED; tries++) {
		again = false;
		st = take_open_file(&in, &again, err);
		close_reader(&in);
	}
	if (again) {
		log_msg(LOG_LEVEL_ERR, "%s. Repository unchanged", err->text);
		st = put_aside(&in, err);
	}
	close(fd);
	return st;
}

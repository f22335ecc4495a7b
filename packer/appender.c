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
#include "packer/appender_internal.h"
#include "packer/filestate.h"
#include "storage/hourappend.h"
#include "storage/hournotes.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define APPENDER_LOCK        ".rwflowappend-lock"
#define APPENDER_RETRY_NS    5000000
#define APPENDER_FORMS_TRIED 5 /* the form of an hourly file changes under us when it is sealed */

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

static bool is_there(const void *arg, uint64_t epoch)
{
	return g_hash_table_contains((GHashTable *)arg, &epoch);
}

/* The epochs of all files in the incoming directory. */
static int find_epochs(const struct appender *appender, GHashTable *epochs, struct err *err)
{
	GDir *dir = g_dir_open(appender->opts.incoming_directory, 0, NULL);
	const char *name;

	if (!dir) {
		return err_set(err, ST_EIO, "%s: cannot be read",
			       appender->opts.incoming_directory);
	}
	while ((name = g_dir_read_name(dir))) {
		char *path = g_build_filename(appender->opts.incoming_directory, name, NULL);
		struct stat stat;

		if (lstat(path, &stat) == 0 && S_ISREG(stat.st_mode)) {
			uint64_t epoch = filestate_file(name, &stat);

			g_hash_table_add(epochs, g_memdup2(&epoch, sizeof(epoch)));
		}
		g_free(path);
	}
	g_dir_close(dir);
	return ST_OK;
}

/* Undo what the log says of files that are still there. */
static int undo_if_there(struct appender *appender, struct appendlog *log, struct err *err)
{
	GHashTable *epochs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	int st = find_epochs(appender, epochs, err);

	if (st == ST_OK) {
		st = appendlog_undo_where(log, is_there, epochs, tell_undone, NULL, err);
	}
	if (st == ST_OK) {
		appendlog_clear(log); /* of files that are gone: what was appended counts */
	}
	g_hash_table_destroy(epochs);
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

void appender_begin_hour(struct appender *appender, const char *hour_path)
{
	pthread_mutex_lock(&appender->lock);
	while (g_hash_table_contains(appender->busy, hour_path)) {
		pthread_cond_wait(&appender->freed, &appender->lock);
	}
	g_hash_table_add(appender->busy, g_strdup(hour_path));
	pthread_mutex_unlock(&appender->lock);
}

void appender_end_hour(struct appender *appender, const char *hour_path)
{
	pthread_mutex_lock(&appender->lock);
	g_hash_table_remove(appender->busy, hour_path);
	pthread_cond_broadcast(&appender->freed);
	pthread_mutex_unlock(&appender->lock);
}

/* ---- appending ---- */

int appender_lock_hour(struct hourappend *out, struct err *err)
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
	int st = increment_move(in, err);

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
		increment_tell(in, old_size, claim.offset + claim.len);
	}
	return st;
}

/* ST_EFORMAT: the hourly file is not what it was, or damaged. ST_ERANGE: a record does not fit. */
static int take_records(struct increment *in, struct err *err)
{
	struct header entries;
	const struct hourfile_write_opts opts = increment_write_opts(in, &entries);
	struct hourappend *out = NULL;
	bool existed = false;
	int st = hourappend_new(&out, in->hour_path, &in->key, &opts, &existed, err);

	if (st == ST_OK) {
		st = increment_encode(in, out, err);
	}
	keeper_opened(in->appender->keeper, in->hour_path, in->key.hour_ns);
	if (st == ST_OK) {
		st = appender_lock_hour(out, err);
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

/* *again: the form of the hourly file changed meanwhile. */
static int take_open_file(struct increment *in, bool *again, struct err *err)
{
	struct err why = { .status = ST_OK };
	int read = increment_open(in, &why);
	char *outside;
	int st;

	if (in->reader && !increment_find_key(in)) {
		return increment_refuse(
			in,
			"Cannot tell the hourly file of an incremental file by its header or "
			"name. Repository unchanged",
			err);
	}
	if (read != ST_OK && read != ST_END) {
		log_msg(LOG_LEVEL_WARNING,
			"Error reading %s incremental file: %s. Repository unchanged",
			in->reader ? "first record from" : "header from", why.text);
		return increment_put_aside(in, err);
	}
	increment_set_destination(in);
	if (read == ST_END) {
		return take_empty(in, err);
	}
	outside = increment_outside_window(in);
	if (outside) {
		st = increment_refuse(in, outside, err);
		g_free(outside);
		return st;
	}
	appender_begin_hour(in->appender, in->hour_path);
	st = take_records(in, &why);
	appender_end_hour(in->appender, in->hour_path);
	*again = st == ST_EFORMAT;
	if (st == ST_ERANGE) {
		log_msg(LOG_LEVEL_WARNING,
			"A record of '%s' does not fit its hourly file: %s. Repository unchanged",
			in->name, why.text);
		return increment_put_aside(in, err);
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
		return increment_refuse(in, why.text, err);
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

static int take_one(struct appender *appender, unsigned thread, const char *path, const char *name,
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
		increment_close(&in);
	}
	if (again) {
		log_msg(LOG_LEVEL_ERR, "%s. Repository unchanged", err->text);
		st = increment_put_aside(&in, err);
	}
	close(fd);
	return st;
}

int appender_take(struct appender *appender, unsigned thread, struct appender_file *files,
		  size_t count, struct err *err)
{
	int st = count > 1 ? appendgroup_take(appender, thread, files, count, err) : ST_OK;

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct appender_file *file = &files[i];

		if (file->done) {
			continue;
		}
		st = take_one(appender, thread, file->path, file->name, err);
		file->busy = st == ST_EAGAIN;
		file->done = st == ST_OK;
		st = st == ST_EAGAIN || st == ST_ENOENT ? ST_OK : st;
	}
	return st;
}

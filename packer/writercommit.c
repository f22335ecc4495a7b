/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commits: what is frozen goes to its files, all together or not at all. */
#include "packer/writer_internal.h"

#include <inttypes.h>
#include <time.h>

#include "common/hugeroom.h"
#include "common/log.h"
#include "storage/hoursync.h"

#define WRITER_LOCK_RETRY_NS 5000000
#define WRITER_LOCK_TELL     2000 /* tries, ten seconds, until a wait is told, and then again */
#define WRITER_SPARES        64   /* files that keep their memory from one commit to the next */
#define WRITER_TRIM_NS       (INT64_C(60) * 1000000000)

static void writer_freeze_file(struct writer_file *file)
{
	if (file->out && !hourappend_is_empty(file->out)) {
		file->frozen = file->out;
		file->out = NULL;
	}
}

static gint writer_compare(gconstpointer a, gconstpointer b)
{
	const struct writer_file *const *x = a;
	const struct writer_file *const *y = b;

	return hourfile_key_compare(&(*x)->key, &(*y)->key);
}

void writer_freeze(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	for (guint i = 0; i < writer->all->len; i++) {
		struct writer_file *file = g_ptr_array_index(writer->all, i);

		if (!file->frozen) {
			writer_freeze_file(file);
		}
	}
	pthread_mutex_unlock(&writer->lock);
}

/* All files, held on to, so that writers are not kept from the cache. */
static GPtrArray *writer_hold_files(struct writer *writer)
{
	GPtrArray *files;

	pthread_mutex_lock(&writer->lock);
	files = g_ptr_array_copy(writer->all, NULL, NULL);
	for (guint i = 0; i < files->len; i++) {
		((struct writer_file *)g_ptr_array_index(files, i))->held = true;
	}
	pthread_mutex_unlock(&writer->lock);
	g_ptr_array_sort(files, writer_compare);
	return files;
}

/* Others hold the lock for the moment of a commit, or while they seal. */
static int writer_lock_file(struct writer_file *file, struct err *err)
{
	const struct timespec moment = { .tv_nsec = WRITER_LOCK_RETRY_NS };
	int st;

	hourappend_set_left(file->frozen, &file->left);
	for (unsigned tries = 1; (st = hourappend_lock(file->frozen, err)) == ST_EAGAIN; tries++) {
		if (tries % WRITER_LOCK_TELL == 0) {
			log_msg(LOG_LEVEL_WARNING,
				"'%s': waiting for another process that has it locked", file->path);
		}
		nanosleep(&moment, NULL);
	}
	if (st == ST_OK && hourappend_cut_bytes(file->frozen) > 0) {
		log_msg(LOG_LEVEL_WARNING,
			"'%s': cut off %" PRIu64 " bytes of a block that was not whole", file->path,
			hourappend_cut_bytes(file->frozen));
	}
	return st;
}

/* Encode, lock, tell the log: everything that can fail before a file is changed. */
static int writer_prepare(struct writer *writer, GPtrArray *frozen, uint64_t epoch, struct err *err)
{
	struct appendlog_claim *claims = g_new0(struct appendlog_claim, frozen->len + 1);
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < frozen->len; i++) {
		struct writer_file *file = g_ptr_array_index(frozen, i);

		st = hourappend_stage(file->frozen, err);
	}
	for (guint i = 0; st == ST_OK && i < frozen->len; i++) {
		struct writer_file *file = g_ptr_array_index(frozen, i);

		st = writer_lock_file(file, err);
		if (st == ST_OK) {
			hourappend_get_claim(file->frozen, &claims[i]);
		}
	}
	if (st == ST_OK && writer->log && frozen->len > 0) {
		st = appendlog_write(writer->log, epoch, claims, frozen->len, err);
	}
	g_free(claims);
	return st;
}

static int writer_append(GPtrArray *frozen, struct err *err)
{
	struct hourappend **appends = g_new(struct hourappend *, frozen->len);
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < frozen->len; i++) {
		struct writer_file *file = g_ptr_array_index(frozen, i);

		appends[i] = file->frozen;
		st = hourappend_put(appends[i], err);
	}
	if (st == ST_OK) {
		st = hoursync(appends, frozen->len, err);
	}
	g_free(appends);
	return st;
}

static void writer_keep(struct writer *writer, GPtrArray *frozen, int64_t now_ns)
{
	for (guint i = 0; i < frozen->len; i++) {
		struct writer_file *file = g_ptr_array_index(frozen, i);

		file->bytes += hourappend_bytes(file->frozen);
		hourappend_keep(file->frozen);
		file->left = hourappend_left(file->frozen);
		file->last_written_ns = now_ns;
	}
	if (writer->log) {
		appendlog_clear(writer->log);
	}
}

/* What it is that failed; ST_ELIMIT only if all is as it was. */
static int writer_take_back(struct writer *writer, GPtrArray *frozen, int st)
{
	for (guint i = 0; i < frozen->len; i++) {
		struct writer_file *file = g_ptr_array_index(frozen, i);
		struct err err;

		if (hourappend_take_back(file->frozen, &err) != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err.text);
			st = ST_EIO;
		}
	}
	if (st == ST_ELIMIT && writer->log) {
		appendlog_clear(writer->log);
	}
	return st;
}

/*
 * A failure may come after the epoch was over (a rename that was done and not synced): then the
 * files stay as they are, and locked; the log is there for the next start to decide. Without room
 * it is not over.
 */
static int writer_end_epoch(struct writer *writer, GPtrArray *frozen,
			    const struct writer_epoch *epoch, struct err *err)
{
	int st = epoch->over(epoch->arg, frozen->len > 0, err);

	return st == ST_ELIMIT ? writer_take_back(writer, frozen, st) : st;
}

static int writer_commit_files(struct writer *writer, GPtrArray *files,
			       const struct writer_epoch *epoch, int64_t now_ns, struct err *err)
{
	GPtrArray *frozen = g_ptr_array_new();
	int st;

	for (guint i = 0; i < files->len; i++) {
		if (((struct writer_file *)g_ptr_array_index(files, i))->frozen) {
			g_ptr_array_add(frozen, g_ptr_array_index(files, i));
		}
	}
	st = writer_prepare(writer, frozen, epoch ? epoch->number : 0, err);
	if (st == ST_OK) {
		st = writer_append(frozen, err);
	}
	if (st != ST_OK) {
		st = writer_take_back(writer, frozen, st);
	} else if (epoch) {
		st = writer_end_epoch(writer, frozen, epoch, err);
	}
	if (st == ST_OK) {
		writer_keep(writer, frozen, now_ns);
	}
	g_ptr_array_free(frozen, TRUE);
	return st;
}

/* What was committed is empty: it gathers records again, unless there are many files. Locked. */
static void writer_reuse(struct writer *writer, struct writer_file *file)
{
	if (!file->spare && writer->all->len <= WRITER_SPARES) {
		file->spare = file->frozen;
	} else {
		hourappend_free(file->frozen);
	}
	file->frozen = NULL;
}

/* Report, give back, and close what is due. */
static void writer_put(struct writer *writer, GPtrArray *files, unsigned flags, int64_t now_ns)
{
	pthread_mutex_lock(&writer->lock);
	for (guint i = 0; i < files->len; i++) {
		struct writer_file *file = g_ptr_array_index(files, i);
		bool idle;

		if (file->frozen && hourappend_is_empty(file->frozen)) {
			writer_reuse(writer, file);
		}
		idle = !writer_file_waits(file);
		file->held = false;
		if (flags & WRITER_REPORT) {
			writer_report(file);
		}
		if (idle && ((flags & WRITER_CLOSE) || file->full ||
			     now_ns - file->last_written_ns > writer->opts.idle_ns)) {
			writer_close_file(writer, file);
		}
	}
	writer->crowded = g_hash_table_size(writer->files) > writer->opts.cache_size;
	pthread_mutex_unlock(&writer->lock);
}

/* What was needed once, for a commit that took long or at the turn of an hour, goes back. */
static void writer_trim(struct writer *writer, int64_t now_ns)
{
	if (now_ns - writer->trimmed_ns >= WRITER_TRIM_NS) {
		writer->trimmed_ns = now_ns;
		partpool_trim(writer->pool);
		hugeroom_return_kept();
	}
}

int writer_commit(struct writer *writer, unsigned flags, int64_t now_ns,
		  const struct writer_epoch *epoch, struct err *err)
{
	GPtrArray *files;
	int st;

	/* What came since is not frozen, or is part of a message: nothing may count any more. */
	if (writer->failed) {
		return err_set(err, ST_EIO, "writing was given up after an earlier error");
	}
	files = writer_hold_files(writer);
	st = writer_commit_files(writer, files, epoch, now_ns, err);
	writer->failed |= st != ST_OK && st != ST_ELIMIT;
	writer_put(writer, files, flags, now_ns);
	writer_trim(writer, now_ns);
	g_ptr_array_free(files, TRUE);
	return st;
}

int writer_flush(struct writer *writer, unsigned flags, int64_t now_ns, struct err *err)
{
	writer_freeze(writer);
	return writer_commit(writer, flags, now_ns, NULL, err);
}

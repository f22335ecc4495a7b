/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two kinds of lock: the cache's, held for look-ups, for opening a slot and for closing a file, and
 * one per file, held while a record goes in. A file in use (users > 0) is never closed. Closing
 * happens under the cache's lock so that the next one who opens the file finds its lock free.
 */
#include "packer/writer.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "common/log.h"
#include "storage/repo.h"

#define WRITER_IDLE_NS (INT64_C(300) * 1000000000) /* by default */

struct writer_file {
	struct hourfile_key key;
	GList link;     /* in writer.recent; its data is this struct */
	unsigned users; /* guarded by the cache's lock */

	pthread_mutex_t lock;        /* guards what follows */
	struct hourfile_writer *out; /* NULL: to be opened by the first user */
	char *path;
	bool dirty;              /* written to since the last flush */
	uint64_t unreported;     /* records since the last report */
	int64_t last_written_ns; /* of the flush that found it dirty */
};

struct writer {
	struct writer_opts opts;
	pthread_mutex_t lock;
	GHashTable *files; /* struct hourfile_key to struct writer_file */
	GQueue recent;     /* most recently used first */
	_Atomic uint64_t extras_lost;
	_Atomic bool failed;
};

static guint writer_key_hash(gconstpointer pointer)
{
	const struct hourfile_key *key = pointer;

	return g_int64_hash(&key->hour_ns) * 31 + key->sensor * 256u + key->flowtype;
}

static gboolean writer_key_equal(gconstpointer a, gconstpointer b)
{
	const struct hourfile_key *x = a;
	const struct hourfile_key *y = b;

	return x->hour_ns == y->hour_ns && x->sensor == y->sensor && x->flowtype == y->flowtype;
}

struct writer *writer_new(const struct writer_opts *opts)
{
	struct writer *writer = g_new0(struct writer, 1);

	writer->opts = *opts;
	writer->opts.idle_ns = opts->idle_ns > 0 ? opts->idle_ns : WRITER_IDLE_NS;
	pthread_mutex_init(&writer->lock, NULL);
	writer->files = g_hash_table_new(writer_key_hash, writer_key_equal);
	g_queue_init(&writer->recent);
	return writer;
}

static void writer_report(struct writer_file *file)
{
	if (file->unreported > 0) {
		log_msg(LOG_LEVEL_INFO, "%s: %" PRIu64 " recs", file->path, file->unreported);
		file->unreported = 0;
	}
}

/* Flush one file; its lock is held. */
static int writer_flush_file(struct writer_file *file, int64_t now_ns, struct err *err)
{
	int st = ST_OK;

	if (file->dirty && file->out) {
		st = hourfile_flush(file->out, true, err);
		file->dirty = st != ST_OK;
		file->last_written_ns = now_ns;
	}
	return st;
}

/* Close a file that nobody uses; the cache's lock is held. */
static int writer_close_file(struct writer *writer, struct writer_file *file, struct err *err)
{
	int st = writer_flush_file(file, file->last_written_ns, err);

	writer_report(file);
	if (file->out) {
		int finished = hourfile_finish(file->out, st == ST_OK ? err : NULL);

		st = st == ST_OK ? finished : st;
		keeper_closed(writer->opts.keeper, file->path);
	}
	g_hash_table_remove(writer->files, &file->key);
	g_queue_unlink(&writer->recent, &file->link);
	pthread_mutex_destroy(&file->lock);
	g_free(file->path);
	g_free(file);
	return st;
}

void writer_free(struct writer *writer)
{
	if (!writer) {
		return;
	}
	while (writer->recent.head) {
		struct err err;

		if (writer_close_file(writer, writer->recent.head->data, &err) != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err.text);
		}
	}
	g_hash_table_destroy(writer->files);
	pthread_mutex_destroy(&writer->lock);
	g_free(writer);
}

/* Make room for one more file, if any can be closed; the cache's lock is held. */
static int writer_evict(struct writer *writer, struct err *err)
{
	GList *at = writer->recent.tail;

	while (at && g_hash_table_size(writer->files) >= writer->opts.cache_size) {
		struct writer_file *file = at->data;
		int st;

		at = at->prev;
		if (file->users > 0) {
			continue;
		}
		st = writer_close_file(writer, file, err);
		if (st != ST_OK) {
			return st;
		}
	}
	return ST_OK;
}

static int writer_acquire(struct writer *writer, const struct site *site,
			  const struct hourfile_key *key, struct writer_file **out, struct err *err)
{
	struct writer_file *file;
	int st = ST_OK;

	pthread_mutex_lock(&writer->lock);
	file = g_hash_table_lookup(writer->files, key);
	if (!file) {
		st = writer_evict(writer, err);
		if (st != ST_OK) {
			goto done;
		}
		file = g_new0(struct writer_file, 1);
		file->key = *key;
		file->link.data = file;
		file->path = repo_path(site, writer->opts.root, key);
		pthread_mutex_init(&file->lock, NULL);
		g_hash_table_insert(writer->files, &file->key, file);
		g_queue_push_head_link(&writer->recent, &file->link);
	} else if (writer->recent.head != &file->link) {
		g_queue_unlink(&writer->recent, &file->link);
		g_queue_push_head_link(&writer->recent, &file->link);
	}
	file->users++;
	*out = file;
done:
	pthread_mutex_unlock(&writer->lock);
	return st;
}

static void writer_release(struct writer *writer, struct writer_file *file)
{
	pthread_mutex_lock(&writer->lock);
	file->users--;
	pthread_mutex_unlock(&writer->lock);
}

static int writer_open(struct writer *writer, struct writer_file *file, struct err *err)
{
	bool created = false;
	int st = hourfile_append(&file->out, file->path, &file->key, &writer->opts.file, &created,
				 err);

	if (st == ST_OK) {
		keeper_opened(writer->opts.keeper, file->path, file->key.hour_ns);
		log_msg(created ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			"Opening %s repository file '%s'", created ? "new" : "existing",
			file->path);
		if (hourfile_cut_bytes(file->out) > 0) {
			log_msg(LOG_LEVEL_WARNING,
				"'%s': cut off %" PRIu64 " bytes of a block that was not whole",
				file->path, hourfile_cut_bytes(file->out));
		}
	}
	return st;
}

/* The record is worth keeping without a value that has no place. */
static void writer_add_extras(struct writer *writer, struct writer_file *file,
			      const struct extras *extras)
{
	for (size_t i = 0; extras && i < extras->count; i++) {
		if (hourfile_set(file->out, &extras->values[i], NULL) != ST_OK) {
			writer->extras_lost++;
		}
	}
}

int writer_write(struct writer *writer, const struct site *site, const struct record *rec,
		 const struct extras *extras, struct err *err)
{
	const struct hourfile_key key = {
		.hour_ns = record_hour_ns(rec),
		.sensor = rec->sensor,
		.flowtype = rec->flowtype,
	};
	struct writer_file *file = NULL;
	int st;

	if (writer->failed) {
		return err_set(err, ST_EIO, "writing was given up after an earlier error");
	}
	st = writer_acquire(writer, site, &key, &file, err);
	if (st != ST_OK) {
		writer->failed = true;
		return st;
	}
	pthread_mutex_lock(&file->lock);
	if (!file->out) {
		st = writer_open(writer, file, err);
	}
	if (st == ST_OK) {
		st = hourfile_write(file->out, rec, err);
	}
	if (st == ST_OK) {
		writer_add_extras(writer, file, extras);
		file->dirty = true;
		file->unreported++;
	} else if (st != ST_ERANGE) {
		writer->failed = true;
	}
	pthread_mutex_unlock(&file->lock);
	writer_release(writer, file);
	return st;
}

/* SiLK's order in reports: sensor, flowtype, hour. */
static gint writer_compare(gconstpointer a, gconstpointer b)
{
	const struct writer_file *x = *(struct writer_file *const *)a;
	const struct writer_file *y = *(struct writer_file *const *)b;

	if (x->key.sensor != y->key.sensor) {
		return x->key.sensor < y->key.sensor ? -1 : 1;
	}
	if (x->key.flowtype != y->key.flowtype) {
		return x->key.flowtype < y->key.flowtype ? -1 : 1;
	}
	return x->key.hour_ns < y->key.hour_ns ? -1 : x->key.hour_ns > y->key.hour_ns;
}

/* Flush and report one file, whoever is writing to it. */
static int writer_flush_shared(struct writer_file *file, unsigned flags, int64_t now_ns,
			       struct err *err)
{
	int st;

	pthread_mutex_lock(&file->lock);
	st = writer_flush_file(file, now_ns, err);
	if (flags & WRITER_REPORT) {
		writer_report(file);
	}
	pthread_mutex_unlock(&file->lock);
	return st;
}

/* Give one file back, and close it if that is due; the cache's lock is held. */
static int writer_put(struct writer *writer, struct writer_file *file, unsigned flags,
		      int64_t now_ns, struct err *err)
{
	/* with the last user gone, what the file's lock guarded is ours to look at */
	bool due = --file->users == 0 &&
		   ((flags & WRITER_CLOSE) ||
		    (!file->dirty && now_ns - file->last_written_ns > writer->opts.idle_ns));

	return due ? writer_close_file(writer, file, err) : ST_OK;
}

int writer_flush(struct writer *writer, unsigned flags, int64_t now_ns, struct err *err)
{
	GPtrArray *files = g_ptr_array_new();
	int st = ST_OK;

	/* hold on to every file, so that syncing them does not keep writers from the cache */
	pthread_mutex_lock(&writer->lock);
	for (GList *at = writer->recent.head; at; at = at->next) {
		((struct writer_file *)at->data)->users++;
		g_ptr_array_add(files, at->data);
	}
	pthread_mutex_unlock(&writer->lock);
	g_ptr_array_sort(files, writer_compare);
	for (guint i = 0; i < files->len; i++) {
		int flushed = writer_flush_shared(g_ptr_array_index(files, i), flags, now_ns,
						  st == ST_OK ? err : NULL);

		st = st == ST_OK ? flushed : st;
	}
	pthread_mutex_lock(&writer->lock);
	for (guint i = 0; i < files->len; i++) {
		int closed = writer_put(writer, g_ptr_array_index(files, i), flags, now_ns,
					st == ST_OK ? err : NULL);

		st = st == ST_OK ? closed : st;
	}
	pthread_mutex_unlock(&writer->lock);
	g_ptr_array_free(files, TRUE);
	if (writer->failed && st == ST_OK) {
		st = err_set(err, ST_EIO, "writing was given up after an earlier error");
	}
	if (st != ST_OK) {
		writer->failed =
			true; /* for good: a writer may have failed since it was looked at */
	}
	return st;
}

uint64_t writer_extras_lost(const struct writer *writer)
{
	return writer->extras_lost;
}

size_t writer_open_files(struct writer *writer)
{
	size_t count;

	pthread_mutex_lock(&writer->lock);
	count = g_hash_table_size(writer->files);
	pthread_mutex_unlock(&writer->lock);
	return count;
}

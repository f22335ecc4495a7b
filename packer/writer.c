/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records are encoded in memory and go to disk in commits, all files together or not at all. A
 * commit (writercommit.c) freezes what there is; records that come meanwhile begin anew.
 */
#include "packer/writer_internal.h"

#include <assert.h>
#include <inttypes.h>

#include "common/log.h"
#include "common/timestamp.h"
#include "storage/repo.h"

#define WRITER_IDLE_NS (INT64_C(300) * 1000000000) /* by default */

static guint writer_key_hash(gconstpointer pointer)
{
	const struct hourfile_key *key = pointer;

	return g_int64_hash(&key->hour_ns) * 31 + key->sensor * 256u + key->flowtype;
}

/* Sensor and flowtype in one number: compared as two that were just stored apart, they would have to
 * wait for memory. */
static inline uint32_t writer_types(const struct hourfile_key *key)
{
	return (uint32_t)key->sensor << 8 | key->flowtype;
}

/* Records of one sensor take turns in few files. */
static struct writer_file **writer_near(struct writer *writer, const struct hourfile_key *key)
{
	return &writer->near[(key->sensor * 5u + key->flowtype) % WRITER_NEAR];
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
	writer->all = g_ptr_array_new();
	writer->pool = partpool_new();
	writer->opts.file.pool = writer->pool;
	return writer;
}

void writer_report(struct writer_file *file)
{
	if (file->unreported > 0) {
		log_msg(LOG_LEVEL_INFO, "%s: %" PRIu64 " recs", file->path, file->unreported);
		file->unreported = 0;
	}
}

void writer_close_file(struct writer *writer, struct writer_file *file)
{
	struct writer_file **near = writer_near(writer, &file->key);

	*near = *near == file ? NULL : *near;
	writer_report(file);
	hourappend_free(file->out);
	hourappend_free(file->spare);
	if (file->opened) {
		keeper_closed(writer->opts.keeper, file->path);
	}
	if (file->opened && !file->frozen && writer->opts.place) {
		writer->opts.place->closed(writer->opts.place->arg, file->path, file->records);
	}
	if (!file->full) {
		g_hash_table_remove(writer->files, &file->key);
	}
	g_ptr_array_remove_fast(writer->all, file);
	g_free(file->path);
	g_free(file);
}

void writer_free(struct writer *writer)
{
	if (!writer) {
		return;
	}
	while (writer->all->len > 0) {
		struct writer_file *file = g_ptr_array_index(writer->all, 0);

		hourappend_free(file->frozen);
		writer_close_file(writer, file);
	}
	appendlog_close(writer->log);
	g_hash_table_destroy(writer->files);
	g_ptr_array_free(writer->all, TRUE);
	partpool_free(writer->pool);
	pthread_mutex_destroy(&writer->lock);
	g_free(writer);
}

static void writer_tell_undone(void *arg, const char *path, uint64_t bytes, const char *trouble)
{
	(void)arg;
	if (trouble) {
		log_msg(LOG_LEVEL_ERR, "%s: %s", path, trouble);
	} else {
		log_msg(LOG_LEVEL_NOTICE,
			"'%s': took out %" PRIu64 " bytes that were not yet to count", path, bytes);
	}
}

int writer_recover(struct writer *writer, const char *id, uint64_t epoch, struct err *err)
{
	const struct writer_place *place = writer->opts.place;
	int st = appendlog_open(&writer->log, writer->opts.root, id, err);

	if (st == ST_OK) {
		st = appendlog_undo(writer->log, epoch, writer_tell_undone, NULL, err);
	}
	return st == ST_OK && place ? place->recover(place->arg, err) : st;
}

bool writer_file_waits(const struct writer_file *file)
{
	return file->frozen || file->row_count > 0 ||
	       (file->out && !hourappend_is_empty(file->out));
}

static bool writer_is_full(const struct writer *writer)
{
	return g_hash_table_size(writer->files) >= writer->opts.cache_size;
}

/* The file that was written to longest ago, of those that can be closed; NULL: none can. */
static struct writer_file *writer_find_idle(const struct writer *writer)
{
	struct writer_file *idle = NULL;

	for (guint i = 0; i < writer->all->len; i++) {
		struct writer_file *file = g_ptr_array_index(writer->all, i);

		if ((!idle || file->used < idle->used) && !file->held && !writer_file_waits(file)) {
			idle = file;
		}
	}
	return idle;
}

/* Make room for one more file, if any can be closed. */
static void writer_evict(struct writer *writer)
{
	struct writer_file *idle;

	while (writer_is_full(writer) && (idle = writer_find_idle(writer))) {
		writer_close_file(writer, idle);
	}
	writer->crowded = writer_is_full(writer);
}

bool writer_is_crowded(const struct writer *writer)
{
	return writer->crowded;
}

static char *writer_path(const struct writer *writer, const struct site *site,
			 const struct hourfile_key *key)
{
	const struct writer_place *place = writer->opts.place;

	return place ? place->path(place->arg, site, key) : repo_path(site, writer->opts.root, key);
}

static struct writer_file *writer_add_file(struct writer *writer, const struct site *site,
					   const struct hourfile_key *key)
{
	struct writer_file *file = g_new0(struct writer_file, 1);

	writer_evict(writer);
	file->key = *key;
	file->types = writer_types(key);
	file->path = writer_path(writer, site, key);
	g_hash_table_insert(writer->files, &file->key, file);
	g_ptr_array_add(writer->all, file);
	return file;
}

static struct writer_file *writer_find(struct writer *writer, const struct site *site,
				       const struct hourfile_key *key)
{
	struct writer_file **near = writer_near(writer, key);
	struct writer_file *file = *near;

	if (!file || file->key.hour_ns != key->hour_ns || file->types != writer_types(key)) {
		file = g_hash_table_lookup(writer->files, key);
		file = file ? file : writer_add_file(writer, site, key);
		*near = file;
	}
	file->used = ++writer->uses;
	return file;
}

/* The file's first record comes. */
static int writer_begin_file(struct writer *writer, struct writer_file *file, bool existed,
			     struct err *err)
{
	const struct writer_place *place = writer->opts.place;
	int st = place ? place->begin(place->arg, file->path, err) : ST_OK;

	if (st != ST_OK) {
		return st;
	}
	file->opened = true;
	keeper_opened(writer->opts.keeper, file->path, file->key.hour_ns);
	if (!place) {
		log_msg(existed ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
			"Opening %s repository file '%s'", existed ? "existing" : "new",
			file->path);
	}
	return ST_OK;
}

/* Begin to gather records for the file. */
static int writer_open(struct writer *writer, struct writer_file *file, uint8_t format,
		       struct err *err)
{
	struct hourfile_write_opts opts = writer->opts.file;
	bool existed = false;
	int st;

	if (file->spare) {
		file->out = file->spare;
		file->spare = NULL;
		return ST_OK;
	}
	if (format) {
		opts.format = opts.format == FORMAT_RWIPV6ROUTING ? FORMAT_RWROUTED : format;
	}
	if (writer->opts.place && writer->opts.place->form) {
		writer->opts.place->form(writer->opts.place->arg, &file->key, &opts);
	}
	st = hourappend_new(&file->out, file->path, &file->key, &opts, &existed, err);
	return st == ST_OK && !file->opened ? writer_begin_file(writer, file, existed, err) : st;
}

/* The record is worth keeping without a value that has no place. */
static void writer_add_values(struct writer *writer, struct writer_file *file,
			      const struct flowblock_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (hourappend_set(file->out, &values[i], NULL) != ST_OK) {
			writer->extras_lost++;
		}
	}
}

/* A file that has enough gets no more, and is closed by the next commit. */
static void writer_check_full(struct writer *writer, struct writer_file *file)
{
	const struct writer_place *place = writer->opts.place;

	if (place && place->max_bytes > 0 &&
	    file->bytes + hourappend_bytes(file->out) >= place->max_bytes) {
		*writer_near(writer, &file->key) = NULL;
		g_hash_table_remove(writer->files, &file->key);
		file->full = true;
		writer->crowded = true;
	}
}

static int writer_put_record(struct writer *writer, struct writer_file *file,
			     const struct record *rec, const struct flowblock_value *values,
			     size_t value_count, uint8_t format, struct err *err)
{
	int st = file->out ? ST_OK : writer_open(writer, file, format, err);

	if (st == ST_OK) {
		st = hourappend_write(file->out, rec, err);
	}
	if (st == ST_OK) {
		writer_add_values(writer, file, values, value_count);
		file->unreported++;
		file->records++;
		writer_check_full(writer, file);
	} else if (st != ST_ERANGE) {
		writer->failed = true;
	}
	return st;
}

int writer_write(struct writer *writer, const struct site *site, const struct record *rec,
		 const struct extras *extras, struct err *err)
{
	return writer_write_as(writer, site, rec, extras, 0, err);
}

int writer_write_as(struct writer *writer, const struct site *site, const struct record *rec,
		    const struct extras *extras, uint8_t format, struct err *err)
{
	const struct hourfile_key key = {
		.hour_ns = record_hour_ns(rec),
		.sensor = rec->sensor,
		.flowtype = rec->flowtype,
	};

	return writer_write_file(writer, site, &key, rec, extras, format, err);
}

int writer_write_file(struct writer *writer, const struct site *site,
		      const struct hourfile_key *key, const struct record *rec,
		      const struct extras *extras, uint8_t format, struct err *err)
{
	if (writer->failed) {
		return err_set(err, ST_EIO, "writing was given up after an earlier error");
	}
	return writer_put_record(writer, writer_find(writer, site, key), rec,
				 extras ? extras->values : NULL, extras ? extras->count : 0, format,
				 err);
}

/* ---- many at once ---- */

static struct writer_file *writer_find_row(struct writer *writer, const struct site *site,
					   const struct record *rec)
{
	const struct hourfile_key types = { .sensor = rec->sensor, .flowtype = rec->flowtype };
	struct writer_file *file = *writer_near(writer, &types);

	if (file && file->types == writer_types(&types) && rec->start_ns >= file->key.hour_ns &&
	    rec->start_ns - file->key.hour_ns < NS_PER_HOUR) {
		file->used = ++writer->uses;
		return file;
	}
	return writer_find(writer, site,
			   &(struct hourfile_key){ .hour_ns = record_hour_ns(rec),
						   .sensor = rec->sensor,
						   .flowtype = rec->flowtype });
}

/* Of a file that does not take rows. */
static int writer_put_each(struct writer *writer, struct writer_file *file, uint8_t format,
			   uint64_t *refused, struct err *err)
{
	int st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < file->row_count; i++) {
		const struct flowblock_row *row = file->rows[i];

		st = writer_put_record(writer, file, &row->rec, row->values, row->value_count,
				       format, err);
		if (st == ST_ERANGE) {
			++*refused;
			st = ST_OK;
		}
	}
	return st;
}

static int writer_put_rows(struct writer *writer, struct writer_file *file, uint8_t format,
			   uint64_t *refused, struct err *err)
{
	uint64_t lost = 0;
	int st = file->out ? ST_OK : writer_open(writer, file, format, err);

	if (st == ST_OK && !hourappend_takes_rows(file->out)) {
		return writer_put_each(writer, file, format, refused, err);
	}
	if (st == ST_OK) {
		st = hourappend_write_rows(file->out, file->rows, file->row_count, &lost, err);
	}
	if (st != ST_OK) {
		writer->failed = true;
		return st;
	}
	writer->extras_lost += lost;
	file->unreported += file->row_count;
	file->records += file->row_count;
	writer_check_full(writer, file);
	return ST_OK;
}

int writer_write_rows(struct writer *writer, const struct site *site, struct flowblock_row *rows,
		      size_t count, const uint8_t *formats, uint64_t *refused, struct err *err)
{
	struct writer_file *files[WRITER_ROWS_MAX];
	size_t file_count = 0;
	int st = ST_OK;

	assert(count <= WRITER_ROWS_MAX);
	if (writer->failed) {
		return err_set(err, ST_EIO, "writing was given up after an earlier error");
	}
	for (size_t i = 0; i < count; i++) {
		struct writer_file *file = writer_find_row(writer, site, &rows[i].rec);

		if (file->row_count == 0) {
			files[file_count++] = file;
		}
		file->rows[file->row_count++] = &rows[i];
	}
	for (size_t i = 0; i < file_count; i++) {
		if (st == ST_OK) {
			st = writer_put_rows(writer, files[i], formats[files[i]->key.flowtype],
					     refused, err);
		}
		files[i]->row_count = 0;
	}
	return st;
}

void writer_begin(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
}

void writer_end(struct writer *writer)
{
	pthread_mutex_unlock(&writer->lock);
}

void writer_discard(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	for (guint i = 0; i < writer->all->len; i++) {
		struct writer_file *file = g_ptr_array_index(writer->all, i);

		hourappend_free(file->frozen);
		hourappend_free(file->out);
		file->frozen = NULL;
		file->out = NULL;
	}
	pthread_mutex_unlock(&writer->lock);
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

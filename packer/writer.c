/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records are encoded in memory and go to disk in commits, all files together or not at all. A
 * commit freezes what there is; records that come meanwhile begin anew.
 *
 * One lock for all: while a record goes in, and while the committing thread looks for files, or
 * closes them. A file that is held is never closed. What is frozen belongs to the committing
 * thread.
 */
#include "packer/writer.h"

#include <assert.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/hugeroom.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "storage/hourappend.h"
#include "storage/hoursync.h"
#include "storage/parts.h"
#include "storage/repo.h"

#define WRITER_LOCK_RETRY_NS 5000000
#define WRITER_LOCK_TELL     2000 /* tries, ten seconds, until a wait is told, and then again */
#define WRITER_IDLE_NS       (INT64_C(300) * 1000000000) /* by default */
#define WRITER_NEAR          64                          /* a power of two */
#define WRITER_SPARES        64 /* files that keep their memory from one commit to the next */
#define WRITER_TRIM_NS       (INT64_C(60) * 1000000000)

struct writer_file {
	struct hourfile_key key;
	uint32_t types;         /* writer_types() of the key */
	uint64_t used;          /* greater than that of files without a record since */
	bool held;              /* by the committing thread */
	struct hourappend *out; /* NULL: no record since the last freeze */
	char *path;
	bool opened;    /* the keeper has been told */
	bool full;      /* another takes its records: it is not in writer.files */
	uint64_t bytes; /* committed */
	uint64_t records;
	uint64_t unreported;     /* records since the last report */
	int64_t last_written_ns; /* of the commit that found records */

	struct flowblock_row *rows[WRITER_ROWS_MAX]; /* of writer_write_rows(), on their way in */
	size_t row_count;

	struct hourappend *frozen;   /* of the committing thread; NULL: nothing to commit */
	struct hourappend *spare;    /* was committed: to gather records again; or NULL */
	struct hourappend_left left; /* by the last commit */
};

struct writer {
	struct writer_opts opts;
	pthread_mutex_t lock;                  /* guards what is not the committing thread's */
	GHashTable *files;                     /* struct hourfile_key to struct writer_file */
	GPtrArray *all;                        /* of struct writer_file, those that are full, too */
	uint64_t uses;                         /* of files */
	struct writer_file *near[WRITER_NEAR]; /* found last by this place; NULL: none */
	struct partpool *pool;                 /* of what waits for a commit */
	int64_t trimmed_ns;
	struct appendlog *log; /* NULL: what is committed counts at once */
	_Atomic bool crowded;  /* more files than the cache is to hold wait for a commit */
	_Atomic uint64_t extras_lost;
	_Atomic bool failed;
};

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

static void writer_report(struct writer_file *file)
{
	if (file->unreported > 0) {
		log_msg(LOG_LEVEL_INFO, "%s: %" PRIu64 " recs", file->path, file->unreported);
		file->unreported = 0;
	}
}

static void writer_freeze_file(struct writer_file *file)
{
	if (file->out && !hourappend_is_empty(file->out)) {
		file->frozen = file->out;
		file->out = NULL;
	}
}

/* Close a file without records to commit, that is not held. */
static void writer_close_file(struct writer *writer, struct writer_file *file)
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

/* Are there records that are not committed? */
static bool writer_file_waits(const struct writer_file *file)
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

/* ---- commits ---- */

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

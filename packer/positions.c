/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/positions.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define POSITIONS_HEAD      "tussah-positions "
#define POSITIONS_VERSION   3
#define POSITIONS_BYTES_MAX ((gsize)32 << 20)
#define POSITIONS_KEY_MAX   (POSITIONS_NAME_MAX + 34)

struct stream_position {
	char *key;      /* id in hexadecimal, blank, name */
	unsigned users; /* guarded by the lock of positions */
	pthread_mutex_t lock;
	uint64_t taken; /* guarded by lock, as is used */
	bool used;      /* since the last commit */
	atomic_bool finished;
	_Atomic uint64_t packed;
	uint64_t marked; /* of the committing thread alone, as are the following */
	uint64_t durable;
	int64_t used_s;
};

struct positions_journal {
	char id[POSITIONS_ID_BYTES];
	uint64_t position;
};

struct positions {
	char *directory;
	char *path;
	pthread_mutex_t lock; /* guards what follows */
	int lock_fd;          /* -1: not opened yet */
	GHashTable *streams;  /* key to struct stream_position */
	char id[POSITIONS_ID_BYTES];
	_Atomic uint64_t epoch; /* the last that counts */
	struct positions_journal marked;
	struct positions_journal durable;
};

static void stream_position_free(void *pointer)
{
	struct stream_position *stream = pointer;

	pthread_mutex_destroy(&stream->lock);
	g_free(stream->key);
	g_free(stream);
}

struct positions *positions_new(const char *directory)
{
	struct positions *positions = g_new0(struct positions, 1);

	positions->directory = g_strdup(directory);
	positions->path = g_build_filename(directory, POSITIONS_FILE, NULL);
	positions->lock_fd = -1;
	pthread_mutex_init(&positions->lock, NULL);
	positions->streams =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_position_free);
	return positions;
}

void positions_free(struct positions *positions)
{
	if (positions) {
		if (positions->lock_fd >= 0) {
			close(positions->lock_fd);
		}
		g_hash_table_destroy(positions->streams);
		pthread_mutex_destroy(&positions->lock);
		g_free(positions->path);
		g_free(positions->directory);
		g_free(positions);
	}
}

static struct stream_position *positions_add(struct positions *positions, const char *key,
					     uint64_t position, int64_t used_s)
{
	struct stream_position *stream = g_new0(struct stream_position, 1);

	stream->key = g_strdup(key);
	pthread_mutex_init(&stream->lock, NULL);
	stream->taken = position;
	stream->packed = position;
	stream->marked = position;
	stream->durable = position;
	stream->used_s = used_s;
	g_hash_table_insert(positions->streams, stream->key, stream);
	return stream;
}

/* "ID POSITION SECOND NAME" */
static bool positions_parse_line(struct positions *positions, const char *line)
{
	char id[33];
	uint64_t position;
	int64_t used_s;
	int at = 0;
	char *key;

	if (sscanf(line, "%32[0-9a-f] %" SCNu64 " %" SCNd64 " %n", id, &position, &used_s, &at) !=
		    3 ||
	    at == 0 || strlen(id) != 32 || !line[at] || strlen(line + at) > POSITIONS_NAME_MAX) {
		return false;
	}
	key = g_strdup_printf("%s %s", id, line + at);
	if (!g_hash_table_contains(positions->streams, key)) {
		positions_add(positions, key, position, used_s);
	}
	g_free(key);
	return true;
}

static bool positions_parse_head(struct positions *positions, const char *line)
{
	struct positions_journal journal = { 0 };
	char id[POSITIONS_ID_BYTES];
	uint64_t epoch;
	int end = 0;
	int fields;

	if (g_strcmp0(line, POSITIONS_HEAD "1") == 0) {
		return true;
	}
	if (!line) {
		return false;
	}
	fields = sscanf(line, POSITIONS_HEAD "3 %" SCNu64 " %32[0-9a-f] %32[0-9a-f] %" SCNu64 "%n",
			&epoch, id, journal.id, &journal.position, &end);
	if (fields < 1) {
		fields = 2 + sscanf(line, POSITIONS_HEAD "2 %" SCNu64 " %32[0-9a-f]%n", &epoch, id,
				    &end);
	}
	if (fields != 4 || strlen(id) != sizeof(id) - 1 || line[end]) {
		return false;
	}
	positions->epoch = epoch;
	memcpy(positions->id, id, sizeof(id));
	positions->durable = journal;
	positions->marked = journal;
	return true;
}

static int positions_read(struct positions *positions, struct err *err)
{
	char *text = NULL;
	char **lines = NULL;
	gsize len;
	GError *error = NULL;
	int st = ST_OK;

	if (!g_file_get_contents(positions->path, &text, &len, &error)) {
		if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
			st = err_set(err, ST_EIO, "%s", error->message);
		}
		g_error_free(error);
		return st;
	}
	lines = g_strsplit(len <= POSITIONS_BYTES_MAX ? text : "", "\n", -1);
	if (!positions_parse_head(positions, lines[0])) {
		st = err_set(err, ST_EFORMAT, "%s: not a file of positions", positions->path);
	}
	for (size_t i = 1; st == ST_OK && lines[i] && lines[i][0]; i++) {
		if (!positions_parse_line(positions, lines[i])) {
			st = err_set(err, ST_EFORMAT, "%s: line %zu is damaged", positions->path,
				     i + 1);
		}
	}
	g_strfreev(lines);
	g_free(text);
	return st;
}

/* The text of the file. Streams never got anything from are left out. */
static GString *positions_print(const struct positions *positions, GPtrArray *streams,
				uint64_t epoch)
{
	static const char no_journal[] = "00000000000000000000000000000000";
	GString *text = g_string_new(NULL);

	g_string_printf(text, POSITIONS_HEAD "%d %" PRIu64 " %s %s %" PRIu64 "\n",
			POSITIONS_VERSION, epoch, positions->id,
			positions->marked.id[0] ? positions->marked.id : no_journal,
			positions->marked.position);

	for (guint i = 0; i < streams->len && i < POSITIONS_STREAMS_MAX; i++) {
		const struct stream_position *stream = g_ptr_array_index(streams, i);

		if (stream->marked > 0 && !stream->finished) {
			g_string_append_printf(text, "%.32s %" PRIu64 " %" PRId64 " %s\n",
					       stream->key, stream->marked, stream->used_s,
					       stream->key + 33);
		}
	}
	return text;
}

static int positions_write_file(const char *path, const GString *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;
	int st = ST_OK;

	if (fd < 0) {
		return err_errno(err, err_status(errno), errno, "%s", path);
	}
	while (st == ST_OK && done < text->len) {
		ssize_t n = write(fd, text->str + done, text->len - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			st = err_errno(err, err_status(errno), errno, "write %s", path);
		}
	}
	if (st == ST_OK && fsync(fd) != 0) {
		st = err_errno(err, err_status(errno), errno, "sync %s", path);
	}
	close(fd);
	return st;
}

static int positions_sync_directory(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int st = ST_OK;

	if (fd < 0 || fsync(fd) != 0) {
		st = err_errno(err, ST_EIO, errno, "sync %s", path);
	}
	if (fd >= 0) {
		close(fd);
	}
	return st;
}

static int positions_store(const struct positions *positions, const GString *text, struct err *err)
{
	char *temp = g_strconcat(positions->path, ".new", NULL);
	int st = positions_write_file(temp, text, err);

	if (st == ST_OK && rename(temp, positions->path) != 0) {
		st = err_errno(err, ST_EIO, errno, "rename %s", temp);
	}
	if (st == ST_OK) {
		st = positions_sync_directory(positions->directory, err);
	}
	g_free(temp);
	return st;
}

/* What is appended under an id must be found under it after a crash: the id is durable first. */
static int positions_make_id(struct positions *positions, struct err *err)
{
	GPtrArray *streams = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	char *uuid = g_uuid_string_random();
	size_t len = 0;
	GString *text;
	int st;

	for (const char *at = uuid; *at && len < sizeof(positions->id) - 1; at++) {
		if (*at != '-') {
			positions->id[len++] = *at;
		}
	}
	g_free(uuid);
	g_hash_table_iter_init(&iter, positions->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_ptr_array_add(streams, value);
	}
	text = positions_print(positions, streams, positions->epoch);
	st = positions_store(positions, text, err);
	g_string_free(text, TRUE);
	g_ptr_array_free(streams, TRUE);
	return st;
}

/* Lock and read the file, once; the lock file stays beside it. */
static int positions_open_locked(struct positions *positions, struct err *err)
{
	char *lock_path;
	int st;
	int fd;

	if (positions->lock_fd >= 0) {
		return ST_OK;
	}
	lock_path = g_strconcat(positions->path, ".lock", NULL);
	fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		st = err_errno(err, ST_EIO, errno, "%s", lock_path);
	} else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		st = err_set(err, ST_EAGAIN,
			     "%s is in use by another packer; give each a --state-directory",
			     positions->path);
	} else {
		st = positions_read(positions, err);
	}
	if (st == ST_OK && !positions->id[0]) {
		st = positions_make_id(positions, err);
	}
	if (st == ST_OK) {
		positions->lock_fd = fd;
	} else if (fd >= 0) {
		g_hash_table_remove_all(positions->streams);
		close(fd);
	}
	g_free(lock_path);
	return st;
}

int positions_open(struct positions *positions, struct err *err)
{
	int st;

	pthread_mutex_lock(&positions->lock);
	st = positions_open_locked(positions, err);
	pthread_mutex_unlock(&positions->lock);
	return st;
}

bool positions_in_use(const struct positions *positions)
{
	char *lock_path = g_strconcat(positions->path, ".lock", NULL);
	int fd = open(lock_path, O_RDONLY | O_CLOEXEC);
	bool in_use = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	if (fd >= 0) {
		close(fd);
	}
	g_free(lock_path);
	return in_use;
}

const char *positions_id(const struct positions *positions)
{
	return positions->id;
}

uint64_t positions_epoch(const struct positions *positions)
{
	return positions->epoch + 1;
}

static void positions_print_id(char out[POSITIONS_ID_BYTES], const uint8_t id[16])
{
	for (size_t i = 0; i < 16; i++) {
		snprintf(out + 2 * i, POSITIONS_ID_BYTES - 2 * i, "%02x", id[i]);
	}
}

uint64_t positions_packed(const struct positions *positions, const uint8_t journal_id[16])
{
	char id[POSITIONS_ID_BYTES];

	positions_print_id(id, journal_id);
	return strcmp(positions->durable.id, id) == 0 ? positions->durable.position : 0;
}

int positions_get(struct positions *positions, const char *name, const uint8_t id[16],
		  struct stream_position **out, struct err *err)
{
	char key[POSITIONS_KEY_MAX + 1];
	int st;

	if (!name[0] || strlen(name) > POSITIONS_NAME_MAX || strpbrk(name, "\n\r")) {
		return err_set(err, ST_EINVAL, "the certificate's name cannot be used");
	}
	positions_print_id(key, id);
	snprintf(key + 32, sizeof(key) - 32, " %s", name);
	pthread_mutex_lock(&positions->lock);
	st = positions_open_locked(positions, err);
	if (st == ST_OK) {
		struct stream_position *stream = g_hash_table_lookup(positions->streams, key);

		if (!stream && g_hash_table_size(positions->streams) >= 2 * POSITIONS_STREAMS_MAX) {
			st = err_set(err, ST_ELIMIT, "too many streams");
			goto done;
		}
		if (!stream) {
			stream = positions_add(positions, key, 0, 0);
		}
		pthread_mutex_lock(&stream->lock);
		stream->used = true;
		pthread_mutex_unlock(&stream->lock);
		stream->users++;
		*out = stream;
	}
done:
	pthread_mutex_unlock(&positions->lock);
	return st;
}

void positions_put(struct positions *positions, struct stream_position *stream)
{
	pthread_mutex_lock(&positions->lock);
	stream->users--;
	pthread_mutex_unlock(&positions->lock);
}

bool position_begin(struct stream_position *stream, uint64_t position)
{
	pthread_mutex_lock(&stream->lock);
	if (position <= stream->taken) {
		pthread_mutex_unlock(&stream->lock);
		return false;
	}
	return true;
}

void position_end(struct stream_position *stream, uint64_t position, bool taken)
{
	if (taken) {
		stream->taken = position;
		stream->used = true;
	}
	pthread_mutex_unlock(&stream->lock);
}

uint64_t position_taken(struct stream_position *stream)
{
	uint64_t taken;

	pthread_mutex_lock(&stream->lock);
	taken = stream->taken;
	pthread_mutex_unlock(&stream->lock);
	return taken;
}

void position_lower(struct stream_position *stream, uint64_t position)
{
	pthread_mutex_lock(&stream->lock);
	stream->taken = MIN(stream->taken, position);
	pthread_mutex_unlock(&stream->lock);
}

const char *position_key(const struct stream_position *stream)
{
	return stream->key;
}

void position_finish(struct stream_position *stream)
{
	stream->finished = true;
}

void position_pack(struct stream_position *stream, uint64_t position)
{
	stream->packed = MAX(stream->packed, position);
}

uint64_t position_packed(const struct stream_position *stream)
{
	return stream->packed;
}

void positions_mark(struct positions *positions, const uint8_t journal_id[16],
		    uint64_t journal_position)
{
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&positions->lock);
	g_hash_table_iter_init(&iter, positions->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct stream_position *stream = value;

		stream->marked = stream->packed;
	}
	positions_print_id(positions->marked.id, journal_id);
	positions->marked.position = journal_position;
	pthread_mutex_unlock(&positions->lock);
}

void positions_each(struct positions *positions,
		    void (*fn)(void *arg, const char *key, uint64_t committed, uint64_t marked),
		    void *arg)
{
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&positions->lock);
	g_hash_table_iter_init(&iter, positions->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct stream_position *stream = value;

		fn(arg, stream->key, stream->durable, stream->marked);
	}
	pthread_mutex_unlock(&positions->lock);
}

void positions_rewind(struct positions *positions)
{
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&positions->lock);
	g_hash_table_iter_init(&iter, positions->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct stream_position *stream = value;

		stream->packed = stream->durable;
		stream->marked = stream->durable;
	}
	positions->marked = positions->durable;
	pthread_mutex_unlock(&positions->lock);
}

/* Most recently used first. */
static gint positions_compare(gconstpointer a, gconstpointer b)
{
	const struct stream_position *x = *(struct stream_position *const *)a;
	const struct stream_position *y = *(struct stream_position *const *)b;

	if (x->used_s != y->used_s) {
		return x->used_s > y->used_s ? -1 : 1;
	}
	return strcmp(x->key, y->key);
}

/* Every sensor's start makes a stream: without this a long-lived packer would run out of them. If
 * there are too many, streams are sorted. */
static void positions_forget(struct positions *positions, GPtrArray *streams)
{
	pthread_mutex_lock(&positions->lock);
	for (guint i = streams->len; i-- > 0;) {
		struct stream_position *stream = g_ptr_array_index(streams, i);
		bool many = g_hash_table_size(positions->streams) > POSITIONS_STREAMS_MAX;

		/* without users nobody else looks at it */
		if ((many || stream->finished) && stream->users == 0 &&
		    stream->taken <= stream->durable) {
			g_hash_table_remove(positions->streams, stream->key);
		}
	}
	pthread_mutex_unlock(&positions->lock);
}

int positions_commit(struct positions *positions, bool appended, int64_t now_s, struct err *err)
{
	uint64_t epoch;
	GPtrArray *streams = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	bool changed = appended || strcmp(positions->marked.id, positions->durable.id) != 0 ||
		       positions->marked.position != positions->durable.position;
	int st = positions_open(positions, err);

	if (st != ST_OK) {
		g_ptr_array_free(streams, TRUE);
		return st;
	}
	epoch = positions->epoch + appended;
	/* only this function removes streams, so the lock can go before the writing */
	pthread_mutex_lock(&positions->lock);
	g_hash_table_iter_init(&iter, positions->streams);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct stream_position *stream = value;

		pthread_mutex_lock(&stream->lock);
		if (stream->used) {
			stream->used_s = now_s;
			stream->used = false;
		}
		pthread_mutex_unlock(&stream->lock);
		changed |= stream->marked != stream->durable;
		g_ptr_array_add(streams, stream);
	}
	pthread_mutex_unlock(&positions->lock);
	if (changed || streams->len > POSITIONS_STREAMS_MAX) {
		g_ptr_array_sort(streams, positions_compare);
	}
	if (changed) {
		GString *text = positions_print(positions, streams, epoch);

		st = positions_store(positions, text, err);
		g_string_free(text, TRUE);
	}
	if (st == ST_OK) {
		positions->epoch = epoch;
		positions->durable = positions->marked;
	}
	for (guint i = 0; st == ST_OK && i < streams->len; i++) {
		struct stream_position *stream = g_ptr_array_index(streams, i);

		stream->durable = stream->marked;
	}
	if (st == ST_OK) {
		positions_forget(positions, streams);
	}
	g_ptr_array_free(streams, TRUE);
	return st;
}

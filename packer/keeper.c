/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "storage/catalogwrite.h"
#include "storage/seal.h"

#define LIST_TITLE     "tussah-unsealed 1\n"
#define LIST_BYTES_MAX (64 << 20)

struct kept_file {
	char *path; /* from the root */
	int64_t hour_ns;
	unsigned opens; /* by how many the writer has it open */
	uint64_t visit; /* changes whenever it is opened or closed */
	int64_t closed_ns;
	bool is_closed; /* closed_ns is set: a round has seen it closed */
	bool is_later;  /* in a copy: another program writes it now */
	bool is_left;   /* by a process before this one, that may have died sealing it */
};

struct keeper {
	struct keeper_opts opts;
	char *list_path;
	bool running;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop;
	GHashTable *files; /* by path */
	uint64_t visits;
	int list_fd; /* to add lines to; -1: none */
	bool is_full;
};

/* ---- the list ---- */

static void add_line(struct keeper *keeper, const struct kept_file *file)
{
	char *line = g_strdup_printf("%" PRId64 " %s\n", file->hour_ns / NS_PER_S, file->path);
	size_t len = strlen(line);

	if (keeper->list_fd >= 0 && write(keeper->list_fd, line, len) != (ssize_t)len) {
		log_msg(LOG_LEVEL_WARNING, "Cannot write '%s': %s", keeper->list_path,
			g_strerror(errno));
	}
	g_free(line);
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
	const struct kept_file *x = *(struct kept_file *const *)a;
	const struct kept_file *y = *(struct kept_file *const *)b;

	if (x->hour_ns != y->hour_ns) {
		return x->hour_ns < y->hour_ns ? -1 : 1;
	}
	return strcmp(x->path, y->path);
}

/* Write the whole list; the lock is held. */
static void write_list(struct keeper *keeper)
{
	GString *text = g_string_new(LIST_TITLE);
	GHashTableIter iter;
	gpointer file;
	GError *error = NULL;

	g_hash_table_iter_init(&iter, keeper->files);
	while (g_hash_table_iter_next(&iter, NULL, &file)) {
		const struct kept_file *kept = file;

		g_string_append_printf(text, "%" PRId64 " %s\n", kept->hour_ns / NS_PER_S,
				       kept->path);
	}
	if (keeper->list_fd >= 0) {
		close(keeper->list_fd);
	}
	if (!g_file_set_contents(keeper->list_path, text->str, (gssize)text->len, &error)) {
		log_msg(LOG_LEVEL_WARNING, "%s", error->message);
		g_error_free(error);
	}
	keeper->list_fd = open(keeper->list_path, O_WRONLY | O_APPEND | O_CLOEXEC);
	g_string_free(text, TRUE);
}

static void free_file(gpointer pointer)
{
	struct kept_file *file = pointer;

	g_free(file->path);
	g_free(file);
}

/* The lock is held. NULL: no more fit. */
static struct kept_file *add_file(struct keeper *keeper, const char *path, int64_t hour_ns)
{
	struct kept_file *file = g_hash_table_lookup(keeper->files, path);

	if (file) {
		return file;
	}
	if (g_hash_table_size(keeper->files) >= KEEPER_FILES_MAX) {
		if (!keeper->is_full) {
			log_msg(LOG_LEVEL_WARNING,
				"Too many unsealed files: some are left to rwseal");
		}
		keeper->is_full = true;
		return NULL;
	}
	file = g_new0(struct kept_file, 1);
	file->path = g_strdup(path);
	file->hour_ns = hour_ns;
	g_hash_table_insert(keeper->files, file->path, file);
	return file;
}

/* A line that is not whole, or not ours, is passed over. */
static void read_line(struct keeper *keeper, const char *line)
{
	char *end;
	gint64 seconds = g_ascii_strtoll(line, &end, 10);

	if (end > line && *end == ' ' && end[1] != '\0' && end[1] != '/' &&
	    seconds < INT64_MAX / NS_PER_S && seconds > INT64_MIN / NS_PER_S) {
		struct kept_file *file = add_file(keeper, end + 1, seconds * NS_PER_S);

		if (file) {
			file->is_left = true;
		}
	}
}

static void read_list(struct keeper *keeper)
{
	char *text = NULL;
	gsize len = 0;
	struct stat st;

	if (stat(keeper->list_path, &st) != 0) {
		return;
	}
	if (st.st_size > LIST_BYTES_MAX ||
	    !g_file_get_contents(keeper->list_path, &text, &len, NULL) ||
	    !g_str_has_prefix(text, LIST_TITLE)) {
		log_msg(LOG_LEVEL_WARNING, "'%s' is not a list of unsealed files",
			keeper->list_path);
	} else {
		char **lines = g_strsplit(text, "\n", -1);

		for (guint i = 1; lines[i] && lines[i + 1]; i++) {
			read_line(keeper, lines[i]);
		}
		g_strfreev(lines);
	}
	g_free(text);
}

struct keeper *keeper_new(const struct keeper_opts *opts)
{
	struct keeper *keeper = g_new0(struct keeper, 1);
	char *list_name;
	pthread_condattr_t attr;

	keeper->opts = *opts;
	list_name = g_strconcat(KEEPER_FILE, opts->list_suffix ? opts->list_suffix : "", NULL);
	keeper->list_path = g_build_filename(opts->state_directory, list_name, NULL);
	g_free(list_name);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attr);
	pthread_condattr_destroy(&attr);
	keeper->files = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_file);
	keeper->list_fd = -1;
	read_list(keeper);
	write_list(keeper);
	if (g_hash_table_size(keeper->files) > 0) {
		log_msg(LOG_LEVEL_INFO, "%u files were left unsealed",
			g_hash_table_size(keeper->files));
	}
	return keeper;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper) {
		return;
	}
	if (keeper->list_fd >= 0) {
		close(keeper->list_fd);
	}
	g_hash_table_destroy(keeper->files);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	g_free(keeper->list_path);
	g_free(keeper);
}

/* ---- what the writer tells ---- */

/* The part of path behind the root; NULL: not one that can be listed. */
static const char *path_from_root(const struct keeper *keeper, const char *path)
{
	size_t len = strlen(keeper->opts.root);

	if (strncmp(path, keeper->opts.root, len) != 0 || strchr(path, '\n')) {
		return NULL;
	}
	path += len;
	path += strspn(path, "/");
	return *path ? path : NULL;
}

void keeper_opened(struct keeper *keeper, const char *path, int64_t hour_ns)
{
	const char *from_root = keeper ? path_from_root(keeper, path) : NULL;
	struct kept_file *file;

	if (!from_root) {
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	file = add_file(keeper, from_root, hour_ns);
	if (file) {
		if (file->visit == 0) {
			add_line(keeper, file);
		}
		file->opens++;
		file->visit = ++keeper->visits;
		file->is_closed = false;
	}
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_closed(struct keeper *keeper, const char *path)
{
	const char *from_root = keeper ? path_from_root(keeper, path) : NULL;
	struct kept_file *file;

	if (!from_root) {
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	file = g_hash_table_lookup(keeper->files, from_root);
	if (file && file->opens > 0) {
		file->opens--;
		file->visit = ++keeper->visits;
	}
	pthread_mutex_unlock(&keeper->lock);
}

size_t keeper_files(struct keeper *keeper)
{
	size_t count;

	pthread_mutex_lock(&keeper->lock);
	count = g_hash_table_size(keeper->files);
	pthread_mutex_unlock(&keeper->lock);
	return count;
}

/* ---- a round ---- */

static bool is_due(const struct keeper *keeper, struct kept_file *file, int64_t now_ns,
		   int64_t clock_ns)
{
	if (file->opens > 0) {
		return false;
	}
	if (!file->is_closed) {
		file->is_closed = true;
		file->closed_ns = clock_ns;
	}
	return now_ns - file->hour_ns >= NS_PER_HOUR + keeper->opts.delay_ns &&
	       clock_ns - file->closed_ns >= keeper->opts.idle_ns;
}

/* Copies of what is due, by hour. */
static GPtrArray *collect_due(struct keeper *keeper, int64_t now_ns, int64_t clock_ns)
{
	GPtrArray *due = g_ptr_array_new_with_free_func(free_file);
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&keeper->lock);
	g_hash_table_iter_init(&iter, keeper->files);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct kept_file *file = value;

		if (is_due(keeper, file, now_ns, clock_ns)) {
			struct kept_file *copy = g_memdup2(file, sizeof(*file));

			copy->path = g_strdup(file->path);
			g_ptr_array_add(due, copy);
		}
	}
	pthread_mutex_unlock(&keeper->lock);
	g_ptr_array_sort(due, compare_files);
	return due;
}

static bool is_stopping(struct keeper *keeper)
{
	bool stop;

	pthread_mutex_lock(&keeper->lock);
	stop = keeper->stop;
	pthread_mutex_unlock(&keeper->lock);
	return stop;
}

/* Is it a block file? SiLK files, and what is gone, have nothing to seal. */
static bool is_block_file(const char *path)
{
	uint8_t magic[BLOCKFILE_MAGIC_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
		  memcmp(magic, blockfile_magic, sizeof(magic)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return is;
}

static void log_sealed(const char *path, const struct seal_result *result)
{
	if (result->torn_bytes > 0) {
		log_msg(LOG_LEVEL_WARNING,
			"'%s': left out %" PRIu64 " bytes of a block that was not whole", path,
			result->torn_bytes);
	}
	if (result->sealed) {
		log_msg(LOG_LEVEL_INFO,
			"Sealed '%s': %" PRIu64 " recs, %" PRIu64 " to %" PRIu64 " bytes", path,
			result->records, result->bytes_before, result->bytes);
	}
}

/* Remove what an interrupted sealing of path left: ".NAME.XXXXXX" beside it. */
static void remove_leftovers(const char *path)
{
	char *folder = g_path_get_dirname(path);
	char *name = g_path_get_basename(path);
	char *prefix = g_strdup_printf(".%s.", name);
	size_t len = strlen(prefix);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *entry;

	while (dir && (entry = g_dir_read_name(dir)) != NULL) {
		if (strncmp(entry, prefix, len) == 0 && strlen(entry) == len + 6) {
			char *leftover = g_build_filename(folder, entry, NULL);

			log_msg(LOG_LEVEL_INFO, "Removing '%s'", leftover);
			g_unlink(leftover);
			g_free(leftover);
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	g_free(prefix);
	g_free(name);
	g_free(folder);
}

/* ST_EAGAIN: later. Any other failure is final: trying again would not help. */
static int seal_one(const struct keeper *keeper, const struct kept_file *file)
{
	const struct seal_opts opts = {
		.compression = keeper->opts.compression,
		.no_wait = true,
		.root = keeper->opts.root,
	};
	char *path = g_build_filename(keeper->opts.root, file->path, NULL);
	struct seal_result result = { 0 };
	struct err err;
	int st = ST_OK;

	if (file->is_left) {
		remove_leftovers(path);
	}
	if (is_block_file(path)) {
		st = seal_file(path, &opts, &result, &err);
		if (st == ST_OK) {
			log_sealed(path, &result);
		} else if (st != ST_EAGAIN) {
			log_msg(LOG_LEVEL_ERR, "Cannot seal: %s", err.text);
		}
	}
	g_free(path);
	return st;
}

static void log_refused(void *arg, int status, const char *text)
{
	(void)arg;
	log_msg(LOG_LEVEL_WARNING, "Not in the catalog: %s", text);
}

static void update_catalog(const struct keeper *keeper, int64_t day_ns, const GPtrArray *paths)
{
	const struct catalog_update_opts opts = { .only_stale = true, .refused = log_refused };
	struct catalog_update_result result = { 0 };
	struct err err;

	if (paths->len == 0) {
		return;
	}
	if (catalog_update(keeper->opts.root, day_ns, (const char *const *)paths->pdata, paths->len,
			   &opts, &result, &err) != ST_OK) {
		log_msg(LOG_LEVEL_WARNING, "Cannot keep the catalog: %s", err.text);
	} else {
		log_msg(LOG_LEVEL_DEBUG, "Catalog: %zu files read, %zu kept", result.summarised,
			result.kept);
	}
}

/* Take a file off the list, unless it was opened since; for later, it stays and waits again. */
static bool finish(struct keeper *keeper, const struct kept_file *done)
{
	struct kept_file *file;
	bool removed = false;

	pthread_mutex_lock(&keeper->lock);
	file = g_hash_table_lookup(keeper->files, done->path);
	if (file && file->visit == done->visit) {
		file->is_closed = false;
		removed = !done->is_later && g_hash_table_remove(keeper->files, done->path);
	}
	pthread_mutex_unlock(&keeper->lock);
	return removed;
}

/* Seal the files of one day and enter them; returns how many of the list were dealt with. */
static guint keep_day(struct keeper *keeper, const GPtrArray *due, guint first, bool *changed)
{
	int64_t day_ns =
		catalog_day_ns(((const struct kept_file *)g_ptr_array_index(due, first))->hour_ns);
	GPtrArray *paths = g_ptr_array_new();
	guint i;

	for (i = first; i < due->len && !is_stopping(keeper); i++) {
		struct kept_file *file = g_ptr_array_index(due, i);

		if (catalog_day_ns(file->hour_ns) != day_ns) {
			break;
		}
		file->is_later = seal_one(keeper, file) == ST_EAGAIN;
		if (!file->is_later) {
			g_ptr_array_add(paths, file->path);
		}
	}
	update_catalog(keeper, day_ns, paths);
	for (guint k = first; k < i; k++) {
		*changed |= finish(keeper, g_ptr_array_index(due, k));
	}
	g_ptr_array_free(paths, TRUE);
	return i - first;
}

void keeper_round(struct keeper *keeper, int64_t now_ns, int64_t clock_ns)
{
	GPtrArray *due = collect_due(keeper, now_ns, clock_ns);
	bool changed = false;

	for (guint i = 0; i < due->len && !is_stopping(keeper);) {
		i += keep_day(keeper, due, i, &changed);
	}
	g_ptr_array_free(due, TRUE);
	if (changed) {
		pthread_mutex_lock(&keeper->lock);
		write_list(keeper);
		pthread_mutex_unlock(&keeper->lock);
	}
}

/* ---- the thread ---- */

static void *keep(void *arg)
{
	struct keeper *keeper = arg;

	while (!is_stopping(keeper)) {
		int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + NS_PER_S;
		const struct timespec until = {
			.tv_sec = until_ns / NS_PER_S,
			.tv_nsec = until_ns % NS_PER_S,
		};

		keeper_round(keeper, clock_now_ns(CLOCK_REALTIME), clock_now_ns(CLOCK_MONOTONIC));
		pthread_mutex_lock(&keeper->lock);
		if (!keeper->stop) {
			pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
		}
		pthread_mutex_unlock(&keeper->lock);
	}
	return NULL;
}

int keeper_start(struct keeper *keeper, struct err *err)
{
	int failed = pthread_create(&keeper->thread, NULL, keep, keeper);

	if (failed) {
		return err_errno(err, ST_EIO, failed, "cannot start a thread");
	}
	keeper->running = true;
	return ST_OK;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper || !keeper->running) {
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	keeper->stop = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	keeper->running = false;
}

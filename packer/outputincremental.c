/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/outputincremental.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "storage/hournotes.h"
#include "storage/newfile.h"
#include "storage/repo.h"

#define SUFFIX_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define SUFFIX_LEN        6

struct outputincremental {
	struct outputincremental_opts opts;
	struct writer_place place;
	pthread_mutex_t lock;
	/* guarded by lock: */
	GPtrArray *closed;       /* names (char *), without the dot */
	struct hournotes *notes; /* in work; NULL: none */
	char *notes_name;
	struct hourlines_place lines;
};

/* ---- names ---- */

/* FOLDER/NAME, or with dot FOLDER/.NAME. */
static char *path_of(const char *folder, bool dot, const char *name)
{
	return g_strconcat(folder, dot ? "/." : "/", name, NULL);
}

static bool exists(const char *folder, bool dot, const char *name)
{
	char *path = path_of(folder, dot, name);
	bool found = access(path, F_OK) == 0;

	g_free(path);
	return found;
}

/* "in-S0_20240305.12" to "in-S0_20240305.12.64kfx2", which is not there yet. Returned. */
static char *unused_name(const struct outputincremental *output, const char *basename)
{
	char suffix[SUFFIX_LEN + 1] = { 0 };
	char *name = NULL;

	do {
		for (int i = 0; i < SUFFIX_LEN; i++) {
			suffix[i] = SUFFIX_CHARACTERS[g_random_int_range(
				0, (gint32)strlen(SUFFIX_CHARACTERS))];
		}
		g_free(name);
		name = g_strconcat(basename, ".", suffix, NULL);
	} while (exists(output->opts.directory, false, name) ||
		 (output->opts.sender_directory &&
		  exists(output->opts.sender_directory, false, name)));
	return name;
}

static int remove_file(const char *folder, bool dot, const char *name, struct err *err)
{
	char *path = path_of(folder, dot, name);
	int st = ST_OK;

	if (unlink(path) != 0 && errno != ENOENT) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
	}
	g_free(path);
	return st;
}

/* ---- for the writer ---- */

static char *hourly_name(const struct site *site, const struct hourfile_key *key)
{
	char *path = repo_path(site, "", key);
	char *name = g_path_get_basename(path);

	g_free(path);
	return name;
}

static char *place_path(void *arg, const struct site *site, const struct hourfile_key *key)
{
	const struct outputincremental *output = arg;
	const struct outputincremental_files *files = output->opts.files;
	char *basename = files ? files->name(files->arg, key) : hourly_name(site, key);
	char *name = unused_name(output, basename);
	char *path = path_of(output->opts.directory, true, name);

	g_free(name);
	g_free(basename);
	return path;
}

static int make_placeholder(const struct outputincremental *output, const char *name,
			    struct err *err)
{
	char *path = path_of(output->opts.directory, false, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int st = fd >= 0 ? ST_OK : err_errno(err, ST_EIO, errno, "%s", path);

	if (fd >= 0) {
		close(fd);
	}
	g_free(path);
	return st;
}

static const char *name_of(const char *dot_path)
{
	return strrchr(dot_path, '/') + 2;
}

static int place_begin(void *arg, const char *path, struct err *err)
{
	const struct outputincremental *output = arg;
	const struct outputincremental_files *files = output->opts.files;
	int st = ST_OK;

	if (files) {
		st = files->begin(files->arg, name_of(path), err);
	} else {
		log_msg(LOG_LEVEL_INFO, "Opening new incremental file '%s'", name_of(path));
	}
	return st == ST_OK ? make_placeholder(output, name_of(path), err) : st;
}

static void place_form(void *arg, const struct hourfile_key *key, struct hourfile_write_opts *opts)
{
	const struct outputincremental *output = arg;

	output->opts.files->form(output->opts.files->arg, key, opts);
}

static void place_closed(void *arg, const char *path, uint64_t records)
{
	struct outputincremental *output = arg;
	const struct outputincremental_files *files = output->opts.files;

	if (files) {
		files->closed(files->arg, path, name_of(path), records);
	}
	pthread_mutex_lock(&output->lock);
	g_ptr_array_add(output->closed, g_strdup(name_of(path)));
	pthread_mutex_unlock(&output->lock);
}

/* ---- notes about hours ---- */

#define NOTES_PREFIX "notes_"

static bool is_notes(const char *name)
{
	return g_str_has_prefix(name, NOTES_PREFIX);
}

/* "notes_20240305.12.64kfx2", by the hour in which it begins. */
static int begin_notes(struct outputincremental *output, struct err *err)
{
	GDateTime *now = g_date_time_new_now_utc();
	char *basename = g_date_time_format(now, NOTES_PREFIX "%Y%m%d.%H");
	char *name = unused_name(output, basename);
	char *path = path_of(output->opts.directory, true, name);
	int st = make_placeholder(output, name, err);

	if (st == ST_OK) {
		st = hournotes_create(&output->notes, path, err);
		if (st == ST_OK) {
			output->notes_name = g_steal_pointer(&name);
		} else {
			remove_file(output->opts.directory, true, name, NULL);
			remove_file(output->opts.directory, false, name, NULL);
		}
	}
	g_free(path);
	g_free(name);
	g_free(basename);
	g_date_time_unref(now);
	return st;
}

int outputincremental_end_lines(struct outputincremental *output, struct err *err)
{
	int st = ST_OK;

	pthread_mutex_lock(&output->lock);
	if (output->notes) {
		st = hournotes_close(output->notes, err);
		g_ptr_array_add(output->closed, g_steal_pointer(&output->notes_name));
		output->notes = NULL;
	}
	pthread_mutex_unlock(&output->lock);
	return st;
}

/* A file that cannot be synced is published all the same. */
static void end_notes(struct outputincremental *output)
{
	struct err err;

	if (outputincremental_end_lines(output, &err) != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
	}
}

static int put_line(void *arg, const char *folder, const char *line, struct err *err)
{
	struct outputincremental *output = arg;
	int st = ST_OK;

	pthread_mutex_lock(&output->lock);
	if (!output->notes) {
		st = begin_notes(output, err);
	}
	if (st == ST_OK) {
		st = hournotes_write(output->notes, folder, line, err);
	}
	pthread_mutex_unlock(&output->lock);
	return st;
}

const struct hourlines_place *outputincremental_lines(const struct outputincremental *output)
{
	return &output->lines;
}

/* ---- publishing ---- */

/* The file .NAME of one folder becomes the file NAME, with dot .NAME, of another. ST_ESUPPORT: they
 * are on different file systems. */
static int rename_file(const char *from, const char *to, bool dot, const char *name,
		       struct err *err)
{
	char *old = path_of(from, true, name);
	char *new = path_of(to, dot, name);
	int st = ST_OK;

	if (rename(old, new) != 0) {
		st = err_errno(err, errno == EXDEV ? ST_ESUPPORT : ST_EIO, errno,
			       "cannot move %s to %s", old, new);
	}
	g_free(new);
	g_free(old);
	return st;
}

/*
 * To another file system, each step durable: the copy is there under a hidden name; the original is
 * gone; the copy is published; the place holder, which tells that one is on its way, is gone.
 */
static int copy_away(const struct outputincremental *output, const char *name, struct err *err)
{
	char *from = path_of(output->opts.directory, true, name);
	char *to = path_of(output->opts.sender_directory, true, name);
	char *content = NULL;
	GError *error = NULL;
	gsize len;
	int st = ST_OK;

	if (!g_file_get_contents(from, &content, &len, &error) ||
	    !g_file_set_contents_full(to, content, (gssize)len,
				      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
				      0644, &error)) {
		st = err_set(err, ST_EIO, "cannot copy %s: %s", from, error->message);
		g_error_free(error);
	}
	g_free(content);
	if (st == ST_OK) {
		st = newfile_sync_folder(to, err);
	}
	if (st == ST_OK) {
		st = remove_file(output->opts.directory, true, name, err);
	}
	if (st == ST_OK) {
		st = newfile_sync_folder(from, err);
	}
	if (st == ST_OK) {
		st = rename_file(output->opts.sender_directory, output->opts.sender_directory,
				 false, name, err);
	}
	g_free(to);
	g_free(from);
	return st;
}

/* Somebody else's file of that name is in the sender directory: give the pair another name. */
static int choose_another_name(const struct outputincremental *output, char **name, struct err *err)
{
	char *basename = g_strndup(*name, strlen(*name) - SUFFIX_LEN - 1);
	char *another = unused_name(output, basename);
	char *old = path_of(output->opts.directory, true, *name);
	char *new = path_of(output->opts.directory, true, another);
	int st = make_placeholder(output, another, err);

	if (st == ST_OK && rename(old, new) != 0) {
		st = err_errno(err, ST_EIO, errno, "cannot move %s to %s", old, new);
	}
	if (st == ST_OK) {
		st = remove_file(output->opts.directory, false, *name, err);
		g_free(*name);
		*name = g_steal_pointer(&another);
	}
	g_free(new);
	g_free(old);
	g_free(another);
	g_free(basename);
	return st;
}

static int send_away(const struct outputincremental *output, char **name, struct err *err)
{
	const char *sender = output->opts.sender_directory;
	int st = exists(sender, false, *name) ? choose_another_name(output, name, err) : ST_OK;

	if (st == ST_OK) {
		st = rename_file(output->opts.directory, sender, false, *name, err);
	}
	if (st == ST_ESUPPORT) {
		st = copy_away(output, *name, err);
	}
	if (st == ST_OK) {
		st = remove_file(output->opts.directory, false, *name, err);
	}
	return st;
}

/* *name may be replaced. */
static int publish_file(const struct outputincremental *output, char **name, struct err *err)
{
	const char *to = output->opts.sender_directory;
	int st;

	if (!exists(output->opts.directory, true, *name)) {
		/* nothing was committed to it: no record fitted */
		return remove_file(output->opts.directory, false, *name, err);
	}
	if (to) {
		st = send_away(output, name, err);
	} else {
		to = output->opts.directory;
		st = rename_file(to, to, false, *name, err);
	}
	if (st == ST_OK && output->opts.files && !is_notes(*name)) {
		output->opts.files->published(output->opts.files->arg, *name);
	} else if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "%s/%s", to, *name);
	}
	return st;
}

static void sync_folders(const struct outputincremental *output)
{
	const char *folders[] = { output->opts.sender_directory, output->opts.directory };
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		char *inside = folders[i] ? path_of(folders[i], true, "") : NULL;

		if (inside && newfile_sync_folder(inside, &err) != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err.text);
		}
		g_free(inside);
	}
}

bool outputincremental_has_closed(struct outputincremental *output)
{
	bool has;

	pthread_mutex_lock(&output->lock);
	has = output->closed->len > 0;
	pthread_mutex_unlock(&output->lock);
	return has;
}

/* What could not be published goes back among the closed ones. Returns how many could be. */
static guint publish_files(struct outputincremental *output, const GPtrArray *names)
{
	guint moved = 0;

	for (guint i = 0; i < names->len; i++) {
		char *name = g_strdup(g_ptr_array_index(names, i));
		struct err err;

		if (publish_file(output, &name, &err) == ST_OK) {
			moved++;
		} else {
			log_msg(LOG_LEVEL_ERR, "%s", err.text);
			pthread_mutex_lock(&output->lock);
			g_ptr_array_add(output->closed, g_steal_pointer(&name));
			pthread_mutex_unlock(&output->lock);
		}
		g_free(name);
	}
	sync_folders(output);
	return moved;
}

void outputincremental_publish(struct outputincremental *output)
{
	GPtrArray *names;
	guint moved;

	end_notes(output);
	pthread_mutex_lock(&output->lock);
	names = output->closed;
	output->closed = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_unlock(&output->lock);
	if (output->opts.files) {
		if (names->len > 0) {
			publish_files(output, names);
		}
	} else if (names->len == 0) {
		log_msg(LOG_LEVEL_INFO, "No incremental files to move.");
	} else {
		log_msg(LOG_LEVEL_INFO, "Moving %u incremental files...", names->len);
		moved = publish_files(output, names);
		log_msg(LOG_LEVEL_INFO, "Successfully moved %u/%u file%s.", moved, names->len,
			names->len == 1 ? "" : "s");
	}
	g_ptr_array_free(names, TRUE);
}

/* ---- what an earlier packer left ---- */

/* "in-S0_20240305.12.64kfx2", "20240305120000_P0.64kfx2" and the like: of others nothing is known. */
static bool is_incremental_name(const char *name)
{
	size_t len = strlen(name);
	size_t end = len > SUFFIX_LEN ? len - SUFFIX_LEN : 0;

	return name[0] != '.' && strchr(name, '_') && end > 0 && name[end - 1] == '.' &&
	       strspn(name + end, SUFFIX_CHARACTERS) == SUFFIX_LEN;
}

static bool is_placeholder(const struct outputincremental *output, const char *name)
{
	char *path = path_of(output->opts.directory, false, name);
	struct stat stat;
	bool found = is_incremental_name(name) && lstat(path, &stat) == 0 &&
		     S_ISREG(stat.st_mode) && stat.st_size == 0;

	g_free(path);
	return found;
}

/* A file without a single record; one that cannot be read may have some. */
static bool is_empty(const struct outputincremental *output, const char *name)
{
	char *path = path_of(output->opts.directory, true, name);
	struct hourfile_reader *reader = NULL;
	struct stat stat;
	bool empty = lstat(path, &stat) == 0 && stat.st_size == 0;

	if (!empty && hourfile_open(&reader, path, NULL, NULL) == ST_OK) {
		struct batch *batch = batch_new();

		empty = hourfile_read_batch(reader, batch, COLUMN_BIT(COLUMN_START), NULL) ==
			ST_END;
		batch_free(batch);
		hourfile_close(reader);
	}
	g_free(path);
	return empty;
}

/* The place holder is there. */
static int recover_file(struct outputincremental *output, const char *name, struct err *err)
{
	const char *sender = output->opts.sender_directory;
	int st = ST_OK;

	if (exists(output->opts.directory, true, name)) {
		if (!is_empty(output, name)) {
			g_ptr_array_add(output->closed, g_strdup(name));
			return ST_OK;
		}
		st = remove_file(output->opts.directory, true, name, err);
	} else if (sender && exists(sender, true, name)) {
		/* copied, and the original is gone */
		st = rename_file(sender, sender, false, name, err);
	}
	return st == ST_OK ? remove_file(output->opts.directory, false, name, err) : st;
}

static int place_recover(void *arg, struct err *err)
{
	struct outputincremental *output = arg;
	GDir *dir = g_dir_open(output->opts.directory, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	int st = ST_OK;

	if (!output->opts.files) {
		log_msg(LOG_LEVEL_INFO, "Checking incremental directory for old files...");
	}
	if (!dir) {
		st = err_set(err, ST_EIO, "%s: cannot be read", output->opts.directory);
		goto done;
	}
	while ((name = g_dir_read_name(dir))) {
		if (is_placeholder(output, name)) {
			g_ptr_array_add(names, g_strdup(name));
		}
	}
	g_dir_close(dir);
	for (guint i = 0; st == ST_OK && i < names->len; i++) {
		st = recover_file(output, g_ptr_array_index(names, i), err);
	}
	if (st == ST_OK) {
		outputincremental_publish(output);
	}
done:
	g_ptr_array_free(names, TRUE);
	return st;
}

/* ---- coming and going ---- */

struct outputincremental *outputincremental_new(const struct outputincremental_opts *opts)
{
	struct outputincremental *output = g_new0(struct outputincremental, 1);

	output->opts = *opts;
	output->place = (struct writer_place){
		.path = place_path,
		.begin = place_begin,
		.closed = place_closed,
		.recover = place_recover,
		.form = opts->files ? place_form : NULL,
		.max_bytes = opts->files ? opts->files->max_bytes : 0,
		.arg = output,
	};
	output->lines = (struct hourlines_place){ .put = put_line, .arg = output };
	output->closed = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_init(&output->lock, NULL);
	return output;
}

void outputincremental_free(struct outputincremental *output)
{
	if (output) {
		end_notes(output);
		g_ptr_array_free(output->closed, TRUE);
		pthread_mutex_destroy(&output->lock);
		g_free(output);
	}
}

const struct writer_place *outputincremental_place(const struct outputincremental *output)
{
	return &output->place;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/dirpoll.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct dirpoll_file {
	uint64_t scan; /* that saw it last */
	off_t size;    /* then */
	bool handed_out;
};

struct dirpoll {
	char *directory;
	uint64_t scan;
	GHashTable *files; /* name to struct dirpoll_file */
};

struct dirpoll *dirpoll_new(const char *directory)
{
	struct dirpoll *poll = g_new0(struct dirpoll, 1);

	poll->directory = g_strdup(directory);
	poll->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return poll;
}

void dirpoll_free(struct dirpoll *poll)
{
	if (poll) {
		g_hash_table_destroy(poll->files);
		g_free(poll->directory);
		g_free(poll);
	}
}

/* Take note of one file; true when it is to be handed out. */
static bool dirpoll_note(struct dirpoll *poll, const char *name, off_t size)
{
	struct dirpoll_file *file = g_hash_table_lookup(poll->files, name);
	bool ready;

	if (!file) {
		file = g_new0(struct dirpoll_file, 1);
		g_hash_table_insert(poll->files, g_strdup(name), file);
	}
	ready = !file->handed_out && file->scan + 1 == poll->scan && file->size == size;
	file->scan = poll->scan;
	file->size = size;
	return ready;
}

static gboolean dirpoll_is_gone(gpointer key, gpointer value, gpointer arg)
{
	const struct dirpoll_file *file = value;
	const struct dirpoll *poll = arg;

	(void)key;
	return file->scan != poll->scan;
}

static int dirpoll_hand_out(struct dirpoll *poll, const char *name, dirpoll_fn fn, void *arg)
{
	struct dirpoll_file *file = g_hash_table_lookup(poll->files, name);
	char *path = g_build_filename(poll->directory, name, NULL);
	int st = fn(arg, path, name);

	file->handed_out = st == ST_OK;
	g_free(path);
	return st;
}

int dirpoll_scan(struct dirpoll *poll, dirpoll_fn fn, void *arg, struct err *err)
{
	GPtrArray *ready = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(poll->directory);
	const struct dirent *entry;
	int st = ST_OK;

	if (!dir) {
		st = err_errno(err, ST_EIO, errno, "%s", poll->directory);
		goto done;
	}
	poll->scan++;
	while ((entry = readdir(dir))) {
		struct stat stat;

		if (entry->d_name[0] != '.' &&
		    fstatat(dirfd(dir), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(stat.st_mode) && stat.st_size > 0 &&
		    dirpoll_note(poll, entry->d_name, stat.st_size)) {
			g_ptr_array_add(ready, g_strdup(entry->d_name));
		}
	}
	closedir(dir);
	g_hash_table_foreach_remove(poll->files, dirpoll_is_gone, poll);
	for (guint i = 0; st == ST_OK && i < ready->len; i++) {
		st = dirpoll_hand_out(poll, g_ptr_array_index(ready, i), fn, arg);
	}
done:
	g_ptr_array_free(ready, TRUE);
	return st;
}

void dirpoll_again(struct dirpoll *poll, const char *name)
{
	struct dirpoll_file *file = g_hash_table_lookup(poll->files, name);

	if (file) {
		file->handed_out = false;
	}
}

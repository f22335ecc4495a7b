/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hournotes.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/ifcounters.h"
#include "storage/labels.h"
#include "storage/lossfile.h"
#include "storage/newfile.h"

#define HEADING "tussah-notes 1\n"

/* ---- kinds of lines ---- */

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their hours, so that the file of each day is opened once. */
static int deliver_lines(const char *folder, const char *root, GPtrArray *lines, size_t *added,
			 struct err *err)
{
	g_ptr_array_sort(lines, compare_lines);
	return hourlines_add_once(folder, root, (const char *const *)lines->pdata, lines->len,
				  added, err);
}

static int deliver_labels(const char *folder, const char *root, GPtrArray *lines, size_t *added,
			  struct err *err)
{
	struct labels *labels = labels_new();
	int st = ST_OK;

	(void)folder;
	for (guint i = 0; st == ST_OK && i < lines->len; i++) {
		st = labels_take_line(labels, g_ptr_array_index(lines, i), err);
	}
	if (st == ST_OK && labels_changed(labels)) {
		st = labels_save(labels, root, err);
	}
	*added = lines->len;
	labels_free(labels);
	return st == ST_ELIMIT ? ST_OK : st; /* as many as there is room for */
}

static const struct notes_kind {
	const char *folder;
	bool counts; /* lines that look alike are not the same */
	/* The order of lines may change. */
	int (*deliver)(const char *folder, const char *root, GPtrArray *lines, size_t *added,
		       struct err *err);
} kinds[] = {
	{ LOSSFILE_FOLDER, true, deliver_lines },
	{ IFCOUNTERS_FOLDER, true, deliver_lines },
	{ LABELS_FILE, false, deliver_labels },
};

/* ---- writing ---- */

struct hournotes {
	int fd;
	uint64_t len; /* of whole lines; what is behind is of one that failed, and written over */
	char *path;
};

static int put_text(struct hournotes *notes, const char *text, struct err *err)
{
	size_t len = strlen(text);
	int st = newfile_write(notes->fd, notes->len, text, len, err);

	if (st != ST_OK) {
		return err_prefix(err, "%s", notes->path);
	}
	notes->len += len;
	return ST_OK;
}

int hournotes_create(struct hournotes **out, const char *path, struct err *err)
{
	struct hournotes *notes;
	struct err closing;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int st;

	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	notes = g_new0(struct hournotes, 1);
	notes->fd = fd;
	notes->path = g_strdup(path);
	st = put_text(notes, HEADING, err);
	if (st == ST_OK) {
		*out = notes;
	} else {
		hournotes_close(notes, &closing);
	}
	return st;
}

static bool folder_counts(const char *folder)
{
	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
		if (strcmp(kinds[k].folder, folder) == 0) {
			return kinds[k].counts;
		}
	}
	return false;
}

/* Lines that count are told apart by a number of no kind, which their readers pass over. */
int hournotes_write(struct hournotes *notes, const char *folder, const char *line, struct err *err)
{
	uint64_t mark = (uint64_t)(g_random_int() & INT32_MAX) << 32 | g_random_int();
	GString *text = g_string_new(NULL);
	int st;

	g_string_printf(text, "%s %s", folder, line);
	if (folder_counts(folder) && !strstr(line, " note=")) {
		g_string_append_printf(text, " note=%" PRIu64, mark);
	}
	g_string_append_c(text, '\n');
	st = put_text(notes, text->str, err);
	g_string_free(text, TRUE);
	return st;
}

int hournotes_close(struct hournotes *notes, struct err *err)
{
	int st = ST_OK;

	if (ftruncate(notes->fd, (off_t)notes->len) != 0 || fsync(notes->fd) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", notes->path);
	}

	close(notes->fd);
	g_free(notes->path);
	g_free(notes);
	return st;
}

/* ---- delivering ---- */

bool hournotes_recognise(const char *path)
{
	char heading[sizeof(HEADING) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && read(fd, heading, sizeof(heading)) == (ssize_t)sizeof(heading) &&
		  memcmp(heading, HEADING, sizeof(heading)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return is;
}

/* The content without what follows the last end of a line. *text returned: g_free(). */
static int read_notes(const char *path, char **text, struct err *err)
{
	GError *error = NULL;
	struct stat stat_buf;
	gsize len;

	if (stat(path, &stat_buf) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	if (stat_buf.st_size > (off_t)HOURNOTES_BYTES_MAX) {
		return err_set(err, ST_ELIMIT, "%s: larger than %u bytes", path,
			       HOURNOTES_BYTES_MAX);
	}
	if (!g_file_get_contents(path, text, &len, &error)) {
		err_set(err, ST_EIO, "%s", error->message);
		g_error_free(error);
		return ST_EIO;
	}
	if (memchr(*text, '\0', len) || !g_str_has_prefix(*text, HEADING)) {
		g_clear_pointer(text, g_free);
		return err_set(err, ST_EFORMAT, "%s: is no file of notes", path);
	}
	strrchr(*text, '\n')[1] = '\0';
	return ST_OK;
}

/* The lines of one folder, edited. */
static GPtrArray *pick_lines(char **all, const char *folder, hournotes_edit_fn edit, void *arg)
{
	GPtrArray *mine = g_ptr_array_new_with_free_func(g_free);
	size_t len = strlen(folder);

	for (char **line = all; *line; line++) {
		if (strncmp(*line, folder, len) != 0 || (*line)[len] != ' ') {
			continue;
		}
		if (edit) {
			edit(arg, folder, *line + len + 1, mine);
		} else {
			g_ptr_array_add(mine, g_strdup(*line + len + 1));
		}
	}
	return mine;
}

static int hand_over(const struct hourlines_place *place, const char *folder,
		     const GPtrArray *lines, size_t *added, struct err *err)
{
	int st = ST_OK;

	for (*added = 0; st == ST_OK && *added < lines->len; ++*added) {
		st = place->put(place->arg, folder, g_ptr_array_index(lines, *added), err);
	}
	return st;
}

int hournotes_deliver(const char *path, const struct hourlines_place *place, hournotes_edit_fn edit,
		      void *arg, size_t *lines, struct err *err)
{
	char *text = NULL;
	char **all;
	int st = read_notes(path, &text, err);

	*lines = 0;
	if (st != ST_OK) {
		return st;
	}
	all = g_strsplit(text + strlen(HEADING), "\n", -1);
	for (size_t k = 0; st == ST_OK && k < G_N_ELEMENTS(kinds); k++) {
		const char *folder = kinds[k].folder;
		GPtrArray *mine = pick_lines(all, folder, edit, arg);
		size_t added = 0;

		if (mine->len > 0) {
			st = place->root ? kinds[k].deliver(folder, place->root, mine, &added, err)
					 : hand_over(place, folder, mine, &added, err);
		}
		*lines += added;
		g_ptr_array_free(mine, TRUE);
	}
	if (st == ST_EFORMAT || st == ST_ELIMIT) {
		err_prefix(err, "%s", path);
	}
	g_strfreev(all);
	g_free(text);
	return st;
}

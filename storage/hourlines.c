/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hourlines.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define HOURLINES_DAY_NS (INT64_C(86400) * NS_PER_S)

static void hourlines_utc(int64_t ns, struct tm *tm)
{
	time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));

	gmtime_r(&seconds, tm);
}

/* ROOT/FOLDER/2023/11/14 */
static char *hourlines_path(const char *folder, const char *root, int64_t hour_ns)
{
	struct tm tm;

	hourlines_utc(hour_ns, &tm);
	return g_strdup_printf("%s/%s/%04d/%02d/%02d", root, folder, tm.tm_year + 1900,
			       tm.tm_mon + 1, tm.tm_mday);
}

/* ---- adding ---- */

static char *hourlines_text(const struct hourlines *lines, int64_t hour_ns,
			    const char *const words[], const struct hourlines_number *numbers,
			    size_t count)
{
	GString *line = g_string_new(NULL);
	struct tm tm;

	hourlines_utc(hour_ns, &tm);
	g_string_printf(line, "%04d/%02d/%02dT%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			tm.tm_hour);
	for (size_t i = 0; i < lines->words; i++) {
		g_string_append_printf(line, " %s", words[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (numbers[i].value != 0) {
			g_string_append_printf(line, " %s=%" PRId64, numbers[i].name,
					       numbers[i].value);
		}
	}
	return g_string_free(line, FALSE);
}

/* A line that a dying packer left torn would say something else when it was ended: it is cut off. */
static int hourlines_cut_torn(int fd, const char *path, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t at = end;
	char last = '\0';

	while (at > 0 && last != '\n') {
		if (pread(fd, &last, 1, at - 1) != 1) {
			return err_errno(err, ST_EIO, errno, "%s", path);
		}
		at -= last != '\n';
	}
	return at == end || ftruncate(fd, at) == 0 ? ST_OK
						   : err_errno(err, ST_EIO, errno, "%s", path);
}

/* All of it or nothing. */
static int hourlines_write(int fd, const char *path, const char *line, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = g_strconcat(line, "\n", NULL);
	ssize_t len = (ssize_t)strlen(text);
	int st = ST_OK;

	if (write(fd, text, (size_t)len) != len) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
		(void)!ftruncate(fd, end); /* else the next one does it */
	}
	g_free(text);
	return st;
}

/* The file of a day, made as needed, under its lock; its last line is whole. */
static int hourlines_open(const char *path, int *fd, struct err *err)
{
	char *folder = g_path_get_dirname(path);
	int st = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", folder);
	}
	g_free(folder);
	if (st == ST_OK) {
		st = lockedfile_open(path, LOCKEDFILE_CREATE, fd, err);
	}
	if (st == ST_OK) {
		st = hourlines_cut_torn(*fd, path, err);
		if (st != ST_OK) {
			close(*fd);
		}
	}
	return st;
}

int hourlines_add(const struct hourlines *lines, const struct hourlines_place *place,
		  int64_t hour_ns, const char *const words[],
		  const struct hourlines_number *numbers, size_t count, struct err *err)
{
	char *line = hourlines_text(lines, hour_ns, words, numbers, count);
	char *path = NULL;
	int fd = -1;
	int st;

	if (place->root) {
		path = hourlines_path(lines->folder, place->root, hour_ns);
		st = hourlines_open(path, &fd, err);
		if (st == ST_OK) {
			st = hourlines_write(fd, path, line, err);
			close(fd);
		}
	} else {
		st = place->put(place->arg, lines->folder, line, err);
	}
	g_free(path);
	g_free(line);
	return st;
}

/* ---- reading ---- */

static bool hourlines_parse_hour(const char *text, int64_t *hour_ns)
{
	int year, month, day, hour, end = 0;
	struct tm tm = { 0 };

	if (sscanf(text, "%4d/%2d/%2dT%2d%n", &year, &month, &day, &hour, &end) != 4 || text[end] ||
	    month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23) {
		return false;
	}
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	*hour_ns = timegm(&tm) * NS_PER_S;
	return true;
}

int hourlines_next(struct hourlines_line *line, struct hourlines_number *out)
{
	char *word = strtok_r(NULL, " \n", &line->rest);
	char *equals = word ? strchr(word, '=') : NULL;
	char *end = NULL;

	if (!word) {
		return 0;
	}
	if (!equals) {
		return -1;
	}
	*equals = '\0';
	out->name = word;
	out->value = g_ascii_strtoll(equals + 1, &end, 10);
	return end == equals + 1 || *end ? -1 : 1;
}

struct hourlines_reading {
	const struct hourlines *lines;
	int64_t first_hour_ns, last_hour_ns;
	hourlines_fn fn;
	void *arg;
};

static void hourlines_read_line(const struct hourlines_reading *reading, char *text)
{
	struct hourlines_line line = { 0 };
	const char *hour = strtok_r(text, " \n", &line.rest);

	if (!hour || !hourlines_parse_hour(hour, &line.hour_ns) ||
	    line.hour_ns < reading->first_hour_ns || line.hour_ns > reading->last_hour_ns) {
		return;
	}
	for (size_t i = 0; i < reading->lines->words; i++) {
		line.words[i] = strtok_r(NULL, " \n", &line.rest);
		if (!line.words[i]) {
			return;
		}
	}
	reading->fn(reading->arg, &line);
}

static int hourlines_read_file(const struct hourlines_reading *reading, const char *path,
			       struct err *err)
{
	FILE *file = fopen(path, "re");
	char line[HOURLINES_LINE_MAX];
	int st = ST_OK;

	if (!file) {
		return errno == ENOENT || errno == ENOTDIR
			       ? ST_OK
			       : err_errno(err, ST_EIO, errno, "%s", path);
	}
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '\n')) {
			hourlines_read_line(reading, line);
		}
	}
	if (ferror(file)) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
	}
	fclose(file);
	return st;
}

int hourlines_each(const struct hourlines *lines, const char *root, int64_t first_hour_ns,
		   int64_t last_hour_ns, hourlines_fn fn, void *arg, struct err *err)
{
	const struct hourlines_reading reading = { lines, first_hour_ns, last_hour_ns, fn, arg };
	char *folder = g_build_filename(root, lines->folder, NULL);
	int st = ST_OK;

	/* one look instead of one a day where there is nothing */
	for (int64_t day_ns = first_hour_ns - first_hour_ns % HOURLINES_DAY_NS;
	     st == ST_OK && day_ns <= last_hour_ns && g_access(folder, R_OK | X_OK) == 0;
	     day_ns += HOURLINES_DAY_NS) {
		char *path = hourlines_path(lines->folder, root, day_ns);

		st = hourlines_read_file(&reading, path, err);
		g_free(path);
	}
	g_free(folder);
	return st;
}

static int hourlines_compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Read every file of a folder, and of folders in it down to depth, in the order of names. */
static int hourlines_read_folder(const struct hourlines_reading *reading, const char *path,
				 unsigned depth, struct err *err)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	int st = ST_OK;

	while (dir && (name = g_dir_read_name(dir))) {
		g_ptr_array_add(names, g_build_filename(path, name, NULL));
	}
	g_ptr_array_sort(names, hourlines_compare_names);
	for (guint i = 0; st == ST_OK && i < names->len; i++) {
		const char *at = g_ptr_array_index(names, i);

		st = depth > 0 ? hourlines_read_folder(reading, at, depth - 1, err)
			       : hourlines_read_file(reading, at, err);
	}
	g_ptr_array_free(names, TRUE);
	if (dir) {
		g_dir_close(dir);
	}
	return st;
}

int hourlines_each_hour(const struct hourlines *lines, const char *root, hourlines_fn fn, void *arg,
			struct err *err)
{
	const struct hourlines_reading reading = { lines, INT64_MIN, INT64_MAX, fn, arg };
	char *folder = g_build_filename(root, lines->folder, NULL);
	int st = hourlines_read_folder(&reading, folder, 2, err);

	g_free(folder);
	return st;
}

/* ---- what is brought from elsewhere ---- */

/* The day that a line belongs to, while its file is open. */
struct hourlines_day {
	const char *folder;
	const char *root;
	char *path; /* NULL: none is open */
	int fd;
	GHashTable *there; /* its lines */
};

static int hourlines_close_day(struct hourlines_day *day, struct err *err)
{
	int st = ST_OK;

	if (!day->path) {
		return ST_OK;
	}
	if (fsync(day->fd) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", day->path);
	}
	close(day->fd);
	if (st == ST_OK) {
		st = newfile_sync_folder(day->path, err);
	}
	g_clear_pointer(&day->there, g_hash_table_destroy);
	g_clear_pointer(&day->path, g_free);
	return st;
}

static int hourlines_read_day(struct hourlines_day *day, struct err *err)
{
	GError *error = NULL;
	char *content = NULL;
	char **lines;

	if (!g_file_get_contents(day->path, &content, NULL, &error)) {
		err_set(err, ST_EIO, "%s", error->message);
		g_error_free(error);
		return ST_EIO;
	}
	lines = g_strsplit(content, "\n", -1);
	day->there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (char **line = lines; *line; line++) {
		g_hash_table_add(day->there, *line);
	}
	g_free(lines); /* the table has the lines */
	g_free(content);
	return ST_OK;
}

/* Have the file of this hour's day open. */
static int hourlines_turn_to(struct hourlines_day *day, int64_t hour_ns, struct err *err)
{
	char *path = hourlines_path(day->folder, day->root, hour_ns);
	int st = ST_OK;

	if (g_strcmp0(path, day->path) != 0) {
		st = hourlines_close_day(day, err);
		if (st == ST_OK) {
			st = hourlines_open(path, &day->fd, err);
		}
		if (st == ST_OK) {
			day->path = g_steal_pointer(&path);
			st = hourlines_read_day(day, err);
		}
	}
	g_free(path);
	return st;
}

static bool hourlines_hour_of(const char *text, int64_t *hour_ns)
{
	char hour[sizeof("2023/11/14T22")];

	g_strlcpy(hour, text, sizeof(hour));
	return strcspn(text, " ") == sizeof(hour) - 1 && hourlines_parse_hour(hour, hour_ns);
}

int hourlines_add_once(const char *folder, const char *root, const char *const texts[],
		       size_t count, size_t *added, struct err *err)
{
	struct hourlines_day day = { .folder = folder, .root = root };
	struct err closing;
	int st = ST_OK;
	int closed;

	*added = 0;
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		int64_t hour_ns;

		if (!hourlines_hour_of(texts[i], &hour_ns)) {
			st = err_set(err, ST_EFORMAT, "'%s' has no hour", texts[i]);
			break;
		}
		st = hourlines_turn_to(&day, hour_ns, err);
		if (st == ST_OK && g_hash_table_add(day.there, g_strdup(texts[i]))) {
			st = hourlines_write(day.fd, day.path, texts[i], err);
			*added += st == ST_OK;
		}
	}
	closed = hourlines_close_day(&day, &closing);
	return st == ST_OK && closed != ST_OK ? err_set(err, closed, "%s", closing.text) : st;
}

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

#define HOURLINES_DAY_NS (INT64_C(86400) * NS_PER_S)

static void hourlines_utc(int64_t ns, struct tm *tm)
{
	time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));

	gmtime_r(&seconds, tm);
}

/* ROOT/FOLDER/2023/11/14 */
static char *hourlines_path(const struct hourlines *lines, const char *root, int64_t hour_ns)
{
	struct tm tm;

	hourlines_utc(hour_ns, &tm);
	return g_strdup_printf("%s/%s/%04d/%02d/%02d", root, lines->folder, tm.tm_year + 1900,
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
	g_string_append_c(line, '\n');
	return g_string_free(line, FALSE);
}

/* A line that a dying packer left torn is ended first: it is then passed over, not joined. */
static int hourlines_write(int fd, const char *path, const char *line, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last = '\n';

	if (end > 0 && pread(fd, &last, 1, end - 1) != 1) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	if (last != '\n' && write(fd, "\n", 1) != 1) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line)) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	return ST_OK;
}

int hourlines_add(const struct hourlines *lines, const char *root, int64_t hour_ns,
		  const char *const words[], const struct hourlines_number *numbers, size_t count,
		  struct err *err)
{
	char *path = hourlines_path(lines, root, hour_ns);
	char *folder = g_path_get_dirname(path);
	char *line = hourlines_text(lines, hour_ns, words, numbers, count);
	int fd = -1;
	int st = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", folder);
	}
	if (st == ST_OK) {
		st = lockedfile_open(path, LOCKEDFILE_CREATE, &fd, err);
	}
	if (st == ST_OK) {
		st = hourlines_write(fd, path, line, err);
		close(fd);
	}
	g_free(line);
	g_free(folder);
	g_free(path);
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
		char *path = hourlines_path(lines, root, day_ns);

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

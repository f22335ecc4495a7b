/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lossfile.h"

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

#define LOSS_DAY_NS   (INT64_C(86400) * NS_PER_S)
#define LOSS_LINE_MAX 1024

const struct loss_row loss_rows[LOSS_KINDS] = {
	[LOSS_RECEIVED] = { "received", false, "records" },
	[LOSS_MISSING] = { "missing", true, "records" },
	[LOSS_MISSING_PACKETS] = { "missing-packets", true, "datagrams" },
	[LOSS_KERNEL] = { "kernel", true, "datagrams" },
	[LOSS_REJECTED] = { "rejected", false, "messages" },
	[LOSS_UNKNOWN_SETS] = { "unknown-sets", true, "sets" },
	[LOSS_DROPPED] = { "dropped", true, "records" },
	[LOSS_JOURNAL] = { "journal", true, "messages" },
	[LOSS_CLOCK_OFF] = { "clock-off", false, "records" },
};

void loss_add(struct loss *sum, const struct loss *more)
{
	for (size_t i = 0; i < LOSS_KINDS; i++) {
		sum->values[i] += more->values[i];
	}
}

uint64_t loss_total(const struct loss *loss)
{
	uint64_t total = 0;

	for (size_t i = 0; i < LOSS_KINDS; i++) {
		if (loss_rows[i].is_loss && loss->values[i] > 0) {
			total += (uint64_t)loss->values[i];
		}
	}
	return total;
}

static void loss_utc(int64_t ns, struct tm *tm)
{
	time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));

	gmtime_r(&seconds, tm);
}

/* ROOT/.loss/2023/11/14 */
static char *lossfile_path(const char *root, int64_t hour_ns)
{
	struct tm tm;

	loss_utc(hour_ns, &tm);
	return g_strdup_printf("%s/" LOSSFILE_FOLDER "/%04d/%02d/%02d", root, tm.tm_year + 1900,
			       tm.tm_mon + 1, tm.tm_mday);
}

/* ---- adding ---- */

static char *loss_line(int64_t hour_ns, const char *sensor, const char *probe,
		       const struct loss *loss)
{
	GString *line = g_string_new(NULL);
	struct tm tm;

	loss_utc(hour_ns, &tm);
	g_string_printf(line, "%04d/%02d/%02dT%02d %s %s", tm.tm_year + 1900, tm.tm_mon + 1,
			tm.tm_mday, tm.tm_hour, sensor, probe);
	for (size_t i = 0; i < LOSS_KINDS; i++) {
		if (loss->values[i] != 0) {
			g_string_append_printf(line, " %s=%" PRId64, loss_rows[i].name,
					       loss->values[i]);
		}
	}
	g_string_append_c(line, '\n');
	return g_string_free(line, FALSE);
}

/* A line that a dying packer left torn is ended first: it is then passed over, not joined. */
static int loss_write(int fd, const char *path, const char *line, struct err *err)
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

int lossfile_add(const char *root, int64_t hour_ns, const char *sensor, const char *probe,
		 const struct loss *loss, struct err *err)
{
	char *path = lossfile_path(root, hour_ns);
	char *folder = g_path_get_dirname(path);
	char *line = loss_line(hour_ns, sensor, probe, loss);
	int fd = -1;
	int st = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", folder);
	}
	if (st == ST_OK) {
		st = lockedfile_open(path, LOCKEDFILE_CREATE, &fd, err);
	}
	if (st == ST_OK) {
		st = loss_write(fd, path, line, err);
		close(fd);
	}
	g_free(line);
	g_free(folder);
	g_free(path);
	return st;
}

/* ---- reading ---- */

static bool loss_parse_hour(const char *text, int64_t *hour_ns)
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

/* Kinds that are not known are of a later release, and passed over. */
static bool loss_parse_value(char *word, struct loss *loss)
{
	char *equals = strchr(word, '=');
	char *end = NULL;
	int64_t value;

	if (!equals) {
		return false;
	}
	*equals = '\0';
	value = g_ascii_strtoll(equals + 1, &end, 10);
	if (end == equals + 1 || *end) {
		return false;
	}
	for (size_t i = 0; i < LOSS_KINDS; i++) {
		if (strcmp(loss_rows[i].name, word) == 0) {
			loss->values[i] = value;
		}
	}
	return true;
}

struct loss_reading {
	int64_t first_hour_ns, last_hour_ns;
	lossfile_fn fn;
	void *arg;
};

static void loss_read_line(const struct loss_reading *reading, char *line)
{
	char *rest = NULL;
	const char *hour = strtok_r(line, " \n", &rest);
	const char *sensor = strtok_r(NULL, " \n", &rest);
	const char *probe = strtok_r(NULL, " \n", &rest);
	struct loss loss = { 0 };
	int64_t hour_ns;

	if (!probe || !loss_parse_hour(hour, &hour_ns)) {
		return;
	}
	for (char *word = strtok_r(NULL, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		if (!loss_parse_value(word, &loss)) {
			return;
		}
	}
	if (hour_ns >= reading->first_hour_ns && hour_ns <= reading->last_hour_ns) {
		reading->fn(reading->arg, hour_ns, sensor, probe, &loss);
	}
}

static int loss_read_file(const struct loss_reading *reading, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char line[LOSS_LINE_MAX];
	int st = ST_OK;

	if (!file) {
		return errno == ENOENT || errno == ENOTDIR
			       ? ST_OK
			       : err_errno(err, ST_EIO, errno, "%s", path);
	}
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '\n')) {
			loss_read_line(reading, line);
		}
	}
	if (ferror(file)) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
	}
	fclose(file);
	return st;
}

int lossfile_each(const char *root, int64_t first_hour_ns, int64_t last_hour_ns, lossfile_fn fn,
		  void *arg, struct err *err)
{
	const struct loss_reading reading = { first_hour_ns, last_hour_ns, fn, arg };
	char *folder = g_build_filename(root, LOSSFILE_FOLDER, NULL);
	int st = ST_OK;

	/* one look instead of one a day where nothing was ever lost */
	for (int64_t day_ns = first_hour_ns - first_hour_ns % LOSS_DAY_NS;
	     st == ST_OK && day_ns <= last_hour_ns && g_access(folder, R_OK | X_OK) == 0;
	     day_ns += LOSS_DAY_NS) {
		char *path = lossfile_path(root, day_ns);

		st = loss_read_file(&reading, path, err);
		g_free(path);
	}
	g_free(folder);
	return st;
}

static int loss_compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Read every file of a folder, and of folders in it down to depth, in the order of names. */
static int loss_read_folder(const struct loss_reading *reading, const char *path, unsigned depth,
			    struct err *err)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	int st = ST_OK;

	while (dir && (name = g_dir_read_name(dir))) {
		g_ptr_array_add(names, g_build_filename(path, name, NULL));
	}
	g_ptr_array_sort(names, loss_compare_names);
	for (guint i = 0; st == ST_OK && i < names->len; i++) {
		const char *at = g_ptr_array_index(names, i);

		st = depth > 0 ? loss_read_folder(reading, at, depth - 1, err)
			       : loss_read_file(reading, at, err);
	}
	g_ptr_array_free(names, TRUE);
	if (dir) {
		g_dir_close(dir);
	}
	return st;
}

int lossfile_each_hour(const char *root, lossfile_fn fn, void *arg, struct err *err)
{
	const struct loss_reading reading = { INT64_MIN, INT64_MAX, fn, arg };
	char *folder = g_build_filename(root, LOSSFILE_FOLDER, NULL);
	int st = loss_read_folder(&reading, folder, 2, err);

	g_free(folder);
	return st;
}

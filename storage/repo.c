/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/repo.h"

#include "common/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATE_MIN 19700101
#define DATE_MAX 20380119 /* exclusive */

/* --- names --- */

/* The parts of an hour as names have them; walking makes many names of each. */
struct hour_text {
	char stamp[12]; /* 20090212.03 */
	char year[5];
	char month[3];
	char day[3];
	char hour[3];
};

static void put_digits(char *out, int width, int number)
{
	out[width] = '\0';
	while (width > 0) {
		out[--width] = (char)('0' + number % 10);
		number /= 10;
	}
}

static void split_hour(int64_t hour_ns, struct hour_text *out)
{
	time_t seconds = (time_t)(hour_ns / NS_PER_S);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	put_digits(out->year, 4, tm.tm_year + 1900);
	put_digits(out->month, 2, tm.tm_mon + 1);
	put_digits(out->day, 2, tm.tm_mday);
	put_digits(out->hour, 2, tm.tm_hour);
	memcpy(out->stamp, out->year, 4);
	memcpy(out->stamp + 4, out->month, 2);
	memcpy(out->stamp + 6, out->day, 2);
	out->stamp[8] = '.';
	memcpy(out->stamp + 9, out->hour, 3);
}

/* The text of the conversions that stand for one text; NULL: another one. */
static const char *conversion_text(char conversion, const struct site *site,
				   const struct hourfile_key *key, const struct hour_text *hour)
{
	switch (conversion) {
	case 'C':
		return site_class_name(site, site_flowtype_class(site, key->flowtype));
	case 'T':
		return site_flowtype_type(site, key->flowtype);
	case 'F':
		return site_flowtype_name(site, key->flowtype);
	case 'N':
		return site_sensor_name(site, key->sensor);
	case 'Y':
		return hour->year;
	case 'm':
		return hour->month;
	case 'd':
		return hour->day;
	case 'H':
		return hour->hour;
	case '%':
		return "%";
	default:
		return NULL;
	}
}

static void append_conversion(GString *path, char conversion, const struct site *site,
			      const struct hourfile_key *key, const struct hour_text *hour)
{
	const char *text = conversion_text(conversion, site, key, hour);

	if (text) {
		g_string_append(path, text);
	} else if (conversion == 'x') {
		g_string_append(path, site_flowtype_name(site, key->flowtype));
		g_string_append_c(path, '-');
		g_string_append(path, site_sensor_name(site, key->sensor));
		g_string_append_c(path, '_');
		g_string_append_len(path, hour->stamp, sizeof(hour->stamp) - 1);
	} else if (conversion == 'f') {
		g_string_append_printf(path, "%d", key->flowtype);
	} else if (conversion == 'n') {
		g_string_append_printf(path, "%d", key->sensor);
	}
}

static void append_path(GString *path, const struct site *site, const char *root,
			const struct hourfile_key *key, const struct hour_text *hour)
{
	g_string_append(path, root);
	g_string_append_c(path, '/');
	for (const char *c = site_path_format(site); *c; c++) {
		if (*c == '%' && c[1]) {
			append_conversion(path, *++c, site, key, hour);
		} else {
			g_string_append_c(path, *c);
		}
	}
}

char *repo_path(const struct site *site, const char *root, const struct hourfile_key *key)
{
	GString *path = g_string_new(NULL);
	struct hour_text hour;

	split_hour(key->hour_ns, &hour);
	append_path(path, site, root, key, &hour);
	return g_string_free(path, FALSE);
}

/* Digits at *text, which is moved past them; -1: none, or too many. */
static int take_number(const char **text)
{
	const char *start = *text;
	int value = 0;

	while (g_ascii_isdigit(**text) && *text - start < 9) {
		value = value * 10 + (*(*text)++ - '0');
	}
	return *text > start && !g_ascii_isdigit(**text) ? value : -1;
}

/* "20090212.03" with nothing or a dot behind it. */
static bool take_hour(const char *text, int64_t *out_ns)
{
	int date = take_number(&text);
	struct tm tm = { 0 };
	struct tm back;
	time_t seconds;

	if (date < DATE_MIN || date >= DATE_MAX || *text++ != '.') {
		return false;
	}
	tm.tm_year = date / 10000 - 1900;
	tm.tm_mon = date / 100 % 100 - 1;
	tm.tm_mday = date % 100;
	tm.tm_hour = take_number(&text);
	if (tm.tm_hour < 0 || tm.tm_hour > 23 || (*text && *text != '.')) {
		return false;
	}
	seconds = timegm(&tm);
	/* a day that does not exist becomes another one */
	gmtime_r(&seconds, &back);
	if (back.tm_mday != date % 100 || back.tm_mon != date / 100 % 100 - 1) {
		return false;
	}
	*out_ns = (int64_t)seconds * NS_PER_S;
	return true;
}

int repo_parse_name(const struct site *site, const char *basename, struct hourfile_key *out)
{
	int flowtype = -1;
	int sensor = -1;
	const char *hyphen = basename;
	const char *end;
	int64_t hour_ns;

	/* names of flowtypes may hold hyphens themselves */
	while (flowtype < 0 && (hyphen = strchr(hyphen, '-')) != NULL) {
		char *name = g_strndup(basename, (gsize)(hyphen - basename));

		flowtype = site_flowtype_id(site, name);
		g_free(name);
		hyphen++;
	}
	end = hyphen ? strchr(hyphen, '_') : NULL;
	if (end) {
		char *name = g_strndup(hyphen, (gsize)(end - hyphen));

		sensor = site_sensor_id(site, name);
		g_free(name);
	}
	if (flowtype < 0 || sensor < 0 || !take_hour(end + 1, &hour_ns)) {
		return ST_EFORMAT;
	}
	*out = (struct hourfile_key){ .hour_ns = hour_ns,
				      .sensor = (uint16_t)sensor,
				      .flowtype = (uint8_t)flowtype };
	return ST_OK;
}

/* --- walking --- */

void repo_select_release(struct repo_select *select)
{
	g_free(select->pairs);
	g_free(select->warnings);
	*select = (struct repo_select){ 0 };
}

/* The folder that files of one pair were last looked for in. */
struct repo_folder {
	char *name; /* ends in a slash; NULL: none yet */
	size_t len;
	int fd; /* -1: could not be opened */
	bool missing;
};

#define REPO_FOLDERS_MAX 64 /* pairs beyond share them */

static void close_folder(struct repo_folder *folder)
{
	if (folder->name && folder->fd >= 0) {
		close(folder->fd);
	}
	g_free(folder->name);
	*folder = (struct repo_folder){ .fd = -1 };
}

static void open_folder(struct repo_folder *folder, const char *path, size_t len)
{
	close_folder(folder);
	folder->name = g_strndup(path, len);
	folder->len = len;
	folder->fd = open(folder->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	folder->missing = folder->fd < 0 && errno == ENOENT;
}

static bool is_file(const struct repo_folder *folder, const char *path, struct stat *st)
{
	/* what cannot be held open is looked at by its whole name */
	int rc = folder->fd >= 0 ? fstatat(folder->fd, path + folder->len, st, 0) : stat(path, st);

	return rc == 0 && S_ISREG(st->st_mode);
}

/* Is the file there, as it is or compressed? In that case path has the ".gz". */
static bool find_file(struct repo_folder *folder, GString *path, struct stat *st)
{
	size_t len = path->len;
	size_t folder_len = (size_t)(strrchr(path->str, '/') - path->str) + 1;

	if (!folder->name || folder->len != folder_len ||
	    memcmp(folder->name, path->str, folder_len) != 0) {
		open_folder(folder, path->str, folder_len);
	}
	if (folder->missing) {
		return false;
	}
	if (is_file(folder, path->str, st)) {
		return true;
	}
	g_string_append(path, ".gz");
	if (is_file(folder, path->str, st)) {
		return true;
	}
	g_string_truncate(path, len);
	return false;
}

struct repo_walk {
	const struct site *site;
	const char *root;
	const struct repo_select *select;
	struct hourfile_key key; /* of the file at hand */
	size_t next_pair;
	int64_t split_ns; /* the hour of tm */
	struct hour_text hour;
	GString *path; /* empty: not made yet */
	struct stat st;
	struct repo_folder folders[REPO_FOLDERS_MAX];
};

struct repo_walk *repo_walk_new(const struct site *site, const char *root,
				const struct repo_select *select)
{
	struct repo_walk *walk = g_new0(struct repo_walk, 1);

	walk->site = site;
	walk->root = root;
	walk->select = select;
	walk->key.hour_ns = select->first_hour_ns;
	walk->split_ns = INT64_MIN;
	walk->path = g_string_new(NULL);
	return walk;
}

void repo_walk_free(struct repo_walk *walk)
{
	if (walk) {
		for (size_t i = 0; i < REPO_FOLDERS_MAX; i++) {
			close_folder(&walk->folders[i]);
		}
		g_string_free(walk->path, TRUE);
		g_free(walk);
	}
}

bool repo_walk_next(struct repo_walk *walk, struct hourfile_key *key)
{
	const struct repo_select *select = walk->select;
	const struct repo_pair *pair;

	if (walk->next_pair >= select->pair_count) {
		walk->next_pair = 0;
		walk->key.hour_ns += NS_PER_HOUR;
	}
	if (select->pair_count == 0 || walk->key.hour_ns > select->last_hour_ns) {
		return false;
	}
	pair = &select->pairs[walk->next_pair++];
	walk->key.flowtype = pair->flowtype;
	walk->key.sensor = pair->sensor;
	g_string_truncate(walk->path, 0);
	*key = walk->key;
	return true;
}

const char *repo_walk_path(struct repo_walk *walk)
{
	if (walk->path->len == 0) {
		if (walk->split_ns != walk->key.hour_ns) {
			split_hour(walk->key.hour_ns, &walk->hour);
			walk->split_ns = walk->key.hour_ns;
		}
		append_path(walk->path, walk->site, walk->root, &walk->key, &walk->hour);
	}
	return walk->path->str;
}

const struct stat *repo_walk_find(struct repo_walk *walk)
{
	struct repo_folder *folder = &walk->folders[(walk->next_pair - 1) % REPO_FOLDERS_MAX];

	repo_walk_path(walk);
	return find_file(folder, walk->path, &walk->st) ? &walk->st : NULL;
}

int repo_each_stat(const struct site *site, const char *root, const struct repo_select *select,
		   bool want_missing, repo_stat_fn fn, void *arg)
{
	struct repo_walk *walk = repo_walk_new(site, root, select);
	struct hourfile_key key;
	int rc = 0;

	while (rc == 0 && repo_walk_next(walk, &key)) {
		const struct stat *st = repo_walk_find(walk);

		if (st || want_missing) {
			rc = fn(arg, repo_walk_path(walk), &key, st);
		}
	}
	repo_walk_free(walk);
	return rc;
}

struct repo_visit {
	repo_file_fn fn;
	void *arg;
};

static int visit_file(void *arg, const char *path, const struct hourfile_key *key,
		      const struct stat *st)
{
	const struct repo_visit *visit = arg;

	return visit->fn(visit->arg, path, key, st != NULL);
}

int repo_each(const struct site *site, const char *root, const struct repo_select *select,
	      bool want_missing, repo_file_fn fn, void *arg)
{
	struct repo_visit visit = { .fn = fn, .arg = arg };

	return repo_each_stat(site, root, select, want_missing, visit_file, &visit);
}

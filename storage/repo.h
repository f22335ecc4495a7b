/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The repository: names of hourly files, and which of them a query needs (silk-packing.md 1.5).
 */
#ifndef TUSSAH_STORAGE_REPO_H
#define TUSSAH_STORAGE_REPO_H

#include <sys/stat.h>

#include "common/site.h"
#include "storage/hourfile.h"

/* ROOT/path-format with every conversion replaced; the key must be of the site. Returned: g_free().
 */
char *repo_path(const struct site *site, const char *root, const struct hourfile_key *key);

/*
 * Take a base name apart, "in-S0_20090212.03[.suffix]". ST_OK, or ST_EFORMAT: not of this form, or
 * sensor or flowtype are not of the site.
 */
int repo_parse_name(const struct site *site, const char *basename, struct hourfile_key *out);

/* What a query selects: hours (both ends inclusive) and a list of (flowtype, sensor) pairs. */
struct repo_select {
	int64_t first_hour_ns;
	int64_t last_hour_ns;
	size_t pair_count;
	struct repo_pair {
		uint8_t flowtype;
		uint16_t sensor;
	} * pairs;      /* g_malloc'd; repo_select_release() frees */
	char *warnings; /* lines for the user, each ending in a newline; NULL: none */
};
void repo_select_release(struct repo_select *select);

/* The selection switches as SiLK has them; every text may be NULL. */
struct repo_switches {
	const char *class_name; /* --class */
	const char *types;      /* --type: list, or "all" */
	const char *flowtypes;  /* --flowtypes: list of CLASS/TYPE, "all" allowed in each place */
	const char *sensors;    /* --sensors: names, ids, ranges of ids, groups */
	const char *start_date; /* --start-date */
	const char *end_date;   /* --end-date */
	int64_t now_ns;         /* no --start-date: the hours of today up to now */
};

/*
 * Work out the selection with SiLK's rules (rwfglob's manual page): defaults of class and type,
 * precision of dates (a day means all its hours, an hour itself). Lists may name files of names:
 * "S0,@more.txt". err has several lines when several names of a list are wrong; a line that starts
 * with a tab goes on the one before. *out is for repo_select_release(), also after a
 * failure, when it may still hold warnings.
 */
int repo_select_switches(const struct site *site, const struct repo_switches *switches,
			 struct repo_select *out, struct err *err);

/* The hours alone, by the same rules: what the dates of switches say. ST_OK or ST_EINVAL. */
int repo_select_hours(const struct repo_switches *switches, struct repo_select *out,
		      struct err *err);

/*
 * The ids that a list of sensors (names, ids, ranges, groups) or flowtypes (CLASS/TYPE) names, in
 * the order of first naming; *ids: g_free(). intro opens the message of errors ("Invalid sensors"),
 * of which there may be several lines. ST_OK or ST_EINVAL.
 */
enum repo_list {
	REPO_LIST_FLOWTYPES,
	REPO_LIST_SENSORS,
};
int repo_parse_list(const struct site *site, enum repo_list kind, const char *intro,
		    const char *text, int **ids, size_t *count, struct err *err);

/*
 * The names of the files of a selection one by one, in SiLK's order: hour, then flowtype and sensor
 * as the user named them. Nothing is looked for on disk but by repo_walk_find().
 *
 *	struct repo_walk *walk = repo_walk_new(site, root, &select);
 *	while (repo_walk_next(walk, &key)) {
 *		if (repo_walk_find(walk)) { open(repo_walk_path(walk)); }
 *	}
 *	repo_walk_free(walk);
 */
struct repo_walk;
struct repo_walk *repo_walk_new(const struct site *site, const char *root,
				const struct repo_select *select); /* all kept */
void repo_walk_free(struct repo_walk *walk);
bool repo_walk_next(struct repo_walk *walk, struct hourfile_key *key); /* false: no more */
/* Of the file at hand; made when first asked for. Borrowed until the next step. */
const char *repo_walk_path(struct repo_walk *walk);
/*
 * Is it there? What stat() says, or NULL; with ".gz" behind its name too, which the path then has.
 * Folders are held open, so that a file costs one fstatat() of its name alone, and the files of a
 * missing folder nothing. Borrowed until the next step.
 */
const struct stat *repo_walk_find(struct repo_walk *walk);

/*
 * Visit the path of every file of the selection in SiLK's order: hour, then flowtype and sensor as
 * the user named them. exists: a regular file of that name, or of that name and ".gz", which path
 * then has. Stops when fn returns non-zero and returns that; missing files are visited only when
 * want_missing.
 */
typedef int (*repo_file_fn)(void *arg, const char *path, const struct hourfile_key *key,
			    bool exists);
int repo_each(const struct site *site, const char *root, const struct repo_select *select,
	      bool want_missing, repo_file_fn fn, void *arg);

/*
 * The same; fn is also told what stat() says, NULL of a missing file. Folders are held open, so
 * that a file costs one fstatat() of its name alone, and the files of a missing folder nothing.
 */
typedef int (*repo_stat_fn)(void *arg, const char *path, const struct hourfile_key *key,
			    const struct stat *st);
int repo_each_stat(const struct site *site, const char *root, const struct repo_select *select,
		   bool want_missing, repo_stat_fn fn, void *arg);

#endif

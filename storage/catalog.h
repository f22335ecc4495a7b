/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The catalog: for each day of a repository one derived file with the summaries and the address
 * filters of its hourly files (storage/FORMAT.md section 8). It only saves work: without it, or
 * when it is damaged, files are read.
 *
 *	struct catalog *day;
 *	if (catalog_open(&day, root, hour_ns, NULL) == ST_OK) {		// else there is none
 *		bool nowhere = !catalog_may_hold(day, hashes, count);
 *		const struct catalog_entry *entry = catalog_find(day,
 *"in/2026/01/02/in-S0_2026...");
 *
 *		if (entry && catalog_is_fresh(entry, &st)) {
 *			if (nowhere) ...	// none of the addresses is in the file
 *			catalog_summary(day, entry, &summary, err);
 *		}
 *	}
 *	catalog_close(day);
 *
 * An entry says nothing unless catalog_is_fresh() agrees with a stat() of the file that is made by
 * the query itself: files are changed by others, also in place. Threads: one per struct catalog.
 */
#ifndef TUSSAH_STORAGE_CATALOG_H
#define TUSSAH_STORAGE_CATALOG_H

#include <sys/stat.h>

#include "common/err.h"
#include "storage/summary.h"

#define CATALOG_FOLDER ".catalog" /* in the root; no path format makes names in it */

/* What a file was when it was summarised. */
struct catalog_identity {
	uint64_t inode;
	uint64_t size;       /* bytes */
	int64_t changed_ns;  /* ctime */
	int64_t modified_ns; /* mtime */
};

enum catalog_kind {
	CATALOG_BLOCKS = 1, /* a block file */
	CATALOG_ROWS = 2,   /* a SiLK file */
};

struct catalog_entry {
	const char *path; /* relative to the root */
	struct catalog_identity identity;
	uint8_t kind; /* enum catalog_kind */
	uint64_t records;
	int64_t first_start_ns; /* of no meaning without records, as the next two */
	int64_t last_start_ns;
	int64_t last_end_ns;
	uint32_t filter_size; /* of its address filter in bytes; 0: none */
};

struct catalog;

/*
 * Open the catalog of the day that hour_ns is in, with one read of what is nearly always enough.
 * ST_OK, ST_ENOENT: there is none, ST_EFORMAT: damaged, ST_EVERSION, ST_EIO; *out is untouched
 * unless ST_OK.
 */
int catalog_open(struct catalog **out, const char *root, int64_t hour_ns, struct err *err);
/* What pointed into it is gone. NULL is fine. */
void catalog_close(struct catalog *catalog);

/* Midnight UTC before or at hour_ns; the day that the catalog is of. */
int64_t catalog_day_ns(int64_t hour_ns);
/* ROOT/.catalog/YYYY/MM/DD. Returned: g_free(). */
char *catalog_path(const char *root, int64_t hour_ns);
/* The days that have one, ascending. Returned: g_free(). */
int64_t *catalog_days(const char *root, size_t *count);

/* Entries, ascending by path. */
size_t catalog_count(const struct catalog *catalog);
const struct catalog_entry *catalog_at(const struct catalog *catalog, size_t i);
/* By path relative to the root; NULL: not there. Quick: one hash and mostly one comparison. */
const struct catalog_entry *catalog_find(const struct catalog *catalog, const char *path);

struct catalog_identity catalog_identify(const struct stat *st);
/* Is the file that st is of still what was summarised? */
bool catalog_is_fresh(const struct catalog_entry *entry, const struct stat *st);

/*
 * Does any file with an entry perhaps hold one of these addresses (bloom_hash()), as source or
 * destination? False is certain for every fresh entry; damage is "perhaps". For a few addresses a
 * few pages are read. The answer is false for no addresses.
 */
bool catalog_may_hold(struct catalog *catalog, const uint64_t *hashes, size_t count);
/* That filter, for those who add to it; NULL: none, or damaged. Borrowed until catalog_close(). */
const uint8_t *catalog_day_filter(struct catalog *catalog, size_t *size);

/*
 * All that is known of an entry's file, the filter included when want_filter (and there is one).
 * The filter is borrowed from the catalog until catalog_close(). ST_OK, ST_EFORMAT: damaged, read
 * the file, ST_EIO.
 */
int catalog_summary(struct catalog *catalog, const struct catalog_entry *entry, bool want_filter,
		    struct summary *out, struct err *err);

/* Bytes read of the catalog file so far. */
uint64_t catalog_bytes(const struct catalog *catalog);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The new file is made beside the old one, under a lock that is held from before the old one is
 * read until the new one has its name. An entry could not tell a change of its file in the same
 * tick of the clock of the file system as the last one before; so files are summarised only when
 * that clock, as the time stamps of the new file show it, has gone on.
 */
#include "storage/catalogwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/bloombuild.h"
#include "storage/catalogform.h"
#include "storage/catalogmake.h"

#define SETTLE_NS    (20 * NS_PER_MS) /* more than a tick of any kernel */
#define SETTLE_TRIES 5

/* The filter of a day is made at most this full, to have room; made anew when fuller than that. */
#define DAY_FILLING_MADE 0.3
#define DAY_FILLING_MAX  0.6

/* An entry to be: of a file that was read now, or of the old catalog. */
struct draft {
	char *path;
	struct catalog_made made;
};

struct update {
	const char *root;
	int64_t day_ns;
	const struct catalog_update_opts *opts;
	struct catalog_update_result result;
	char *target;
	char *temporary;
	int lock_fd;
	int fd;                 /* of the temporary file */
	struct catalog *old;    /* NULL: none, or damaged */
	GHashTable *drafts;     /* by path */
	struct bloombuild *day; /* NULL: it is to be made anew, of all files */
};

static void draft_free(gpointer pointer)
{
	struct draft *draft = pointer;

	catalog_made_release(&draft->made);
	g_free(draft->path);
	g_free(draft);
}

/* ---- lock and files ---- */

static int lock_catalog(struct update *update, struct err *err)
{
	char *folder = g_path_get_dirname(update->target);
	char *path = g_strdup_printf("%s/" CATALOG_FOLDER "/lock", update->root);
	int rc = ST_OK;

	if (g_mkdir_with_parents(folder, 0777) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", folder);
		goto done;
	}
	update->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (update->lock_fd < 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", path);
		goto done;
	}
	while (flock(update->lock_fd, LOCK_EX) != 0) {
		if (errno != EINTR) {
			rc = err_errno(err, ST_EIO, errno, "lock %s", path);
			goto done;
		}
	}
	/* one that was left over is emptied: nobody else writes it now */
	update->fd = open(update->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (update->fd < 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", update->temporary);
	}
done:
	g_free(path);
	g_free(folder);
	return rc;
}

static char *whole_path(const struct update *update, const char *path)
{
	return g_strdup_printf("%s/%s", update->root, path);
}

static bool stat_file(const struct update *update, const char *path, struct stat *st)
{
	char *whole = whole_path(update, path);
	bool there = stat(whole, st) == 0;

	g_free(whole);
	return there;
}

/* ---- reading files ---- */

static void refuse(struct update *update, const struct err *err)
{
	update->result.refused++;
	if (update->opts->refused) {
		update->opts->refused(update->opts->arg, err->status, err->text);
	}
}

/* Wait until the clock of the file system is well past the last change of the file. */
static int settle(struct update *update, const char *path, struct err *err)
{
	const struct timespec touch[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	const struct timespec pause = { .tv_nsec = SETTLE_NS };

	for (int i = 0; i < SETTLE_TRIES; i++) {
		struct stat file;
		struct stat now;

		if (!stat_file(update, path, &file)) {
			return err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s",
					 path);
		}
		if (futimens(update->fd, touch) != 0 || fstat(update->fd, &now) != 0) {
			return err_errno(err, ST_EIO, errno, "%s", update->temporary);
		}
		if (catalog_identify(&now).changed_ns - catalog_identify(&file).changed_ns >=
		    SETTLE_NS) {
			return ST_OK;
		}
		nanosleep(&pause, NULL);
	}
	return err_set(err, ST_EAGAIN, "%s/%s: written to just now, or in the future", update->root,
		       path);
}

static void add_to_day(void *arg, uint64_t hash)
{
	struct update *update = arg;

	if (update->day) {
		bloombuild_add(update->day, hash);
	}
}

static void summarise(struct update *update, const char *path)
{
	struct draft *draft = g_new0(struct draft, 1);
	struct err err;
	int rc = settle(update, path, &err);

	if (rc == ST_OK) {
		rc = catalog_make(&draft->made, update->root, path, add_to_day, update, &err);
	}
	if (rc != ST_OK) {
		g_hash_table_remove(update->drafts, path);
		g_free(draft);
		if (rc != ST_ENOENT) {
			refuse(update, &err);
		}
		return;
	}
	draft->path = g_strdup(path);
	g_hash_table_replace(update->drafts, draft->path, draft);
	update->result.summarised++;
}

/* ---- what the old catalog has ---- */

/* Take over an entry that is fresh. */
static void keep(struct update *update, const struct catalog_entry *entry)
{
	struct draft *draft;
	struct summary summary;
	struct stat st;

	if (!stat_file(update, entry->path, &st) || !catalog_is_fresh(entry, &st) ||
	    catalog_summary(update->old, entry, true, &summary, NULL) != ST_OK) {
		update->result.dropped++;
		return;
	}
	draft = g_new0(struct draft, 1);
	draft->path = g_strdup(entry->path);
	draft->made.identity = entry->identity;
	draft->made.kind = entry->kind;
	draft->made.summary = summary;
	draft->made.filter = g_memdup2(summary.filter, summary.filter_size);
	draft->made.summary.filter = draft->made.filter;
	g_hash_table_insert(update->drafts, draft->path, draft);
	update->result.kept++;
}

/* Entries of files that are not to be read. */
static void keep_others(struct update *update, const char *const *paths, size_t count)
{
	GHashTable *named = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < count && !update->opts->only_stale; i++) {
		g_hash_table_add(named, (gpointer)paths[i]);
	}
	for (size_t i = 0; update->old && i < catalog_count(update->old); i++) {
		const struct catalog_entry *entry = catalog_at(update->old, i);

		if (!g_hash_table_contains(named, entry->path)) {
			keep(update, entry);
		}
	}
	g_hash_table_destroy(named);
}

static void read_old(struct update *update)
{
	if (!update->opts->replace &&
	    catalog_open(&update->old, update->root, update->day_ns, NULL) != ST_OK) {
		update->old = NULL;
	}
}

/* ---- the filter of the day ---- */

/* Read again those whose addresses only the old filter has. */
static void summarise_kept(struct update *update)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, update->drafts);
	while (g_hash_table_iter_next(&iter, &path, NULL)) {
		g_ptr_array_add(paths, g_strdup(path));
	}
	for (guint i = 0; i < paths->len; i++) {
		summarise(update, g_ptr_array_index(paths, i));
	}
	g_ptr_array_free(paths, TRUE);
}

/*
 * Summarise the named files into the day's filter, which goes on from the old one while there is
 * room. An old address too many in it costs a look at a file, no answer.
 */
static uint8_t *summarise_all(struct update *update, const char *const *paths, size_t count,
			      size_t *size)
{
	size_t old_size = 0;
	const uint8_t *old = update->old ? catalog_day_filter(update->old, &old_size) : NULL;
	uint8_t *filter;

	if (old && (old_size & (old_size - 1)) == 0) {
		update->day = bloombuild_new_from(old, old_size);
	} else if (g_hash_table_size(update->drafts) == 0) {
		update->day = bloombuild_new(CATALOG_UNION_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		if (!update->opts->only_stale || !g_hash_table_contains(update->drafts, paths[i])) {
			summarise(update, paths[i]);
		}
	}
	filter = update->day
			 ? bloombuild_finish(g_steal_pointer(&update->day), DAY_FILLING_MADE, size)
			 : NULL;
	if (g_hash_table_size(update->drafts) == 0 ||
	    (filter &&
	     (*size == CATALOG_UNION_MAX || bloom_filling(filter, *size) <= DAY_FILLING_MAX))) {
		return filter;
	}
	g_free(filter);
	update->result.summarised = 0;
	update->result.kept = 0;
	update->day = bloombuild_new(CATALOG_UNION_MAX);
	summarise_kept(update);
	return bloombuild_finish(g_steal_pointer(&update->day), DAY_FILLING_MADE, size);
}

/* ---- writing ---- */

static void put_entry(uint8_t *at, const struct draft *draft, uint32_t name, uint64_t filter)
{
	const struct catalog_made *made = &draft->made;
	const struct summary *summary = &made->summary;

	put64(at + ENTRY_AT_INODE, made->identity.inode);
	put64(at + ENTRY_AT_SIZE, made->identity.size);
	put64(at + ENTRY_AT_CHANGED, (uint64_t)made->identity.changed_ns);
	put64(at + ENTRY_AT_MODIFIED, (uint64_t)made->identity.modified_ns);
	put64(at + ENTRY_AT_PATH_HASH, catalog_checksum(draft->path, strlen(draft->path)));
	put32(at + ENTRY_AT_PATH, name);
	put16(at + ENTRY_AT_PATH_LEN, (uint16_t)strlen(draft->path));
	at[ENTRY_AT_KIND] = made->kind;
	put64(at + ENTRY_AT_RECORDS, summary->records);
	put64(at + ENTRY_AT_FIRST_START, (uint64_t)summary->first_start_ns);
	put64(at + ENTRY_AT_LAST_START, (uint64_t)summary->last_start_ns);
	put64(at + ENTRY_AT_LAST_END, (uint64_t)summary->last_end_ns);
	put64(at + ENTRY_AT_PACKETS, summary->packets);
	put64(at + ENTRY_AT_BYTES, summary->bytes);
	put32(at + ENTRY_AT_RANGED, summary->ranged);
	put32(at + ENTRY_AT_SUMMED, summary->summed);
	put64(at + ENTRY_AT_FILTER, filter);
	put32(at + ENTRY_AT_FILTER_LEN, (uint32_t)summary->filter_size);
	put64(at + ENTRY_AT_FILTER_SUM, catalog_checksum(made->filter, summary->filter_size));
}

static void put_ranges(uint8_t *at, const struct summary *summary)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		const struct summary_range *range = &summary->range[column];
		bool known = summary->ranged & COLUMN_BIT(column);

		if (catalog_column_is_wide(column)) {
			if (known) {
				ip_to_bytes(range->min_ip, at);
				ip_to_bytes(range->max_ip, at + 16);
			}
			at += 32;
		} else {
			if (known) {
				put64(at, range->min);
				put64(at + 8, range->max);
			}
			at += 16;
		}
	}
}

static gint compare_drafts(gconstpointer a, gconstpointer b)
{
	return strcmp((*(struct draft *const *)a)->path, (*(struct draft *const *)b)->path);
}

static int lay_out(const GPtrArray *drafts, size_t day_size, struct catalog_layout *out,
		   struct err *err)
{
	uint64_t names_len = 0;

	*out = (struct catalog_layout){ .count = drafts->len, .union_len = (uint32_t)day_size };
	for (guint i = 0; i < drafts->len; i++) {
		const struct draft *draft = g_ptr_array_index(drafts, i);

		names_len += strlen(draft->path) + 1;
		out->filters_len += draft->made.summary.filter_size;
	}
	if (drafts->len > CATALOG_COUNT_MAX || names_len > CATALOG_NAMES_MAX ||
	    out->filters_len > CATALOG_FILTERS_MAX) {
		return err_set(err, ST_ELIMIT, "too many files for the catalog of one day");
	}
	out->names_len = (uint32_t)names_len;
	catalog_lay_out(out);
	return ST_OK;
}

static void put_entries(uint8_t *file, const struct catalog_layout *layout, const GPtrArray *drafts)
{
	uint32_t name = 0;
	uint64_t filter = 0;

	for (guint i = 0; i < drafts->len; i++) {
		const struct draft *draft = g_ptr_array_index(drafts, i);
		const struct summary *summary = &draft->made.summary;

		put_entry(file + CATALOG_HEADER_BYTES + (size_t)i * CATALOG_ENTRY_BYTES, draft,
			  name, filter);
		put_ranges(file + layout->ranges + (size_t)i * CATALOG_RANGES_BYTES, summary);
		memcpy(file + layout->names + name, draft->path, strlen(draft->path) + 1);
		if (summary->filter_size > 0) {
			memcpy(file + layout->filters + filter, draft->made.filter,
			       summary->filter_size);
		}
		name += (uint32_t)strlen(draft->path) + 1;
		filter += summary->filter_size;
	}
}

/* The checksums, when all else is in place. */
static void seal_header(uint8_t *file, const struct catalog_layout *layout, int64_t day_ns)
{
	for (uint32_t at = 0; at < layout->union_len; at += CATALOG_PAGE_BYTES) {
		put64(file + layout->page_sums + at / CATALOG_PAGE_BYTES * sizeof(uint64_t),
		      catalog_checksum(file + layout->day_filter + at,
				       MIN(layout->union_len - at, CATALOG_PAGE_BYTES)));
	}
	memcpy(file, CATALOG_MAGIC, CATALOG_MAGIC_BYTES);
	put16(file + CATALOG_AT_VERSION, CATALOG_VERSION);
	put32(file + CATALOG_AT_COUNT, layout->count);
	put64(file + CATALOG_AT_DAY, (uint64_t)day_ns);
	put32(file + CATALOG_AT_NAMES_LEN, layout->names_len);
	put32(file + CATALOG_AT_UNION_LEN, layout->union_len);
	put64(file + CATALOG_AT_FILTERS_LEN, layout->filters_len);
	put64(file + CATALOG_AT_HEAD_SUM,
	      catalog_checksum(file + CATALOG_HEADER_BYTES,
			       (size_t)layout->ranges - CATALOG_HEADER_BYTES));
	put64(file + CATALOG_AT_RANGES_SUM,
	      catalog_checksum(file + layout->ranges,
			       (size_t)layout->count * CATALOG_RANGES_BYTES));
	put64(file + CATALOG_AT_HEADER_SUM, catalog_checksum(file, CATALOG_AT_HEADER_SUM));
}

static int write_out(struct update *update, const uint8_t *bytes, size_t len, struct err *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(update->fd, bytes + done, len - done);

		if (n < 0 && errno != EINTR) {
			return err_errno(err, ST_EIO, errno, "%s", update->temporary);
		}
		done += n < 0 ? 0 : (size_t)n;
	}
	if (fsync(update->fd) != 0) {
		return err_errno(err, ST_EIO, errno, "sync %s", update->temporary);
	}
	if (rename(update->temporary, update->target) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", update->target);
	}
	return ST_OK;
}

static int write_catalog(struct update *update, const uint8_t *day, size_t day_size,
			 struct err *err)
{
	GPtrArray *drafts = g_ptr_array_new();
	GHashTableIter iter;
	gpointer draft;
	struct catalog_layout layout;
	uint8_t *file;
	int rc;

	g_hash_table_iter_init(&iter, update->drafts);
	while (g_hash_table_iter_next(&iter, NULL, &draft)) {
		g_ptr_array_add(drafts, draft);
	}
	g_ptr_array_sort(drafts, compare_drafts);
	rc = lay_out(drafts, day_size, &layout, err);
	if (rc == ST_OK) {
		file = g_malloc0((size_t)layout.end);
		if (day_size > 0) {
			memcpy(file + layout.day_filter, day, day_size);
		}
		put_entries(file, &layout, drafts);
		seal_header(file, &layout, update->day_ns);
		rc = write_out(update, file, (size_t)layout.end, err);
		g_free(file);
		update->result.bytes = layout.end;
	}
	g_ptr_array_free(drafts, TRUE);
	return rc;
}

/* ---- all of it ---- */

static bool is_name_in_root(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && len <= CATALOG_PATH_MAX && path[0] != '/';
}

static void close_update(struct update *update)
{
	if (update->fd >= 0) {
		close(update->fd);
		unlink(update->temporary); /* gone already when all went well */
	}
	if (update->lock_fd >= 0) {
		close(update->lock_fd);
	}
	catalog_close(update->old);
	g_hash_table_destroy(update->drafts);
	g_free(update->temporary);
	g_free(update->target);
}

/* Is there nothing that a new file would say better? */
static bool is_up_to_date(const struct update *update, const char *const *paths, size_t count)
{
	if (!update->opts->only_stale || !update->old || update->result.dropped > 0) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!g_hash_table_contains(update->drafts, paths[i])) {
			return false;
		}
	}
	return true;
}

static int update_locked(struct update *update, const char *const *paths, size_t count,
			 struct err *err)
{
	size_t day_size = 0;
	uint8_t *day;
	int rc = ST_OK;

	read_old(update);
	keep_others(update, paths, count);
	if (is_up_to_date(update, paths, count)) {
		return ST_OK;
	}
	day = summarise_all(update, paths, count, &day_size);
	if (g_hash_table_size(update->drafts) > 0) {
		rc = write_catalog(update, day, day_size, err);
	} else if (unlink(update->target) != 0 && errno != ENOENT) {
		rc = err_errno(err, ST_EIO, errno, "%s", update->target);
	}
	g_free(day);
	return rc;
}

int catalog_update(const char *root, int64_t hour_ns, const char *const *paths, size_t count,
		   const struct catalog_update_opts *opts, struct catalog_update_result *result,
		   struct err *err)
{
	static const struct catalog_update_opts no_opts;
	struct update update = {
		.root = root,
		.day_ns = catalog_day_ns(hour_ns),
		.opts = opts ? opts : &no_opts,
		.lock_fd = -1,
		.fd = -1,
	};
	int rc = ST_OK;

	for (size_t i = 0; i < count; i++) {
		if (!is_name_in_root(paths[i])) {
			return err_set(err, ST_EINVAL,
				       "not the name of a file in the repository: '%s'", paths[i]);
		}
	}
	update.target = catalog_path(root, hour_ns);
	update.temporary = g_strdup_printf("%s.new", update.target);
	update.drafts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, draft_free);
	rc = lock_catalog(&update, err);
	if (rc == ST_OK) {
		rc = update_locked(&update, paths, count, err);
	}
	close_update(&update);
	if (rc == ST_OK && result) {
		*result = update.result;
	}
	return rc;
}

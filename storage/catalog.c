/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head of the file (header, entries, names, checksums of pages) is read when it is opened;
 * ranges, pages of the day's filter and the filters of files when they are asked for. An open hash
 * table over the paths is made anew each time: it costs less than it would to read one.
 */
#include "storage/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/catalogform.h"

#define FIRST_READ_BYTES (16u << 10)
#define CATALOG_DAY_NS   (24 * NS_PER_HOUR)

struct catalog {
	int fd;
	char *path;
	struct catalog_layout layout;
	uint8_t *head; /* layout.ranges bytes */
	struct catalog_entry *entries;
	uint32_t *slots; /* places in entries plus one; 0: empty */
	uint32_t slot_mask;
	uint8_t *ranges;     /* NULL: not read yet */
	uint8_t *day_filter; /* NULL: nothing of it read yet */
	uint8_t *pages;      /* enum page_state of each page of it */
	uint8_t **filters;   /* of the entries; NULL: not read yet */
	uint64_t bytes_read;
};

enum page_state {
	PAGE_UNREAD = 0,
	PAGE_GOOD,
	PAGE_DAMAGED,
};

int64_t catalog_day_ns(int64_t hour_ns)
{
	return timestamp_floor(hour_ns, CATALOG_DAY_NS);
}

char *catalog_path(const char *root, int64_t hour_ns)
{
	time_t seconds = (time_t)(catalog_day_ns(hour_ns) / NS_PER_S);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return g_strdup_printf("%s/" CATALOG_FOLDER "/%04d/%02d/%02d", root, tm.tm_year + 1900,
			       tm.tm_mon + 1, tm.tm_mday);
}

struct catalog_identity catalog_identify(const struct stat *st)
{
	return (struct catalog_identity){
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.changed_ns = st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec,
		.modified_ns = st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec,
	};
}

bool catalog_is_fresh(const struct catalog_entry *entry, const struct stat *st)
{
	struct catalog_identity now = catalog_identify(st);

	return now.inode == entry->identity.inode && now.size == entry->identity.size &&
	       now.changed_ns == entry->identity.changed_ns &&
	       now.modified_ns == entry->identity.modified_ns;
}

/* ---- opening ---- */

/* Read all of len bytes from offset on. */
static int read_at(struct catalog *catalog, void *to, size_t len, uint64_t offset, struct err *err)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n =
			pread(catalog->fd, (uint8_t *)to + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, ST_EIO, errno, "%s", catalog->path);
		}
		if (n == 0) {
			return err_set(err, ST_EFORMAT, "%s: cut short", catalog->path);
		}
		got += (size_t)n;
	}
	catalog->bytes_read += len;
	return ST_OK;
}

static int damaged(const struct catalog *catalog, const char *what, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: %s of the catalog damaged", catalog->path, what);
}

static int parse_header(struct catalog *catalog, const uint8_t *header, int64_t day_ns,
			uint64_t file_size, struct err *err)
{
	struct catalog_layout *layout = &catalog->layout;

	if (memcmp(header, CATALOG_MAGIC, CATALOG_MAGIC_BYTES) != 0) {
		return err_set(err, ST_EFORMAT, "%s: not a catalog", catalog->path);
	}
	if (get64(header + CATALOG_AT_HEADER_SUM) !=
	    catalog_checksum(header, CATALOG_AT_HEADER_SUM)) {
		return damaged(catalog, "header", err);
	}
	if (get16(header + CATALOG_AT_VERSION) != CATALOG_VERSION) {
		return err_set(err, ST_EVERSION, "%s: catalog of version %u", catalog->path,
			       get16(header + CATALOG_AT_VERSION));
	}
	layout->count = get32(header + CATALOG_AT_COUNT);
	layout->names_len = get32(header + CATALOG_AT_NAMES_LEN);
	layout->union_len = get32(header + CATALOG_AT_UNION_LEN);
	layout->filters_len = get64(header + CATALOG_AT_FILTERS_LEN);
	if (layout->count > CATALOG_COUNT_MAX || layout->names_len > CATALOG_NAMES_MAX ||
	    layout->union_len > CATALOG_UNION_MAX || layout->union_len % BLOOM_UNIT_BYTES != 0 ||
	    layout->filters_len > CATALOG_FILTERS_MAX ||
	    (int64_t)get64(header + CATALOG_AT_DAY) != day_ns) {
		return damaged(catalog, "header", err);
	}
	catalog_lay_out(layout);
	/* so everything that is allocated later is there to be read */
	if (layout->end != file_size) {
		return err_set(err, ST_EFORMAT, "%s: catalog of a wrong length", catalog->path);
	}
	return ST_OK;
}

/* The head, in one read when it is short. */
static int read_head(struct catalog *catalog, int64_t day_ns, uint64_t file_size, struct err *err)
{
	size_t first = MIN(file_size, FIRST_READ_BYTES);
	size_t len;
	int rc;

	if (file_size < CATALOG_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "%s: not a catalog", catalog->path);
	}
	catalog->head = g_malloc(FIRST_READ_BYTES);
	rc = read_at(catalog, catalog->head, first, 0, err);
	if (rc == ST_OK) {
		rc = parse_header(catalog, catalog->head, day_ns, file_size, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	len = (size_t)catalog->layout.ranges;
	if (len > first) {
		catalog->head = g_realloc(catalog->head, len);
		rc = read_at(catalog, catalog->head + first, len - first, first, err);
	}
	if (rc == ST_OK && get64(catalog->head + CATALOG_AT_HEAD_SUM) !=
				   catalog_checksum(catalog->head + CATALOG_HEADER_BYTES,
						    len - CATALOG_HEADER_BYTES)) {
		rc = damaged(catalog, "entries", err);
	}
	return rc;
}

static const uint8_t *entry_bytes(const struct catalog *catalog, size_t i)
{
	return catalog->head + CATALOG_HEADER_BYTES + i * CATALOG_ENTRY_BYTES;
}

/* Is what the entry points at within its section? */
static bool entry_is_bounded(const struct catalog *catalog, const uint8_t *at)
{
	const struct catalog_layout *layout = &catalog->layout;
	uint64_t path = get32(at + ENTRY_AT_PATH);
	uint64_t path_len = get16(at + ENTRY_AT_PATH_LEN);
	uint64_t filter = get64(at + ENTRY_AT_FILTER);
	uint64_t filter_len = get32(at + ENTRY_AT_FILTER_LEN);

	return path_len > 0 && path_len <= CATALOG_PATH_MAX &&
	       path + path_len < layout->names_len &&
	       catalog->head[layout->names + path + path_len] == '\0' &&
	       filter_len <= BLOOM_BYTES_MAX && filter_len % BLOOM_UNIT_BYTES == 0 &&
	       filter <= layout->filters_len && filter_len <= layout->filters_len - filter;
}

static void parse_entry(const struct catalog *catalog, const uint8_t *at, struct catalog_entry *out)
{
	*out = (struct catalog_entry){
		.path = (const char *)catalog->head + catalog->layout.names +
			get32(at + ENTRY_AT_PATH),
		.identity = {
			.inode = get64(at + ENTRY_AT_INODE),
			.size = get64(at + ENTRY_AT_SIZE),
			.changed_ns = (int64_t)get64(at + ENTRY_AT_CHANGED),
			.modified_ns = (int64_t)get64(at + ENTRY_AT_MODIFIED),
		},
		.kind = at[ENTRY_AT_KIND],
		.records = get64(at + ENTRY_AT_RECORDS),
		.first_start_ns = (int64_t)get64(at + ENTRY_AT_FIRST_START),
		.last_start_ns = (int64_t)get64(at + ENTRY_AT_LAST_START),
		.last_end_ns = (int64_t)get64(at + ENTRY_AT_LAST_END),
		.filter_size = get32(at + ENTRY_AT_FILTER_LEN),
	};
}

static void add_slot(struct catalog *catalog, uint64_t hash, uint32_t value)
{
	uint32_t slot = (uint32_t)hash & catalog->slot_mask;

	while (catalog->slots[slot] != 0) {
		slot = (slot + 1) & catalog->slot_mask;
	}
	catalog->slots[slot] = value;
}

static int parse_entries(struct catalog *catalog, struct err *err)
{
	uint32_t count = catalog->layout.count;
	uint32_t slot_count = 2;

	while (slot_count < 2 * count) {
		slot_count *= 2;
	}
	catalog->entries = g_new(struct catalog_entry, count);
	catalog->slots = g_new0(uint32_t, slot_count);
	catalog->slot_mask = slot_count - 1;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = entry_bytes(catalog, i);

		if (!entry_is_bounded(catalog, at)) {
			return damaged(catalog, "entries", err);
		}
		parse_entry(catalog, at, &catalog->entries[i]);
		add_slot(catalog, get64(at + ENTRY_AT_PATH_HASH), i + 1);
	}
	return ST_OK;
}

int catalog_open(struct catalog **out, const char *root, int64_t hour_ns, struct err *err)
{
	struct catalog *catalog = g_new0(struct catalog, 1);
	struct stat st;
	int rc = ST_OK;

	catalog->path = catalog_path(root, hour_ns);
	catalog->fd = open(catalog->path, O_RDONLY | O_CLOEXEC);
	if (catalog->fd < 0 || fstat(catalog->fd, &st) != 0) {
		rc = err_errno(err, errno == ENOENT || errno == ENOTDIR ? ST_ENOENT : ST_EIO, errno,
			       "%s", catalog->path);
	} else if (!S_ISREG(st.st_mode)) {
		rc = err_set(err, ST_EFORMAT, "%s: not a catalog", catalog->path);
	}
	if (rc == ST_OK) {
		rc = read_head(catalog, catalog_day_ns(hour_ns), (uint64_t)st.st_size, err);
	}
	if (rc == ST_OK) {
		rc = parse_entries(catalog, err);
	}
	if (rc != ST_OK) {
		catalog_close(catalog);
		return rc;
	}
	*out = catalog;
	return ST_OK;
}

void catalog_close(struct catalog *catalog)
{
	if (!catalog) {
		return;
	}
	for (uint32_t i = 0; catalog->filters && i < catalog->layout.count; i++) {
		g_free(catalog->filters[i]);
	}
	g_free(catalog->filters);
	g_free(catalog->pages);
	g_free(catalog->day_filter);
	g_free(catalog->ranges);
	g_free(catalog->slots);
	g_free(catalog->entries);
	g_free(catalog->head);
	if (catalog->fd >= 0) {
		close(catalog->fd);
	}
	g_free(catalog->path);
	g_free(catalog);
}

/* ---- looking up ---- */

size_t catalog_count(const struct catalog *catalog)
{
	return catalog->layout.count;
}

const struct catalog_entry *catalog_at(const struct catalog *catalog, size_t i)
{
	return &catalog->entries[i];
}

const struct catalog_entry *catalog_find(const struct catalog *catalog, const char *path)
{
	uint64_t hash = catalog_checksum(path, strlen(path));
	uint32_t slot = (uint32_t)hash & catalog->slot_mask;
	uint32_t value;

	while ((value = catalog->slots[slot]) != 0) {
		const struct catalog_entry *entry = &catalog->entries[value - 1];

		if (get64(entry_bytes(catalog, value - 1) + ENTRY_AT_PATH_HASH) == hash &&
		    strcmp(entry->path, path) == 0) {
			return entry;
		}
		slot = (slot + 1) & catalog->slot_mask;
	}
	return NULL;
}

uint64_t catalog_bytes(const struct catalog *catalog)
{
	return catalog->bytes_read;
}

/* ---- the filter of the day ---- */

static enum page_state read_page(struct catalog *catalog, size_t page)
{
	const struct catalog_layout *layout = &catalog->layout;
	size_t offset = page * CATALOG_PAGE_BYTES;
	size_t len = MIN(layout->union_len - offset, CATALOG_PAGE_BYTES);
	uint64_t sum = get64(catalog->head + layout->page_sums + page * sizeof(uint64_t));
	uint8_t *to = catalog->day_filter + offset;
	bool good = read_at(catalog, to, len, layout->day_filter + offset, NULL) == ST_OK &&
		    catalog_checksum(to, len) == sum;

	catalog->pages[page] = good ? PAGE_GOOD : PAGE_DAMAGED;
	return catalog->pages[page];
}

static bool day_may_hold(struct catalog *catalog, uint64_t hash)
{
	uint64_t units = catalog->layout.union_len / BLOOM_UNIT_BYTES;
	size_t offset = (size_t)((hash >> 32) * units >> 32) * BLOOM_UNIT_BYTES;
	size_t page = offset / CATALOG_PAGE_BYTES;
	enum page_state state = catalog->pages[page];

	if (state == PAGE_UNREAD) {
		state = read_page(catalog, page);
	}
	/* within its unit an address is where it would be in a filter of one */
	return state == PAGE_DAMAGED ||
	       bloom_may_hold(catalog->day_filter + offset, BLOOM_UNIT_BYTES, hash);
}

static void prepare_day_filter(struct catalog *catalog)
{
	size_t len = catalog->layout.union_len;

	if (!catalog->day_filter) {
		catalog->day_filter = g_malloc(len);
		catalog->pages = g_malloc0((len + CATALOG_PAGE_BYTES - 1) / CATALOG_PAGE_BYTES);
	}
}

bool catalog_may_hold(struct catalog *catalog, const uint64_t *hashes, size_t count)
{
	if (catalog->layout.union_len == 0) {
		return count > 0;
	}
	prepare_day_filter(catalog);
	for (size_t i = 0; i < count; i++) {
		if (day_may_hold(catalog, hashes[i])) {
			return true;
		}
	}
	return false;
}

const uint8_t *catalog_day_filter(struct catalog *catalog, size_t *size)
{
	size_t len = catalog->layout.union_len;

	if (len == 0) {
		return NULL;
	}
	prepare_day_filter(catalog);
	for (size_t page = 0; page * CATALOG_PAGE_BYTES < len; page++) {
		if (catalog->pages[page] != PAGE_GOOD && read_page(catalog, page) != PAGE_GOOD) {
			return NULL;
		}
	}
	*size = len;
	return catalog->day_filter;
}

/* ---- summaries ---- */

static int read_ranges(struct catalog *catalog, struct err *err)
{
	size_t len = (size_t)catalog->layout.count * CATALOG_RANGES_BYTES;
	uint8_t *bytes;
	int rc;

	if (catalog->ranges) {
		return ST_OK;
	}
	bytes = g_malloc(len);
	rc = read_at(catalog, bytes, len, catalog->layout.ranges, err);
	if (rc == ST_OK &&
	    catalog_checksum(bytes, len) != get64(catalog->head + CATALOG_AT_RANGES_SUM)) {
		rc = damaged(catalog, "ranges", err);
	}
	if (rc != ST_OK) {
		g_free(bytes);
		return rc;
	}
	catalog->ranges = bytes;
	return ST_OK;
}

static void parse_ranges(const uint8_t *at, struct summary *out)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		struct summary_range *range = &out->range[column];

		if (catalog_column_is_wide(column)) {
			range->min_ip = ip_from_bytes(at);
			range->max_ip = ip_from_bytes(at + 16);
			at += 32;
		} else {
			range->min = get64(at);
			range->max = get64(at + 8);
			at += 16;
		}
	}
}

static int read_filter(struct catalog *catalog, size_t i, struct err *err)
{
	const uint8_t *at = entry_bytes(catalog, i);
	size_t len = get32(at + ENTRY_AT_FILTER_LEN);
	uint8_t *bytes;
	int rc;

	if (!catalog->filters) {
		catalog->filters = g_new0(uint8_t *, catalog->layout.count);
	}
	if (catalog->filters[i]) {
		return ST_OK;
	}
	bytes = g_malloc(len);
	rc = read_at(catalog, bytes, len, catalog->layout.filters + get64(at + ENTRY_AT_FILTER),
		     err);
	if (rc == ST_OK && catalog_checksum(bytes, len) != get64(at + ENTRY_AT_FILTER_SUM)) {
		rc = damaged(catalog, "an address filter", err);
	}
	if (rc != ST_OK) {
		g_free(bytes);
		return rc;
	}
	catalog->filters[i] = bytes;
	return ST_OK;
}

int catalog_summary(struct catalog *catalog, const struct catalog_entry *entry, bool want_filter,
		    struct summary *out, struct err *err)
{
	size_t i = (size_t)(entry - catalog->entries);
	const uint8_t *at = entry_bytes(catalog, i);
	int rc = read_ranges(catalog, err);

	if (rc == ST_OK && want_filter && entry->filter_size > 0) {
		rc = read_filter(catalog, i, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	summary_init(out);
	out->records = entry->records;
	out->first_start_ns = entry->first_start_ns;
	out->last_start_ns = entry->last_start_ns;
	out->last_end_ns = entry->last_end_ns;
	out->ranged = get32(at + ENTRY_AT_RANGED);
	out->summed = get32(at + ENTRY_AT_SUMMED);
	out->packets = get64(at + ENTRY_AT_PACKETS);
	out->bytes = get64(at + ENTRY_AT_BYTES);
	parse_ranges(catalog->ranges + i * CATALOG_RANGES_BYTES, out);
	if (want_filter && entry->filter_size > 0) {
		out->filter = catalog->filters[i];
		out->filter_size = entry->filter_size;
	}
	return ST_OK;
}

/* ---- which days have one ---- */

/* The names of a folder that are numbers of so many digits, in order. */
static GArray *list_numbers(const char *folder, size_t digits)
{
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(unsigned));
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		if (strlen(name) == digits && strspn(name, "0123456789") == digits) {
			unsigned number = (unsigned)g_ascii_strtoull(name, NULL, 10);

			g_array_append_val(numbers, number);
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	return numbers;
}

static void add_days(GArray *days, const char *folder, unsigned year, unsigned month)
{
	GArray *numbers = list_numbers(folder, 2);

	for (guint i = 0; i < numbers->len; i++) {
		struct tm tm = {
			.tm_year = (int)year - 1900,
			.tm_mon = (int)month - 1,
			.tm_mday = (int)g_array_index(numbers, unsigned, i),
		};
		int64_t day_ns = (int64_t)timegm(&tm) * NS_PER_S;

		g_array_append_val(days, day_ns);
	}
	g_array_free(numbers, TRUE);
}

static void add_months(GArray *days, const char *folder, unsigned year)
{
	GArray *months = list_numbers(folder, 2);

	for (guint i = 0; i < months->len; i++) {
		unsigned month = g_array_index(months, unsigned, i);
		char *name = g_strdup_printf("%s/%02u", folder, month);

		add_days(days, name, year, month);
		g_free(name);
	}
	g_array_free(months, TRUE);
}

static gint compare_days(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int64_t *catalog_days(const char *root, size_t *count)
{
	char *folder = g_strdup_printf("%s/" CATALOG_FOLDER, root);
	GArray *days = g_array_new(FALSE, FALSE, sizeof(int64_t));
	GArray *years = list_numbers(folder, 4);

	for (guint i = 0; i < years->len; i++) {
		unsigned year = g_array_index(years, unsigned, i);
		char *name = g_strdup_printf("%s/%04u", folder, year);

		add_months(days, name, year);
		g_free(name);
	}
	g_array_sort(days, compare_days);
	*count = days->len;
	g_array_free(years, TRUE);
	g_free(folder);
	return (int64_t *)(void *)g_array_free(days, FALSE);
}

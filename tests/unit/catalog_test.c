/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/blockwriter.h"
#include "storage/bloom.h"
#include "storage/bloombuild.h"
#include "storage/catalogmake.h"
#include "storage/catalogwrite.h"
#include "storage/hourfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_NS  INT64_C(1234396800000000000) /* 2009-02-12 */
#define ADDRESS 0x0a000000u

/* ---- a repository in a folder ---- */

static char *make_root(const char *name)
{
	char *root = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL_FATAL(g_mkdir_with_parents(root, 0777), 0);
	return root;
}

static struct record make_record(unsigned hour, unsigned i)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = DAY_NS + hour * NS_PER_HOUR + i * NS_PER_S;
	rec.duration_ns = 5 * NS_PER_S + i * NS_PER_MS;
	rec.sip = ip_from_v4(ADDRESS + hour * 1000 + i);
	rec.dip = ip_from_v4(ADDRESS + 0x10000 + i);
	rec.packets = 3 + i;
	rec.bytes = 1000 + i;
	rec.sport = (uint16_t)(40000 + i);
	rec.dport = 443;
	rec.protocol = 6;
	rec.sensor = 1;
	rec.flowtype = 2;
	return rec;
}

static char *path_of(unsigned hour)
{
	return g_strdup_printf("in/2009/02/12/in-S1_20090212.%02u", hour);
}

static void append_rows(const char *path, unsigned hour, unsigned first, unsigned end)
{
	const struct hourfile_key key = { DAY_NS + hour * NS_PER_HOUR, 1, 2 };
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK };
	struct hourfile_writer *writer = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, &err), ST_OK);
	for (unsigned i = first; i < end; i++) {
		struct record rec = make_record(hour, i);

		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
	}
	CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
}

static void append_blocks(const char *path, unsigned hour, unsigned first, unsigned end)
{
	const struct blockwriter_opts opts = {
		.compression = CHUNK_LZO1X,
		.header = { .hour_ns = DAY_NS + hour * NS_PER_HOUR, .sensor = 1, .flowtype = 2 },
	};
	struct blockwriter *writer = NULL;
	char *folder = g_path_get_dirname(path);
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL(g_mkdir_with_parents(folder, 0777), 0);
	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, &err), ST_OK);
	for (unsigned i = first; i < end; i++) {
		struct record rec = make_record(hour, i);

		CU_ASSERT_EQUAL(blockwriter_write(writer, &rec, &err), ST_OK);
		if (i == (first + end) / 2) {
			CU_ASSERT_EQUAL(blockwriter_flush(writer, false, &err), ST_OK);
		}
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
	g_free(folder);
}

/* Append records first..end-1 to the file of an hour. */
static void append(const char *root, unsigned hour, enum catalog_kind kind, unsigned first,
		   unsigned end)
{
	char *path = path_of(hour);
	char *whole = g_build_filename(root, path, NULL);

	if (kind == CATALOG_ROWS) {
		append_rows(whole, hour, first, end);
	} else {
		append_blocks(whole, hour, first, end);
	}
	g_free(whole);
	g_free(path);
}

static struct catalog_update_result update(const char *root, const struct catalog_update_opts *opts,
					   unsigned first_hour, unsigned end_hour)
{
	struct catalog_update_result result = { 0 };
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	struct err err = { 0, "" };

	for (unsigned hour = first_hour; hour < end_hour; hour++) {
		g_ptr_array_add(paths, path_of(hour));
	}
	CU_ASSERT_EQUAL_FATAL(catalog_update(root, DAY_NS + NS_PER_HOUR,
					     (const char *const *)paths->pdata, paths->len, opts,
					     &result, &err),
			      ST_OK);
	g_ptr_array_free(paths, TRUE);
	return result;
}

static struct catalog *open_day(const char *root)
{
	struct catalog *catalog = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(catalog_open(&catalog, root, DAY_NS + 5 * NS_PER_HOUR, &err), ST_OK);
	return catalog;
}

static bool is_fresh(const char *root, const struct catalog_entry *entry)
{
	char *whole = g_build_filename(root, entry->path, NULL);
	struct stat st;
	bool fresh = stat(whole, &st) == 0 && catalog_is_fresh(entry, &st);

	g_free(whole);
	return fresh;
}

static bool may_hold(struct catalog *catalog, uint32_t address)
{
	uint64_t hash = bloom_hash(ip_from_v4(address));

	return catalog_may_hold(catalog, &hash, 1);
}

/* ---- tests ---- */

static void check_summary(const struct summary *summary, unsigned hour, unsigned count)
{
	const struct record first = make_record(hour, 0);
	const struct record last = make_record(hour, count - 1);
	unsigned false_hits = 0;

	UNIT_ASSERT_U64(summary->records, count);
	CU_ASSERT_EQUAL(summary->first_start_ns, first.start_ns);
	CU_ASSERT_EQUAL(summary->last_start_ns, last.start_ns);
	CU_ASSERT_EQUAL(summary->last_end_ns, record_end_ns(&last));
	UNIT_ASSERT_U64(summary->packets, (uint64_t)count * 3 + count * (count - 1) / 2);
	CU_ASSERT_TRUE(summary->ranged & COLUMN_BIT(COLUMN_DIP));
	CU_ASSERT_TRUE(ip_equal(summary->range[COLUMN_DIP].min_ip, first.dip));
	CU_ASSERT_TRUE(ip_equal(summary->range[COLUMN_DIP].max_ip, last.dip));
	UNIT_ASSERT_U64(summary->range[COLUMN_SPORT].min, 40000);
	UNIT_ASSERT_U64(summary->range[COLUMN_SPORT].max, 40000 + count - 1);
	CU_ASSERT_EQUAL(summary->range[COLUMN_START].max_ns, last.start_ns);
	CU_ASSERT_PTR_NOT_NULL_FATAL(summary->filter);
	for (unsigned i = 0; i < count; i++) {
		struct record rec = make_record(hour, i);

		CU_ASSERT_TRUE(
			bloom_may_hold(summary->filter, summary->filter_size, bloom_hash(rec.sip)));
		CU_ASSERT_TRUE(
			bloom_may_hold(summary->filter, summary->filter_size, bloom_hash(rec.dip)));
		false_hits += bloom_may_hold(summary->filter, summary->filter_size,
					     bloom_hash(ip_from_v4(0xc0000000 + i)));
	}
	CU_ASSERT_TRUE(false_hits <= count / 8 + 1);
}

static void test_round_trip(void)
{
	char *root = make_root("round");
	struct catalog_update_result result;
	struct catalog *catalog;

	for (unsigned hour = 0; hour < 24; hour++) {
		append(root, hour, hour % 2 ? CATALOG_ROWS : CATALOG_BLOCKS, 0, 50 + hour);
	}
	result = update(root, NULL, 0, 24);
	UNIT_ASSERT_U64(result.summarised, 24);
	UNIT_ASSERT_U64(result.refused, 0);
	catalog = open_day(root);
	UNIT_ASSERT_U64(catalog_count(catalog), 24);
	for (unsigned hour = 0; hour < 24; hour++) {
		char *path = path_of(hour);
		const struct catalog_entry *entry = catalog_find(catalog, path);
		struct summary summary;
		struct err err;

		unit_at("hour %u", hour);
		CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
		CU_ASSERT_PTR_EQUAL(entry, catalog_at(catalog, hour));
		CU_ASSERT_EQUAL(entry->kind, hour % 2 ? CATALOG_ROWS : CATALOG_BLOCKS);
		CU_ASSERT_TRUE(is_fresh(root, entry));
		CU_ASSERT_EQUAL_FATAL(catalog_summary(catalog, entry, true, &summary, &err), ST_OK);
		check_summary(&summary, hour, 50 + hour);
		CU_ASSERT_TRUE(may_hold(catalog, ADDRESS + hour * 1000));
		g_free(path);
	}
	CU_ASSERT_PTR_NULL(catalog_find(catalog, "in/2009/02/12/in-S1_20090212.24"));
	CU_ASSERT_FALSE(may_hold(catalog, 0xc0a80101) && may_hold(catalog, 0xc0a80102) &&
			may_hold(catalog, 0xc0a80103) && may_hold(catalog, 0xc0a80104));
	CU_ASSERT_FALSE(catalog_may_hold(catalog, NULL, 0));
	catalog_close(catalog);
	g_free(root);
}

/* Hour by hour, as the packer does it: the day's filter is made anew when it has grown full. */
static void test_growing(void)
{
	char *root = make_root("growing");
	unsigned read = 0;
	struct catalog *catalog;

	for (unsigned hour = 0; hour < 24; hour++) {
		append(root, hour, CATALOG_BLOCKS, 0, 100);
		read += (unsigned)update(root, NULL, hour, hour + 1).summarised;
	}
	CU_ASSERT_TRUE(read >= 24 && read < 24 * 6);
	catalog = open_day(root);
	UNIT_ASSERT_U64(catalog_count(catalog), 24);
	for (unsigned i = 0; i < 2400; i++) {
		CU_ASSERT_TRUE(may_hold(catalog, ADDRESS + i / 100 * 1000 + i % 100));
	}
	read = 0;
	for (unsigned i = 0; i < 1000; i++) {
		read += may_hold(catalog, 0xc0000000 + i);
	}
	CU_ASSERT_TRUE(read < 100);
	catalog_close(catalog);
	g_free(root);
}

static void append_bytes(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	CU_ASSERT_EQUAL(write(fd, "x", 1), 1);
	close(fd);
}

/* Other bytes of the same length in the same inode, and the old modification time. */
static void overwrite(const char *path)
{
	struct stat st;
	struct timespec times[2];
	int fd = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(pwrite(fd, "x", 1, st.st_size - 1), 1);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	futimens(fd, times);
	close(fd);
}

static void replace(const char *path)
{
	char *other = g_strdup_printf("%s.x", path);
	char *bytes = NULL;
	gsize len;

	CU_ASSERT_TRUE(g_file_get_contents(path, &bytes, &len, NULL));
	CU_ASSERT_TRUE(g_file_set_contents(other, bytes, (gssize)len, NULL));
	CU_ASSERT_EQUAL(rename(other, path), 0);
	g_free(bytes);
	g_free(other);
}

static void touch(const char *path)
{
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, NULL, 0), 0);
}

static void delete (const char *path)
{
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void test_stale(void)
{
	static const struct {
		const char *name;
		void (*change)(const char *path);
	} rows[] = {
		{ "appended", append_bytes }, { "overwritten", overwrite }, { "replaced", replace },
		{ "touched", touch },         { "deleted", delete },
	};
	char *root = make_root("stale");

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *path = path_of(3);
		char *whole = g_build_filename(root, path, NULL);
		struct catalog *catalog;

		unit_at("%s", rows[i].name);
		append(root, 3, CATALOG_ROWS, 0, 10);
		append(root, 4, CATALOG_ROWS, 0, 10);
		update(root, NULL, 3, 5);
		/* in the tick in which it was written it would not have been summarised */
		rows[i].change(whole);
		catalog = open_day(root);
		CU_ASSERT_FALSE(is_fresh(root, catalog_find(catalog, path)));
		CU_ASSERT_TRUE(is_fresh(root, catalog_at(catalog, 1)));
		catalog_close(catalog);
		unlink(whole);
		g_free(whole);
		g_free(path);
	}
	g_free(root);
}

/* What is stale goes with the next update of any file; what is fresh is not read when asked so. */
static void test_update(void)
{
	const struct catalog_update_opts only_stale = { .only_stale = true };
	const struct catalog_update_opts replace_all = { .replace = true };
	char *root = make_root("update");
	char *path = path_of(1);
	char *whole = g_build_filename(root, path, NULL);
	char *target = catalog_path(root, DAY_NS);
	struct catalog_update_result result;

	for (unsigned hour = 0; hour < 4; hour++) {
		append(root, hour, CATALOG_ROWS, 0, 20);
	}
	update(root, NULL, 0, 3);
	result = update(root, &only_stale, 0, 4);
	UNIT_ASSERT_U64(result.kept, 3);
	UNIT_ASSERT_U64(result.summarised, 1);
	result = update(root, &only_stale, 0, 4);
	UNIT_ASSERT_U64(result.kept, 4);
	UNIT_ASSERT_U64(result.summarised, 0);
	append(root, 1, CATALOG_ROWS, 20, 30);
	result = update(root, NULL, 2, 3);
	UNIT_ASSERT_U64(result.dropped, 1);
	UNIT_ASSERT_U64(result.kept, 2);
	result = update(root, &only_stale, 0, 4);
	UNIT_ASSERT_U64(result.summarised, 1);
	unlink(whole);
	result = update(root, NULL, 1, 2);
	UNIT_ASSERT_U64(result.refused, 0);
	UNIT_ASSERT_U64(result.kept, 3);
	result = update(root, &replace_all, 0, 1);
	UNIT_ASSERT_U64(result.kept, 0);
	UNIT_ASSERT_U64(result.summarised, 1);
	result = update(root, &replace_all, 1, 2);
	UNIT_ASSERT_U64(result.bytes, 0);
	CU_ASSERT_FALSE(g_file_test(target, G_FILE_TEST_EXISTS));
	g_free(target);
	g_free(whole);
	g_free(path);
	g_free(root);
}

static void count_refused(void *arg, int status, const char *text)
{
	CU_ASSERT_EQUAL(status, ST_EFORMAT);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "20090212.02"));
	++*(unsigned *)arg;
}

static void test_refused(void)
{
	unsigned refused = 0;
	const struct catalog_update_opts opts = { .refused = count_refused, .arg = &refused };
	static const char *const outside[] = { "/etc/passwd" };
	char *root = make_root("refused");
	char *path = path_of(2);
	char *whole = g_build_filename(root, path, NULL);
	struct catalog_update_result result;
	struct catalog *catalog;
	struct err err;

	append(root, 1, CATALOG_ROWS, 0, 20);
	append(root, 2, CATALOG_ROWS, 0, 20);
	CU_ASSERT_TRUE(g_file_set_contents(whole, "not a flow file at all", -1, NULL));
	result = update(root, &opts, 0, 3);
	UNIT_ASSERT_U64(result.refused, 1);
	UNIT_ASSERT_U64(refused, 1);
	catalog = open_day(root);
	UNIT_ASSERT_U64(catalog_count(catalog), 1);
	CU_ASSERT_PTR_NULL(catalog_find(catalog, path));
	catalog_close(catalog);
	CU_ASSERT_EQUAL(catalog_update(root, DAY_NS, outside, 1, NULL, NULL, &err), ST_EINVAL);
	g_free(whole);
	g_free(path);
	g_free(root);
}

static unsigned hash_bytes(const uint8_t *bytes, size_t len)
{
	unsigned hash = 0;

	for (size_t i = 0; i < len; i++) {
		hash = hash * 31 + bytes[i];
	}
	return hash;
}

/* Everything that a catalog says, in one text. */
static void tell(struct catalog *catalog, GString *out)
{
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct catalog_entry *entry = catalog_at(catalog, i);
		struct summary summary;

		g_string_append_printf(out,
				       "%s %d %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
				       " %" G_GINT64_FORMAT "\n",
				       entry->path, entry->kind, entry->identity.inode,
				       entry->records, entry->first_start_ns);
		if (catalog_summary(catalog, entry, true, &summary, NULL) == ST_OK) {
			g_string_append_printf(
				out, "%" G_GUINT64_FORMAT " %08x %08x\n", summary.bytes,
				hash_bytes(summary.filter, summary.filter_size),
				hash_bytes((const uint8_t *)summary.range, sizeof(summary.range)));
		}
	}
	for (uint32_t i = 0; i < 64; i++) {
		g_string_append_c(out, may_hold(catalog, ADDRESS + i * 17) ? '1' : '0');
	}
}

/* A damaged catalog is refused, or silent in places, or right: every line it says was said before,
 * and no address is denied that was not. */
static bool says_no_more(const char *damaged, const char *whole)
{
	char **lines = g_strsplit(damaged, "\n", -1);
	guint count = g_strv_length(lines);
	bool fine = true;

	for (guint i = 0; i + 1 < count; i++) {
		fine = fine && strstr(whole, lines[i]) != NULL;
	}
	for (size_t i = 0; i < 64; i++) {
		fine = fine && (lines[count - 1][i] == '1' || whole[strlen(whole) - 64 + i] == '0');
	}
	g_strfreev(lines);
	return fine;
}

static void test_damage(void)
{
	char *root = make_root("damage");
	char *target = catalog_path(root, DAY_NS);
	GString *right = g_string_new(NULL);
	struct catalog *catalog;
	char *bytes = NULL;
	gsize len;

	append(root, 0, CATALOG_ROWS, 0, 3);
	append(root, 1, CATALOG_BLOCKS, 0, 3);
	update(root, NULL, 0, 2);
	catalog = open_day(root);
	tell(catalog, right);
	catalog_close(catalog);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(target, &bytes, &len, NULL));
	for (gsize i = 0; i < len; i++) {
		GString *said = g_string_new(NULL);

		unit_at("byte %zu", i);
		bytes[i] ^= (char)(1 << i % 8);
		CU_ASSERT_TRUE(g_file_set_contents_full(target, bytes, (gssize)len,
							G_FILE_SET_CONTENTS_NONE, 0666, NULL));
		bytes[i] ^= (char)(1 << i % 8);
		if (catalog_open(&catalog, root, DAY_NS, NULL) == ST_OK) {
			tell(catalog, said);
			CU_ASSERT_TRUE(says_no_more(said->str, right->str));
			catalog_close(catalog);
		}
		g_string_free(said, TRUE);
	}
	/* what is cut short */
	for (gsize i = len; i-- > 0;) {
		unit_at("cut at %zu", i);
		CU_ASSERT_EQUAL(truncate(target, (off_t)i), 0);
		CU_ASSERT_EQUAL(catalog_open(&catalog, root, DAY_NS, NULL), ST_EFORMAT);
	}
	/* and the next update makes it anew */
	UNIT_ASSERT_U64(update(root, NULL, 0, 2).summarised, 2);
	g_free(bytes);
	g_string_free(right, TRUE);
	g_free(target);
	g_free(root);
}

struct updater {
	const char *root;
	unsigned first_hour;
};

static void *update_hours(void *arg)
{
	const struct updater *updater = arg;

	for (unsigned hour = updater->first_hour; hour < 24; hour += 2) {
		char *path = path_of(hour);
		const char *const paths[] = { path };

		if (catalog_update(updater->root, DAY_NS, paths, 1, NULL, NULL, NULL) != ST_OK) {
			return arg;
		}
		g_free(path);
	}
	return NULL;
}

static void test_two_updaters(void)
{
	char *root = make_root("two");
	struct updater updaters[2] = { { root, 0 }, { root, 1 } };
	struct catalog *catalog;
	pthread_t threads[2];

	for (unsigned hour = 0; hour < 24; hour++) {
		append(root, hour, CATALOG_BLOCKS, 0, 20);
	}
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, update_hours, &updaters[i]),
				      0);
	}
	for (int i = 0; i < 2; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	catalog = open_day(root);
	UNIT_ASSERT_U64(catalog_count(catalog), 24);
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		CU_ASSERT_TRUE(is_fresh(root, catalog_at(catalog, i)));
	}
	catalog_close(catalog);
	g_free(root);
}

static void test_days(void)
{
	char *root = make_root("days");
	struct catalog *catalog;
	int64_t *days;
	size_t count;
	char *path;

	days = catalog_days(root, &count);
	UNIT_ASSERT_U64(count, 0);
	g_free(days);
	CU_ASSERT_EQUAL(catalog_open(&catalog, root, DAY_NS, NULL), ST_ENOENT);
	append(root, 7, CATALOG_BLOCKS, 0, 2);
	update(root, NULL, 7, 8);
	days = catalog_days(root, &count);
	UNIT_ASSERT_U64(count, 1);
	CU_ASSERT_EQUAL(days[0], DAY_NS);
	g_free(days);
	CU_ASSERT_EQUAL(catalog_day_ns(DAY_NS - 1), DAY_NS - 24 * NS_PER_HOUR);
	CU_ASSERT_EQUAL(catalog_day_ns(-1), -24 * NS_PER_HOUR);
	path = catalog_path("/data", -1);
	UNIT_ASSERT_STR(path, "/data/.catalog/1969/12/31");
	g_free(path);
	g_free(root);
}

/* ---- making filters ---- */

static void test_build(void)
{
	static const unsigned counts[] = { 1, 30, 1000, 65536, 65537, 200000 };

	for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
		struct bloombuild *build = bloombuild_new(BLOOM_BYTES_MAX);
		size_t size = 0;
		uint8_t *filter;

		unit_at("%u addresses", counts[c]);
		for (unsigned i = 0; i < counts[c]; i++) {
			bloombuild_add(build, bloom_hash(ip_from_v4(i)));
		}
		filter = bloombuild_finish(build, 0.5, &size);
		CU_ASSERT_TRUE(size >= BLOOM_UNIT_BYTES && (size & (size - 1)) == 0);
		CU_ASSERT_TRUE(size <= MAX(counts[c] * 3u, BLOOM_UNIT_BYTES));
		CU_ASSERT_TRUE(bloom_filling(filter, size) <= 0.5);
		for (unsigned i = 0; i < counts[c]; i++) {
			if (!bloom_may_hold(filter, size, bloom_hash(ip_from_v4(i)))) {
				CU_FAIL("an address is missing");
			}
		}
		g_free(filter);
	}
}

static void test_build_none(void)
{
	struct bloombuild *build = bloombuild_new(1024);
	size_t size = 1;

	CU_ASSERT_PTR_NULL(bloombuild_finish(build, 0.5, &size));
	UNIT_ASSERT_U64(size, 0);
	bloombuild_free(bloombuild_new(1024));
	bloombuild_free(NULL);
}

static const struct unit_case cases[] = {
	{ "entries are found again", test_round_trip },
	{ "a day grows by hours", test_growing },
	{ "changed files", test_stale },
	{ "updates keep, drop and read", test_update },
	{ "files that get no entry", test_refused },
	{ "damaged bytes", test_damage },
	{ "two updaters at once", test_two_updaters },
	{ "days", test_days },
	{ "filters of any size", test_build },
	{ "filters of nothing", test_build_none },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("catalog", cases);
}

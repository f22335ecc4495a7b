/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/bloom.h"
#include "storage/lockedfile.h"
#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

static char *scratch_path(const char *name)
{
	return g_build_filename(unit_scratch(), name, NULL);
}

static GArray *random_records(unsigned seed, size_t count, bool edge)
{
	GRand *rand = g_rand_new_with_seed(seed);
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct record));

	for (size_t i = 0; i < count; i++) {
		struct record rec =
			edge ? blockrecords_edge(rand) : blockrecords_usual(rand, (unsigned)i);

		g_array_append_val(records, rec);
	}
	g_rand_free(rand);
	return records;
}

static gint compare_starts(gconstpointer a, gconstpointer b)
{
	const struct record *x = a;
	const struct record *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* g_array_sort() is stable. */
static GArray *sorted_copy(const GArray *records)
{
	GArray *sorted = g_array_copy((GArray *)records);

	g_array_sort(sorted, compare_starts);
	return sorted;
}

static void check_content(const char *path, const GArray *want)
{
	int damage = 0;
	GArray *got = blockrecords_read(path, &damage);

	CU_ASSERT_EQUAL(damage, 0);
	blockrecords_assert(got, want);
	g_array_free(got, TRUE);
}

static void check_filter(const struct summary *summary, const GArray *records)
{
	unsigned wrong = 0;

	if (records->len == 0) {
		return;
	}
	CU_ASSERT_PTR_NOT_NULL(summary->filter);
	for (guint i = 0; summary->filter != NULL && i < records->len; i++) {
		const struct record *rec = &g_array_index(records, struct record, i);

		wrong += !bloom_may_hold(summary->filter, summary->filter_size,
					 bloom_hash(rec->sip));
		wrong += !bloom_may_hold(summary->filter, summary->filter_size,
					 bloom_hash(rec->dip));
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void check_sealed(const char *path, const GArray *records)
{
	struct blockfile *file = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(blockfile_open(&file, open(path, O_RDONLY), path, &err), ST_OK);
	CU_ASSERT_TRUE(blockfile_is_sealed(file));
	CU_ASSERT_EQUAL(blockfile_count(file),
			(records->len + FLOWBLOCK_ROWS_MAX - 1) / FLOWBLOCK_ROWS_MAX);
	UNIT_ASSERT_U64(blockfile_summary(file)->records, records->len);
	for (size_t i = 0; i < blockfile_count(file); i++) {
		CU_ASSERT_TRUE(blockfile_block(file, i)->sorted);
	}
	check_filter(blockfile_summary(file), records);
	blockfile_close(file);
}

static const struct seal_case {
	const char *name;
	size_t records;
	size_t block; /* records in each */
	bool edge;
	uint8_t compression;
} seal_cases[] = {
	{ "one record", 1, 1, true, CHUNK_LZO1X },
	{ "one block", 1500, 1500, true, CHUNK_PLAIN },
	{ "many small blocks", 5000, 7, false, CHUNK_LZO1X },
	{ "edge values in small blocks", 3000, 97, true, CHUNK_ZSTD },
	{ "more than one block", 150000, 40000, false, CHUNK_LZO1X },
};

static void test_cases(void)
{
	char *path = scratch_path("cases");

	for (size_t i = 0; i < G_N_ELEMENTS(seal_cases); i++) {
		const struct seal_case *c = &seal_cases[i];
		GArray *records = random_records((unsigned)i + 1, c->records, c->edge);
		GArray *sorted = sorted_copy(records);
		const struct seal_opts opts = { .compression = c->compression };
		struct seal_result result;
		struct err err = { 0 };

		unit_at("%s", c->name);
		unlink(path);
		for (size_t at = 0; at < c->records; at += c->block) {
			blockrecords_append(path, records, at, MIN(c->block, c->records - at),
					    CHUNK_LZO1X);
		}
		CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
		CU_ASSERT_TRUE(result.sealed);
		UNIT_ASSERT_U64(result.records, c->records);
		check_content(path, sorted);
		check_sealed(path, records);
		CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
		CU_ASSERT_FALSE(result.sealed);
		g_array_free(records, TRUE);
		g_array_free(sorted, TRUE);
	}
	g_free(path);
}

static void test_late(void)
{
	char *path = scratch_path("late");
	GArray *records = random_records(99, 4000, false);
	GArray *sorted = sorted_copy(records);
	const struct seal_opts opts = { .compression = CHUNK_LZO1X };
	struct seal_result result;
	struct err err;

	blockrecords_append(path, records, 0, 3000, CHUNK_LZO1X);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
	blockrecords_append(path, records, 3000, 600, CHUNK_LZO1X);
	blockrecords_append(path, records, 3600, 400, CHUNK_LZO1X);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
	CU_ASSERT_TRUE(result.sealed);
	UNIT_ASSERT_U64(result.blocks_before, 3);
	UNIT_ASSERT_U64(result.records, 4000);
	check_sealed(path, records);
	check_content(path, sorted);
	g_array_free(records, TRUE);
	g_array_free(sorted, TRUE);
	g_free(path);
}

/* A reader that has the old file open reads all of it while and after it is replaced. */
static void test_reader(void)
{
	char *path = scratch_path("reader");
	GArray *records = random_records(5, 900, false);
	const struct seal_opts opts = { .compression = CHUNK_LZO1X };
	struct seal_result result;
	int damage = 0;
	struct err err;
	GArray *got;
	int fd;

	blockrecords_append(path, records, 0, 900, CHUNK_LZO1X);
	fd = open(path, O_RDONLY);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
	got = blockrecords_read_fd(fd, path, &damage);
	CU_ASSERT_EQUAL(damage, 0);
	blockrecords_assert(got, records);
	g_array_free(got, TRUE);
	g_array_free(records, TRUE);
	g_free(path);
}

static void test_locked(void)
{
	char *path = scratch_path("locked");
	GArray *records = random_records(6, 10, false);
	const struct seal_opts opts = { .no_wait = true };
	struct seal_result result;
	struct err err;
	int fd = -1;

	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_ENOENT);
	blockrecords_append(path, records, 0, 10, CHUNK_LZO1X);
	CU_ASSERT_EQUAL(lockedfile_open(path, 0, &fd, &err), ST_OK);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_EAGAIN);
	close(fd);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
	g_array_free(records, TRUE);
	g_free(path);
}

/* What is damaged stays as it is; a torn tail is left out. */
static void test_damaged(void)
{
	char *path = scratch_path("damaged");
	GArray *records = random_records(7, 3000, false);
	GArray *first = random_records(7, 2000, false);
	GArray *sorted = sorted_copy(first);
	const struct seal_opts opts = { .compression = CHUNK_LZO1X };
	struct seal_result result;
	gsize before;
	gsize after;
	char *bytes;
	char *again;
	struct err err;

	blockrecords_append(path, records, 0, 2000, CHUNK_LZO1X);
	g_file_get_contents(path, &bytes, &before, NULL);
	bytes[before - 20] ^= 1;
	g_file_set_contents(path, bytes, (gssize)before, NULL);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_EFORMAT);
	g_file_get_contents(path, &again, &after, NULL);
	CU_ASSERT_TRUE(before == after && memcmp(bytes, again, before) == 0);
	g_free(again);
	bytes[before - 20] ^= 1;
	g_file_set_contents(path, bytes, (gssize)before, NULL);
	g_free(bytes);
	blockrecords_append(path, records, 2000, 1000, CHUNK_LZO1X);
	CU_ASSERT_EQUAL(truncate(path, (off_t)before + 100), 0);
	CU_ASSERT_EQUAL(seal_file(path, &opts, &result, &err), ST_OK);
	UNIT_ASSERT_U64(result.torn_bytes, 100);
	check_content(path, sorted);
	g_array_free(records, TRUE);
	g_array_free(first, TRUE);
	g_array_free(sorted, TRUE);
	g_free(path);
}

/* ---- extension columns ---- */

static struct flowblock_value extension_of(unsigned number, unsigned which)
{
	static const uint8_t text[] = "an answer from a name server";
	struct flowblock_value value = { .key = { 6871, (uint16_t)(187 + which) } };

	switch (which) {
	case 0:
		value.type = COLUMN_UNSIGNED32;
		value.number = number * 3;
		break;
	case 1:
		value.type = COLUMN_IPV4_ADDRESS;
		value.ip = ip_from_v4(0x0a000000 + number % 50);
		break;
	default:
		value.type = COLUMN_STRING;
		value.bytes = (struct encode_bytes){ text, number % (sizeof(text) - 1) };
		break;
	}
	return value;
}

/* Record i has the extension values whose bit is set in i. */
static void write_extended(const char *path, unsigned first, unsigned count)
{
	struct blockwriter_opts opts = { .header = { .hour_ns = BLOCKRECORDS_HOUR_NS } };
	struct blockwriter *writer = NULL;
	struct record rec;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, &err), ST_OK);
	for (unsigned i = first; i < first + count; i++) {
		record_init(&rec);
		/* Later records start earlier, so that sealing turns the order around. */
		rec.start_ns = BLOCKRECORDS_HOUR_NS + (int64_t)(100000 - i) * 1000;
		rec.bytes = i;
		CU_ASSERT_EQUAL(blockwriter_write(writer, &rec, &err), ST_OK);
		for (unsigned which = 0; which < 3; which++) {
			struct flowblock_value value = extension_of(i, which);

			if (i >> which & 1) {
				CU_ASSERT_EQUAL(blockwriter_set(writer, &value, &err), ST_OK);
			}
		}
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
}

static void check_extension(struct chunk *chunk, uint8_t type, uint32_t row, unsigned number,
			    unsigned which)
{
	struct flowblock_value want = extension_of(number, which);
	uint32_t frame = row / FRAME_ROWS * FRAME_ROWS;
	uint8_t present[FRAME_ROWS];
	uint64_t numbers[FRAME_ROWS];
	struct ip addresses[FRAME_ROWS];
	struct encode_bytes strings[FRAME_ROWS];
	uint32_t at = row - frame;

	CU_ASSERT_EQUAL(type, want.type);
	CU_ASSERT_EQUAL(chunk_read_presence(chunk, frame, at + 1, present, NULL), ST_OK);
	CU_ASSERT_EQUAL(present[at], number >> which & 1);
	if (!present[at]) {
		return;
	}
	switch (which) {
	case 0:
		CU_ASSERT_EQUAL(chunk_read_u64(chunk, frame, at + 1, numbers, NULL), ST_OK);
		UNIT_ASSERT_U64(numbers[at], want.number);
		break;
	case 1:
		CU_ASSERT_EQUAL(chunk_read_ip(chunk, frame, at + 1, addresses, NULL), ST_OK);
		CU_ASSERT_TRUE(ip_equal(addresses[at], want.ip));
		break;
	default:
		CU_ASSERT_EQUAL(chunk_read_strings(chunk, frame, at + 1, strings, NULL), ST_OK);
		CU_ASSERT_EQUAL_FATAL(strings[at].len, want.bytes.len);
		CU_ASSERT_EQUAL(memcmp(strings[at].bytes, want.bytes.bytes, want.bytes.len), 0);
		break;
	}
}

static void test_extensions(void)
{
	const unsigned count = 2100;
	char *path = scratch_path("extensions");
	struct blockfile_scratch *scratch = blockfile_scratch_new();
	const struct seal_opts opts = { .compression = CHUNK_LZO1X };
	struct chunk *chunk = chunk_new();
	struct blockfile *file = NULL;
	const struct flowblock *block;
	struct seal_result result;
	unsigned found = 0;
	struct err err;

	write_extended(path, 0, 2); /* a block with one extension column only */
	write_extended(path, 2, count - 2);
	CU_ASSERT_EQUAL_FATAL(seal_file(path, &opts, &result, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(blockfile_open(&file, open(path, O_RDONLY), path, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(blockfile_count(file), 1);
	block = blockfile_block(file, 0);
	for (size_t n = 0; n < block->column_count; n++) {
		const struct flowblock_column *column = &block->columns[n];

		if (column_find(&column->key) != COLUMN_COUNT) {
			continue;
		}
		found++;
		CU_ASSERT_EQUAL_FATAL(blockfile_chunk_at(file, 0, n, chunk, scratch, &err), ST_OK);
		for (uint32_t row = 0; row < count; row++) {
			check_extension(chunk, column->type, row, count - 1 - row,
					column->key.id - 187u);
		}
	}
	CU_ASSERT_EQUAL(found, 3);
	blockfile_close(file);
	chunk_free(chunk);
	blockfile_scratch_free(scratch);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "what is sealed is sorted, whole and filtered", test_cases },
		{ "late records", test_late },
		{ "an open reader", test_reader },
		{ "a locked file", test_locked },
		{ "damage and a torn tail", test_damaged },
		{ "extension columns", test_extensions },
		{ NULL, NULL },
	};

	return unit_run("seal", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockfile.h"

#include "storage/seal.h"

#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint8_t compressions[] = { CHUNK_PLAIN, CHUNK_LZO1X };

static GArray *make_records(GRand *rand, size_t count, bool edges)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct record));

	for (size_t i = 0; i < count; i++) {
		struct record rec =
			edges ? blockrecords_edge(rand) : blockrecords_usual(rand, (unsigned)i);

		g_array_append_val(records, rec);
	}
	return records;
}

/* Records of every kind, cut into blocks anywhere, come back as they were, in order. */
static void test_round_trip(void)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 1023, 1024, 1025, 5000, 70000 };
	GRand *rand = g_rand_new_with_seed(1);

	for (size_t i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
		size_t count = sizes[i / 2];
		bool edges = i % 2;
		char *path = g_strdup_printf("%s/round%zu", unit_scratch(), i);
		GArray *records = make_records(rand, count, edges);
		size_t at = 0;
		GArray *got;
		int damage;

		while (at < count) {
			size_t piece = (size_t)g_rand_int_range(rand, 1, (int)(count - at) + 1);

			blockrecords_append(path, records, at, piece, compressions[at % 2]);
			at += piece;
		}
		got = blockrecords_read(path, &damage);
		unit_at("%zu %s records", count, edges ? "edge" : "usual");
		CU_ASSERT_EQUAL(damage, 0);
		blockrecords_assert(got, records);
		g_array_unref(got);
		g_array_unref(records);
		g_free(path);
	}
	g_rand_free(rand);
}

/* A small file: four blocks, the last with an address filter. */
struct small_file {
	GArray *records;
	uint8_t *bytes;
	size_t len;
	size_t ends[5]; /* of header and blocks */
	size_t rows[5]; /* records up to there */
};

static size_t file_size(const char *path)
{
	struct stat st = { 0 };

	CU_ASSERT_EQUAL(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void small_file_init(struct small_file *small)
{
	static const size_t counts[] = { 0, 3, 1, 5, 70 };
	GRand *rand = g_rand_new_with_seed(2);
	char *path = g_strdup_printf("%s/small", unit_scratch());
	size_t rows = 0;

	unlink(path);
	small->records = make_records(rand, 9, true);
	for (unsigned i = 0; i < 70; i++) {
		struct record rec = blockrecords_usual(rand, i);

		g_array_append_val(small->records, rec);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		blockrecords_append(path, small->records, rows, counts[i], compressions[i % 2]);
		rows += counts[i];
		small->ends[i] = file_size(path);
		small->rows[i] = rows;
	}
	CU_ASSERT_FATAL(g_file_get_contents(path, (char **)&small->bytes, &small->len, NULL));
	g_rand_free(rand);
	g_free(path);
}

static void small_file_release(struct small_file *small)
{
	g_array_unref(small->records);
	g_free(small->bytes);
}

static int memory_file(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("blockfile", MFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

static void put_file(const char *path, const uint8_t *bytes, size_t len)
{
	int fd;

	unlink(path); /* some file systems sync what was cut to nothing and written anew */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* Are these records of all, in their order? */
static bool is_part(const GArray *part, const GArray *all)
{
	guint k = 0;

	for (guint i = 0; i < all->len && k < part->len; i++) {
		k += blockrecords_equal(&g_array_index(part, struct record, k),
					&g_array_index(all, struct record, i));
	}
	return k == part->len;
}

/* Any byte changed: the right answer, or damage is told and no record is wrong. */
static void test_flipped(void)
{
	struct small_file small;

	small_file_init(&small);
	for (size_t i = 0; i < small.len; i++) {
		uint8_t flip = i % 3 == 0 ? 0xff : (uint8_t)(1 << i % 8);
		GArray *got;
		int damage;

		unit_at("byte %zu of %zu", i, small.len);
		small.bytes[i] ^= flip;
		got = blockrecords_read_fd(memory_file(small.bytes, small.len), "flipped", &damage);
		CU_ASSERT(is_part(got, small.records));
		CU_ASSERT(damage != 0 || got->len == small.records->len);
		CU_ASSERT(i < small.ends[0] || damage >= 0);
		small.bytes[i] ^= flip;
		g_array_unref(got);
	}
	small_file_release(&small);
}

/* The last of the ends that are not beyond len. */
static size_t block_before(const struct small_file *small, size_t len)
{
	size_t i = G_N_ELEMENTS(small->ends) - 1;

	while (small->ends[i] > len) {
		i--;
	}
	return i;
}

/* Returns the bytes that were cut before. */
static uint64_t append_one(const char *path, const struct record *rec)
{
	const struct blockwriter_opts opts = { .header = { .sensor = BLOCKRECORDS_SENSOR } };
	struct blockwriter *writer = NULL;
	uint64_t cut = 0;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, &cut, &err), ST_OK);
	CU_ASSERT_EQUAL(blockwriter_write(writer, rec, &err), ST_OK);
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
	return cut;
}

/* Cut anywhere: readers see the whole blocks, in silence; a writer cuts the rest and goes on. */
static void test_truncated(void)
{
	char *path = g_strdup_printf("%s/truncated", unit_scratch());
	struct small_file small;

	small_file_init(&small);
	for (size_t len = 0; len < small.len; len++) {
		size_t block = len < small.ends[0] ? 0 : block_before(&small, len);
		int damage;
		GArray *got = blockrecords_read_fd(memory_file(small.bytes, len), "cut", &damage);

		unit_at("%zu of %zu bytes", len, small.len);
		CU_ASSERT_EQUAL(damage, len < small.ends[0] ? -1 : 0);
		UNIT_ASSERT_U64(got->len, small.rows[block]);
		CU_ASSERT(is_part(got, small.records));
		g_array_unref(got);
		put_file(path, small.bytes, len);
		UNIT_ASSERT_U64(append_one(path, &g_array_index(small.records, struct record, 78)),
				len < small.ends[0] ? len : len - small.ends[block]);
		got = blockrecords_read(path, &damage);
		CU_ASSERT_EQUAL(damage, 0);
		UNIT_ASSERT_U64(got->len, small.rows[block] + 1);
		CU_ASSERT(is_part(got, small.records));
		g_array_unref(got);
	}
	small_file_release(&small);
	g_free(path);
}

/* A sealed file whose footer can go, since blocks can be found without. */
static void test_sealed(void)
{
	char *path = g_strdup_printf("%s/sealed", unit_scratch());
	GRand *rand = g_rand_new_with_seed(3);
	GArray *records = make_records(rand, 90, false);
	struct seal_result result;
	uint8_t *bytes = NULL;
	struct err err;
	gsize len = 0;

	blockrecords_append(path, records, 0, 90, CHUNK_LZO1X);
	CU_ASSERT_EQUAL_FATAL(seal_file(path, &(struct seal_opts){ 0 }, &result, &err), ST_OK);
	g_array_unref(records);
	records = blockrecords_read(path, &(int){ 0 });
	blockrecords_append(path, records, 0, 5, CHUNK_PLAIN);
	g_array_append_vals(records, records->data, 5);
	CU_ASSERT_FATAL(g_file_get_contents(path, (char **)&bytes, &len, NULL));
	for (size_t i = 0; i < len; i++) {
		GArray *got;
		int damage;

		unit_at("byte %zu of %zu", i, (size_t)len);
		bytes[i] ^= (uint8_t)(1 << i % 8);
		got = blockrecords_read_fd(memory_file(bytes, len), "flipped", &damage);
		CU_ASSERT(is_part(got, records));
		CU_ASSERT(damage != 0 || got->len == records->len);
		bytes[i] ^= (uint8_t)(1 << i % 8);
		g_array_unref(got);
	}
	for (size_t size = 64; size < len; size++) {
		int damage;
		GArray *got = blockrecords_read_fd(memory_file(bytes, size), "cut", &damage);

		unit_at("%zu of %zu bytes", size, (size_t)len);
		CU_ASSERT(is_part(got, records));
		CU_ASSERT(damage != 0 || got->len == records->len || got->len == 90);
		g_array_unref(got);
	}
	g_free(bytes);
	g_array_unref(records);
	g_rand_free(rand);
	g_free(path);
}

/* What a lost write leaves at the end is cut off by the next writer: zeros, or a damaged block. */
static void test_lost_writes(void)
{
	static const uint8_t zeros[10000];
	char *path = g_strdup_printf("%s/lost", unit_scratch());
	struct small_file small;
	int damage;

	small_file_init(&small);
	for (unsigned lost = 0; lost < 4; lost++) {
		uint64_t expected = sizeof(zeros);
		const struct record *rec = &g_array_index(small.records, struct record, 78);
		GArray *got;
		int fd;

		unit_at("case %u", lost);
		put_file(path, small.bytes, small.len);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (lost == 0) {
			CU_ASSERT_EQUAL(pwrite(fd, zeros, sizeof(zeros), (off_t)small.len),
					(ssize_t)sizeof(zeros));
		} else {
			/* in the last block: its body, its directory, most of it */
			static const size_t places[] = { 0, 3000, 30, 24 };
			size_t at =
				small.ends[3] + MIN(places[lost], small.len - small.ends[3] - 9);

			CU_ASSERT_EQUAL(pwrite(fd, zeros, small.len - at, (off_t)at),
					(ssize_t)(small.len - at));
			expected = small.len - small.ends[3];
		}
		close(fd);
		UNIT_ASSERT_U64(append_one(path, rec), expected);
		got = blockrecords_read(path, &damage);
		CU_ASSERT_EQUAL(damage, 0);
		UNIT_ASSERT_U64(got->len, lost == 0 ? 80 : 10);
		CU_ASSERT(is_part(got, small.records) || lost == 0);
		g_array_unref(got);
	}
	small_file_release(&small);
	g_free(path);
}

/* Damage before the end stays, is told with its place, and is appended behind. */
static void test_damage_is_told(void)
{
	static const struct {
		size_t block; /* that is damaged */
		size_t at;    /* in it; from its end if tail */
		bool tail;
		const char *text;
	} rows[] = {
		{ 1, 2, false, "bytes are damaged" },
		{ 2, 40, false, "damaged: block 2: directory: checksum differs" },
		{ 0, 1, true, NULL },
	};
	char *path = g_strdup_printf("%s/damaged", unit_scratch());
	struct small_file small;

	small_file_init(&small);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		size_t at = rows[i].tail ? small.ends[rows[i].block + 1] - rows[i].at
					 : small.ends[rows[i].block] + rows[i].at;
		struct blockfile *file = NULL;
		GArray *got;
		int damage;

		unit_at("row %zu", i);
		small.bytes[at] ^= 1;
		put_file(path, small.bytes, small.len);
		CU_ASSERT_EQUAL_FATAL(
			blockfile_open(&file, memory_file(small.bytes, small.len), "damaged", NULL),
			ST_OK);
		if (rows[i].text != NULL) {
			const char *text = blockfile_damage(file, 0);

			CU_ASSERT_PTR_NOT_NULL_FATAL(text);
			CU_ASSERT(g_str_has_prefix(text, "damaged: block"));
			CU_ASSERT(g_str_has_suffix(text, rows[i].text));
			CU_ASSERT_EQUAL(blockfile_count(file), 3);
			CU_ASSERT_EQUAL(blockfile_number(file, 2), 3);
		} else {
			CU_ASSERT_PTR_NULL(blockfile_damage(file, 0));
		}
		CU_ASSERT_PTR_NULL(blockfile_damage(file, 1));
		blockfile_close(file);
		UNIT_ASSERT_U64(append_one(path, &g_array_index(small.records, struct record, 78)),
				0);
		got = blockrecords_read(path, &damage);
		CU_ASSERT_EQUAL(damage, 1);
		UNIT_ASSERT_U64(got->len,
				80 - (small.rows[rows[i].block + 1] - small.rows[rows[i].block]));
		g_array_unref(got);
		small.bytes[at] ^= 1;
	}
	small_file_release(&small);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "round trip", test_round_trip },
	{ "flipped bytes", test_flipped },
	{ "truncated", test_truncated },
	{ "sealed", test_sealed },
	{ "lost writes", test_lost_writes },
	{ "damage is told", test_damage_is_told },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("blockfile", cases);
}

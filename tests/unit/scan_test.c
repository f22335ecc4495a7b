/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Block files are answered as their records are, one by one. */
#include "query/scan.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "query/predicaterow.h"
#include "storage/blockwriter.h"
#include "tests/unit/drawn.h"
#include "tests/unit/unit.h"

enum { FILES = 6, RECORDS_MAX = 5000, BLOCK_RECORDS = 2100, TESTS = 160 };

struct made_file {
	char *path;
	struct record *records;
	size_t count;
};

/* Records of one file are alike in some ways, so that summaries and dictionaries have a say. */
static void make_file(struct made_file *made, GRand *rng, unsigned number)
{
	struct blockwriter_opts opts = { .compression = number % 2 ? CHUNK_LZO1X : CHUNK_PLAIN };
	struct blockwriter *writer = NULL;
	struct record model;
	struct err err;

	opts.header.hour_ns = INT64_MIN;
	opts.header.sensor = RECORD_NO_SENSOR;
	opts.header.flowtype = RECORD_NO_FLOWTYPE;
	made->path = g_strdup_printf("%s/blocks%u", unit_scratch(), number);
	made->count = number == 0 ? 1 : (size_t)g_rand_int_range(rng, 2, RECORDS_MAX);
	made->records = g_new0(struct record, made->count);
	drawn_record(rng, &model);
	CU_ASSERT_EQUAL(blockwriter_append(&writer, made->path, &opts, NULL, &err), ST_OK);
	for (size_t i = 0; i < made->count; i++) {
		struct record *rec = &made->records[i];

		drawn_record(rng, rec);
		if (number % 3 == 1) {
			rec->protocol = model.protocol;
			rec->sip = model.sip;
			rec->bytes = 40 + rec->bytes % 3;
			rec->packets = 1 + rec->packets % 3;
			rec->dport = rec->dport % 16;
		}
		CU_ASSERT_EQUAL(blockwriter_write(writer, rec, &err), ST_OK);
		if (i % BLOCK_RECORDS == BLOCK_RECORDS - 1) {
			CU_ASSERT_EQUAL(blockwriter_flush(writer, false, &err), ST_OK);
		}
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
}

static void release_file(struct made_file *made)
{
	g_free(made->path);
	g_free(made->records);
}

/* What the records say, one by one. */
static void count_records(const struct made_file *made, const struct predicates *tests,
			  struct scan_totals *totals, GArray *starts)
{
	struct batch *batch = batch_new();

	for (size_t i = 0; i < made->count; i++) {
		const struct record *rec = &made->records[i];

		batch_clear(batch, COLUMNS_ALL);
		batch_append(batch, rec);
		totals->total.records++;
		totals->total.packets += rec->packets;
		totals->total.bytes += rec->bytes;
		predicates_narrow(tests, batch);
		if (batch->selected == 1) {
			totals->pass.records++;
			totals->pass.packets += rec->packets;
			totals->pass.bytes += rec->bytes;
			g_array_append_val(starts, rec->start_ns);
		}
	}
	batch_free(batch);
}

struct taken {
	GArray *starts; /* of records that pass, in order */
	uint64_t rows;
	unsigned damages;
	struct err err;
};

static int take_frame(void *arg, struct batch *batch)
{
	struct taken *taken = arg;

	taken->rows += batch->rows;
	for (uint32_t i = 0; i < batch->selected; i++) {
		g_array_append_val(taken->starts, batch->start_ns[batch->selection[i]]);
	}
	return ST_OK;
}

static void take_damage(void *arg, const struct err *err, bool ours)
{
	struct taken *taken = arg;

	CU_ASSERT(ours);
	taken->damages++;
	taken->err = *err;
}

static void scan(const struct made_file *made, const struct scan_plan *plan,
		 struct scan_totals *totals, struct taken *taken)
{
	const struct scan_taker taker = { taken, take_frame, take_damage };
	struct scanner *scanner = scanner_new(plan);
	struct scan_file *file = NULL;
	struct err err;
	bool ours = false;

	CU_ASSERT_EQUAL(scanner_open(scanner, &file, made->path, &ours, &err), ST_OK);
	CU_ASSERT(ours && scan_file_is_ours(file));
	CU_ASSERT_PTR_NOT_NULL(scan_file_header(file));
	if (!scanner_answer(scanner, file, totals)) {
		for (size_t part = 0; part < scan_file_parts(file); part++) {
			CU_ASSERT_EQUAL(scanner_read(scanner, file, part, totals, &taker), ST_OK);
		}
	}
	scan_file_unref(file);
	scanner_free(scanner);
}

static void check_totals(const struct scan_totals *totals, const struct scan_totals *expected,
			 bool volumes)
{
	UNIT_ASSERT_U64(totals->total.records, expected->total.records);
	UNIT_ASSERT_U64(totals->pass.records, expected->pass.records);
	UNIT_ASSERT_U64(totals->total.packets, volumes ? expected->total.packets : 0);
	UNIT_ASSERT_U64(totals->pass.packets, volumes ? expected->pass.packets : 0);
	UNIT_ASSERT_U64(totals->total.bytes, volumes ? expected->total.bytes : 0);
	UNIT_ASSERT_U64(totals->pass.bytes, volumes ? expected->pass.bytes : 0);
}

/* Every way of asking gives what the records say. */
static void check_plans(const struct made_file *made, const struct predicates *tests)
{
	struct scan_totals expected = { 0 };
	GArray *starts = g_array_new(FALSE, FALSE, sizeof(int64_t));

	count_records(made, tests, &expected, starts);
	for (unsigned way = 0; way < 8; way++) {
		const struct scan_plan plan = {
			.tests = tests,
			.count_volumes = way & 1,
			.columns = way & 2 ? COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_SIP) : 0,
			.wants_all = way & 4,
		};
		struct taken taken = { .starts = g_array_new(FALSE, FALSE, sizeof(int64_t)) };
		struct scan_totals totals = { 0 };

		scan(made, &plan, &totals, &taken);
		check_totals(&totals, &expected, plan.count_volumes);
		CU_ASSERT_EQUAL(taken.damages, 0);
		if (plan.columns) {
			CU_ASSERT_EQUAL(taken.starts->len, starts->len);
			CU_ASSERT(starts->len == 0 || memcmp(taken.starts->data, starts->data,
							     starts->len * sizeof(int64_t)) == 0);
			CU_ASSERT(!plan.wants_all || taken.rows == made->count);
		}
		g_array_free(taken.starts, TRUE);
	}
	g_array_free(starts, TRUE);
}

static void test_plans(void)
{
	GRand *rng = g_rand_new_with_seed(5);
	struct made_file files[FILES];

	for (unsigned i = 0; i < FILES; i++) {
		make_file(&files[i], rng, i);
		check_plans(&files[i], NULL);
	}
	for (unsigned round = 0; round < TESTS; round++) {
		struct predicates *tests = NULL;

		/* one test, or two */
		for (unsigned k = 0; k <= round % 2; k++) {
			size_t n = (size_t)g_rand_int_range(rng, 0, (gint32)predicate_row_count);
			const char *name = predicate_row_table[n].name;
			char text[100];

			if (drawn_test(rng, name, text, sizeof(text))) {
				unit_at("round %u: %s %s", round, name, text);
				predicates_add(&tests, name, text, NULL);
			}
		}
		if (predicates_finish(tests, NULL) == ST_OK) {
			check_plans(&files[round % FILES], tests);
		}
		predicates_free(tests);
	}
	for (unsigned i = 0; i < FILES; i++) {
		release_file(&files[i]);
	}
	g_rand_free(rng);
}

/* Take what is handed over out of the counting, as limits need it. */
static void test_uncounted(void)
{
	GRand *rng = g_rand_new_with_seed(6);
	struct scan_totals expected = { 0 };
	struct scan_totals totals = { 0 };
	struct scan_plan plan = { .columns = COLUMNS_ALL,
				  .count_volumes = true,
				  .uncounted = true };
	struct taken taken = { .starts = g_array_new(FALSE, FALSE, sizeof(int64_t)) };
	struct made_file made;

	make_file(&made, rng, FILES + 1);
	CU_ASSERT_EQUAL(predicates_add((struct predicates **)&plan.tests, "sport", "0", NULL),
			ST_OK);
	CU_ASSERT_EQUAL(predicates_finish((struct predicates *)plan.tests, NULL), ST_OK);
	count_records(&made, plan.tests, &expected, taken.starts);
	scan(&made, &plan, &totals, &taken);
	UNIT_ASSERT_U64(totals.total.records, expected.total.records - taken.rows);
	UNIT_ASSERT_U64(totals.pass.records, 0);
	predicates_free((struct predicates *)plan.tests);
	g_array_free(taken.starts, TRUE);
	release_file(&made);
	g_rand_free(rng);
}

/* A column that is damaged costs its block to who needs it, and nobody else anything. */
static void test_damage(void)
{
	GRand *rng = g_rand_new_with_seed(7);
	struct predicates *tests = NULL;
	struct scan_plan plan = { 0 };
	struct made_file made;
	struct blockfile *blocks = NULL;
	const struct flowblock *block;
	struct err err;
	off_t place;
	int fd;

	do {
		make_file(&made, rng, FILES + 2);
	} while (made.count < 2 * BLOCK_RECORDS && (unlink(made.path), release_file(&made), true));
	CU_ASSERT_EQUAL(blockfile_open(&blocks, open(made.path, O_RDONLY), made.path, &err), ST_OK);
	block = blockfile_block(blocks, 0);
	place = (off_t)(blockfile_offset(blocks, 1) - 1);
	for (size_t i = 0; i < block->column_count; i++) {
		place -= i >= (size_t)block->core[COLUMN_DPORT] ? block->columns[i].stored_len : 0;
	}
	blockfile_close(blocks);
	fd = open(made.path, O_RDWR);
	CU_ASSERT(pwrite(fd, "\xff\xee\xdd\xcc", 4, place + 4) == 4);
	close(fd);

	for (unsigned on = 0; on < 2; on++) {
		struct taken taken = { 0 };
		struct scan_totals totals = { 0 };

		CU_ASSERT_EQUAL(predicates_add(&tests, on ? "dport" : "sport", "0-20", NULL),
				ST_OK);
		CU_ASSERT_EQUAL(predicates_finish(tests, NULL), ST_OK);
		plan.tests = tests;
		scan(&made, &plan, &totals, &taken);
		CU_ASSERT_EQUAL(taken.damages, on);
		CU_ASSERT_EQUAL(totals.total.records, made.count - (on ? BLOCK_RECORDS : 0));
		CU_ASSERT(!on || strstr(taken.err.text, "dport"));
		CU_ASSERT(!on || strstr(taken.err.text, made.path));
		predicates_free(tests);
		tests = NULL;
	}
	release_file(&made);
	g_rand_free(rng);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "every way of asking", test_plans },
		{ "frames that the taker counts", test_uncounted },
		{ "damage", test_damage },
		{ NULL, NULL },
	};

	return unit_run("scan", cases);
}

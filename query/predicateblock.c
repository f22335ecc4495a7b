/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/predicateblock.h"

#include <glib.h>
#include <string.h>

#include "query/predicaterow.h"

/* What a test says of the distinct values of a column, by code. */
struct marks {
	enum column column;
	struct chunk *chunk; /* of the block at hand */
	uint8_t *pass;       /* 1 or 0; room for FLOWBLOCK_ROWS_MAX; NULL: not needed so far */
	bool any;
	bool all;
};

/* A test and how it is made of the block at hand. */
struct blocktest {
	const struct predicate *test;
	bool open;      /* neither all nor none pass for certain */
	unsigned coded; /* marks in use: rows are told by codes; 0: by values */
	struct marks marks[2];
};

/* Codes of one column of the frame at hand. */
struct codes {
	uint32_t row;
	bool valid;
	uint16_t code[FRAME_ROWS];
};

struct blocktests {
	const struct predicates *predicates;
	struct blockfile_cursor *cursor;
	size_t count;
	struct blocktest *tests;
	struct codes *codes[COLUMN_COUNT]; /* NULL: not needed so far */
	struct batch *values;              /* to test distinct values */
};

struct blocktests *blocktests_new(const struct predicates *predicates)
{
	struct blocktests *tests = g_new0(struct blocktests, 1);

	tests->predicates = predicates;
	tests->count = predicates_count(predicates);
	tests->tests = g_new0(struct blocktest, tests->count);
	for (size_t i = 0; i < tests->count; i++) {
		tests->tests[i].test = predicates_at(predicates, i);
	}
	return tests;
}

void blocktests_free(struct blocktests *tests)
{
	if (!tests) {
		return;
	}
	for (size_t i = 0; i < tests->count; i++) {
		g_free(tests->tests[i].marks[0].pass);
		g_free(tests->tests[i].marks[1].pass);
	}
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		g_free(tests->codes[i]);
	}
	batch_free(tests->values);
	g_free(tests->tests);
	g_free(tests);
}

/* ---- marking the values of a dictionary ---- */

static void set_marks(struct marks *marks, uint32_t from, const struct batch *values)
{
	memset(marks->pass + from, 0, values->rows);
	for (uint32_t i = 0; i < values->selected; i++) {
		marks->pass[from + values->selection[i]] = 1;
	}
	marks->any |= values->selected > 0;
	marks->all &= values->selected == values->rows;
}

/* Numbers ascend, so the last is the largest. false: it is too large for the column. */
static bool put_numbers(struct batch *values, enum column column, const uint64_t *numbers,
			uint32_t count)
{
	const struct core_column *core = column_core(column);
	uint8_t *to = (uint8_t *)values + core->batch_offset;

	if (core->size < 8 && numbers[count - 1] >> 8 * core->size != 0) {
		return false;
	}
	switch (core->size) {
	case 1:
		for (uint32_t i = 0; i < count; i++) {
			to[i] = (uint8_t)numbers[i];
		}
		break;
	case 2:
		for (uint32_t i = 0; i < count; i++) {
			((uint16_t *)(void *)to)[i] = (uint16_t)numbers[i];
		}
		break;
	case 4:
		for (uint32_t i = 0; i < count; i++) {
			((uint32_t *)(void *)to)[i] = (uint32_t)numbers[i];
		}
		break;
	default:
		memcpy(to, numbers, count * sizeof(*numbers));
		break;
	}
	return true;
}

static void put_addresses(struct batch *values, enum column column, const struct ip *addresses,
			  uint32_t count)
{
	memcpy((uint8_t *)values + column_core(column)->batch_offset, addresses,
	       count * sizeof(*addresses));
}

/*
 * Test values as rows of a batch, by the very loop that tests rows; one that looks at two columns
 * finds the value in both, so that it tells of the value alone.
 */
static bool mark_by_loop(struct blocktests *tests, const struct predicate *test,
			 struct marks *marks, const struct chunk_dictionary *dictionary)
{
	struct batch *values = tests->values ? tests->values : batch_new();
	const enum column columns[] = { test->row->column, test->row->other };

	tests->values = values;
	for (uint32_t from = 0; from < dictionary->count; from += BATCH_ROWS) {
		uint32_t count = MIN(dictionary->count - from, BATCH_ROWS);

		for (size_t k = 0; k < G_N_ELEMENTS(columns); k++) {
			if (dictionary->addresses) {
				put_addresses(values, columns[k], dictionary->addresses + from,
					      count);
			} else if (!put_numbers(values, columns[k], dictionary->numbers + from,
						count)) {
				return false;
			}
		}
		values->rows = count;
		batch_select_all(values);
		values->selected = test->narrow(test, values, values->selection, count);
		set_marks(marks, from, values);
	}
	return true;
}

/* The first range that ends at ip or behind it. */
static const struct cidr *seek_range(const struct predicate *test, struct ip ip)
{
	size_t first = 0;
	size_t end = test->range_count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (ip_compare(test->ranges[middle].last, ip) < 0) {
			first = middle + 1;
		} else {
			end = middle;
		}
	}
	return test->ranges + first;
}

/* Values from..to-1, which ascend. */
static void merge(const struct predicate *test, const struct ip *ips, uint32_t from, uint32_t to,
		  struct marks *marks)
{
	const bool negated = test->row->flags & PREDICATE_NEGATED;
	const struct cidr *range = seek_range(test, ips[from]);
	const struct cidr *end = test->ranges + test->range_count;
	uint32_t found = 0;
	uint32_t i = from;

	while (i < to && range < end) {
		if (ip_compare(range->last, ips[i]) < 0) {
			range++;
			continue;
		}
		const uint8_t in = ip_compare(range->first, ips[i]) <= 0;

		found += in;
		marks->pass[i++] = in ^ negated;
	}
	memset(marks->pass + i, negated, to - i);
	marks->any |= negated ? found < to - from : found > 0;
	marks->all &= negated ? found == 0 : found == to - from;
}

/* The same of a set of not too many ranges: both lists ascend, addresses but for the step from IPv4
 * to others. */
static void mark_by_merging(const struct predicate *test, struct marks *marks,
			    const struct chunk_dictionary *dictionary)
{
	const struct ip *ips = dictionary->addresses;
	uint32_t step = 0;

	while (step < dictionary->count && ip_is_mapped(ips[step])) {
		step++;
	}
	if (step > 0) {
		merge(test, ips, 0, step, marks);
	}
	if (step < dictionary->count) {
		merge(test, ips, step, dictionary->count, marks);
	}
}

/* Ranges of a set that are walked rather than searched, per distinct value. */
#define RANGES_PER_VALUE 16

/* *coded: whether rows can be told by codes of this column. */
static int mark_column(struct blocktests *tests, const struct predicate *test, struct marks *marks,
		       bool *coded, struct err *err)
{
	struct chunk_dictionary dictionary;
	int st = blockfile_cursor_chunk(tests->cursor, marks->column, &marks->chunk, err);

	*coded = false;
	if (st != ST_OK) {
		return st == ST_END ? ST_OK : st;
	}
	chunk_dictionary(marks->chunk, &dictionary);
	if (dictionary.count == 0) {
		return ST_OK;
	}
	if (!marks->pass) {
		marks->pass = g_malloc(FLOWBLOCK_ROWS_MAX);
	}
	marks->any = false;
	marks->all = true;
	if (test->ranges && test->range_count <= (size_t)dictionary.count * RANGES_PER_VALUE) {
		mark_by_merging(test, marks, &dictionary);
		*coded = true;
	} else {
		*coded = mark_by_loop(tests, test, marks, &dictionary);
	}
	return ST_OK;
}

/* ---- a block ---- */

/* What marks say of all rows; those that say nothing new are left out. */
static enum predicates_verdict weigh(struct blocktest *bt, unsigned count)
{
	const bool joined = bt->test->row->flags & PREDICATE_NEGATED; /* both must pass */
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct marks marks = bt->marks[i];

		if (joined ? !marks.any : marks.all) {
			return joined ? PREDICATES_NONE : PREDICATES_ALL;
		}
		if (joined ? !marks.all : marks.any) {
			/* exchanged, so that both keep their room */
			bt->marks[i] = bt->marks[kept];
			bt->marks[kept++] = marks;
		}
	}
	bt->coded = kept;
	if (kept == 0) {
		return joined ? PREDICATES_ALL : PREDICATES_NONE;
	}
	return PREDICATES_SOME;
}

/* Can the dictionary of each of its columns be asked? */
static bool takes_dictionaries(const struct predicate *test)
{
	static const predicate_narrow_fn loops[] = {
		predicate_narrow_byte,  predicate_narrow_u16,        predicate_narrow_u16_either,
		predicate_narrow_u32,   predicate_narrow_u32_either, predicate_narrow_u64,
		predicate_narrow_block, predicate_narrow_wildcard,   predicate_narrow_ipset,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(loops); i++) {
		if (loops[i] == test->narrow) {
			return true;
		}
	}
	return false;
}

static int set_dictionaries(struct blocktests *tests, struct blocktest *bt,
			    enum predicates_verdict *verdict, struct err *err)
{
	const enum column columns[] = { bt->test->row->column, bt->test->row->other };
	unsigned count = columns[0] == columns[1] ? 1 : 2;
	bool coded = takes_dictionaries(bt->test);
	int st = ST_OK;

	bt->coded = 0;
	for (unsigned i = 0; st == ST_OK && coded && i < count; i++) {
		bt->marks[i].column = columns[i];
		st = mark_column(tests, bt->test, &bt->marks[i], &coded, err);
	}
	*verdict = st == ST_OK && coded ? weigh(bt, count) : PREDICATES_SOME;
	return st;
}

int blocktests_set(struct blocktests *tests, struct blockfile_cursor *cursor,
		   const struct summary *summary, enum predicates_verdict *verdict, struct err *err)
{
	tests->cursor = cursor;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (tests->codes[i]) {
			tests->codes[i]->valid = false;
		}
	}
	*verdict = PREDICATES_ALL;
	for (size_t i = 0; i < tests->count; i++) {
		struct blocktest *bt = &tests->tests[i];
		enum predicates_verdict one = bt->test->judge(bt->test, summary);
		int st = one == PREDICATES_SOME ? set_dictionaries(tests, bt, &one, err) : ST_OK;

		if (st != ST_OK) {
			return st;
		}
		bt->open = one == PREDICATES_SOME;
		*verdict = MIN(*verdict, one);
		if (one == PREDICATES_NONE) {
			return ST_OK;
		}
	}
	return ST_OK;
}

/* ---- a frame ---- */

static int load_codes(struct blocktests *tests, const struct marks *marks, uint32_t row,
		      uint32_t rows, const uint16_t **out, struct err *err)
{
	struct codes *codes = tests->codes[marks->column];
	int st = ST_OK;

	if (!codes) {
		codes = tests->codes[marks->column] = g_new0(struct codes, 1);
	}
	if (!codes->valid || codes->row != row) {
		st = chunk_read_codes(marks->chunk, row, rows, codes->code, err);
		codes->valid = st == ST_OK;
		codes->row = row;
	}
	*out = codes->code;
	return st;
}

static uint32_t narrow_one(uint16_t *selection, uint32_t count, const uint16_t *codes,
			   const uint8_t *pass)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t row = selection[i];

		selection[kept] = row;
		kept += pass[codes[row]];
	}
	return kept;
}

static uint32_t narrow_either(uint16_t *selection, uint32_t count, const uint16_t *const codes[2],
			      const struct marks marks[2])
{
	const uint8_t *a = marks[0].pass;
	const uint8_t *b = marks[1].pass;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t row = selection[i];

		selection[kept] = row;
		kept += a[codes[0][row]] | b[codes[1][row]];
	}
	return kept;
}

static int narrow_coded(struct blocktests *tests, const struct blocktest *bt, uint32_t row,
			struct batch *batch, struct err *err)
{
	const bool joined = bt->test->row->flags & PREDICATE_NEGATED;
	const uint16_t *codes[2];

	for (unsigned i = 0; i < bt->coded; i++) {
		int st = load_codes(tests, &bt->marks[i], row, batch->rows, &codes[i], err);

		if (st != ST_OK) {
			return st;
		}
		if (joined || bt->coded == 1) {
			batch->selected = narrow_one(batch->selection, batch->selected, codes[i],
						     bt->marks[i].pass);
		}
	}
	if (!joined && bt->coded == 2) {
		batch->selected =
			narrow_either(batch->selection, batch->selected, codes, bt->marks);
	}
	return ST_OK;
}

int blocktests_narrow(struct blocktests *tests, uint32_t row, struct batch *batch, struct err *err)
{
	for (size_t i = 0; batch->selected > 0 && i < tests->count; i++) {
		const struct blocktest *bt = &tests->tests[i];
		const struct predicate *test = bt->test;
		int st;

		if (!bt->open) {
			continue;
		}
		if (bt->coded) {
			st = narrow_coded(tests, bt, row, batch, err);
		} else {
			st = blockfile_cursor_load(tests->cursor, batch, test->columns, err);
			if (st == ST_OK && test->extensions) {
				st = blockfile_cursor_load_extensions(tests->cursor, batch, err);
			}
			if (st == ST_OK) {
				batch->selected = test->narrow(test, batch, batch->selection,
							       batch->selected);
			}
		}
		if (st != ST_OK) {
			return st;
		}
	}
	return ST_OK;
}

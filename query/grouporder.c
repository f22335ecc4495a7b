/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries that name a row of a table each are distributed by the first bits in which their words
 * differ, each table by one thread, and each part is sorted where it lies, by whatever thread. The
 * keys of each shape are sorted by themselves, and the two runs merged.
 *
 * Where narrow rows are a word of key and one value, their entries are whole: they hold the row itself,
 * so that it need not be looked for again where it lies among all others.
 */
#include "query/grouporder.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/hugeroom.h"
#include "common/parallel.h"
#include "query/keysort.h"

/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 16
/* Bytes of a key that are sorted by at a time. */
#define WORD 8
_Static_assert(sizeof(struct sortentry) == WORD + sizeof(uint64_t), "entries are whole rows");
/* An entry's row: the number of the table, and that of its row below. */
#define TABLE_SHIFT 32
/* Parts: so many bits. */
#define PART_BITS 11
#define PARTS     (1u << PART_BITS)
/* How many groups are worth threads. */
#define WORTH_GROUPS (1u << 16)

struct run {
	struct sortentry *entries;
	size_t count;
};

struct grouporder {
	const struct groupkey *key;
	struct grouptable *const *tables;
	size_t table_count;
	size_t count;
	struct sortentry *entries; /* hugeroom_map(); NULL: groups come as they lie in the tables */
	bool whole;                /* entries of narrow rows are */
	uint8_t *wide;             /* if so, a bit an entry: it names a wide row; NULL: none does */
};

static const uint8_t *row_of(const struct grouporder *order, const struct sortentry *entry)
{
	return keytable_row(&order->tables[entry->row >> TABLE_SHIFT]->rows, (uint32_t)entry->row);
}

static size_t count_rows(const struct grouporder *order, size_t from, size_t step)
{
	size_t rows = 0;

	for (size_t t = from; t < order->table_count; t += step) {
		rows += order->tables[t] ? order->tables[t]->rows.count : 0;
	}
	return rows;
}

/* ---- sorting ---- */

/* A run of every step-th table from table number from on. */
struct sorting {
	const struct grouporder *order;
	size_t from, step;
	size_t table_count; /* of the run */
	enum grouporder_by by;
	size_t first; /* GROUPORDER_BY_FIRST: the number of the value */
	size_t next;  /* of a key, behind its first word: see query/keysort */
	struct run run;
	uint64_t base;           /* some word */
	uint64_t *differs;       /* a table each: the bits in which its words differ from that */
	unsigned shift;          /* parts are told apart by the bits from there on */
	size_t (*places)[PARTS]; /* a table each: where the next entry of a part goes */
	struct run *spares;      /* a thread each */
};

/* Word number w of a padded key, as a number that ascends with it. */
static uint64_t word_of(const uint8_t *row, size_t w)
{
	uint64_t word;

	memcpy(&word, row + w * WORD, sizeof(word));
	return be64toh(word);
}

/* The keysort's fill(). All keys of a run have the same size. */
static size_t fill_words(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const struct sorting *sorting = arg;
	const struct grouporder *order = sorting->order;

	for (size_t i = 0; i < count; i++) {
		if (i + AHEAD < count) {
			__builtin_prefetch(row_of(order, &entries[i + AHEAD]) + from);
		}
		entries[i].word = word_of(row_of(order, &entries[i]), from / WORD);
	}
	from += WORD;
	return from < order->tables[entries[0].row >> TABLE_SHIFT]->rows.padded ? from
										: KEYSORT_END;
}

/* Table number t of the run; NULL: it is empty. */
static const struct grouptable *table_at(const struct sorting *sorting, size_t t)
{
	return sorting->order->tables[sorting->from + t * sorting->step];
}

static uint32_t rows_at(const struct sorting *sorting, size_t t)
{
	return table_at(sorting, t) ? table_at(sorting, t)->rows.count : 0;
}

/* The first word of what a row is sorted by. */
static uint64_t first_word(const struct sorting *sorting, const struct grouptable *table,
			   uint32_t row)
{
	return sorting->by == GROUPORDER_BY_FIRST ? grouptable_values(table, row)[sorting->first]
						  : word_of(keytable_row(&table->rows, row), 0);
}

static void compare_table(void *arg, unsigned thread, size_t t)
{
	struct sorting *sorting = arg;
	const struct grouptable *table = table_at(sorting, t);
	uint64_t differs = 0;

	for (uint32_t row = 0; row < rows_at(sorting, t); row++) {
		differs |= first_word(sorting, table, row) ^ sorting->base;
	}
	sorting->differs[t] = differs;
}

static void count_table(void *arg, unsigned thread, size_t t)
{
	struct sorting *sorting = arg;
	const struct grouptable *table = table_at(sorting, t);

	for (uint32_t row = 0; row < rows_at(sorting, t); row++) {
		uint64_t word = first_word(sorting, table, row);

		sorting->places[t][word >> sorting->shift & (PARTS - 1)]++;
	}
}

/* From how many there are to where the first one goes. */
static void place_parts(struct sorting *sorting)
{
	size_t at = 0;

	for (size_t part = 0; part < PARTS; part++) {
		for (size_t t = 0; t < sorting->table_count; t++) {
			size_t count = sorting->places[t][part];

			sorting->places[t][part] = at;
			at += count;
		}
	}
}

static void distribute_table(void *arg, unsigned thread, size_t t)
{
	struct sorting *sorting = arg;
	const struct grouptable *table = table_at(sorting, t);
	uint64_t number = sorting->from + t * sorting->step;
	bool whole = sorting->order->whole && number % GROUPKEY_SHAPES == GROUPKEY_NARROW;

	for (uint32_t row = 0; row < rows_at(sorting, t); row++) {
		uint64_t word = first_word(sorting, table, row);
		size_t part = word >> sorting->shift & (PARTS - 1);

		sorting->run.entries[sorting->places[t][part]++] = (struct sortentry){
			.word = word,
			.row = whole ? *grouptable_values(table, row) : number << TABLE_SHIFT | row,
		};
	}
}

/* What comes last of a part is of the last table, whose places are now ends. */
static void sort_part(void *arg, unsigned thread, size_t part)
{
	struct sorting *sorting = arg;
	const struct keysort sort = { .arg = sorting, .fill = fill_words };
	const size_t *ends = sorting->places[sorting->table_count - 1];
	size_t start = part > 0 ? ends[part - 1] : 0;
	size_t count = ends[part] - start;
	struct sortentry *entries = sorting->run.entries + start;
	struct run *spare = &sorting->spares[thread];
	struct sortentry *sorted;

	if (count < 2) {
		return;
	}
	if (count > spare->count) {
		free(spare->entries);
		*spare = (struct run){ hugeroom_new(count * sizeof(*entries)), count };
	}
	sorted = keysort_run(&sort, entries, spare->entries, count, sorting->next);
	if (sorted != entries) {
		memcpy(entries, sorted, count * sizeof(*entries));
	}
}

static void choose_parts(struct sorting *sorting, unsigned threads)
{
	uint64_t differs = 0;
	unsigned top;

	for (size_t t = 0; t < sorting->table_count; t++) {
		if (rows_at(sorting, t) > 0) {
			sorting->base = first_word(sorting, table_at(sorting, t), 0);
			sorting->next = sorting->by == GROUPORDER_BY_KEY &&
							table_at(sorting, t)->rows.padded > WORD
						? WORD
						: KEYSORT_END;
		}
	}
	parallel_run(threads, sorting->table_count, compare_table, sorting);
	for (size_t t = 0; t < sorting->table_count; t++) {
		differs |= sorting->differs[t];
	}
	top = differs ? 64 - (unsigned)__builtin_clzll(differs) : 0;
	sorting->shift = top > PART_BITS ? top - PART_BITS : 0;
}

/* Fill in and sort sorting->run.entries. */
static void sort_run(struct sorting *sorting, unsigned threads)
{
	if (sorting->run.count == 0) {
		return;
	}
	threads = sorting->run.count >= WORTH_GROUPS ? MAX(threads, 1) : 1;
	sorting->table_count =
		(sorting->order->table_count - sorting->from + sorting->step - 1) / sorting->step;
	sorting->differs = g_new0(uint64_t, sorting->table_count);
	sorting->places = g_malloc0(sorting->table_count * sizeof(*sorting->places));
	choose_parts(sorting, threads);
	parallel_run(threads, sorting->table_count, count_table, sorting);
	place_parts(sorting);
	parallel_run(threads, sorting->table_count, distribute_table, sorting);
	sorting->spares = g_new0(struct run, threads);
	parallel_run(threads, PARTS, sort_part, sorting);
	for (unsigned i = 0; i < threads; i++) {
		free(sorting->spares[i].entries);
	}
	g_free(sorting->spares);
	g_free(sorting->differs);
	g_free(sorting->places);
}

/* ---- both shapes ---- */

/* Of an entry that names a row. */
static void widen_named(const struct grouporder *order, const struct sortentry *entry,
			uint8_t *wide)
{
	enum groupkey_shape shape = (entry->row >> TABLE_SHIFT) % GROUPKEY_SHAPES;

	groupkey_widen(order->key, shape, row_of(order, entry), wide);
}

static void widen_narrow(const struct grouporder *order, const struct sortentry *entry,
			 uint8_t *wide)
{
	uint64_t key = htobe64(entry->word);

	if (order->whole) {
		groupkey_widen(order->key, GROUPKEY_NARROW, (const uint8_t *)&key, wide);
	} else {
		widen_named(order, entry, wide);
	}
}

/* How many entries of the narrow run, from number at on, come before the wide key; by doubling
 * steps. */
static size_t count_before(const struct grouporder *order, const struct run *run, size_t at,
			   const uint8_t *wide)
{
	size_t size = order->key->size[GROUPKEY_WIDE];
	uint8_t other[GROUP_KEY_MAX];
	size_t low = at;
	size_t high = at;

	for (size_t step = 1; high < run->count; step *= 2) {
		widen_narrow(order, &run->entries[high], other);
		if (memcmp(other, wide, size) > 0) {
			break;
		}
		low = high + 1;
		high += step;
	}
	high = MIN(high, run->count);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		widen_narrow(order, &run->entries[middle], other);
		if (memcmp(other, wide, size) > 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low - at;
}

/* Wide entries, which lie behind the narrow ones, to their places; they are few, or all there are. */
static void merge_runs(struct grouporder *order, const struct run *narrow, const struct run *wide)
{
	struct sortentry *moved;
	uint8_t key[GROUP_KEY_MAX];
	size_t *befores;
	size_t at = 0;

	if (narrow->count == 0 || wide->count == 0) {
		order->whole = order->whole && wide->count == 0;
		return;
	}
	order->wide = order->whole ? g_malloc0(order->count / 8 + 1) : NULL;
	moved = g_memdup2(wide->entries, wide->count * sizeof(*moved));
	befores = g_new(size_t, wide->count);
	for (size_t i = 0; i < wide->count; i++) {
		widen_named(order, &wide->entries[i], key);
		at += count_before(order, narrow, at, key);
		befores[i] = at;
	}
	at = narrow->count;
	for (size_t i = wide->count; i-- > 0;) {
		memmove(order->entries + befores[i] + i + 1, order->entries + befores[i],
			(at - befores[i]) * sizeof(*moved));
		at = befores[i];
		order->entries[at + i] = moved[i];
		if (order->wide) {
			order->wide[(at + i) / 8] |= (uint8_t)(1u << (at + i) % 8);
		}
	}
	g_free(moved);
	g_free(befores);
}

/* Are narrow rows no more than an entry? */
static bool are_whole(const struct grouporder *order)
{
	for (size_t t = GROUPKEY_NARROW; t < order->table_count; t += GROUPKEY_SHAPES) {
		const struct grouptable *table = order->tables[t];

		if (table) {
			return table->rows.padded == WORD && table->spec->value_count == 1;
		}
	}
	return false;
}

static void sort_by_key(struct grouporder *order, unsigned threads)
{
	struct sorting sortings[GROUPKEY_SHAPES] = { 0 };
	struct sortentry *entries = order->entries;

	order->whole = are_whole(order);
	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		sortings[shape] = (struct sorting){
			.order = order,
			.from = shape,
			.step = GROUPKEY_SHAPES,
			.by = GROUPORDER_BY_KEY,
			.run = { entries, count_rows(order, shape, GROUPKEY_SHAPES) },
		};
		sort_run(&sortings[shape], threads);
		entries += sortings[shape].run.count;
	}
	merge_runs(order, &sortings[GROUPKEY_NARROW].run, &sortings[GROUPKEY_WIDE].run);
}

static void sort_by_first(struct grouporder *order, size_t first, unsigned threads)
{
	struct sorting sorting = {
		.order = order,
		.step = 1,
		.by = GROUPORDER_BY_FIRST,
		.first = first,
		.run = { order->entries, order->count },
	};

	sort_run(&sorting, threads);
}

/* Where row number i of all tables lies, as entries have it. */
static uint64_t find_lying(const struct grouporder *order, size_t i)
{
	for (size_t t = 0; t < order->table_count; t++) {
		size_t rows = order->tables[t] ? order->tables[t]->rows.count : 0;

		if (i < rows) {
			return (uint64_t)t << TABLE_SHIFT | i;
		}
		i -= rows;
	}
	g_assert_not_reached();
}

struct grouporder *grouporder_new(const struct grouporder_opts *opts)
{
	struct grouporder *order = g_new0(struct grouporder, 1);
	enum grouporder_by by;

	order->key = opts->key;
	order->tables = opts->tables;
	order->table_count = opts->table_count;
	order->count = count_rows(order, 0, 1);
	by = order->key->size[GROUPKEY_WIDE] == 0 && opts->by == GROUPORDER_BY_KEY ? GROUPORDER_NONE
										   : opts->by;
	order->entries =
		hugeroom_join(opts->rooms, opts->room_count,
			      by == GROUPORDER_NONE ? 0 : order->count * sizeof(*order->entries));
	if (order->count > 0 && by == GROUPORDER_BY_KEY) {
		sort_by_key(order, opts->threads);
	} else if (order->count > 0 && by == GROUPORDER_BY_FIRST) {
		sort_by_first(order, opts->first, opts->threads);
	}
	return order;
}

void grouporder_free(struct grouporder *order)
{
	if (order) {
		hugeroom_unmap(order->entries, order->count * sizeof(*order->entries));
		g_free(order->wide);
		g_free(order);
	}
}

size_t grouporder_count(const struct grouporder *order)
{
	return order->count;
}

static bool is_whole(const struct grouporder *order, size_t i)
{
	return order->whole && !(order->wide && order->wide[i / 8] >> i % 8 & 1);
}

const uint64_t *grouporder_get(const struct grouporder *order, size_t i, uint8_t *wide)
{
	struct sortentry lying = { .row = i };
	const struct sortentry *entry = &lying;
	const struct grouptable *table;

	if (is_whole(order, i)) {
		widen_narrow(order, &order->entries[i], wide);
		return &order->entries[i].row;
	}
	if (!order->entries) {
		lying.row = find_lying(order, i);
	} else {
		entry = &order->entries[i];
	}
	if (order->entries && !order->whole && i + AHEAD < order->count) {
		__builtin_prefetch(row_of(order, entry + AHEAD));
	}
	widen_named(order, entry, wide);
	table = order->tables[entry->row >> TABLE_SHIFT];
	return grouptable_values(table, (uint32_t)entry->row);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/grouptable.h"

#include <string.h>

#include <glib.h>

/* Rows that are looked up together, so that they come into the cache at the same time. */
#define CHUNK 128
/* Their slots are fetched into the cache at twice that distance, the rows at this one: all at once
 * would be more than a processor has on the way at a time, and lost. */
#define AHEAD 16
/* In front of the value of a wide pair: the row, and nothing. */
#define WIDE_AT    8
#define ROW_BYTES  sizeof(uint32_t)
#define PAIR_BYTES (WIDE_AT + VALUE_KEY_MAX)

struct grouptable *grouptable_new(const struct grouptable_spec *spec)
{
	struct grouptable *table = g_new0(struct grouptable, 1);

	table->spec = spec;
	table->pairs = g_malloc0((spec->value_count + 1) * sizeof(*table->pairs));
	keytable_init(&table->rows, spec->key_size, spec->value_count * sizeof(uint64_t));
	for (size_t v = 0; v < spec->value_count; v++) {
		if (spec->values[v].op == GROUP_DISTINCT) {
			keytable_init(&table->pairs[v][GROUPKEY_NARROW],
				      ROW_BYTES + GROUPKEY_V4_BYTES, 0);
			keytable_init(&table->pairs[v][GROUPKEY_WIDE],
				      WIDE_AT + spec->distincts[v].field->kind->key_size, 0);
		}
	}
	return table;
}

static struct keytable *pairs_at(const struct grouptable *table, size_t i)
{
	return &table->pairs[i / GROUPKEY_SHAPES][i % GROUPKEY_SHAPES];
}

static size_t pairs_count(const struct grouptable *table)
{
	return table->spec->value_count * GROUPKEY_SHAPES;
}

void grouptable_free(struct grouptable *table)
{
	if (!table) {
		return;
	}
	for (size_t i = 0; i < pairs_count(table); i++) {
		keytable_release(pairs_at(table, i));
	}
	keytable_release(&table->rows);
	g_free(table->pairs);
	g_free(table);
}

void grouptable_clear(struct grouptable *table)
{
	for (size_t i = 0; i < pairs_count(table); i++) {
		if (pairs_at(table, i)->slots) {
			keytable_clear(pairs_at(table, i));
		}
	}
	keytable_clear(&table->rows);
}

struct hugeroom_part grouptable_seal(struct grouptable *table)
{
	for (size_t i = 0; i < pairs_count(table); i++) {
		keytable_release(pairs_at(table, i));
	}
	return keytable_seal(&table->rows);
}

uint64_t grouptable_bytes(const struct grouptable *table)
{
	uint64_t bytes = keytable_bytes(&table->rows);

	for (size_t i = 0; i < pairs_count(table); i++) {
		bytes += keytable_bytes(pairs_at(table, i));
	}
	return bytes;
}

/* ---- pairs ---- */

static bool is_narrow(const struct groupkey_part *part, const uint8_t *value)
{
	return part->is_address ? groupkey_is_v4(value)
				: part->field->kind->key_size <= GROUPKEY_V4_BYTES;
}

/* pair is zeroed. */
static enum groupkey_shape make_pair(const struct groupkey_part *part, uint32_t row,
				     const uint8_t *value, uint8_t *pair)
{
	memcpy(pair, &row, sizeof(row));
	if (!is_narrow(part, value)) {
		memcpy(pair + WIDE_AT, value, part->field->kind->key_size);
		return GROUPKEY_WIDE;
	}
	if (part->is_address) {
		memcpy(pair + ROW_BYTES, value + GROUPKEY_V4_AT, GROUPKEY_V4_BYTES);
	} else {
		memcpy(pair + ROW_BYTES, value, part->field->kind->key_size);
	}
	return GROUPKEY_NARROW;
}

/* Its wide value. */
static void read_pair(const struct groupkey_part *part, enum groupkey_shape shape,
		      const uint8_t *pair, uint8_t *value)
{
	if (shape == GROUPKEY_WIDE) {
		memcpy(value, pair + WIDE_AT, part->field->kind->key_size);
	} else if (part->is_address) {
		groupkey_put_v4(value, pair + ROW_BYTES);
	} else {
		memcpy(value, pair + ROW_BYTES, part->field->kind->key_size);
	}
}

static uint32_t row_of_pair(const uint8_t *pair)
{
	uint32_t row;

	memcpy(&row, pair, sizeof(row));
	return row;
}

/* groups: the numbers of the rows' groups, and their values; places: of the rows in the selection. */
static void add_distinct(struct grouptable *table, const struct grouptable_packed *packed, size_t v,
			 const uint16_t *places, const uint32_t *groups, uint64_t *const *values,
			 uint32_t count)
{
	const struct groupkey_part *part = &table->spec->distincts[v];
	uint8_t pairs[CHUNK][PAIR_BYTES];
	uint32_t hashes[CHUNK];
	uint8_t shapes[CHUNK];
	struct keytable_guess guesses[CHUNK];
	bool added;

	for (uint32_t i = 0; i < count; i++) {
		const struct keytable *to;

		memset(pairs[i], 0, WIDE_AT + keytable_padded(part->field->kind->key_size));
		shapes[i] = make_pair(part, groups[i],
				      packed->distincts[v] + places[i] * (size_t)VALUE_KEY_MAX,
				      pairs[i]);
		to = &table->pairs[v][shapes[i]];
		hashes[i] = keytable_hash(to, pairs[i]);
	}
	for (uint32_t i = 0; i < count + 2 * AHEAD; i++) {
		if (i < count) {
			keytable_prefetch(&table->pairs[v][shapes[i]], hashes[i]);
		}
		if (i >= AHEAD && i - AHEAD < count) {
			guesses[i - AHEAD] = keytable_guess(&table->pairs[v][shapes[i - AHEAD]],
							    hashes[i - AHEAD]);
		}
		if (i >= 2 * AHEAD) {
			uint32_t k = i - 2 * AHEAD;

			keytable_settle(&table->pairs[v][shapes[k]], pairs[k], hashes[k],
					guesses[k], &added);
			values[k][v] += added;
		}
	}
}

int grouptable_each_pair(const struct grouptable *table, size_t v, grouptable_pair_fn fn, void *arg,
			 struct err *err)
{
	uint8_t value[VALUE_KEY_MAX];
	int status = ST_OK;

	for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
		const struct keytable *pairs = &table->pairs[v][shape];

		for (uint32_t i = 0; status == ST_OK && i < pairs->count; i++) {
			const uint8_t *pair = keytable_row(pairs, i);

			read_pair(&table->spec->distincts[v], shape, pair, value);
			status = fn(arg, row_of_pair(pair), value, err);
		}
	}
	return status;
}

/* ---- groups ---- */

static uint64_t *values_of(const struct grouptable *table, uint8_t *row)
{
	return (uint64_t *)(void *)(row + table->rows.padded);
}

static void start_row(const struct grouptable *table, uint64_t *values)
{
	for (size_t v = 0; v < table->spec->value_count; v++) {
		values[v] = groupvalue_ops[table->spec->values[v].op].initial;
	}
}

/* Add the rows at these places to their groups. */
static void add_values(struct grouptable *table, const struct grouptable_packed *packed,
		       const uint16_t *places, const uint32_t *groups, uint64_t *const *values,
		       uint32_t count)
{
	uint16_t numbers[CHUNK];
	struct grouprows rows = packed->rows;

	for (uint32_t i = 0; i < count; i++) {
		numbers[i] = packed->rows.batch->selection[places[i]];
	}
	rows.rows = numbers;
	rows.values = values;
	rows.count = count;
	for (size_t v = 0; v < table->spec->value_count; v++) {
		enum group_op op = table->spec->values[v].op;

		if (op == GROUP_DISTINCT) {
			add_distinct(table, packed, v, places, groups, values, count);
		} else {
			groupvalue_ops[op].add(&rows, v);
		}
	}
}

static struct keytable_guess find_group(struct grouptable *table,
					const struct grouptable_packed *packed, uint16_t place,
					struct keytable_guess guess)
{
	struct keytable *to = &table->rows;
	bool added;

	guess = keytable_settle(to, packed->keys + place * to->padded, packed->hashes[place], guess,
				&added);
	if (added) {
		start_row(table, values_of(table, guess.row));
	}
	return guess;
}

static void add_chunk(struct grouptable *table, const struct grouptable_packed *packed,
		      const uint16_t *places, uint32_t count)
{
	struct keytable *to = &table->rows;
	struct keytable_guess found[CHUNK];
	uint64_t *values[CHUNK];
	uint32_t groups[CHUNK];

	for (uint32_t i = 0; i < count + 2 * AHEAD; i++) {
		if (i < count) {
			keytable_prefetch(to, packed->hashes[places[i]]);
		}
		if (i >= AHEAD && i - AHEAD < count) {
			found[i - AHEAD] = keytable_guess(to, packed->hashes[places[i - AHEAD]]);
		}
		if (i >= 2 * AHEAD) {
			uint32_t k = i - 2 * AHEAD;

			found[k] = find_group(table, packed, places[k], found[k]);
			values[k] = values_of(table, found[k].row);
			groups[k] = found[k].number;
		}
	}
	add_values(table, packed, places, groups, values, count);
}

void grouptable_add(struct grouptable *table, const struct grouptable_packed *packed,
		    const uint16_t *order, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += CHUNK) {
		add_chunk(table, packed, order + at, MIN(count - at, CHUNK));
	}
}

/* The group of a row is that of the row before, or a new one. */
void grouptable_follow(struct grouptable *table, const struct grouptable_packed *packed)
{
	const uint32_t selected = packed->rows.batch->selected;
	struct keytable *to = &table->rows;
	uint16_t places[CHUNK];
	uint32_t groups[CHUNK];
	uint64_t *values[CHUNK];

	for (uint32_t i = 0; i < selected; i++) {
		const uint8_t *key = packed->keys + i * to->padded;
		const uint8_t *last = to->count > 0 ? keytable_row(to, to->count - 1) : NULL;

		if (!last || memcmp(last, key, to->padded) != 0) {
			keytable_append(to, key);
			start_row(table, grouptable_values(table, to->count - 1));
		}
		places[i % CHUNK] = (uint16_t)i;
		groups[i % CHUNK] = to->count - 1;
		values[i % CHUNK] = grouptable_values(table, to->count - 1);
		if (i % CHUNK == CHUNK - 1 || i + 1 == selected) {
			add_values(table, packed, places, groups, values, i % CHUNK + 1);
		}
	}
}

/* ---- merging ---- */

static void merge_values(struct grouptable *table, uint64_t *to, const uint64_t *from)
{
	for (size_t v = 0; v < table->spec->value_count; v++) {
		enum group_op op = table->spec->values[v].op;

		if (op != GROUP_DISTINCT) {
			to[v] = groupvalue_ops[op].merge(to[v], from[v]);
		}
	}
}

static void merge_pairs(struct grouptable *table, const struct grouptable_part *part, size_t v,
			enum groupkey_shape shape)
{
	struct keytable *to = &table->pairs[v][shape];
	const struct keytable *pairs = &part->from->pairs[v][shape];
	uint8_t pair[PAIR_BYTES] = { 0 };
	bool added;

	for (uint32_t i = 0; i < pairs->count; i++) {
		const uint8_t *old = keytable_row(pairs, i);
		uint32_t row = row_of_pair(old);

		if (part->parts[row] != part->part) {
			continue;
		}
		memcpy(pair, old, pairs->padded);
		memcpy(pair, &part->map[row], sizeof(part->map[row]));
		keytable_place(to, pair, keytable_hash(to, pair), &added);
		grouptable_values(table, part->map[row])[v] += added;
	}
}

static void merge_row(struct grouptable *table, const struct grouptable_part *part, uint32_t i,
		      struct keytable_guess guess)
{
	uint64_t *values;
	bool added;

	guess = keytable_settle(&table->rows, keytable_row(&part->from->rows, i), part->hashes[i],
				guess, &added);
	part->map[i] = guess.number;
	values = values_of(table, guess.row);
	if (added) {
		start_row(table, values);
	}
	merge_values(table, values, grouptable_values(part->from, i));
}

void grouptable_merge(struct grouptable *table, const struct grouptable_part *part)
{
	uint32_t count = part->from->rows.count;
	struct keytable_guess guesses[AHEAD];

	/* what is fetched for rows of other parts is not much */
	for (uint32_t i = 0; i < count + AHEAD; i++) {
		if (i + AHEAD < count) {
			keytable_prefetch(&table->rows, part->hashes[i + AHEAD]);
		}
		if (i >= AHEAD && part->parts[i - AHEAD] == part->part) {
			merge_row(table, part, i - AHEAD, guesses[i % AHEAD]);
		}
		if (i < count) {
			guesses[i % AHEAD] = keytable_guess(&table->rows, part->hashes[i]);
		}
	}
	for (size_t v = 0; v < table->spec->value_count; v++) {
		for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
			merge_pairs(table, part, v, shape);
		}
	}
}

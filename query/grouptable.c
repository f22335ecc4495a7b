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

/* Rows that lie stride apart, and their groups. */
struct chunk {
	uint32_t count;
	uint32_t groups[CHUNK];  /* numbers */
	uint64_t *values[CHUNK]; /* of the groups */
};

/* wide: values number v of the rows, stride apart. */
static void add_distinct(struct grouptable *table, const struct chunk *chunk, size_t v,
			 const uint8_t *wide, size_t stride)
{
	const uint32_t count = chunk->count;
	const struct groupkey_part *part = &table->spec->distincts[v];
	uint8_t pairs[CHUNK][PAIR_BYTES];
	uint32_t hashes[CHUNK];
	uint8_t shapes[CHUNK];
	struct keytable_guess guesses[CHUNK];
	bool added;

	for (uint32_t i = 0; i < count; i++) {
		const struct keytable *to;

		memset(pairs[i], 0, WIDE_AT + keytable_padded(part->field->kind->key_size));
		shapes[i] = make_pair(part, chunk->groups[i], wide + i * stride, pairs[i]);
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
			chunk->values[k][v] += added;
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

/* Add the selected rows from place number at on to their groups. */
static void add_values(struct grouptable *table, const struct grouptable_packed *packed,
		       uint32_t at, const struct chunk *chunk)
{
	struct grouprows rows = packed->rows;

	rows.rows = packed->rows.batch->selection + at;
	rows.values = chunk->values;
	rows.count = chunk->count;
	for (size_t v = 0; v < table->spec->value_count; v++) {
		enum group_op op = table->spec->values[v].op;

		if (op == GROUP_DISTINCT) {
			add_distinct(table, chunk, v,
				     packed->distincts[v] + at * (size_t)VALUE_KEY_MAX,
				     VALUE_KEY_MAX);
		} else {
			groupvalue_ops[op].add(&rows, v);
		}
	}
}

static void settle_group(struct grouptable *table, const uint8_t *key, uint32_t hash,
			 struct keytable_guess guess, struct chunk *chunk, uint32_t i)
{
	bool added;

	guess = keytable_settle(&table->rows, key, hash, guess, &added);
	chunk->groups[i] = guess.number;
	chunk->values[i] = values_of(table, guess.row);
	if (added) {
		start_row(table, chunk->values[i]);
	}
}

/* The groups of chunk->count keys, stride apart, added where they are new. */
static void find_groups(struct grouptable *table, const uint8_t *keys, size_t stride,
			const uint32_t *hashes, struct chunk *chunk)
{
	struct keytable_guess found[CHUNK];

	for (uint32_t i = 0; i < chunk->count + 2 * AHEAD; i++) {
		if (i < chunk->count) {
			keytable_prefetch(&table->rows, hashes[i]);
		}
		if (i >= AHEAD && i - AHEAD < chunk->count) {
			found[i - AHEAD] = keytable_guess(&table->rows, hashes[i - AHEAD]);
		}
		if (i >= 2 * AHEAD) {
			uint32_t k = i - 2 * AHEAD;

			settle_group(table, keys + k * stride, hashes[k], found[k], chunk, k);
		}
	}
}

void grouptable_add(struct grouptable *table, const struct grouptable_packed *packed)
{
	const uint32_t selected = packed->rows.batch->selected;
	const size_t padded = table->rows.padded;

	for (uint32_t at = 0; at < selected; at += CHUNK) {
		struct chunk chunk;

		chunk.count = MIN(selected - at, CHUNK);
		find_groups(table, packed->keys + at * padded, padded, packed->hashes + at, &chunk);
		add_values(table, packed, at, &chunk);
	}
}

/* The group of a row is that of the row before, or a new one. */
void grouptable_follow(struct grouptable *table, const struct grouptable_packed *packed)
{
	const uint32_t selected = packed->rows.batch->selected;
	struct keytable *to = &table->rows;
	struct chunk chunk = { .count = 0 };

	for (uint32_t i = 0; i < selected; i++) {
		const uint8_t *key = packed->keys + i * to->padded;
		const uint8_t *last = to->count > 0 ? keytable_row(to, to->count - 1) : NULL;

		if (!last || memcmp(last, key, to->padded) != 0) {
			keytable_append(to, key);
			start_row(table, grouptable_values(table, to->count - 1));
		}
		chunk.groups[chunk.count] = to->count - 1;
		chunk.values[chunk.count++] = grouptable_values(table, to->count - 1);
		if (chunk.count == CHUNK || i + 1 == selected) {
			add_values(table, packed, i + 1 - chunk.count, &chunk);
			chunk.count = 0;
		}
	}
}

/* ---- partial groups ---- */

/* Partial groups, first and those behind it, to the groups of the chunk. */
static void add_partial_values(struct grouptable *table, const struct grouptable_partials *partials,
			       const uint8_t *first, const struct chunk *chunk)
{
	const uint64_t *from[CHUNK];

	for (uint32_t i = 0; i < chunk->count; i++) {
		from[i] = (const uint64_t *)(const void *)(first + i * partials->stride +
							   table->rows.padded);
	}
	for (size_t v = 0; v < table->spec->value_count; v++) {
		enum group_op op = table->spec->values[v].op;

		if (op == GROUP_DISTINCT) {
			add_distinct(table, chunk, v, first + partials->distincts[v],
				     partials->stride);
		} else {
			groupvalue_merge(op, v, chunk->values, from, chunk->count);
		}
	}
}

void grouptable_add_partials(struct grouptable *table, const struct grouptable_partials *partials)
{
	for (uint32_t at = 0; at < partials->count; at += CHUNK) {
		const uint8_t *first = partials->rows + at * partials->stride;
		struct chunk chunk;

		chunk.count = MIN(partials->count - at, CHUNK);
		find_groups(table, first, partials->stride, partials->hashes + at, &chunk);
		add_partial_values(table, partials, first, &chunk);
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

struct grouptable_parts {
	const struct grouptable *from;
	uint32_t *hashes; /* of all rows */
	uint8_t *parts;   /* of each: its part */
	uint32_t *rows;   /* by parts */
	/* of the rows of each part; the end of the last */
	uint32_t starts[GROUPTABLE_PARTS_MAX + 1];
	uint32_t *map; /* of each row: its number in the table that its part was added to */
};

struct grouptable_parts *grouptable_divide(const struct grouptable *from, unsigned bits)
{
	struct grouptable_parts *parts = g_new0(struct grouptable_parts, 1);
	const uint32_t count = from->rows.count;
	uint32_t at[GROUPTABLE_PARTS_MAX + 1];

	parts->from = from;
	parts->hashes = g_new(uint32_t, count + 1);
	parts->parts = g_malloc(count + 1);
	parts->rows = g_new(uint32_t, count + 1);
	parts->map = g_new(uint32_t, count + 1);
	for (uint32_t i = 0; i < count; i++) {
		parts->hashes[i] = keytable_hash(&from->rows, keytable_row(&from->rows, i));
		parts->parts[i] = (uint8_t)grouptable_part(parts->hashes[i], bits);
		parts->starts[parts->parts[i] + 1]++;
	}
	for (unsigned p = 0; p < GROUPTABLE_PARTS_MAX; p++) {
		parts->starts[p + 1] += parts->starts[p];
	}
	memcpy(at, parts->starts, sizeof(at));
	for (uint32_t i = 0; i < count; i++) {
		parts->rows[at[parts->parts[i]]++] = i;
	}
	return parts;
}

void grouptable_parts_free(struct grouptable_parts *parts)
{
	g_free(parts->hashes);
	g_free(parts->parts);
	g_free(parts->rows);
	g_free(parts->map);
	g_free(parts);
}

static void merge_pairs(struct grouptable *table, const struct grouptable_parts *parts,
			unsigned part, size_t v, enum groupkey_shape shape)
{
	struct keytable *to = &table->pairs[v][shape];
	const struct keytable *pairs = &parts->from->pairs[v][shape];
	uint8_t pair[PAIR_BYTES] = { 0 };
	bool added;

	for (uint32_t i = 0; i < pairs->count; i++) {
		const uint8_t *old = keytable_row(pairs, i);
		uint32_t row = row_of_pair(old);

		if (parts->parts[row] != part) {
			continue;
		}
		memcpy(pair, old, pairs->padded);
		memcpy(pair, &parts->map[row], sizeof(parts->map[row]));
		keytable_place(to, pair, keytable_hash(to, pair), &added);
		grouptable_values(table, parts->map[row])[v] += added;
	}
}

static void merge_row(struct grouptable *table, struct grouptable_parts *parts, uint32_t i,
		      struct keytable_guess guess)
{
	uint64_t *values;
	bool added;

	guess = keytable_settle(&table->rows, keytable_row(&parts->from->rows, i), parts->hashes[i],
				guess, &added);
	parts->map[i] = guess.number;
	values = values_of(table, guess.row);
	if (added) {
		start_row(table, values);
	}
	merge_values(table, values, grouptable_values(parts->from, i));
}

void grouptable_merge(struct grouptable *table, struct grouptable_parts *parts, unsigned part)
{
	const uint32_t *rows = parts->rows + parts->starts[part];
	const uint32_t count = parts->starts[part + 1] - parts->starts[part];
	struct keytable_guess guesses[AHEAD];

	for (uint32_t i = 0; i < count + AHEAD; i++) {
		if (i + AHEAD < count) {
			keytable_prefetch(&table->rows, parts->hashes[rows[i + AHEAD]]);
		}
		if (i >= AHEAD) {
			merge_row(table, parts, rows[i - AHEAD], guesses[i % AHEAD]);
		}
		if (i < count) {
			guesses[i % AHEAD] = keytable_guess(&table->rows, parts->hashes[rows[i]]);
		}
	}
	for (size_t v = 0; v < table->spec->value_count; v++) {
		for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
			merge_pairs(table, parts, part, v, shape);
		}
	}
}

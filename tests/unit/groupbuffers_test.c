/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/groupbuffers.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define SET_BITS 2u
#define SETS     (1u << SET_BITS)
#define BATCHES  40
#define KEYS     700

static const struct group_value values[] = {
	{ GROUP_RECORDS, NULL },
	{ GROUP_DISTINCT, NULL }, /* the field is in distincts */
	{ GROUP_BYTES, NULL },
	{ GROUP_START_MIN, NULL },
};
#define VALUES G_N_ELEMENTS(values)

/* Rows of a batch: the key of a row is its port, as eight bytes. */
struct rows {
	struct batch *batch;
	uint64_t keys[BATCH_ROWS];
	uint32_t hashes[BATCH_ROWS];
	uint8_t wide[BATCH_ROWS * VALUE_KEY_MAX];
	uint8_t *distincts[VALUES];
};

static void make_rows(struct rows *rows, const struct groupkey_part *part, uint64_t number)
{
	struct record rec;

	record_init(&rec);
	batch_clear(rows->batch, COLUMNS_ALL);
	for (unsigned i = 0; i < BATCH_ROWS; i++) {
		uint64_t n = number * BATCH_ROWS + i;

		rec.sport = (uint16_t)(n % KEYS);
		rec.protocol = (uint8_t)(n % 3);
		rec.bytes = 1 + rec.sport;
		rec.start_ns = -(int64_t)n;
		batch_append(rows->batch, &rec);
		rows->keys[i] = rec.sport;
	}
	keytable_hash_all((const uint8_t *)rows->keys, sizeof(uint64_t), BATCH_ROWS, rows->hashes);
	groupkey_pack_part(part, rows->batch, rows->wide, VALUE_KEY_MAX);
	rows->distincts[1] = rows->wide;
}

static void empty(struct groupbuffers *buffers, struct grouptable *const *tables, bool all)
{
	for (unsigned s = 0; s < SETS; s++) {
		if (all || groupbuffers_is_full(buffers, s)) {
			CU_ASSERT(all || groupbuffers_count(buffers, s) > 0);
			groupbuffers_empty(buffers, s, tables[s]);
			UNIT_ASSERT_U64(groupbuffers_count(buffers, s), 0);
		}
	}
}

/* A group of a table against what its key says. */
static unsigned check_group(const struct grouptable *table, uint32_t row, unsigned set)
{
	const uint64_t total = BATCHES * BATCH_ROWS;
	const uint64_t *found = grouptable_values(table, row);
	uint64_t key, records, last;
	uint32_t hash;

	memcpy(&key, keytable_row(&table->rows, row), sizeof(key));
	hash = keytable_hash(&table->rows, (const uint8_t *)&key);
	records = (total - key + KEYS - 1) / KEYS;
	last = key + (records - 1) * KEYS;
	return grouptable_part(hash, SET_BITS) != set || found[0] != records || found[1] != 3 ||
	       found[2] != records * (1 + key) || (int64_t)found[3] != -(int64_t)last;
}

/* Whatever waits and for how long, the tables have all of it in the end, each set its keys. */
static void test_sets(void)
{
	struct groupkey_part distincts[VALUES] = { 0 };
	const struct grouptable_spec spec = {
		.key_size = sizeof(uint64_t),
		.values = values,
		.distincts = distincts,
		.value_count = VALUES,
	};
	struct rows *rows = g_new0(struct rows, 1);
	struct grouptable *tables[SETS];
	struct groupbuffers *buffers;
	unsigned bad = 0, groups = 0;

	distincts[1] = groupkey_part(field_find("protocol", NULL), 1, 1);
	buffers = groupbuffers_new(&spec, SET_BITS);
	rows->batch = batch_new();
	for (unsigned s = 0; s < SETS; s++) {
		tables[s] = grouptable_new(&spec);
	}
	for (unsigned i = 0; i < BATCHES; i++) {
		make_rows(rows, &distincts[1], i);
		groupbuffers_add(buffers, &(struct grouptable_packed){
						  .keys = (const uint8_t *)rows->keys,
						  .hashes = rows->hashes,
						  .distincts = rows->distincts,
						  .rows = { .batch = rows->batch },
					  });
		empty(buffers, tables, false);
	}
	empty(buffers, tables, true);
	for (unsigned s = 0; s < SETS; s++) {
		groups += tables[s]->rows.count;
		for (uint32_t row = 0; row < tables[s]->rows.count; row++) {
			bad += check_group(tables[s], row, s);
		}
		grouptable_free(tables[s]);
	}
	UNIT_ASSERT_U64(groups, KEYS);
	UNIT_ASSERT_U64(bad, 0);
	groupbuffers_free(buffers);
	batch_free(rows->batch);
	g_free(rows);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sets", test_sets },
		{ NULL, NULL },
	};

	return unit_run("groupbuffers", cases);
}

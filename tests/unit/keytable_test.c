/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/keytable.h"

#include <glib.h>

#include "tests/unit/unit.h"

#define KEYS 50000
/* How far behind one another the steps of a look-up are. */
#define BEHIND 16

/* Keys of one and of two words. */
static const size_t key_sizes[] = { 5, 16 };

struct key {
	uint64_t words[2];
};

static struct key make_key(uint64_t i)
{
	return (struct key){ { i * 7919, i % 3 } };
}

/* Many keys, found again, in order. */
static void test_find(void)
{
	for (size_t s = 0; s < G_N_ELEMENTS(key_sizes); s++) {
		struct keytable table;
		unsigned bad = 0;

		unit_at("keys of %zu bytes", key_sizes[s]);
		keytable_init(&table, key_sizes[s], 8);
		for (uint64_t i = 0; i < 2 * KEYS; i++) {
			const struct key key = make_key(i % KEYS);
			const uint8_t *bytes = (const uint8_t *)&key;
			bool added;
			uint8_t *row;

			row = keytable_find(&table, bytes, keytable_hash(&table, bytes), &added);
			bad += added != (i < KEYS) || row != keytable_row(&table, i % KEYS) ||
			       memcmp(row, &key, table.padded) != 0;
		}
		UNIT_ASSERT_U64(bad, 0);
		UNIT_ASSERT_U64(table.count, KEYS);
		keytable_clear(&table);
		UNIT_ASSERT_U64(table.count, 0);
		keytable_release(&table);
	}
}

/*
 * Looked up in steps, while the table grows and keys come twice within the steps; each hash but
 * every fourth is told right, so that some keys share theirs with others.
 */
static void test_guess(void)
{
	for (size_t s = 0; s < G_N_ELEMENTS(key_sizes); s++) {
		struct keytable_guess guesses[BEHIND];
		struct keytable table;
		struct key *keys = g_new(struct key, 2 * KEYS);
		uint32_t *hashes = g_new(uint32_t, 2 * KEYS);
		unsigned bad = 0;

		unit_at("keys of %zu bytes", key_sizes[s]);
		keytable_init(&table, key_sizes[s], 8);
		for (uint32_t i = 0; i < 2 * KEYS; i++) {
			keys[i] = make_key(i / 2);
			hashes[i] = keytable_hash(&table, (const uint8_t *)&keys[i]);
			hashes[i] = i / 2 % 4 == 0 ? i / 2 % 4096 : hashes[i];
		}
		for (uint32_t i = 0; i < 2 * KEYS + BEHIND; i++) {
			if (i >= BEHIND) {
				uint32_t k = i - BEHIND;
				const uint8_t *key = (const uint8_t *)&keys[k];
				bool added;
				struct keytable_guess found = keytable_settle(
					&table, key, hashes[k], guesses[i % BEHIND], &added);

				bad += added != (k % 2 == 0) || found.number != k / 2 ||
				       found.row != keytable_row(&table, found.number) ||
				       memcmp(found.row, key, table.padded) != 0;
			}
			if (i < 2 * KEYS) {
				guesses[i % BEHIND] = keytable_guess(&table, hashes[i]);
			}
		}
		UNIT_ASSERT_U64(bad, 0);
		UNIT_ASSERT_U64(table.count, KEYS);
		keytable_release(&table);
		g_free(keys);
		g_free(hashes);
	}
}

static void test_hash_all(void)
{
	for (size_t padded = 8; padded <= 24; padded += 8) {
		uint8_t keys[24 * 5];
		uint32_t hashes[5];

		for (size_t i = 0; i < sizeof(keys); i++) {
			keys[i] = (uint8_t)(i * 37);
		}
		keytable_hash_all(keys, padded, 5, hashes);
		for (size_t i = 0; i < 5; i++) {
			UNIT_ASSERT_U64(hashes[i], keytable_hash_of(keys + i * padded, padded));
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "found again, in order", test_find },
		{ "guessed first", test_guess },
		{ "hashes of many keys", test_hash_all },
		{ NULL, NULL },
	};

	return unit_run("keytable", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/keysort.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define KEY_SIZE 20
#define KEYS     30000

/* Words of eight bytes; the last one of a key has four. */
static size_t fill(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const uint8_t *keys = arg;
	size_t size = MIN(8, KEY_SIZE - from);

	for (size_t i = 0; i < count; i++) {
		uint64_t word = 0;

		memcpy(&word, keys + entries[i].row * KEY_SIZE + from, size);
		entries[i].word = be64toh(word);
	}
	return from + size < KEY_SIZE ? from + size : KEYSORT_END;
}

static void fetch(void *arg, const struct sortentry *entry)
{
	const uint8_t *keys = arg;

	__builtin_prefetch(keys + entry->row * KEY_SIZE);
}

/* Exchanging neighbours, from the given byte on: those before it must be the same. */
static void few(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const uint8_t *keys = arg;

	CU_ASSERT_TRUE_FATAL(count <= KEYSORT_FEW);
	for (size_t i = 1; i < count; i++) {
		for (size_t at = i; at > 0; at--) {
			const struct sortentry entry = entries[at];

			if (memcmp(keys + entries[at - 1].row * KEY_SIZE + from,
				   keys + entry.row * KEY_SIZE + from, KEY_SIZE - from) <= 0) {
				break;
			}
			entries[at] = entries[at - 1];
			entries[at - 1] = entry;
		}
	}
}

/* Keys of which so many bytes in front are the same, with few values behind: many are equal. */
static void check(size_t same, int values, bool knows_few)
{
	uint8_t *keys = g_malloc0((size_t)KEYS * KEY_SIZE);
	struct sortentry *entries = g_new(struct sortentry, KEYS);
	struct sortentry *spare = g_new(struct sortentry, KEYS);
	const struct keysort sort = {
		.arg = keys,
		.fill = fill,
		.fetch = knows_few ? fetch : NULL,
		.few = knows_few ? few : NULL,
	};
	GRand *random = g_rand_new_with_seed(3);
	const struct sortentry *sorted;
	unsigned bad = 0;

	for (size_t i = 0; i < KEYS; i++) {
		for (size_t k = same; k < KEY_SIZE; k++) {
			keys[i * KEY_SIZE + k] = (uint8_t)g_rand_int_range(random, 0, values);
		}
		entries[i].row = i;
	}
	sorted = keysort_run(&sort, entries, spare, KEYS, fill(keys, entries, KEYS, 0));
	for (size_t i = 1; i < KEYS; i++) {
		int order = memcmp(keys + sorted[i - 1].row * KEY_SIZE,
				   keys + sorted[i].row * KEY_SIZE, KEY_SIZE);

		bad += order > 0 || (order == 0 && sorted[i - 1].row >= sorted[i].row);
	}
	UNIT_ASSERT_U64(bad, 0);
	g_rand_free(random);
	g_free(keys);
	g_free(entries);
	g_free(spare);
}

static void test_order(void)
{
	for (size_t same = 0; same <= KEY_SIZE; same += 4) {
		unit_at("%zu bytes the same", same);
		check(same, 256, false);
		check(same, 2, false);
		check(same, 2, true);
		check(same, 9, true);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order, also of equal ones", test_order },
		{ NULL, NULL },
	};

	return unit_run("keysort", cases);
}

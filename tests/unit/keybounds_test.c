/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/keybounds.h"

#include <string.h>

#include <glib.h>

#include "query/rowword.h"
#include "tests/unit/unit.h"

#define KEY   36
#define KEYS  20000
#define PARTS 100

/* How much of the keys is random. */
struct shape {
	const char *name;
	int first, end; /* bytes that differ */
	int values;     /* of each of these bytes */
	bool families; /* one in thirty begins otherwise, as addresses of IPv6 do among those of IPv4 */
	size_t parts_min;
	size_t most; /* keys of a part */
};

static const struct shape shapes[] = {
	{ "equal keys", 0, 0, 1, false, 1, KEYS },
	{ "one byte of few values", 7, 8, 3, false, 2, KEYS },
	{ "random keys", 0, KEY, 256, false, PARTS, 2 * KEYS / PARTS },
	{ "the last bytes", KEY - 3, KEY, 256, false, PARTS, 2 * KEYS / PARTS },
	{ "few values everywhere", 0, KEY, 2, false, PARTS, 2 * KEYS / PARTS },
	{ "two families of addresses", 12, 24, 256, true, PARTS, 2 * KEYS / PARTS },
};

static uint8_t *make_keys(const struct shape *shape)
{
	uint8_t *keys = g_malloc0(KEYS * KEY + ROWWORD_BYTES);
	GRand *random = g_rand_new_with_seed(1);

	for (size_t i = 0; i < KEYS; i++) {
		uint8_t *key = keys + i * KEY;

		for (int at = shape->first; at < shape->end; at++) {
			key[at] = (uint8_t)g_rand_int_range(random, 0, shape->values);
		}
		for (int at = 0; shape->families && i % 30 == 0 && at < 12; at++) {
			key[at] = (uint8_t)g_rand_int_range(random, 0, 256);
		}
	}
	g_rand_free(random);
	return keys;
}

static struct keybounds *make_bounds(const uint8_t *keys, bool reverse)
{
	uint8_t differs[KEY] = { 0 };
	struct keybounds *bounds;

	for (size_t i = 0; i < KEYS; i++) {
		rowword_note(keys, keys + i * KEY, 0, KEY, differs);
	}
	bounds = keybounds_new(differs, KEY, reverse);
	for (size_t i = 0; i < KEYS; i += 7) {
		keybounds_sample(bounds, keys + i * KEY);
	}
	keybounds_choose(bounds, PARTS);
	return bounds;
}

static size_t find(const struct keybounds *bounds, const uint8_t *key, bool reverse)
{
	size_t behind;
	const struct rowword *word = keybounds_word(bounds, &behind);
	uint64_t number = rowword_load(word, key) ^ (reverse ? UINT64_MAX : 0);
	uint32_t part;

	keybounds_find(bounds, &number, 1, &part);
	return part == KEYBOUNDS_FURTHER ? keybounds_find_further(bounds, key) : part;
}

static void check_shape(const struct shape *shape, bool reverse)
{
	uint8_t *keys = make_keys(shape);
	struct keybounds *bounds = make_bounds(keys, reverse);
	const uint8_t *least[PARTS] = { NULL }, *greatest[PARTS] = { NULL };
	size_t counts[PARTS] = { 0 }, most = 0, bad = 0;
	const uint8_t *last = NULL;

	CU_ASSERT(keybounds_parts(bounds) >= shape->parts_min && keybounds_parts(bounds) <= PARTS);
	for (size_t i = 0; i < KEYS; i++) {
		const uint8_t *key = keys + i * KEY;
		size_t part = find(bounds, key, reverse);

		CU_ASSERT_FATAL(part < keybounds_parts(bounds));
		if (!least[part] || memcmp(key, least[part], KEY) < 0) {
			least[part] = key;
		}
		if (!greatest[part] || memcmp(key, greatest[part], KEY) > 0) {
			greatest[part] = key;
		}
		counts[part]++;
		most = MAX(most, counts[part]);
	}
	for (size_t part = 0; part < PARTS; part++) {
		const uint8_t *from = reverse ? greatest[part] : least[part];

		if (from) {
			int order = last ? memcmp(last, from, KEY) : 0;

			bad += last && (reverse ? order <= 0 : order >= 0);
			last = reverse ? least[part] : greatest[part];
		}
	}
	UNIT_ASSERT_U64(bad, 0);
	CU_ASSERT(most <= shape->most);
	keybounds_free(bounds);
	g_free(keys);
}

static void test_shapes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		unit_at("%s", shapes[i].name);
		check_shape(&shapes[i], false);
		unit_at("%s, reversed", shapes[i].name);
		check_shape(&shapes[i], true);
	}
}

static void test_no_sample(void)
{
	const uint8_t differs[KEY + ROWWORD_BYTES] = { 0xff };
	struct keybounds *bounds = keybounds_new(differs, KEY, false);

	keybounds_choose(bounds, PARTS);
	UNIT_ASSERT_U64(keybounds_parts(bounds), 1);
	UNIT_ASSERT_U64(find(bounds, differs, false), 0);
	keybounds_free(bounds);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "keys of all sorts", test_shapes },
		{ "no sample", test_no_sample },
		{ NULL, NULL },
	};

	return unit_run("keybounds", cases);
}

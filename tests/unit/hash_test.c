/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/hash.h"

#include "tests/unit/unit.h"

/* Values of CPython's hash() of bytes, which is SipHash-1-3, with PYTHONHASHSEED=0; and the empty
 * input of the reference key 00 01 .. 0f. */
static void test_vectors(void)
{
	static const uint64_t words[] = { 1, 2, 3, 4, 5 };
	static const struct {
		struct hash_key key;
		size_t count;
		uint64_t hash;
	} rows[] = {
		{ { 0, 0 }, 1, UINT64_C(0x1e9f734161d62dd9) },
		{ { 0, 0 }, 2, UINT64_C(0xfb058313e6201d48) },
		{ { 0, 0 }, 5, UINT64_C(0x0ac1337336f43ed3) },
		{ { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) },
		  0,
		  UINT64_C(0xabac0158050fc4dc) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unit_at("row %zu", i);
		UNIT_ASSERT_U64(hash_words(rows[i].key, words, rows[i].count), rows[i].hash);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "vectors", test_vectors },
		{ NULL, NULL },
	};

	return unit_run("hash", cases);
}

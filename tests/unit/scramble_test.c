/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scramble.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool is_private(uint32_t ip)
{
	return ip >> 24 == 10 || ip >> 20 == (172 << 4 | 1) || ip >> 16 == (192 << 8 | 168);
}

static void test_draw(void)
{
	uint32_t first;
	unsigned others = 0;

	scramble_seed(1);
	first = scramble_draw();
	CU_ASSERT_EQUAL(first, 0x0ad5d764); /* 10.213.215.100 */
	for (int i = 0; i < 10000; i++) {
		uint32_t ip = scramble_draw();

		CU_ASSERT(is_private(ip));
		others += ip >> 24 != 10;
	}
	CU_ASSERT(others > 300 && others < 1200); /* 17 of 273 */
	scramble_seed(1);
	CU_ASSERT_EQUAL(scramble_draw(), first);
}

static void test_tables(void)
{
	struct scramble tables;
	struct scramble again;
	bool seen[256];

	scramble_seed(1);
	scramble_shuffle(&tables);
	for (size_t i = 0; i < 4; i++) {
		memset(seen, 0, sizeof(seen));
		for (size_t j = 0; j < 256; j++) {
			seen[tables.bytes[i][j]] = true;
		}
		for (size_t j = 0; j < 256; j++) {
			CU_ASSERT(seen[j]);
		}
	}
	CU_ASSERT_EQUAL(scramble_map(&tables, 0x0a0a0a0a), 0x77ef4284); /* 119.239.66.132 */
	scramble_seed(1);
	scramble_shuffle(&again);
	CU_ASSERT_EQUAL(memcmp(&tables, &again, sizeof(tables)), 0);
}

static void test_write(void)
{
	struct bytesink *sink = bytesink_memory("table");
	const uint8_t *bytes;
	struct scramble tables;
	struct err err;
	size_t len = 0;

	scramble_seed(1);
	scramble_shuffle(&tables);
	CU_ASSERT_EQUAL(scramble_write(&tables, sink, &err), ST_OK);
	bytes = bytesink_bytes(sink, &len);
	CU_ASSERT_EQUAL(len, 24 + 1024);
	CU_ASSERT_EQUAL(bytes[5], 0x20);
	CU_ASSERT_EQUAL(memcmp(bytes + 24, &tables, 1024), 0);
	bytesink_close(sink, NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "private addresses", test_draw },
		{ "tables", test_tables },
		{ "the file of tables", test_write },
		{ NULL, NULL },
	};

	return unit_run("scramble", cases);
}

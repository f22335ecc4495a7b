/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/hugeroom.h"

#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

/* What lies around the bytes that are given back stays, wherever they begin and end. */
static void test_forget(void)
{
	static const size_t sizes[] = { 100, 100000, HUGEROOM_BYTES + 5 };

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		size_t from = sizes[i] / 5;
		size_t len = sizes[i] / 2;
		uint8_t *room = hugeroom_new(sizes[i]);
		size_t lost = 0;

		unit_at("%zu bytes", sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++) {
			room[at] = (uint8_t)(at % 251 + 1);
		}
		hugeroom_forget(room + from, len);
		for (size_t at = 0; at < sizes[i]; at++) {
			lost += (at < from || at >= from + len) && room[at] != at % 251 + 1;
		}
		CU_ASSERT_EQUAL(lost, 0);
		room[from] = 1;
		CU_ASSERT_EQUAL(room[from], 1);
		free(room);
	}
	hugeroom_forget(NULL, 0);
}

/* What was there stays, and what comes behind is zero. */
static void test_grow(void)
{
	static const size_t sizes[] = { 8, 100000, HUGEROOM_BYTES, 3 * HUGEROOM_BYTES + 7,
					20 * HUGEROOM_BYTES };
	uint8_t *room = hugeroom_map(sizes[0]);

	room[0] = room[sizes[0] - 1] = 7;
	for (size_t i = 1; i < G_N_ELEMENTS(sizes); i++) {
		size_t had = sizes[i - 1];
		size_t bad = 0;

		unit_at("%zu bytes", sizes[i]);
		room = hugeroom_grow(room, had, sizes[i]);
		bad += room[0] != 7 || room[had - 1] != 7;
		for (size_t at = had; at < sizes[i]; at++) {
			bad += room[at] != 0;
		}
		CU_ASSERT_EQUAL(bad, 0);
		CU_ASSERT(sizes[i] < HUGEROOM_BYTES || (uintptr_t)room % HUGEROOM_BYTES == 0);
		room[sizes[i] - 1] = 7;
	}
	hugeroom_unmap(room, sizes[G_N_ELEMENTS(sizes) - 1]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "memory given back", test_forget },
		{ "grown", test_grow },
		{ NULL, NULL },
	};

	return unit_run("hugeroom", cases);
}

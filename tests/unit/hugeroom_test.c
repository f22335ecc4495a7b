/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/hugeroom.h"

#include <glib.h>
#include <stdint.h>

#include "tests/unit/unit.h"

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
		{ "grown", test_grow },
		{ NULL, NULL },
	};

	return unit_run("hugeroom", cases);
}

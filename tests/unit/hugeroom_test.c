/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/hugeroom.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

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
		if (i % 2 == 0) {
			hugeroom_ready(room, sizes[i], had);
		}
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

/* Rooms of all sizes, and more of them than are needed; what they held is in front, in their order. */
static void test_join(void)
{
	static const size_t sizes[] = { 100, 2 * HUGEROOM_BYTES + 5, 1000, HUGEROOM_BYTES,
					4 * HUGEROOM_BYTES };
	static const size_t wanted[] = { 0,
					 50,
					 HUGEROOM_BYTES + 1,
					 3 * HUGEROOM_BYTES,
					 6 * HUGEROOM_BYTES,
					 20 * HUGEROOM_BYTES };

	for (size_t w = 0; w < G_N_ELEMENTS(wanted); w++) {
		struct hugeroom_part parts[G_N_ELEMENTS(sizes)];
		size_t bad = 0;
		uint8_t *room;

		unit_at("%zu bytes", wanted[w]);
		for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
			parts[i] = (struct hugeroom_part){ hugeroom_map(sizes[i]), sizes[i] };
			memset(parts[i].room, (int)i + 1, sizes[i]);
		}
		room = hugeroom_join(parts, G_N_ELEMENTS(sizes), wanted[w]);
		if (wanted[w] >= HUGEROOM_BYTES) {
			CU_ASSERT_EQUAL(room[0], 2);
			CU_ASSERT_EQUAL((uintptr_t)room % HUGEROOM_BYTES, 0);
		}
		if (wanted[w] > 5 * HUGEROOM_BYTES) {
			CU_ASSERT_EQUAL(room[3 * HUGEROOM_BYTES], 4);
			CU_ASSERT_EQUAL(room[4 * HUGEROOM_BYTES], 5);
		}
		for (size_t at = 8 * HUGEROOM_BYTES; at < wanted[w]; at++) {
			bad += room[at] != 0;
		}
		CU_ASSERT_EQUAL(bad, 0);
		if (room) {
			memset(room, 9, wanted[w]);
		}
		hugeroom_unmap(room, wanted[w]);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "grown", test_grow },
		{ "joined", test_join },
		{ NULL, NULL },
	};

	return unit_run("hugeroom", cases);
}

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

int main(void)
{
	static const struct unit_case cases[] = {
		{ "memory given back", test_forget },
		{ NULL, NULL },
	};

	return unit_run("hugeroom", cases);
}

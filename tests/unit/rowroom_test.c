/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowroom.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

/* Places of all sizes until there is no more room; what was filled stays. */
static void test_places(void)
{
	struct rowroom *room = rowroom_new();
	GPtrArray *places = g_ptr_array_new();
	size_t sizes[] = { 1, 64, 1000, 70000, 300000 };
	size_t bad = 0, used = 0;
	uint8_t *to;

	for (guint i = 0; (to = rowroom_place(room, 400000)) != NULL; i++) {
		size_t size = sizes[i % G_N_ELEMENTS(sizes)];

		memset(to, (int)(i % 251), 400000);
		rowroom_use(room, size);
		g_ptr_array_add(places, to);
		used += size;
	}
	CU_ASSERT(used > ROWROOM_PLACE_MAX - 500000 && used <= ROWROOM_PLACE_MAX);
	for (guint i = 0; i < places->len; i++) {
		const uint8_t *at = g_ptr_array_index(places, i);
		size_t size = sizes[i % G_N_ELEMENTS(sizes)];

		for (size_t k = 0; k < size; k++) {
			bad += at[k] != i % 251;
		}
	}
	UNIT_ASSERT_U64(bad, 0);
	g_ptr_array_free(places, TRUE);
	rowroom_free(room);
}

static void test_holds(void)
{
	struct rowroom *room = rowroom_new();
	uint8_t *to = rowroom_place(room, ROWROOM_PLACE_MAX);

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	rowroom_use(room, ROWROOM_PLACE_MAX);
	CU_ASSERT_PTR_NULL(rowroom_place(room, 1));
	CU_ASSERT_PTR_EQUAL(rowroom_hold(room), room);
	rowroom_free(room);
	to[ROWROOM_PLACE_MAX - 1] = 1;
	rowroom_free(room);
	rowroom_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "places", test_places },
		{ "holds", test_holds },
		{ NULL, NULL },
	};

	return unit_run("rowroom", cases);
}

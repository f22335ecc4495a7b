/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/deduper.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define RECORDS 2000

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Against a comparison of all with all. */
static void check(const struct deduper_deltas *deltas, guint32 seed)
{
	GRand *random = g_rand_new_with_seed(seed);
	struct deduper *deduper = deduper_new(deltas);
	GArray *kept = g_array_new(FALSE, FALSE, sizeof(struct record));

	for (int i = 0; i < RECORDS; i++) {
		struct record rec;
		bool is_new = true;

		record_init(&rec);
		rec.packets = (uint64_t)g_rand_int_range(random, 0, 100);
		rec.bytes = (uint64_t)g_rand_int_range(random, 0, 1000);
		rec.start_ns = g_rand_int_range(random, -3000, 3000) * NS_PER_MS;
		rec.duration_ns = (uint64_t)(g_rand_int_range(random, 0, 300) * NS_PER_MS);
		for (guint k = 0; k < kept->len && is_new; k++) {
			const struct record *other = &g_array_index(kept, struct record, k);
			const uint64_t between[DEDUPER_DELTAS] = {
				apart(rec.packets, other->packets),
				apart(rec.bytes, other->bytes),
				(uint64_t)ABS(rec.start_ns - other->start_ns) / NS_PER_MS,
				apart(rec.duration_ns, other->duration_ns) / NS_PER_MS,
			};
			bool is_near = true;

			for (int n = 0; n < DEDUPER_DELTAS; n++) {
				is_near = is_near && (deltas->values[n] == 0 ||
						      between[n] <= deltas->values[n]);
			}
			is_new = !is_near;
		}
		CU_ASSERT_EQUAL(deduper_add(deduper, &rec), is_new);
		if (is_new) {
			g_array_append_val(kept, rec);
		}
	}
	g_array_free(kept, TRUE);
	deduper_free(deduper);
	g_rand_free(random);
}

static void test_deltas(void)
{
	static const struct deduper_deltas cases[] = {
		{ { 0, 0, 0, 0 } },      { { 1, 0, 0, 0 } },        { { 0, 10, 0, 0 } },
		{ { 0, 0, 50, 0 } },     { { 0, 0, 0, 7 } },        { { 10, 100, 0, 0 } },
		{ { 0, 100, 500, 30 } }, { { 20, 300, 900, 100 } }, { { UINT64_MAX, 1, 0, 0 } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("case %zu", i);
		check(&cases[i], (guint32)i);
	}
}

static void test_groups(void)
{
	static const struct deduper_deltas deltas = { { 0, 0, 5, 0 } };
	struct deduper *deduper = deduper_new(&deltas);
	struct record rec;

	record_init(&rec);
	CU_ASSERT(deduper_add(deduper, &rec));
	CU_ASSERT_FALSE(deduper_add(deduper, &rec));
	deduper_clear(deduper);
	CU_ASSERT(deduper_add(deduper, &rec));
	deduper_free(deduper);
	deduper_free(NULL);
}

static const struct unit_case cases[] = {
	{ "deltas", test_deltas },
	{ "groups", test_groups },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("deduper", cases);
}

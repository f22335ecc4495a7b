/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanspares.h"

#include <glib.h>

#include "tests/unit/unit.h"

#define THREADS 4
#define ROUNDS  20000u

/* bytes counts how often a piece was freed. */
static void count_free(struct scanpiece *piece)
{
	piece->bytes++;
}

static void test_order(void)
{
	struct scanspares spares = SCANSPARES_INIT(count_free);
	struct scanpiece pieces[3] = { 0 };

	CU_ASSERT_PTR_NULL(scanspares_take(&spares));
	for (unsigned i = 0; i < 3; i++) {
		scanspares_keep(&spares, &pieces[i]);
	}
	CU_ASSERT_PTR_EQUAL(scanspares_take(&spares), &pieces[2]);
	CU_ASSERT_PTR_EQUAL(scanspares_take(&spares), &pieces[1]);
	scanspares_keep(&spares, &pieces[2]);
	scanspares_release(&spares);
	UNIT_ASSERT_U64(pieces[0].bytes, 1);
	UNIT_ASSERT_U64(pieces[1].bytes, 0); /* was taken */
	UNIT_ASSERT_U64(pieces[2].bytes, 1);
}

static void test_enough(void)
{
	struct scanspares spares = SCANSPARES_INIT(count_free);
	struct scanpiece pieces[3] = { 0 };

	spares.max = 2;
	for (unsigned i = 0; i < 3; i++) {
		scanspares_keep(&spares, &pieces[i]);
	}
	UNIT_ASSERT_U64(pieces[2].bytes, 1);
	CU_ASSERT_PTR_EQUAL(scanspares_take(&spares), &pieces[1]);
	scanspares_keep(&spares, &pieces[1]);
	scanspares_release(&spares);
	UNIT_ASSERT_U64(pieces[0].bytes, 1);
	UNIT_ASSERT_U64(pieces[1].bytes, 1);
}

/* A piece is with one thread at a time. */
static gpointer take_and_keep(gpointer arg)
{
	struct scanspares *spares = arg;
	size_t rounds = 0;

	while (rounds < ROUNDS) {
		struct scanpiece *piece = scanspares_take(spares);

		if (piece) {
			piece->bytes++;
			scanspares_keep(spares, piece);
			rounds++;
		}
	}
	return NULL;
}

static void test_threads(void)
{
	struct scanspares spares = SCANSPARES_INIT(count_free);
	struct scanpiece pieces[2] = { 0 };
	GThread *threads[THREADS];

	scanspares_keep(&spares, &pieces[0]);
	scanspares_keep(&spares, &pieces[1]);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = g_thread_new("spares", take_and_keep, &spares);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		g_thread_join(threads[i]);
	}
	UNIT_ASSERT_U64(pieces[0].bytes + pieces[1].bytes, THREADS * ROUNDS);
	scanspares_release(&spares);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "last kept, first taken", test_order },
		{ "no more than enough", test_enough },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_run("scanspares", cases);
}

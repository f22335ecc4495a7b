/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/handover.h"

#include <glib.h>
#include <pthread.h>

#include "tests/unit/unit.h"

#define MANY 20000

static void *send_back(void *arg)
{
	struct handover **ways = arg;
	void *what;

	do {
		what = handover_pop(ways[0]);
		handover_push(ways[1], what);
	} while (GPOINTER_TO_UINT(what) != MANY);
	return NULL;
}

/* All come back, in order, through queues that are often full and often empty. */
static void test_order(void)
{
	struct handover *ways[2] = { handover_new(3), handover_new(2) };
	unsigned sent = 0, seen = 0;
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_back, ways), 0);
	while (seen < MANY) {
		/* the queues and the thread hold six between them */
		while (sent < MANY && sent - seen < 6) {
			handover_push(ways[0], GUINT_TO_POINTER(++sent));
		}
		CU_ASSERT_FATAL(GPOINTER_TO_UINT(handover_pop(ways[1])) == ++seen);
	}
	pthread_join(thread, NULL);
	handover_free(ways[0]);
	handover_free(ways[1]);
	handover_free(NULL);
}

static const struct unit_case cases[] = {
	{ "order", test_order },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("handover", cases);
}

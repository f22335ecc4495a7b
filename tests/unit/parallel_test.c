/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/parallel.h"

#include <stdint.h>

#include "tests/unit/unit.h"

#define PARTS   1000
#define THREADS 5

struct work {
	unsigned done[PARTS];
	unsigned busy[THREADS]; /* atomic: parts that the thread has */
	unsigned bad;           /* atomic */
};

static void do_part(void *arg, unsigned thread, size_t i)
{
	struct work *work = arg;

	if (thread >= THREADS || __atomic_fetch_add(&work->busy[thread], 1, __ATOMIC_RELAXED) > 0) {
		__atomic_fetch_add(&work->bad, 1, __ATOMIC_RELAXED);
		return;
	}
	work->done[i]++;
	__atomic_fetch_sub(&work->busy[thread], 1, __ATOMIC_RELAXED);
}

/* Each part once, by one of the threads. */
static void test_parts(void)
{
	static const size_t counts[] = { 0, 1, 3, PARTS };

	for (unsigned threads = 0; threads <= THREADS; threads++) {
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			struct work work = { .bad = 0 };

			unit_at("%u threads, %zu parts", threads, counts[c]);
			parallel_run(threads, counts[c], do_part, &work);
			for (size_t i = 0; i < PARTS; i++) {
				work.bad += work.done[i] != (i < counts[c]);
			}
			UNIT_ASSERT_U64(work.bad, 0);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "each part once", test_parts },
		{ NULL, NULL },
	};

	return unit_run("parallel", cases);
}

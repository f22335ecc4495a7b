/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/processors.h"

#include <sched.h>

#include "tests/unit/unit.h"

/* As many as the process is allowed, not as many as there are. */
static void test_affinity(void)
{
	cpu_set_t all, one;

	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof(all), &all), 0);
	UNIT_ASSERT_U64(processors_count(), (unsigned)CPU_COUNT(&all));
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
		if (CPU_ISSET(cpu, &all)) {
			CPU_SET(cpu, &one);
		}
	}
	CU_ASSERT_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
	UNIT_ASSERT_U64(processors_count(), 1);
	CU_ASSERT_EQUAL(sched_setaffinity(0, sizeof(all), &all), 0);
}

static const struct unit_case cases[] = {
	{ "affinity", test_affinity },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("processors", cases);
}

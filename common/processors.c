/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/processors.h"

#include <sched.h>

unsigned processors_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 1 ? (unsigned)count : 1;
}

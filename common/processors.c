/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/processors.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned processors_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 1 ? (unsigned)count : 1;
}

void processors_be_nicer(int by)
{
	const id_t thread = (id_t)syscall(SYS_gettid);
	int now;

	errno = 0;
	now = getpriority(PRIO_PROCESS, thread);
	if (errno == 0) {
		setpriority(PRIO_PROCESS, thread, now + by);
	}
}

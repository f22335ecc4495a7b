/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * measure CPUS COMMAND...: run the command on this many CPUs, its output thrown away, and print
 *
 *	SECONDS CPU-SECONDS PEAK-KILOBYTES STATUS
 *
 * Small and without libraries, since the memory of the parent shows in the peak of the child.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void run_command(unsigned long cpus, char **command)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned long cpu = 0; cpu < cpus && cpu < CPU_SETSIZE; cpu++) {
		CPU_SET(cpu, &set);
	}
	if (null < 0 || sched_setaffinity(0, sizeof set, &set) != 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0) {
		_exit(126);
	}
	execvp(command[0], command);
	_exit(127);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
	struct timespec begin;
	struct timespec end;
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 3) {
		fprintf(stderr, "usage: measure CPUS COMMAND...\n");
		return EXIT_FAILURE;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	child = fork();
	if (child == 0) {
		run_command(strtoul(argv[1], NULL, 10), argv + 2);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("measure");
		return EXIT_FAILURE;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f %.6f %ld %d\n",
	       (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9,
	       seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return EXIT_SUCCESS;
}

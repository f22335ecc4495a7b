/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The beginning of a program that has an option table: switches read, --help and its like answered.
 * (Tools of query have all of query/tool.h.)
 *
 *	static const struct optmain program = { .name = "rwptoflow", .usage = "[SWITCHES] FILE",
 *		.summary = "...", .table = table };
 *	if (!optmain_parse(&program, &opts, argc, argv, &result, &status)) {
 *		return status;
 *	}
 */
#ifndef TUSSAH_COMMON_OPTMAIN_H
#define TUSSAH_COMMON_OPTMAIN_H

#include "common/opt.h"
#include "common/standin.h"

struct optmain {
	const char *name;
	const char *usage;   /* behind the name, for --help */
	const char *summary; /* one line */
	const struct opt *table;
	int usage_status;               /* what a wrong command line ends with; 0: EXIT_FAILURE */
	const struct standin *standins; /* NULL: no variable stands in for a switch */
	standin_getenv_fn getenv;       /* with standins */
};

/*
 * First of all: make sure that the standard streams are open, read the switches into opts, and tell
 * which variables that stand in for a switch are passed over.
 * false: that is all, and *status is the exit status; what was wrong has been told.
 */
bool optmain_parse(const struct optmain *program, void *opts, int argc, char **argv,
		   struct opt_result *result, int *status);

/* "NAME: text" on stderr, and a hint at --help; the exit status. */
int optmain_usage(const struct optmain *program, const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/optmain.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/stdstreams.h"

int optmain_usage(const struct optmain *program, const char *text)
{
	fprintf(stderr, "%s: %s\nUse '%s --help' for usage\n", program->name, text, program->name);
	return program->usage_status ? program->usage_status : EXIT_FAILURE;
}

/* --help and its like. */
static int answer(const struct optmain *program, enum opt_action action)
{
	if (action == OPT_HELP) {
		printf("%s %s\n\t%s\n\nSWITCHES:\n", program->name, program->usage,
		       program->summary);
		opt_help(program->table, NULL, stdout);
	} else if (action == OPT_VERSION) {
		printf("%s: part of %s\n    * Configured with: %s\n", program->name, PACKAGE_STRING,
		       *TUSSAH_CONFIGURE_ARGS ? TUSSAH_CONFIGURE_ARGS : "(defaults)");
	} else {
		opt_dump(program->table, stdout);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write standard output\n", program->name);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static void warn(void *arg, const char *text)
{
	const struct optmain *program = arg;

	fprintf(stderr, "%s: %s\n", program->name, text);
}

bool optmain_parse(const struct optmain *program, void *opts, int argc, char **argv,
		   struct opt_result *result, int *status)
{
	struct err err = { .status = ST_OK };

	stdstreams_guard();
	if (opt_parse(program->table, opts, argc, argv, result, &err) != ST_OK) {
		*status = optmain_usage(program, err.text);
		return false;
	}
	if (result->action != OPT_RUN) {
		*status = answer(program, result->action);
		g_free(result->args);
		result->args = NULL;
		return false;
	}
	if (program->standins) {
		standin_check(program->standins, program->table, program->getenv, warn,
			      (void *)program);
	}
	return true;
}

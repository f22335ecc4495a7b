/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/standin.h"

#include <glib.h>
#include <string.h>

struct checking {
	const struct standin *rows;
	standin_getenv_fn value_of;
	standin_warn_fn warn;
	void *arg;
};

static void check_row(const struct checking *checking, const struct standin *row)
{
	const char *text = checking->value_of(row->variable);
	struct err err = { 0 };

	if (text && *text && row->check(text, &err) != ST_OK) {
		char *warning =
			g_strdup_printf("invalid %s '%s': %s", row->variable, text, err.text);

		checking->warn(checking->arg, warning);
		g_free(warning);
	}
}

static void check_option(void *arg, const struct opt *opt)
{
	const struct checking *checking = arg;

	for (const struct standin *row = checking->rows; row->option; row++) {
		if (strcmp(opt->name, row->option) == 0) {
			check_row(checking, row);
		}
	}
}

void standin_check(const struct standin *rows, const struct opt *table, standin_getenv_fn value_of,
		   standin_warn_fn warn, void *arg)
{
	struct checking checking = { .rows = rows, .value_of = value_of, .warn = warn, .arg = arg };

	opt_walk(table, check_option, &checking);
}

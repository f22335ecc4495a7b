/* SPDX-License-Identifier: GPL-3.0-or-later */
/* num2dot: numbers in columns of text become addresses. */
#include "query/tool.h"

#include <stdio.h>
#include <string.h>

#include "common/ip.h"
#include "common/numlist.h"
#include "query/textcells.h"

#define IP_WIDTH 15

struct num2dot_opts {
	struct textcells cells;
};

static const struct num2dot_opts num2dot_defaults = { .cells = { .delimiter = '|' } };

/* A list that is wrong is told, and the first column stays the one: so SiLK has it. */
static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct textcells *cells = dest;
	struct err reason;

	if (cells->given) {
		tool_warn("--%s is given more than once; the first one counts", opt->name);
	} else if (textcells_parse_columns(text, cells, &reason) != ST_OK) {
		tool_warn("invalid %s '%s': %s", opt->name, text, reason.text);
	}
	return ST_OK;
}

static const struct opt num2dot_opt_table[] = {
	OPT_CALL(struct num2dot_opts, cells, "ip-fields", 0, "LIST", parse_fields, 0,
		 "convert the numbers in these columns; the first one is 1", .default_text = "1"),
	OPT_CALL(struct num2dot_opts, cells.delimiter, "delimiter", 0, "CHAR",
		 textcells_parse_delimiter, 0, "columns end in this character",
		 .default_text = "|"),
	OPT_END,
};

/* The number as an address, or as it is when it is none, in a column as wide as an address. */
static void print_cell(void *arg, char *cell)
{
	char text[IP_TEXT_MAX];
	uint64_t number = 0;

	(void)arg;
	if (number_parse(cell, 0, UINT32_MAX, &number, NULL) == ST_OK) {
		ip_print(text, ip_from_v4((uint32_t)number), false, IP_CANONICAL);
		cell = text;
	}
	printf("%*s", IP_WIDTH, cell + strspn(cell, " \t\r\v\f"));
}

static int num2dot_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct num2dot_opts *opts = base;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->cells.given) {
		opts->cells.chosen[1] = true;
	}
	textcells_run(&opts->cells, print_cell, NULL);
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "num2dot",
	.summary = "Convert numbers in columns of text to IPv4 addresses",
	.usage = "[SWITCHES] <INPUT",
	.opts = num2dot_opt_table,
	.opts_size = sizeof(struct num2dot_opts),
	.opts_default = &num2dot_defaults,
	.run = num2dot_run,
};

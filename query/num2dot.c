/* SPDX-License-Identifier: GPL-3.0-or-later */
/* num2dot: numbers in columns of text become addresses. */
#include "query/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ip.h"
#include "common/numlist.h"

#define COLUMNS_MAX 1024
#define IP_WIDTH    15
#define BLANKS      " \t\r\n\v\f"

struct num2dot_opts {
	bool fields_given;
	bool is_ip[COLUMNS_MAX + 1]; /* by number of the column */
	char delimiter;
};

static const struct num2dot_opts num2dot_defaults = { .delimiter = '|' };

struct columns {
	bool is_ip[COLUMNS_MAX + 1];
};

static int add_column(void *arg, uint64_t number)
{
	struct columns *columns = arg;

	columns->is_ip[number] = true;
	return 0;
}

static int list_columns(const char *text, struct columns *columns, struct err *err)
{
	size_t len = strlen(text);

	if (strstr(text, "-,") || (len > 0 && text[len - 1] == '-')) {
		return err_set(err, ST_EINVAL, "a range needs its upper end");
	}
	return numlist_each(text, 1, COLUMNS_MAX, add_column, columns, err);
}

/* A list that is wrong is told, and the first column stays the one: so SiLK has it. */
static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct num2dot_opts *opts = dest;
	struct columns columns = { { false } };
	struct err reason;

	if (opts->fields_given) {
		tool_warn("--%s is given more than once; the first one counts", opt->name);
	} else if (list_columns(text, &columns, &reason) != ST_OK) {
		tool_warn("invalid %s '%s': %s", opt->name, text, reason.text);
	} else {
		memcpy(opts->is_ip, columns.is_ip, sizeof(columns.is_ip));
		opts->fields_given = true;
	}
	return ST_OK;
}

static int parse_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (!*text) {
		return err_set(err, ST_EINVAL, "a character is needed");
	}
	*(char *)dest = *text;
	return ST_OK;
}

static const struct opt num2dot_opt_table[] = {
	OPT_CALL(struct num2dot_opts, fields_given, "ip-fields", 0, "LIST", parse_fields, 0,
		 "convert the numbers in these columns; the first one is 1", .default_text = "1"),
	OPT_CALL(struct num2dot_opts, delimiter, "delimiter", 0, "CHAR", parse_delimiter, 0,
		 "columns end in this character", .default_text = "|"),
	OPT_END,
};

/* The number as an address, or as it is when it is none, in a column as wide as an address. */
static void print_cell(const char *cell)
{
	char text[IP_TEXT_MAX];
	uint64_t number = 0;

	if (number_parse(cell, 0, UINT32_MAX, &number, NULL) == ST_OK) {
		ip_print(text, ip_from_v4((uint32_t)number), false, IP_CANONICAL);
		cell = text;
	}
	printf("%*s", IP_WIDTH, cell);
}

/* Every column but the last ends in the delimiter; behind it there may be nothing. */
static void print_line(const struct num2dot_opts *opts, char *line)
{
	for (size_t column = 1; *line; column++) {
		size_t len = strcspn(line, (const char[]){ opts->delimiter, '\0' });
		bool more = line[len] != '\0';

		line[len] = '\0';
		if (column <= COLUMNS_MAX && opts->is_ip[column]) {
			print_cell(line);
		} else {
			fputs(line, stdout);
		}
		if (more) {
			putchar(opts->delimiter);
		}
		line += len + more;
	}
	putchar('\n');
}

static int num2dot_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct num2dot_opts *opts = base;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->fields_given) {
		opts->is_ip[1] = true;
	}
	while ((len = getline(&line, &size, stdin)) >= 0) {
		if (len > 0 && line[len - 1] == '\n') {
			line[len - 1] = '\0';
		}
		if (line[strspn(line, BLANKS)]) {
			print_line(opts, line);
		}
	}
	free(line);
	if (ferror(stdin)) {
		tool_die("cannot read standard input: %s", strerror(errno));
	}
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/textcells.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/numlist.h"
#include "query/tool.h"

#define BLANKS          " \t\r\n\v\f"
#define BINARY_LINE_MAX 2046

static int choose_column(void *arg, uint64_t number)
{
	struct textcells *cells = arg;

	cells->chosen[number] = true;
	return 0;
}

int textcells_parse_columns(const char *text, struct textcells *cells, struct err *err)
{
	struct textcells found = { .given = true, .delimiter = cells->delimiter };
	size_t len = strlen(text);
	int status;

	if (strstr(text, "-,") || (len > 0 && text[len - 1] == '-')) {
		return err_set(err, ST_EINVAL, "a range needs its upper end");
	}
	status = numlist_each(text, 1, TEXTCELLS_COLUMNS_MAX, choose_column, &found, err);
	if (status == ST_OK) {
		*cells = found;
	}
	return status;
}

int textcells_parse_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (!*text) {
		return err_set(err, ST_EINVAL, "a character is needed");
	}
	*(char *)dest = *text;
	return ST_OK;
}

/* Every column but the last ends in the delimiter; behind it there may be nothing. */
static void print_line(const struct textcells *cells, char *line, textcells_fn fn, void *arg)
{
	for (size_t column = 1; *line; column++) {
		size_t len = strcspn(line, (const char[]){ cells->delimiter, '\0' });
		bool more = line[len] != '\0';

		line[len] = '\0';
		if (column <= TEXTCELLS_COLUMNS_MAX && cells->chosen[column]) {
			fn(arg, line);
		} else {
			fputs(line, stdout);
		}
		if (more) {
			putchar(cells->delimiter);
		}
		line += len + more;
	}
	putchar('\n');
}

/* Lines with NUL bytes are cut there, but for long ones, which are no text at all. */
static bool is_text(const char *line, size_t len)
{
	return len <= BINARY_LINE_MAX || memchr(line, '\0', len) == NULL;
}

void textcells_run(const struct textcells *cells, textcells_fn fn, void *arg)
{
	uint64_t number = 0;

	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) >= 0) {
		number++;
		if (!is_text(line, (size_t)len)) {
			tool_warn("line %" PRIu64 " is no text, and left out", number);
			continue;
		}
		if (len > 0 && line[len - 1] == '\n') {
			line[len - 1] = '\0';
		}
		if (line[strspn(line, BLANKS)]) {
			print_line(cells, line, fn, arg);
		}
	}
	free(line);
	if (ferror(stdin)) {
		tool_die("cannot read standard input: %s", strerror(errno));
	}
}

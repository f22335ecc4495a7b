/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/names.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query/tool.h"

struct names {
	char **names; /* of the command line, or of ahead */
	int count;
	int next;
	FILE *xargs; /* or a list of names */
	const char *xargs_name;
	bool failed;
	char *line;
	size_t line_size;
	GPtrArray *ahead; /* what was read of the list before its time, or NULL */
};

static FILE *open_xargs(const struct opt_optstr *xargs)
{
	FILE *file;

	if (!xargs->text || strcmp(xargs->text, "-") == 0 || strcmp(xargs->text, "stdin") == 0) {
		return stdin;
	}
	file = fopen(xargs->text, "r");
	if (!file) {
		tool_die("unable to open xargs file '%s': %s", xargs->text, strerror(errno));
	}
	return file;
}

struct names *names_new(const struct opt_optstr *xargs, bool default_stdin, int argc, char **argv)
{
	static char standard_input[] = "-";
	static char *const standard_names[] = { standard_input };
	struct names *names = g_new0(struct names, 1);

	names->names = argv;
	names->count = argc;
	if (xargs && xargs->given) {
		if (argc > 0) {
			tool_usage("may not give file names on the command line with --xargs");
		}
		names->xargs = open_xargs(xargs);
		names->xargs_name = names->xargs == stdin ? "stdin" : xargs->text;
	} else if (argc == 0 && default_stdin) {
		if (isatty(STDIN_FILENO)) {
			tool_usage("no input files given on command line and standard input is a "
				   "terminal");
		}
		names->names = (char **)standard_names;
		names->count = 1;
	}
	return names;
}

static const char *read_name(struct names *names)
{
	ssize_t len;

	do {
		len = getline(&names->line, &names->line_size, names->xargs);
		while (len > 0 && strchr("\r\n", names->line[len - 1])) {
			names->line[--len] = '\0';
		}
	} while (len == 0);
	if (len < 0 && ferror(names->xargs) && !names->failed) {
		tool_warn("%s: %s", names->xargs_name, strerror(errno));
		names->failed = true;
	}
	return len > 0 ? names->line : NULL;
}

const char *names_next(struct names *names)
{
	if (names->xargs && !names->ahead) {
		return read_name(names);
	}
	return names->next < names->count ? names->names[names->next++] : NULL;
}

static void read_ahead(struct names *names)
{
	const char *name;

	names->ahead = g_ptr_array_new_with_free_func(g_free);
	while ((name = read_name(names)) != NULL) {
		g_ptr_array_add(names->ahead, g_strdup(name));
	}
	names->names = (char **)names->ahead->pdata;
	names->count = (int)names->ahead->len;
}

const char *const *names_ahead(struct names *names, size_t *count)
{
	if (names->xargs && !names->ahead) {
		read_ahead(names);
	}
	*count = (size_t)(names->count - names->next);
	return (const char *const *)names->names + names->next;
}

bool names_free(struct names *names)
{
	bool complete = true;

	if (names) {
		complete = !names->failed;
		if (names->xargs && names->xargs != stdin) {
			fclose(names->xargs);
		}
		free(names->line);
		if (names->ahead) {
			g_ptr_array_free(names->ahead, TRUE);
		}
		g_free(names);
	}
	return complete;
}

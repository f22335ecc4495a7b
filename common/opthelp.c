/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a table says of itself: the help, the list for machines, the check of its shape. */
#include <string.h>
#include <glib.h>

#include "common/opt.h"
#include "common/optrow.h"

/* Takes rows. */
static void walk_rows(GArray *rows, opt_walk_fn fn, void *arg)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct opt *opt = opt_row_at(rows, i)->opt;

		if (!(opt->flags & OPT_HIDDEN)) {
			fn(arg, opt);
		}
	}
	g_array_free(rows, TRUE);
}

void opt_walk(const struct opt *table, opt_walk_fn fn, void *arg)
{
	walk_rows(opt_rows_new(table), fn, arg);
}

/* Print words, broken so that no line passes 80 columns; lines after the first are indented. */
static void print_wrapped(FILE *out, const char *text)
{
	enum { WIDTH = 80, INDENT = 8 };
	int column = 0;

	for (const char *p = text; *p;) {
		int len = (int)strcspn(p, " ");

		if (column > INDENT && column + 1 + len > WIDTH) {
			fputs("\n\t", out);
			column = INDENT;
		} else if (column > 0) {
			putc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, p);
		column += len;
		p += len;
		p += strspn(p, " ");
	}
	putc('\n', out);
}

static void print_help_row(void *arg, const struct opt *opt)
{
	static const char *const needs[] = {
		[OPT_NEED_NONE] = "No Arg.",
		[OPT_NEED_OPTIONAL] = "Opt Arg.",
		[OPT_NEED_REQUIRED] = "Req Arg.",
	};
	GString *text = g_string_new(NULL);

	if (opt->letter) {
		g_string_append_printf(text, "-%c, ", opt->letter);
	}
	g_string_append_printf(text, "--%s", opt->name);
	if (opt->arg) {
		g_string_append_printf(
			text, opt_arg_need(opt) == OPT_NEED_OPTIONAL ? "[=%s]" : "=%s", opt->arg);
	}
	g_string_append_printf(text, " %s %c%s.", needs[opt_arg_need(opt)],
			       g_ascii_toupper(opt->help[0]), opt->help + 1);
	for (int i = 0; opt->choices && opt->choices[i]; i++) {
		g_string_append_printf(text, "%s%s%s", i == 0 ? " Choices: " : ", ",
				       opt->choices[i], opt->choices[i + 1] ? "" : ".");
	}
	if (opt->default_text) {
		g_string_append_printf(text, " Def. %s", opt->default_text);
	}
	print_wrapped(arg, text->str);
	g_string_free(text, TRUE);
}

void opt_help(const struct opt *table, const void *opts, FILE *out)
{
	GArray *rows = opt_rows_new(table);

	if (opts) {
		opt_rows_add_more(rows, table, opts);
	}
	walk_rows(rows, print_help_row, out);
}

static void print_dump_row(void *arg, const struct opt *opt)
{
	FILE *out = arg;
	bool optional = opt_arg_need(opt) == OPT_NEED_OPTIONAL;

	fprintf(out, "%s\t%c\t%s%s%s\t%s\t%s", opt->name, opt->letter ? opt->letter : '-',
		optional ? "[" : "", opt->arg ? opt->arg : "-", optional ? "]" : "",
		opt->default_text ? opt->default_text : "-", opt->help);
	for (int i = 0; opt->choices && opt->choices[i]; i++) {
		fprintf(out, "%s%s", i == 0 ? ": " : ", ", opt->choices[i]);
	}
	putc('\n', out);
}

void opt_dump(const struct opt *table, FILE *out)
{
	opt_walk(table, print_dump_row, out);
}

static const char *check_help(const char *help)
{
	size_t len = help ? strlen(help) : 0;

	if (len == 0 || help[len - 1] == '.' || strpbrk(help, "\t\n")) {
		return "help is missing, ends in a full stop or has more than one line";
	}
	return g_ascii_isupper(help[0]) && g_ascii_islower(help[1]) ? "help starts with a capital"
								    : NULL;
}

static const char *check_argument(const struct opt *opt)
{
	if ((opt_arg_need(opt) == OPT_NEED_NONE) != !opt->arg) {
		return "argument is named but not taken, or taken and not named";
	}
	if (opt->kind == OPT_KIND_CHOICE && (!opt->choices || !opt->choices[0])) {
		return "no choices";
	}
	if (opt->kind == OPT_KIND_CALL && !opt_is_builtin(opt) && !opt->parse) {
		return "no parse function";
	}
	return opt->min > opt->max ? "bounds are the wrong way round" : NULL;
}

static const char *check_row(const struct opt *opt)
{
	const char *fault;

	/* the plus sign is in names of SiLK's such as stime+msec */
	if (!opt->name[0] ||
	    strspn(opt->name, "abcdefghijklmnopqrstuvwxyz0123456789-+") != strlen(opt->name)) {
		return "name is not of lower-case letters, digits and hyphens";
	}
	fault = check_help(opt->help);
	return fault ? fault : check_argument(opt);
}

int opt_check(const struct opt *table, struct err *err)
{
	GArray *rows = opt_rows_new(table);
	int st = ST_OK;

	for (guint i = 0; i < rows->len && st == ST_OK; i++) {
		const struct opt *opt = opt_row_at(rows, i)->opt;
		const char *fault = check_row(opt);

		if (!fault && opt_is_builtin(opt) && i >= opt_builtin_count()) {
			fault = "no parse function";
		}
		for (guint j = 0; j < i && !fault; j++) {
			const struct opt *other = opt_row_at(rows, j)->opt;

			if (strcmp(other->name, opt->name) == 0) {
				fault = "name is taken twice";
			} else if (opt->letter && other->letter == opt->letter) {
				fault = "letter is taken twice";
			}
		}
		if (fault) {
			st = err_set(err, ST_EINVAL, "--%s: %s", opt->name, fault);
		}
	}
	g_array_free(rows, TRUE);
	return st;
}

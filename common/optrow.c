/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/optrow.h"

#include <string.h>

#include "common/duration.h"
#include "common/numlist.h"

/* Belong to every table. The tag is an enum opt_action; parse is NULL, which tells them from the
 * rows of the table. */
static const struct opt builtin_table[] = {
	{ .kind = OPT_KIND_CALL,
	  .name = "help",
	  .flags = OPT_ARG_NONE,
	  .tag = OPT_HELP,
	  .help = "print this help and exit" },
	{ .kind = OPT_KIND_CALL,
	  .name = "version",
	  .flags = OPT_ARG_NONE,
	  .tag = OPT_VERSION,
	  .help = "print the version and exit" },
	{ .kind = OPT_KIND_CALL,
	  .name = "dump-options",
	  .flags = OPT_ARG_NONE | OPT_HIDDEN,
	  .tag = OPT_DUMP_OPTIONS,
	  .help = "print the list of switches for machines and exit" },
	OPT_END,
};

bool opt_is_builtin(const struct opt *opt)
{
	return opt->kind == OPT_KIND_CALL && !opt->parse;
}

static void unfold(const struct opt *table, size_t offset, GArray *rows)
{
	for (const struct opt *opt = table; opt->kind != OPT_KIND_END; opt++) {
		struct opt_row row = { .opt = opt, .offset = offset + opt->offset };

		if (opt->kind == OPT_KIND_GROUP) {
			unfold(opt->group, row.offset, rows);
		} else if (opt->kind != OPT_KIND_MORE) {
			g_array_append_val(rows, row);
		}
	}
}

static void unfold_more(const struct opt *table, size_t offset, const char *opts, GArray *rows)
{
	for (const struct opt *opt = table; opt->kind != OPT_KIND_END; opt++) {
		size_t at = offset + opt->offset;

		if (opt->kind == OPT_KIND_GROUP) {
			unfold_more(opt->group, at, opts, rows);
		} else if (opt->kind == OPT_KIND_MORE && opt->more(opts + at)) {
			unfold(opt->more(opts + at), at, rows);
		}
	}
}

void opt_rows_add_more(GArray *rows, const struct opt *table, const void *opts)
{
	unfold_more(table, 0, opts, rows);
}

guint opt_builtin_count(void)
{
	return G_N_ELEMENTS(builtin_table) - 1;
}

GArray *opt_rows_new(const struct opt *table)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct opt_row));

	unfold(builtin_table, 0, rows);
	unfold(table, 0, rows);
	return rows;
}

enum opt_arg_need opt_arg_need(const struct opt *opt)
{
	if (opt->kind == OPT_KIND_FLAG || opt->flags & OPT_ARG_NONE) {
		return OPT_NEED_NONE;
	}
	if (opt->kind == OPT_KIND_OPTSTR || opt->flags & OPT_ARG_OPTIONAL) {
		return OPT_NEED_OPTIONAL;
	}
	return OPT_NEED_REQUIRED;
}

/*
 * The setters: one per kind, into the member at dest. The reason alone goes into err, the caller
 * puts the name in front.
 */
int opt_parse_bool(const char *text, bool *out, struct err *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "0", "1" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(text, words[i]) == 0) {
			*out = i & 1;
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "Must be true or false");
}

static int set_flag(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	(void)opt;
	if (text) {
		return opt_parse_bool(text, dest, err);
	}
	*(bool *)dest = true;
	return ST_OK;
}

static int set_str(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	(void)opt, (void)err;
	*(const char **)dest = text;
	return ST_OK;
}

static int set_strs(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	GPtrArray **array = dest;

	(void)opt, (void)err;
	if (!*array) {
		*array = g_ptr_array_new();
	}
	g_ptr_array_add(*array, (gpointer)text);
	return ST_OK;
}

static int set_optstr(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	(void)opt, (void)err;
	*(struct opt_optstr *)dest = (struct opt_optstr){ .given = true, .text = text };
	return ST_OK;
}

static int set_u64(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return number_parse(text, opt->min, opt->max, dest, err);
}

static int set_real(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return real_parse(text, (double)opt->min, (double)opt->max, dest, err);
}

static int set_size(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return size_parse(text, opt->min, opt->max, dest, err);
}

static int set_duration(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	char bound[DURATION_TEXT_MAX];
	uint64_t ns;
	int st = duration_parse(text, &ns, err);

	if (st != ST_OK) {
		return st;
	}
	if (ns < opt->min || ns > opt->max) {
		duration_print(bound, ns < opt->min ? opt->min : opt->max, 3);
		return err_set(err, ST_EINVAL, "Value is %s of %s seconds",
			       ns < opt->min ? "below minimum" : "above maximum", bound);
	}
	*(uint64_t *)dest = ns;
	return ST_OK;
}

static int set_choice(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	int found = -1;
	bool ambiguous = false;

	for (int i = 0; *text && opt->choices[i]; i++) {
		if (g_ascii_strncasecmp(opt->choices[i], text, strlen(text)) != 0) {
			continue;
		}
		ambiguous = found >= 0;
		found = i;
		if (!opt->choices[i][strlen(text)]) {
			ambiguous = false;
			break;
		}
		if (ambiguous) {
			break;
		}
	}
	if (found < 0 || ambiguous) {
		char *list = g_strjoinv(", ", (char **)opt->choices);

		err_set(err, ST_EINVAL, "%s (choices: %s)",
			ambiguous ? "Value is ambiguous" : "Unrecognized value", list);
		g_free(list);
		return ST_EINVAL;
	}
	*(int *)dest = found;
	return ST_OK;
}

static int set_call(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return opt->parse(opt, text, dest, err);
}

static const opt_parse_fn setters[] = {
	[OPT_KIND_FLAG] = set_flag,     [OPT_KIND_STR] = set_str,
	[OPT_KIND_STRS] = set_strs,     [OPT_KIND_OPTSTR] = set_optstr,
	[OPT_KIND_U64] = set_u64,       [OPT_KIND_REAL] = set_real,
	[OPT_KIND_SIZE] = set_size,     [OPT_KIND_DURATION] = set_duration,
	[OPT_KIND_CHOICE] = set_choice, [OPT_KIND_CALL] = set_call,
	[OPT_KIND_GROUP] = NULL,        [OPT_KIND_MORE] = NULL,
};

int opt_row_set(struct opt_row *row, void *opts, const char *text, struct err *err)
{
	const struct opt *opt = row->opt;
	int st;

	if (row->given && opt->flags & OPT_ONCE) {
		return err_set(err, ST_EINVAL, "Invalid %s: Switch used multiple times", opt->name);
	}
	row->given = true;
	st = setters[opt->kind](opt, text, (char *)opts + row->offset, err);
	if (st == ST_OK || opt->flags & OPT_OWN_ERROR) {
		return st;
	}
	return text ? err_prefix(err, "Invalid %s '%s'", opt->name, text)
		    : err_prefix(err, "Invalid %s", opt->name);
}

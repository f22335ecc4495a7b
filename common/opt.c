/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table is unfolded once per call into a flat list of rows, groups replaced by their rows with
 * the offset of the group added. Then everything is a walk over the list: tables have tens of rows.
 */
#include "common/opt.h"

#include <string.h>
#include <glib.h>

#include "common/duration.h"
#include "common/numlist.h"

struct opt_row {
	const struct opt *opt;
	size_t offset; /* of the member, in the outermost struct */
	bool given;
};

enum builtin_tag {
	BUILTIN_HELP = OPT_HELP,
	BUILTIN_VERSION = OPT_VERSION,
	BUILTIN_DUMP_OPTIONS = OPT_DUMP_OPTIONS,
};

/* Belong to every table. parse is NULL: told apart from the table's rows by that. */
static const struct opt builtin_table[] = {
	{ .kind = OPT_KIND_CALL,
	  .name = "help",
	  .flags = OPT_ARG_NONE,
	  .tag = BUILTIN_HELP,
	  .help = "print this help and exit" },
	{ .kind = OPT_KIND_CALL,
	  .name = "version",
	  .flags = OPT_ARG_NONE,
	  .tag = BUILTIN_VERSION,
	  .help = "print the version and exit" },
	{ .kind = OPT_KIND_CALL,
	  .name = "dump-options",
	  .flags = OPT_ARG_NONE | OPT_HIDDEN,
	  .tag = BUILTIN_DUMP_OPTIONS,
	  .help = "print the list of switches for machines and exit" },
	OPT_END,
};

static bool opt_is_builtin(const struct opt *opt)
{
	return opt->kind == OPT_KIND_CALL && !opt->parse;
}

static void unfold(const struct opt *table, size_t offset, GArray *rows)
{
	for (const struct opt *opt = table; opt->kind != OPT_KIND_END; opt++) {
		struct opt_row row = { .opt = opt, .offset = offset + opt->offset };

		if (opt->kind == OPT_KIND_GROUP) {
			unfold(opt->group, row.offset, rows);
		} else {
			g_array_append_val(rows, row);
		}
	}
}

static GArray *unfold_all(const struct opt *table)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct opt_row));

	unfold(builtin_table, 0, rows);
	unfold(table, 0, rows);
	return rows;
}

static struct opt_row *row_at(GArray *rows, guint i)
{
	return &g_array_index(rows, struct opt_row, i);
}

enum arg_need { ARG_NONE, ARG_OPTIONAL, ARG_REQUIRED };

static enum arg_need arg_need(const struct opt *opt)
{
	if (opt->kind == OPT_KIND_FLAG || opt->flags & OPT_ARG_NONE) {
		return ARG_NONE;
	}
	if (opt->kind == OPT_KIND_OPTSTR || opt->flags & OPT_ARG_OPTIONAL) {
		return ARG_OPTIONAL;
	}
	return ARG_REQUIRED;
}

/*
 * The setters: one per kind, into the member at dest. The reason alone goes into err, the caller
 * puts the name in front.
 */
static int set_flag(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "0", "1" };

	(void)opt;
	for (size_t i = 0; text && i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(text, words[i]) == 0) {
			*(bool *)dest = i & 1;
			return ST_OK;
		}
	}
	if (text) {
		return err_set(err, ST_EINVAL, "Must be true or false");
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
	[OPT_KIND_GROUP] = NULL,
};

static int set_row(struct opt_row *row, void *opts, const char *text, struct err *err)
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

static bool same_effect(const struct opt_row *a, const struct opt_row *b)
{
	return a->opt->kind == b->opt->kind && a->offset == b->offset &&
	       a->opt->parse == b->opt->parse && a->opt->tag == b->opt->tag;
}

/* The state of one walk over a command line. */
struct parser {
	GArray *rows;
	void *opts;
	int argc;
	char **argv;
	int next; /* index of the next argument */
	enum opt_action action;
	GPtrArray *switches; /* argv's strings, for putting argv into order */
	GPtrArray *args;
};

static int ambiguous_name(const struct parser *p, const char *dashes, const char *name,
			  const GPtrArray *matches, struct err *err)
{
	GString *text = g_string_new(NULL);

	(void)p;
	for (guint i = 0; i < matches->len; i++) {
		const struct opt_row *row = g_ptr_array_index(matches, i);

		g_string_append_printf(text, " '%s%s'", dashes, row->opt->name);
	}
	err_set(err, ST_EINVAL, "option '%s%s' is ambiguous; possibilities:%s", dashes, name,
		text->str);
	g_string_free(text, TRUE);
	return ST_EINVAL;
}

/*
 * Find a row by an exact name of len bytes, or else by a prefix that fits one row or aliases of
 * one. *out NULL: none.
 */
static int find_long(const struct parser *p, const char *dashes, const char *name, size_t len,
		     struct opt_row **out, struct err *err)
{
	GPtrArray *matches = g_ptr_array_new();
	struct opt_row *added = NULL; /* first match that gives way to others */
	bool ambiguous = false;
	int st = ST_OK;

	*out = NULL;
	for (guint i = 0; i < p->rows->len; i++) {
		struct opt_row *row = row_at(p->rows, i);

		if (strncmp(row->opt->name, name, len) != 0) {
			continue;
		}
		if (!row->opt->name[len]) {
			*out = row;
			goto done;
		}
		if (opt_is_builtin(row->opt) && row->opt->flags & OPT_HIDDEN) {
			continue;
		}
		if (row->opt->flags & OPT_ADDED) {
			added = added ? added : row;
			continue;
		}
		if (matches->len > 0 && !same_effect(row, g_ptr_array_index(matches, 0))) {
			ambiguous = true;
		}
		g_ptr_array_add(matches, row);
	}
	if (ambiguous) {
		st = ambiguous_name(p, dashes, name, matches, err);
	} else {
		*out = matches->len > 0 ? g_ptr_array_index(matches, 0) : added;
	}
done:
	g_ptr_array_free(matches, TRUE);
	return st;
}

static struct opt_row *find_letter(const struct parser *p, char letter)
{
	for (guint i = 0; i < p->rows->len; i++) {
		struct opt_row *row = row_at(p->rows, i);

		if (row->opt->letter == letter) {
			return row;
		}
	}
	return NULL;
}

static int apply(struct parser *p, struct opt_row *row, const char *text, struct err *err)
{
	if (opt_is_builtin(row->opt)) {
		p->action = (enum opt_action)row->opt->tag;
		return ST_OK;
	}
	return set_row(row, p->opts, text, err);
}

/* The next command-line word as a switch's argument; NULL at the end. */
static const char *take_word(struct parser *p)
{
	if (p->next == p->argc) {
		return NULL;
	}
	g_ptr_array_add(p->switches, p->argv[p->next]);
	return p->argv[p->next++];
}

static int parse_long(struct parser *p, struct opt_row *row, const char *dashes, const char *name,
		      struct err *err)
{
	const char *equals = strchr(name, '=');
	const char *text = equals ? equals + 1 : NULL;
	enum arg_need need = arg_need(row->opt);

	if (text && need == ARG_NONE) {
		return err_set(err, ST_EINVAL, "option '%s%s' doesn't allow an argument", dashes,
			       row->opt->name);
	}
	if (!text && need == ARG_REQUIRED) {
		text = take_word(p);
		if (!text) {
			return err_set(err, ST_EINVAL, "option '%s%s' requires an argument", dashes,
				       row->opt->name);
		}
	}
	return apply(p, row, text, err);
}

/* A word of letters behind one dash. */
static int parse_letters(struct parser *p, const char *letters, struct err *err)
{
	for (const char *c = letters; *c && p->action == OPT_RUN; c++) {
		struct opt_row *row = find_letter(p, *c);
		const char *text = NULL;
		enum arg_need need;
		int st;

		if (!row) {
			return err_set(err, ST_EINVAL, "invalid option -- '%c'", *c);
		}
		need = arg_need(row->opt);
		if (need != ARG_NONE && c[1]) {
			text = c + 1;
		} else if (need == ARG_REQUIRED) {
			text = take_word(p);
			if (!text) {
				return err_set(err, ST_EINVAL,
					       "option requires an argument -- '%c'", *c);
			}
		}
		st = apply(p, row, text, err);
		if (st != ST_OK || text) {
			return st;
		}
	}
	return ST_OK;
}

/* One word that starts with a dash and is neither "-" nor "--". */
static int parse_switch(struct parser *p, const char *word, struct err *err)
{
	bool two_dashes = word[1] == '-';
	const char *dashes = two_dashes ? "--" : "-";
	const char *name = word + strlen(dashes);
	bool letter = !two_dashes && find_letter(p, name[0]);
	struct opt_row *row = NULL;
	int st;

	/* getopt_long_only(): a single known letter is not tried as a long name */
	if (!letter || name[1]) {
		st = find_long(p, dashes, name, strcspn(name, "="), &row, err);
		if (st != ST_OK) {
			return st;
		}
	}
	if (row) {
		return parse_long(p, row, dashes, name, err);
	}
	if (letter) {
		return parse_letters(p, name, err);
	}
	return err_set(err, ST_EINVAL, "unrecognized option '%s'", word);
}

static int parse_words(struct parser *p, struct err *err)
{
	bool switches_ended = false;
	int st = ST_OK;

	while (st == ST_OK && p->next < p->argc && p->action == OPT_RUN) {
		char *word = p->argv[p->next++];

		if (switches_ended || word[0] != '-' || !word[1]) {
			g_ptr_array_add(p->args, word);
			continue;
		}
		g_ptr_array_add(p->switches, word);
		if (strcmp(word, "--") == 0) {
			switches_ended = true;
		} else {
			st = parse_switch(p, word, err);
		}
	}
	return st;
}

/* Switches first, as getopt leaves argv. */
static void permute(struct parser *p)
{
	int i = 1;

	for (guint j = 0; j < p->switches->len; j++) {
		p->argv[i++] = g_ptr_array_index(p->switches, j);
	}
	for (guint j = 0; j < p->args->len; j++) {
		p->argv[i++] = g_ptr_array_index(p->args, j);
	}
}

int opt_parse(const struct opt *table, void *opts, int argc, char **argv, struct opt_result *result,
	      struct err *err)
{
	struct parser p = {
		.rows = unfold_all(table),
		.opts = opts,
		.argc = argc,
		.argv = argv,
		.next = 1,
		.action = OPT_RUN,
		.switches = g_ptr_array_new(),
		.args = g_ptr_array_new(),
	};
	int st = parse_words(&p, err);

	if (st == ST_OK) {
		if (p.next >= argc) {
			permute(&p);
		}
		result->action = p.action;
		result->nargs = (int)p.args->len;
		g_ptr_array_add(p.args, NULL);
		result->args = (char **)g_ptr_array_free(p.args, FALSE);
	} else {
		g_ptr_array_free(p.args, TRUE);
	}
	g_ptr_array_free(p.switches, TRUE);
	g_array_free(p.rows, TRUE);
	return st;
}

static struct opt_row *find_exact(GArray *rows, const char *name)
{
	for (guint i = 0; i < rows->len; i++) {
		struct opt_row *row = row_at(rows, i);

		if (!opt_is_builtin(row->opt) && strcmp(row->opt->name, name) == 0) {
			return row;
		}
	}
	return NULL;
}

static int set_by_name(GArray *rows, void *opts, const char *name, const char *text,
		       struct err *err)
{
	struct opt_row *row = find_exact(rows, name);

	if (!row) {
		return err_set(err, ST_EINVAL, "unrecognized option '%s'", name);
	}
	if (!text && arg_need(row->opt) == ARG_REQUIRED) {
		return err_set(err, ST_EINVAL, "option '%s' requires an argument", name);
	}
	/* a call without argument: "true" in a file says no more than the name on a command line */
	if (text && row->opt->kind == OPT_KIND_CALL && arg_need(row->opt) == ARG_NONE) {
		bool wanted;
		int st = set_flag(row->opt, text, &wanted, err);

		if (st != ST_OK) {
			return err_prefix(err, "Invalid %s '%s'", name, text);
		}
		if (!wanted) {
			return ST_OK;
		}
		text = NULL;
	}
	return set_row(row, opts, text, err);
}

int opt_set(const struct opt *table, void *opts, const char *name, const char *text,
	    struct err *err)
{
	GArray *rows = unfold_all(table);
	int st = set_by_name(rows, opts, name, text, err);

	g_array_free(rows, TRUE);
	return st;
}

int opt_read_file(const struct opt *table, void *opts, const char *path, const char *group,
		  struct err *err)
{
	GArray *rows = unfold_all(table);
	GKeyFile *file = g_key_file_new();
	GError *error = NULL;
	char **names = NULL;
	int st = ST_OK;

	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error)) {
		st = err_set(err, error->domain == G_FILE_ERROR ? ST_EIO : ST_EINVAL, "%s: %s",
			     path, error->message);
		goto done;
	}
	names = g_key_file_get_keys(file, group, NULL, &error);
	if (!names) {
		st = err_set(err, ST_EINVAL, "%s: %s", path, error->message);
		goto done;
	}
	for (size_t i = 0; names[i] && st == ST_OK; i++) {
		char *text = g_key_file_get_string(file, group, names[i], &error);

		if (!text) {
			st = err_set(err, ST_EINVAL, "%s: %s", path, error->message);
			goto done;
		}
		/* kept by the options struct */
		st = set_by_name(rows, opts, names[i], text, err);
		if (st != ST_OK) {
			g_free(text);
			err_prefix(err, "%s", path);
		}
	}
done:
	g_clear_error(&error);
	g_strfreev(names);
	g_key_file_free(file);
	g_array_free(rows, TRUE);
	return st;
}

void opt_walk(const struct opt *table, opt_walk_fn fn, void *arg)
{
	GArray *rows = unfold_all(table);

	for (guint i = 0; i < rows->len; i++) {
		const struct opt *opt = row_at(rows, i)->opt;

		if (!(opt->flags & OPT_HIDDEN)) {
			fn(arg, opt);
		}
	}
	g_array_free(rows, TRUE);
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
		[ARG_NONE] = "No Arg.",
		[ARG_OPTIONAL] = "Opt Arg.",
		[ARG_REQUIRED] = "Req Arg.",
	};
	GString *text = g_string_new(NULL);

	if (opt->letter) {
		g_string_append_printf(text, "-%c, ", opt->letter);
	}
	g_string_append_printf(text, "--%s", opt->name);
	if (opt->arg) {
		g_string_append_printf(text, arg_need(opt) == ARG_OPTIONAL ? "[=%s]" : "=%s",
				       opt->arg);
	}
	g_string_append_printf(text, " %s %c%s.", needs[arg_need(opt)],
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

void opt_help(const struct opt *table, FILE *out)
{
	opt_walk(table, print_help_row, out);
}

static void print_dump_row(void *arg, const struct opt *opt)
{
	FILE *out = arg;
	bool optional = arg_need(opt) == ARG_OPTIONAL;

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

static const char *check_row(const struct opt *opt)
{
	size_t help_len = opt->help ? strlen(opt->help) : 0;

	if (!opt->name[0] ||
	    strspn(opt->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(opt->name)) {
		return "name is not of lower-case letters, digits and hyphens";
	}
	if (help_len == 0 || opt->help[help_len - 1] == '.' || strpbrk(opt->help, "\t\n")) {
		return "help is missing, ends in a full stop or has more than one line";
	}
	if (g_ascii_isupper(opt->help[0]) && g_ascii_islower(opt->help[1])) {
		return "help starts with a capital";
	}
	if ((arg_need(opt) == ARG_NONE) != !opt->arg) {
		return "argument is named but not taken, or taken and not named";
	}
	if (opt->kind == OPT_KIND_CHOICE && (!opt->choices || !opt->choices[0])) {
		return "no choices";
	}
	if (opt->kind == OPT_KIND_CALL && !opt_is_builtin(opt) && !opt->parse) {
		return "no parse function";
	}
	if (opt->min > opt->max) {
		return "bounds are the wrong way round";
	}
	return NULL;
}

int opt_check(const struct opt *table, struct err *err)
{
	GArray *rows = unfold_all(table);
	int st = ST_OK;

	for (guint i = 0; i < rows->len && st == ST_OK; i++) {
		const struct opt *opt = row_at(rows, i)->opt;
		const char *fault = check_row(opt);

		if (!fault && opt_is_builtin(opt) && i >= G_N_ELEMENTS(builtin_table) - 1) {
			fault = "no parse function";
		}
		for (guint j = 0; j < i && !fault; j++) {
			const struct opt *other = row_at(rows, j)->opt;

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

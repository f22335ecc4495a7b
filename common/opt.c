/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading switches: from a command line, one by one, from a file. Tables have tens of rows, so
 * everything is a walk over the list of rows.
 */
#include "common/opt.h"

#include <string.h>
#include <glib.h>

#include "common/optrow.h"
#include "common/spelling.h"

/* A function may read the name that it is called for, so its rows are one switch by their flag only. */
static bool same_effect(const struct opt_row *a, const struct opt_row *b)
{
	bool by_name =
		a->opt->kind == OPT_KIND_CALL && !((a->opt->flags | b->opt->flags) & OPT_HIDDEN);

	return a->opt->kind == b->opt->kind && a->offset == b->offset &&
	       a->opt->parse == b->opt->parse && a->opt->tag == b->opt->tag && !by_name;
}

/* The state of one walk over a command line. */
struct parser {
	const struct opt *table;
	GArray *rows;
	guint fixed; /* of the rows; those behind come to be as switches are read */
	void *opts;
	int argc;
	char **argv;
	int next; /* index of the next argument */
	enum opt_action action;
	GPtrArray *switches; /* argv's strings, for putting argv into order */
	GPtrArray *args;
};

static int ambiguous_name(const char *dashes, const char *name, const GPtrArray *matches,
			  struct err *err)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < matches->len; i++) {
		const struct opt_row *row = g_ptr_array_index(matches, i);

		g_string_append_printf(text, " '%s%s'", dashes, row->opt->name);
	}
	err_set(err, ST_EINVAL, "option '%s%s' is ambiguous; possibilities:%s", dashes, name,
		text->str);
	g_string_free(text, TRUE);
	return ST_EINVAL;
}

/* The one row, or several aliases of one, that matches hold; NULL in *out when empty. */
static int choose_match(const char *dashes, const char *name, const GPtrArray *matches,
			struct opt_row **out, struct err *err)
{
	*out = matches->len > 0 ? g_ptr_array_index(matches, 0) : NULL;
	for (guint i = 1; i < matches->len; i++) {
		if (!same_effect(*out, g_ptr_array_index(matches, i))) {
			return ambiguous_name(dashes, name, matches, err);
		}
	}
	return ST_OK;
}

static bool is_help(const struct opt *opt)
{
	return opt_is_builtin(opt) && opt->tag == OPT_HELP;
}

/*
 * Find a row by an exact name of len bytes, or else by a prefix that fits one row or aliases of
 * one. Any prefix of "help" is as good as the name. *out NULL: none.
 */
static int find_long(const struct parser *p, const char *dashes, const char *name, size_t len,
		     struct opt_row **out, struct err *err)
{
	GPtrArray *matches = g_ptr_array_new();
	GPtrArray *added = g_ptr_array_new(); /* matches that give way to others */
	int st = ST_OK;

	*out = NULL;
	for (guint i = 0; i < p->rows->len; i++) {
		struct opt_row *row = opt_row_at(p->rows, i);

		if (strncmp(row->opt->name, name, len) != 0) {
			continue;
		}
		if (!row->opt->name[len] || (len > 0 && is_help(row->opt))) {
			*out = row;
			goto done;
		}
		if (opt_is_builtin(row->opt) && row->opt->flags & OPT_HIDDEN) {
			continue;
		}
		g_ptr_array_add(row->opt->flags & OPT_ADDED ? added : matches, row);
	}
	st = choose_match(dashes, name, matches->len > 0 ? matches : added, out, err);
done:
	g_ptr_array_free(matches, TRUE);
	g_ptr_array_free(added, TRUE);
	return st;
}

static struct opt_row *find_letter(const struct parser *p, char letter)
{
	for (guint i = 0; i < p->rows->len; i++) {
		struct opt_row *row = opt_row_at(p->rows, i);

		if (row->opt->letter == letter) {
			return row;
		}
	}
	return NULL;
}

/* A text given by one name is given by the others as well. */
static void mark_aliases(struct parser *p, const struct opt_row *row)
{
	for (guint i = 0; i < p->rows->len; i++) {
		struct opt_row *other = opt_row_at(p->rows, i);

		other->given |= other->offset == row->offset && other->opt->kind == OPT_KIND_STR &&
				row->opt->kind == OPT_KIND_STR;
	}
}

static int apply(struct parser *p, struct opt_row *row, const char *text, struct err *err)
{
	int st;

	if (opt_is_builtin(row->opt)) {
		p->action = (enum opt_action)row->opt->tag;
		return ST_OK;
	}
	st = opt_row_set(row, p->opts, text, err);
	if (st == ST_OK) {
		mark_aliases(p, row);
		g_array_set_size(p->rows, p->fixed);
		opt_rows_add_more(p->rows, p->table, p->opts);
	}
	return st;
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
	enum opt_arg_need need = opt_arg_need(row->opt);

	if (text && need == OPT_NEED_NONE) {
		return err_set(err, ST_EINVAL, "option '%s%s' doesn't allow an argument", dashes,
			       row->opt->name);
	}
	if (!text && need == OPT_NEED_REQUIRED) {
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
		enum opt_arg_need need;
		int st;

		if (!row) {
			return err_set(err, ST_EINVAL, "invalid option -- '%c'", *c);
		}
		need = opt_arg_need(row->opt);
		if (need != OPT_NEED_NONE && c[1]) {
			text = c + 1;
		} else if (need == OPT_NEED_REQUIRED) {
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

/* word is name as it was given, with dashes and argument. */
static int unrecognized(GArray *rows, const char *word, const char *name, struct err *err)
{
	struct spelling spelling = { .word = name, .len = strcspn(name, "=") };

	for (guint i = 0; i < rows->len; i++) {
		const struct opt *opt = opt_row_at(rows, i)->opt;

		if (!(opt->flags & OPT_HIDDEN)) {
			spelling_try(&spelling, opt->name);
		}
	}
	err_set(err, ST_EINVAL, "unrecognized option '%s'", word);
	spelling_suggest(&spelling, "--", err);
	return ST_EINVAL;
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
	return unrecognized(p->rows, word, name, err);
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

/* A table that is not sound is a mistake of its author, found at the first run. */
static void require_sound(const struct opt *table)
{
	struct err err;

	if (opt_check(table, &err) != ST_OK) {
		g_error("table of switches: %s", err.text);
	}
}

int opt_parse(const struct opt *table, void *opts, int argc, char **argv, struct opt_result *result,
	      struct err *err)
{
	struct parser p = {
		.table = table,
		.rows = opt_rows_new(table),
		.opts = opts,
		.argc = argc,
		.argv = argv,
		.next = 1,
		.action = OPT_RUN,
		.switches = g_ptr_array_new(),
		.args = g_ptr_array_new(),
	};
	int st;

	require_sound(table);
	p.fixed = p.rows->len;
	st = parse_words(&p, err);
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
		struct opt_row *row = opt_row_at(rows, i);

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
		return unrecognized(rows, name, name, err);
	}
	if (!text && opt_arg_need(row->opt) == OPT_NEED_REQUIRED) {
		return err_set(err, ST_EINVAL, "option '%s' requires an argument", name);
	}
	/* a call without argument: "true" in a file says no more than the name on a command line */
	if (text && row->opt->kind == OPT_KIND_CALL && opt_arg_need(row->opt) == OPT_NEED_NONE) {
		bool wanted = false;
		int st = opt_parse_bool(text, &wanted, err);

		if (st != ST_OK) {
			return err_prefix(err, "Invalid %s '%s'", name, text);
		}
		if (!wanted) {
			return ST_OK;
		}
		text = NULL;
	}
	return opt_row_set(row, opts, text, err);
}

int opt_set(const struct opt *table, void *opts, const char *name, const char *text,
	    struct err *err)
{
	GArray *rows = opt_rows_new(table);
	int st = set_by_name(rows, opts, name, text, err);

	g_array_free(rows, TRUE);
	return st;
}

/* May the member point to the text afterwards? */
static bool keeps_text(const struct opt *opt)
{
	return opt->kind == OPT_KIND_STR || opt->kind == OPT_KIND_STRS ||
	       opt->kind == OPT_KIND_OPTSTR || opt->kind == OPT_KIND_CALL;
}

int opt_read_file(const struct opt *table, void *opts, const char *path, const char *group,
		  struct err *err)
{
	GArray *rows = opt_rows_new(table);
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
		st = set_by_name(rows, opts, names[i], text, err);
		if (st != ST_OK || !keeps_text(find_exact(rows, names[i])->opt)) {
			g_free(text);
		}
		if (st != ST_OK) {
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

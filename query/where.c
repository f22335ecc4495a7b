/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grammar, and what becomes of and, or, not. */
#include "query/where.h"

#include <string.h>

#include "query/predicaterow.h"
#include "query/wherelex.h"
#include "query/whereleaf.h"

/* So deep may brackets and negations be nested. */
#define DEPTH_MAX 200

enum node_kind { NODE_TEST, NODE_AND, NODE_OR, NODE_NOT };

struct wherenode {
	enum node_kind kind;
	struct predicate *test; /* NODE_TEST */
	GPtrArray *parts;       /* struct wherenode, of the others */
};

struct parser {
	struct wherelex lex;
	const struct where_scope *scope;
	unsigned depth;
	GArray *extensions; /* struct ie_key, that the tests so far look at */
};

/* ---- nodes ---- */

static void node_free(void *pointer)
{
	struct wherenode *node = pointer;

	if (!node) {
		return;
	}
	if (node->test) {
		predicate_release(node->test);
		g_free(node->test);
	}
	if (node->parts) {
		g_ptr_array_unref(node->parts);
	}
	g_free(node);
}

static struct wherenode *node_new(enum node_kind kind)
{
	struct wherenode *node = g_new0(struct wherenode, 1);

	node->kind = kind;
	if (kind != NODE_TEST) {
		node->parts = g_ptr_array_new_with_free_func(node_free);
	}
	return node;
}

static const struct wherenode *part_at(const struct wherenode *node, guint i)
{
	return g_ptr_array_index(node->parts, i);
}

static uint32_t node_columns(const struct wherenode *node)
{
	uint32_t columns = 0;

	if (node->kind == NODE_TEST) {
		return node->test->columns;
	}
	for (guint i = 0; i < node->parts->len; i++) {
		columns |= node_columns(part_at(node, i));
	}
	return columns;
}

static bool node_extensions(const struct wherenode *node)
{
	bool any = node->kind == NODE_TEST && node->test->extensions;

	for (guint i = 0; node->parts && i < node->parts->len; i++) {
		any |= node_extensions(part_at(node, i));
	}
	return any;
}

/* ---- narrowing ---- */

static uint32_t narrow(const struct wherenode *node, const struct batch *batch, uint16_t *selection,
		       uint32_t count);

/* Keep of all what is not in some; both ascend, and some is part of all. */
static uint32_t subtract(uint16_t *all, uint32_t count, const uint16_t *some, uint32_t some_count)
{
	uint32_t kept = 0;
	uint32_t k = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (k < some_count && some[k] == all[i]) {
			k++;
		} else {
			all[kept++] = all[i];
		}
	}
	return kept;
}

static uint32_t narrow_not(const struct wherenode *node, const struct batch *batch,
			   uint16_t *selection, uint32_t count)
{
	uint16_t passed[BATCH_ROWS];
	uint32_t passed_count;

	memcpy(passed, selection, count * sizeof(*selection));
	passed_count = narrow(part_at(node, 0), batch, passed, count);
	return subtract(selection, count, passed, passed_count);
}

/* What passes a part is not asked the next one. */
static uint32_t narrow_or(const struct wherenode *node, const struct batch *batch,
			  uint16_t *selection, uint32_t count)
{
	uint16_t rest[BATCH_ROWS];
	uint16_t passed[BATCH_ROWS];
	uint32_t rest_count = count;

	memcpy(rest, selection, count * sizeof(*selection));
	for (guint i = 0; i < node->parts->len && rest_count > 0; i++) {
		uint32_t passed_count;

		memcpy(passed, rest, rest_count * sizeof(*rest));
		passed_count = narrow(part_at(node, i), batch, passed, rest_count);
		rest_count = subtract(rest, rest_count, passed, passed_count);
	}
	return subtract(selection, count, rest, rest_count);
}

static uint32_t narrow(const struct wherenode *node, const struct batch *batch, uint16_t *selection,
		       uint32_t count)
{
	if (node->kind == NODE_TEST) {
		return node->test->narrow(node->test, batch, selection, count);
	}
	if (node->kind == NODE_OR) {
		return narrow_or(node, batch, selection, count);
	}
	if (node->kind == NODE_NOT) {
		return narrow_not(node, batch, selection, count);
	}
	for (guint i = 0; i < node->parts->len && count > 0; i++) {
		count = narrow(part_at(node, i), batch, selection, count);
	}
	return count;
}

static uint32_t narrow_where(const struct predicate *test, const struct batch *batch,
			     uint16_t *selection, uint32_t count)
{
	return narrow(test->node, batch, selection, count);
}

/* ---- judging ---- */

static enum predicates_verdict judge(const struct wherenode *node, const struct summary *summary)
{
	enum predicates_verdict verdict;

	if (node->kind == NODE_TEST) {
		return node->test->judge(node->test, summary);
	}
	if (node->kind == NODE_NOT) {
		verdict = judge(part_at(node, 0), summary);
		return verdict == PREDICATES_SOME  ? PREDICATES_SOME
		       : verdict == PREDICATES_ALL ? PREDICATES_NONE
						   : PREDICATES_ALL;
	}
	verdict = node->kind == NODE_AND ? PREDICATES_ALL : PREDICATES_NONE;
	for (guint i = 0; i < node->parts->len; i++) {
		enum predicates_verdict one = judge(part_at(node, i), summary);

		verdict = node->kind == NODE_AND ? MIN(verdict, one) : MAX(verdict, one);
	}
	return verdict;
}

static enum predicates_verdict judge_where(const struct predicate *test,
					   const struct summary *summary)
{
	return judge(test->node, summary);
}

/* ---- grammar ---- */

static int parse_or(struct parser *parser, struct wherenode **out, struct err *err);

static int fail(const struct parser *parser, const char *at, struct err *err, const char *message)
{
	return wherelex_fail(&parser->lex, at, err, message);
}

static int step(struct parser *parser, struct err *err)
{
	return wherelex_next(&parser->lex, err);
}

/* Values with commas between them; *places: where each stands. */
static int parse_words(struct parser *parser, GPtrArray *words, GArray *places, struct err *err)
{
	for (;;) {
		int st;

		if (parser->lex.kind != WHERE_WORD && parser->lex.kind != WHERE_QUOTE) {
			return fail(parser, parser->lex.at, err, "a value is missing here");
		}
		g_ptr_array_add(words, g_strdup(parser->lex.word->str));
		g_array_append_val(places, parser->lex.at);
		st = step(parser, err);
		if (st != ST_OK || parser->lex.kind != WHERE_COMMA) {
			return st;
		}
		st = step(parser, err);
		if (st != ST_OK) {
			return st;
		}
	}
}

/* A list may stand in brackets. */
static int parse_list(struct parser *parser, GPtrArray *words, GArray *places, struct err *err)
{
	bool open = parser->lex.kind == WHERE_OPEN;
	int st = open ? step(parser, err) : ST_OK;

	if (st == ST_OK) {
		st = parse_words(parser, words, places, err);
	}
	if (st == ST_OK && open) {
		if (parser->lex.kind != WHERE_CLOSE) {
			return fail(parser, parser->lex.at, err, "the list is not closed");
		}
		st = step(parser, err);
	}
	return st;
}

static int parse_one(struct parser *parser, GPtrArray *words, GArray *places, struct err *err)
{
	if (parser->lex.kind != WHERE_WORD && parser->lex.kind != WHERE_QUOTE) {
		return fail(parser, parser->lex.at, err, "a value is missing here");
	}
	g_ptr_array_add(words, g_strdup(parser->lex.word->str));
	g_array_append_val(places, parser->lex.at);
	return step(parser, err);
}

/* Behind "in": a list, or where it is. */
static int parse_in(struct parser *parser, struct whereleaf_question *question, GPtrArray *words,
		    GArray *places, struct err *err)
{
	int st = step(parser, err);

	question->op = WHERELEAF_IN;
	if (st == ST_OK && wherelex_is(&parser->lex, "set")) {
		question->op = WHERELEAF_SET;
		st = step(parser, err);
		return st == ST_OK ? parse_one(parser, words, places, err) : st;
	}
	if (st == ST_OK && wherelex_is(&parser->lex, "map")) {
		question->op = WHERELEAF_MAP;
		st = step(parser, err);
		if (st == ST_OK) {
			st = parse_one(parser, words, places, err);
		}
	}
	return st == ST_OK ? parse_list(parser, words, places, err) : st;
}

static bool find_comparison(enum where_kind kind, struct whereleaf_question *question)
{
	static const struct {
		enum where_kind kind;
		enum whereleaf_op op;
		bool negated;
	} comparisons[] = {
		{ WHERE_EQUAL, WHERELEAF_IN, false },
		{ WHERE_UNEQUAL, WHERELEAF_IN, true },
		{ WHERE_LESS, WHERELEAF_LESS, false },
		{ WHERE_LESS_EQUAL, WHERELEAF_LESS_EQUAL, false },
		{ WHERE_GREATER, WHERELEAF_GREATER, false },
		{ WHERE_GREATER_EQUAL, WHERELEAF_GREATER_EQUAL, false },
		{ WHERE_MATCH, WHERELEAF_MATCH, false },
		{ WHERE_NO_MATCH, WHERELEAF_MATCH, true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(comparisons); i++) {
		if (comparisons[i].kind == kind) {
			question->op = comparisons[i].op;
			question->negated = comparisons[i].negated;
			return true;
		}
	}
	return false;
}

/* What follows the name of a field. */
static int parse_comparison(struct parser *parser, struct whereleaf_question *question,
			    GPtrArray *words, GArray *places, struct err *err)
{
	int st = ST_OK;

	if (wherelex_is(&parser->lex, "not")) {
		question->negated = true;
		st = step(parser, err);
		if (st == ST_OK && !wherelex_is(&parser->lex, "in")) {
			st = fail(parser, parser->lex.at, err, "'in' is expected behind 'not'");
		}
	}
	if (st != ST_OK) {
		return st;
	}
	if (wherelex_is(&parser->lex, "in")) {
		return parse_in(parser, question, words, places, err);
	}
	if (!find_comparison(parser->lex.kind, question)) {
		question->op = WHERELEAF_PRESENT;
		return ST_OK;
	}
	st = step(parser, err);
	return st == ST_OK ? parse_one(parser, words, places, err) : st;
}

static void want_extension(struct parser *parser, const struct field *field)
{
	const struct extfield_label_row *label =
		field->is_extension ? extfield_label_of(field) : NULL;
	const struct ie_key keys[] = {
		label ? label->own : (struct ie_key){ field->ie_pen, field->ie_id },
		label ? label->id : (struct ie_key){ 0, 0 },
	};

	for (size_t i = 0; field->is_extension && i < G_N_ELEMENTS(keys); i++) {
		if (keys[i].id) {
			g_array_append_val(parser->extensions, keys[i]);
		}
	}
}

static int make_test(struct parser *parser, struct whereleaf_question *question, const char *at,
		     GPtrArray *words, GArray *places, struct wherenode **out, struct err *err)
{
	struct predicate *test = NULL;
	size_t wrong = SIZE_MAX;
	struct err reason;
	int st;

	question->words = (char *const *)words->pdata;
	question->count = words->len;
	st = whereleaf_new(&test, question, parser->scope, &wrong, &reason);
	if (st != ST_OK) {
		if (wrong < places->len) {
			at = g_array_index(places, const char *, wrong);
		}
		fail(parser, at, err, reason.text);
		return st;
	}
	want_extension(parser, question->field);
	*out = node_new(NODE_TEST);
	(*out)->test = test;
	return ST_OK;
}

static int parse_test(struct parser *parser, struct wherenode **out, struct err *err)
{
	struct whereleaf_question question = { 0 };
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	GArray *places = g_array_new(FALSE, FALSE, sizeof(const char *));
	const char *at = parser->lex.at;
	struct err reason;
	int st;

	if (parser->lex.kind != WHERE_WORD && parser->lex.kind != WHERE_QUOTE) {
		st = fail(parser, at, err, "the name of a field is missing here");
		goto done;
	}
	question.field = extfields_find(parser->scope->ext, parser->lex.word->str, 0, &reason);
	if (!question.field) {
		st = fail(parser, at, err, reason.text);
		goto done;
	}
	st = step(parser, err);
	if (st == ST_OK) {
		st = parse_comparison(parser, &question, words, places, err);
	}
	if (st == ST_OK) {
		st = make_test(parser, &question, at, words, places, out, err);
	}
done:
	g_ptr_array_unref(words);
	g_array_unref(places);
	return st;
}

static bool is_not(const struct parser *parser)
{
	return parser->lex.kind == WHERE_NOT || wherelex_is(&parser->lex, "not");
}

static int parse_brackets(struct parser *parser, struct wherenode **out, struct err *err)
{
	const char *at = parser->lex.at;
	int st = step(parser, err);

	if (st == ST_OK) {
		st = parse_or(parser, out, err);
	}
	if (st == ST_OK && parser->lex.kind != WHERE_CLOSE) {
		st = fail(parser, at, err, "the bracket is not closed");
	}
	return st == ST_OK ? step(parser, err) : st;
}

static int parse_unary(struct parser *parser, struct wherenode **out, struct err *err)
{
	int st;

	if (!is_not(parser) && parser->lex.kind != WHERE_OPEN) {
		return parse_test(parser, out, err);
	}
	if (parser->depth == DEPTH_MAX) {
		return fail(parser, parser->lex.at, err, "this is nested too deeply");
	}
	parser->depth++;
	if (is_not(parser)) {
		struct wherenode *part = NULL;

		*out = node_new(NODE_NOT);
		st = step(parser, err);
		if (st == ST_OK) {
			st = parse_unary(parser, &part, err);
		}
		if (part) {
			g_ptr_array_add((*out)->parts, part);
		}
	} else {
		st = parse_brackets(parser, out, err);
	}
	parser->depth--;
	return st;
}

typedef int (*parse_fn)(struct parser *parser, struct wherenode **out, struct err *err);

/* PART {WORD PART}, one part is itself. On failure *out may be set, for node_free(). */
static int parse_chain(struct parser *parser, enum node_kind kind, enum where_kind sign,
		       const char *keyword, parse_fn parse, struct wherenode **out, struct err *err)
{
	struct wherenode *part = NULL;
	int st = parse(parser, out, err);

	while (st == ST_OK && (parser->lex.kind == sign || wherelex_is(&parser->lex, keyword))) {
		if ((*out)->kind != kind || part == NULL) {
			struct wherenode *chain = node_new(kind);

			g_ptr_array_add(chain->parts, *out);
			*out = chain;
		}
		part = NULL;
		st = step(parser, err);
		if (st == ST_OK) {
			st = parse(parser, &part, err);
		}
		if (part) {
			g_ptr_array_add((*out)->parts, part);
		}
	}
	return st;
}

static int parse_and(struct parser *parser, struct wherenode **out, struct err *err)
{
	return parse_chain(parser, NODE_AND, WHERE_AND, "and", parse_unary, out, err);
}

static int parse_or(struct parser *parser, struct wherenode **out, struct err *err)
{
	return parse_chain(parser, NODE_OR, WHERE_OR, "or", parse_and, out, err);
}

/* ---- tests ---- */

static void release_node(struct predicate *test)
{
	node_free(test->node);
}

/* What must all hold goes each for itself; node is taken. */
static void add_tests(struct predicates **tests, struct wherenode *node)
{
	static const struct predicate_row row = { .name = "where" };
	struct predicate *test;

	if (node->kind == NODE_TEST) {
		predicates_take(tests, node->test);
		node->test = NULL;
		node_free(node);
		return;
	}
	if (node->kind == NODE_AND) {
		g_ptr_array_set_free_func(node->parts, NULL);
		for (guint i = 0; i < node->parts->len; i++) {
			add_tests(tests, g_ptr_array_index(node->parts, i));
		}
		node_free(node);
		return;
	}
	test = predicates_append(tests, &row);
	test->node = node;
	test->narrow = narrow_where;
	test->judge = judge_where;
	test->release = release_node;
	test->cost = PREDICATE_COST_EXPR;
	test->columns = node_columns(node);
	test->extensions = node_extensions(node);
}

int where_compile(struct predicates **tests, const char *text, const struct where_scope *scope,
		  struct err *err)
{
	struct parser parser = { .scope = scope };
	struct wherenode *node = NULL;
	int st;

	wherelex_start(&parser.lex, text);
	parser.extensions = g_array_new(FALSE, FALSE, sizeof(struct ie_key));
	st = step(&parser, err);
	if (st == ST_OK) {
		st = parse_or(&parser, &node, err);
	}
	if (st == ST_OK && parser.lex.kind != WHERE_END) {
		st = fail(&parser, parser.lex.at, err, "'and', 'or' or the end is expected here");
	}
	if (st == ST_OK) {
		add_tests(tests, node);
		for (guint i = 0; i < parser.extensions->len; i++) {
			predicates_want_extension(
				*tests, g_array_index(parser.extensions, struct ie_key, i));
		}
	} else {
		node_free(node);
	}
	g_array_unref(parser.extensions);
	wherelex_release(&parser.lex);
	return st;
}

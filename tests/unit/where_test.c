/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Expressions: random ones against an evaluator that walks the same tree record by record, the
 * verdict on summaries, values of extension columns, and mistakes.
 */
#include "query/where.h"

#include <glib.h>
#include <string.h>

#include "common/timestamp.h"
#include "storage/summary.h"
#include "tests/unit/unit.h"

#define ROUNDS 3000

/* ---- random expressions ---- */

enum shape { SHAPE_LEAF, SHAPE_AND, SHAPE_OR, SHAPE_NOT };

struct tree {
	enum shape shape;
	struct tree *a, *b;
	int field; /* index of fields */
	int op;    /* index of ops */
	uint64_t value, value2;
};

static uint64_t get_sport(const struct record *rec)
{
	return rec->sport;
}
static uint64_t get_dport(const struct record *rec)
{
	return rec->dport;
}
static uint64_t get_protocol(const struct record *rec)
{
	return rec->protocol;
}
static uint64_t get_bytes(const struct record *rec)
{
	return rec->bytes;
}
static uint64_t get_in(const struct record *rec)
{
	return rec->input;
}
static uint64_t get_sip(const struct record *rec)
{
	return ip_to_v4(rec->sip);
}
static uint64_t get_start(const struct record *rec)
{
	return (uint64_t)(rec->start_ns / NS_PER_S);
}
static uint64_t get_duration(const struct record *rec)
{
	return rec->duration_ns / NS_PER_S;
}

#define START_S UINT64_C(1700000000)

static const struct {
	const char *name;
	uint64_t base, width;
	uint64_t (*get)(const struct record *rec);
	bool address;
} fields[] = {
	{ "sPort", 0, 6, get_sport, false },       { "dport", 0, 6, get_dport, false },
	{ "protocol", 0, 4, get_protocol, false }, { "bytes", 0, 9, get_bytes, false },
	{ "in", 65534, 4, get_in, false },         { "sip", 0x0a000000, 8, get_sip, true },
	{ "sTime", START_S, 7, get_start, false }, { "duration", 0, 5, get_duration, false },
};

static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=", "in", "not in" };

static struct tree *draw_tree(GRand *rng, unsigned depth)
{
	struct tree *tree = g_new0(struct tree, 1);
	int n = depth == 0 ? 0 : g_rand_int_range(rng, 0, 5);

	tree->shape = n < 2 ? SHAPE_LEAF : n == 2 ? SHAPE_AND : n == 3 ? SHAPE_OR : SHAPE_NOT;
	if (tree->shape == SHAPE_LEAF) {
		tree->field = g_rand_int_range(rng, 0, G_N_ELEMENTS(fields));
		tree->op = g_rand_int_range(rng, 0, G_N_ELEMENTS(ops));
		tree->value = fields[tree->field].base +
			      (uint64_t)g_rand_int_range(rng, 0, (int)fields[tree->field].width);
		tree->value2 = tree->value + (uint64_t)g_rand_int_range(rng, 0, 3); /* of lists */
		return tree;
	}
	tree->a = draw_tree(rng, depth - 1);
	tree->b = tree->shape == SHAPE_NOT ? NULL : draw_tree(rng, depth - 1);
	return tree;
}

static void free_tree(struct tree *tree)
{
	if (tree) {
		free_tree(tree->a);
		free_tree(tree->b);
		g_free(tree);
	}
}

static void write_value(GString *out, const struct tree *leaf, uint64_t value)
{
	char text[IP_TEXT_MAX];

	if (fields[leaf->field].address) {
		ip_print(text, ip_from_v4((uint32_t)value), false, IP_CANONICAL);
		g_string_append(out, text);
	} else {
		g_string_append_printf(out, "%" G_GUINT64_FORMAT, value);
	}
}

static void write_leaf(GString *out, const struct tree *leaf)
{
	g_string_append_printf(out, "%s %s ", fields[leaf->field].name, ops[leaf->op]);
	write_value(out, leaf, leaf->value);
	if (leaf->op < 6) {
		return;
	}
	/* a range, or a list */
	g_string_append(out, leaf->value2 % 2 ? "-" : ", ");
	write_value(out, leaf, leaf->value2);
}

static void write_tree(GString *out, GRand *rng, const struct tree *tree)
{
	static const char *const words[][3] = {
		[SHAPE_AND] = { " and ", " && ", " AND " },
		[SHAPE_OR] = { " or ", "||", " Or " },
	};

	if (tree->shape == SHAPE_LEAF) {
		write_leaf(out, tree);
		return;
	}
	g_string_append_c(out, '(');
	if (tree->shape == SHAPE_NOT) {
		g_string_append(out, g_rand_boolean(rng) ? "not " : "! ");
	}
	write_tree(out, rng, tree->a);
	if (tree->b) {
		g_string_append(out, words[tree->shape][g_rand_int_range(rng, 0, 3)]);
		write_tree(out, rng, tree->b);
	}
	g_string_append_c(out, ')');
}

static bool holds_leaf(const struct tree *leaf, const struct record *rec)
{
	uint64_t value = fields[leaf->field].get(rec);
	bool ranged = leaf->value2 % 2;
	bool in = ranged ? value >= leaf->value && value <= leaf->value2
			 : value == leaf->value || value == leaf->value2;

	switch (leaf->op) {
	case 0:
		return value == leaf->value;
	case 1:
		return value != leaf->value;
	case 2:
		return value < leaf->value;
	case 3:
		return value <= leaf->value;
	case 4:
		return value > leaf->value;
	case 5:
		return value >= leaf->value;
	default:
		return in == (leaf->op == 6);
	}
}

static bool holds(const struct tree *tree, const struct record *rec)
{
	switch (tree->shape) {
	case SHAPE_AND:
		return holds(tree->a, rec) && holds(tree->b, rec);
	case SHAPE_OR:
		return holds(tree->a, rec) || holds(tree->b, rec);
	case SHAPE_NOT:
		return !holds(tree->a, rec);
	default:
		return holds_leaf(tree, rec);
	}
}

static void draw_record(GRand *rng, struct record *rec)
{
	record_init(rec);
	rec->sport = (uint16_t)g_rand_int_range(rng, 0, 7);
	rec->dport = (uint16_t)g_rand_int_range(rng, 0, 7);
	rec->protocol = (uint8_t)g_rand_int_range(rng, 0, 5);
	rec->bytes = (uint64_t)g_rand_int_range(rng, 0, 10);
	rec->input = (uint32_t)(65533 + g_rand_int_range(rng, 0, 6));
	rec->sip = ip_from_v4(0x0a000000 + (uint32_t)g_rand_int_range(rng, 0, 9));
	rec->start_ns =
		(int64_t)(START_S * NS_PER_S) + g_rand_int_range(rng, 0, 8) * (int64_t)NS_PER_S;
	rec->duration_ns = (uint64_t)g_rand_int_range(rng, 0, 6) * NS_PER_S;
}

static struct predicates *compile(const char *text, struct extfields *ext)
{
	const struct where_scope scope = { .ext = ext };
	struct predicates *tests = NULL;
	struct err err;

	CU_ASSERT_EQUAL(where_compile(&tests, text, &scope, &err), ST_OK);
	CU_ASSERT_EQUAL(predicates_finish(tests, NULL), ST_OK);
	return tests;
}

/* The verdict on a summary of the records must not contradict what passes. */
static void check_verdict(const struct predicates *tests, const struct batch *all, uint32_t passed)
{
	struct summary summary;
	enum predicates_verdict verdict;

	summary_init(&summary);
	for (uint32_t row = 0; row < all->rows; row++) {
		struct record rec;

		batch_get(all, row, &rec);
		summary_add_record(&summary, &rec);
	}
	verdict = predicates_judge(tests, &summary);
	CU_ASSERT(verdict != PREDICATES_NONE || passed == 0);
	CU_ASSERT(verdict != PREDICATES_ALL || passed == all->rows);
}

static void test_random(void)
{
	GRand *rng = g_rand_new_with_seed(20);
	struct extfields *ext = extfields_new();
	struct batch *batch = batch_new();

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct tree *tree = draw_tree(rng, round % 5);
		GString *text = g_string_new(NULL);
		struct record recs[24];
		struct predicates *tests;
		uint32_t passed = 0;
		uint32_t wrong = 0;

		write_tree(text, rng, tree);
		unit_at("%s", text->str);
		tests = compile(text->str, ext);
		batch_clear(batch, COLUMNS_ALL);
		for (size_t i = 0; i < G_N_ELEMENTS(recs); i++) {
			draw_record(rng, &recs[i]);
			batch_append(batch, &recs[i]);
		}
		predicates_narrow(tests, batch);
		for (uint32_t i = 0; i < G_N_ELEMENTS(recs); i++) {
			bool found = passed < batch->selected && batch->selection[passed] == i;

			passed += found;
			wrong += found != holds(tree, &recs[i]);
		}
		UNIT_ASSERT_U64(wrong, 0);
		batch_select_all(batch);
		check_verdict(tests, batch, passed);
		predicates_free(tests);
		g_string_free(text, TRUE);
		free_tree(tree);
	}
	batch_free(batch);
	extfields_free(ext);
	g_rand_free(rng);
}

/* ---- extension columns ---- */

static void test_extensions(void)
{
	static const struct {
		const char *text;
		bool passes;
	} cases[] = {
		{ "userName = 'root'", true },
		{ "userName != root", false },
		{ "userName ~ '^ro+t$'", true },
		{ "userName !~ 'oo'", false },
		{ "userName in (x, root)", true },
		{ "userName < 's'", true },
		{ "userName >= 's'", false },
		{ "userName", true },
		{ "samplingPacketInterval = 100", true },
		{ "samplingPacketInterval in 5-99", false },
		{ "samplingPacketInterval > 99.5", true },
		{ "samplingPacketInterval <= 100", true },
		{ "samplingPacketInterval not in 100-", false },
		{ "ie305 = 100 and sport = 0", true },
		{ "postNATSourceIPv4Address in 10.0.0.0/8", true },
		{ "postNATSourceIPv4Address = 10.0.0.2", false },
		{ "postNATSourceIPv4Address > 9.0.0.0/8", true },
		/* what is not there passes no comparison, whatever it says */
		{ "sourceMacAddress = '00:00:00:00:00:00'", false },
		{ "sourceMacAddress != '00:00:00:00:00:00'", false },
		{ "not sourceMacAddress = '00:00:00:00:00:00'", true },
		{ "not sourceMacAddress", true },
	};
	struct batch *batch = batch_new();
	struct batch_extension *column;
	struct record rec;

	record_init(&rec);
	batch_want(batch, (struct ie_key){ 0, 305 });
	batch_want(batch, (struct ie_key){ 0, 371 });
	batch_want(batch, (struct ie_key){ 0, 225 });
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct extfields *ext = extfields_new();
		struct predicates *tests;

		batch_clear(batch, COLUMNS_ALL);
		batch_append(batch, &rec);
		for (size_t n = 0; n < 3; n++) {
			column = batch_extension(batch, n);
			column->any = true;
			column->present[0] = 1;
		}
		batch_extension(batch, 0)->type = IE_UNSIGNED32;
		batch_extension(batch, 0)->numbers[0] = 100;
		batch_extension(batch, 1)->type = IE_STRING;
		batch_extension(batch, 1)->strings[0] =
			(struct batch_bytes){ (const uint8_t *)"root", 4 };
		batch_extension(batch, 2)->type = IE_IPV4_ADDRESS;
		batch_extension(batch, 2)->addresses[0] = ip_from_v4(0x0a000001);
		unit_at("%s", cases[i].text);
		tests = compile(cases[i].text, ext);
		predicates_narrow(tests, batch);
		UNIT_ASSERT_U64(batch->selected, cases[i].passes);
		predicates_free(tests);
		extfields_free(ext);
	}
	batch_free(batch);
}

/* ---- mistakes ---- */

static void test_mistakes(void)
{
	static const struct {
		const char *text;
		const char *message;
		size_t caret; /* column of the caret, behind the indent */
	} cases[] = {
		{ "", "the name of a field is missing here", 0 },
		{ "sport = 53 and", "the name of a field is missing here", 14 },
		{ "sport == ", "a value is missing here", 9 },
		{ "sport = 70000", "Value is above maximum of 65535", 8 },
		{ "sport in 1, 2, x", "Unexpected character 'x'", 15 },
		{ "sport in (1, 2", "the list is not closed", 14 },
		{ "dip = 1 and sprt = 5",
		  "No match was found for the field 'sprt'; did you mean 'sPort'?", 12 },
		{ "(sport = 5", "the bracket is not closed", 0 },
		{ "sport = 5)", "'and', 'or' or the end is expected here", 9 },
		{ "sip = 'x", "the quote is not closed", 6 },
		{ "flags < 5", "values of 'flags' have no order: use = != in ~", 0 },
		{ "sport not 5", "'in' is expected behind 'not'", 10 },
		{ "sport in set /nonexistent", NULL, 13 },
		{ "sport ~ '('", NULL, 8 },
		{ "bytes", "what is asked of 'bytes'? = != < > in ~ are known", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct extfields *ext = extfields_new();
		const struct where_scope scope = { .ext = ext };
		struct predicates *tests = NULL;
		char **lines;
		struct err err;

		unit_at("%s", cases[i].text);
		CU_ASSERT_NOT_EQUAL_FATAL(where_compile(&tests, cases[i].text, &scope, &err),
					  ST_OK);
		lines = g_strsplit(err.text, "\n", -1);
		CU_ASSERT_EQUAL_FATAL(g_strv_length(lines), 3);
		if (cases[i].message) {
			UNIT_ASSERT_STR(lines[0], cases[i].message);
			UNIT_ASSERT_U64(strlen(lines[2]), 3 + cases[i].caret);
		}
		CU_ASSERT_PTR_NULL(tests);
		g_strfreev(lines);
		extfields_free(ext);
	}
}

/* A long expression is shown around the place only. */
static void test_long(void)
{
	GString *text = g_string_new("sport = 1");
	struct extfields *ext = extfields_new();
	const struct where_scope scope = { .ext = ext };
	struct predicates *tests = NULL;
	struct err err;

	for (unsigned i = 0; i < 500; i++) {
		g_string_append(text, " and sport = 1");
	}
	CU_ASSERT_EQUAL(where_compile(&tests, text->str, &scope, &err), ST_OK);
	UNIT_ASSERT_U64(predicates_count(tests), 501);
	predicates_free(tests);
	tests = NULL;
	g_string_append(text, " and x = 1 and sport = 1 and sport = 1 and sport = 1");
	CU_ASSERT_EQUAL(where_compile(&tests, text->str, &scope, &err), ST_EINVAL);
	CU_ASSERT(strlen(err.text) < 300);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, " and x = 1"));
	g_string_truncate(text, 0);
	for (unsigned i = 0; i < 5000; i++) {
		g_string_append(text, "(");
	}
	CU_ASSERT_EQUAL(where_compile(&tests, text->str, &scope, &err), ST_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nested too deeply"));
	g_string_free(text, TRUE);
	extfields_free(ext);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "random expressions", test_random },
		{ "extension columns", test_extensions },
		{ "mistakes", test_mistakes },
		{ "long and deep ones", test_long },
		{ NULL, NULL },
	};

	return unit_run("where", cases);
}

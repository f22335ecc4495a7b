/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/whereleaf.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "common/extvalue.h"
#include "common/text.h"
#include "query/flowrate.h"
#include "query/maptest.h"
#include "query/whereext.h"
#include "query/wherevalue.h"

/* A test that looks at the value of each row. */
struct wherevalue {
	const struct field *field;
	struct field_context ctx;
	const struct extfield_label_row *label; /* it is looked up; NULL: not so */
	bool negated;
	bool (*passes)(const struct wherevalue *test, const struct value *value,
		       pcre2_match_data *match);
	GArray *ranges;
	struct ipset *set;
	struct whereext *ext;
	pcre2_code *code;
};

/* The attributes among the bits of the state. */
#define ATTRIBUTES (RECORD_FIN_FOLLOWED | RECORD_UNIFORM | RECORD_TIMEOUT | RECORD_CONTINUED)

/* ---- looking at values ---- */

static const struct batch_extension *find_extension(const struct batch *batch, struct ie_key key)
{
	for (size_t i = 0; i < batch_extension_count(batch); i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		if (column->key.pen == key.pen && column->key.id == key.id) {
			return column->any ? column : NULL;
		}
	}
	return NULL;
}

/* The columns of the batch that a field outside of the field table is loaded from. */
struct outside {
	const struct batch_extension *column;
	const struct batch_extension *id; /* of a label */
};

static struct outside find_outside(const struct wherevalue *test, const struct batch *batch)
{
	const struct field *field = test->field;

	if (!field->is_extension) {
		return (struct outside){ NULL, NULL };
	}
	if (test->label) {
		return (struct outside){ find_extension(batch, test->label->own),
					 find_extension(batch, test->label->id) };
	}
	return (struct outside){
		find_extension(batch, (struct ie_key){ field->ie_pen, field->ie_id }), NULL
	};
}

/* false: there is none. */
static bool load(const struct wherevalue *test, const struct batch *batch,
		 const struct outside *outside, uint32_t row, struct value *out)
{
	const struct batch_extension *column = outside->column;

	if (test->label) {
		extfield_load_label(test->field, batch, row, outside->id, column, out);
		return !out->blank;
	}
	if (test->field->is_extension) {
		if (!column || !column->present[row]) {
			return false;
		}
		*out = extvalue_load(column, row);
		return true;
	}
	field_load(test->field, batch, row, &test->ctx, out);
	return !out->blank;
}

static uint32_t narrow_value(const struct predicate *predicate, const struct batch *batch,
			     uint16_t *selection, uint32_t count)
{
	const struct wherevalue *test = predicate->value;
	const struct outside outside = find_outside(test, batch);
	pcre2_match_data *match =
		test->code ? pcre2_match_data_create_from_pattern(test->code, NULL) : NULL;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t row = selection[i];
		struct value value;

		selection[kept] = row;
		if (load(test, batch, &outside, row, &value)) {
			kept += test->passes(test, &value, match) != test->negated;
		}
	}
	pcre2_match_data_free(match);
	return kept;
}

static bool is_in_ranges(const struct wherevalue *test, const struct value *value,
			 pcre2_match_data *match)
{
	return wherevalue_has(test->ranges, wherevalue_number(test->field, value));
}

static bool is_in_set(const struct wherevalue *test, const struct value *value,
		      pcre2_match_data *match)
{
	return ipset_contains(test->set, value->ip);
}

static bool is_in_extension(const struct wherevalue *test, const struct value *value,
			    pcre2_match_data *match)
{
	return whereext_has(test->ext, value, test->field);
}

static bool is_address_in_set(const struct wherevalue *test, const struct value *value,
			      pcre2_match_data *match)
{
	return (value->ie_type == IE_IPV4_ADDRESS || value->ie_type == IE_IPV6_ADDRESS) &&
	       ipset_contains(test->set, value->ip);
}

static bool is_there(const struct wherevalue *test, const struct value *value,
		     pcre2_match_data *match)
{
	return true;
}

/* Texts as they are, other values as they are printed. */
static bool matches(const struct wherevalue *test, const struct value *value,
		    pcre2_match_data *match)
{
	char text[TEXT_CELL_MAX];
	const char *subject = text;
	size_t len;

	if (test->field->is_extension && value->ie_type == IE_STRING) {
		subject = (const char *)value->bytes.bytes;
		len = value->bytes.len;
	} else {
		len = test->field->kind->print(text, value, test->field, &test->ctx);
	}
	return pcre2_match(test->code, (PCRE2_SPTR)subject, len, 0, 0, match, NULL) >= 0;
}

static void release_value(struct predicate *predicate)
{
	struct wherevalue *test = predicate->value;

	if (test->ranges) {
		g_array_unref(test->ranges);
	}
	ipset_free(test->set);
	whereext_free(test->ext);
	pcre2_code_free(test->code);
	g_free(test);
}

static struct wherevalue *set_value(struct predicate *test,
				    const struct whereleaf_question *question,
				    const struct where_scope *scope)
{
	struct wherevalue *value = g_new0(struct wherevalue, 1);

	value->field = question->field;
	value->label = question->field->is_extension ? extfield_label_of(question->field) : NULL;
	value->ctx.site = scope->site;
	value->negated = question->negated;
	test->value = value;
	test->narrow = narrow_value;
	test->release = release_value;
	test->cost = PREDICATE_COST_EXPR;
	test->columns = question->field->columns;
	/* a label may come from the usual columns alone */
	test->extensions = question->field->is_extension && (!value->label || value->label->id.id);
	return value;
}

/* ---- fields with loops of their own ---- */

enum direct_form {
	DIRECT_ADDRESS,
	DIRECT_BYTE,
	DIRECT_U16,
	DIRECT_U64,
	DIRECT_START,
	DIRECT_END,
};

static const struct direct {
	const char *name;
	enum direct_form form;
	enum column column;
	enum column other;
	uint8_t mask; /* of DIRECT_BYTE: bits that count */
} directs[] = {
	{ "sIP", DIRECT_ADDRESS, COLUMN_SIP, COLUMN_SIP, 0 },
	{ "dIP", DIRECT_ADDRESS, COLUMN_DIP, COLUMN_DIP, 0 },
	{ "nhIP", DIRECT_ADDRESS, COLUMN_NHIP, COLUMN_NHIP, 0 },
	{ "protocol", DIRECT_BYTE, COLUMN_PROTOCOL, COLUMN_PROTOCOL, 0xff },
	{ "flags", DIRECT_BYTE, COLUMN_FLAGS, COLUMN_FLAGS, 0xff },
	{ "initialFlags", DIRECT_BYTE, COLUMN_INITIAL_FLAGS, COLUMN_INITIAL_FLAGS, 0xff },
	{ "sessionFlags", DIRECT_BYTE, COLUMN_SESSION_FLAGS, COLUMN_SESSION_FLAGS, 0xff },
	{ "attributes", DIRECT_BYTE, COLUMN_STATE, COLUMN_STATE, ATTRIBUTES },
	{ "class", DIRECT_BYTE, COLUMN_FLOWTYPE, COLUMN_FLOWTYPE, 0xff },
	{ "type", DIRECT_BYTE, COLUMN_FLOWTYPE, COLUMN_FLOWTYPE, 0xff },
	{ "sPort", DIRECT_U16, COLUMN_SPORT, COLUMN_SPORT, 0 },
	{ "dPort", DIRECT_U16, COLUMN_DPORT, COLUMN_DPORT, 0 },
	{ "application", DIRECT_U16, COLUMN_APPLICATION, COLUMN_APPLICATION, 0 },
	{ "sensor", DIRECT_U16, COLUMN_SENSOR, COLUMN_SENSOR, 0 },
	{ "packets", DIRECT_U64, COLUMN_PACKETS, COLUMN_PACKETS, 0 },
	{ "bytes", DIRECT_U64, COLUMN_BYTES, COLUMN_BYTES, 0 },
	{ "duration", DIRECT_U64, COLUMN_DURATION, COLUMN_DURATION, 0 },
	{ "sTime", DIRECT_START, COLUMN_START, COLUMN_START, 0 },
	{ "eTime", DIRECT_END, COLUMN_START, COLUMN_DURATION, 0 },
};

static const struct direct *find_direct(const struct field *field)
{
	for (size_t i = 0; !field->load_made && i < G_N_ELEMENTS(directs); i++) {
		if (strcmp(directs[i].name, field->name) == 0) {
			return &directs[i];
		}
	}
	return NULL;
}

static void set_row(struct predicate *test, const struct direct *direct, bool negated)
{
	test->own_row.column = direct->column;
	test->own_row.other = direct->other;
	test->own_row.flags = negated ? PREDICATE_NEGATED : 0;
	test->columns = COLUMN_BIT(direct->column) | COLUMN_BIT(direct->other);
}

static void set_bytes(struct predicate *test, const struct direct *direct, const GArray *ranges)
{
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		test->pass[i] = wherevalue_has(ranges, i & direct->mask);
	}
	test->narrow = predicate_narrow_byte;
	test->cost = PREDICATE_COST_BYTE;
}

static void set_u16(struct predicate *test, const GArray *ranges)
{
	test->numset = g_new0(struct numset, 1);
	for (uint32_t i = 0; i <= UINT16_MAX; i++) {
		if (wherevalue_has(ranges, i)) {
			numset_add(test->numset, (uint16_t)i);
		}
	}
	test->narrow = predicate_narrow_u16;
	test->cost = PREDICATE_COST_NUMSET;
}

/* Those that take one range only. */
static void set_range(struct predicate *test, const struct direct *direct,
		      const struct number_range *range)
{
	const uint64_t sign = UINT64_C(1) << 63;

	test->cost = PREDICATE_COST_RANGE;
	if (direct->form == DIRECT_U64) {
		test->range = *range;
		test->narrow = predicate_narrow_u64;
		return;
	}
	test->first_ns = (int64_t)(range->first ^ sign);
	test->last_ns = (int64_t)(range->last ^ sign);
	test->narrow = direct->form == DIRECT_START ? predicate_narrow_start : predicate_narrow_end;
}

/* false: there is no loop for these ranges. */
static bool set_direct(struct predicate *test, const struct direct *direct, const GArray *ranges)
{
	if (!direct || (direct->form >= DIRECT_U64 && ranges->len != 1)) {
		return false;
	}
	set_row(test, direct, false);
	if (direct->form == DIRECT_BYTE) {
		set_bytes(test, direct, ranges);
	} else if (direct->form == DIRECT_U16) {
		set_u16(test, ranges);
	} else {
		set_range(test, direct, &g_array_index(ranges, struct number_range, 0));
	}
	return true;
}

/* ---- comparisons ---- */

/* All that is below, or above, the values of the ranges. */
static void cut_ranges(GArray *ranges, enum whereleaf_op op, uint64_t max)
{
	const struct number_range all = {
		g_array_index(ranges, struct number_range, 0).first,
		g_array_index(ranges, struct number_range, ranges->len - 1).last
	};
	struct number_range out = { 0, max };
	bool none = false;

	switch (op) {
	case WHERELEAF_LESS:
		none = all.first == 0;
		out.last = all.first - 1;
		break;
	case WHERELEAF_LESS_EQUAL:
		out.last = all.last;
		break;
	case WHERELEAF_GREATER:
		none = all.last >= max;
		out.first = all.last + 1;
		break;
	case WHERELEAF_GREATER_EQUAL:
		out.first = all.first;
		break;
	default:
		return;
	}
	g_array_set_size(ranges, 0);
	if (!none) {
		g_array_append_val(ranges, out);
	}
}

static bool has_order(const struct field *field)
{
	static const char *const ordered[] = { "number", "icmp", "rate", "time", "duration" };

	for (size_t i = 0; i < G_N_ELEMENTS(ordered); i++) {
		if (strcmp(field->kind->name, ordered[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int make_ranges(struct predicate *test, const struct whereleaf_question *question,
		       const struct where_scope *scope, size_t *wrong, struct err *err)
{
	const struct field *field = question->field;
	GArray *ranges = wherevalue_ranges_new();
	int st = ST_OK;

	if (question->op != WHERELEAF_IN && !has_order(field)) {
		st = err_set(err, ST_EINVAL, "values of '%s' have no order: use = != in ~",
			     field->name);
	}
	for (size_t i = 0; st == ST_OK && i < question->count; i++) {
		*wrong = i;
		st = wherevalue_parse(ranges, field, scope->site, question->words[i], err);
	}
	if (st != ST_OK) {
		g_array_unref(ranges);
		return st;
	}
	wherevalue_join(ranges);
	cut_ranges(ranges, question->op, wherevalue_max(field));
	if (find_direct(field) && question->negated) {
		GArray *others = wherevalue_complement(ranges, wherevalue_max(field));

		g_array_unref(ranges);
		ranges = others;
	}
	if (set_direct(test, find_direct(field), ranges)) {
		g_array_unref(ranges);
	} else {
		struct wherevalue *value = set_value(test, question, scope);

		value->negated = question->negated && !find_direct(field);
		value->ranges = ranges;
		value->passes = is_in_ranges;
	}
	return ST_OK;
}

/* ---- addresses ---- */

/* The set is taken. */
static void set_addresses(struct predicate *test, const struct whereleaf_question *question,
			  const struct where_scope *scope, struct ipset *set)
{
	const struct direct *direct = find_direct(question->field);
	struct wherevalue *value;

	if (!direct) {
		value = set_value(test, question, scope);
		value->set = set;
		value->passes = question->field->is_extension ? is_address_in_set : is_in_set;
		return;
	}
	set_row(test, direct, question->negated);
	if (ipset_ranges(set) == 1) {
		test->block = ipset_range(set, 0);
		test->narrow = predicate_narrow_block;
		test->cost = PREDICATE_COST_BLOCK;
		ipset_free(set);
	} else {
		test->ipset = set;
		test->narrow = predicate_narrow_ipset;
		test->cost = PREDICATE_COST_IPSET;
	}
}

static void add_half(struct ipset *set, enum whereleaf_op op, const struct cidr *block)
{
	const struct ip last = { UINT64_MAX, UINT64_MAX };
	const struct ip first = { 0, 0 };
	struct ip from = first;
	struct ip to = last;

	switch (op) {
	case WHERELEAF_LESS:
		if (ip_compare(block->first, first) == 0) {
			return;
		}
		to = ip_prev(block->first);
		break;
	case WHERELEAF_LESS_EQUAL:
		to = block->last;
		break;
	case WHERELEAF_GREATER:
		if (ip_compare(block->last, last) == 0) {
			return;
		}
		from = ip_next(block->last);
		break;
	case WHERELEAF_GREATER_EQUAL:
		from = block->first;
		break;
	default:
		from = block->first;
		to = block->last;
		break;
	}
	ipset_add_range(set, from, to);
}

static bool set_wildcard(struct predicate *test, const struct whereleaf_question *question)
{
	const struct direct *direct = find_direct(question->field);
	struct wildcard *wildcard;

	if (!direct || question->count != 1 || question->op != WHERELEAF_IN) {
		return false;
	}
	wildcard = g_new(struct wildcard, 1);
	if (wildcard_parse(question->words[0], wildcard, NULL) != ST_OK) {
		g_free(wildcard);
		return false;
	}
	set_row(test, direct, question->negated);
	test->wildcard = wildcard;
	test->narrow = predicate_narrow_wildcard;
	test->cost = PREDICATE_COST_WILDCARD;
	return true;
}

static int make_addresses(struct predicate *test, const struct whereleaf_question *question,
			  const struct where_scope *scope, size_t *wrong, struct err *err)
{
	struct ipset *set = ipset_new();
	int st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < question->count; i++) {
		struct cidr block;

		*wrong = i;
		st = cidr_parse_range(question->words[i], &block, err);
		if (st == ST_OK) {
			add_half(set, question->op, &block);
		}
	}
	if (st != ST_OK) {
		ipset_free(set);
		return set_wildcard(test, question) ? ST_OK : st;
	}
	ipset_finish(set);
	set_addresses(test, question, scope, set);
	return ST_OK;
}

static bool is_address(const struct field *field)
{
	return strcmp(field->kind->name, "ip") == 0;
}

static int make_set(struct predicate *test, const struct whereleaf_question *question,
		    const struct where_scope *scope, size_t *wrong, struct err *err)
{
	struct ipset *set = NULL;
	int st;

	if (!is_address(question->field) && !question->field->is_extension) {
		return err_set(err, ST_EINVAL, "'%s' is no address", question->field->name);
	}
	*wrong = 0;
	st = ipset_read(&set, question->words[0], NULL, err);
	if (st == ST_OK) {
		set_addresses(test, question, scope, set);
	}
	return st;
}

/* ---- maps ---- */

static int set_map(struct predicate *test, const struct whereleaf_question *question,
		   const struct where_scope *scope, const struct pmap *pmap, GHashTable *values,
		   struct err *err)
{
	const struct direct *direct = find_direct(question->field);
	bool ports = pmap_kind(pmap) == PMAP_PROTO_PORT;
	struct ipset *set;

	if (ports && direct && (direct->column == COLUMN_SPORT || direct->column == COLUMN_DPORT)) {
		set_row(test, direct, false);
		predicate_set_ports(test, predicate_map_ports(pmap, values));
		test->own_row.flags = question->negated ? PREDICATE_NEGATED : 0;
		return ST_OK;
	}
	if (ports || (!is_address(question->field) && !question->field->is_extension)) {
		return err_set(err, ST_EINVAL, "the map is of %s, '%s' is not",
			       ports ? "ports" : "addresses", question->field->name);
	}
	set = predicate_map_addresses(pmap, values);
	ipset_finish(set);
	set_addresses(test, question, scope, set);
	return ST_OK;
}

static int make_map(struct predicate *test, const struct whereleaf_question *question,
		    const struct where_scope *scope, size_t *wrong, struct err *err)
{
	GHashTable *values = g_hash_table_new(NULL, NULL);
	struct pmap *pmap = NULL;
	int st;

	*wrong = 0;
	st = pmap_read(&pmap, question->words[0], NULL, err);
	for (size_t i = 1; st == ST_OK && i < question->count; i++) {
		uint32_t value;

		*wrong = i;
		if (maptest_find_value(pmap, question->words[i], &value)) {
			g_hash_table_add(values, GUINT_TO_POINTER(value));
		} else {
			st = err_set(err, ST_EINVAL, "the prefix map has no label '%s'",
				     question->words[i]);
		}
	}
	if (st == ST_OK) {
		*wrong = SIZE_MAX;
		st = set_map(test, question, scope, pmap, values, err);
	}
	pmap_free(pmap);
	g_hash_table_unref(values);
	return st;
}

/* ---- texts and extension columns ---- */

static int make_match(struct predicate *test, const struct whereleaf_question *question,
		      const struct where_scope *scope, size_t *wrong, struct err *err)
{
	const char *pattern = question->words[0];
	PCRE2_SIZE offset = 0;
	int number = 0;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
					 PCRE2_NEVER_BACKSLASH_C, &number, &offset, NULL);
	struct wherevalue *value;

	*wrong = 0;
	if (!code) {
		char reason[128];

		pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof(reason));
		return err_set(err, ST_EINVAL, "regular expression, at character %zu: %s",
			       (size_t)offset + 1, reason);
	}
	/* without it, matching is slower */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	value = set_value(test, question, scope);
	value->code = code;
	value->passes = matches;
	return ST_OK;
}

static int make_present(struct predicate *test, const struct whereleaf_question *question,
			const struct where_scope *scope, struct err *err)
{
	if (!question->field->is_extension && strcmp(question->field->kind->name, "icmp") != 0) {
		return err_set(err, ST_EINVAL, "what is asked of '%s'? = != < > in ~ are known",
			       question->field->name);
	}
	set_value(test, question, scope)->passes = is_there;
	return ST_OK;
}

static int make_extension(struct predicate *test, const struct whereleaf_question *question,
			  const struct where_scope *scope, size_t *wrong, struct err *err)
{
	struct wherevalue *value;

	for (size_t i = 0; i < question->count; i++) {
		if (!whereext_fits(question->field, question->words[i])) {
			*wrong = i;
			return err_set(err, ST_EINVAL, "'%s' is not a number", question->words[i]);
		}
	}
	value = set_value(test, question, scope);
	value->ext = whereext_new();
	value->passes = is_in_extension;
	for (size_t i = 0; i < question->count; i++) {
		bool below = question->op == WHERELEAF_LESS || question->op == WHERELEAF_LESS_EQUAL;
		bool or_equal = question->op == WHERELEAF_LESS_EQUAL ||
				question->op == WHERELEAF_GREATER_EQUAL;

		if (question->op == WHERELEAF_IN) {
			whereext_add(value->ext, question->words[i]);
		} else {
			whereext_add_half(value->ext, question->words[i], below, or_equal);
		}
	}
	return ST_OK;
}

/* ---- all ---- */

static int make(struct predicate *test, const struct whereleaf_question *question,
		const struct where_scope *scope, size_t *wrong, struct err *err)
{
	if (question->field->flags & FIELD_PAIR) {
		return err_set(err, ST_EINVAL, "'%s' is two fields, iType and iCode",
			       question->field->name);
	}
	switch (question->op) {
	case WHERELEAF_MATCH:
		return make_match(test, question, scope, wrong, err);
	case WHERELEAF_PRESENT:
		return make_present(test, question, scope, err);
	case WHERELEAF_SET:
		return make_set(test, question, scope, wrong, err);
	case WHERELEAF_MAP:
		return make_map(test, question, scope, wrong, err);
	default:
		break;
	}
	if (question->field->is_extension) {
		return make_extension(test, question, scope, wrong, err);
	}
	return is_address(question->field) ? make_addresses(test, question, scope, wrong, err)
					   : make_ranges(test, question, scope, wrong, err);
}

int whereleaf_new(struct predicate **out, const struct whereleaf_question *question,
		  const struct where_scope *scope, size_t *wrong, struct err *err)
{
	struct predicate *test = g_new0(struct predicate, 1);
	int st;

	test->row = &test->own_row;
	test->own_row.name = "where";
	test->zero_ns = FLOWRATE_ZERO_NS;
	st = make(test, question, scope, wrong, err);
	if (st != ST_OK) {
		g_free(test);
		return st;
	}
	predicate_prepare(test);
	*out = test;
	return ST_OK;
}

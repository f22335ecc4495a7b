/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/wherevalue.h"

#include <float.h>
#include <string.h>

#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "query/flowfield.h"
#include "query/mapfield.h"
#include "query/maptest.h"
#include "query/predicaterow.h"
#include "storage/country.h"

#define SIGN (UINT64_C(1) << 63)

/* What a word is parsed for. */
struct target {
	GArray *ranges;
	const struct field *field;
	const struct site *site;
};

static void add(const struct target *target, uint64_t first, uint64_t last)
{
	const struct number_range range = { first, last };

	g_array_append_val(target->ranges, range);
}

static bool is_number(const char *word)
{
	return g_ascii_isdigit(*word);
}

/* ---- kinds ---- */

static int parse_number(const struct target *target, const char *word, struct err *err)
{
	struct number_range range;
	int st = range_parse(word, 0, wherevalue_max(target->field), &range, err);

	if (st == ST_OK) {
		add(target, range.first, range.last);
	}
	return st;
}

static int parse_rate(const struct target *target, const char *word, struct err *err)
{
	struct real_range range;
	int st = real_range_parse(word, 0, DBL_MAX, &range, err);

	if (st == ST_OK) {
		add(target, flowfield_thousandths(range.first), flowfield_thousandths(range.last));
	}
	return st;
}

static int parse_duration(const struct target *target, const char *word, struct err *err)
{
	struct real_range range;
	int st = real_range_parse(word, 0, DBL_MAX, &range, err);

	if (st == ST_OK) {
		add(target, predicate_floor_ms(range.first) * NS_PER_MS,
		    predicate_floor_ms(range.last) * NS_PER_MS + NS_PER_MS - 1);
	}
	return st;
}

/* A point in time is as long as it is precise: a day, an hour, a second. */
static int parse_point(const char *word, int64_t *first_ns, int64_t *last_ns, struct err *err)
{
	enum timestamp_precision precision;
	int st = timestamp_parse(word, false, first_ns, &precision, err);

	if (st == ST_OK) {
		*last_ns = predicate_window_end(*first_ns, precision, word);
	}
	return st;
}

static int parse_time(const struct target *target, const char *word, struct err *err)
{
	const char *dash = strchr(word, '-');
	char *start = dash ? g_strndup(word, (gsize)(dash - word)) : g_strdup(word);
	int64_t first_ns = 0, last_ns = 0, end_first_ns;
	int st = parse_point(start, &first_ns, &last_ns, err);

	if (st == ST_OK && dash) {
		last_ns = INT64_MAX;
		st = dash[1] ? parse_point(dash + 1, &end_first_ns, &last_ns, err) : ST_OK;
	}
	if (st == ST_OK && first_ns > last_ns) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
	}
	if (st == ST_OK) {
		add(target, (uint64_t)first_ns ^ SIGN, (uint64_t)last_ns ^ SIGN);
	}
	g_free(start);
	return st;
}

static void add_match(const struct target *target, const struct tcpflags_match *match)
{
	for (uint64_t i = 0; i <= UINT8_MAX; i++) {
		if ((i & match->mask) == match->high) {
			add(target, i, i);
		}
	}
}

/* HIGH/MASK, or exactly these. */
static int parse_flags(const struct target *target, const char *word, struct err *err)
{
	struct tcpflags_match match;
	uint8_t flags;
	int st;

	if (is_number(word)) {
		return parse_number(target, word, err);
	}
	if (strchr(word, '/')) {
		st = tcpflags_parse_match(word, true, &match, err);
		if (st == ST_OK) {
			add_match(target, &match);
		}
		return st;
	}
	st = tcpflags_parse(word, &flags, err);
	if (st == ST_OK) {
		add(target, flags, flags);
	}
	return st;
}

static int parse_attributes(const struct target *target, const char *word, struct err *err)
{
	struct tcpflags_match match;
	uint8_t attributes;
	int st;

	if (strchr(word, '/')) {
		st = attributes_parse_match(word, &match, err);
		if (st == ST_OK) {
			add_match(target, &match);
		}
		return st;
	}
	st = attributes_parse(word, &attributes, err);
	if (st == ST_OK) {
		add(target, attributes, attributes);
	}
	return st;
}

static int parse_sensor(const struct target *target, const char *word, struct err *err)
{
	int id = target->site ? site_sensor_id(target->site, word) : -1;

	if (id >= 0) {
		add(target, (uint64_t)id, (uint64_t)id);
		return ST_OK;
	}
	return is_number(word) ? parse_number(target, word, err)
			       : err_set(err, ST_EINVAL, "no sensor has the name '%s'", word);
}

/* The flow types of a class, or of types with this name. */
static int parse_flowtypes(const struct target *target, const char *word, bool by_class,
			   struct err *err)
{
	bool any = false;

	for (int id = 0; target->site && id <= site_flowtype_max(target->site); id++) {
		const char *type = site_flowtype_type(target->site, id);
		int class_id = site_flowtype_class(target->site, id);
		const char *name = !type          ? NULL
				   : !by_class    ? type
				   : class_id < 0 ? NULL
						  : site_class_name(target->site, class_id);

		if (name && strcmp(name, word) == 0) {
			add(target, (uint64_t)id, (uint64_t)id);
			any = true;
		}
	}
	return any ? ST_OK
		   : err_set(err, ST_EINVAL, "no %s has the name '%s'", by_class ? "class" : "type",
			     word);
}

static int parse_class(const struct target *target, const char *word, struct err *err)
{
	return parse_flowtypes(target, word, true, err);
}

static int parse_type(const struct target *target, const char *word, struct err *err)
{
	return parse_flowtypes(target, word, false, err);
}

static int parse_country(const struct target *target, const char *word, struct err *err)
{
	uint16_t code = country_parse(word);

	if (code == COUNTRY_INVALID) {
		return err_set(err, ST_EINVAL, "'%s' is not a country", word);
	}
	add(target, code, code);
	return ST_OK;
}

static int parse_label(const struct target *target, const char *word, struct err *err)
{
	const struct pmap *pmap = mapfield_pmap(target->field);
	uint32_t value;

	if (!maptest_find_value(pmap, word, &value)) {
		return err_set(err, ST_EINVAL, "the prefix map has no label '%s'", word);
	}
	add(target, value, value);
	return ST_OK;
}

static const struct {
	const char *kind;
	int (*parse)(const struct target *target, const char *word, struct err *err);
} parsers[] = {
	{ "number", parse_number }, { "icmp", parse_number },
	{ "match", parse_number },  { "rate", parse_rate },
	{ "time", parse_time },     { "duration", parse_duration },
	{ "flags", parse_flags },   { "attributes", parse_attributes },
	{ "sensor", parse_sensor }, { "class", parse_class },
	{ "type", parse_type },     { "country", parse_country },
	{ "label", parse_label },
};

int wherevalue_parse(GArray *ranges, const struct field *field, const struct site *site,
		     const char *word, struct err *err)
{
	const struct target target = { ranges, field, site };

	for (size_t i = 0; i < G_N_ELEMENTS(parsers); i++) {
		if (strcmp(parsers[i].kind, field->kind->name) == 0) {
			return parsers[i].parse(&target, word, err);
		}
	}
	return err_set(err, ST_EINVAL, "values of '%s' cannot be compared", field->name);
}

/* ---- numbers ---- */

GArray *wherevalue_ranges_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct number_range));
}

uint64_t wherevalue_max(const struct field *field)
{
	size_t size = field->kind->key_size;

	return size >= sizeof(uint64_t) ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

uint64_t wherevalue_number(const struct field *field, const struct value *value)
{
	return strcmp(field->kind->name, "time") == 0 ? (uint64_t)value->ns ^ SIGN : value->u;
}

static gint compare(gconstpointer a, gconstpointer b)
{
	const struct number_range *x = a;
	const struct number_range *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void wherevalue_join(GArray *ranges)
{
	guint kept = 0;

	g_array_sort(ranges, compare);
	for (guint i = 1; i < ranges->len; i++) {
		struct number_range *last = &g_array_index(ranges, struct number_range, kept);
		const struct number_range *range = &g_array_index(ranges, struct number_range, i);

		if (last->last == UINT64_MAX || range->first <= last->last + 1) {
			last->last = MAX(last->last, range->last);
		} else {
			g_array_index(ranges, struct number_range, ++kept) = *range;
		}
	}
	g_array_set_size(ranges, ranges->len > 0 ? kept + 1 : 0);
}

GArray *wherevalue_complement(const GArray *ranges, uint64_t max)
{
	GArray *out = wherevalue_ranges_new();
	uint64_t next = 0;

	for (guint i = 0; i < ranges->len; i++) {
		const struct number_range *range = &g_array_index(ranges, struct number_range, i);

		if (range->first > next) {
			const struct number_range gap = { next, range->first - 1 };

			g_array_append_val(out, gap);
		}
		if (range->last >= max) {
			return out;
		}
		next = range->last + 1;
	}
	{
		const struct number_range rest = { next, max };

		g_array_append_val(out, rest);
	}
	return out;
}

bool wherevalue_has(const GArray *ranges, uint64_t number)
{
	guint low = 0;
	guint high = ranges->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct number_range *range =
			&g_array_index(ranges, struct number_range, middle);

		if (number < range->first) {
			high = middle;
		} else if (number > range->last) {
			low = middle + 1;
		} else {
			return true;
		}
	}
	return false;
}

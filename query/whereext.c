/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/whereext.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/extvalue.h"
#include "common/iemodel.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/predicaterow.h"

#define SIGN (UINT64_C(1) << 63)

/* All that a word could be. */
struct literal {
	char *text;
	bool is_integer, is_real, is_time, is_address;
	__int128 integer;
	double real;
	int64_t first_ns, last_ns;
	struct cidr address;
};

/* From one literal to another. */
struct span {
	struct literal low, high;
	bool from_start, to_end; /* low, high do not count */
	bool without_low, without_high;
	bool whole_text; /* of texts: the word as a whole */
	char *text;
};

struct whereext {
	GArray *spans; /* struct span */
};

/* ---- words ---- */

static bool parse_integer(const char *text, __int128 *out)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	char *end;
	uint64_t number;

	if (!g_ascii_isdigit(*digits)) {
		return false;
	}
	errno = 0;
	number = g_ascii_strtoull(digits, &end, g_str_has_prefix(digits, "0x") ? 16 : 10);
	*out = negative ? -(__int128)number : (__int128)number;
	return *end == '\0' && errno == 0;
}

static void parse_literal(struct literal *out, const char *text)
{
	enum timestamp_precision precision;
	char *end;

	*out = (struct literal){ .text = g_strdup(text) };
	out->is_integer = parse_integer(text, &out->integer);
	out->real = g_ascii_strtod(text, &end);
	out->is_real = *text && !*end;
	out->is_address = cidr_parse(text, &out->address, NULL) == ST_OK;
	out->is_time = timestamp_parse(text, false, &out->first_ns, &precision, NULL) == ST_OK;
	if (out->is_time) {
		out->last_ns = predicate_window_end(out->first_ns, precision, text);
	}
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		out->is_integer = true;
		out->integer = *text == 't' ? 1 : 2;
	}
}

struct whereext *whereext_new(void)
{
	struct whereext *ext = g_new0(struct whereext, 1);

	ext->spans = g_array_new(FALSE, TRUE, sizeof(struct span));
	return ext;
}

void whereext_free(struct whereext *ext)
{
	for (guint i = 0; ext && i < ext->spans->len; i++) {
		struct span *span = &g_array_index(ext->spans, struct span, i);

		g_free(span->low.text);
		g_free(span->high.text);
		g_free(span->text);
	}
	if (ext) {
		g_array_unref(ext->spans);
		g_free(ext);
	}
}

void whereext_add(struct whereext *ext, const char *word)
{
	const char *dash = *word ? strchr(word + 1, '-') : NULL;
	struct span span = { .whole_text = true, .text = g_strdup(word) };

	if (dash) {
		char *low = g_strndup(word, (gsize)(dash - word));

		parse_literal(&span.low, low);
		parse_literal(&span.high, dash + 1);
		span.to_end = dash[1] == '\0';
		g_free(low);
	} else {
		parse_literal(&span.low, word);
		parse_literal(&span.high, word);
	}
	g_array_append_val(ext->spans, span);
}

void whereext_add_half(struct whereext *ext, const char *word, bool below, bool or_equal)
{
	struct span span = {
		.from_start = below,
		.to_end = !below,
		.without_low = !below && !or_equal,
		.without_high = below && !or_equal,
		.text = g_strdup(word),
	};

	parse_literal(&span.low, word);
	parse_literal(&span.high, word);
	g_array_append_val(ext->spans, span);
}

bool whereext_fits(const struct field *field, const char *word)
{
	const char *dash = *word ? strchr(word + 1, '-') : NULL;
	char *low = dash ? g_strndup(word, (gsize)(dash - word)) : g_strdup(word);
	struct literal literal;
	bool fits;

	parse_literal(&literal, low);
	fits = !field->kind->json_number || literal.is_integer || literal.is_real;
	g_free(literal.text);
	g_free(low);
	return fits;
}

/* ---- values ---- */

/* The ends of a span by two orders: of its low end to the value, and of the value to its high end;
 * negative, 0 or positive. */
static bool within(const struct span *span, int low, int high)
{
	return (span->from_start || low < 0 || (low == 0 && !span->without_low)) &&
	       (span->to_end || high < 0 || (high == 0 && !span->without_high));
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static bool has_integer(const struct span *span, __int128 number)
{
	if (!span->low.is_integer || (!span->high.is_integer && !span->to_end)) {
		double real = (double)number;

		return span->low.is_real && (span->high.is_real || span->to_end) &&
		       within(span, ORDER(span->low.real, real), ORDER(real, span->high.real));
	}
	return within(span, ORDER(span->low.integer, number), ORDER(number, span->high.integer));
}

static bool has_real(const struct span *span, double real)
{
	return span->low.is_real && (span->high.is_real || span->to_end) && real == real &&
	       within(span, ORDER(span->low.real, real), ORDER(real, span->high.real));
}

/* A word stands for a span of time: what is within is neither above nor below. */
static bool has_time(const struct span *span, int64_t ns)
{
	const struct literal *low = &span->low;
	const struct literal *high = &span->high;

	if (!low->is_time || (!high->is_time && !span->to_end)) {
		return false;
	}
	return within(span,
		      ns > low->last_ns    ? -1
		      : ns < low->first_ns ? 1
					   : 0,
		      ns < high->first_ns  ? -1
		      : ns > high->last_ns ? 1
					   : 0);
}

static bool has_address(const struct span *span, struct ip ip)
{
	const struct cidr *low = &span->low.address;
	const struct cidr *high = &span->high.address;

	if (!span->low.is_address || (!span->high.is_address && !span->to_end)) {
		return false;
	}
	return within(span,
		      ip_compare(ip, low->last) > 0    ? -1
		      : ip_compare(ip, low->first) < 0 ? 1
						       : 0,
		      ip_compare(ip, high->first) < 0  ? -1
		      : ip_compare(ip, high->last) > 0 ? 1
						       : 0);
}

static bool has_text(const struct span *span, const char *text, size_t len)
{
	size_t word_len = strlen(span->text);
	int order = memcmp(span->text, text, MIN(word_len, len));

	order = order ? order : ORDER(word_len, len);
	return span->whole_text ? order == 0 : within(span, order, -order);
}

static bool has_printed(const struct span *span, const struct value *value,
			const struct field *field)
{
	const struct field_context ctx = { 0 };
	char text[TEXT_CELL_MAX];
	size_t len = field->kind->print(text, value, field, &ctx);

	return has_text(span, text, len);
}

static bool has_number(const struct span *span, const struct value *value)
{
	float real32;
	double real;
	uint32_t bits = (uint32_t)value->u;

	if (value->ie_type == IE_FLOAT32) {
		memcpy(&real32, &bits, sizeof(real32));
		return has_real(span, (double)real32);
	}
	if (value->ie_type == IE_FLOAT64) {
		memcpy(&real, &value->u, sizeof(real));
		return has_real(span, real);
	}
	if (value->ie_type >= IE_SIGNED8 && value->ie_type <= IE_SIGNED64) {
		return has_integer(span, (int64_t)(value->u ^ SIGN));
	}
	return has_integer(span, value->u);
}

static bool has_ticks(const struct span *span, const struct value *value)
{
	uint64_t unit_ns = value->ie_type == IE_SECONDS ? NS_PER_S : NS_PER_MS;

	if (value->ie_type == IE_MICROSECONDS || value->ie_type == IE_NANOSECONDS) {
		return has_time(span, (int64_t)(value->u ^ SIGN));
	}
	return value->u <= INT64_MAX / unit_ns && has_time(span, (int64_t)(value->u * unit_ns));
}

static bool span_has(const struct span *span, const struct value *value, const struct field *field)
{
	switch ((enum ie_type)value->ie_type) {
	case IE_STRING:
		return has_text(span, (const char *)value->bytes.bytes, value->bytes.len);
	case IE_OCTET_ARRAY:
	case IE_BASIC_LIST:
	case IE_SUB_TEMPLATE_LIST:
	case IE_SUB_TEMPLATE_MULTI_LIST:
	case IE_MAC_ADDRESS:
		return has_printed(span, value, field);
	case IE_SECONDS:
	case IE_MILLISECONDS:
	case IE_MICROSECONDS:
	case IE_NANOSECONDS:
		return has_ticks(span, value);
	case IE_IPV4_ADDRESS:
	case IE_IPV6_ADDRESS:
		return has_address(span, value->ip);
	default:
		return has_number(span, value);
	}
}

bool whereext_has(const struct whereext *ext, const struct value *value, const struct field *field)
{
	for (guint i = 0; i < ext->spans->len; i++) {
		if (span_has(&g_array_index(ext->spans, struct span, i), value, field)) {
			return true;
		}
	}
	return false;
}

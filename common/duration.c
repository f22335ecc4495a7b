/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/duration.h"

#include <stdbool.h>
#include <string.h>
#include <glib.h>

#include "common/decimal.h"
#include "common/timestamp.h"

static const struct duration_unit {
	const char *name;
	uint64_t ns;
} duration_units[] = {
	/* "ms" before "m": the first name that fits is taken */
	{ "ns", 1 },
	{ "us", (uint64_t)NS_PER_US },
	{ "ms", (uint64_t)NS_PER_MS },
	{ "s", (uint64_t)NS_PER_S },
	{ "m", 60 * (uint64_t)NS_PER_S },
	{ "h", (uint64_t)NS_PER_HOUR },
	{ "d", 24 * (uint64_t)NS_PER_HOUR },
};

static const struct duration_unit *scan_unit(const char **pos)
{
	for (size_t i = 0; i < G_N_ELEMENTS(duration_units); i++) {
		size_t len = strlen(duration_units[i].name);

		if (strncmp(*pos, duration_units[i].name, len) == 0) {
			*pos += len;
			return &duration_units[i];
		}
	}
	return NULL;
}

/* Digits before and after the point at *pos. The fraction is kept in billionths. */
static bool scan_decimal(const char **pos, uint64_t *whole, uint64_t *billionths)
{
	const char *p = *pos;
	uint64_t scale = 100000000;
	bool any = false;

	*whole = 0;
	*billionths = 0;
	for (; g_ascii_isdigit(*p); p++, any = true) {
		if (__builtin_mul_overflow(*whole, 10, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(*p - '0'), whole)) {
			return false;
		}
	}
	if (*p == '.') {
		for (p++; g_ascii_isdigit(*p); p++, any = true) {
			*billionths += (uint64_t)(*p - '0') * scale;
			scale /= 10;
		}
	}
	*pos = p;
	return any;
}

static bool add_decimal(uint64_t *sum_ns, uint64_t whole, uint64_t billionths, uint64_t unit_ns)
{
	uint64_t ns;
	/* at most 1e9 * 86400e9 / 1e9: 128 bits only for the product in between */
	uint64_t fraction_ns = (uint64_t)((unsigned __int128)billionths * unit_ns / 1000000000U);

	return !__builtin_mul_overflow(whole, unit_ns, &ns) &&
	       !__builtin_add_overflow(ns, fraction_ns, &ns) &&
	       !__builtin_add_overflow(*sum_ns, ns, sum_ns);
}

static const char *skip_space(const char *p)
{
	while (g_ascii_isspace(*p)) {
		p++;
	}
	return p;
}

/* One number with its unit; the first may go without when nothing follows. */
static int add_term(const char **p, bool first, uint64_t *sum_ns, struct err *err)
{
	const struct duration_unit *unit;
	const char *start = *p;
	uint64_t whole;
	uint64_t billionths;

	if (!g_ascii_isdigit(*start) && *start != '.') {
		return err_set(err, ST_EINVAL, "Unexpected character '%c'", *start);
	}
	if (!scan_decimal(p, &whole, &billionths)) {
		return g_ascii_isdigit(*start)
			       ? err_set(err, ST_EINVAL, "Value overflows the parser")
			       : err_set(err, ST_EINVAL, "Unexpected character '%c'", *start);
	}
	unit = scan_unit(p);
	if (!unit && (!first || (**p && !g_ascii_isspace(**p)))) {
		return err_set(err, ST_EINVAL,
			       "Unit is missing or unknown (use ns, us, ms, s, m, h, d)");
	}
	if (!add_decimal(sum_ns, whole, billionths, unit ? unit->ns : (uint64_t)NS_PER_S)) {
		return err_set(err, ST_EINVAL, "Value overflows the parser");
	}
	return ST_OK;
}

int duration_parse(const char *text, uint64_t *out_ns, struct err *err)
{
	const char *p = skip_space(text);
	uint64_t sum_ns = 0;
	int st;

	if (!*p) {
		return err_set(err, ST_EINVAL, "Input is empty or all whitespace");
	}
	st = add_term(&p, true, &sum_ns, err);
	while (st == ST_OK && *p && !g_ascii_isspace(*p)) {
		st = add_term(&p, false, &sum_ns, err);
	}
	if (st == ST_OK && *skip_space(p)) {
		st = err_set(err, ST_EINVAL, "Extra text follows value");
	}
	if (st == ST_OK) {
		*out_ns = sum_ns;
	}
	return st;
}

size_t duration_print(char *out, uint64_t ns, unsigned decimals)
{
	static const uint32_t powers[] = { 1000000000, 100000000, 10000000, 1000000, 100000,
					   10000,      1000,      100,      10,      1 };
	size_t len = decimal_print(out, ns / 1000000000U);
	unsigned shown = MIN(decimals, 9U);

	if (shown > 0) {
		uint32_t fraction = (uint32_t)(ns % 1000000000U) / powers[shown];

		out[len] = '.';
		decimal_print_padded(out + len + 1, fraction, shown);
		len += 1 + shown;
	}
	out[len] = '\0';
	return len;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/numlist.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <glib.h>

static const char *skip_blanks(const char *text)
{
	while (g_ascii_isspace(*text)) {
		text++;
	}
	return text;
}

static bool only_blanks(const char *text)
{
	return *skip_blanks(text) == '\0';
}

static int empty_input(struct err *err)
{
	return err_set(err, ST_EINVAL, "Input is empty or all whitespace");
}

static int unexpected(char c, struct err *err)
{
	return err_set(err, ST_EINVAL, "Unexpected character '%c'", c);
}

static int check_bounds(uint64_t number, uint64_t min, uint64_t max, struct err *err)
{
	if (number < min) {
		return err_set(err, ST_EINVAL, "Value is below minimum of %llu",
			       (unsigned long long)min);
	}
	if (number > max) {
		return err_set(err, ST_EINVAL, "Value is above maximum of %llu",
			       (unsigned long long)max);
	}
	return ST_OK;
}

/* Decimal digits at *pos, at least one, which the caller has seen. *pos moves behind them. */
static int scan_digits(const char **pos, uint64_t *out, struct err *err)
{
	uint64_t number = 0;
	const char *p = *pos;

	for (; g_ascii_isdigit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (number > (UINT64_MAX - digit) / 10) {
			return err_set(err, ST_EINVAL, "Value overflows the parser");
		}
		number = number * 10 + digit;
	}
	*pos = p;
	*out = number;
	return ST_OK;
}

/* Blanks, perhaps a plus sign, and digits. */
static int scan_number(const char **pos, uint64_t *out, struct err *err)
{
	const char *p = skip_blanks(*pos);
	int st;

	if (!*p) {
		return empty_input(err);
	}
	if (!g_ascii_isdigit(*p) && !(*p == '+' && g_ascii_isdigit(p[1]))) {
		return unexpected(*p, err);
	}
	p += *p == '+';
	st = scan_digits(&p, out, err);
	*pos = p;
	return st;
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	uint64_t number;
	int st = scan_number(&text, &number, err);

	if (st != ST_OK) {
		return st;
	}
	if (!only_blanks(text)) {
		return err_set(err, ST_EINVAL, "Extra text follows value");
	}
	st = check_bounds(number, min, max, err);
	if (st == ST_OK) {
		*out = number;
	}
	return st;
}

static int scan_real(const char **pos, double min, double max, double *out, struct err *err)
{
	const char *p = skip_blanks(*pos);
	char *end;
	double number;

	if (!*p) {
		return empty_input(err);
	}
	errno = 0;
	number = g_ascii_strtod(p, &end);
	if (end == p || isnan(number)) {
		return err_set(err, ST_EINVAL, "Unexpected character");
	}
	if (errno == ERANGE && isinf(number)) {
		return err_set(err, ST_EINVAL, "Value overflows the parser");
	}
	if (number < min) {
		return err_set(err, ST_EINVAL, "Value is below minimum of %f", min);
	}
	if (number > max) {
		return err_set(err, ST_EINVAL, "Value is above maximum of %f", max);
	}
	*pos = end;
	*out = number;
	return ST_OK;
}

int real_parse(const char *text, double min, double max, double *out, struct err *err)
{
	double number;
	int st = scan_real(&text, min, max, &number, err);

	if (st != ST_OK) {
		return st;
	}
	if (!only_blanks(text)) {
		return err_set(err, ST_EINVAL, "Extra text follows value");
	}
	*out = number;
	return ST_OK;
}

int size_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	static const char suffixes[] = "kmgt";
	const char *suffix;
	double number;
	int st = scan_real(&text, 0, INFINITY, &number, err);

	if (st != ST_OK) {
		return st;
	}
	suffix = *text ? strchr(suffixes, g_ascii_tolower(*text)) : NULL;
	if (suffix) {
		number = ldexp(number, 10 * (int)(suffix - suffixes + 1));
		text++;
	}
	if (!only_blanks(text)) {
		return err_set(err, ST_EINVAL, "Extra text follows value");
	}
	if (number >= ldexp(1, 64)) {
		return err_set(err, ST_EINVAL, "Value overflows the parser");
	}
	st = check_bounds((uint64_t)number, min, max, err);
	if (st == ST_OK) {
		*out = (uint64_t)number;
	}
	return st;
}

int range_parse(const char *text, uint64_t min, uint64_t max, struct number_range *out,
		struct err *err)
{
	struct number_range range;
	int st = scan_number(&text, &range.first, err);

	if (st != ST_OK) {
		return st;
	}
	range.last = range.first;
	if (*text == '-') {
		text++;
		range.last = max;
		if (g_ascii_isdigit(*text)) {
			st = scan_digits(&text, &range.last, err);
		}
	}
	if (st == ST_OK && !only_blanks(text)) {
		st = unexpected(*text, err);
	}
	if (st == ST_OK) {
		st = check_bounds(range.first, min, max, err);
	}
	if (st == ST_OK) {
		st = check_bounds(range.last, min, max, err);
	}
	if (st == ST_OK && range.first > range.last) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
	}
	if (st == ST_OK) {
		*out = range;
	}
	return st;
}

int real_range_parse(const char *text, double min, double max, struct real_range *out,
		     struct err *err)
{
	struct real_range range;
	int st = scan_real(&text, min, max, &range.first, err);

	if (st != ST_OK) {
		return st;
	}
	range.last = range.first;
	if (*text == '-') {
		text++;
		range.last = max;
		if (g_ascii_isdigit(*text) || *text == '.') {
			st = scan_real(&text, min, max, &range.last, err);
		}
	}
	if (st == ST_OK && !only_blanks(text)) {
		st = unexpected(*text, err);
	}
	if (st == ST_OK && range.first > range.last) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
	}
	if (st == ST_OK) {
		*out = range;
	}
	return st;
}

/* One "N", "N-M" or "N-" of a list. */
static int scan_list_range(const char **pos, uint64_t min, uint64_t max, struct number_range *out,
			   struct err *err)
{
	const char *p = *pos;
	int st;

	if (!g_ascii_isdigit(*p)) {
		return err_set(err, ST_EINVAL, "Unexpected character at '%c'", *p);
	}
	st = scan_digits(&p, &out->first, err);
	out->last = out->first;
	if (st == ST_OK && *p == '-') {
		p++;
		out->last = max;
		if (g_ascii_isdigit(*p)) {
			st = scan_digits(&p, &out->last, err);
		}
	}
	if (st == ST_OK) {
		st = check_bounds(out->first, min, max, err);
	}
	if (st == ST_OK) {
		st = check_bounds(out->last, min, max, err);
	}
	if (st == ST_OK && out->first > out->last) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max) (%llu-%llu)",
			     (unsigned long long)out->first, (unsigned long long)out->last);
	}
	*pos = p;
	return st;
}

typedef int (*range_fn)(void *arg, const struct number_range *range);

/* Walk the ranges of a list. A non-zero result of fn is in *stopped. */
static int each_list_range(const char *text, uint64_t min, uint64_t max, range_fn fn, void *arg,
			   int *stopped, struct err *err)
{
	const char *p = skip_blanks(text);
	int st = ST_OK;

	*stopped = 0;
	if (!*p) {
		return empty_input(err);
	}
	while (!only_blanks(p)) {
		struct number_range range;

		st = scan_list_range(&p, min, max, &range, err);
		if (st != ST_OK) {
			return st;
		}
		if (*p && *p != ',' && !only_blanks(p)) {
			return g_ascii_isspace(*p)
				       ? err_set(err, ST_EINVAL,
						 "Unexpected character--embedded whitespace found "
						 "in input")
				       : err_set(err, ST_EINVAL, "Unexpected character at '%c'",
						 *p);
		}
		*stopped = fn(arg, &range);
		if (*stopped != 0) {
			return ST_OK;
		}
		while (*p == ',') {
			p++;
		}
		if (g_ascii_isspace(*p) && !only_blanks(p)) {
			return err_set(err, ST_EINVAL,
				       "Unexpected character--embedded whitespace found in input");
		}
	}
	return st;
}

static int add_to_set(void *arg, const struct number_range *range)
{
	struct numset *set = arg;

	for (uint64_t n = range->first; n <= range->last; n++) {
		numset_add(set, (uint16_t)n);
	}
	return 0;
}

int numset_parse(const char *text, unsigned max, struct numset *out, struct err *err)
{
	int stopped;

	memset(out, 0, sizeof(*out));
	return each_list_range(text, 0, MIN(max, 65535), add_to_set, out, &stopped, err);
}

struct unfold {
	numlist_fn fn;
	void *arg;
};

static int unfold_range(void *arg, const struct number_range *range)
{
	const struct unfold *unfold = arg;

	for (uint64_t n = range->first;; n++) {
		int stop = unfold->fn(unfold->arg, n);

		if (stop != 0 || n == range->last) {
			return stop;
		}
	}
}

int numlist_each(const char *text, uint64_t min, uint64_t max, numlist_fn fn, void *arg,
		 struct err *err)
{
	struct unfold unfold = { .fn = fn, .arg = arg };
	int stopped;
	int st = each_list_range(text, min, max, unfold_range, &unfold, &stopped, err);

	return st != ST_OK ? st : stopped;
}

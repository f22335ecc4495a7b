/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/cidr.h"

#include <string.h>
#include <glib.h>

#include "common/numlist.h"

static struct cidr block_of(struct ip ip, bool is_v6, unsigned prefix_len)
{
	unsigned len = is_v6 ? prefix_len : prefix_len + 96;

	return (struct cidr){
		.first = ip_block_first(ip, len),
		.last = ip_block_last(ip, len),
		.is_v6 = is_v6,
	};
}

/* What follows the address: nothing, or a slash and a number. */
static int parse_prefix(const char *text, unsigned min, unsigned max, unsigned *out,
			struct err *err)
{
	struct number_range range;
	const char *p = text;
	int st;

	while (g_ascii_isspace(*p)) {
		p++;
	}
	if (!*p) {
		*out = max;
		return ST_OK;
	}
	if (*text != '/') {
		return err_set(err, ST_EINVAL, "Unexpected character '%c'", *text);
	}
	p = text + 1;
	if (!*p) {
		return err_set(err, ST_EINVAL, "Unexpected end-of-input");
	}
	if (strchr(p, '-')) {
		return err_set(err, ST_EINVAL, "Unexpected character '-'");
	}
	/* a range without hyphen: a number, with the words for what may follow it */
	st = range_parse(p, min, max, &range, err);
	if (st == ST_OK) {
		*out = (unsigned)range.first;
	}
	return st;
}

int cidr_parse_min(const char *text, unsigned min_prefix, struct cidr *out, struct err *err)
{
	const char *p = text;
	unsigned prefix_len = 0;
	struct ip ip;
	bool is_v6;
	int st = ip_scan(&p, &ip, &is_v6, err);

	if (st == ST_OK) {
		st = parse_prefix(p, min_prefix, is_v6 ? 128 : 32, &prefix_len, err);
	}
	if (st == ST_OK) {
		*out = block_of(ip, is_v6, prefix_len);
	}
	return st;
}

int cidr_parse(const char *text, struct cidr *out, struct err *err)
{
	return cidr_parse_min(text, 0, out, err);
}

int cidr_parse_range(const char *text, struct cidr *out, struct err *err)
{
	const char *hyphen = strchr(text, '-');
	struct cidr range = { .is_v6 = false };
	bool first_v6 = false;
	bool last_v6 = false;
	char *first;
	int st;

	if (!hyphen) {
		return cidr_parse(text, out, err);
	}
	first = g_strndup(text, (size_t)(hyphen - text));
	st = ip_parse(first, &range.first, &first_v6, err);
	if (st == ST_OK) {
		st = ip_parse(hyphen + 1, &range.last, &last_v6, err);
	}
	if (st == ST_OK && ip_compare(range.first, range.last) > 0) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
	}
	if (st == ST_OK) {
		range.is_v6 = first_v6 || last_v6;
		*out = range;
	}
	g_free(first);
	return st;
}

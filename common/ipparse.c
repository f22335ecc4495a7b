/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading addresses. The words of errors are SiLK's, so that scripts and people find the same. */
#include <string.h>
#include <glib.h>

#include "common/ip.h"

static int unexpected(char c, struct err *err)
{
	return c ? err_set(err, ST_EINVAL, "Unexpected character '%c'", c)
		 : err_set(err, ST_EINVAL, "Unexpected end-of-input");
}

/* A run of decimal digits; values above max stay above max instead of overflowing. */
static int scan_octet(const char **pos, int number, unsigned *out, struct err *err)
{
	const char *p = *pos;
	uint64_t value = 0;

	if (!g_ascii_isdigit(*p)) {
		return unexpected(*p, err);
	}
	for (; g_ascii_isdigit(*p); p++) {
		if (value <= UINT32_MAX) {
			value = value * 10 + (unsigned)(*p - '0');
		}
	}
	if (value > 255) {
		const char *digits = *pos + strspn(*pos, "0");

		return err_set(err, ST_EINVAL, "IP octet %d is too large: %.*s", number,
			       (int)MIN(p - digits, 20), digits);
	}
	*pos = p;
	*out = (unsigned)value;
	return ST_OK;
}

static int scan_dotted(const char **pos, uint32_t *out, struct err *err)
{
	const char *p = *pos;
	uint32_t v4 = 0;

	for (int i = 1; i <= 4; i++) {
		unsigned octet = 0;
		int st = scan_octet(&p, i, &octet, err);

		if (st != ST_OK) {
			return st;
		}
		v4 = v4 << 8 | octet;
		if (i < 4 && *p++ != '.') {
			return unexpected(p[-1], err);
		}
	}
	if (*p == '.') {
		return err_set(err, ST_EINVAL, "Found '.' after fourth octet");
	}
	*pos = p;
	*out = v4;
	return ST_OK;
}

/* An IPv4 address as one integer. */
static int scan_integer(const char **pos, uint32_t *out, struct err *err)
{
	const char *p = *pos;
	uint64_t value = 0;

	if (!g_ascii_isdigit(*p)) {
		return unexpected(*p, err);
	}
	for (; g_ascii_isdigit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10) {
			return err_set(err, ST_EINVAL, "Value overflows the parser");
		}
		value = value * 10 + digit;
	}
	if (value > UINT32_MAX) {
		return err_set(err, ST_EINVAL, "Integer too large for IPv4: %llu",
			       (unsigned long long)value);
	}
	*pos = p;
	*out = (uint32_t)value;
	return ST_OK;
}

static int scan_v4(const char **pos, struct ip *out, struct err *err)
{
	const char *p = *pos;
	uint32_t v4 = 0;
	int st;

	p += p[0] == '+' && g_ascii_isdigit(p[1]);
	st = p[strspn(p, "0123456789")] == '.' ? scan_dotted(&p, &v4, err)
					       : scan_integer(&p, &v4, err);
	if (st == ST_OK) {
		*pos = p;
		*out = ip_from_v4(v4);
	}
	return st;
}

struct v6_state {
	uint16_t sections[8];
	int count; /* sections read */
	int gap;   /* index of the first section after "::", -1: none yet */
};

static int scan_section(const char **pos, struct v6_state *state, struct err *err)
{
	const char *p = *pos;
	unsigned value = 0;

	for (; g_ascii_isxdigit(*p); p++) {
		value = value << 4 | (unsigned)g_ascii_xdigit_value(*p);
		if (value > 0xffff) {
			return err_set(err, ST_EINVAL, "Value in IP section %d is too large",
				       state->count + 1);
		}
	}
	state->sections[state->count++] = (uint16_t)value;
	*pos = p;
	return ST_OK;
}

static int scan_embedded_v4(const char **pos, struct v6_state *state, struct err *err)
{
	uint32_t v4;
	int st;

	if (state->count > 6) {
		return err_set(err, ST_EINVAL, "Too many sections before embedded IPv4");
	}
	st = scan_dotted(pos, &v4, err);
	if (st != ST_OK) {
		return st;
	}
	state->sections[state->count++] = (uint16_t)(v4 >> 16);
	state->sections[state->count++] = (uint16_t)v4;
	if (**pos == ':') {
		return err_set(err, ST_EINVAL, "Found ':' after final section");
	}
	if (state->count < 8 && state->gap < 0) {
		return err_set(err, ST_EINVAL, "Only %d/8 IP sections specified", state->count);
	}
	return ST_OK;
}

/* A "::" at *pos. */
static int scan_gap(const char **pos, struct v6_state *state, struct err *err)
{
	if (state->gap >= 0) {
		return err_set(err, ST_EINVAL, "Only one :: instance allowed");
	}
	state->gap = state->count;
	*pos += 2;
	return **pos == ':' ? err_set(err, ST_EINVAL, "Unexpected character :::") : ST_OK;
}

/* A colon behind a section: "::", or one before the next section. */
static int scan_colon(const char **pos, struct v6_state *state, struct err *err)
{
	const char *next = *pos + 1;

	if (state->count == 8) {
		return err_set(err, ST_EINVAL, "Found ':' after final section");
	}
	if (*next == ':') {
		return scan_gap(pos, state, err);
	}
	if (!*next || g_ascii_isspace(*next)) {
		return err_set(err, ST_EINVAL, "Expecting IP section value after ':'");
	}
	*pos = next;
	return g_ascii_isxdigit(*next) ? ST_OK : unexpected(*next, err);
}

static int scan_sections(const char **pos, struct v6_state *state, struct err *err)
{
	int st = ST_OK;

	if (**pos == ':') {
		if ((*pos)[1] != ':') {
			return err_set(err, ST_EINVAL, "IP address cannot begin with single ':'");
		}
		st = scan_gap(pos, state, err);
	}
	while (st == ST_OK && g_ascii_isxdigit(**pos)) {
		if ((*pos)[strspn(*pos, "0123456789abcdefABCDEF")] == '.') {
			return scan_embedded_v4(pos, state, err);
		}
		if (state->count == 8) {
			return err_set(err, ST_EINVAL, "Cannot have '::' in IP with 8 sections");
		}
		st = scan_section(pos, state, err);
		if (st != ST_OK || **pos != ':') {
			break;
		}
		st = scan_colon(pos, state, err);
	}
	return st;
}

static int scan_v6(const char **pos, struct ip *out, struct err *err)
{
	struct v6_state state = { .gap = -1 };
	uint16_t sections[8] = { 0 };
	int tail;
	int st = scan_sections(pos, &state, err);

	if (st != ST_OK) {
		return st;
	}
	if (state.gap < 0) {
		if (state.count < 8) {
			return **pos && !g_ascii_isspace(**pos)
				       ? unexpected(**pos, err)
				       : err_set(err, ST_EINVAL, "Too few IP sections given");
		}
		state.gap = 8;
	} else if (state.count == 8) {
		return err_set(err, ST_EINVAL, "Cannot have '::' in IP with 8 sections");
	}
	tail = state.count - state.gap;
	if (state.gap == 8) {
		tail = 0;
	}
	memcpy(sections, state.sections, (size_t)state.gap * sizeof(sections[0]));
	memcpy(sections + 8 - tail, state.sections + state.gap, (size_t)tail * sizeof(sections[0]));
	out->hi = 0;
	out->lo = 0;
	for (int i = 0; i < 4; i++) {
		out->hi = out->hi << 16 | sections[i];
		out->lo = out->lo << 16 | sections[i + 4];
	}
	return ST_OK;
}

int ip_scan(const char **pos, struct ip *out, bool *is_v6, struct err *err)
{
	const char *p = *pos;
	struct ip ip = { 0 };
	bool v6;
	int st;

	while (g_ascii_isspace(*p)) {
		p++;
	}
	if (!*p) {
		return err_set(err, ST_EINVAL, "Input is empty or all whitespace");
	}
	/* a colon before anything that ends an address in a list or range, but not in 1.2.3.4:5 */
	v6 = p[strcspn(p, ":/,- \t")] == ':' && p[strspn(p, "0123456789")] != '.';
	st = v6 ? scan_v6(&p, &ip, err) : scan_v4(&p, &ip, err);
	if (st == ST_OK) {
		*pos = p;
		*out = ip;
		*is_v6 = v6;
	}
	return st;
}

int ip_parse(const char *text, struct ip *out, bool *is_v6, struct err *err)
{
	const char *p = text;
	struct ip ip;
	bool v6;
	int st = ip_scan(&p, &ip, &v6, err);

	if (st != ST_OK) {
		return st;
	}
	while (g_ascii_isspace(*p)) {
		p++;
	}
	if (*p) {
		return err_set(err, ST_EINVAL, "Extra text follows value");
	}
	*out = ip;
	*is_v6 = v6;
	return ST_OK;
}

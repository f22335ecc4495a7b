/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/tcpflags.h"

#include <glib.h>

#include "common/record.h"

/* A letter and its bit, in the order of printing. */
struct flag_letter {
	char letter;
	uint8_t bit;
};

static const struct flag_letter flag_letters[] = {
	{ 'F', TCPFLAG_FIN }, { 'S', TCPFLAG_SYN }, { 'R', TCPFLAG_RST },
	{ 'P', TCPFLAG_PSH }, { 'A', TCPFLAG_ACK }, { 'U', TCPFLAG_URG },
	{ 'E', TCPFLAG_ECE }, { 'C', TCPFLAG_CWR }, { '\0', 0 },
};

static const struct flag_letter attribute_letters[] = {
	{ 'T', RECORD_TIMEOUT },
	{ 'C', RECORD_CONTINUED },
	{ 'F', RECORD_FIN_FOLLOWED },
	{ 'S', RECORD_UNIFORM },
	{ '\0', 0 },
};

enum { PADDED_WIDTH = 8 };

/* A dash stands for all of them. */
static uint8_t letter_bits(const struct flag_letter *letters, char c)
{
	const char upper = g_ascii_toupper(c);
	uint8_t bits = 0;

	for (const struct flag_letter *l = letters; l->letter; l++) {
		if (c == '-' || l->letter == upper) {
			bits |= l->bit;
		}
	}
	return bits;
}

/* Letters and blanks up to the end or to stop, which *pos then points to. */
static int scan_letters(const struct flag_letter *letters, const char **pos, char stop,
			uint8_t *out, struct err *err)
{
	uint8_t flags = 0;
	const char *p = *pos;

	for (; *p && *p != stop; p++) {
		uint8_t bits = letter_bits(letters, *p);

		if (!bits && !g_ascii_isspace(*p)) {
			return err_set(err, ST_EINVAL, "Unexpected character '%c'", *p);
		}
		flags |= bits;
	}
	*pos = p;
	*out = flags;
	return ST_OK;
}

static bool only_blanks(const char *text)
{
	while (g_ascii_isspace(*text)) {
		text++;
	}
	return !*text;
}

static int parse_match(const struct flag_letter *letters, const char *text, bool mask_needed,
		       struct tcpflags_match *out, struct err *err)
{
	struct tcpflags_match match = { .mask = 0xff };
	const char *p = text;
	int st = scan_letters(letters, &p, '/', &match.high, err);

	if (st != ST_OK) {
		return st;
	}
	if (*p == '/') {
		p++;
		if (only_blanks(p)) {
			return err_set(err, ST_EINVAL, "Missing masks flags value");
		}
		st = scan_letters(letters, &p, '\0', &match.mask, err);
		if (st != ST_OK) {
			return st;
		}
	} else if (only_blanks(text)) {
		return err_set(err, ST_EINVAL, "No value was given");
	} else if (mask_needed) {
		return err_set(err, ST_EINVAL, "Missing '/' character");
	}
	if (match.high & ~match.mask) {
		return err_set(err, ST_EINVAL, "High flags is not subset of mask flags");
	}
	*out = match;
	return ST_OK;
}

static size_t print_letters(const struct flag_letter *letters, char *out, uint8_t flags,
			    bool padded)
{
	size_t len = 0;

	for (const struct flag_letter *l = letters; l->letter; l++) {
		if (flags & l->bit) {
			out[len++] = l->letter;
		} else if (padded) {
			out[len++] = ' ';
		}
	}
	while (padded && len < PADDED_WIDTH) {
		out[len++] = ' ';
	}
	out[len] = '\0';
	return len;
}

int tcpflags_parse(const char *text, uint8_t *out, struct err *err)
{
	return scan_letters(flag_letters, &text, '\0', out, err);
}

int tcpflags_parse_match(const char *text, bool mask_needed, struct tcpflags_match *out,
			 struct err *err)
{
	return parse_match(flag_letters, text, mask_needed, out, err);
}

size_t tcpflags_print(char *out, uint8_t flags, bool padded)
{
	return print_letters(flag_letters, out, flags, padded);
}

int attributes_parse(const char *text, uint8_t *out, struct err *err)
{
	return scan_letters(attribute_letters, &text, '\0', out, err);
}

int attributes_parse_match(const char *text, struct tcpflags_match *out, struct err *err)
{
	return parse_match(attribute_letters, text, true, out, err);
}

size_t attributes_print(char *out, uint8_t state, bool padded)
{
	return print_letters(attribute_letters, out, state, padded);
}

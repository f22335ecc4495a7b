/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A wildcard is a product of sections: four octets, or eight 16-bit groups; each section has a
 * bitmap of its values. The bitmaps of the other family are never touched.
 */
#include "common/wildcard.h"

#include <string.h>
#include <glib.h>

enum { V4_SECTIONS = 4, V6_SECTIONS = 8, V4_VALUES = 256, V6_VALUES = 65536 };

static void set_range(uint8_t *bitmap, unsigned first, unsigned last)
{
	unsigned n = first;

	for (; n <= last && n % 8 != 0; n++) {
		bitmap[n / 8] |= (uint8_t)(1U << n % 8);
	}
	if (n + 7 <= last) {
		unsigned bytes = (last + 1 - n) / 8;

		memset(bitmap + n / 8, 0xff, bytes);
		n += 8 * bytes;
	}
	for (; n <= last; n++) {
		bitmap[n / 8] |= (uint8_t)(1U << n % 8);
	}
}

static inline bool has_value(const uint8_t *bitmap, unsigned n)
{
	return bitmap[n / 8] >> (n % 8) & 1;
}

static int unexpected(char c, struct err *err)
{
	return c ? err_set(err, ST_EINVAL, "Unexpected character '%c'", c)
		 : err_set(err, ST_EINVAL, "Unexpected end-of-input");
}

static bool only_blanks(const char *p)
{
	while (g_ascii_isspace(*p)) {
		p++;
	}
	return !*p;
}

/* How sections of a family are written. */
struct notation {
	unsigned base;
	unsigned max;
	size_t bitmap_bytes;
	const char *digits;
};

static const struct notation v4_notation = {
	.base = 10,
	.max = V4_VALUES - 1,
	.bitmap_bytes = V4_VALUES / 8,
	.digits = "0123456789",
};
static const struct notation v6_notation = {
	.base = 16,
	.max = V6_VALUES - 1,
	.bitmap_bytes = V6_VALUES / 8,
	.digits = "0123456789abcdefABCDEF",
};

static bool is_digit(const struct notation *notation, char c)
{
	return c && strchr(notation->digits, c);
}

/* At least one digit; a number above the maximum of any notation stays so. */
static int scan_number(const char **pos, const struct notation *notation, unsigned *out,
		       struct err *err)
{
	const char *p = *pos;
	unsigned number = 0;

	if (!is_digit(notation, *p)) {
		return unexpected(*p, err);
	}
	for (; is_digit(notation, *p); p++) {
		if (number <= V6_VALUES) {
			number = number * notation->base + (unsigned)g_ascii_xdigit_value(*p);
		}
	}
	*pos = p;
	*out = number;
	return ST_OK;
}

/* A number or a range, into the bitmap. */
static int scan_range(const char **pos, const struct notation *notation, int section,
		      uint8_t *bitmap, struct err *err)
{
	unsigned first = 0;
	unsigned last;
	int st = scan_number(pos, notation, &first, err);

	if (st != ST_OK) {
		return st;
	}
	if (first > notation->max) {
		return notation == &v4_notation
			       ? err_set(err, ST_EINVAL, "IP octet %d is too large: %u", section,
					 first)
			       : err_set(err, ST_EINVAL, "Value in IP section %d is too large",
					 section);
	}
	last = first;
	if (**pos == '-') {
		++*pos;
		if (only_blanks(*pos)) {
			return err_set(err, ST_EINVAL,
				       "Range is missing its upper limit (open-ended ranges are "
				       "not supported)");
		}
		st = scan_number(pos, notation, &last, err);
		if (st != ST_OK) {
			return st;
		}
		if (last > notation->max) {
			return err_set(err, ST_EINVAL, "Value is above maximum of %u",
				       notation->max);
		}
		if (first > last) {
			return err_set(err, ST_EINVAL,
				       notation == &v4_notation
					       ? "Range is invalid (min > max) (%u-%u)"
					       : "Range is invalid (min > max) (%x-%x)",
				       first, last);
		}
	}
	set_range(bitmap, first, last);
	return ST_OK;
}

/* "x", or numbers and ranges with commas between and, as SiLK lets pass, behind them. */
static int scan_section(const char **pos, const struct notation *notation, int section,
			uint8_t *bitmap, struct err *err)
{
	if (**pos == 'x' || **pos == 'X') {
		++*pos;
		memset(bitmap, 0xff, notation->bitmap_bytes);
		return ST_OK;
	}
	memset(bitmap, 0, notation->bitmap_bytes);
	do {
		int st = scan_range(pos, notation, section, bitmap, err);

		if (st != ST_OK) {
			return st;
		}
		if (**pos != ',') {
			return ST_OK;
		}
		*pos += strspn(*pos, ",");
	} while (is_digit(notation, **pos));
	return ST_OK;
}

static int scan_octets(const char **pos, uint8_t octets[4][32], struct err *err)
{
	const char *p = *pos;

	for (int i = 0; i < V4_SECTIONS; i++) {
		int st = scan_section(&p, &v4_notation, i + 1, octets[i], err);

		if (st != ST_OK) {
			return st;
		}
		if (i == V4_SECTIONS - 1) {
			break;
		}
		if (*p != '.') {
			return only_blanks(p) ? err_set(err, ST_EINVAL, "Too few IP blocks given")
					      : unexpected(*p, err);
		}
		p++;
	}
	if (*p == '.') {
		return err_set(err, ST_EINVAL, "Found '.' after fourth octet");
	}
	*pos = p;
	return ST_OK;
}

/* While an IPv6 wildcard is read its sections stand side by side; "::" is filled in at the end. */
struct v6_state {
	struct wildcard *wildcard;
	int count;
	int gap; /* sections before "::", -1: none yet */
};

/* The octets of "::ffff:10.x.1.2" become groups six and seven. */
static int scan_embedded(const char **pos, struct v6_state *state, struct err *err)
{
	struct wildcard *wildcard = state->wildcard;
	int st;

	if (state->count > V6_SECTIONS - 2) {
		return err_set(err, ST_EINVAL, "Too many sections before embedded IPv4");
	}
	st = scan_octets(pos, wildcard->v4, err);
	if (st != ST_OK) {
		return st;
	}
	for (int half = 0; half < 2; half++) {
		uint8_t *bitmap = wildcard->v6[state->count++];

		memset(bitmap, 0, V6_VALUES / 8);
		for (unsigned high = 0; high < V4_VALUES; high++) {
			if (has_value(wildcard->v4[2 * half], high)) {
				memcpy(bitmap + high * (V4_VALUES / 8), wildcard->v4[2 * half + 1],
				       V4_VALUES / 8);
			}
		}
	}
	return **pos == ':' ? err_set(err, ST_EINVAL, "Found ':' after final section") : ST_OK;
}

static int scan_gap(const char **pos, struct v6_state *state, struct err *err)
{
	if (state->gap >= 0) {
		return err_set(err, ST_EINVAL, "Only one :: instance allowed");
	}
	state->gap = state->count;
	*pos += 2;
	return **pos == ':' ? unexpected(':', err) : ST_OK;
}

/* A colon behind a section: "::", or one before the next section. */
static int scan_colon(const char **pos, struct v6_state *state, struct err *err)
{
	if ((*pos)[1] == ':') {
		return scan_gap(pos, state, err);
	}
	if (state->count == V6_SECTIONS) {
		return err_set(err, ST_EINVAL, "Found ':' after final section");
	}
	++*pos;
	return only_blanks(*pos) ? err_set(err, ST_EINVAL, "Expecting IP block value after ':'")
				 : ST_OK;
}

static int scan_groups(const char **pos, struct v6_state *state, struct err *err)
{
	int st = ST_OK;

	if (**pos == ':') {
		if ((*pos)[1] != ':') {
			return err_set(err, ST_EINVAL, "IP address cannot begin with single ':'");
		}
		st = scan_gap(pos, state, err);
	}
	while (st == ST_OK && !only_blanks(*pos)) {
		const char *p = *pos;

		if (p[strspn(p, "0123456789abcdefABCDEFxX,-")] == '.') {
			return scan_embedded(pos, state, err);
		}
		if (state->count == V6_SECTIONS) {
			return err_set(err, ST_EINVAL, "Found ':' after final section");
		}
		st = scan_section(pos, &v6_notation, state->count + 1,
				  state->wildcard->v6[state->count], err);
		state->count++;
		if (st != ST_OK || **pos != ':') {
			break;
		}
		st = scan_colon(pos, state, err);
	}
	return st;
}

static int fill_gap(struct v6_state *state, struct err *err)
{
	struct wildcard *wildcard = state->wildcard;
	int missing = V6_SECTIONS - state->count;

	if (state->gap < 0) {
		return missing == 0 ? ST_OK : err_set(err, ST_EINVAL, "Too few IP blocks given");
	}
	if (missing == 0) {
		return err_set(err, ST_EINVAL, "Cannot have '::' in IP with 8 sections");
	}
	memmove(wildcard->v6[state->gap + missing], wildcard->v6[state->gap],
		(size_t)(state->count - state->gap) * sizeof(wildcard->v6[0]));
	memset(wildcard->v6[state->gap], 0, (size_t)missing * sizeof(wildcard->v6[0]));
	for (int i = 0; i < missing; i++) {
		set_range(wildcard->v6[state->gap + i], 0, 0);
	}
	return ST_OK;
}

/* A block is a wildcard whose sections are each one range. */
static void set_block(struct wildcard *wildcard, const struct cidr *block)
{
	wildcard->is_v6 = block->is_v6;
	if (!block->is_v6) {
		memset(wildcard->v4, 0, sizeof(wildcard->v4));
		for (int i = 0; i < V4_SECTIONS; i++) {
			int shift = 8 * (V4_SECTIONS - 1 - i);

			set_range(wildcard->v4[i], (unsigned)(block->first.lo >> shift & 0xff),
				  (unsigned)(block->last.lo >> shift & 0xff));
		}
		return;
	}
	memset(wildcard->v6, 0, sizeof(wildcard->v6));
	for (int i = 0; i < V6_SECTIONS; i++) {
		int shift = 16 * (3 - i % 4);
		uint64_t first = i < 4 ? block->first.hi : block->first.lo;
		uint64_t last = i < 4 ? block->last.hi : block->last.lo;

		set_range(wildcard->v6[i], (unsigned)(first >> shift & 0xffff),
			  (unsigned)(last >> shift & 0xffff));
	}
}

static int parse_sections(const char *text, struct wildcard *out, struct err *err)
{
	struct v6_state state = { .wildcard = out, .gap = -1 };
	const char *p = text;
	int st;

	out->is_v6 = strchr(text, ':') != NULL;
	if (!out->is_v6) {
		st = scan_octets(&p, out->v4, err);
	} else {
		st = scan_groups(&p, &state, err);
	}
	if (st == ST_OK && !only_blanks(p)) {
		st = unexpected(*p, err);
	}
	if (st == ST_OK && out->is_v6) {
		st = fill_gap(&state, err);
	}
	return st;
}

int wildcard_parse(const char *text, struct wildcard *out, struct err *err)
{
	const char *p = text;

	while (g_ascii_isspace(*p)) {
		p++;
	}
	if (!strpbrk(p, "xX,-")) {
		struct cidr block;
		int st = cidr_parse_min(p, 1, &block, err);

		if (st == ST_OK) {
			set_block(out, &block);
		}
		return st;
	}
	return parse_sections(p, out, err);
}

bool wildcard_contains(const struct wildcard *wildcard, struct ip ip, bool is_v6)
{
	if (!wildcard->is_v6) {
		uint32_t v4 = ip_to_v4(ip);

		return (!is_v6 || ip_is_mapped(ip)) && has_value(wildcard->v4[0], v4 >> 24) &&
		       has_value(wildcard->v4[1], v4 >> 16 & 0xff) &&
		       has_value(wildcard->v4[2], v4 >> 8 & 0xff) &&
		       has_value(wildcard->v4[3], v4 & 0xff);
	}
	for (int i = 0; i < V6_SECTIONS; i++) {
		uint64_t word = i < 4 ? ip.hi : ip.lo;

		if (!has_value(wildcard->v6[i], (unsigned)(word >> (16 * (3 - i % 4)) & 0xffff))) {
			return false;
		}
	}
	return true;
}

/* The walk over ranges: section by section, up to the last one that is not full. */
struct walk {
	const struct wildcard *wildcard;
	int sections;
	unsigned values;   /* of a section */
	unsigned bits;     /* of a section */
	int last_partial;  /* sections behind it are full */
	struct cidr range; /* not handed out yet: the next may join it */
	bool has_range;
	wildcard_range_fn fn;
	void *arg;
};

static const uint8_t *section_bitmap(const struct walk *walk, int section)
{
	return walk->wildcard->is_v6 ? walk->wildcard->v6[section] : walk->wildcard->v4[section];
}

/* The first value at or behind from that is there, or that is not; values if none. */
static unsigned next_value(const uint8_t *bitmap, unsigned values, unsigned from, bool there)
{
	while (from < values) {
		uint64_t word;

		memcpy(&word, bitmap + from / 64 * 8, sizeof(word));
		word = GUINT64_FROM_LE(word);
		word = (there ? word : ~word) >> from % 64;
		if (word != 0) {
			return from + (unsigned)__builtin_ctzll(word);
		}
		from += 64 - from % 64;
	}
	return values;
}

/* The first run of values at or behind from. */
static bool next_run(const uint8_t *bitmap, unsigned values, unsigned from, unsigned *first,
		     unsigned *last)
{
	*first = next_value(bitmap, values, from, true);
	*last = next_value(bitmap, values, *first, false) - 1;
	return *first < values;
}

static int hand_out(struct walk *walk, struct ip first, struct ip last)
{
	int stop = 0;

	if (walk->has_range && ip_equal(ip_next(walk->range.last), first)) {
		walk->range.last = last;
		return 0;
	}
	if (walk->has_range) {
		stop = walk->fn(walk->arg, &walk->range);
	}
	walk->range = (struct cidr){ first, last, walk->wildcard->is_v6 };
	walk->has_range = true;
	return stop;
}

/* ip with the bits of a section set to value. */
static struct ip with_section(const struct walk *walk, struct ip ip, int section, unsigned value)
{
	unsigned shift = walk->bits * (unsigned)(walk->sections - 1 - section);

	if (shift >= 64) {
		ip.hi |= (uint64_t)value << (shift - 64);
	} else {
		ip.lo |= (uint64_t)value << shift;
	}
	return ip;
}

static int walk_section(struct walk *walk, int section, struct ip prefix)
{
	const uint8_t *bitmap = section_bitmap(walk, section);
	unsigned prefix_len =
		128 - walk->bits * (unsigned)(walk->sections - 1 - walk->last_partial);
	unsigned first;
	unsigned last = 0;
	int stop = 0;

	for (unsigned from = 0; stop == 0 && next_run(bitmap, walk->values, from, &first, &last);
	     from = last + 1) {
		if (section == walk->last_partial) {
			stop = hand_out(walk, with_section(walk, prefix, section, first),
					ip_block_last(with_section(walk, prefix, section, last),
						      prefix_len));
			continue;
		}
		for (unsigned n = first; stop == 0 && n <= last; n++) {
			stop = walk_section(walk, section + 1,
					    with_section(walk, prefix, section, n));
		}
	}
	return stop;
}

static bool is_full(const struct walk *walk, int section)
{
	unsigned first;
	unsigned last;

	return next_run(section_bitmap(walk, section), walk->values, 0, &first, &last) &&
	       first == 0 && last == walk->values - 1;
}

int wildcard_each_range(const struct wildcard *wildcard, wildcard_range_fn fn, void *arg)
{
	bool is_v6 = wildcard->is_v6;
	struct walk walk = {
		.wildcard = wildcard,
		.sections = is_v6 ? V6_SECTIONS : V4_SECTIONS,
		.values = is_v6 ? V6_VALUES : V4_VALUES,
		.bits = is_v6 ? 16 : 8,
		.fn = fn,
		.arg = arg,
	};
	int stop;

	walk.last_partial = walk.sections - 1;
	while (walk.last_partial > 0 && is_full(&walk, walk.last_partial)) {
		walk.last_partial--;
	}
	stop = walk_section(&walk, 0, is_v6 ? (struct ip){ 0, 0 } : ip_from_v4(0));
	if (stop == 0 && walk.has_range) {
		stop = fn(arg, &walk.range);
	}
	return stop;
}

struct single {
	struct cidr *out;
	int count;
};

static int take_single(void *arg, const struct cidr *range)
{
	struct single *single = arg;

	*single->out = *range;
	return ++single->count > 1;
}

bool wildcard_as_range(const struct wildcard *wildcard, struct cidr *out)
{
	struct single single = { .out = out };

	return wildcard_each_range(wildcard, take_single, &single) == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tucfield.h"

#include <endian.h>
#include <float.h>
#include <glib.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/bytemask.h"
#include "common/decimal.h"
#include "common/numlist.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"

#define TUC_DURATION_S_MAX 4294967.295

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

static size_t length(const struct tuc_text *text)
{
	return (size_t)(text->end - text->begin);
}

/* Up to eight digits at once; everything else, and all complaints, by number_parse(). */
static int parse_number(const struct tuc_text *text, uint64_t min, uint64_t max, uint64_t *out,
			struct err *err)
{
	uint32_t number;
	char was;
	int st;

	if (decimal_scan(text->begin, length(text), &number) && number >= min && number <= max) {
		*out = number;
		return ST_OK;
	}
	was = tuc_text_cut(text);
	st = number_parse(text->begin, min, max, out, err);
	*text->end = was;
	return st;
}

static void *member(struct tuc_line *line, const struct tuc_row *row)
{
	return (char *)line + row->offset;
}

static int parse_u8(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		    const struct tuc_text *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint8_t *)member(line, row) = (uint8_t)number;
	return st;
}

static int parse_u16(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		     const struct tuc_text *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint16_t *)member(line, row) = (uint16_t)number;
	return st;
}

static int parse_u32(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		     const struct tuc_text *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint32_t *)member(line, row) = (uint32_t)number;
	return st;
}

static int parse_u64(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		     const struct tuc_text *text, struct err *err)
{
	return parse_number(text, row->min, row->max, member(line, row), err);
}

/* The number of 1 to 3 digits at text; anything else becomes more than 255. */
static unsigned scan_octet(const char *text, size_t digits)
{
	uint32_t word;

	if (digits - 1 >= 3) {
		return UINT_MAX;
	}
	memcpy(&word, text, sizeof(word));
	/* the digits in the last bytes, zeros before them */
	word = (le32toh(word) - UINT32_C(0x30303030)) << (32 - 8 * digits);
	if ((word | (word + UINT32_C(0x76767676))) & UINT32_C(0x80808080)) {
		return UINT_MAX;
	}
	return (word >> 24) + (word >> 16 & 0xff) * 10 + (word >> 8 & 0xff) * 100;
}

/* Four numbers with dots and nothing else; false: let ip_parse() see. */
static bool parse_quad(const struct tuc_text *text, struct ip *out)
{
	const char *at = text->begin;
	uint64_t dots;
	uint32_t address = 0;
	unsigned wrong = 0;

	if (length(text) > BYTEMASK_PART) {
		return false;
	}
	dots = bytemask_bits(bytemask_equal(bytemask_load(at), '.')) | UINT64_C(1) << length(text);
#pragma GCC unroll 4
	for (int octet = 0; octet < 4 && dots; octet++, dots &= dots - 1) {
		const char *end = text->begin + __builtin_ctzll(dots);
		unsigned number = scan_octet(at, (size_t)(end - at));

		wrong |= number > 255 || (octet == 3) != (end == text->end);
		address = address << 8 | (number & 0xff);
		at = end + 1;
	}
	*out = ip_from_v4(address);
	return !wrong && at == text->end + 1;
}

static int parse_ip(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		    const struct tuc_text *text, struct err *err)
{
	bool is_v6 = false;
	char was;
	int st;

	if (parse_quad(text, member(line, row))) {
		return ST_OK;
	}
	was = tuc_text_cut(text);
	st = ip_parse(text->begin, member(line, row), &is_v6, err);
	*text->end = was;
	line->is_v6 |= is_v6;
	return st;
}

/* Where the text is remembered, and as what; NULL: it is too long for that, or too short. */
static uint16_t *place_of(struct tuc_words *words, const struct tuc_text *text, uint64_t *word)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

	if (length(text) - 1 >= sizeof(*word)) {
		return NULL;
	}
	memcpy(word, text->begin, sizeof(*word));
	*word = le64toh(*word) << (64 - 8 * length(text));
	return &words->values[*word * odd >> 32 & (TUC_WORDS - 1)];
}

/* By value_of, which takes a text with a NUL, where the row's words do not remember it. */
static int parse_word(const struct tuc_row *row, struct tuc_memo *memo, const struct tuc_text *text,
		      int (*value_of)(const struct tuc_row *row, const struct tuc_memo *memo,
				      const char *text, uint16_t *value, struct err *err),
		      uint16_t *value, struct err *err)
{
	struct tuc_words *words = (struct tuc_words *)(void *)((char *)memo + row->words);
	uint64_t word = 0;
	uint16_t *place = place_of(words, text, &word);
	char was;
	int st;

	if (place && words->texts[place - words->values] == word) {
		*value = *place;
		return ST_OK;
	}
	was = tuc_text_cut(text);
	st = value_of(row, memo, text->begin, value, err);
	*text->end = was;
	if (place && st == ST_OK) {
		*place = *value;
		words->texts[place - words->values] = word;
	}
	return st;
}

static int bits_of(const struct tuc_row *row, const struct tuc_memo *memo, const char *text,
		   uint16_t *value, struct err *err)
{
	uint8_t bits = 0;
	int st = row->parse_letters(text, &bits, err);

	*value = bits;
	return st;
}

/* TCP flags or attributes: a bit a letter. */
static int parse_bits(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		      const struct tuc_text *text, struct err *err)
{
	uint16_t bits = 0;
	int st = parse_word(row, memo, text, bits_of, &bits, err);

	*(uint8_t *)member(line, row) = (uint8_t)bits;
	return st;
}

/* As long as 12/31/2020 23:59:59 and some digits of its fraction. */
#define MDY_MAX 48

/*
 * 12/31/2020 23:59, what rwcut --timestamp-format=m/d/y prints, as 2020/12/31:23:59; false: text is
 * of another form. Only here: to other programs a blank in a time is an error.
 */
static bool rewrite_mdy(char out[MDY_MAX], const char *text)
{
	static const char form[] = "00/00/0000 00:";

	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == '0' ? !is_digit(text[i]) : form[i] != text[i]) {
			return false;
		}
	}
	return snprintf(out, MDY_MAX, "%.4s/%.5s:%s", text + 6, text, text + 11) < MDY_MAX;
}

static int parse_time(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		      const struct tuc_text *text, struct err *err)
{
	char ymd[MDY_MAX];
	int64_t ns = 0;
	char was;
	int st;

	if (length(text) == TIMESTAMP_USUAL_LENGTH &&
	    timestamp_read_usual(&memo->minutes, text->begin, member(line, row))) {
		return ST_OK;
	}
	was = tuc_text_cut(text);
	st = timestamp_parse(rewrite_mdy(ymd, text->begin) ? ymd : text->begin, false, &ns, NULL,
			     err);
	*text->end = was;
	*(int64_t *)member(line, row) = ns - ns % NS_PER_MS;
	return st;
}

/* SECONDS.mmm of up to eight and three digits, exactly; false: let real_parse() see. */
static bool parse_plain_seconds(const struct tuc_text *text, uint64_t *ms)
{
	const char *point = text->end - 4;
	uint32_t seconds, fraction;

	if (length(text) < 5 || *point != '.' || !decimal_scan(point + 1, 3, &fraction) ||
	    !decimal_scan(text->begin, (size_t)(point - text->begin), &seconds)) {
		return false;
	}
	*ms = seconds * UINT64_C(1000) + fraction;
	return *ms <= TUC_DURATION_MS_MAX;
}

static int parse_duration(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
			  const struct tuc_text *text, struct err *err)
{
	uint64_t ms;
	double seconds = 0;
	int st = ST_OK;

	if (!parse_plain_seconds(text, &ms)) {
		char was = tuc_text_cut(text);

		st = real_parse(text->begin, 0, TUC_DURATION_S_MAX, &seconds, err);
		*text->end = was;
		/* what a double lacks to 1.001 is forgiven */
		ms = (uint64_t)floor(seconds * 1000 * (1 + 4 * DBL_EPSILON));
	}
	line->rec.duration_ns = ms * NS_PER_MS;
	return st;
}

static int sensor_of(const struct tuc_row *row, const struct tuc_memo *memo, const char *text,
		     uint16_t *value, struct err *err)
{
	int id = site_sensor_id(memo->site, text);

	*value = id < 0 ? RECORD_NO_SENSOR : (uint16_t)id;
	return ST_OK;
}

static int parse_sensor(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
			const struct tuc_text *text, struct err *err)
{
	if (length(text) > 0 && is_digit(*text->begin)) {
		return parse_u16(row, memo, line, text, err);
	}
	return parse_word(row, memo, text, sensor_of, &line->rec.sensor, err);
}

static int parse_class(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		       const struct tuc_text *text, struct err *err)
{
	char was = tuc_text_cut(text);

	line->class_id = site_class_id(memo->site, text->begin);
	*text->end = was;
	return ST_OK;
}

static int parse_type(const struct tuc_row *row, struct tuc_memo *memo, struct tuc_line *line,
		      const struct tuc_text *text, struct err *err)
{
	line->type = *text;
	return ST_OK;
}

/* clang-format off */
#define AT(member_) .offset = offsetof(struct tuc_line, member_)
#define WORDS(member_) .words = offsetof(struct tuc_memo, member_)
#define FLAGS WORDS(flags), .parse_letters = tcpflags_parse
#define ATTRIBUTES WORDS(attributes), .parse_letters = attributes_parse

const struct tuc_row tuc_row_table[TUC_FIELD_COUNT] = {
	[TUC_SIP] = { "sIP", { NULL }, { 1 }, parse_ip, AT(rec.sip) },
	[TUC_DIP] = { "dIP", { NULL }, { 2 }, parse_ip, AT(rec.dip) },
	[TUC_SPORT] = { "sPort", { NULL }, { 3 }, parse_u16, AT(rec.sport), .max = UINT16_MAX },
	[TUC_DPORT] = { "dPort", { NULL }, { 4 }, parse_u16, AT(rec.dport), .max = UINT16_MAX },
	[TUC_PROTOCOL] = { "protocol", { NULL }, { 5 }, parse_u8, AT(rec.protocol), .max = UINT8_MAX },
	[TUC_PACKETS] = { "packets", { "pkts" }, { 6 }, parse_u64, AT(rec.packets), .min = 1, .max = UINT32_MAX },
	[TUC_BYTES] = { "bytes", { NULL }, { 7 }, parse_u64, AT(rec.bytes), .min = 1, .max = UINT32_MAX },
	[TUC_FLAGS] = { "flags", { NULL }, { 8 }, parse_bits, AT(rec.flags), FLAGS },
	[TUC_STIME] = { "sTime", { "sTime+msec" }, { 9, 22 }, parse_time, AT(rec.start_ns) },
	[TUC_DURATION] = { "duration", { "dur", "dur+msec" }, { 10, 24 }, parse_duration, AT(rec.duration_ns) },
	[TUC_ETIME] = { "eTime", { "eTime+msec" }, { 11, 23 }, parse_time, AT(end_ns) },
	[TUC_SENSOR] = { "sensor", { NULL }, { 12 }, parse_sensor, AT(rec.sensor), WORDS(sensors), .max = RECORD_NO_SENSOR - 1 },
	[TUC_IN] = { "in", { NULL }, { 13 }, parse_u32, AT(rec.input), .max = UINT16_MAX },
	[TUC_OUT] = { "out", { NULL }, { 14 }, parse_u32, AT(rec.output), .max = UINT16_MAX },
	[TUC_NHIP] = { "nhIP", { NULL }, { 15 }, parse_ip, AT(rec.nhip) },
	[TUC_INITIAL_FLAGS] = { "initialFlags", { NULL }, { 26 }, parse_bits, AT(rec.initial_flags), FLAGS },
	[TUC_SESSION_FLAGS] = { "sessionFlags", { NULL }, { 27 }, parse_bits, AT(rec.session_flags), FLAGS },
	[TUC_ATTRIBUTES] = { "attributes", { NULL }, { 28 }, parse_bits, AT(rec.state), ATTRIBUTES },
	[TUC_APPLICATION] = { "application", { NULL }, { 29 }, parse_u16, AT(rec.application), .max = UINT16_MAX },
	[TUC_CLASS] = { "class", { NULL }, { 20 }, parse_class, AT(class_id) },
	[TUC_TYPE] = { "type", { NULL }, { 21 }, parse_type, AT(type) },
	[TUC_ICMP_TYPE] = { "iType", { NULL }, { 0 }, parse_u8, AT(icmp_type), .max = UINT8_MAX },
	[TUC_ICMP_CODE] = { "iCode", { NULL }, { 0 }, parse_u8, AT(icmp_code), .max = UINT8_MAX },
	[TUC_IGNORE] = { "ignore", { NULL }, { 0 }, NULL, 0 },
};
/* clang-format on */

const char *tuc_field_name(enum tuc_field field)
{
	return tuc_row_table[field].name;
}

enum name_match { MATCH_NONE, MATCH_PREFIX, MATCH_EXACT };

static enum name_match match_name(const char *name, const char *text, size_t len)
{
	if (!name || g_ascii_strncasecmp(name, text, len) != 0) {
		return MATCH_NONE;
	}
	return name[len] ? MATCH_PREFIX : MATCH_EXACT;
}

/* How well the text names the row; *msec: only its +msec name. */
static enum name_match match_row(const struct tuc_row *row, const char *text, size_t len,
				 bool *msec)
{
	enum name_match best = match_name(row->name, text, len);

	*msec = false;
	for (size_t i = 0; i < G_N_ELEMENTS(row->aliases); i++) {
		enum name_match match = match_name(row->aliases[i], text, len);

		if (match > best) {
			best = match;
			*msec = g_str_has_suffix(row->aliases[i], "+msec");
		}
	}
	return best;
}

int tuc_find_name(const char *text, size_t len, struct tuc_named *out)
{
	unsigned prefixes = 0;

	for (unsigned i = 0; len > 0 && i < TUC_FIELD_COUNT; i++) {
		bool msec;
		enum name_match match = match_row(&tuc_row_table[i], text, len, &msec);

		if (match != MATCH_NONE) {
			*out = (struct tuc_named){ .field = (enum tuc_field)i, .msec = msec };
			prefixes++;
		}
		if (match == MATCH_EXACT) {
			return ST_OK;
		}
	}
	return prefixes == 0 ? ST_ENOENT : prefixes == 1 ? ST_OK : ST_EINVAL;
}

int tuc_find_number(uint64_t number, struct tuc_named *out)
{
	for (unsigned i = 0; i < TUC_FIELD_COUNT; i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(tuc_row_table[i].numbers); k++) {
			if (number > 0 && (uint64_t)tuc_row_table[i].numbers[k] == number) {
				*out = (struct tuc_named){ .field = (enum tuc_field)i,
							   .msec = k > 0 };
				return ST_OK;
			}
		}
	}
	return ST_ENOENT;
}

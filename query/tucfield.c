/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tucfield.h"

#include <float.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "common/numlist.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"

#define TUC_DURATION_S_MAX 4294967.295

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* Plain digits at once; everything else, and all complaints, by number_parse(). */
static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out,
			struct err *err)
{
	uint64_t number = 0;
	const char *p = text;

	while (is_digit(*p) && p - text < 18) {
		number = number * 10 + (uint64_t)(*p++ - '0');
	}
	if (p > text && !*p && number >= min && number <= max) {
		*out = number;
		return ST_OK;
	}
	return number_parse(text, min, max, out, err);
}

static void *member(struct tuc_line *line, const struct tuc_row *row)
{
	return (char *)line + row->offset;
}

static int parse_u8(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		    const char *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint8_t *)member(line, row) = (uint8_t)number;
	return st;
}

static int parse_u16(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		     const char *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint16_t *)member(line, row) = (uint16_t)number;
	return st;
}

static int parse_u32(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		     const char *text, struct err *err)
{
	uint64_t number = 0;
	int st = parse_number(text, row->min, row->max, &number, err);

	*(uint32_t *)member(line, row) = (uint32_t)number;
	return st;
}

static int parse_u64(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		     const char *text, struct err *err)
{
	return parse_number(text, row->min, row->max, member(line, row), err);
}

/* Four numbers with dots and nothing else; false: let ip_parse() see. */
static bool parse_quad(const char *text, struct ip *out)
{
	uint32_t address = 0;

	for (int octet = 0; octet < 4; octet++) {
		unsigned number = 0;
		int digits = 0;

		while (digits < 3 && is_digit(*text)) {
			number = number * 10 + (unsigned)(*text++ - '0');
			digits++;
		}
		if (digits == 0 || number > 255 || *text != (octet < 3 ? '.' : '\0')) {
			return false;
		}
		text++;
		address = address << 8 | number;
	}
	*out = ip_from_v4(address);
	return true;
}

static int parse_ip(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		    const char *text, struct err *err)
{
	bool is_v6 = false;
	int st;

	if (parse_quad(text, member(line, row))) {
		return ST_OK;
	}
	st = ip_parse(text, member(line, row), &is_v6, err);
	line->is_v6 |= is_v6;
	return st;
}

static int parse_flags(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		       const char *text, struct err *err)
{
	return tcpflags_parse(text, member(line, row), err);
}

static int parse_attributes(const struct site *site, const struct tuc_row *row,
			    struct tuc_line *line, const char *text, struct err *err)
{
	return attributes_parse(text, member(line, row), err);
}

static int parse_time(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		      const char *text, struct err *err)
{
	int64_t ns = 0;
	int st = timestamp_parse(text, false, &ns, NULL, err);

	*(int64_t *)member(line, row) = ns - ns % NS_PER_MS;
	return st;
}

/* SECONDS[.fraction] of at most three digits, exactly; false: let real_parse() see. */
static bool parse_plain_seconds(const char *text, uint64_t *ms)
{
	uint64_t number = 0;
	unsigned unit = 1000;
	const char *p = text;

	while (is_digit(*p) && p - text < 9) {
		number = number * 10 + (uint64_t)(*p++ - '0');
	}
	if (p == text) {
		return false;
	}
	number *= 1000;
	if (*p == '.') {
		for (p++; is_digit(*p) && unit > 1; p++) {
			unit /= 10;
			number += unit * (unsigned)(*p - '0');
		}
	}
	*ms = number;
	return !*p && number <= TUC_DURATION_MS_MAX;
}

static int parse_duration(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
			  const char *text, struct err *err)
{
	uint64_t ms;
	double seconds = 0;
	int st = ST_OK;

	if (!parse_plain_seconds(text, &ms)) {
		st = real_parse(text, 0, TUC_DURATION_S_MAX, &seconds, err);
		/* what a double lacks to 1.001 is forgiven */
		ms = (uint64_t)floor(seconds * 1000 * (1 + 4 * DBL_EPSILON));
	}
	line->rec.duration_ns = ms * NS_PER_MS;
	return st;
}

static int parse_sensor(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
			const char *text, struct err *err)
{
	int id;

	if (is_digit(*text)) {
		return parse_u16(site, row, line, text, err);
	}
	id = site_sensor_id(site, text);
	line->rec.sensor = id < 0 ? RECORD_NO_SENSOR : (uint16_t)id;
	return ST_OK;
}

static int parse_class(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		       const char *text, struct err *err)
{
	line->class_id = site_class_id(site, text);
	return ST_OK;
}

static int parse_type(const struct site *site, const struct tuc_row *row, struct tuc_line *line,
		      const char *text, struct err *err)
{
	line->type = text;
	return ST_OK;
}

/* clang-format off */
#define AT(member_) .offset = offsetof(struct tuc_line, member_)

const struct tuc_row tuc_row_table[TUC_FIELD_COUNT] = {
	[TUC_SIP] = { "sIP", { NULL }, { 1 }, parse_ip, AT(rec.sip) },
	[TUC_DIP] = { "dIP", { NULL }, { 2 }, parse_ip, AT(rec.dip) },
	[TUC_SPORT] = { "sPort", { NULL }, { 3 }, parse_u16, AT(rec.sport), .max = UINT16_MAX },
	[TUC_DPORT] = { "dPort", { NULL }, { 4 }, parse_u16, AT(rec.dport), .max = UINT16_MAX },
	[TUC_PROTOCOL] = { "protocol", { NULL }, { 5 }, parse_u8, AT(rec.protocol), .max = UINT8_MAX },
	[TUC_PACKETS] = { "packets", { "pkts" }, { 6 }, parse_u64, AT(rec.packets), .min = 1, .max = UINT32_MAX },
	[TUC_BYTES] = { "bytes", { NULL }, { 7 }, parse_u64, AT(rec.bytes), .min = 1, .max = UINT32_MAX },
	[TUC_FLAGS] = { "flags", { NULL }, { 8 }, parse_flags, AT(rec.flags) },
	[TUC_STIME] = { "sTime", { "sTime+msec" }, { 9, 22 }, parse_time, AT(rec.start_ns) },
	[TUC_DURATION] = { "duration", { "dur", "dur+msec" }, { 10, 24 }, parse_duration, AT(rec.duration_ns) },
	[TUC_ETIME] = { "eTime", { "eTime+msec" }, { 11, 23 }, parse_time, AT(end_ns) },
	[TUC_SENSOR] = { "sensor", { NULL }, { 12 }, parse_sensor, AT(rec.sensor), .max = RECORD_NO_SENSOR - 1 },
	[TUC_IN] = { "in", { NULL }, { 13 }, parse_u32, AT(rec.input), .max = UINT16_MAX },
	[TUC_OUT] = { "out", { NULL }, { 14 }, parse_u32, AT(rec.output), .max = UINT16_MAX },
	[TUC_NHIP] = { "nhIP", { NULL }, { 15 }, parse_ip, AT(rec.nhip) },
	[TUC_INITIAL_FLAGS] = { "initialFlags", { NULL }, { 26 }, parse_flags, AT(rec.initial_flags) },
	[TUC_SESSION_FLAGS] = { "sessionFlags", { NULL }, { 27 }, parse_flags, AT(rec.session_flags) },
	[TUC_ATTRIBUTES] = { "attributes", { NULL }, { 28 }, parse_attributes, AT(rec.state) },
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

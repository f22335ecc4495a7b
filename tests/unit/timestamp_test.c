/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <glib.h>

#include "tests/unit/unit.h"

#define T2009 (INT64_C(1234396800) * NS_PER_S) /* 2009-02-12 00:00:00 */
#define HMS   (INT64_C(47655) * NS_PER_S)      /* 13:14:15 */

static void test_parse(void)
{
	static const struct {
		const char *text;
		int64_t ns;
		enum timestamp_precision precision;
	} cases[] = {
		{ "2009/02/12", T2009, TIMESTAMP_TO_DAY },
		{ " 2009/02/12 ", T2009, TIMESTAMP_TO_DAY },
		{ "2009/2/12", T2009, TIMESTAMP_TO_DAY },
		{ "2009/002/0012", T2009, TIMESTAMP_TO_DAY },
		{ "2009/02/12:", T2009, TIMESTAMP_TO_DAY },
		{ "2009/02/12T", T2009, TIMESTAMP_TO_DAY },
		{ "2009/02/12:00", T2009, TIMESTAMP_TO_HOUR },
		{ "2009/02/12:13", T2009 + 13 * NS_PER_HOUR, TIMESTAMP_TO_HOUR },
		{ "2009/02/12T13", T2009 + 13 * NS_PER_HOUR, TIMESTAMP_TO_HOUR },
		{ "2009/02/12:13:", T2009 + 13 * NS_PER_HOUR, TIMESTAMP_TO_HOUR },
		{ "2009/02/12:13:14", T2009 + HMS - 15 * NS_PER_S, TIMESTAMP_TO_MINUTE },
		{ "2009/02/12:13:14:15", T2009 + HMS, TIMESTAMP_TO_SECOND },
		{ "2009/02/12T13:14:15", T2009 + HMS, TIMESTAMP_TO_SECOND },
		{ "2009/02/12T13:14:15.", T2009 + HMS, TIMESTAMP_TO_FRACTION },
		{ "2009/02/12T13:14:15.6", T2009 + HMS + 600000000, TIMESTAMP_TO_FRACTION },
		{ "2009/02/12T13:14:15.678", T2009 + HMS + 678000000, TIMESTAMP_TO_FRACTION },
		{ "2009/02/12T13:14:15.123456789987", T2009 + HMS + 123456789,
		  TIMESTAMP_TO_FRACTION },
		{ "2009-02-12", T2009, TIMESTAMP_TO_DAY },
		{ "2009-02-12T13", T2009 + 13 * NS_PER_HOUR, TIMESTAMP_TO_HOUR },
		{ "2009-02-12T13:14:15.5Z", T2009 + HMS + 500000000, TIMESTAMP_TO_FRACTION },
		{ "2009-02-12 13:14:15", T2009 + HMS, TIMESTAMP_TO_SECOND },
		{ "2009-02-12 ", T2009, TIMESTAMP_TO_DAY },
		{ "1234396800", T2009, TIMESTAMP_TO_EPOCH },
		{ "01234396800", T2009, TIMESTAMP_TO_EPOCH },
		{ "1234396800.123", T2009 + 123000000, TIMESTAMP_TO_FRACTION },
		{ "1234396800.0", T2009, TIMESTAMP_TO_FRACTION },
		{ "536870912", INT64_C(536870912) * NS_PER_S, TIMESTAMP_TO_EPOCH },
		{ "2147483647", INT64_C(2147483647) * NS_PER_S, TIMESTAMP_TO_EPOCH },
		{ "1970/01/01", 0, TIMESTAMP_TO_DAY },
		{ "2008/02/29", INT64_C(1204243200) * NS_PER_S, TIMESTAMP_TO_DAY },
		{ "2000/02/29", INT64_C(951782400) * NS_PER_S, TIMESTAMP_TO_DAY },
		{ "2039/12/31T23:59:59", INT64_C(2208988799) * NS_PER_S, TIMESTAMP_TO_SECOND },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		enum timestamp_precision precision = TIMESTAMP_TO_DAY;
		struct err err = { 0 };
		int64_t ns = -1;

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(timestamp_parse(cases[i].text, false, &ns, &precision, &err),
				ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		CU_ASSERT_EQUAL(ns, cases[i].ns);
		CU_ASSERT_EQUAL(precision, cases[i].precision);
		CU_ASSERT_EQUAL(timestamp_parse(cases[i].text, false, &ns, NULL, NULL), ST_OK);
	}
}

static void test_parse_errors(void)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "Input is empty or all whitespace" },
		{ "abc", "Unexpected character 'a'" },
		{ "-1", "Unexpected character '-'" },
		{ "+1", "Unexpected character '+'" },
		{ "0", "Year value (0) out of range: use 1970 <= year <= 2039" },
		{ "1e9", "Year value (1) out of range: use 1970 <= year <= 2039" },
		{ "02/12/2009", "Year value (2) out of range: use 1970 <= year <= 2039" },
		{ "99999999", "Year value (99999999) out of range: use 1970 <= year <= 2039" },
		{ "20090212", "Year value (20090212) out of range: use 1970 <= year <= 2039" },
		{ "1969/12/31", "Year value (1969) out of range: use 1970 <= year <= 2039" },
		{ "2040/01/01", "Year value (2040) out of range: use 1970 <= year <= 2039" },
		{ "100000000",
		  "Epoch value (100000000) out of range: use 536870912 <= epoch <= 2147483647" },
		{ "536870911",
		  "Epoch value (536870911) out of range: use 536870912 <= epoch <= 2147483647" },
		{ "2147483648",
		  "Epoch value (2147483648) out of range: use 536870912 <= epoch <= 2147483647" },
		{ "00000002009/02/12",
		  "Epoch value (2009) out of range: use 536870912 <= epoch <= 2147483647" },
		{ "99999999999999999999999", "Value overflows the parser" },
		{ "2009/99999999999999999999/1", "Value overflows the parser" },
		{ "1234396800.", "Unexpected character '.'" },
		{ "51.1064728",
		  "Epoch value (51) out of range: use 536870912 <= epoch <= 2147483647" },
		{ "481.843", "Year value (481) out of range: use 1970 <= year <= 2039" },
		{ "1234396800.x", "Unexpected character '.'" },
		{ "1234396800x", "Unexpected character 'x'" },
		{ "1234396800 x", "Unexpected character 'x'" },
		{ "2009", "Date '2009' does not have at least day precision" },
		{ "2009/", "Date '2009/' does not have at least day precision" },
		{ "2009/02", "Date '2009/02' does not have at least day precision" },
		{ "2009/02/", "Date '2009/02/' does not have at least day precision" },
		{ "2009//12", "Unexpected character '/'" },
		{ "2009/13/01", "Month value (13) out of range: use 1 <= month <= 12" },
		{ "2009/0x", "Month value (0) out of range: use 1 <= month <= 12" },
		{ "2009/02/00", "Day value (0) out of range: use 1 <= day <= 28" },
		{ "2009/02/29", "Day value (29) out of range: use 1 <= day <= 28" },
		{ "2008/02/30", "Day value (30) out of range: use 1 <= day <= 29" },
		{ "2009/04/31", "Day value (31) out of range: use 1 <= day <= 30" },
		{ "2009/12/32", "Day value (32) out of range: use 1 <= day <= 31" },
		{ "2009/02/12:24", "Hour value (24) out of range: use 0 <= hour <= 23" },
		{ "2009/02/12:23:60", "Minute value (60) out of range: use 0 <= minute <= 59" },
		{ "2009/02/12:23:59:60", "Second value (60) out of range: use 0 <= second <= 59" },
		{ "2009/02/12x", "Unexpected character 'x'" },
		{ "2009/02/12t13", "Unexpected character 't'" },
		{ "2009/02/12/13", "Unexpected character '/'" },
		{ "2009/02/12 x", "Unexpected character ' '" },
		{ "2009/02/12 13", "Unexpected character ' '" },
		{ "2009/02/12 :13", "Unexpected character ' '" },
		{ "2009/02/12::14", "Unexpected character ':'" },
		{ "2009/02/12T:14", "Unexpected character ':'" },
		{ "2009/02/12:13T14", "Unexpected character 'T'" },
		{ "2009/02/12:13.5", "Unexpected character '.'" },
		{ "2009/02/12T13:14:15:", "Unexpected character ':'" },
		{ "2009/02/12T13:14:15.x", "Unexpected character 'x'" },
		{ "2009/02/12T13:14:15Z", "Unexpected character 'Z'" },
		{ "2009/02-12", "Unexpected character '-'" },
		{ "2009-02/12", "Unexpected character '/'" },
		{ "2009-02-12  13", "Unexpected character ' '" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct err err = { 0 };
		int64_t ns = -1;

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(timestamp_parse(cases[i].text, false, &ns, NULL, &err), ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].reason);
		CU_ASSERT_EQUAL(ns, -1);
	}
}

static void test_range(void)
{
	const int64_t ms = NS_PER_MS;
	const int64_t s = NS_PER_S;
	const int64_t day = 24 * NS_PER_HOUR;
	const struct {
		const char *text;
		int64_t first, last; /* after T2009 */
		const char *reason;
	} cases[] = {
		{ "2009/02/12", 0, ms - 1, NULL },
		{ "2009/02/12-", 0, ms - 1, NULL },
		{ "1234396800", 0, ms - 1, NULL },
		{ "2009/02/12:00:00:00.9", 900 * ms, 901 * ms - 1, NULL },
		{ "2009/02/12:00:00:00.123456", 123456000, 123456000, NULL },
		{ "2009/02/12-2009/02/12", 0, day - 1, NULL },
		{ "2009/02/12 - 2009/02/13", 0, 2 * day - 1, NULL },
		{ "2009/02/12:01-2009/02/12:01", NS_PER_HOUR, 2 * NS_PER_HOUR - 1, NULL },
		{ "2009/02/12-2009/02/12:00:00", 0, 60 * s - 1, NULL },
		{ "2009/02/12-2009/02/12:00:00:", 0, 60 * s - 1, NULL },
		{ "2009/02/12-2009/02/12:00:00:01", 0, 2 * s - 1, NULL },
		{ "2009/02/12-2009/02/12:00:00:01.", 0, s + ms - 1, NULL },
		{ "2009/02/12-2009/02/12:00:00:00.5", 0, 501 * ms - 1, NULL },
		{ "2009/02/12-1234396801", 0, 2 * s - 1, NULL },
		{ "1234396800.5-1234396800.51", 500 * ms, 511 * ms - 1, NULL },
		{ "1234396800.0-1234396800.0", 0, ms - 1, NULL },
		{ "2009-02-12-2009-02-13", 0, 2 * day - 1, NULL },
		{ "2009-02-12T01:00:00Z-2009/02/12", NS_PER_HOUR, day - 1, NULL },
		{ "2009-02-12", 0, ms - 1, NULL },
		{ "", 0, 0, "Input is empty or all whitespace" },
		{ "-2009/02/12", 0, 0, "Input is empty or all whitespace" },
		{ "2009/02/12-2009/02/11", 0, 0, "Range is invalid (min > max)" },
		{ "2009/02/12-2009/02/13-2009", 0, 0, "Unexpected character '-'" },
		{ "2009/02/12T13-14", 0, 0,
		  "Year value (14) out of range: use 1970 <= year <= 2039" },
		{ "2009-2010", 0, 0, "Date '2009' does not have at least day precision" },
		{ "x-2009/02/12", 0, 0, "Unexpected character 'x'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct err err = { 0 };
		int64_t first = T2009;
		int64_t last = T2009;
		int st;

		unit_at("%s", cases[i].text);
		st = timestamp_parse_range(cases[i].text, false, &first, &last, &err);
		CU_ASSERT_EQUAL(st, cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		CU_ASSERT_EQUAL(first - T2009, cases[i].first);
		CU_ASSERT_EQUAL(last - T2009, cases[i].last);
	}
}

/* Every line of the data file: what SiLK's rwcut prints. */
static void test_print(void)
{
	FILE *file = fopen(unit_path("tests/data/timestamp-formats.txt"), "r");
	char line[256];
	int checked = 0;

	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file)) {
		char names[64], time[64], expected[64], text[TIMESTAMP_TEXT_MAX];
		unsigned format;
		int64_t ns;

		if (line[0] == '#' ||
		    sscanf(line, "%63[^|]|%63[^|]|%63[^\n]", names, time, expected) != 3) {
			continue;
		}
		unit_at("%s %s", names, time);
		CU_ASSERT_EQUAL(timestamp_format_parse(names, &format, NULL), ST_OK);
		CU_ASSERT_EQUAL(timestamp_parse(time, false, &ns, NULL, NULL), ST_OK);
		memset(text, 'x', sizeof(text));
		CU_ASSERT_EQUAL(timestamp_print(text, ns, format), strlen(expected));
		UNIT_ASSERT_STR(text, expected);
		CU_ASSERT((int)strlen(text) <= timestamp_print_width(format));
		checked++;
	}
	fclose(file);
	setenv("TZ", "UTC", 1);
	tzset();
	CU_ASSERT(checked > 500);
}

static void test_print_ours(void)
{
	static const struct {
		const char *names;
		const char *text;
	} cases[] = {
		{ "rfc3339", "2009-02-12T13:14:15.123Z" },
		{ "rfc3339,no-msec", "2009-02-12T13:14:15Z" },
		{ "frac-micro", "2009/02/12T13:14:15.123456" },
		{ "frac-nano,epoch", "1234444455.123456789" },
		{ "r,frac-n", "2009-02-12T13:14:15.123456789Z" },
	};
	char text[TIMESTAMP_TEXT_MAX];
	unsigned format;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("%s", cases[i].names);
		CU_ASSERT_EQUAL(timestamp_format_parse(cases[i].names, &format, NULL), ST_OK);
		CU_ASSERT_EQUAL((int)timestamp_print(text, T2009 + HMS + 123456789, format),
				timestamp_print_width(format));
		UNIT_ASSERT_STR(text, cases[i].text);
	}
	/* before the epoch, and the ends of int64 */
	timestamp_print(text, -1, TIMESTAMP_DEFAULT | TIMESTAMP_NANO);
	UNIT_ASSERT_STR(text, "1969/12/31T23:59:59.999999999");
	timestamp_print(text, INT64_MIN, TIMESTAMP_ISO);
	UNIT_ASSERT_STR(text, "1677-09-21 00:12:43.145");
	timestamp_print(text, INT64_MAX, TIMESTAMP_ISO);
	UNIT_ASSERT_STR(text, "2262-04-11 23:47:16.854");
}

/* As without the memory, whatever came before: steps of up to two minutes, and ends. */
static void test_print_near(void)
{
	static const unsigned bits[] = { 0, TIMESTAMP_NO_MSEC, TIMESTAMP_MICRO, TIMESTAMP_LOCAL };
	static const int64_t ends[] = { INT64_MIN, INT64_MIN + 59 * NS_PER_S, -1, 0, INT64_MAX };
	struct timestamp_memo memo = { 0 };
	GRand *rand = g_rand_new_with_seed(7);
	int64_t ns = T2009;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned format = g_rand_int_range(rand, 0, TIMESTAMP_ISO_8601 + 1) |
				  bits[g_rand_int_range(rand, 0, G_N_ELEMENTS(bits))];
		char expected[TIMESTAMP_TEXT_MAX], text[TIMESTAMP_TEXT_MAX];
		int64_t at = i % 50 ? ns : ends[i / 50 % G_N_ELEMENTS(ends)];

		ns += (int64_t)(g_rand_double_range(rand, -120, 120) * NS_PER_S);
		unit_at("%" PRId64 " as %u", at, format);
		CU_ASSERT_EQUAL(timestamp_print_near(&memo, text, at, format),
				timestamp_print(expected, at, format));
		UNIT_ASSERT_STR(text, expected);
	}
	g_rand_free(rand);
}

static void test_local(void)
{
	int64_t ns;

	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	CU_ASSERT_EQUAL(timestamp_parse("2009/02/12", true, &ns, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(ns, T2009 + 5 * NS_PER_HOUR);
	CU_ASSERT_EQUAL(timestamp_parse("2026/07/04:12", true, &ns, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(ns, INT64_C(1783180800) * NS_PER_S);
	setenv("TZ", "UTC", 1);
	tzset();
}

/* parse(print(x)) == x for every format that SiLK or we read; the C library agrees on the date. */
static void test_print_and_parse(void)
{
	static const unsigned formats[] = {
		TIMESTAMP_DEFAULT | TIMESTAMP_NANO,
		TIMESTAMP_ISO | TIMESTAMP_NANO,
		TIMESTAMP_ISO_8601 | TIMESTAMP_NANO,
	};
	GRand *random = g_rand_new_with_seed(11);

	for (int i = 0; i < 20000; i++) {
		int64_t ns = (int64_t)g_rand_double_range(random, 0, 2208988800.0) * NS_PER_S +
			     g_rand_int_range(random, 0, 1000000000);
		time_t seconds = (time_t)(ns / NS_PER_S);
		char text[TIMESTAMP_TEXT_MAX];
		char reference[TIMESTAMP_TEXT_MAX];
		struct tm tm;
		int64_t back;

		for (size_t j = 0; j < G_N_ELEMENTS(formats); j++) {
			timestamp_print(text, ns, formats[j]);
			unit_at("%s", text);
			CU_ASSERT_EQUAL(timestamp_parse(text, false, &back, NULL, NULL), ST_OK);
			CU_ASSERT_EQUAL(back, ns);
		}
		gmtime_r(&seconds, &tm);
		strftime(reference, sizeof(reference), "%Y/%m/%dT%H:%M:%S", &tm);
		timestamp_print(text, ns, TIMESTAMP_DEFAULT | TIMESTAMP_NO_MSEC);
		UNIT_ASSERT_STR(text, reference);
	}
	g_rand_free(random);
}

static void test_format_parse(void)
{
	static const struct {
		const char *text;
		unsigned format;
		const char *reason;
	} cases[] = {
		{ "DEF", TIMESTAMP_DEFAULT, NULL },
		{ "i", TIMESTAMP_ISO, NULL },
		{ "m", TIMESTAMP_MDY, NULL },
		{ "m/d", TIMESTAMP_MDY, NULL },
		{ "e,n", TIMESTAMP_EPOCH | TIMESTAMP_NO_MSEC, NULL },
		{ "utc", TIMESTAMP_DEFAULT, NULL },
		{ "local,no-msec", TIMESTAMP_LOCAL | TIMESTAMP_NO_MSEC, NULL },
		{ "def,def", 0, "Duplicate name 'def'" },
		{ "default,iso", 0, "May only specify one of default,iso,m/d/y,epoch" },
		{ "utc,local", 0, "May only specify one of utc,local" },
		{ "frac-micro,frac-nano", 0,
		  "May only specify one of no-msec,frac-micro,frac-nano" },
		{ "no-msec,frac-nano", 0, "May only specify one of no-msec,frac-micro,frac-nano" },
		{ "n,x", 0, "No match was found for the field 'x'" },
		{ "default, utc", 0,
		  "No match was found for the field ' utc'; did you mean 'utc'?" },
		{ "frac", 0, "The field 'frac' matches multiple names" },
		{ "", 0, "Field list is empty" },
		{ ",", TIMESTAMP_DEFAULT, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unsigned format = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(timestamp_format_parse(cases[i].text, &format, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(format, cases[i].format);
	}
}

/* As timestamp_parse(), whatever is remembered; the memo has met the minute of the first ones. */
static void test_read_usual(void)
{
	static const struct {
		const char *text;
		bool good;
	} reads[] = {
		{ "2009/02/12T13:14:15.678|", true },  { "2009/02/12T13:14:59.999|", true },
		{ "2009/02/12T13:14:00.000|", true },  { "2009/02/12T13:14:60.000|", false },
		{ "2009/02/12T13:14:1x.000|", false }, { "2009/02/12T13:14:11.00:|", false },
		{ "2009/02/12T13:14:11/000|", false }, { "2009/02/12T13:14;11.000|", false },
		{ "2009/02/12:13:14:15.678|", true },  { "2009/02/12:13:24:15.678|", true },
		{ "2009/02/12T13:14:15.677|", true },  { "2009/02/30T13:14:15.678|", false },
		{ "2009/02/30T13:14:15.678|", false }, { "2009/02/12T13:15:15.678|", true },
	};
	struct timestamp_read_memo memo = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
		char *text = g_strndup(reads[i].text, TIMESTAMP_USUAL_LENGTH);
		int64_t expected = 0, ns = 0;

		unit_at("%s", text);
		CU_ASSERT_EQUAL(timestamp_read_usual(&memo, reads[i].text, &ns), reads[i].good);
		if (reads[i].good) {
			CU_ASSERT_EQUAL(timestamp_parse(text, false, &expected, NULL, NULL), ST_OK);
			CU_ASSERT_EQUAL(ns, expected);
		}
		g_free(text);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "parse", test_parse },
		{ "parse errors", test_parse_errors },
		{ "read the usual form", test_read_usual },
		{ "range", test_range },
		{ "print as SiLK", test_print },
		{ "print our own formats", test_print_ours },
		{ "print near others", test_print_near },
		{ "local zone", test_local },
		{ "print and parse", test_print_and_parse },
		{ "format names", test_format_parse },
		{ NULL, NULL },
	};

	return unit_run("timestamp", cases);
}

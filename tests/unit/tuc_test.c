/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuc.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "query/tuclines.h"
#include "tests/unit/unit.h"

/* 2024/03/05T06:07:08.901999999 */
#define NOW_NS INT64_C(1709618828901999999)

struct tuc_case {
	const char *columns;
	const char *line;
	const char *expected; /* the record by describe(), or the reason of failure */
};

static void add_ip(GString *text, struct ip ip, bool is_v6)
{
	char buffer[IP_TEXT_MAX];

	ip_print(buffer, ip, is_v6, IP_CANONICAL);
	g_string_append_printf(text, "%s ", buffer);
}

/* Addresses if one is set, then every other member that is not its default. */
static char *describe(const struct record *rec)
{
	GString *text = g_string_new(NULL);
	bool is_v6 = record_is_ipv6(rec);

	add_ip(text, rec->sip, is_v6);
	add_ip(text, rec->dip, is_v6);
	add_ip(text, rec->nhip, is_v6);
	g_string_append_printf(text, "%u:%u p%u %llu/%llu", rec->sport, rec->dport, rec->protocol,
			       (unsigned long long)rec->packets, (unsigned long long)rec->bytes);
	if (rec->start_ns != NOW_NS - NOW_NS % NS_PER_MS) {
		g_string_append_printf(text, " at%lld", (long long)(rec->start_ns / NS_PER_MS));
	}
	if (rec->duration_ns) {
		g_string_append_printf(text, " for%llu",
				       (unsigned long long)(rec->duration_ns / NS_PER_MS));
	}
	if (rec->flags || rec->initial_flags || rec->session_flags) {
		g_string_append_printf(text, " f%02x/%02x/%02x", rec->flags, rec->initial_flags,
				       rec->session_flags);
	}
	if (rec->state) {
		g_string_append_printf(text, " s%02x", rec->state);
	}
	if (rec->input || rec->output || rec->application) {
		g_string_append_printf(text, " i%u o%u a%u", rec->input, rec->output,
				       rec->application);
	}
	if (rec->sensor || rec->flowtype) {
		g_string_append_printf(text, " %u@%u", rec->flowtype, rec->sensor);
	}
	return g_string_free(text, FALSE);
}

/* What became of each was asked of SiLK 3.22.1. */
static const struct tuc_case cases[] = {
	{ "sIP", "1.2.3.4", "1.2.3.4 0.0.0.0 0.0.0.0 0:0 p0 1/1" },
	{ "sIP", " 1.2.3.4 |", "1.2.3.4 0.0.0.0 0.0.0.0 0:0 p0 1/1" },
	{ "sIP", "1.2.3.4||", "Too many fields on line: text follows delimiter number 1" },
	{ "sIP", "1.2.3.4|  ", "1.2.3.4 0.0.0.0 0.0.0.0 0:0 p0 1/1" },
	{ "sIP,dIP", "1.2.3.4", "Too few fields on line: found 1 of 2 expected" },
	{ "sIP,dIP", "1.2.3.4|", "Invalid dIP ''" },
	{ "sIP", "16909060", "1.2.3.4 0.0.0.0 0.0.0.0 0:0 p0 1/1" },
	{ "sIP", "1.2.3", "Invalid sIP '1.2.3'" },
	{ "sIP", "1.2.3.256", "Invalid sIP '1.2.3.256'" },
	{ "sIP", "1.2.3.4.5", "Invalid sIP '1.2.3.4.5'" },
	{ "sip,dip,nhip", "1.2.3.4|2001:db8::1|5.6.7.8",
	  "::ffff:1.2.3.4 2001:db8::1 ::ffff:5.6.7.8 0:0 p0 1/1 s80" },
	{ "1,2,15", "1.2.3.4|1.2.3.4|::", "::ffff:1.2.3.4 ::ffff:1.2.3.4 :: 0:0 p0 1/1 s80" },
	{ "3-4,proto", "65535|007|+255", "0.0.0.0 0.0.0.0 0.0.0.0 65535:7 p255 1/1" },
	{ "sport", "65536", "Invalid sPort '65536'" },
	{ "sport", "0x7", "Invalid sPort '0x7'" },
	{ "sport", "|", "Invalid sPort ''" },
	{ "proto", "256", "Invalid protocol '256'" },
	{ "pkts", "7", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 7/7" },
	{ "bytes", "7", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/7" },
	{ "bytes,pkts", "4294967295|2", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 2/4294967295" },
	{ "bytes", "0", "Invalid bytes '0'" },
	{ "pkts", "4294967296", "Invalid packets '4294967296'" },
	{ "flags", "S A", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 f12/00/00" },
	{ "flags", "-", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 fff/00/00" },
	{ "flags", "X", "Invalid flags 'X'" },
	{ "proto,flags,initialF,sess", "6|F|S|A",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p6 1/1 f12/02/10 s01" },
	{ "proto,flags,26,27", "6|F|S|", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p6 1/1 f02/02/00 s01" },
	{ "proto,flags,26,27", "6|F|S", "Too few" },
	{ "proto,flags,26,27", "6|F|S||", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p6 1/1 f02/02/00 s01" },
	{ "proto,flags,26,27", "6|F|||", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p6 1/1 f01/00/00" },
	{ "proto,flags,26,27", "17|F|S|A", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p17 1/1 f01/00/00" },
	{ "stime", "2020/01/01T00:00:00.9999",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1577836800999" },
	{ "stime", "1600000000.5", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1600000000500" },
	{ "stime", "2020", "Invalid sTime '2020'" },
	/* as rwcut --timestamp-format=m/d/y prints it */
	{ "stime", "09/13/2020 12:26:40.5", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1600000000500" },
	{ "stime,etime", " 09/13/2020 12:26|09/13/2020 12:27:1",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1599999960000 for61000" },
	{ "stime", "9/13/2020 12:26:40", "Invalid sTime '9/13/2020 12:26:40'" },
	{ "stime", "13/09/2020 12:26:40", "Invalid sTime '13/09/2020 12:26:40'" },
	{ "stime", "09/13/2020", "Invalid sTime '09/13/2020'" },
	{ "stime", "09/13/2020  12:26:40", "Invalid sTime '09/13/2020  12:26:40'" },
	{ "dur", "1.001", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 for1001" },
	{ "dur", "1.0019999", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 for1001" },
	{ "dur", "4.1e1", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 for41000" },
	{ "dur", ".5", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 for500" },
	{ "dur", "4294967.295", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 for4294967295" },
	{ "dur", "4294967.296", "Invalid duration '4294967.296'" },
	{ "dur", "-1", "Invalid duration '-1'" },
	{ "stime,etime", "1600000000|1600000001.5",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1600000000000 for1500" },
	{ "stime,etime", "1600000001|1600000000", "End time less than start time" },
	{ "stime,etime", "2000/01/01|2020/01/01", "Computed duration too large" },
	{ "etime", "1600000000", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1600000000000" },
	{ "etime,dur", "1600000000|1",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1599999999000 for1000" },
	{ "stime,etime,dur", "1600000000|x|1",
	  "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 at1600000000000 for1000" },
	{ "sensor", "S1", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 0@1" },
	{ "sensor", "s1", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 0@65535" },
	{ "sensor", "1234", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 0@1234" },
	{ "sensor", "65535", "Invalid sensor '65535'" },
	{ "class,type", "all|outweb", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 3@0" },
	{ "class,type", "no|outweb", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 255@0" },
	{ "type", "outweb", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 3@0" },
	{ "type", "no", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 255@0" },
	{ "class", "no", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1" },
	{ "in,out,app", "1|65535|443", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 i1 o65535 a443" },
	{ "in", "65536", "Invalid in '65536'" },
	{ "attrib", "TCFS", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 s78" },
	{ "attrib", "-", "0.0.0.0 0.0.0.0 0.0.0.0 0:0 p0 1/1 s78" },
	{ "attrib", "X", "Invalid attributes 'X'" },
	{ "proto,itype,icode,dport", "1|3|4|9", "0.0.0.0 0.0.0.0 0.0.0.0 0:772 p1 1/1" },
	{ "proto,itype,icode,dport", "58|3|4|9", "0.0.0.0 0.0.0.0 0.0.0.0 0:772 p58 1/1" },
	{ "proto,itype,icode,dport", "6|3|4|9", "0.0.0.0 0.0.0.0 0.0.0.0 0:9 p6 1/1" },
	{ "sip,ignore,ignore,dport", "1.2.3.4|x||9", "1.2.3.4 0.0.0.0 0.0.0.0 0:9 p0 1/1" },
};

static struct site *load_site(void)
{
	struct site *site = NULL;

	CU_ASSERT_EQUAL_FATAL(site_load(&site, unit_path("conf/silk.conf"), NULL), ST_OK);
	return site;
}

static void check(struct tuc *tuc, const char *line, const char *expected)
{
	size_t len = strlen(line);
	char *copy = g_malloc(len + TUCLINES_SLACK);
	struct tuclines *lines = tuclines_new(tuc);
	struct tuc_line parsed;
	struct err err = { 0 };

	memcpy(copy, line, len);
	tuclines_begin(lines, copy, len);
	if (tuclines_next(lines, NOW_NS, &parsed, &err) == ST_OK) {
		char *text = describe(&parsed.rec);

		UNIT_ASSERT_STR(text, expected);
		g_free(text);
	} else if (!g_str_has_prefix(err.text, expected)) {
		UNIT_ASSERT_STR(err.text, expected);
	}
	CU_ASSERT_EQUAL(memcmp(copy, line, len), 0);
	tuclines_free(lines);
	g_free(copy);
}

static void test_lines(void)
{
	struct site *site = load_site();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tuc *tuc = tuc_new(site, '|');
		struct err err = { 0 };

		unit_at("%s: %s", cases[i].columns, cases[i].line);
		CU_ASSERT_EQUAL(tuc_set_columns(tuc, cases[i].columns, &err), ST_OK);
		check(tuc, cases[i].line, cases[i].expected);
		tuc_free(tuc);
	}
	site_free(site);
}

static void test_columns(void)
{
	static const struct {
		const char *list;
		int st;
	} lists[] = {
		{ "1-15,20-24", ST_EINVAL }, /* 22 is sTime again */
		{ "1-15,20,21,26-29,itype,icode", ST_OK },
		{ "sip,foo", ST_EINVAL },
		{ "s", ST_EINVAL },
		{ "sip,sIP", ST_EINVAL },
		{ "16", ST_EINVAL },
		{ "3-1", ST_EINVAL },
		{ "", ST_EINVAL },
		{ ",", ST_EINVAL },
		{ "initialFlags", ST_ENOENT },
		{ "iType", ST_ENOENT },
		{ "22,24", ST_OK },
		{ "in,init,sess", ST_OK },
	};
	struct site *site = load_site();

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		struct tuc *tuc = tuc_new(site, '|');

		unit_at("%s", lists[i].list);
		CU_ASSERT_EQUAL(tuc_set_columns(tuc, lists[i].list, NULL), lists[i].st);
		tuc_free(tuc);
	}
	site_free(site);
}

static void test_titles(void)
{
	struct site *site = load_site();
	struct tuc *tuc = tuc_new(site, ',');
	char good[] = " sIP ,  PACKETS, pro,";
	char bad[] = "sIP,what";

	CU_ASSERT_EQUAL(tuc_read_titles(tuc, good, NULL), ST_OK);
	check(tuc, "1.2.3.4, 5, 6", "1.2.3.4 0.0.0.0 0.0.0.0 0:0 p6 5/5");
	CU_ASSERT_EQUAL(tuc_read_titles(tuc, bad, NULL), ST_EINVAL);
	CU_ASSERT_TRUE(tuc_is_title(tuc, "x,stime"));
	CU_ASSERT_TRUE(tuc_is_title(tuc, "  SIP"));
	CU_ASSERT_TRUE(tuc_is_title(tuc, "F,7"));
	CU_ASSERT_FALSE(tuc_is_title(tuc, "S,5"));
	CU_ASSERT_FALSE(tuc_is_title(tuc, "5,6,7"));
	CU_ASSERT_FALSE(tuc_is_title(tuc, ""));
	tuc_free(tuc);
	site_free(site);
}

static void test_fixed(void)
{
	struct site *site = load_site();
	struct tuc *tuc = tuc_new(site, '|');

	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_PROTOCOL, false, "17", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_DIP, false, "2001:db8::1", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_DURATION, true, "9", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_BYTES, false, "0", NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_BYTES, false, "40", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "sip,proto", NULL), ST_OK);
	check(tuc, "1.2.3.4|x",
	      "::ffff:1.2.3.4 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for9000 s80");
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "dur", NULL), ST_OK);
	check(tuc, "2", "::ffff:0.0.0.0 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for2000 s80");
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "dur+msec", NULL), ST_OK);
	check(tuc, "2", "::ffff:0.0.0.0 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for9000 s80");
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "24", NULL), ST_OK);
	check(tuc, "2", "::ffff:0.0.0.0 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for9000 s80");
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_DURATION, false, "8", NULL), ST_OK);
	check(tuc, "2", "::ffff:0.0.0.0 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for8000 s80");
	CU_ASSERT_EQUAL(tuc_set_columns(tuc, "dur+msec", NULL), ST_OK);
	check(tuc, "2", "::ffff:0.0.0.0 2001:db8::1 ::ffff:0.0.0.0 0:0 p17 1/40 for2000 s80");
	CU_ASSERT_EQUAL(tuc_check_fixed(tuc, NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_TYPE, false, "outweb", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_check_fixed(tuc, NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_fix(tuc, TUC_CLASS, false, "none", NULL), ST_OK);
	CU_ASSERT_EQUAL(tuc_check_fixed(tuc, NULL), ST_EINVAL);
	UNIT_ASSERT_STR(tuc_field_name(TUC_INITIAL_FLAGS), "initialFlags");
	tuc_free(tuc);
	site_free(site);
}

static const struct unit_case unit_cases[] = {
	{ "lines", test_lines },
	{ "lists of columns", test_columns },
	{ "titles", test_titles },
	{ "fixed values", test_fixed },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("tuc", unit_cases);
}

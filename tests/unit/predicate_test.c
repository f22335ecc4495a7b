/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/predicate.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "query/predicaterow.h"
#include "storage/ipset.h"
#include "tests/unit/unit.h"

static struct ip address(const char *text)
{
	struct ip ip = { 0, 0 };
	bool is_v6;

	CU_ASSERT_EQUAL(ip_parse(text, &ip, &is_v6, NULL), ST_OK);
	return ip;
}

static int64_t moment(const char *text)
{
	int64_t ns = 0;

	CU_ASSERT_EQUAL(timestamp_parse(text, false, &ns, NULL, NULL), ST_OK);
	return ns;
}

/*
 * The records of all cases. By row:
 *	0 TCP, S then FPA, timed out	1 ICMP echo, no time	2 IPv6 UDP, the longest time
 *	3 ICMPv6 in IPv6, mapped addresses	4 protocol 58 in IPv4	5 TCP, interface above 65535
 */
static struct batch *make_batch(void)
{
	static const struct record plain[] = {
		{ .sport = 49152,
		  .dport = 443,
		  .protocol = 6,
		  .packets = 10,
		  .bytes = 4321,
		  .flags = 0x1b,
		  .initial_flags = 0x02,
		  .session_flags = 0x19,
		  .state = RECORD_TIMEOUT | RECORD_EXPANDED,
		  .application = 443,
		  .input = 11,
		  .output = 22,
		  .sensor = 1,
		  .flowtype = 3,
		  .duration_ns = UINT64_C(12345) * NS_PER_MS },
		{ .dport = 0x0800, .protocol = 1, .packets = 1, .bytes = 84, .sensor = 2 },
		{ .sport = 53,
		  .dport = 33000,
		  .protocol = 17,
		  .packets = 1048577,
		  .bytes = 100000001,
		  .state = RECORD_IPV6 | RECORD_CONTINUED | RECORD_UNIFORM,
		  .application = 53,
		  .input = 65535,
		  .output = 256,
		  .sensor = 10,
		  .flowtype = 6,
		  .duration_ns = UINT64_C(4294967295) * NS_PER_MS },
		{ .dport = 0x0301,
		  .protocol = 58,
		  .packets = 3,
		  .bytes = 100,
		  .state = RECORD_IPV6 | RECORD_CONTINUED | RECORD_UNIFORM,
		  .application = 53,
		  .input = 65535,
		  .output = 256,
		  .sensor = 10,
		  .flowtype = 6,
		  .duration_ns = UINT64_C(59999) * NS_PER_MS },
		{ .dport = 0x0301,
		  .protocol = 58,
		  .packets = 3,
		  .bytes = 100,
		  .state = RECORD_CONTINUED | RECORD_FIN_FOLLOWED,
		  .sensor = 10,
		  .flowtype = 6,
		  .duration_ns = UINT64_C(1001) * NS_PER_MS },
		{ .sport = 65535,
		  .dport = 0,
		  .protocol = 6,
		  .packets = UINT64_MAX,
		  .bytes = UINT64_MAX,
		  .flags = 0x10,
		  .input = 65536 + 11,
		  .output = 65536 + 22,
		  .sensor = 65535,
		  .flowtype = 255,
		  .duration_ns = UINT64_C(500) * NS_PER_MS + 999999 },
	};
	static const char *const ends[][4] = {
		{ "192.0.2.1", "198.51.100.2", "203.0.113.254", "2024/03/05T06:07:08.901" },
		{ "192.0.2.3", "198.51.100.4", "0.0.0.0", "2024/03/05T06:00:00.000" },
		{ "2001:db8::1", "2001:db8::2", "::", "2024/03/05T06:59:59.999" },
		{ "::ffff:10.1.2.3", "::ffff:10.2.3.4", "::", "2024/03/05T06:00:30.000" },
		{ "10.1.2.3", "10.2.3.4", "1.2.3.4", "2024/03/05T07:00:30.000" },
		{ "255.255.255.255", "0.0.0.0", "10.0.0.1", "2024/03/06T00:00:00.000" },
	};
	struct batch *batch = batch_new();

	batch_clear(batch, COLUMNS_ALL);
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
		struct record rec = plain[i];

		rec.sip = address(ends[i][0]);
		rec.dip = address(ends[i][1]);
		rec.nhip = address(ends[i][2]);
		rec.start_ns = moment(ends[i][3]);
		batch_append(batch, &rec);
	}
	return batch;
}

/* The rows that pass, as digits. */
static void passing(const struct predicates *tests, char *out)
{
	struct batch *batch = make_batch();
	size_t n = 0;

	predicates_narrow(tests, batch);
	for (uint32_t i = 0; i < batch->selected; i++) {
		out[n++] = (char)('0' + batch->selection[i]);
	}
	out[n] = '\0';
	batch_free(batch);
}

struct one_case {
	const char *name;
	const char *text;
	const char *rows; /* NULL: the text is wrong */
};

/* What passes was asked of SiLK 3.22.1 (rows 0 to 4). */
static const struct one_case cases[] = {
	{ "stime", "2024/03/05T06:00", "1" },
	{ "stime", "2024/03/05", "" },
	{ "stime", "2024/03/05-2024/03/05", "01234" },
	{ "stime", "2024/03/05T06-2024/03/05T06", "0123" },
	{ "stime", "2024/03/05T06:00-2024/03/05T06:00", "13" },
	{ "stime", "1709618400", "1" },
	{ "stime", "1709618400-1709618430", "13" },
	{ "stime", "1709621999-1709621999", "2" },
	{ "stime", "1709621999-1709621999.5", "" },
	{ "stime", "2024/03/05T06:59:59-2024/03/05T06:59:59.99", "" },
	{ "stime", "2024/03/05T06:59:59.9995-2024/03/05T06:59:59.9999", "2" },
	{ "stime", "2024/03/05T06:59:59.9989", "" },
	{ "stime", "2024/03/05T06-", "1" },
	{ "stime", "2024/03/05T07-2024/03/05T06", NULL },
	{ "stime", "2024", NULL },
	{ "stime", "", NULL },
	{ "etime", "2024/03/05T06:01:29.999", "3" },
	{ "etime", "2024/03/05T06:00-2024/03/05T06:07", "013" },
	{ "etime", "2024/04/24-2024/04/25", "2" },
	{ "active-time", "2024/03/05T06:01:29.999", "3" },
	{ "active-time", "2024/03/05T06:01:30", "" },
	{ "active-time", "2024/03/05T06:07:21.246-2024/03/05T06:08", "0" },
	{ "active-time", "2024/03/05T06:07:21.247-2024/03/05T06:08", "" },
	{ "active-time", "2024/04/01-2024/04/02", "2" },
	{ "duration", "59.999", "3" },
	{ "duration", "59.9985", "" },
	{ "duration", "59.9999", "3" },
	{ "duration", "1.001", "4" },
	{ "duration", "12.345-12.345", "0" },
	{ "duration", "4294967.295-", "2" },
	{ "duration", "4294967.294-4294967.2949", "" },
	{ "duration", "0", "1" },
	{ "duration", "0.5", "5" },
	{ "duration", "99999999", "" },
	{ "duration", "5-1", NULL },
	{ "duration", "-5", NULL },
	{ "sport", "53", "2" },
	{ "sport", "1-,5", "025" },
	{ "sport", "0", "134" },
	{ "sport", "65536", NULL },
	{ "sport", "", NULL },
	{ "dport", "443,33000-33001", "02" },
	{ "aport", "53,443", "02" },
	{ "aport", "0", "1345" },
	{ "protocol", "6", "05" },
	{ "protocol", "0-5,7-", "1234" },
	{ "protocol", "256", NULL },
	{ "protocol", "5-3", NULL },
	{ "icmp-type", "3", "3" },
	{ "icmp-type", "0-255", "13" },
	{ "icmp-code", "1", "3" },
	{ "icmp-code", "0", "1" },
	{ "icmp-code", "256", NULL },
	{ "bytes", "100", "34" },
	{ "bytes", "100-", "02345" },
	{ "bytes", "0-84", "1" },
	{ "bytes", "18446744073709551615", "5" },
	{ "bytes", "18446744073709551616", NULL },
	{ "bytes", "100,101", NULL },
	{ "bytes", "5-3", NULL },
	{ "packets", "1-3", "134" },
	{ "packets", "1048577-", "25" },
	{ "bytes-per-packet", "33.333-33.334", "34" },
	{ "bytes-per-packet", "33.333", "" },
	{ "bytes-per-packet", "33.3333333333333333", "34" },
	{ "bytes-per-packet", "84", "1" },
	{ "bytes-per-packet", "0-1", "5" },
	{ "bytes-per-packet", "50-30", NULL },
	{ "bytes-per-second", "210000", "1" },
	{ "bytes-per-second", "1-2", "3" },
	{ "bytes-per-second", "350.0-350.1", "0" },
	{ "packets-per-second", "2500", "1" },
	{ "payload-bytes", "0", "35" },
	{ "payload-bytes", "1-", "0124" },
	{ "payload-bytes", "x", NULL },
	{ "payload-rate", "0-0", "35" },
	{ "payload-rate", "1-0", NULL },
	{ "flowkey", "1,0x2", "" },
	{ "flowkey", "0x", NULL },
	{ "flowkey", "0x123456789", NULL },
	{ "flowkey", "4294967296", NULL },
	{ "packets-per-second", "0-0.1", "3" },
	{ "scidr", "192.0.2.0/24", "01" },
	{ "scidr", "10.1.2.3", "34" },
	{ "scidr", "::ffff:10.1.2.3", "34" },
	{ "scidr", "::ffff:0:0/96", "01345" },
	{ "scidr", "167772160/8", "34" },
	{ "scidr", "10.1.2.3/8", "34" },
	{ "scidr", "10.0.0.0/8 , 2001:db8::/32,,", "234" },
	{ "scidr", ",", "" },
	{ "scidr", "0.0.0.0/0", NULL },
	{ "scidr", "::/0", NULL },
	{ "scidr", "1.2.3.4/33", NULL },
	{ "scidr", "1.2.3.400", NULL },
	{ "dcidr", "198.51.100.4/31", "1" },
	{ "any-cidr", "192.0.2.1,2001:db8::2", "02" },
	{ "any-cidr", "10.2.0.0/16", "34" },
	{ "nhcidr", "0.0.0.0", "1" },
	{ "nhcidr", "::", "23" },
	{ "not-scidr", "10.0.0.0/8", "0125" },
	{ "not-dcidr", "10.0.0.0/8,198.51.100.2", "125" },
	{ "not-any-cidr", "10.0.0.0/8", "0125" },
	{ "not-nhcidr", "::", "0145" },
	{ "not-nhcidr", "::/0", NULL },
	{ "saddress", "192.0.2.1", "0" },
	{ "saddress", "10.x.2.1-3", "34" },
	{ "saddress", "x.x.x.x", "01345" },
	{ "saddress", "x:x:x:x:x:x:x:x", "012345" },
	{ "saddress", "2001:db8::/32", "2" },
	{ "saddress", "0.0.0.0/0", NULL },
	{ "saddress", "1.2.3.400", NULL },
	{ "daddress", "198.51.100.2,4", "01" },
	{ "any-address", "198.51.100.2-4", "01" },
	{ "any-address", "x.2.3.4", "34" },
	{ "next-hop-id", "0.0.0.0", "1" },
	{ "next-hop-id", "::", "23" },
	{ "not-saddress", "x.x.x.x", "2" },
	{ "not-daddress", "10.2.3.4", "0125" },
	{ "not-any-address", "10.1.x.x", "0125" },
	{ "not-next-hop-id", "203.x.x.x", "12345" },
	{ "input-index", "11", "0" },
	{ "input-index", "65535", "23" },
	{ "input-index", "65536", NULL },
	{ "output-index", "22,256", "023" },
	{ "any-index", "22,65535", "023" },
	{ "any-index", "0", "14" },
	{ "tcp-flags", "SC", "0" },
	{ "tcp-flags", "-", "05" },
	{ "tcp-flags", "", "" },
	{ "tcp-flags", "x", NULL },
	{ "flags-all", "S/S,A/A", "05" },
	{ "flags-all", "/F", "12345" },
	{ "flags-all", " a / asf ", "5" },
	{ "flags-all", "-/-", "" },
	{ "flags-all", "", "" },
	{ "flags-all", "S/A", NULL },
	{ "flags-all", "S", NULL },
	{ "flags-all", "S/", NULL },
	{ "flags-initial", "S/SA", "0" },
	{ "flags-initial", "/S", "12345" },
	{ "flags-session", "S/S", "" },
	{ "flags-session", "FPA/FPA", "0" },
	{ "fin-flag", "1", "0" },
	{ "fin-flag", "0", "12345" },
	{ "syn-flag", "1", "0" },
	{ "rst-flag", "1", "" },
	{ "psh-flag", "1", "0" },
	{ "ack-flag", "1", "05" },
	{ "ack-flag", "01", "05" },
	{ "urg-flag", "0", "012345" },
	{ "ece-flag", "1", "" },
	{ "cwr-flag", "0", "012345" },
	{ "cwr-flag", "2", NULL },
	{ "attributes", "C/C", "234" },
	{ "attributes", "/C", "015" },
	{ "attributes", "S/SC", "" },
	{ "attributes", "cs/CSTF", "23" },
	{ "attributes", "T/T,F/F", "04" },
	{ "attributes", "/-", "15" },
	{ "attributes", "Q/Q", NULL },
	{ "attributes", "CS", NULL },
	{ "attributes", "", NULL },
	{ "application", "53", "23" },
	{ "application", "0-52", "145" },
	{ "ip-version", "4", "0145" },
	{ "ip-version", "6,", "23" },
	{ "ip-version", "4,6", "012345" },
	{ "ip-version", "5", NULL },
	{ "ip-version", "4-6", NULL },
	{ "ip-version", "", NULL },
};

static void test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct one_case *c = &cases[i];
		struct predicates *tests = NULL;
		struct err err = { 0 };
		char rows[16];
		int st;

		unit_at("--%s=%s", c->name, c->text);
		st = predicates_add(&tests, c->name, c->text, &err);
		if (c->rows) {
			CU_ASSERT_EQUAL(st, ST_OK);
			CU_ASSERT_EQUAL(predicates_finish(tests, &err), ST_OK);
			passing(tests, rows);
			UNIT_ASSERT_STR(rows, c->rows);
		} else {
			CU_ASSERT_NOT_EQUAL(st, ST_OK);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, c->name));
		}
		predicates_free(tests);
	}
}

/* Every row of the table has a case that passes something, and only its own columns are read. */
static void test_table(void)
{
	for (size_t i = 0; i < predicate_row_count; i++) {
		/* those that need a file are tried elsewhere */
		bool found = g_str_has_suffix(predicate_row_table[i].name, "set") ||
			     g_str_has_suffix(predicate_row_table[i].name, "cc") ||
			     strcmp(predicate_row_table[i].name + 1, "type") == 0;

		unit_at("%s", predicate_row_table[i].name);
		for (size_t k = 0; !found && k < G_N_ELEMENTS(cases); k++) {
			found = strcmp(cases[k].name, predicate_row_table[i].name) == 0 &&
				cases[k].rows;
		}
		CU_ASSERT_TRUE(found);
	}
	unit_at("table of switches");
	CU_ASSERT_EQUAL(opt_check(predicate_opt_table, NULL), ST_OK);
}

static void test_columns(void)
{
	struct predicates *tests = NULL;

	CU_ASSERT_EQUAL(predicates_columns(NULL), 0);
	CU_ASSERT_EQUAL(predicates_count(NULL), 0);
	predicates_add(&tests, "aport", "53", NULL);
	predicates_add(&tests, "protocol", "6", NULL);
	CU_ASSERT_EQUAL(predicates_count(tests), 2);
	CU_ASSERT_EQUAL(predicates_columns(tests), COLUMN_BIT(COLUMN_SPORT) |
							   COLUMN_BIT(COLUMN_DPORT) |
							   COLUMN_BIT(COLUMN_PROTOCOL));
	predicates_free(tests);
}

static void test_sets(void)
{
	static const struct one_case set_cases[] = {
		{ "sipset", NULL, "034" },     { "dipset", NULL, "2" },
		{ "anyset", NULL, "0234" },    { "nhipset", NULL, "5" },
		{ "not-sipset", NULL, "125" }, { "not-dipset", NULL, "01345" },
		{ "not-anyset", NULL, "15" },  { "not-nhipset", NULL, "01234" },
	};
	char *path = g_strdup_printf("%s/some.set", unit_scratch());
	const struct ipset_write_opts write = { .overwrite = true };
	struct ipset *set = ipset_new();

	ipset_add(set, address("192.0.2.1"));
	ipset_add(set, address("10.1.2.3"));
	ipset_add(set, address("10.0.0.1"));
	ipset_add(set, address("2001:db8::2"));
	ipset_finish(set);
	CU_ASSERT_EQUAL(ipset_write(set, path, &write, NULL), ST_OK);
	ipset_free(set);
	for (size_t i = 0; i < G_N_ELEMENTS(set_cases); i++) {
		struct predicates *tests = NULL;
		char rows[16];

		unit_at("%s", set_cases[i].name);
		CU_ASSERT_EQUAL(predicates_add(&tests, set_cases[i].name, path, NULL), ST_OK);
		CU_ASSERT_EQUAL(predicates_finish(tests, NULL), ST_OK);
		passing(tests, rows);
		UNIT_ASSERT_STR(rows, set_cases[i].rows);
		predicates_free(tests);
	}
	unit_at("no such file");
	struct predicates *tests = NULL;
	CU_ASSERT_NOT_EQUAL(predicates_add(&tests, "sipset", "/nonexistent", NULL), ST_OK);
	predicates_free(tests);
	g_free(path);
}

struct pair_case {
	const char *name[3];
	const char *text[3];
	const char *rows; /* NULL: they do not go together */
};

static void test_pairs(void)
{
	static const struct pair_case pair_cases[] = {
		{ { "protocol", "sport" }, { "6", "53-" }, "05" },
		{ { "sport", "protocol", "ip-version" }, { "53-", "6,17", "6" }, "2" },
		{ { "saddress", "not-saddress" }, { "1.2.3.4", "1.2.3.5" }, NULL },
		{ { "saddress", "not-scidr" }, { "x.x.x.x", "10.0.0.0/8" }, "015" },
		{ { "bytes", "bytes" }, { "1", "1" }, NULL },
		{ { "flags-all", "flags-all" }, { "S/S", "/F" }, "012345" },
		{ { "fin-flag", "syn-flag" }, { "1", "1" }, "0" },
		{ { "fin-flag", "syn-flag" }, { "1", "0" }, "" },
		{ { "ack-flag", "flags-all" }, { "1", "/A" }, "012345" },
		{ { "ack-flag", "flags-all", "fin-flag" }, { "1", "R/R", "0" }, "5" },
		{ { "tcp-flags", "flags-all" }, { "A", "S/S" }, "0" },
		{ { "icmp-type", "protocol" }, { "3", "6" }, NULL },
		{ { "icmp-type", "protocol" }, { "3", "58" }, "3" },
		{ { "icmp-type", "protocol" }, { "3", "1" }, "" },
		{ { "icmp-type", "icmp-code" }, { "3", "1" }, "3" },
		{ { "icmp-type", "icmp-code" }, { "3", "2" }, "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(pair_cases); i++) {
		const struct pair_case *c = &pair_cases[i];
		struct predicates *tests = NULL;
		char rows[16] = "";
		int st = ST_OK;

		unit_at("--%s --%s", c->name[0], c->name[1]);
		for (size_t k = 0; st == ST_OK && k < 3 && c->name[k]; k++) {
			st = predicates_add(&tests, c->name[k], c->text[k], NULL);
		}
		if (st == ST_OK) {
			st = predicates_finish(tests, NULL);
		}
		CU_ASSERT_EQUAL(st == ST_OK, c->rows != NULL);
		if (st == ST_OK) {
			passing(tests, rows);
			UNIT_ASSERT_STR(rows, c->rows);
		}
		predicates_free(tests);
	}
}

static void test_selection_switches(void)
{
	struct predicates *tests = NULL;
	struct numset set;
	char rows[16];

	memset(&set, 0, sizeof(set));
	set.bits[0] = 1 << 3 | 1 << 6;
	predicates_add_flowtypes(&tests, &set);
	passing(tests, rows);
	UNIT_ASSERT_STR(rows, "0234");
	set.bits[0] = 1 << 10;
	predicates_add_sensors(&tests, &set);
	passing(tests, rows);
	UNIT_ASSERT_STR(rows, "234");
	predicates_free(tests);
}

/* Rows: no packet and no byte; no packet and five bytes; one packet of five bytes. As SiLK's. */
static void test_no_packets(void)
{
	static const struct one_case ratio_cases[] = {
		{ NULL, "0-1000000", "02" }, { NULL, "0-", "012" }, { NULL, "6-", "01" },
		{ NULL, "5", "02" },         { NULL, "0", "0" },
	};
	struct batch *batch = batch_new();
	struct record rec;

	record_init(&rec);
	batch_clear(batch, COLUMNS_ALL);
	batch_append(batch, &rec);
	rec.bytes = 5;
	batch_append(batch, &rec);
	rec.packets = 1;
	batch_append(batch, &rec);
	for (size_t i = 0; i < G_N_ELEMENTS(ratio_cases); i++) {
		struct predicates *tests = NULL;
		char rows[16];
		size_t n = 0;

		unit_at("%s", ratio_cases[i].text);
		predicates_add(&tests, "bytes-per-packet", ratio_cases[i].text, NULL);
		batch_select_all(batch);
		predicates_narrow(tests, batch);
		for (uint32_t k = 0; k < batch->selected; k++) {
			rows[n++] = (char)('0' + batch->selection[k]);
		}
		rows[n] = '\0';
		UNIT_ASSERT_STR(rows, ratio_cases[i].rows);
		predicates_free(tests);
	}
	batch_free(batch);
}

static const struct unit_case unit_cases[] = {
	{ "each switch", test_cases },      { "table", test_table },
	{ "columns", test_columns },        { "sets", test_sets },
	{ "several switches", test_pairs }, { "flow types and sensors", test_selection_switches },
	{ "no packets", test_no_packets },  { NULL, NULL },
};

int main(void)
{
	return unit_run("predicate", unit_cases);
}

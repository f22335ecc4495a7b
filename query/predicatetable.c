/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of partitioning switches, and how the text of each is compiled. */
#include "query/predicaterow.h"

#include <float.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/tcpflags.h"
#include "common/timestamp.h"

static uint32_t row_columns(const struct predicate_row *row)
{
	return COLUMN_BIT(row->column) | COLUMN_BIT(row->other);
}

static void set_test(struct predicate *test, predicate_narrow_fn narrow, enum predicate_cost cost,
		     uint32_t columns)
{
	test->narrow = narrow;
	test->cost = cost;
	test->columns = columns;
}

int64_t predicate_window_end(int64_t ns, enum timestamp_precision precision, const char *text)
{
	if (precision == TIMESTAMP_TO_EPOCH) {
		precision = strchr(text, '.') ? TIMESTAMP_TO_FRACTION : TIMESTAMP_TO_SECOND;
	}
	if (precision == TIMESTAMP_TO_FRACTION) {
		return ns - ns % NS_PER_MS + NS_PER_MS - 1;
	}
	return timestamp_ceiling(ns, precision);
}

/* START, START- (as START), or START-END; START alone is one millisecond. */
static int parse_window(struct predicate *test, const char *text, struct err *err)
{
	enum timestamp_precision precision;
	const char *dash = strchr(text, '-');
	char *start = dash ? g_strndup(text, (gsize)(dash - text)) : g_strdup(text);
	int st = timestamp_parse(start, false, &test->first_ns, NULL, err);

	if (st == ST_OK) {
		test->first_ns -= test->first_ns % NS_PER_MS;
		test->last_ns = test->first_ns + NS_PER_MS - 1;
	}
	if (st == ST_OK && dash && dash[1]) {
		st = timestamp_parse(dash + 1, false, &test->last_ns, &precision, err);
		if (st == ST_OK) {
			test->last_ns = predicate_window_end(test->last_ns, precision, dash + 1);
		}
	}
	if (st == ST_OK && test->first_ns > test->last_ns) {
		st = err_set(err, ST_EINVAL, "Range is invalid (min > max)");
	}
	g_free(start);
	return st;
}

static int compile_start(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_start, PREDICATE_COST_RANGE, COLUMN_BIT(COLUMN_START));
	return parse_window(test, text, err);
}

static int compile_end(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_end, PREDICATE_COST_RANGE, row_columns(test->row));
	return parse_window(test, text, err);
}

static int compile_active(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_active, PREDICATE_COST_RANGE, row_columns(test->row));
	return parse_window(test, text, err);
}

uint64_t predicate_floor_ms(double seconds)
{
	const double ms_max = (double)(UINT64_MAX / (uint64_t)NS_PER_MS - 1);
	double ms = floor(seconds * 1000 * (1 + 4 * DBL_EPSILON));

	return (uint64_t)MIN(ms, ms_max);
}

static int compile_duration(struct predicate *test, const char *text, struct err *err)
{
	struct real_range seconds;
	int st = real_range_parse(text, 0, DBL_MAX, &seconds, err);

	if (st != ST_OK) {
		return st;
	}
	test->range.first = predicate_floor_ms(seconds.first) * NS_PER_MS;
	test->range.last = predicate_floor_ms(seconds.last) * NS_PER_MS + NS_PER_MS - 1;
	set_test(test, predicate_narrow_u64, PREDICATE_COST_RANGE, row_columns(test->row));
	return ST_OK;
}

static int compile_range(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_u64, PREDICATE_COST_RANGE, row_columns(test->row));
	return range_parse(text, 0, UINT64_MAX, &test->range, err);
}

static int compile_per_packet(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_per_packet, PREDICATE_COST_RATIO, row_columns(test->row));
	return real_range_parse(text, 0, INFINITY, &test->ratio, err);
}

static int compile_per_second(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_per_second, PREDICATE_COST_RATIO, row_columns(test->row));
	return real_range_parse(text, 0, INFINITY, &test->ratio, err);
}

static int parse_numset(struct predicate *test, const char *text, struct err *err)
{
	test->numset = g_new(struct numset, 1);
	return numset_parse(text, UINT16_MAX, test->numset, err);
}

static int compile_u16(struct predicate *test, const char *text, struct err *err)
{
	bool either = test->row->column != test->row->other;

	set_test(test, either ? predicate_narrow_u16_either : predicate_narrow_u16,
		 PREDICATE_COST_NUMSET, row_columns(test->row));
	return parse_numset(test, text, err);
}

static int compile_u32(struct predicate *test, const char *text, struct err *err)
{
	bool either = test->row->column != test->row->other;

	set_test(test, either ? predicate_narrow_u32_either : predicate_narrow_u32,
		 PREDICATE_COST_NUMSET, row_columns(test->row));
	return parse_numset(test, text, err);
}

static int parse_byte_list(struct predicate *test, const char *text, struct err *err)
{
	struct numset set;
	int st = numset_parse(text, UINT8_MAX, &set, err);

	for (unsigned i = 0; st == ST_OK && i <= UINT8_MAX; i++) {
		test->pass[i] = numset_contains(&set, (uint16_t)i);
	}
	return st;
}

static int compile_byte(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	return parse_byte_list(test, text, err);
}

static const uint32_t icmp_columns =
	COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_STATE) | COLUMN_BIT(COLUMN_DPORT);

static int compile_icmp_type(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_icmp_type, PREDICATE_COST_RANGE, icmp_columns);
	return parse_byte_list(test, text, err);
}

static int compile_icmp_code(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_icmp_code, PREDICATE_COST_RANGE, icmp_columns);
	return parse_byte_list(test, text, err);
}

static void pass_match(struct predicate *test, const struct tcpflags_match *match)
{
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		test->pass[i] |= (i & match->mask) == match->high;
	}
}

/* Call parse for every part of a list with commas; empty parts do not count, blank ones are wrong.
 */
typedef int (*part_fn)(struct predicate *test, const char *part, struct err *err);

static int each_part(struct predicate *test, const char *text, part_fn parse, struct err *err)
{
	char **parts = g_strsplit(text, ",", -1);
	int st = ST_OK;

	for (char **part = parts; st == ST_OK && *part; part++) {
		if (!**part) {
			continue;
		}
		st = *g_strstrip(*part)
			     ? parse(test, *part, err)
			     : err_set(err, ST_EINVAL, "Input is empty or all whitespace");
	}
	g_strfreev(parts);
	return st;
}

static int parse_flags_part(struct predicate *test, const char *part, struct err *err)
{
	struct tcpflags_match match;
	int st = tcpflags_parse_match(part, true, &match, err);

	if (st == ST_OK) {
		pass_match(test, &match);
	}
	return st;
}

static int compile_flags(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	return each_part(test, text, parse_flags_part, err);
}

static int parse_attributes_part(struct predicate *test, const char *part, struct err *err)
{
	struct tcpflags_match match;
	int st = attributes_parse_match(part, &match, err);

	if (st == ST_OK) {
		pass_match(test, &match);
	}
	return st;
}

static int compile_attributes(struct predicate *test, const char *text, struct err *err)
{
	if (!*text) {
		return err_set(err, ST_EINVAL, "No value was given");
	}
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	return each_part(test, text, parse_attributes_part, err);
}

static int compile_any_flag(struct predicate *test, const char *text, struct err *err)
{
	uint8_t flags;
	int st = tcpflags_parse(text, &flags, err);

	for (unsigned i = 0; st == ST_OK && i <= UINT8_MAX; i++) {
		test->pass[i] = (i & flags) != 0;
	}
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	return st;
}

static int compile_one_flag(struct predicate *test, const char *text, struct err *err)
{
	/* as SiLK reads it: what is no number is 0, and what follows one does not count */
	long on = strtol(text, NULL, 10);
	uint8_t bit = test->row->bits;

	if (on != 0 && on != 1) {
		return err_set(err, ST_EINVAL, "Must be 0 or 1");
	}
	pass_match(test, &(struct tcpflags_match){ .high = on ? bit : 0, .mask = bit });
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	return ST_OK;
}

static int parse_version_part(struct predicate *test, const char *part, struct err *err)
{
	if (strcmp(part, "4") != 0 && strcmp(part, "6") != 0) {
		return err_set(err, ST_EINVAL, "Must be 4, 6 or both");
	}
	pass_match(test, &(struct tcpflags_match){ .high = *part == '6' ? RECORD_IPV6 : 0,
						   .mask = RECORD_IPV6 });
	return ST_OK;
}

static int compile_ip_version(struct predicate *test, const char *text, struct err *err)
{
	set_test(test, predicate_narrow_byte, PREDICATE_COST_BYTE, row_columns(test->row));
	if (!*text) {
		return err_set(err, ST_EINVAL, "Input is empty or all whitespace");
	}
	return each_part(test, text, parse_version_part, err);
}

/* A prefix of no bits is refused as SiLK does: who means all addresses needs no test. */
static int check_prefix(const char *text, struct err *err)
{
	const char *slash = strchr(text, '/');

	if (slash && g_ascii_strtoull(slash + 1, NULL, 10) == 0) {
		return err_set(err, ST_EINVAL, "Value is below minimum of 1");
	}
	return ST_OK;
}

static int parse_cidr_part(struct predicate *test, const char *part, struct err *err)
{
	struct cidr block;
	int st = cidr_parse(part, &block, err);

	if (st == ST_OK) {
		st = check_prefix(part, err);
	}
	if (st == ST_OK) {
		ipset_add_range(test->ipset, block.first, block.last);
	}
	return st;
}

static int compile_cidrs(struct predicate *test, const char *text, struct err *err)
{
	int st;

	test->ipset = ipset_new();
	set_test(test, predicate_narrow_ipset, PREDICATE_COST_IPSET, row_columns(test->row));
	st = each_part(test, text, parse_cidr_part, err);
	if (st != ST_OK) {
		return st;
	}
	ipset_finish(test->ipset);
	if (ipset_ranges(test->ipset) == 1) {
		struct cidr block = ipset_range(test->ipset, 0);

		ipset_free(test->ipset);
		test->block = block;
		set_test(test, predicate_narrow_block, PREDICATE_COST_BLOCK,
			 row_columns(test->row));
	}
	return ST_OK;
}

static int compile_wildcard(struct predicate *test, const char *text, struct err *err)
{
	struct cidr block;

	if (cidr_parse(text, &block, NULL) == ST_OK) {
		test->block = block;
		set_test(test, predicate_narrow_block, PREDICATE_COST_BLOCK,
			 row_columns(test->row));
		return check_prefix(text, err);
	}
	test->wildcard = g_new(struct wildcard, 1);
	set_test(test, predicate_narrow_wildcard, PREDICATE_COST_WILDCARD, row_columns(test->row));
	return wildcard_parse(text, test->wildcard, err);
}

static int compile_ipset(struct predicate *test, const char *text, struct err *err)
{
	struct ipset *ipset = NULL;
	int st = ipset_read(&ipset, text, NULL, err);

	test->ipset = ipset;
	set_test(test, predicate_narrow_ipset, PREDICATE_COST_IPSET, row_columns(test->row));
	return st;
}

int predicate_compile(struct predicate *test, const char *text, struct err *err)
{
	int st = test->row->compile(test, text, err);

	return st == ST_OK ? ST_OK : err_prefix(err, "Invalid %s '%s'", test->row->name, text);
}

void predicate_release(struct predicate *test)
{
	g_free(test->hashes);
	g_free(test->ranges);
	if (test->release) {
		test->release(test);
	} else if (test->narrow == predicate_narrow_wildcard) {
		g_free(test->wildcard);
	} else if (test->narrow == predicate_narrow_ipset) {
		ipset_free(test->ipset);
	} else if (test->narrow == predicate_narrow_tuples) {
		tuples_free(test->tuples);
	} else if (test->cost == PREDICATE_COST_NUMSET) {
		g_free(test->numset);
	}
}

#define NOT    PREDICATE_NEGATED
#define MERGES PREDICATE_MERGES

/* clang-format off */
/*	X(name, argument, compile, column, other column, bits, flags, help)	*/
#define PREDICATE_ROWS(X)                                                                                                          \
	X("stime", "WINDOW", compile_start, START, START, 0, 0, "pass flows that start in this window of time")                   \
	X("etime", "WINDOW", compile_end, START, DURATION, 0, 0, "pass flows that end in this window of time")                    \
	X("active-time", "WINDOW", compile_active, START, DURATION, 0, 0, "pass flows that live at any time of this window")      \
	X("duration", "SECONDS", compile_duration, DURATION, DURATION, 0, 0, "pass flows that last so long; a range, with fractions")  \
	X("sport", "LIST", compile_u16, SPORT, SPORT, 0, 0, "pass flows whose source port is in this list")                       \
	X("dport", "LIST", compile_u16, DPORT, DPORT, 0, 0, "pass flows whose destination port is in this list")                  \
	X("aport", "LIST", compile_u16, SPORT, DPORT, 0, 0, "pass flows whose source or destination port is in this list")        \
	X("protocol", "LIST", compile_byte, PROTOCOL, PROTOCOL, 0, 0, "pass flows whose IP protocol is in this list")             \
	X("icmp-type", "LIST", compile_icmp_type, DPORT, DPORT, 0, 0, "pass ICMP and ICMPv6 flows whose type is in this list")    \
	X("icmp-code", "LIST", compile_icmp_code, DPORT, DPORT, 0, 0, "pass ICMP and ICMPv6 flows whose code is in this list")    \
	X("bytes", "RANGE", compile_range, BYTES, BYTES, 0, 0, "pass flows of so many bytes")                                     \
	X("packets", "RANGE", compile_range, PACKETS, PACKETS, 0, 0, "pass flows of so many packets")                             \
	X("bytes-per-packet", "RANGE", compile_per_packet, BYTES, PACKETS, 0, 0, "pass flows of so many bytes a packet, with fractions") \
	X("scidr", "LIST", compile_cidrs, SIP, SIP, 0, 0, "pass flows whose source is in a block of this list")                   \
	X("dcidr", "LIST", compile_cidrs, DIP, DIP, 0, 0, "pass flows whose destination is in a block of this list")              \
	X("any-cidr", "LIST", compile_cidrs, SIP, DIP, 0, 0, "pass flows whose source or destination is in a block of this list") \
	X("nhcidr", "LIST", compile_cidrs, NHIP, NHIP, 0, 0, "pass flows whose next hop is in a block of this list")              \
	X("not-scidr", "LIST", compile_cidrs, SIP, SIP, 0, NOT, "pass flows whose source is in no block of this list")            \
	X("not-dcidr", "LIST", compile_cidrs, DIP, DIP, 0, NOT, "pass flows whose destination is in no block of this list")       \
	X("not-any-cidr", "LIST", compile_cidrs, SIP, DIP, 0, NOT, "pass flows neither of whose ends is in a block of this list") \
	X("not-nhcidr", "LIST", compile_cidrs, NHIP, NHIP, 0, NOT, "pass flows whose next hop is in no block of this list")       \
	X("saddress", "WILDCARD", compile_wildcard, SIP, SIP, 0, 0, "pass flows whose source matches this wildcard")              \
	X("daddress", "WILDCARD", compile_wildcard, DIP, DIP, 0, 0, "pass flows whose destination matches this wildcard")         \
	X("any-address", "WILDCARD", compile_wildcard, SIP, DIP, 0, 0, "pass flows whose source or destination matches this wildcard") \
	X("next-hop-id", "WILDCARD", compile_wildcard, NHIP, NHIP, 0, 0, "pass flows whose next hop matches this wildcard")       \
	X("not-saddress", "WILDCARD", compile_wildcard, SIP, SIP, 0, NOT, "pass flows whose source does not match this wildcard") \
	X("not-daddress", "WILDCARD", compile_wildcard, DIP, DIP, 0, NOT, "pass flows whose destination does not match this wildcard") \
	X("not-any-address", "WILDCARD", compile_wildcard, SIP, DIP, 0, NOT, "pass flows neither of whose ends matches this wildcard") \
	X("not-next-hop-id", "WILDCARD", compile_wildcard, NHIP, NHIP, 0, NOT, "pass flows whose next hop does not match this wildcard") \
	X("sipset", "FILE", compile_ipset, SIP, SIP, 0, 0, "pass flows whose source is in this IPset file")                       \
	X("dipset", "FILE", compile_ipset, DIP, DIP, 0, 0, "pass flows whose destination is in this IPset file")                  \
	X("anyset", "FILE", compile_ipset, SIP, DIP, 0, 0, "pass flows whose source or destination is in this IPset file")        \
	X("nhipset", "FILE", compile_ipset, NHIP, NHIP, 0, 0, "pass flows whose next hop is in this IPset file")                  \
	X("not-sipset", "FILE", compile_ipset, SIP, SIP, 0, NOT, "pass flows whose source is not in this IPset file")             \
	X("not-dipset", "FILE", compile_ipset, DIP, DIP, 0, NOT, "pass flows whose destination is not in this IPset file")        \
	X("not-anyset", "FILE", compile_ipset, SIP, DIP, 0, NOT, "pass flows neither of whose ends is in this IPset file")        \
	X("not-nhipset", "FILE", compile_ipset, NHIP, NHIP, 0, NOT, "pass flows whose next hop is not in this IPset file")        \
	X("input-index", "LIST", compile_u32, INPUT, INPUT, 0, 0, "pass flows whose input interface is in this list")             \
	X("output-index", "LIST", compile_u32, OUTPUT, OUTPUT, 0, 0, "pass flows whose output interface is in this list")         \
	X("any-index", "LIST", compile_u32, INPUT, OUTPUT, 0, 0, "pass flows whose input or output interface is in this list")    \
	X("tcp-flags", "FLAGS", compile_any_flag, FLAGS, FLAGS, 0, 0, "pass flows with any of these TCP flags")                   \
	X("flags-all", "LIST", compile_flags, FLAGS, FLAGS, 0, MERGES, "pass flows whose TCP flags match a HIGH/MASK pair of this list") \
	X("flags-initial", "LIST", compile_flags, INITIAL_FLAGS, INITIAL_FLAGS, 0, MERGES, "as --flags-all, for the first packet's flags") \
	X("flags-session", "LIST", compile_flags, SESSION_FLAGS, SESSION_FLAGS, 0, MERGES, "as --flags-all, for all but the first packet's flags") \
	X("fin-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_FIN, 0, "pass flows with (1) or without (0) FIN")            \
	X("syn-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_SYN, 0, "pass flows with (1) or without (0) SYN")            \
	X("rst-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_RST, 0, "pass flows with (1) or without (0) RST")            \
	X("psh-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_PSH, 0, "pass flows with (1) or without (0) PSH")            \
	X("ack-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_ACK, 0, "pass flows with (1) or without (0) ACK")            \
	X("urg-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_URG, 0, "pass flows with (1) or without (0) URG")            \
	X("ece-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_ECE, 0, "pass flows with (1) or without (0) ECE")            \
	X("cwr-flag", "0|1", compile_one_flag, FLAGS, FLAGS, TCPFLAG_CWR, 0, "pass flows with (1) or without (0) CWR")            \
	X("attributes", "LIST", compile_attributes, STATE, STATE, 0, 0, "pass flows whose attributes match a HIGH/MASK pair of this list") \
	X("application", "LIST", compile_u16, APPLICATION, APPLICATION, 0, 0, "pass flows whose application label is in this list") \
	X("scc", "LIST", predicate_compile_country, SIP, SIP, 0, 0, "pass flows whose source is in one of these countries")        \
	X("dcc", "LIST", predicate_compile_country, DIP, DIP, 0, 0, "pass flows whose destination is in one of these countries")   \
	X("any-cc", "LIST", predicate_compile_country, SIP, DIP, 0, 0, "pass flows one of whose ends is in one of these countries") \
	X("stype", "NUMBER", predicate_compile_address_type, SIP, SIP, 0, 0, "pass flows whose source is of this address type: 0 not routed, 1 inside, 2 outside, 3 not inside") \
	X("dtype", "NUMBER", predicate_compile_address_type, DIP, DIP, 0, 0, "pass flows whose destination is of this address type") \
	X("ip-version", "LIST", compile_ip_version, STATE, STATE, 0, 0, "pass flows of these IP versions: 4, 6 or 4,6")

/* Ours: SiLK's come first where a name is cut short. */
#define PREDICATE_EXTRA_ROWS(X)                                                                                                    \
	X("bytes-per-second", "RANGE", compile_per_second, BYTES, DURATION, 0, 0, "pass flows of so many bytes a second, with fractions") \
	X("packets-per-second", "RANGE", compile_per_second, PACKETS, DURATION, 0, 0, "pass flows of so many packets a second, with fractions") \
	X("payload-bytes", "RANGE", predicate_compile_payload, BYTES, PACKETS, 0, 0, "pass flows of so many bytes without headers") \
	X("payload-rate", "RANGE", predicate_compile_payload_rate, BYTES, DURATION, 0, 0, "pass flows of so many of these bytes a second, with fractions") \
	X("flowkey", "LIST", predicate_compile_flowkey, SIP, DIP, 0, 0, "pass flows with one of these keys of YAF, decimal or 0x and hexadecimal")
/* clang-format on */

#define X(name_, arg_, compile_, column_, other_, bits_, flags_, help_)                            \
	{ .name = name_,                                                                           \
	  .compile = compile_,                                                                     \
	  .column = COLUMN_##column_,                                                              \
	  .other = COLUMN_##other_,                                                                \
	  .bits = bits_,                                                                           \
	  .flags = flags_ },
const struct predicate_row predicate_row_table[] = { PREDICATE_ROWS(X) PREDICATE_EXTRA_ROWS(X) };
#undef X
const size_t predicate_row_count = G_N_ELEMENTS(predicate_row_table);

static int parse_switch(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return predicates_add(dest, opt->name, text, err);
}

#define X(name_, arg_, compile_, column_, other_, bits_, flags_, help_)                            \
	OPT_CALL(struct predicate_opts, tests, name_, 0, arg_, parse_switch, OPT_OWN_ERROR, help_),
#define X_EXTRA(name_, arg_, compile_, column_, other_, bits_, flags_, help_)                      \
	OPT_CALL(struct predicate_opts, tests, name_, 0, arg_, parse_switch,                       \
		 OPT_OWN_ERROR | OPT_ADDED, help_),
const struct opt predicate_opt_table[] = {
	PREDICATE_ROWS(X) PREDICATE_EXTRA_ROWS(X_EXTRA) OPT_END,
};
#undef X
#undef X_EXTRA

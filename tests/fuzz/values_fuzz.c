/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text through the parsers of values. The first octet chooses the parser, the rest is the text.
 * What is accepted must keep the promises of the headers: printed and parsed again it is the same,
 * a wildcard contains its own ranges.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/duration.h"
#include "common/ip.h"
#include "common/numlist.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "common/wildcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static void fuzz_ip(const char *text)
{
	char printed[IP_TEXT_MAX];
	struct ip ip;
	struct ip back;
	bool is_v6;
	bool back_v6;

	if (ip_parse(text, &ip, &is_v6, NULL) != ST_OK) {
		return;
	}
	must(is_v6 || ip_is_mapped(ip));
	must(ip_print(printed, ip, is_v6, IP_CANONICAL) < sizeof(printed));
	must(ip_parse(printed, &back, &back_v6, NULL) == ST_OK);
	must(is_v6 == back_v6 && ip_equal(ip, back));
}

static void fuzz_cidr(const char *text)
{
	struct cidr cidr;

	if (cidr_parse(text, &cidr, NULL) == ST_OK ||
	    cidr_parse_range(text, &cidr, NULL) == ST_OK) {
		must(ip_compare(cidr.first, cidr.last) <= 0);
		must(cidr_contains(&cidr, cidr.first) && cidr_contains(&cidr, cidr.last));
	}
}

struct walk {
	const struct wildcard *wildcard;
	struct ip last;
	int ranges;
};

static int check_range(void *arg, const struct cidr *range)
{
	struct walk *walk = arg;

	must(ip_compare(range->first, range->last) <= 0);
	must(walk->ranges == 0 || ip_compare(walk->last, range->first) < 0);
	must(wildcard_contains(walk->wildcard, range->first, range->is_v6));
	must(wildcard_contains(walk->wildcard, range->last, range->is_v6));
	walk->last = range->last;
	return ++walk->ranges > 1000;
}

static void fuzz_wildcard(const char *text)
{
	static struct wildcard wildcard;
	struct walk walk = { .wildcard = &wildcard };

	if (wildcard_parse(text, &wildcard, NULL) == ST_OK) {
		wildcard_each_range(&wildcard, check_range, &walk);
		must(walk.ranges > 0);
	}
}

static void fuzz_timestamp(const char *text)
{
	char printed[TIMESTAMP_TEXT_MAX];
	int64_t ns;
	int64_t last_ns;

	if (timestamp_parse(text, false, &ns, NULL, NULL) == ST_OK) {
		timestamp_print(printed, ns, TIMESTAMP_DEFAULT | TIMESTAMP_NANO);
		must(timestamp_parse(printed, false, &last_ns, NULL, NULL) == ST_OK);
		must(ns == last_ns);
	}
	if (timestamp_parse_range(text, false, &ns, &last_ns, NULL) == ST_OK) {
		must(ns <= last_ns);
	}
}

static int count_number(void *arg, uint64_t number)
{
	must(number >= 1 && number <= 70000);
	return ++*(int *)arg > 1000;
}

static void fuzz_numlist(const char *text)
{
	struct number_range range;
	struct real_range real;
	struct numset set;
	uint64_t number;
	int count = 0;

	if (number_parse(text, 5, 500, &number, NULL) == ST_OK) {
		must(number >= 5 && number <= 500);
	}
	if (size_parse(text, 5, 500, &number, NULL) == ST_OK) {
		must(number >= 5 && number <= 500);
	}
	if (range_parse(text, 5, 500, &range, NULL) == ST_OK) {
		must(range.first >= 5 && range.first <= range.last && range.last <= 500);
	}
	if (real_range_parse(text, 5, 500, &real, NULL) == ST_OK) {
		must(real.first >= 5 && real.first <= real.last && real.last <= 500);
	}
	numset_parse(text, 65535, &set, NULL);
	numlist_each(text, 1, 70000, count_number, &count, NULL);
}

static void fuzz_duration(const char *text)
{
	char printed[DURATION_TEXT_MAX];
	uint64_t ns;
	uint64_t back;

	if (duration_parse(text, &ns, NULL) == ST_OK) {
		duration_print(printed, ns, 9);
		must(duration_parse(printed, &back, NULL) == ST_OK && ns == back);
	}
}

static void fuzz_tcpflags(const char *text)
{
	struct tcpflags_match match;
	uint8_t flags;

	tcpflags_parse(text, &flags, NULL);
	attributes_parse(text, &flags, NULL);
	if (tcpflags_parse_match(text, true, &match, NULL) == ST_OK ||
	    attributes_parse_match(text, &match, NULL) == ST_OK) {
		must((match.high & ~match.mask) == 0);
	}
}

static void fuzz_formats(const char *text)
{
	unsigned format;

	if (ip_format_parse(text, &format, NULL) == ST_OK) {
		must(ip_print_width(format, false) <= ip_print_width(format, true));
	}
	if (timestamp_format_parse(text, &format, NULL) == ST_OK) {
		must(timestamp_print_width(format) < TIMESTAMP_TEXT_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const parsers[])(const char *text) = {
		fuzz_ip,      fuzz_cidr,     fuzz_wildcard, fuzz_timestamp,
		fuzz_numlist, fuzz_duration, fuzz_tcpflags, fuzz_formats,
	};
	char *text;

	if (size < 1) {
		return 0;
	}
	/* of its exact size, so that a read behind it is seen */
	text = malloc(size);
	memcpy(text, bytes + 1, size - 1);
	text[size - 1] = '\0';
	parsers[bytes[0] & 7](text);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/pmaptext.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

struct reading {
	GString *warnings;
	enum status end; /* what the last line answered */
	unsigned faults;
};

static void warn(void *arg, const char *text)
{
	struct reading *reading = arg;

	g_string_append_printf(reading->warnings, "%s;", text);
}

static struct pmap *read_text(struct reading *reading, const char *mode, const char *lines)
{
	struct pmaptext *text = pmaptext_new(warn, reading);
	char **split = g_strsplit(lines, "\n", -1);

	if (mode) {
		CU_ASSERT_EQUAL(pmaptext_set_mode(text, mode, NULL), ST_OK);
	}
	reading->end = ST_OK;
	for (char **line = split; *line && reading->end == ST_OK; line++) {
		reading->end = pmaptext_line(text, *line, strlen(*line));
	}
	g_strfreev(split);
	return pmaptext_finish(text, &reading->faults);
}

struct listing {
	const struct pmap *pmap;
	GString *text;
	uint32_t skip;
};

static void list_key(const struct listing *listing, struct ip key)
{
	if (pmap_kind(listing->pmap) == PMAP_PROTO_PORT) {
		g_string_append_printf(listing->text, "%u/%u", (unsigned)(key.lo >> 16),
				       (unsigned)(key.lo & 0xffff));
	} else {
		char text[IP_TEXT_MAX];

		ip_print(text, key, pmap_kind(listing->pmap) == PMAP_IPV6, IP_CANONICAL);
		g_string_append(listing->text, text);
	}
}

static int list_range(void *arg, const struct pmap_range *range)
{
	struct listing *listing = arg;
	char digits[PMAP_TEXT_MAX];

	if (range->value == listing->skip) {
		return 0;
	}
	list_key(listing, range->first);
	g_string_append_c(listing->text, '-');
	list_key(listing, range->last);
	g_string_append_printf(listing->text, "=%s;",
			       pmap_text(listing->pmap, range->value, digits));
	return 0;
}

/* The ranges that have not the value of the key 0, which must be the default. */
static char *listing_of(const struct pmap *pmap)
{
	struct listing listing = { .pmap = pmap, .text = g_string_new(NULL) };
	char digits[PMAP_TEXT_MAX];

	listing.skip = pmap_kind(pmap) == PMAP_PROTO_PORT ? pmap_lookup_port(pmap, 0, 0)
		       : pmap_kind(pmap) == PMAP_IPV6 ? pmap_lookup_ip(pmap, (struct ip){ 0, 0 })
						      : pmap_lookup_ip(pmap, ip_from_v4(0));
	g_string_append_printf(listing.text, "%s;", pmap_text(pmap, listing.skip, digits));
	pmap_each_range(pmap, list_range, &listing);
	return g_string_free(listing.text, FALSE);
}

static const struct {
	const char *name;
	const char *mode; /* of the switch; NULL: none */
	const char *lines;
	const char *listing;
	const char *warnings;
	int end;
} cases[] = {
	{ "nothing", NULL, "", "UNKNOWN;", "", ST_OK },
	{ "comments and blanks", NULL, "# a\n   # b\n\t\r\n\n#", "UNKNOWN;", "", ST_OK },
	{ "blocks, pairs and numbers", NULL,
	  "10.0.0.0/8 ten\n192.0.2.9 192.0.2.11 nine  to\televen \t# comment\r\n1 2 one",
	  "UNKNOWN;0.0.0.1-0.0.0.2=one;10.0.0.0-10.255.255.255=ten;"
	  "192.0.2.9-192.0.2.11=nine  to\televen;",
	  "", ST_OK },
	{ "host bits do not count", NULL, "10.9.8.7/8 x\r", "UNKNOWN;10.0.0.0-10.255.255.255=x;",
	  "", ST_OK },
	{ "later ranges win", NULL, "10.0.0.0/8 a\n10.1.0.0/16 b\n10.1.1.0/24 A",
	  "UNKNOWN;10.0.0.0-10.0.255.255=a;10.1.0.0-10.1.0.255=b;10.1.1.0-10.1.1.255=a;"
	  "10.1.2.0-10.1.255.255=b;10.2.0.0-10.255.255.255=a;",
	  "", ST_OK },
	{ "IPv6", NULL, "mode ipv6\n2001:db8::/32 doc\n10.0.0.0/8 ten\n1 2 n",
	  "UNKNOWN;::ffff:0.0.0.1-::ffff:0.0.0.2=n;::ffff:10.0.0.0-::ffff:10.255.255.255=ten;"
	  "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff=doc;",
	  "", ST_OK },
	{ "protocols and ports", "proto-port", "6 6 tcp\n6/80 6/81 web\n17/53 17/53 dns",
	  "UNKNOWN;6/0-6/79=tcp;6/80-6/81=web;6/82-6/65535=tcp;17/53-17/53=dns;", "", ST_OK },
	{ "mode twice", "ipv4", "mode ip\nmode ipv4 # again\n10.0.0.0/8 x\nmode ipv4",
	  "UNKNOWN;10.0.0.0-10.255.255.255=x;", "", ST_OK },
	{ "mode against the switch", "ipv4", "mode ipv6\n::/8 x", "UNKNOWN;",
	  "line 1: mode 'ipv6' conflicts with the one of the command line;", ST_END },
	{ "mode against itself", NULL, "mode ipv6\nmode ipv4", "UNKNOWN;",
	  "line 2: mode 'ipv4' conflicts with an earlier one;", ST_END },
	{ "mode after a range", NULL, "10.0.0.0/8 x\nmode ipv6",
	  "UNKNOWN;10.0.0.0-10.255.255.255=x;",
	  "line 2: mode 'ipv6' conflicts with the ranges before it;", ST_END },
	{ "no mode", NULL, "mode foo\n10.0.0.0/8 x", "UNKNOWN;", "line 1: invalid mode 'foo';",
	  ST_END },
	{ "too many words", NULL, "mode ipv4 x\nmap-name a:b\n10.0.0.0/8 x",
	  "UNKNOWN;10.0.0.0-10.255.255.255=x;",
	  "line 1: too many words in the statement;line 2: too many words in the statement;",
	  ST_OK },
	{ "two names", NULL, "map-name a\nmap-name b", "UNKNOWN;",
	  "line 2: the map has a name already;", ST_OK },
	{ "incomplete", NULL,
	  "mode \nmap-name #x\ndefault\t\nlabel \n10.0.0.0/8 \n1.1.1.1 1.1.1.2 #", "UNKNOWN;",
	  "line 1: the statement is incomplete;line 2: the statement is incomplete;"
	  "line 3: the statement is incomplete;line 4: the statement is incomplete;"
	  "line 5: the statement is incomplete;line 6: the statement is incomplete;",
	  ST_OK },
	{ "nothing that is known", NULL, "Mode ipv4\n10.0.0.0\nfoo bar\nmode\n10.0.0.0-11.0.0.0 x",
	  "UNKNOWN;",
	  "line 1: the statement is not understood;line 2: the statement is not understood;"
	  "line 3: the statement is not understood;line 4: the statement is not understood;"
	  "line 5: the statement is not understood;",
	  ST_OK },
	{ "ends that do not fit", NULL,
	  "1.1.1.1 5 x\n1.1.1.1 x\n1 1.1.1.1 x\n1/2 3 x\n1.1.1.1 1.1.1.2/32 x", "UNKNOWN;",
	  "line 1: the range is not understood;line 2: the range is not understood;"
	  "line 3: the range is not understood;line 4: the range is not understood;"
	  "line 5: the range is not understood;",
	  ST_OK },
	{ "bad addresses", NULL,
	  "10.0.0.0/33 x\n10.0.0.0/0 x\n1.2.3 1.2.3.4 x\n1 4294967296 x\n::/8 x\n:: ::1 x\n2 1 x\n"
	  "6/1 6/2 x",
	  "UNKNOWN;",
	  "line 1: invalid block '10.0.0.0/33': Value is above maximum of 32;"
	  "line 2: invalid block '10.0.0.0/0': Value is below minimum of 1;"
	  "line 3: invalid address '1.2.3': Unexpected end-of-input;"
	  "line 4: invalid address '4294967296': Value is above maximum of 4294967295;"
	  "line 5: an IPv6 address in a map of something else;"
	  "line 6: an IPv6 address in a map of something else;"
	  "line 7: the start of the range is behind its end;"
	  "line 8: protocol and port in a map of addresses;",
	  ST_OK },
	{ "bad ports", "proto-port",
	  "6/65536 7/1 x\n256/1 256/2 x\n0 256 x\n6/2 6/1 x\n10.0.0.0/8 x\n:: ::1 x", "UNKNOWN;",
	  "line 1: invalid protocol and port '6/65536': Value is above maximum of 65535;"
	  "line 2: invalid protocol and port '256/1': Value is above maximum of 255;"
	  "line 3: invalid protocol '256': Value is above maximum of 255;"
	  "line 4: the start of the range is behind its end;"
	  "line 5: an address in a map of protocols and ports;"
	  "line 6: an IPv6 address in a map of something else;",
	  ST_OK },
	{ "default", NULL, "default Other\ndefault b\n10.0.0.0/8 other\n11.0.0.0/8 x",
	  "Other;11.0.0.0-11.255.255.255=x;",
	  "line 2: the default must come once, before all ranges;", ST_OK },
	{ "default after a range", NULL, "11.0.0.0/8 x\ndefault b",
	  "UNKNOWN;11.0.0.0-11.255.255.255=x;",
	  "line 2: the default must come once, before all ranges;", ST_OK },
	{ "labels", NULL,
	  "label 3 three\nlabel 0 zero\nlabel 1 2\ndefault 0\n10.0.0.0/8 Three\n11.0.0.0/8 03\n"
	  "12.0.0.0/8 2\n13.0.0.0/8 4\n14.0.0.0/8 four",
	  "zero;10.0.0.0-11.255.255.255=three;12.0.0.0-12.255.255.255=;",
	  "line 8: no label statement for '4';line 9: no label statement for 'four';", ST_OK },
	{ "labels without a default", NULL, "label 1 a\n10.0.0.0/8 1",
	  "UNKNOWN;10.0.0.0-10.255.255.255=a;", "", ST_OK },
	{ "only label 0", NULL, "label 0 a\n10.0.0.0/8 77\n11.0.0.0/8 2147483648",
	  "UNKNOWN;10.0.0.0-10.255.255.255=77;",
	  "line 3: range or value does not fit the prefix map;", ST_OK },
	{ "labels twice", NULL, "label 1 a\nlabel 1 b\nlabel 2 A", "UNKNOWN;",
	  "line 2: invalid label '1 b': value 1 has the word 'a';"
	  "line 3: invalid label '2 A': word 'A' has the value 1;",
	  ST_OK },
	{ "a label said again", NULL, "label 1 a\nlabel 1 A", "UNKNOWN;", "", ST_OK },
	{ "a carriage return ends a word", NULL, "10.0.0.0/8 a\rb\n11.0.0.0/8 a\r #b",
	  "UNKNOWN;10.0.0.0-11.255.255.255=a;", "line 1: too many words in the statement;", ST_OK },
	{ "labels too late", NULL, "default a\nlabel 1 b\n10.0.0.0/8 c",
	  "a;10.0.0.0-10.255.255.255=c;",
	  "line 2: labels must come before the default and all ranges;", ST_OK },
	{ "default of no label", NULL, "label 0 a\ndefault 5\ndefault b\ndefault a", "a;",
	  "line 2: no label statement for the default '5';line 3: no label statement for 'b';",
	  ST_OK },
	{ "no good label", NULL, "label 2147483648 a\n10.0.0.0/8 a", "UNKNOWN;",
	  "line 1: invalid label '2147483648': Value is above maximum of 2147483647;"
	  "line 2: none of the label statements is right, giving up;",
	  ST_EFORMAT },
	{ "no good label for the default", NULL, "label x a\ndefault a", "UNKNOWN;",
	  "line 1: the statement is incomplete;"
	  "line 2: none of the label statements is right, giving up;",
	  ST_EFORMAT },
	{ "a number fixes the mode", NULL, "9 x\nmode ipv6", "UNKNOWN;",
	  "line 1: the range is not understood;"
	  "line 2: mode 'ipv6' conflicts with the ranges before it;",
	  ST_END },
	{ "a wrong range fixes nothing", NULL, "10.0.0.0/33 x\nmode ipv6\nlabel 1 a\n::/1 a",
	  "a;8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=UNKNOWN;",
	  "line 1: invalid block '10.0.0.0/33': Value is above maximum of 32;", ST_OK },
};

static void test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct reading reading = { .warnings = g_string_new(NULL) };
		struct pmap *pmap = read_text(&reading, cases[i].mode, cases[i].lines);
		char *listing = listing_of(pmap);

		unit_at("%s", cases[i].name);
		UNIT_ASSERT_STR(listing, cases[i].listing);
		UNIT_ASSERT_STR(reading.warnings->str, cases[i].warnings);
		CU_ASSERT_EQUAL(reading.end, cases[i].end);
		CU_ASSERT_EQUAL(reading.faults > 0, cases[i].warnings[0] != '\0');
		g_free(listing);
		pmap_free(pmap);
		g_string_free(reading.warnings, TRUE);
	}
}

/* A NUL ends a word and is nothing that a token can be followed by. */
static void test_nul(void)
{
	struct reading reading = { .warnings = g_string_new(NULL) };
	struct pmaptext *text = pmaptext_new(warn, &reading);
	char word[] = "10.0.0.0/8 x\0y";
	char token[] = "10.0.0.0/8\0 x";
	char start[] = "\0 x";
	struct pmap *pmap;
	uint32_t value;

	CU_ASSERT_EQUAL(pmaptext_line(text, word, sizeof(word) - 1), ST_OK);
	CU_ASSERT_EQUAL(pmaptext_line(text, token, sizeof(token) - 1), ST_OK);
	CU_ASSERT_EQUAL(pmaptext_line(text, start, sizeof(start) - 1), ST_OK);
	pmap = pmaptext_finish(text, &reading.faults);
	CU_ASSERT(pmap_find_word(pmap, "x", &value));
	UNIT_ASSERT_STR(reading.warnings->str, "line 2: the statement is not understood;"
					       "line 3: the statement is not understood;");
	pmap_free(pmap);
	g_string_free(reading.warnings, TRUE);
}

static void test_switch(void)
{
	struct pmaptext *text = pmaptext_new(warn, NULL);
	struct err err;
	unsigned faults;

	CU_ASSERT_EQUAL(pmaptext_set_mode(text, "ports", &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "invalid mode 'ports'");
	pmap_free(pmaptext_finish(text, &faults));
	UNIT_ASSERT_U64(faults, 0);
}

int main(void)
{
	static const struct unit_case unit_cases[] = {
		{ "statements", test_cases },
		{ "NUL bytes", test_nul },
		{ "the switch", test_switch },
		{ NULL, NULL },
	};

	return unit_run("pmaptext", unit_cases);
}

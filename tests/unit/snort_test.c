/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/snort.h"

#include <string.h>

#include "tests/unit/unit.h"

/* "name=value name=value", or the error. */
static char *rule(const char *text)
{
	GPtrArray *predicates = snort_predicates_new();
	GString *out = g_string_new(NULL);
	struct err err;

	if (snort_parse_rule(text, NULL, predicates, &err) != ST_OK) {
		g_string_append(out, err.text);
	} else {
		for (guint i = 0; i < predicates->len; i++) {
			const struct snort_predicate *predicate = g_ptr_array_index(predicates, i);

			g_string_append_printf(out, "%s%s=%s", i > 0 ? " " : "", predicate->name,
					       predicate->value);
		}
	}
	g_ptr_array_free(predicates, TRUE);
	return g_string_free(out, FALSE);
}

static void test_rules(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "alert ip any any -> any any (sid:1;)", "" },
		{ "alert tcp 1.2.3.4 1 -> 5.6.7.8 2:3 (sid:1;)",
		  "saddress=1.2.3.4 sport=1 daddress=5.6.7.8 dport=2-3 protocol=6" },
		{ "log udp [1.1.1.1,[2.2.2.2,!3.3.3.3]] [1,2,4:6,!5] -> any any",
		  "scidr=1.1.1.1,2.2.2.2 not-scidr=3.3.3.3 sport=1-2,4,6 protocol=17" },
		{ "alert icmp any any -> any any (itype:3<>7; icode:<2;)",
		  "icmp-type=4-6 icmp-code=0-1 protocol=1" },
		{ "alert ip any any -> any any (ip_proto:udp;)", "protocol=17" },
		{ "alert tcp any any -> any any (flags:*S12;)", "tcp-flags=SCE protocol=6" },
		{ "alert tcp any any -> any any (flags:0;)", "protocol=6" },
		{ "alert tcp any !1:65535 -> any any", "sport=0 protocol=6" },
		{ "alert tcp any !any -> any any", "no port is left by '!any'" },
		{ "alert tcp any 5:4 -> any any", "port '5:4': Value is below minimum of 5" },
		{ "alert tcp [1.1.1.1 any -> any any", "this is no rule of Snort" },
		{ "alert tcp any any - any any", "this is no rule of Snort" },
		{ "", "this is no rule of Snort" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *got = rule(cases[i].text);

		UNIT_ASSERT_STR(got, cases[i].want);
		g_free(got);
	}
}

static void test_alert(void)
{
	const struct snort_when when = { .year = 2024, .tolerance_s = 60 };
	GPtrArray *predicates = snort_predicates_new();
	struct err err;

	UNIT_ASSERT_U64(snort_parse_fast("Mar  1 00:00:30 h: {x} {UDP} ::1 -> 2001:db8::2\n", &when,
					 predicates, &err),
			ST_OK);
	UNIT_ASSERT_U64(predicates->len, 6);
	UNIT_ASSERT_STR(((struct snort_predicate *)predicates->pdata[2])->value,
			"2024/02/29:23:59:30-2024/03/01:00:01:30");
	UNIT_ASSERT_STR(((struct snort_predicate *)predicates->pdata[4])->value, "2001:db8::2");
	CU_ASSERT(snort_parse_fast("Mar  1 00:00:30 h: UDP 1 -> 2\n", &when, predicates, &err) !=
		  ST_OK);
	CU_ASSERT(snort_parse_full("03/01-00:00:30.5 1.1.1.1\n", &when, predicates, &err) != ST_OK);
	g_ptr_array_free(predicates, TRUE);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "rules", test_rules },
		{ "alerts", test_alert },
		{ NULL, NULL },
	};

	return unit_run("snort", cases);
}

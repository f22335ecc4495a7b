/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/tcpflags.h"

#include <string.h>
#include <glib.h>

#include "common/record.h"
#include "tests/unit/unit.h"

static void test_flags(void)
{
	static const struct {
		const char *text;
		uint8_t flags;
		const char *reason;
	} cases[] = {
		{ "", 0, NULL },
		{ "F", TCPFLAG_FIN, NULL },
		{ "s", TCPFLAG_SYN, NULL },
		{ "FSRPAUEC", 0xff, NULL },
		{ "ceuaprsf", 0xff, NULL },
		{ " S  A  C", TCPFLAG_SYN | TCPFLAG_ACK | TCPFLAG_CWR, NULL },
		{ "SS", TCPFLAG_SYN, NULL },
		{ "X", 0, "Unexpected character 'X'" },
		{ "S,A", 0, "Unexpected character ','" },
		{ "SAx", 0, "Unexpected character 'x'" },
		{ "12", 0, "Unexpected character '1'" },
		{ "S/A", 0, "Unexpected character '/'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t flags = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(tcpflags_parse(cases[i].text, &flags, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(flags, cases[i].flags);
	}
}

static void test_match(void)
{
	static const struct {
		const char *text;
		bool mask_needed;
		uint8_t high, mask;
		const char *reason;
	} cases[] = {
		{ "S/SA", true, 0x02, 0x12, NULL },
		{ "s/sa", true, 0x02, 0x12, NULL },
		{ "/SA", true, 0, 0x12, NULL },
		{ " S / SA ", true, 0x02, 0x12, NULL },
		{ "S/S A", true, 0x02, 0x12, NULL },
		{ "FSRPAUEC/FSRPAUEC", true, 0xff, 0xff, NULL },
		{ "S", false, 0x02, 0xff, NULL },
		{ "S", true, 0, 0, "Missing '/' character" },
		{ "S/", true, 0, 0, "Missing masks flags value" },
		{ "S/ ", true, 0, 0, "Missing masks flags value" },
		{ "/", true, 0, 0, "Missing masks flags value" },
		{ "S/A", true, 0, 0, "High flags is not subset of mask flags" },
		{ "SA/S", true, 0, 0, "High flags is not subset of mask flags" },
		{ "X/SA", true, 0, 0, "Unexpected character 'X'" },
		{ "S/SAX", true, 0, 0, "Unexpected character 'X'" },
		{ "S/SA/A", true, 0, 0, "Unexpected character '/'" },
		{ "", true, 0, 0, "No value was given" },
		{ " ", false, 0, 0, "No value was given" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tcpflags_match match = { 0, 0 };
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(
			tcpflags_parse_match(cases[i].text, cases[i].mask_needed, &match, &err),
			cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(match.high, cases[i].high);
		UNIT_ASSERT_U64(match.mask, cases[i].mask);
	}
}

static void test_attributes(void)
{
	struct tcpflags_match match;
	struct err err;
	char text[9];
	uint8_t state;

	CU_ASSERT_EQUAL(attributes_parse("t c", &state, &err), ST_OK);
	UNIT_ASSERT_U64(state, RECORD_TIMEOUT | RECORD_CONTINUED);
	CU_ASSERT_EQUAL(attributes_parse("X", &state, &err), ST_EINVAL);
	CU_ASSERT_EQUAL(attributes_parse_match("T/TC", &match, &err), ST_OK);
	UNIT_ASSERT_U64(match.high, 0x20);
	UNIT_ASSERT_U64(match.mask, 0x60);
	CU_ASSERT_EQUAL(attributes_parse_match("C", &match, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "Missing '/' character");
	CU_ASSERT_EQUAL(attributes_parse_match("A/A", &match, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "Unexpected character 'A'");
	CU_ASSERT_EQUAL(attributes_print(text, 0xff, true), 8);
	UNIT_ASSERT_STR(text, "TCFS    ");
	CU_ASSERT_EQUAL(attributes_print(text, RECORD_TIMEOUT | RECORD_UNIFORM, true), 8);
	UNIT_ASSERT_STR(text, "T  S    ");
	CU_ASSERT_EQUAL(attributes_print(text, RECORD_TIMEOUT | RECORD_UNIFORM, false), 2);
	UNIT_ASSERT_STR(text, "TS");
	CU_ASSERT_EQUAL(attributes_print(text, RECORD_EXPANDED | RECORD_IPV6, false), 0);
}

static void test_print(void)
{
	char text[9];
	uint8_t back;

	tcpflags_print(text, TCPFLAG_SYN | TCPFLAG_ACK | TCPFLAG_CWR, true);
	UNIT_ASSERT_STR(text, " S  A  C");
	tcpflags_print(text, 0, true);
	UNIT_ASSERT_STR(text, "        ");
	for (unsigned flags = 0; flags < 256; flags++) {
		for (int padded = 0; padded < 2; padded++) {
			size_t len = tcpflags_print(text, (uint8_t)flags, padded);

			unit_at("%u", flags);
			CU_ASSERT_EQUAL(len, strlen(text));
			CU_ASSERT(!padded || len == 8);
			CU_ASSERT_EQUAL(tcpflags_parse(text, &back, NULL), ST_OK);
			UNIT_ASSERT_U64(back, flags);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "flags", test_flags }, { "match", test_match }, { "attributes", test_attributes },
		{ "print", test_print }, { NULL, NULL },
	};

	return unit_run("tcpflags", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sequence.h"

#include "tests/unit/unit.h"

/* silk-packing.md 11.2, table of sequence accounting; one message of 10 units before. */
static void test_steps(void)
{
	static const struct {
		const char *name;
		uint32_t first, number;
		enum sequence_sign sign;
		int64_t missing;
		bool wrapped;
		uint32_t next;
	} rows[] = {
		{ "in order", 100, 110, SEQUENCE_IN_ORDER, 0, false, 120 },
		{ "in order over the wrap", 4294967290, 4, SEQUENCE_IN_ORDER, 0, false, 14 },
		{ "gap", 100, 117, SEQUENCE_GAP, 7, false, 127 },
		{ "largest gap", 100, 110 + 3599999, SEQUENCE_GAP, 3599999, false, 3600119 },
		{ "reset ahead", 100, 110 + 3600000, SEQUENCE_RESET, 0, false, 3600120 },
		{ "gap over the wrap", 4294967280, 2, SEQUENCE_GAP, 8, true, 12 },
		{ "late", 100, 90, SEQUENCE_LATE, 0, false, 110 },
		{ "latest", 100000, 100010 - 59999, SEQUENCE_LATE, 0, false, 100010 },
		{ "reset behind", 100000, 100010 - 60000, SEQUENCE_RESET, 0, false, 40020 },
		{ "late from before the wrap", 4294967290, 4294967280, SEQUENCE_LATE, 0, true, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sequence sequence = { 0 };
		struct sequence_step step;

		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(sequence_take(&sequence, rows[i].first, 10, &step),
				SEQUENCE_IN_ORDER);
		CU_ASSERT_EQUAL(sequence_take(&sequence, rows[i].number, 10, &step), rows[i].sign);
		UNIT_ASSERT_U64(step.expected, rows[i].first + 10);
		CU_ASSERT_EQUAL(step.missing, rows[i].missing);
		CU_ASSERT_EQUAL(step.wrapped, rows[i].wrapped);
		UNIT_ASSERT_U64(sequence.next, rows[i].next);
		UNIT_ASSERT_U64(sequence.received, 20);
	}
}

/* What comes late is taken off what is missing, and no more than that. */
static void test_late(void)
{
	struct sequence sequence = { 0 };
	struct sequence_step step;

	sequence_take(&sequence, 0, 10, &step);
	sequence_take(&sequence, 25, 10, &step);
	UNIT_ASSERT_U64(sequence.missing, 15);
	CU_ASSERT_EQUAL(sequence_take(&sequence, 10, 10, &step), SEQUENCE_LATE);
	CU_ASSERT_EQUAL(step.missing, -10);
	CU_ASSERT_EQUAL(sequence_take(&sequence, 20, 10, &step), SEQUENCE_LATE);
	CU_ASSERT_EQUAL(step.missing, -5);
	UNIT_ASSERT_U64(sequence.missing, 0);
	UNIT_ASSERT_U64(sequence.next, 35);
	sequence_restart(&sequence);
	CU_ASSERT_EQUAL(sequence_take(&sequence, 7, 1, &step), SEQUENCE_IN_ORDER);
	UNIT_ASSERT_U64(sequence.next, 8);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "one step", test_steps },
		{ "late arrivals", test_late },
		{ NULL, NULL },
	};

	return unit_run("sequence", cases);
}

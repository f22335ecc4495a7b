/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/loglimits.h"

#include <stdio.h>

#include "tests/unit/unit.h"

enum { SLOW, FAST, KINDS };

#define NAMES_MAX 100u

static const struct log_rate rates[KINDS] = { [SLOW] = { 2, 1 }, [FAST] = { 5, 1 } };

static unsigned ask(struct loglimits *limits, const char *name, unsigned kind, unsigned times)
{
	unsigned may = 0;

	for (unsigned i = 0; i < times; i++) {
		uint64_t held_back;

		may += loglimits_ok(limits, name, kind, &held_back);
	}
	return may;
}

static void test_names_and_kinds(void)
{
	struct loglimits *limits = loglimits_new(rates, KINDS, NAMES_MAX);

	UNIT_ASSERT_U64(ask(limits, "P", SLOW, 1000), 2);
	UNIT_ASSERT_U64(ask(limits, "P", FAST, 1000), 5);
	UNIT_ASSERT_U64(ask(limits, "Q", SLOW, 1000), 2);
	loglimits_free(limits);
}

/* Made-up names do not take memory for ever, nor do they hide those that were known before. */
static void test_many_names(void)
{
	struct loglimits *limits = loglimits_new(rates, KINDS, NAMES_MAX);
	unsigned may = 0;

	UNIT_ASSERT_U64(ask(limits, "P", SLOW, 1), 1);
	for (unsigned i = 0; i < 2 * NAMES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "N%u", i);
		may += ask(limits, name, SLOW, 1);
	}
	UNIT_ASSERT_U64(may, NAMES_MAX - 1 + rates[SLOW].burst);
	UNIT_ASSERT_U64(ask(limits, "P", SLOW, 1), 1);
	loglimits_free(limits);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "by name and kind", test_names_and_kinds },
		{ "more names than places", test_many_names },
		{ NULL, NULL },
	};

	return unit_run("loglimits", cases);
}

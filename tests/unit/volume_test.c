/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/volume.h"

#include <glib.h>

#include "tests/unit/unit.h"

struct volume_opts {
	struct volume_limits limits;
};

static const struct opt table[] = {
	OPT_GROUP(struct volume_opts, limits, volume_limits_opt_table),
	OPT_END,
};

static void parse(struct volume_opts *opts, const char *name, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(opt_set(table, opts, name, text, NULL), ST_OK);
}

static void test_limits(void)
{
	static const struct {
		const char *name, *text;
		struct volume passes, fails;
	} cases[] = {
		{ "min-bytes", "5", { 0, 5, 0 }, { 9, 4, 9 } },
		{ "max-bytes", "5", { 9, 5, 9 }, { 0, 6, 0 } },
		{ "min-packets", "5", { 0, 0, 5 }, { 9, 9, 4 } },
		{ "max-packets", "5", { 9, 9, 5 }, { 0, 0, 6 } },
		{ "min-records", "5", { 5, 0, 0 }, { 4, 9, 9 } },
		{ "max-records", "5", { 5, 9, 9 }, { 6, 0, 0 } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct volume_opts opts = { .limits = VOLUME_LIMITS_NONE };

		unit_at("%s", cases[i].name);
		CU_ASSERT(volume_passes(&cases[i].fails, &opts.limits));
		CU_ASSERT_FALSE(volume_limits_given(&opts.limits));
		parse(&opts, cases[i].name, cases[i].text);
		CU_ASSERT(volume_limits_given(&opts.limits));
		CU_ASSERT_EQUAL(volume_limits_check(&opts.limits, NULL), ST_OK);
		CU_ASSERT(volume_passes(&cases[i].passes, &opts.limits));
		CU_ASSERT_FALSE(volume_passes(&cases[i].fails, &opts.limits));
	}
}

static void test_crossed(void)
{
	struct volume_opts opts = { .limits = VOLUME_LIMITS_NONE };
	struct err err;

	parse(&opts, "max-packets", "0");
	CU_ASSERT_EQUAL(volume_limits_check(&opts.limits, &err), ST_OK);
	volume_limits_skip_zeroes(&opts.limits);
	CU_ASSERT_EQUAL(volume_limits_check(&opts.limits, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "--min-packets is greater than --max-packets: 1 > 0");
	parse(&opts, "max-packets", "7");
	parse(&opts, "min-packets", "3");
	volume_limits_skip_zeroes(&opts.limits);
	UNIT_ASSERT_U64(opts.limits.min.packets, 3);
	UNIT_ASSERT_U64(opts.limits.min.records, 1);
}

static void test_sum(void)
{
	struct volume sum = { 1, UINT64_C(1) << 40, 3 };

	volume_add(&sum, &(struct volume){ 10, 20, 30 });
	UNIT_ASSERT_U64(sum.records, 11);
	UNIT_ASSERT_U64(sum.bytes, (UINT64_C(1) << 40) + 20);
	UNIT_ASSERT_U64(sum.packets, 33);
}

static const struct unit_case cases[] = {
	{ "limits", test_limits },
	{ "crossed limits", test_crossed },
	{ "sum", test_sum },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("volume", cases);
}

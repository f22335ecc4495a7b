/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/losses.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define BASE_NS (INT64_C(1699999200) * NS_PER_S) /* 2023/11/14T22 */

static void test_describe(void)
{
	static const struct {
		const char *name;
		int64_t first, last;
		struct repo_pair pairs[2];
		const char *line; /* NULL: none */
	} rows[] = {
		{ "both sensors",
		  -5,
		  5,
		  { { 0, 0 }, { 1, 1 } },
		  "the selected data are known to be short: 9 records (missing), 4 datagrams "
		  "(kernel) in 2 hours of sensors, first 2023/11/14T22 of S0" },
		{ "one sensor",
		  -5,
		  5,
		  { { 0, 1 }, { 1, 1 } },
		  "the selected data are known to be short: 4 datagrams (kernel) in 1 hour of "
		  "sensors, first 2023/11/14T23 of S1" },
		{ "other hours", 2, 5, { { 0, 0 }, { 1, 1 } }, NULL },
		{ "other sensors", -5, 5, { { 0, 2 }, { 1, 3 } }, NULL },
	};
	char *root = g_build_filename(unit_scratch(), "losses", NULL);
	struct site *site = packsite_load();
	struct loss loss = { { [LOSS_RECEIVED] = 100, [LOSS_MISSING] = 7 } };

	lossfile_add(&(struct hourlines_place){ .root = root }, BASE_NS, "S0", "P", &loss, NULL);
	loss = (struct loss){ { [LOSS_MISSING] = 2 } };
	lossfile_add(&(struct hourlines_place){ .root = root }, BASE_NS, "S0", "Q", &loss, NULL);
	loss = (struct loss){ { [LOSS_KERNEL] = 4 } };
	lossfile_add(&(struct hourlines_place){ .root = root }, BASE_NS + HOUR_NS, "S1", "P", &loss,
		     NULL);
	/* lost, and found again */
	loss = (struct loss){ { [LOSS_MISSING] = 3 } };
	lossfile_add(&(struct hourlines_place){ .root = root }, BASE_NS + 2 * HOUR_NS, "S0", "P",
		     &loss, NULL);
	loss = (struct loss){ { [LOSS_MISSING] = -3 } };
	lossfile_add(&(struct hourlines_place){ .root = root }, BASE_NS + 2 * HOUR_NS, "S0", "P",
		     &loss, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct repo_pair pairs[2] = { rows[i].pairs[0], rows[i].pairs[1] };
		const struct repo_select select = {
			.first_hour_ns = BASE_NS + rows[i].first * HOUR_NS,
			.last_hour_ns = BASE_NS + rows[i].last * HOUR_NS,
			.pair_count = 2,
			.pairs = pairs,
		};
		char *line = losses_describe(site, root, &select);

		unit_at("%s", rows[i].name);
		UNIT_ASSERT_STR(line ? line : "", rows[i].line ? rows[i].line : "");
		g_free(line);
	}
	site_free(site);
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "one line", test_describe },
		{ NULL, NULL },
	};

	return unit_run("losses", cases);
}

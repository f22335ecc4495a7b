/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters of interfaces through memory and files. */
#include "packer/ifkeeper.h"

#include <glib.h>
#include <inttypes.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define BASE_NS (INT64_C(1699999200) * NS_PER_S) /* 2023/11/14T22 */

static struct ifcounters sample(int64_t after_s, const char *agent, uint32_t interface,
				uint64_t in_bytes)
{
	struct ifcounters counters = { .time_ns = BASE_NS + after_s * NS_PER_S,
				       .sub_agent = 3,
				       .interface = interface };
	bool is_v6;

	CU_ASSERT_EQUAL(ip_parse(agent, &counters.agent, &is_v6, NULL), ST_OK);
	counters.values[IFCOUNTER_SPEED] = 1000000000;
	counters.values[IFCOUNTER_IN_BYTES] = in_bytes;
	counters.values[IFCOUNTER_OUT_ERRORS] = 7;
	return counters;
}

static void take_line(void *arg, int64_t hour_ns, const char *probe,
		      const struct ifcounters *counters)
{
	char agent[IP_TEXT_MAX];

	ip_print(agent, counters->agent, !ip_is_mapped(counters->agent), IP_CANONICAL);
	CU_ASSERT_EQUAL(counters->values[IFCOUNTER_SPEED], 1000000000);
	CU_ASSERT_EQUAL(counters->values[IFCOUNTER_OUT_ERRORS], 7);
	CU_ASSERT_EQUAL(counters->values[IFCOUNTER_IN_ERRORS], 0);
	UNIT_ASSERT_U64(counters->sub_agent, 3);
	g_string_append_printf(arg, "%" PRId64 " %s %s %u %" PRIu64 " %" PRId64 "\n",
			       (hour_ns - BASE_NS) / HOUR_NS, probe, agent, counters->interface,
			       counters->values[IFCOUNTER_IN_BYTES],
			       (counters->time_ns - BASE_NS) / NS_PER_S);
}

static void expect(const char *root, const char *lines)
{
	GString *out = g_string_new(NULL);

	CU_ASSERT_EQUAL(ifcounters_each(root, BASE_NS, BASE_NS + 9 * HOUR_NS, take_line, out, NULL),
			ST_OK);
	UNIT_ASSERT_STR(out->str, lines);
	g_string_free(out, TRUE);
}

static void take(struct ifkeeper *keeper, const char *probe, struct ifcounters counters)
{
	ifkeeper_take(keeper, probe, &counters);
}

static void test_hours(void)
{
	char *root = g_build_filename(unit_scratch(), "interfaces", NULL);
	struct ifkeeper *keeper = ifkeeper_new();

	take(keeper, "P", sample(10, "192.0.2.1", 1, 100));
	take(keeper, "P", sample(40, "192.0.2.1", 1, 200));
	ifkeeper_write(keeper, &(struct hourlines_place){ .root = root }, BASE_NS + 60 * NS_PER_S,
		       false);
	expect(root, ""); /* the hour goes on */
	take(keeper, "P", sample(3610, "192.0.2.1", 1, 300));
	ifkeeper_write(keeper, &(struct hourlines_place){ .root = root }, BASE_NS + 3700 * NS_PER_S,
		       false);
	expect(root, "0 P 192.0.2.1 1 200 40\n");
	/* the hour ends without another sample, and then nothing is new */
	ifkeeper_write(keeper, &(struct hourlines_place){ .root = root }, BASE_NS + 7300 * NS_PER_S,
		       false);
	ifkeeper_write(keeper, &(struct hourlines_place){ .root = root }, BASE_NS + 7400 * NS_PER_S,
		       true);
	expect(root, "0 P 192.0.2.1 1 200 40\n1 P 192.0.2.1 1 300 3610\n");
	/* other interfaces, agents and probes count for themselves; the end writes the hour in
	 * progress */
	take(keeper, "Q", sample(7500, "2001:db8::1", 18446, UINT64_MAX));
	ifkeeper_write(keeper, &(struct hourlines_place){ .root = root }, BASE_NS + 7600 * NS_PER_S,
		       true);
	expect(root, "0 P 192.0.2.1 1 200 40\n1 P 192.0.2.1 1 300 3610\n"
		     "2 Q 2001:db8::1 18446 18446744073709551615 7500\n");
	ifkeeper_free(keeper);
	g_free(root);
}

static void test_names(void)
{
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		for (size_t j = 0; j < i; j++) {
			CU_ASSERT_STRING_NOT_EQUAL(ifcounter_rows[i].name, ifcounter_rows[j].name);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "hours", test_hours },
		{ "names", test_names },
		{ NULL, NULL },
	};

	return unit_run("ifkeeper", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lossfile.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define BASE_NS (INT64_C(1699999200) * NS_PER_S) /* 2023/11/14T22 */

static void take_line(void *arg, int64_t hour_ns, const char *sensor, const char *probe,
		      const struct loss *loss)
{
	GString *out = arg;

	g_string_append_printf(out, "%" PRId64 " %s %s %" PRId64 " %" PRId64 " %" PRIu64 "\n",
			       (hour_ns - BASE_NS) / HOUR_NS, sensor, probe,
			       loss->values[LOSS_RECEIVED], loss->values[LOSS_MISSING],
			       loss_total(loss));
}

static char *read_lines(const char *root, int64_t first, int64_t last)
{
	GString *out = g_string_new(NULL);
	struct err err;

	CU_ASSERT_EQUAL(lossfile_each(root, BASE_NS + first * HOUR_NS, BASE_NS + last * HOUR_NS,
				      take_line, out, &err),
			ST_OK);
	return g_string_free(out, FALSE);
}

static char *new_root(const char *name)
{
	return g_build_filename(unit_scratch(), name, NULL);
}

static void add(const char *root, int64_t hour, const char *sensor, struct loss loss)
{
	struct err err;

	CU_ASSERT_EQUAL(lossfile_add(&(struct hourlines_place){ .root = root },
				     BASE_NS + hour * HOUR_NS, sensor, "P", &loss, &err),
			ST_OK);
}

static void test_hours(void)
{
	static const struct {
		int64_t first, last;
		const char *lines;
	} rows[] = {
		{ 0, 0, "0 S0 P 100 7 7\n" },
		{ 0, 1, "0 S0 P 100 7 7\n1 S1 P 5 0 4\n" },
		{ 1, 3, "1 S1 P 5 0 4\n2 S0 P 0 -3 0\n" },
		{ 3, 9, "" },
		{ -500, 500, "0 S0 P 100 7 7\n1 S1 P 5 0 4\n2 S0 P 0 -3 0\n" },
		{ 1, 0, "" },
	};
	char *root = new_root("hours");
	GString *all = g_string_new(NULL);

	add(root, 0, "S0", (struct loss){ { [LOSS_RECEIVED] = 100, [LOSS_MISSING] = 7 } });
	add(root, 1, "S1",
	    (struct loss){ { [LOSS_RECEIVED] = 5, [LOSS_KERNEL] = 4, [LOSS_REJECTED] = 5 } });
	add(root, 2, "S0", (struct loss){ { [LOSS_MISSING] = -3, [LOSS_CLOCK_OFF] = 8 } });
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *lines = read_lines(root, rows[i].first, rows[i].last);

		unit_at("%" PRId64 " to %" PRId64, rows[i].first, rows[i].last);
		UNIT_ASSERT_STR(lines, rows[i].lines);
		g_free(lines);
	}
	CU_ASSERT_EQUAL(lossfile_each_hour(root, take_line, all, NULL), ST_OK);
	UNIT_ASSERT_STR(all->str, rows[4].lines);
	g_string_free(all, TRUE);
	g_free(root);
}

static void test_nothing(void)
{
	char *lines = read_lines("/nonexistent", 0, 1000);
	GString *all = g_string_new(NULL);

	UNIT_ASSERT_STR(lines, "");
	CU_ASSERT_EQUAL(lossfile_each_hour("/nonexistent", take_line, all, NULL), ST_OK);
	UNIT_ASSERT_STR(all->str, "");
	g_string_free(all, TRUE);
	g_free(lines);
}

/* Damage costs its lines; a torn end does not swallow what is added behind it. */
static void test_damage(void)
{
	char *root = new_root("damage");
	char *path = g_build_filename(root, ".loss/2023/11/14", NULL);
	char *lines;

	add(root, 0, "S0", (struct loss){ { [LOSS_MISSING] = 1 } });
	CU_ASSERT_TRUE_FATAL(g_file_set_contents(path,
						 "2023/11/14T22 S0 P missing=1\n"
						 "2023/11/14T22 S0\n"
						 "2023/13/14T22 S0 P missing=2\n"
						 "2023/11/14T22 S0 P missing=x\n"
						 "2023/11/14T22 S0 P missing\n"
						 "\n"
						 "2023/11/14T22 S0 P later-kind=9 missing=3\n"
						 "2023/11/14T22 S0 P missi",
						 -1, NULL));
	add(root, 0, "S0", (struct loss){ { [LOSS_MISSING] = 4 } });
	lines = read_lines(root, 0, 0);
	UNIT_ASSERT_STR(lines, "0 S0 P 0 1 1\n0 S0 P 0 3 3\n0 S0 P 0 4 4\n");
	g_free(lines);
	g_free(path);
	g_free(root);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 200; i++) {
		add(arg, 0, "S0", (struct loss){ { [LOSS_RECEIVED] = 1, [LOSS_MISSING] = 1 } });
	}
	return NULL;
}

static void sum_lines(void *arg, int64_t hour_ns, const char *sensor, const char *probe,
		      const struct loss *loss)
{
	(void)hour_ns;
	(void)sensor;
	(void)probe;
	loss_add(arg, loss);
}

static void test_together(void)
{
	char *root = new_root("together");
	struct loss sum = { 0 };
	pthread_t threads[4];

	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, add_many, root), 0);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
		pthread_join(threads[i], NULL);
	}
	CU_ASSERT_EQUAL(lossfile_each_hour(root, sum_lines, &sum, NULL), ST_OK);
	UNIT_ASSERT_U64((uint64_t)sum.values[LOSS_RECEIVED], 800);
	UNIT_ASSERT_U64(loss_total(&sum), 800);
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "hours", test_hours },
		{ "nothing there", test_nothing },
		{ "damage", test_damage },
		{ "several packers", test_together },
		{ NULL, NULL },
	};

	return unit_run("lossfile", cases);
}

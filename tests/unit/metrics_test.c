/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrics.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct metric table[] = {
	{ "records", "records read" },
	{ "bytes", "bytes read" },
};

static void test_format(void)
{
	_Atomic uint64_t values[2] = { 0, 0 };
	char text[32];

	metric_add(&values[1], 12);
	UNIT_ASSERT_U64(metrics_format(text, sizeof(text), table, values, 2, 0), 19);
	UNIT_ASSERT_STR(text, "records 0, bytes 12");
	metrics_format(text, sizeof(text), table, values, 2, 1);
	UNIT_ASSERT_STR(text, "bytes 12");
	metrics_format(text, sizeof(text), table, values, 1, 1);
	UNIT_ASSERT_STR(text, "");
}

/* Cut between counters at every size, never behind the end. */
static void test_cut(void)
{
	_Atomic uint64_t values[2] = { 7, 12 };

	for (size_t size = 1; size <= 24; size++) {
		char text[32];
		const char *expected = size >= 20   ? "records 7, bytes 12"
				       : size >= 10 ? "records 7"
						    : "";

		unit_at("size %zu", size);
		memset(text, 'x', sizeof(text));
		UNIT_ASSERT_U64(metrics_format(text, size, table, values, 2, 0), strlen(expected));
		UNIT_ASSERT_STR(text, expected);
		CU_ASSERT_EQUAL(text[size], 'x');
	}
}

static void *add_many(void *value)
{
	for (int i = 0; i < 10000; i++) {
		metric_add(value, 3);
	}
	return NULL;
}

static void test_threads(void)
{
	_Atomic uint64_t value = 0;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, add_many, &value), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	UNIT_ASSERT_U64(metric_get(&value), 120000);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "format", test_format },
		{ "cut", test_cut },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_run("metrics", cases);
}

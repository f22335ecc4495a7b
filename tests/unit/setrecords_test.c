/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files put together bitmap by bitmap, against sets put together in memory. */
#include "storage/setrecords.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define FILES_MAX 4

static const enum ipset_op ops[] = {
	IPSET_UNION,
	IPSET_INTERSECTION,
	IPSET_DIFFERENCE,
	IPSET_SYMMETRIC_DIFFERENCE,
};

static uint32_t random_to(GRand *rand, uint32_t limit)
{
	return (uint32_t)g_rand_int_range(rand, 0, (gint32)limit);
}

/* Some addresses and ranges near an end of all addresses, or few of them. */
static struct ipset *drawn(GRand *rand)
{
	struct ipset *set = ipset_new();
	unsigned additions = random_to(rand, 5) ? 1u << random_to(rand, 12) : 0;

	for (unsigned i = 0; i < additions; i++) {
		uint32_t first = UINT32_MAX - random_to(rand, 400000);
		uint32_t len = random_to(rand, 3) ? 0 : random_to(rand, 700);
		uint32_t last = len > UINT32_MAX - first ? UINT32_MAX : first + len;

		ipset_add_range(set, ip_from_v4(first), ip_from_v4(last));
	}
	ipset_finish(set);
	return set;
}

static char *path_of(size_t i)
{
	char name[16];

	g_snprintf(name, sizeof(name), "%zu.set", i);
	return g_build_filename(unit_scratch(), name, NULL);
}

static void write_set(const struct ipset *set, size_t i, uint16_t version, uint8_t compression)
{
	const struct ipset_write_opts opts = {
		.record_version = version,
		.compression = compression,
		.overwrite = true,
	};
	char *path = path_of(i);

	CU_ASSERT_EQUAL_FATAL(ipset_write(set, path, &opts, NULL), ST_OK);
	g_free(path);
}

static struct setrecords *open_set(size_t i)
{
	struct setrecords *records = NULL;
	char *path = path_of(i);

	CU_ASSERT_EQUAL_FATAL(setrecords_open(&records, path, NULL), ST_OK);
	g_free(path);
	return records;
}

static GBytes *taken(struct bytesink *sink)
{
	size_t len;
	const uint8_t *bytes = bytesink_bytes(sink, &len);
	GBytes *copy = g_bytes_new(bytes, len);

	bytesink_close(sink, NULL);
	return copy;
}

static GBytes *combined(size_t count, enum ipset_op op)
{
	const struct ipset_write_opts opts = { .compression = 0 };
	struct setrecords *records[FILES_MAX];
	struct bytesink *sink = bytesink_memory("combined");

	for (size_t i = 0; i < count; i++) {
		records[i] = open_set(i);
	}
	CU_ASSERT_EQUAL_FATAL(setrecords_combine(records, count, op, sink, &opts, NULL), ST_OK);
	for (size_t i = 0; i < count; i++) {
		setrecords_close(records[i]);
	}
	return taken(sink);
}

static void test_combined(void)
{
	GRand *rand = g_rand_new_with_seed(5);

	for (unsigned round = 0; round < 60; round++) {
		const struct ipset_write_opts opts = { .record_version = 2, .compression = 0 };
		struct bytesink *sink = bytesink_memory("expected");
		enum ipset_op op = ops[round % G_N_ELEMENTS(ops)];
		size_t count = 1 + random_to(rand, FILES_MAX);
		struct ipset *expected = NULL;
		GBytes *got;
		GBytes *wanted;

		unit_at("round %u", round);
		for (size_t i = 0; i < count; i++) {
			struct ipset *set = drawn(rand);
			struct ipset *both = expected ? ipset_combine(expected, set, op) : NULL;

			write_set(set, i, (uint16_t)(2 * random_to(rand, 2)), (uint8_t)(round % 3));
			ipset_free(expected);
			ipset_free(both ? set : NULL);
			expected = both ? both : set;
		}
		CU_ASSERT_EQUAL_FATAL(ipset_write_to(expected, sink, &opts, NULL), ST_OK);
		wanted = taken(sink);
		got = combined(count, op);
		CU_ASSERT(g_bytes_equal(got, wanted));
		g_bytes_unref(got);
		g_bytes_unref(wanted);
		ipset_free(expected);
	}
	g_rand_free(rand);
}

/* With what the records of a file of these bytes end. */
static int end_of(const uint8_t *bytes, size_t len)
{
	struct setrecords *records = NULL;
	struct setrecord record;
	char *path = path_of(0);
	int status;

	CU_ASSERT_FATAL(g_file_set_contents(path, (const char *)bytes, (gssize)len, NULL));
	status = setrecords_open(&records, path, NULL);
	while (status == ST_OK && (status = setrecords_next(records, &record, NULL)) == ST_OK) {
	}
	setrecords_close(records);
	g_free(path);
	return status;
}

static void test_odd_files(void)
{
	struct ipset *set = ipset_new();
	char *path = path_of(0);
	struct setrecords *records = NULL;
	uint8_t *bytes = NULL;
	size_t len;

	ipset_add_range(set, ip_from_v4(1000), ip_from_v4(2000));
	ipset_finish(set);
	write_set(set, 0, 4, 0);
	CU_ASSERT_EQUAL(setrecords_open(&records, path, NULL), ST_ESUPPORT);
	CU_ASSERT_EQUAL(setrecords_open(&records, "no/such/file", NULL), ST_ENOENT);
	write_set(set, 0, 2, 0);
	CU_ASSERT_FATAL(g_file_get_contents(path, (char **)&bytes, &len, NULL));
	CU_ASSERT_EQUAL(end_of(bytes, len), ST_END);
	CU_ASSERT_EQUAL(end_of(bytes, len - 1), ST_ETRUNC);
	/* the last one before the others */
	memset(bytes + len - 36, 0, 4);
	CU_ASSERT_EQUAL(end_of(bytes, len), ST_ESUPPORT);
	g_free(bytes);
	g_free(path);
	ipset_free(set);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "combined", test_combined },
		{ "out of order, damaged, of other versions", test_odd_files },
		{ NULL, NULL },
	};

	return unit_run("setrecords", cases);
}

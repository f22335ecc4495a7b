/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files put together bitmap by bitmap, against sets put together in memory. */
#include "storage/setrecords.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/setfiles.h"
#include "tests/unit/unit.h"

#define FILES_MAX 4

/* Some addresses and ranges near an end of all addresses, or few of them. */
static struct ipset *drawn(GRand *rand)
{
	struct ipset *set = ipset_new();
	unsigned additions = setfiles_random(rand, 5) ? 1u << setfiles_random(rand, 12) : 0;

	for (unsigned i = 0; i < additions; i++) {
		uint32_t first = UINT32_MAX - setfiles_random(rand, 400000);
		uint32_t len = setfiles_random(rand, 3) ? 0 : setfiles_random(rand, 700);
		uint32_t last = len > UINT32_MAX - first ? UINT32_MAX : first + len;

		ipset_add_range(set, ip_from_v4(first), ip_from_v4(last));
	}
	ipset_finish(set);
	return set;
}

static struct setrecords *open_set(size_t i)
{
	struct setrecords *records = NULL;
	char *path = setfiles_path(i);

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
		enum ipset_op op = setfiles_ops[round % SETFILES_OPS];
		size_t count = 1 + setfiles_random(rand, FILES_MAX);
		struct ipset *expected = NULL;
		GBytes *got;
		GBytes *wanted;

		unit_at("round %u", round);
		for (size_t i = 0; i < count; i++) {
			struct ipset *set = drawn(rand);
			struct ipset *both = expected ? ipset_combine(expected, set, op) : NULL;

			setfiles_write(set, i, (uint16_t)(2 * setfiles_random(rand, 2)),
				       (uint8_t)(round % 3));
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
	char *path = setfiles_path(0);
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
	char *path = setfiles_path(0);
	struct setrecords *records = NULL;
	uint8_t *bytes = NULL;
	size_t len;

	ipset_add_range(set, ip_from_v4(1000), ip_from_v4(2000));
	ipset_finish(set);
	setfiles_write(set, 0, 4, 0);
	CU_ASSERT_EQUAL(setrecords_open(&records, path, NULL), ST_ESUPPORT);
	CU_ASSERT_EQUAL(setrecords_open(&records, "no/such/file", NULL), ST_ENOENT);
	setfiles_write(set, 0, 2, 0);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files put together range by range, against sets put together in memory. */
#include "storage/setranges.h"

#include "storage/ipsetform.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/setfiles.h"
#include "tests/unit/unit.h"

#define FILES_MAX 4

/* Where addresses lie: at an end of all of them, of the IPv4 ones, and elsewhere. */
static const struct ip bases[] = {
	{ 0, 0 },
	{ 0, IP_V4_PREFIX | 0xfffff000 },
	{ 0, IP_V4_PREFIX | 0x0a000000 },
	{ UINT64_C(0x20010db800000000), UINT64_MAX - 2000 },
	{ UINT64_MAX, UINT64_MAX - 2000 },
};

static struct ip ip_at(struct ip base, uint32_t offset)
{
	unsigned __int128 number = ip_number(base) + offset;

	return (struct ip){ (uint64_t)(number >> 64), (uint64_t)number };
}

/* Some addresses and ranges; of IPv4 alone in some. */
static struct ipset *drawn(GRand *rand)
{
	struct ipset *set = ipset_new();
	unsigned additions = setfiles_random(rand, 6) ? 1u << setfiles_random(rand, 10) : 0;
	bool narrow = setfiles_random(rand, 3) == 0;

	for (unsigned i = 0; i < additions; i++) {
		struct ip base =
			bases[narrow ? 1 + setfiles_random(rand, 2) : setfiles_random(rand, 5)];
		uint32_t first = setfiles_random(rand, 2001);
		uint32_t last =
			first +
			(setfiles_random(rand, 3) ? 0 : setfiles_random(rand, 2001 - first));

		ipset_add_range(set, ip_at(base, first), ip_at(base, last));
	}
	ipset_finish(set);
	return set;
}

static struct ipset *read_set(size_t i)
{
	struct ipset *set = NULL;
	char *path = setfiles_path(i);

	CU_ASSERT_EQUAL_FATAL(ipset_read(&set, path, NULL, NULL), ST_OK);
	g_free(path);
	return set;
}

static struct ipset *combined(size_t count, enum ipset_op op, bool *changed)
{
	struct setranges *files[FILES_MAX];
	struct ipset *set = NULL;

	for (size_t i = 0; i < count; i++) {
		char *path = setfiles_path(i);

		CU_ASSERT_EQUAL_FATAL(setranges_open(&files[i], path, NULL), ST_OK);
		g_free(path);
	}
	CU_ASSERT_EQUAL_FATAL(setranges_combine(files, count, op, &set, changed, NULL), ST_OK);
	for (size_t i = 0; i < count; i++) {
		setranges_close(files[i]);
	}
	return set;
}

/* The files read and put together one after the other. */
static struct ipset *combined_in_memory(size_t count, enum ipset_op op, bool *changed)
{
	struct ipset *result = read_set(0);

	*changed = false;
	for (size_t i = 1; i < count; i++) {
		struct ipset *with = read_set(i);
		struct ipset *both = ipset_combine(result, with, op);

		*changed = *changed || !ipset_equal(both, result);
		ipset_free(with);
		ipset_free(result);
		result = both;
	}
	return result;
}

static void test_combined(void)
{
	static const uint16_t versions[] = { 0, 3, 4, 5 };
	GRand *rand = g_rand_new_with_seed(7);

	for (unsigned round = 0; round < 400; round++) {
		enum ipset_op op = setfiles_ops[round % SETFILES_OPS];
		size_t count = 1 + setfiles_random(rand, FILES_MAX);
		bool changed;
		bool changes;
		struct ipset *got;
		struct ipset *wanted;

		unit_at("round %u", round);
		for (size_t i = 0; i < count; i++) {
			struct ipset *set = drawn(rand);

			setfiles_write(set, i, versions[setfiles_random(rand, 4)],
				       (uint8_t)(round % 3));
			ipset_free(set);
		}
		got = combined(count, op, &changed);
		wanted = combined_in_memory(count, op, &changes);
		CU_ASSERT(ipset_equal(got, wanted));
		CU_ASSERT_EQUAL(ipset_is_wide(got), ipset_is_wide(wanted));
		CU_ASSERT_EQUAL(changed, changes);
		ipset_free(got);
		ipset_free(wanted);
	}
	g_rand_free(rand);
}

/* With what the ranges of a file of these bytes end. */
static int end_of(const uint8_t *bytes, size_t len)
{
	struct setranges *ranges = NULL;
	struct ip first;
	struct ip last;
	char *path = setfiles_path(0);
	int status;

	CU_ASSERT_FATAL(g_file_set_contents(path, (const char *)bytes, (gssize)len, NULL));
	status = setranges_open(&ranges, path, NULL);
	while (status == ST_OK && (status = setranges_next(ranges, &first, &last, NULL)) == ST_OK) {
	}
	setranges_close(ranges);
	g_free(path);
	return status;
}

static void test_odd_files(void)
{
	struct ipset *set = ipset_new();
	char *path = setfiles_path(0);
	struct setranges *ranges = NULL;
	uint8_t *bytes = NULL;
	uint8_t leaf[24];
	size_t len;

	for (uint32_t i = 0; i < 1000; i++) {
		ipset_add(set, ip_at(bases[3], 2 * i));
	}
	ipset_finish(set);
	setfiles_write(set, 0, 3, 0);
	CU_ASSERT_EQUAL(setranges_open(&ranges, "no/such/file", NULL), ST_ENOENT);
	CU_ASSERT_FATAL(g_file_get_contents(path, (char **)&bytes, &len, NULL));
	CU_ASSERT_EQUAL(end_of(bytes, len), ST_END);
	CU_ASSERT_EQUAL(end_of(bytes, len - 1), ST_ETRUNC);
	memcpy(leaf, bytes + len - 24, 24);
	memcpy(bytes + len - 24, bytes + len - 48, 24);
	memcpy(bytes + len - 48, leaf, 24);
	CU_ASSERT_EQUAL(end_of(bytes, len), ST_ESUPPORT);
	bytes[5] = 0;
	CU_ASSERT_EQUAL(end_of(bytes, len), ST_EFORMAT);
	g_free(bytes);
	g_free(path);
	ipset_free(set);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "combined", test_combined },
		{ "out of order, damaged, of other formats", test_odd_files },
		{ NULL, NULL },
	};

	return unit_run("setranges", cases);
}

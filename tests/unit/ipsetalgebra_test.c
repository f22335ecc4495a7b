/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv4 against a plain bitmap, IPv6 against a sorted list of addresses. */
#include "storage/ipsetalgebra.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* What each operation does with one address that is in a, in b. */
static bool expected(enum ipset_op op, bool a, bool b)
{
	switch (op) {
	case IPSET_UNION:
		return a || b;
	case IPSET_INTERSECTION:
		return a && b;
	case IPSET_DIFFERENCE:
		return a && !b;
	default:
		return a != b;
	}
}

static const struct {
	enum ipset_op op;
	const char *name;
} ops[] = {
	{ IPSET_UNION, "union" },
	{ IPSET_INTERSECTION, "intersection" },
	{ IPSET_DIFFERENCE, "difference" },
	{ IPSET_SYMMETRIC_DIFFERENCE, "symmetric difference" },
};

static uint32_t random_to(GRand *rand, uint32_t limit)
{
	return (uint32_t)g_rand_int_range(rand, 0, (gint32)limit);
}

/* --- IPv4 --- */

#define WINDOW 65536u

/* The window crosses a /16, or touches an end of IPv4. */
static const uint32_t bases[] = { 0x0a00ff00, 0, UINT32_MAX - WINDOW + 1 };

struct pair4 {
	uint32_t base;
	struct ipset *set;
	uint8_t *model;
};

static void pair4_init(struct pair4 *pair, uint32_t base, GRand *rand)
{
	unsigned additions = 1u << random_to(rand, 12);
	bool large = random_to(rand, 4) == 0;

	pair->base = base;
	pair->set = ipset_new();
	pair->model = g_malloc0(WINDOW);
	for (unsigned i = 0; i < additions; i++) {
		uint32_t first = random_to(rand, WINDOW);
		uint32_t last =
			random_to(rand, 3) ? first : first + random_to(rand, large ? 20000 : 300);

		last = MIN(last, WINDOW - 1);
		ipset_add_range(pair->set, ip_from_v4(base + first), ip_from_v4(base + last));
		memset(pair->model + first, 1, last - first + 1);
	}
	ipset_finish(pair->set);
}

static void pair4_release(struct pair4 *pair)
{
	ipset_free(pair->set);
	g_free(pair->model);
}

/* The ranges of the set are exactly those of the model, so they are joined too. */
static bool is_model4(const struct ipset *set, uint32_t base, const uint8_t *model)
{
	struct ipset_cursor cursor;
	struct cidr range;
	uint32_t at = 0;

	ipset_cursor_start(&cursor, set);
	for (;;) {
		uint32_t end;

		while (at < WINDOW && !model[at]) {
			at++;
		}
		if (at == WINDOW) {
			return !ipset_cursor_next(&cursor, &range);
		}
		for (end = at; end + 1 < WINDOW && model[end + 1]; end++) {
		}
		if (!ipset_cursor_next(&cursor, &range) ||
		    !ip_equal(range.first, ip_from_v4(base + at)) ||
		    !ip_equal(range.last, ip_from_v4(base + end))) {
			return false;
		}
		at = end + 1;
	}
}

static void test_combine4(void)
{
	GRand *rand = g_rand_new_with_seed(11);
	uint8_t *model = g_malloc(WINDOW);

	for (unsigned round = 0; round < 60; round++) {
		struct pair4 a;
		struct pair4 b;

		pair4_init(&a, bases[round % G_N_ELEMENTS(bases)], rand);
		pair4_init(&b, a.base, rand);
		for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
			struct ipset *result = ipset_combine(a.set, b.set, ops[i].op);

			unit_at("%s, round %u", ops[i].name, round);
			for (uint32_t n = 0; n < WINDOW; n++) {
				model[n] = expected(ops[i].op, a.model[n], b.model[n]);
			}
			CU_ASSERT(is_model4(result, a.base, model));
			ipset_free(result);
		}
		CU_ASSERT_EQUAL(ipset_equal(a.set, b.set), memcmp(a.model, b.model, WINDOW) == 0);
		CU_ASSERT(ipset_equal(a.set, a.set));
		pair4_release(&a);
		pair4_release(&b);
	}
	g_free(model);
	g_rand_free(rand);
}

static void test_blocks4(void)
{
	GRand *rand = g_rand_new_with_seed(12);
	uint8_t *masked = g_malloc(WINDOW);
	uint8_t *filled = g_malloc(WINDOW);

	for (unsigned round = 0; round < 40; round++) {
		unsigned prefix = 17 + random_to(rand, 16);
		uint32_t size = 1u << (32 - prefix);
		struct ipset *mask = NULL;
		struct ipset *fill;
		struct pair4 a;

		/* the window holds whole blocks only there */
		pair4_init(&a, round % 2 ? 0 : 0x0a000000, rand);
		memset(masked, 0, WINDOW);
		memset(filled, 0, WINDOW);
		for (uint32_t n = 0; n < WINDOW; n += size) {
			if (memchr(a.model + n, 1, size)) {
				masked[n] = 1;
				memset(filled + n, 1, size);
			}
		}
		unit_at("/%u, round %u", prefix, round);
		CU_ASSERT_EQUAL(ipset_mask(&mask, a.set, 96 + prefix, NULL), ST_OK);
		fill = ipset_fill(a.set, 96 + prefix);
		CU_ASSERT(is_model4(mask, a.base, masked));
		CU_ASSERT(is_model4(fill, a.base, filled));
		ipset_free(mask);
		ipset_free(fill);
		pair4_release(&a);
	}
	g_free(masked);
	g_free(filled);
	g_rand_free(rand);
}

/* --- IPv6 --- */

#define POOL 300u

/* Addresses that often touch each other, at both ends of all addresses and in IPv4 too. */
static void fill_pool(struct ip pool[POOL], GRand *rand)
{
	static const struct ip places[] = {
		{ 0, 0 },
		{ 0, IP_V4_PREFIX | 0xfffffff0 },
		{ UINT64_C(0x20010db800000000), 0 },
		{ UINT64_C(0x20010db800000000), UINT64_MAX - 40 },
		{ UINT64_MAX, UINT64_MAX - 60 },
	};

	for (unsigned i = 0; i < POOL; i++) {
		const struct ip place = places[random_to(rand, G_N_ELEMENTS(places))];
		unsigned __int128 number = ip_number(place) + random_to(rand, 60);

		pool[i] = (struct ip){ (uint64_t)(number >> 64), (uint64_t)number };
	}
}

static int order(const void *a, const void *b)
{
	return ip_compare(*(const struct ip *)a, *(const struct ip *)b);
}

static bool in_list(const struct ip *list, size_t count, struct ip ip)
{
	return bsearch(&ip, list, count, sizeof(ip), order) != NULL;
}

static size_t random_list(struct ip list[POOL], const struct ip pool[POOL], GRand *rand,
			  struct ipset *set)
{
	unsigned share = random_to(rand, 101);
	size_t count = 0;

	for (unsigned i = 0; i < POOL; i++) {
		if (random_to(rand, 100) < share) {
			ipset_add(set, pool[i]);
			list[count++] = pool[i];
		}
	}
	ipset_finish(set);
	qsort(list, count, sizeof(*list), order);
	return count;
}

static size_t count_of(const struct ipset *set)
{
	uint64_t high;
	uint64_t low;

	ipset_count(set, &high, &low);
	return high ? SIZE_MAX : (size_t)low;
}

static void test_combine6(void)
{
	GRand *rand = g_rand_new_with_seed(13);
	struct ip pool[POOL];
	struct ip list_a[POOL];
	struct ip list_b[POOL];

	for (unsigned round = 0; round < 100; round++) {
		struct ipset *a = ipset_new();
		struct ipset *b = ipset_new();
		size_t count_a;
		size_t count_b;

		fill_pool(pool, rand);
		count_a = random_list(list_a, pool, rand, a);
		count_b = random_list(list_b, pool, rand, b);
		qsort(pool, POOL, sizeof(*pool), order);
		for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
			struct ipset *result = ipset_combine(a, b, ops[i].op);
			size_t count = 0;

			unit_at("%s, round %u", ops[i].name, round);
			for (unsigned n = 0; n < POOL; n++) {
				bool want = expected(ops[i].op, in_list(list_a, count_a, pool[n]),
						     in_list(list_b, count_b, pool[n]));

				CU_ASSERT_EQUAL_FATAL(ipset_contains(result, pool[n]), want);
				count += want && (!n || !ip_equal(pool[n], pool[n - 1]));
			}
			UNIT_ASSERT_U64(count_of(result), count);
			ipset_free(result);
		}
		ipset_free(a);
		ipset_free(b);
	}
	g_rand_free(rand);
}

static void test_limits(void)
{
	struct ipset *set = ipset_new();
	struct ipset *all = NULL;
	struct ipset *none;
	struct err err;

	ipset_add_range(set, (struct ip){ 0, 0 }, (struct ip){ UINT64_MAX, UINT64_MAX });
	ipset_finish(set);
	CU_ASSERT_EQUAL(ipset_mask(&all, set, 95, &err), ST_ELIMIT);
	CU_ASSERT_PTR_NULL(all);
	CU_ASSERT_EQUAL(ipset_mask(&all, set, 128, &err), ST_OK);
	CU_ASSERT(ipset_equal(all, set));
	none = ipset_combine(set, all, IPSET_DIFFERENCE);
	CU_ASSERT(ipset_is_empty(none));
	ipset_free(none);
	ipset_free(all);
	CU_ASSERT_EQUAL(ipset_mask(&all, set, 1, &err), ST_OK);
	UNIT_ASSERT_U64(count_of(all), 2);
	ipset_free(all);
	ipset_free(set);
}

/* --- the history of a set in a file of version 3 --- */

static char *written_v3(const struct ipset *set, size_t *len)
{
	const struct ipset_write_opts opts = { .record_version = 3 };
	char *path = g_build_filename(unit_scratch(), "grown.set", NULL);
	char *bytes = NULL;

	unlink(path);
	CU_ASSERT_EQUAL_FATAL(ipset_write(set, path, &opts, NULL), ST_OK);
	CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, len, NULL));
	g_free(path);
	return bytes;
}

/* What is read and written again is the same, byte for byte, although it grew out of order. */
static void test_history(void)
{
	GRand *rand = g_rand_new_with_seed(14);
	char *path = g_build_filename(unit_scratch(), "grown.set", NULL);

	for (unsigned round = 0; round < 12; round++) {
		struct ipset *set = ipset_new();
		struct ipset *again = NULL;
		char *before;
		char *after;
		size_t len;
		size_t len_after;

		for (unsigned i = 0; i < 1u << round; i++) {
			ipset_add(set, (struct ip){ UINT64_C(0x2001) << 48 | random_to(rand, 9),
						    g_rand_int(rand) });
		}
		ipset_finish(set);
		unit_at("round %u", round);
		before = written_v3(set, &len);
		CU_ASSERT_EQUAL_FATAL(ipset_read_growing(&again, path, NULL, NULL), ST_OK);
		ipset_finish_for_tree(again);
		after = written_v3(again, &len_after);
		CU_ASSERT_EQUAL_FATAL(len, len_after);
		CU_ASSERT_EQUAL(memcmp(before, after, len), 0);
		ipset_finish(again);
		CU_ASSERT(ipset_equal(set, again));
		ipset_free(set);
		ipset_free(again);
		g_free(before);
		g_free(after);
	}
	g_free(path);
	g_rand_free(rand);
}

/* A few addresses, in networks whose lower halves, too, are those of others. */
static void add_drawn(struct ipset *set, GRand *rand, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ipset_add(set, (struct ip){ UINT64_C(0x2001) << 48 | random_to(rand, 9),
					    random_to(rand, 14) });
	}
}

/* Read the set in a file of version 3, and write it there again: returns the bytes. */
static char *rewritten_v3(struct ipset *set, size_t *len)
{
	ipset_finish_for_tree(set);
	return written_v3(set, len);
}

/* What is read for being added goes in as its ranges would, whether it has IPv6 addresses or not. */
static void test_adding(void)
{
	GRand *rand = g_rand_new_with_seed(21);
	char *path = g_build_filename(unit_scratch(), "grown.set", NULL);

	for (unsigned round = 0; round < 24; round++) {
		struct ipset *second = ipset_new();
		struct ipset *set = ipset_new();
		struct ipset *by_blocks = NULL;
		struct ipset *by_ranges = NULL;
		struct ipset *blocks = NULL;
		char *bytes[2];
		size_t len[2];

		unit_at("round %u", round);
		add_drawn(set, rand, 1u << round / 2);
		ipset_finish(set);
		g_free(written_v3(set, &len[0]));
		CU_ASSERT_EQUAL_FATAL(ipset_read_growing(&by_blocks, path, NULL, NULL), ST_OK);
		CU_ASSERT_EQUAL_FATAL(ipset_read_growing(&by_ranges, path, NULL, NULL), ST_OK);
		add_drawn(second, rand, round % 3 ? 1u << (23 - round) / 2 : 0);
		ipset_add_range(second, ip_from_v4(1), ip_from_v4(100));
		ipset_finish(second);
		g_free(written_v3(second, &len[0]));
		CU_ASSERT_EQUAL_FATAL(ipset_read_for_adding(&blocks, path, NULL, NULL), ST_OK);
		CU_ASSERT_EQUAL(ipset_has_ipv6(blocks), ipset_has_ipv6(second));
		ipset_add_set(by_blocks, blocks);
		ipset_add_set(by_ranges, second);
		bytes[0] = rewritten_v3(by_blocks, &len[0]);
		bytes[1] = rewritten_v3(by_ranges, &len[1]);
		CU_ASSERT_EQUAL_FATAL(len[0], len[1]);
		CU_ASSERT_EQUAL(memcmp(bytes[0], bytes[1], len[0]), 0);
		ipset_free(blocks);
		CU_ASSERT_EQUAL_FATAL(ipset_read_for_adding(&blocks, path, NULL, NULL), ST_OK);
		ipset_finish(blocks);
		ipset_finish(by_ranges);
		CU_ASSERT(ipset_equal(blocks, by_ranges));
		g_free(bytes[0]);
		g_free(bytes[1]);
		ipset_free(set);
		ipset_free(second);
		ipset_free(blocks);
		ipset_free(by_blocks);
		ipset_free(by_ranges);
	}
	g_free(path);
	g_rand_free(rand);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "IPv4 sets combined", test_combine4 },
		{ "IPv4 blocks masked and filled", test_blocks4 },
		{ "IPv6 sets combined", test_combine6 },
		{ "all addresses", test_limits },
		{ "numbers of nodes kept", test_history },
		{ "added to another", test_adding },
		{ NULL, NULL },
	};

	return unit_run("ipsetalgebra", cases);
}

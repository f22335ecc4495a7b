/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to a set about ranges, and walks through it, against a list of its addresses. */
#include "storage/ipset.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define SPAN 512u /* addresses that the model knows, from the base upwards */

/* Where the model's first address lies: inside IPv4, at its ends, and in IPv6. */
static const struct place {
	const char *name;
	struct ip base;
} places[] = {
	{ "inside IPv4", { 0, IP_V4_PREFIX | 0x0a00ff80 } },
	{ "lowest IPv4", { 0, IP_V4_PREFIX } },
	{ "highest IPv4", { 0, IP_V4_PREFIX | (UINT32_MAX - SPAN + 1) } },
	{ "IPv6", { UINT64_C(0x20010db800000000), UINT64_MAX - 255 } },
	{ "lowest IPv6", { 0, 0 } },
	{ "highest IPv6", { UINT64_MAX, UINT64_MAX - SPAN + 1 } },
};

static struct ip ip_at(const struct place *place, uint32_t offset)
{
	unsigned __int128 number = ip_number(place->base) + offset;

	return (struct ip){ (uint64_t)(number >> 64), (uint64_t)number };
}

static struct ipset *random_set(const struct place *place, uint8_t model[SPAN], GRand *rand,
				unsigned share)
{
	struct ipset *set = ipset_new();

	for (uint32_t i = 0; i < SPAN; i++) {
		model[i] = (unsigned)g_rand_int_range(rand, 0, 100) < share;
		if (model[i]) {
			ipset_add(set, ip_at(place, i));
		}
	}
	ipset_finish(set);
	return set;
}

static bool model_meets(const uint8_t model[SPAN], uint32_t first, uint32_t last)
{
	return memchr(model + first, 1, last - first + 1) != NULL;
}

static void check_meets(const struct place *place, const struct ipset *set,
			const uint8_t model[SPAN], GRand *rand)
{
	for (int i = 0; i < 400; i++) {
		uint32_t first = (uint32_t)g_rand_int_range(rand, 0, SPAN);
		uint32_t last = (uint32_t)g_rand_int_range(rand, (gint32)first, SPAN);

		last = i % 2 ? last : MIN(last, first + 2);
		if (ipset_intersects_range(set, ip_at(place, first), ip_at(place, last)) !=
		    model_meets(model, first, last)) {
			CU_FAIL("intersects_range");
			return;
		}
	}
	CU_ASSERT_EQUAL(ipset_intersects_range(set, (struct ip){ 0, 0 },
					       (struct ip){ UINT64_MAX, UINT64_MAX }),
			model_meets(model, 0, SPAN - 1));
}

static void check_bounds(const struct place *place, const struct ipset *set,
			 const uint8_t model[SPAN])
{
	const uint8_t *low = memchr(model, 1, SPAN);
	const uint8_t *high = memrchr(model, 1, SPAN);
	struct ip first = { 1, 2 };
	struct ip last = { 3, 4 };

	CU_ASSERT_EQUAL(ipset_bounds(set, &first, &last), low != NULL);
	if (low) {
		CU_ASSERT(ip_equal(first, ip_at(place, (uint32_t)(low - model))));
		CU_ASSERT(ip_equal(last, ip_at(place, (uint32_t)(high - model))));
	} else {
		CU_ASSERT(first.lo == 2 && last.lo == 4);
	}
}

/* From offset on the cursor must show the rest of the model, in whole ranges. */
static void check_walk(const struct place *place, const struct ipset *set,
		       const uint8_t model[SPAN], uint32_t offset)
{
	struct ipset_cursor cursor;
	struct cidr range;
	uint8_t seen[SPAN] = { 0 };

	ipset_cursor_start(&cursor, set);
	ipset_cursor_seek(&cursor, ip_at(place, offset));
	while (ipset_cursor_next(&cursor, &range)) {
		uint32_t first = (uint32_t)(range.first.lo - place->base.lo);
		uint32_t last = (uint32_t)(range.last.lo - place->base.lo);

		CU_ASSERT_FATAL(first <= last && last < SPAN && last >= offset);
		memset(seen + first, 1, last - first + 1);
	}
	CU_ASSERT_FALSE(ipset_cursor_next(&cursor, &range));
	CU_ASSERT_EQUAL(memcmp(seen + offset, model + offset, SPAN - offset), 0);
}

static void test_model(void)
{
	static const unsigned shares[] = { 0, 1, 20, 50, 95, 100 };
	GRand *rand = g_rand_new_with_seed(4);

	for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
		for (size_t s = 0; s < G_N_ELEMENTS(shares); s++) {
			uint8_t model[SPAN];
			struct ipset *set = random_set(&places[p], model, rand, shares[s]);

			unit_at("%s, %u %%", places[p].name, shares[s]);
			check_meets(&places[p], set, model, rand);
			check_bounds(&places[p], set, model);
			for (uint32_t offset = 0; offset < SPAN; offset += 37) {
				check_walk(&places[p], set, model, offset);
			}
			ipset_free(set);
		}
	}
	g_rand_free(rand);
}

/* Addresses of the other family below and above all IPv4. */
static void test_seek_outside(void)
{
	struct ipset *set = ipset_new();
	struct ipset_cursor cursor;
	struct cidr range;

	ipset_add(set, ip_from_v4(7));
	ipset_finish(set);
	ipset_cursor_start(&cursor, set);
	ipset_cursor_seek(&cursor, (struct ip){ UINT64_C(1) << 61, 0 });
	CU_ASSERT_FALSE(ipset_cursor_next(&cursor, &range));
	ipset_cursor_seek(&cursor, (struct ip){ 0, 1 });
	CU_ASSERT_FATAL(ipset_cursor_next(&cursor, &range));
	CU_ASSERT(ip_equal(range.first, ip_from_v4(7)));
	CU_ASSERT_FALSE(range.is_v6);
	CU_ASSERT_FALSE(ipset_intersects_range(set, (struct ip){ 0, 0 },
					       (struct ip){ 0, IP_V4_PREFIX - 1 }));
	CU_ASSERT_FALSE(ipset_intersects_range(
		set, (struct ip){ 0, IP_V4_PREFIX + (UINT64_C(1) << 32) }, (struct ip){ 1, 0 }));
	ipset_free(set);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "ranges, bounds and walks", test_model },
		{ "addresses of the other family", test_seek_outside },
		{ NULL, NULL },
	};

	return unit_run("ipsetask", cases);
}

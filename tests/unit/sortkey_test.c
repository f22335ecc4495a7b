/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sortkey.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define ROWS 400

/* Addresses about where those of IPv4 begin and end, and anywhere. */
static struct ip draw_address(GRand *random, bool *is_v6)
{
	static const uint64_t lows[] = {
		0,
		1,
		UINT64_C(0xfffeffffffff),
		UINT64_C(0xffff00000000),
		UINT64_C(0xffff00000001),
		UINT64_C(0xffffc0a80101),
		UINT64_C(0xffffffffffff),
		UINT64_C(0x1000000000000),
		UINT64_MAX,
	};
	struct ip ip = { .hi = g_rand_boolean(random) ? 0 : g_rand_int_range(random, 0, 3) };

	ip.lo = lows[g_rand_int_range(random, 0, G_N_ELEMENTS(lows))];
	*is_v6 = !ip_is_mapped(ip);
	return ip;
}

static struct batch *make_batch(void)
{
	struct batch *batch = batch_new();
	GRand *random = g_rand_new_with_seed(3);

	batch_clear(batch, COLUMNS_ALL);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct record rec = { 0 };
		bool sip_v6, dip_v6;

		rec.sip = draw_address(random, &sip_v6);
		rec.dip = draw_address(random, &dip_v6);
		rec.state = sip_v6 || dip_v6 ? RECORD_IPV6 : 0;
		rec.protocol = (uint8_t)g_rand_int_range(random, 0, 2);
		rec.start_ns = g_rand_int_range(random, 0, 3) * INT64_C(1000000);
		batch_append(batch, &rec);
	}
	batch_select_all(batch);
	g_rand_free(random);
	return batch;
}

/* Of a batch with one row alone, where all addresses may be IPv4, as of the whole one. */
static size_t count_others(const struct sortkey *sort, struct batch *batch, const uint8_t *keys)
{
	uint8_t *key = g_malloc(sort->size + 1);
	size_t others = 0;

	batch->selected = 1;
	for (uint16_t i = 0; i < ROWS; i++) {
		batch->selection[0] = i;
		memset(key, 0xee, sort->size);
		sortkey_pack(sort, batch, key, sort->size);
		others += memcmp(key, keys + i * sort->size, sort->size) != 0;
	}
	g_free(key);
	return others;
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

/* The order is that of the longer keys, and equal beginnings are of equal fields. */
static void check_fields(const char *names, bool family)
{
	char **split = g_strsplit(names, ",", 0);
	size_t count = g_strv_length(split);
	const struct field **fields = g_new(const struct field *, count + 1);
	struct batch *batch = make_batch();
	struct rowkey key, first;
	struct sortkey sort;
	uint8_t *keys, *shorter, *firsts;
	size_t bad = 0;

	for (size_t i = 0; i < count; i++) {
		fields[i] = field_find(split[i], NULL);
	}
	rowkey_init(&key, fields, count);
	rowkey_init(&first, fields, MIN(count, 1));
	if (family) {
		rowkey_tell_family(&key);
		rowkey_tell_family(&first);
	}
	sortkey_init(&sort, &key);
	keys = g_malloc(ROWS * key.size + 1);
	firsts = g_malloc(ROWS * first.size + 1);
	shorter = g_malloc(ROWS * sort.size + 1);
	rowkey_pack(&key, batch, keys, key.size);
	rowkey_pack(&first, batch, firsts, first.size);
	sortkey_pack(&sort, batch, shorter, sort.size);
	for (size_t i = 0; i < ROWS; i++) {
		const uint8_t *one = shorter + i * sort.size;
		size_t extent = sortkey_extent(&sort, one, first.count);

		for (size_t k = 0; k < ROWS; k++) {
			const uint8_t *other = shorter + k * sort.size;
			bool alike = memcmp(firsts + i * first.size, firsts + k * first.size,
					    first.size) == 0;

			bad += sign(memcmp(one, other, sort.size)) !=
			       sign(memcmp(keys + i * key.size, keys + k * key.size, key.size));
			bad += alike != (memcmp(one, other, extent) == 0);
		}
		bad += sortkey_extent(&sort, one, count) > sort.size;
	}
	UNIT_ASSERT_U64(bad, 0);
	UNIT_ASSERT_U64(count_others(&sort, batch, shorter), 0);
	batch_free(batch);
	g_free(keys);
	g_free(firsts);
	g_free(shorter);
	g_free(fields);
	g_strfreev(split);
}

static void test_order(void)
{
	static const char *const lists[] = { "protocol",       "sIP",
					     "sIP,dIP",        "sTime,sIP",
					     "sTime,protocol", "protocol,dIP,sTime,sIP,nhIP" };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		unit_at("%s", lists[i]);
		check_fields(lists[i], false);
		unit_at("%s, families", lists[i]);
		check_fields(lists[i], true);
	}
}

/* Addresses of IPv4 are short. */
static void test_extent(void)
{
	const struct field *fields[] = { field_find("sIP", NULL), field_find("protocol", NULL) };
	struct record rec = { .sip = { .lo = UINT64_C(0xffffc0a80101) } };
	struct batch *batch = batch_new();
	struct rowkey key;
	struct sortkey sort;
	uint8_t bytes[2][18];

	rowkey_init(&key, fields, G_N_ELEMENTS(fields));
	sortkey_init(&sort, &key);
	UNIT_ASSERT_U64(sort.size, sizeof(bytes[0]));
	batch_clear(batch, COLUMNS_ALL);
	batch_append(batch, &rec);
	rec = (struct record){ .sip = { .hi = 1 }, .state = RECORD_IPV6 };
	batch_append(batch, &rec);
	batch_select_all(batch);
	sortkey_pack(&sort, batch, bytes[0], sizeof(bytes[0]));
	UNIT_ASSERT_U64(sortkey_extent(&sort, bytes[0], 1), 5);
	UNIT_ASSERT_U64(sortkey_extent(&sort, bytes[0], 2), 6);
	UNIT_ASSERT_U64(sortkey_extent(&sort, bytes[1], 1), 17);
	UNIT_ASSERT_U64(sortkey_extent(&sort, bytes[1], 2), 18);
	batch_free(batch);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order", test_order },
		{ "extent", test_extent },
		{ NULL, NULL },
	};

	return unit_run("sortkey", cases);
}

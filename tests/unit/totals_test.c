/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/totals.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define RECORDS 3000

static void print_plain(enum totals_keys part, const struct record *rec, unsigned v4, char *out)
{
	const struct {
		enum totals_keys key;
		uint64_t value;
	} numbers[] = {
		{ TOTALS_SPORT, rec->sport },
		{ TOTALS_DPORT, rec->dport },
		{ TOTALS_PROTO, rec->protocol },
		{ TOTALS_PACKETS, MIN(rec->packets, 16777215) },
		{ TOTALS_BYTES, MIN(rec->bytes, 16777215) },
		{ TOTALS_DURATION, MIN(rec->duration_ns / NS_PER_S, 4095) },
		{ TOTALS_SIP_FIRST_8, v4 >> 24 },
		{ TOTALS_SIP_LAST_8, v4 & 255 },
	};
	const struct {
		enum totals_keys key;
		char between;
		uint32_t value;
		unsigned bytes;
	} rows[] = {
		{ TOTALS_SIP_FIRST_16, '.', v4 >> 16, 2 },
		{ TOTALS_SIP_FIRST_24, '.', v4 >> 8, 3 },
		{ TOTALS_SIP_LAST_16, '.', v4 & 0xffff, 2 },
		{ TOTALS_ICMP_CODE, ' ', rec->dport, 2 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		if (numbers[i].key == part) {
			snprintf(out, TOTALS_TEXT_MAX, "%u", (unsigned)numbers[i].value);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].key == part && rows[i].bytes == 3) {
			snprintf(out, TOTALS_TEXT_MAX, "%u.%u.%u", rows[i].value >> 16,
				 rows[i].value >> 8 & 255, rows[i].value & 255);
		} else if (rows[i].key == part) {
			snprintf(out, TOTALS_TEXT_MAX, "%u%c%u", rows[i].value >> 8,
				 rows[i].between, rows[i].value & 255);
		}
	}
}

/* The text of a record's value of a key, worked out the slow way. */
static void key_text(enum totals_keys number, const struct record *rec, char *out)
{
	const struct ip ip = number < TOTALS_DIP_FIRST_8 ? rec->sip : rec->dip;
	const bool is_dip = number >= TOTALS_DIP_FIRST_8 && number < TOTALS_SPORT;
	const enum totals_keys part = is_dip ? number - TOTALS_DIP_FIRST_8 : number;

	if (number < TOTALS_SPORT && record_is_ipv6(rec)) {
		static const struct {
			unsigned bits;
			bool last;
		} parts[] = {
			{ 8, false }, { 16, false }, { 24, false }, { 8, true }, { 16, true }
		};
		struct ip cut = { 0, ip.lo & ((1u << parts[part].bits) - 1) };

		if (!parts[part].last) {
			cut = ip_block_first(ip, parts[part].bits);
		}
		ip_print(out, cut, true, IP_NO_MIXED);
		if (!parts[part].last) {
			snprintf(out + strlen(out), 8, "/%u", parts[part].bits);
		}
		return;
	}
	print_plain(part, rec, ip_to_v4(ip), out);
}

static void random_record(GRand *random, struct record *rec)
{
	record_init(rec);
	rec->sip = ip_from_v4(0x0a000000 + (g_rand_int(random) & 0x00030303));
	rec->dip = ip_from_v4(0xc0a80000 + (g_rand_int(random) & 0x0000ffff));
	if (g_rand_boolean(random)) {
		rec->state |= RECORD_IPV6;
		rec->sip = (struct ip){ UINT64_C(0x20010db800000000) + g_rand_int(random),
					g_rand_int(random) & 0xffff };
		rec->dip = (struct ip){ UINT64_C(0xfe80) << 48, g_rand_int(random) };
	}
	rec->sport = (uint16_t)g_rand_int_range(random, 0, 65536);
	rec->dport = (uint16_t)g_rand_int_range(random, 65000, 65536);
	rec->protocol = (uint8_t)g_rand_int_range(random, 0, 256);
	rec->packets = (uint64_t)g_rand_int_range(random, 1, 20000000);
	rec->bytes = (uint64_t)g_rand_int(random) * 3;
	rec->duration_ns = (uint64_t)(g_rand_int_range(random, 0, 5000000) * NS_PER_MS);
}

static void add_expected(GHashTable *expected, enum totals_keys key, const struct record *rec)
{
	char text[TOTALS_TEXT_MAX];
	struct volume *bin;

	key_text(key, rec, text);
	bin = g_hash_table_lookup(expected, text);
	if (!bin) {
		bin = g_new0(struct volume, 1);
		g_hash_table_insert(expected, g_strdup(text), bin);
	}
	bin->records++;
	bin->bytes += rec->bytes;
	bin->packets += rec->packets;
}

static void compare(const struct totals *totals, GHashTable *expected)
{
	guint bins = 0;
	uint32_t n = 0;

	while ((n = totals_next(totals, n, true)) != TOTALS_END) {
		char text[TOTALS_TEXT_MAX];
		size_t len = totals_print(totals, text, n, false);
		const struct volume *bin = g_hash_table_lookup(expected, text);

		CU_ASSERT_EQUAL(len, strlen(text));
		CU_ASSERT_PTR_NOT_NULL_FATAL(bin);
		CU_ASSERT_EQUAL(memcmp(bin, totals_at(totals, n), sizeof(*bin)), 0);
		bins++;
		n++;
	}
	CU_ASSERT_EQUAL(bins, g_hash_table_size(expected));
}

static void test_keys(void)
{
	GRand *random = g_rand_new_with_seed(1);

	for (enum totals_keys key = 0; key < TOTALS_KEY_COUNT; key++) {
		GHashTable *expected =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		struct totals *totals = totals_new(&totals_keys[key], IPV6_MIX);
		struct totals_worker *workers[] = { totals_worker_new(totals),
						    totals_worker_new(totals) };
		struct batch *batch = batch_new();

		unit_at("%s", totals_keys[key].title);
		for (unsigned i = 0; i < RECORDS; i++) {
			struct record rec;

			random_record(random, &rec);
			add_expected(expected, key, &rec);
			batch_append(batch, &rec);
			if (batch->rows == BATCH_ROWS || i + 1 == RECORDS) {
				totals_worker_add(workers[i / BATCH_ROWS % 2], batch);
				batch_clear(batch, COLUMNS_ALL);
			}
		}
		totals_worker_free(workers[0]);
		totals_worker_free(workers[1]);
		compare(totals, expected);
		batch_free(batch);
		totals_free(totals);
		g_hash_table_destroy(expected);
	}
	g_rand_free(random);
}

static uint32_t count_bins(enum totals_keys key, enum ipv6_policy policy, const char **first)
{
	static char text[TOTALS_TEXT_MAX];
	struct totals *totals = totals_new(&totals_keys[key], policy);
	uint32_t n = totals_next(totals, 0, false);
	uint32_t count = 0;

	totals_print(totals, text, n, true);
	*first = text;
	CU_ASSERT_EQUAL(totals_next(totals, 0, true), TOTALS_END);
	for (; n != TOTALS_END; n = totals_next(totals, n + 1, false)) {
		CU_ASSERT_EQUAL(totals_at(totals, n)->records, 0);
		count++;
	}
	totals_free(totals);
	return count;
}

static void test_all_bins(void)
{
	static const struct {
		enum totals_keys key;
		enum ipv6_policy policy;
		uint32_t bins;
		const char *first;
	} cases[] = {
		{ TOTALS_SIP_FIRST_8, IPV6_ASV4, 256, "0" },
		{ TOTALS_SIP_FIRST_16, IPV6_IGNORE, 65536, "  0.  0" },
		{ TOTALS_DIP_FIRST_24, IPV6_ASV4, 1u << 24, "  0.  0.  0" },
		{ TOTALS_SIP_FIRST_8, IPV6_MIX, 512, "0" },
		{ TOTALS_SIP_FIRST_16, IPV6_ONLY, 65536, "::/16" },
		{ TOTALS_DIP_LAST_16, IPV6_FORCE, 65536, "::" },
		{ TOTALS_DURATION, IPV6_MIX, 4096, "0" },
		{ TOTALS_ICMP_CODE, IPV6_MIX, 65536, "  0   0" },
		{ TOTALS_BYTES, IPV6_MIX, 1u << 24, "0" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *first;

		unit_at("%s, policy %d", totals_keys[cases[i].key].title, cases[i].policy);
		UNIT_ASSERT_U64(count_bins(cases[i].key, cases[i].policy, &first), cases[i].bins);
		UNIT_ASSERT_STR(first, cases[i].first);
	}
}

static const struct unit_case cases[] = {
	{ "keys", test_keys },
	{ "all bins", test_all_bins },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("totals", cases);
}

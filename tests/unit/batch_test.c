/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/batch.h"

#include <string.h>
#include <glib.h>

#include "tests/unit/unit.h"

static struct record make_record(const char *sip, const char *dip, const char *nhip)
{
	struct record rec;
	bool is_v6;

	record_init(&rec);
	CU_ASSERT_EQUAL(ip_parse(sip, &rec.sip, &is_v6, NULL), ST_OK);
	CU_ASSERT_EQUAL(ip_parse(dip, &rec.dip, &is_v6, NULL), ST_OK);
	CU_ASSERT_EQUAL(ip_parse(nhip, &rec.nhip, &is_v6, NULL), ST_OK);
	rec.state = is_v6 ? RECORD_IPV6 : 0;
	return rec;
}

/* One record of each kind: IPv4; IPv6; IPv6 that IPv4 can hold, without and with a next hop; and
 * such a one but for its next hop. */
static struct batch *make_batch(void)
{
	static const char *const addresses[][3] = {
		{ "10.0.0.1", "10.0.0.2", "0.0.0.0" },
		{ "2001:db8::1", "2001:db8::2", "::" },
		{ "::ffff:10.0.0.3", "::ffff:10.0.0.4", "::" },
		{ "::ffff:10.0.0.5", "::ffff:10.0.0.6", "::ffff:10.0.0.7" },
		{ "::ffff:10.0.0.8", "::ffff:10.0.0.9", "2001:db8::3" },
	};
	struct batch *batch = batch_new();

	batch_clear(batch, COLUMNS_ALL);
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		struct record rec = make_record(addresses[i][0], addresses[i][1], addresses[i][2]);

		rec.bytes = i;
		batch_append(batch, &rec);
	}
	return batch;
}

static void test_policies(void)
{
	static const struct {
		enum ipv6_policy policy;
		const char *text; /* rows that are kept, 4 or 6 for the family */
	} cases[] = {
		{ IPV6_IGNORE, "0:4 " },
		{ IPV6_ASV4, "0:4 2:4 3:4 " },
		{ IPV6_MIX, "0:4 1:6 2:6 3:6 4:6 " },
		{ IPV6_FORCE, "0:6 1:6 2:6 3:6 4:6 " },
		{ IPV6_ONLY, "1:6 2:6 3:6 4:6 " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct batch *batch = make_batch();
		GString *text = g_string_new(NULL);

		unit_at("policy %zu", i);
		batch_apply_ipv6_policy(batch, cases[i].policy);
		for (uint32_t j = 0; j < batch->selected; j++) {
			struct record rec;

			batch_get(batch, batch->selection[j], &rec);
			g_string_append_printf(text, "%u:%c ", (unsigned)rec.bytes,
					       record_is_ipv6(&rec) ? '6' : '4');
			/* no record is half and half */
			if (!record_is_ipv6(&rec)) {
				CU_ASSERT(ip_is_mapped(rec.sip) && ip_is_mapped(rec.dip) &&
					  ip_is_mapped(rec.nhip));
			}
		}
		UNIT_ASSERT_STR(text->str, cases[i].text);
		g_string_free(text, TRUE);
		batch_free(batch);
	}
}

static void test_policy_columns(void)
{
	uint32_t bytes = COLUMN_BIT(COLUMN_BYTES);

	UNIT_ASSERT_U64(ipv6_policy_columns(IPV6_MIX, bytes), bytes);
	UNIT_ASSERT_U64(ipv6_policy_columns(IPV6_ONLY, bytes), bytes | COLUMN_BIT(COLUMN_STATE));
	CU_ASSERT(ipv6_policy_columns(IPV6_ASV4, 0) & COLUMN_BIT(COLUMN_NHIP));
	/* what the policy asks for is enough to apply it */
	for (int policy = IPV6_IGNORE; policy <= IPV6_ONLY; policy++) {
		struct batch *batch = batch_new();
		struct record rec = make_record("1.1.1.1", "2.2.2.2", "0.0.0.0");

		batch_clear(batch, ipv6_policy_columns((enum ipv6_policy)policy, 0));
		batch_append(batch, &rec);
		batch_apply_ipv6_policy(batch, (enum ipv6_policy)policy);
		CU_ASSERT_EQUAL(batch->selected, policy != IPV6_ONLY);
		batch_free(batch);
	}
}

static void test_policy_parse(void)
{
	static const struct {
		const char *text;
		int policy; /* -1: refused */
	} cases[] = {
		{ "ignore", IPV6_IGNORE }, { "i", IPV6_IGNORE }, { "asv4", IPV6_ASV4 },
		{ "a", IPV6_ASV4 },        { "mi", IPV6_MIX },   { "f", IPV6_FORCE },
		{ "only", IPV6_ONLY },     { "foo", -1 },        { "IG", -1 },
		{ "mix,only", -1 },        { "mixed", -1 },      { "", IPV6_IGNORE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		enum ipv6_policy policy = IPV6_MIX;

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(ipv6_policy_parse(cases[i].text, &policy, NULL),
				cases[i].policy < 0 ? ST_EINVAL : ST_OK);
		CU_ASSERT(cases[i].policy < 0 || policy == (enum ipv6_policy)cases[i].policy);
	}
}

static void test_rows(void)
{
	struct batch *batch = batch_new();
	struct record rec;

	CU_ASSERT_EQUAL((uintptr_t)batch->bytes % 64, 0);
	batch_clear(batch, COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_SPORT));
	for (unsigned i = 0; i < BATCH_ROWS; i++) {
		record_init(&rec);
		rec.bytes = i * 1000;
		rec.sport = (uint16_t)i;
		rec.packets = 9;
		batch_append(batch, &rec);
	}
	UNIT_ASSERT_U64(batch->rows, BATCH_ROWS);
	UNIT_ASSERT_U64(batch->selected, BATCH_ROWS);
	batch_get(batch, 1023, &rec);
	UNIT_ASSERT_U64(rec.bytes, 1023000);
	UNIT_ASSERT_U64(rec.sport, 1023);
	/* columns that the batch does not hold are as record_init() leaves them */
	UNIT_ASSERT_U64(rec.packets, 0);
	UNIT_ASSERT_U64(rec.sensor, RECORD_NO_SENSOR);
	batch->selected = 0;
	batch_select_all(batch);
	UNIT_ASSERT_U64(batch->selected, BATCH_ROWS);
	UNIT_ASSERT_U64(batch->selection[777], 777);
	batch_clear(batch, 0);
	UNIT_ASSERT_U64(batch->rows + batch->selected + batch->columns, 0);
	batch_free(batch);
	batch_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "rows", test_rows },
		{ "policies", test_policies },
		{ "columns of policies", test_policy_columns },
		{ "names of policies", test_policy_parse },
		{ NULL, NULL },
	};

	return unit_run("batch", cases);
}

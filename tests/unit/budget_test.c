/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/budget.h"

#include <glib.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/decoder.h"
#include "packer/templatesession.h"
#include "tests/unit/unit.h"

static void test_take(void)
{
	struct budget all = { .max = 100 };
	struct budget one = { .max = 60, .all = &all };
	struct budget two = { .max = 60, .all = &all };

	CU_ASSERT(budget_take(&one, 60));
	CU_ASSERT(!budget_take(&one, 1));
	CU_ASSERT(!budget_take(&two, 41));
	CU_ASSERT(budget_take(&two, 40));
	UNIT_ASSERT_U64(all.used, 100);
	budget_give(&one, 30);
	CU_ASSERT(!budget_take(&one, 31));
	CU_ASSERT(budget_take(&two, 20));
	CU_ASSERT(!budget_take(&two, 1));
	UNIT_ASSERT_U64(all.used, 90);
}

static int no_flow(void *arg, struct record *rec, const struct extras *extras)
{
	(void)arg;
	(void)rec;
	(void)extras;
	return ST_OK;
}

static void put(GByteArray *out, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	put_be64(bytes, value);
	g_byte_array_append(out, bytes + 8 - size, (guint)size);
}

/* A message of IPFIX with one set, whose bytes are the words given. */
static int feed(struct decoder *decoder, uint32_t domain, uint16_t set, const uint16_t *words,
		size_t count)
{
	GByteArray *bytes = g_byte_array_new();
	struct decoder_message message = { .arrival_ns = 1 };
	int st;

	put(bytes, 10, 2);
	put(bytes, 16 + 4 + 2 * count, 2);
	put(bytes, 1700000000, 4);
	put(bytes, 0, 4);
	put(bytes, domain, 4);
	put(bytes, set, 2);
	put(bytes, 4 + 2 * count, 2);
	for (size_t i = 0; i < count; i++) {
		put(bytes, words[i], 2);
	}
	message.bytes = bytes->data;
	message.len = bytes->len;
	st = decoder_take(decoder, &message, NULL);
	g_byte_array_unref(bytes);
	return st;
}

/* What a decoder is told is counted, over domains, and given back with it; what all of them may
 * keep is shared. */
static void test_decoders(void)
{
	static const uint16_t flow[] = { 256, 2, 8, 4, 12, 4 };
	static const uint16_t options[] = { 257, 2, 1, 10, 4, 82, 8 };
	static const uint16_t name[] = { 0, 7, 0x6574, 0x6830, 0, 0 };
	static const uint16_t waiting[] = { 1, 2, 3, 4 };
	struct budget all = { .max = 20000 };
	const struct decoder_opts opts = { .limits = { 64, 64, 64 }, .budget = &all };
	const struct decoder_sink sink = { .flow = no_flow };
	struct decoder *one = decoder_new(&opts, &sink);
	struct decoder *two = decoder_new(&opts, &sink);
	uint64_t before;
	uint32_t domain = 0;

	CU_ASSERT_EQUAL(feed(one, 1, 2, flow, G_N_ELEMENTS(flow)), ST_OK);
	CU_ASSERT(all.used >= TEMPLATE_COST(2));
	before = all.used;
	CU_ASSERT_EQUAL(feed(one, 1, 2, flow, G_N_ELEMENTS(flow)), ST_OK);
	UNIT_ASSERT_U64(all.used, before);
	CU_ASSERT_EQUAL(feed(one, 1, 3, options, G_N_ELEMENTS(options)), ST_OK);
	before = all.used;
	for (int i = 0; i < 3; i++) { /* the same name is no more */
		CU_ASSERT_EQUAL(feed(one, 1, 257, name, G_N_ELEMENTS(name)), ST_OK);
		CU_ASSERT(all.used > before && all.used <= before + 512);
	}
	before = all.used;
	CU_ASSERT_EQUAL(feed(one, 1, 300, waiting, G_N_ELEMENTS(waiting)), ST_OK);
	CU_ASSERT(all.used > before);
	/* one takes what there is; another gets none of it, until it ends */
	while (feed(two, domain, 2, flow, G_N_ELEMENTS(flow)) == ST_OK) {
		CU_ASSERT_FATAL(domain++ < 64);
	}
	CU_ASSERT(domain > 1);
	CU_ASSERT(all.used <= all.max);
	before = all.used;
	decoder_free(two);
	CU_ASSERT(all.used <= before);
	decoder_free(one);
	UNIT_ASSERT_U64(all.used, 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "taken and given back", test_take },
		{ "decoders", test_decoders },
		{ NULL, NULL },
	};

	return unit_run("budget", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/sightings.h"

#include <glib.h>
#include <string.h>

#include "storage/ipsetalgebra.h"
#include "tests/unit/unit.h"

/* The address with this number in a family. */
static struct ip ip_at(bool v6, uint32_t n)
{
	return v6 ? (struct ip){ UINT64_C(0x20010db800000000), n } : ip_from_v4(n);
}

static GByteArray *written(const struct sightings *seen)
{
	const struct ipset_write_opts opts = { 0 };
	struct bytesink *sink = bytesink_memory("memory");
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *at;
	size_t len;

	CU_ASSERT_EQUAL_FATAL(sightings_write_to(seen, sink, &opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	g_byte_array_append(bytes, at, (guint)len);
	bytesink_close(sink, NULL);
	return bytes;
}

static int read_bytes(struct sightings **out, const void *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "memory");
	int status = sightings_read_from(out, src, NULL, err);

	bytesource_close(src);
	return status;
}

#define ADDRESSES 3000u

struct model {
	bool present;
	int64_t first_ms;
	int64_t last_ms;
};

static void add_random(struct sightings *seen, struct model *model, GRand *rand, bool v6)
{
	for (unsigned i = 0; i < 10000; i++) {
		uint32_t n = (uint32_t)g_rand_int_range(rand, 0, ADDRESSES);
		int64_t first = g_rand_int_range(rand, -1000, 1000000);
		int64_t last = first + g_rand_int_range(rand, 0, 1000);
		struct model *at = &model[n];

		if (n % 7 == 0) {
			continue;
		}
		sightings_add(seen, ip_at(v6, n), first, last);
		*at = (struct model){ true, at->present ? MIN(at->first_ms, first) : first,
				      at->present ? MAX(at->last_ms, last) : last };
	}
	sightings_finish(seen);
}

static void check_model(const struct sightings *seen, const struct model *model, bool v6)
{
	size_t i = 0;

	for (uint32_t n = 0; n < ADDRESSES; n++) {
		const struct sighting *at;

		if (!model[n].present) {
			continue;
		}
		CU_ASSERT_FATAL(i < sightings_count(seen));
		at = sightings_at(seen, i++);
		CU_ASSERT(ip_equal(at->ip, ip_at(v6, n)));
		CU_ASSERT_EQUAL(at->first_ms, model[n].first_ms);
		CU_ASSERT_EQUAL(at->last_ms, model[n].last_ms);
	}
	CU_ASSERT_EQUAL(i, sightings_count(seen));
}

/* Against an array, before and after a file; read as a plain set, it is the same addresses. */
static void test_model(void)
{
	GRand *rand = g_rand_new_with_seed(21);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sightings *seen = sightings_new();
		struct model *model = g_new0(struct model, ADDRESSES);
		struct sightings *again = NULL;
		struct bytesource *src;
		struct ipset *set = NULL;
		GByteArray *bytes;
		uint64_t high;
		uint64_t low;

		unit_at("IPv%d", v6 ? 6 : 4);
		add_random(seen, model, rand, v6);
		check_model(seen, model, v6);
		CU_ASSERT_EQUAL(sightings_have_ipv6(seen), v6);
		bytes = written(seen);
		CU_ASSERT_EQUAL_FATAL(read_bytes(&again, bytes->data, bytes->len, NULL), ST_OK);
		check_model(again, model, v6);
		src = bytesource_memory(bytes->data, bytes->len, "memory");
		CU_ASSERT_EQUAL_FATAL(ipset_read_from(&set, src, NULL, NULL), ST_OK);
		bytesource_close(src);
		ipset_count(set, &high, &low);
		UNIT_ASSERT_U64(low, sightings_count(seen));
		for (uint32_t n = 0; n < ADDRESSES; n++) {
			CU_ASSERT_EQUAL(ipset_contains(set, ip_at(v6, n)), model[n].present);
		}
		ipset_free(set);
		sightings_free(again);
		sightings_free(seen);
		g_byte_array_free(bytes, TRUE);
		g_free(model);
	}
	g_rand_free(rand);
}

static struct sightings *three(void)
{
	struct sightings *seen = sightings_new();

	sightings_add(seen, ip_from_v4(3), 30, 33);
	sightings_add(seen, ip_from_v4(1), 10, 11);
	sightings_add(seen, ip_from_v4(2), 20, 22);
	sightings_finish(seen);
	return seen;
}

static void test_truncation(void)
{
	struct sightings *seen = three();
	GByteArray *bytes = written(seen);
	size_t header = bytes->len - 3 * 20;

	for (size_t len = 0; len < bytes->len; len++) {
		struct sightings *again = NULL;
		struct err err;
		int status = read_bytes(&again, bytes->data, len, &err);

		unit_at("%u bytes", (unsigned)len);
		if (len >= header && (len - header) % 20 == 0) {
			/* uncompressed files do not tell their length */
			CU_ASSERT_EQUAL(status, ST_OK);
			CU_ASSERT_EQUAL(sightings_count(again), (len - header) / 20);
		} else {
			CU_ASSERT(status < 0);
			CU_ASSERT_PTR_NULL(again);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "memory"));
		}
		sightings_free(again);
	}
	g_byte_array_free(bytes, TRUE);
	sightings_free(seen);
}

/* offset: from the first item, or from the end of the header entry when negative. */
static const struct {
	const char *name;
	int offset;
	uint8_t byte;
	const char *words;
} damages[] = {
	{ "same address twice", 20, 1, "do not ascend" },
	{ "order", 0, 9, "do not ascend" },
	{ "last before first", 4, 12, "before it was first" },
	{ "time out of range", 12 + 7, 0x7f, "out of range" },
};

static void test_damage(void)
{
	struct sightings *seen = three();
	GByteArray *bytes = written(seen);
	size_t header = bytes->len - 3 * 20;

	for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
		struct sightings *again = NULL;
		uint8_t *at = &bytes->data[header + (size_t)damages[i].offset];
		uint8_t before = *at;
		struct err err;

		unit_at("%s", damages[i].name);
		*at = damages[i].byte;
		CU_ASSERT_EQUAL(read_bytes(&again, bytes->data, bytes->len, &err), ST_EFORMAT);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, damages[i].words));
		*at = before;
	}
	g_byte_array_free(bytes, TRUE);
	sightings_free(seen);
}

/* A plain set has no times. */
static void test_plain(void)
{
	const struct ipset_write_opts opts = { 0 };
	struct bytesink *sink = bytesink_memory("memory");
	struct ipset *set = ipset_new();
	struct sightings *seen = NULL;
	const uint8_t *at;
	size_t len;
	struct err err;

	ipset_add(set, ip_from_v4(1));
	ipset_finish(set);
	CU_ASSERT_EQUAL(ipset_write_to(set, sink, &opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	CU_ASSERT_EQUAL(read_bytes(&seen, at, len, &err), ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, "memory: not an IPset file with times");
	bytesink_close(sink, NULL);
	ipset_free(set);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "against an array", test_model },
		{ "truncated files", test_truncation },
		{ "damaged files", test_damage },
		{ "plain sets", test_plain },
		{ NULL, NULL },
	};

	return unit_run("sightings", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of what is worked out of a record: payload, flow keys, application labels, a worm. */
#include "query/predicaterow.h"

#include <math.h>

#include "query/flowrate.h"

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

typedef bool (*passes_fn)(const struct predicate *test, const struct batch *batch, uint32_t row);

/* Inlined into its callers, so that passes is a direct call in each of them. */
static inline __attribute__((always_inline)) uint32_t narrow(const struct predicate *test,
							     const struct batch *batch,
							     uint16_t *selection, uint32_t count,
							     passes_fn passes)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t row = selection[i];

		selection[kept] = row;
		kept += passes(test, batch, row) ? 1 : 0;
	}
	return kept;
}

static bool payload_passes(const struct predicate *test, const struct batch *batch, uint32_t row)
{
	uint64_t payload = flow_payload(batch, row);

	return payload >= test->range.first && payload <= test->range.last;
}

static bool payload_rate_passes(const struct predicate *test, const struct batch *batch,
				uint32_t row)
{
	return predicate_in_ratio(&test->ratio, flow_rate(flow_payload(batch, row),
							  batch->duration_ns[row], test->zero_ns));
}

static bool flowkey_passes(const struct predicate *test, const struct batch *batch, uint32_t row)
{
	return g_hash_table_contains(test->keys, GUINT_TO_POINTER(flow_key_hash(batch, row)));
}

static bool mismatch_passes(const struct predicate *test, const struct batch *batch, uint32_t row)
{
	uint16_t application = batch->application[row];

	return (batch->protocol[row] == PROTOCOL_TCP || batch->protocol[row] == PROTOCOL_UDP) &&
	       application != 0 && application != batch->sport[row] &&
	       application != batch->dport[row];
}

static bool conficker_passes(const struct predicate *test, const struct batch *batch, uint32_t row)
{
	return conficker_hits(batch, row, test->ends, &test->seed);
}

static uint32_t narrow_payload(const struct predicate *test, const struct batch *batch,
			       uint16_t *selection, uint32_t count)
{
	return narrow(test, batch, selection, count, payload_passes);
}

static uint32_t narrow_payload_rate(const struct predicate *test, const struct batch *batch,
				    uint16_t *selection, uint32_t count)
{
	return narrow(test, batch, selection, count, payload_rate_passes);
}

static uint32_t narrow_flowkey(const struct predicate *test, const struct batch *batch,
			       uint16_t *selection, uint32_t count)
{
	return narrow(test, batch, selection, count, flowkey_passes);
}

static uint32_t narrow_mismatch(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count)
{
	return narrow(test, batch, selection, count, mismatch_passes);
}

static uint32_t narrow_conficker(const struct predicate *test, const struct batch *batch,
				 uint16_t *selection, uint32_t count)
{
	return narrow(test, batch, selection, count, conficker_passes);
}

int predicate_compile_payload(struct predicate *test, const char *text, struct err *err)
{
	test->narrow = narrow_payload;
	test->cost = PREDICATE_COST_RATIO;
	test->columns = FLOW_PAYLOAD_COLUMNS;
	return range_parse(text, 0, UINT64_MAX, &test->range, err);
}

int predicate_compile_payload_rate(struct predicate *test, const char *text, struct err *err)
{
	test->narrow = narrow_payload_rate;
	test->cost = PREDICATE_COST_RATIO;
	test->columns = FLOW_PAYLOAD_COLUMNS | COLUMN_BIT(COLUMN_DURATION);
	return real_range_parse(text, 0, INFINITY, &test->ratio, err);
}

static void release_keys(struct predicate *test)
{
	g_hash_table_unref(test->keys);
}

static int parse_key(const char *text, uint64_t *out, struct err *err)
{
	char *end;

	if (!g_str_has_prefix(text, "0x") && !g_str_has_prefix(text, "0X")) {
		return number_parse(text, 0, UINT32_MAX, out, err);
	}
	*out = g_ascii_strtoull(text + 2, &end, 16);
	if (*end || !g_ascii_isxdigit(text[2]) || *out > UINT32_MAX) {
		return err_set(err, ST_EINVAL, "Not a hexadecimal number of 32 bits: %s", text);
	}
	return ST_OK;
}

int predicate_compile_flowkey(struct predicate *test, const char *text, struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	int st = ST_OK;

	test->narrow = narrow_flowkey;
	test->release = release_keys;
	test->cost = PREDICATE_COST_IPSET;
	test->columns = FLOW_KEY_COLUMNS;
	test->keys = g_hash_table_new(NULL, NULL);
	for (char **word = words; st == ST_OK && *word; word++) {
		uint64_t key;

		if (!**word) {
			continue;
		}
		st = parse_key(g_strstrip(*word), &key, err);
		if (st == ST_OK) {
			g_hash_table_add(test->keys, GUINT_TO_POINTER((guint)key));
		}
	}
	g_strfreev(words);
	return st;
}

void predicates_add_mismatch(struct predicates **tests)
{
	static const struct predicate_row row = { .name = "app-mismatch" };
	struct predicate *test = predicates_append(tests, &row);

	test->narrow = narrow_mismatch;
	test->cost = PREDICATE_COST_RANGE;
	test->columns = COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_APPLICATION) |
			COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT);
}

void predicates_add_conficker(struct predicates **tests, unsigned ends,
			      const struct conficker_seed *seed)
{
	static const struct predicate_row row = { .name = "conficker" };
	struct predicate *test = predicates_append(tests, &row);

	test->narrow = narrow_conficker;
	test->cost = PREDICATE_COST_TUPLES;
	test->columns = CONFICKER_COLUMNS;
	test->seed = *seed;
	test->ends = ends;
}

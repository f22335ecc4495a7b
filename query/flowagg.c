/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of a batch are packed field by field, then all are added at once. */
#include "query/flowagg.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"
#include "storage/country.h"

#include <string.h>

#include <glib.h>

#define BIT(upper) COLUMN_BIT(COLUMN_##upper)
/* Flow attributes among the bits of the state. */
#define ATTRIBUTES    (RECORD_FIN_FOLLOWED | RECORD_UNIFORM | RECORD_TIMEOUT | RECORD_CONTINUED)
#define UNKNOWN_CLASS 255
#define ICMP_COLUMNS  (BIT(DPORT) | BIT(PROTOCOL) | BIT(STATE))

/* What packing may need besides the batch. */
struct context {
	const struct site *site;
	const struct pmap *country_map;
};

/* Write the values of all selected rows, stride apart. */
typedef void (*pack_fn)(const struct batch *batch, const struct context *ctx, uint8_t *out,
			size_t stride);

#define PACK(name, bits, value)                                                                    \
	static void pack_##name(const struct batch *batch, const struct context *ctx,              \
				uint8_t *out, size_t stride)                                       \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++) {                                   \
			uint32_t row = batch->selection[i];                                        \
                                                                                                   \
			PACK_##bits(out + i * stride, value);                                      \
		}                                                                                  \
	}
#define PACK_8(to, value)  (*(to) = (uint8_t)(value))
#define PACK_16(to, value) store16_be(to, (uint16_t)(value))
#define PACK_32(to, value) store32_be(to, (uint32_t)(value))
#define PACK_128(to, value)                                                                        \
	do {                                                                                       \
		store64_be(to, (value).hi);                                                        \
		store64_be((to) + 8, (value).lo);                                                  \
	} while (0)

static uint32_t v4_of(struct ip ip)
{
	return ip_is_mapped(ip) ? ip_to_v4(ip) : 0;
}

static uint32_t capped(uint64_t value)
{
	return (uint32_t)MIN(value, UINT32_MAX);
}

static uint64_t seconds(int64_t ns)
{
	return (uint64_t)(timestamp_floor(ns, NS_PER_S) / NS_PER_S);
}

static uint8_t class_of(const struct context *ctx, uint8_t flowtype)
{
	int id = site_flowtype_class(ctx->site, flowtype);

	return id < 0 ? UNKNOWN_CLASS : (uint8_t)id;
}

/* Type and code of ICMP as the destination port has them; 0 of all else. */
static uint16_t icmp(const struct batch *batch, uint32_t row)
{
	return batch_is_icmp(batch, row) ? batch->dport[row] : 0;
}

PACK(sip4, 32, v4_of(batch->sip[row]))
PACK(dip4, 32, v4_of(batch->dip[row]))
PACK(nhip4, 32, v4_of(batch->nhip[row]))
PACK(sip6, 128, batch->sip[row])
PACK(dip6, 128, batch->dip[row])
PACK(nhip6, 128, batch->nhip[row])
PACK(sport, 16, batch->sport[row])
PACK(dport, 16, batch->dport[row])
PACK(protocol, 8, batch->protocol[row])
PACK(packets, 32, capped(batch->packets[row]))
PACK(bytes, 32, capped(batch->bytes[row]))
PACK(flags, 8, batch->flags[row])
PACK(stime, 32, seconds(batch->start_ns[row]))
PACK(etime, 32, seconds(batch->start_ns[row] + (int64_t)batch->duration_ns[row]))
PACK(duration, 32, capped(batch->duration_ns[row] / (uint64_t)NS_PER_S))
PACK(sensor, 16, batch->sensor[row])
PACK(input, 16, MIN(batch->input[row], UINT16_MAX))
PACK(output, 16, MIN(batch->output[row], UINT16_MAX))
PACK(initial_flags, 8, batch->initial_flags[row])
PACK(session_flags, 8, batch->session_flags[row])
PACK(attributes, 8, batch->state[row] & ATTRIBUTES)
PACK(application, 16, batch->application[row])
PACK(class, 8, class_of(ctx, batch->flowtype[row]))
PACK(type, 8, batch->flowtype[row])
PACK(icmp_type, 8, icmp(batch, row) >> 8)
PACK(icmp_code, 8, icmp(batch, row))
PACK(scc, 16, country_lookup(ctx->country_map, batch->sip[row]))
PACK(dcc, 16, country_lookup(ctx->country_map, batch->dip[row]))

static const struct key_source {
	uint16_t id;
	uint32_t columns;
	pack_fn pack;
} key_sources[] = {
	{ 0, BIT(SIP), pack_sip4 },
	{ 1, BIT(DIP), pack_dip4 },
	{ 2, BIT(SPORT), pack_sport },
	{ 3, BIT(DPORT), pack_dport },
	{ 4, BIT(PROTOCOL), pack_protocol },
	{ 5, BIT(PACKETS), pack_packets },
	{ 6, BIT(BYTES), pack_bytes },
	{ 7, BIT(FLAGS), pack_flags },
	{ 8, BIT(START), pack_stime },
	{ 9, BIT(DURATION), pack_duration },
	{ 10, BIT(START) | BIT(DURATION), pack_etime },
	{ 11, BIT(SENSOR), pack_sensor },
	{ 12, BIT(INPUT), pack_input },
	{ 13, BIT(OUTPUT), pack_output },
	{ 14, BIT(NHIP), pack_nhip4 },
	{ 15, BIT(INITIAL_FLAGS), pack_initial_flags },
	{ 16, BIT(SESSION_FLAGS), pack_session_flags },
	{ 17, BIT(STATE), pack_attributes },
	{ 18, BIT(APPLICATION), pack_application },
	{ 19, BIT(FLOWTYPE), pack_class },
	{ 20, BIT(FLOWTYPE), pack_type },
	{ 24, ICMP_COLUMNS, pack_icmp_type },
	{ 25, ICMP_COLUMNS, pack_icmp_code },
	{ 26, BIT(SIP), pack_sip6 },
	{ 27, BIT(DIP), pack_dip6 },
	{ 28, BIT(NHIP), pack_nhip6 },
	{ 35, BIT(SIP), pack_scc },
	{ 36, BIT(DIP), pack_dcc },
};

#define COUNT(name, value)                                                                         \
	static void count_##name(const struct batch *batch, uint64_t *out, size_t stride)          \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++) {                                   \
			uint32_t row = batch->selection[i];                                        \
                                                                                                   \
			(void)row;                                                                 \
			out[i * stride] = value;                                                   \
		}                                                                                  \
	}

COUNT(records, 1)
COUNT(packets, batch->packets[row])
COUNT(bytes, batch->bytes[row])
COUNT(duration, batch->duration_ns[row] / (uint64_t)NS_PER_S)

static const struct counter_source {
	uint16_t id;
	uint32_t columns;
	void (*count)(const struct batch *batch, uint64_t *out, size_t stride);
} counter_sources[] = {
	{ 0xc000, 0, count_records },
	{ 0xc001, BIT(PACKETS), count_packets },
	{ 0xc002, BIT(BYTES), count_bytes },
	{ 0xc003, BIT(DURATION), count_duration },
};

struct flowagg {
	struct context ctx;
	struct agglayout layout;
	const struct key_source *keys[AGGLAYOUT_MAX];
	const struct counter_source *counters[AGGLAYOUT_MAX];
	size_t counter_count;
	uint32_t columns;
	struct aggbag *bag;
	uint8_t *packed; /* keys of a batch */
	uint64_t *counts;
};

bool flowagg_needs_countries(const struct agglayout *layout)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (aggfield_of(layout->ids[i])->kind == AGGKIND_COUNTRY) {
			return true;
		}
	}
	return false;
}

static void find_sources(struct flowagg *agg)
{
	for (size_t i = 0; i < agg->layout.count; i++) {
		for (size_t j = 0; j < G_N_ELEMENTS(key_sources); j++) {
			if (key_sources[j].id == agg->layout.ids[i]) {
				agg->keys[i] = &key_sources[j];
				agg->columns |= key_sources[j].columns;
			}
		}
		for (size_t j = 0; j < G_N_ELEMENTS(counter_sources); j++) {
			if (counter_sources[j].id == agg->layout.ids[i]) {
				agg->counters[agg->counter_count++] = &counter_sources[j];
				agg->columns |= counter_sources[j].columns;
			}
		}
	}
}

struct flowagg *flowagg_new(const struct agglayout *layout, const struct site *site,
			    const struct pmap *country_map)
{
	struct flowagg *agg = g_new0(struct flowagg, 1);

	agg->ctx = (struct context){ site, country_map };
	agg->layout = *layout;
	agg->bag = aggbag_new(layout);
	find_sources(agg);
	agg->packed = g_malloc0(BATCH_ROWS * aggbag_stride(agg->bag));
	agg->counts = g_new0(uint64_t, BATCH_ROWS * agg->counter_count);
	return agg;
}

void flowagg_free(struct flowagg *agg)
{
	if (!agg) {
		return;
	}
	aggbag_free(agg->bag);
	g_free(agg->packed);
	g_free(agg->counts);
	g_free(agg);
}

uint32_t flowagg_columns(const struct flowagg *agg)
{
	return agg->columns;
}

struct aggbag *flowagg_bag(const struct flowagg *agg)
{
	return agg->bag;
}

void flowagg_add(struct flowagg *agg, const struct batch *batch)
{
	size_t stride = aggbag_stride(agg->bag);

	for (size_t i = 0; i < agg->layout.key_count; i++) {
		agg->keys[i]->pack(batch, &agg->ctx, agg->packed + agg->layout.at[i], stride);
	}
	for (size_t i = 0; i < agg->counter_count; i++) {
		agg->counters[i]->count(batch, agg->counts + i, agg->counter_count);
	}
	aggbag_add_many(agg->bag, agg->packed, agg->counts, batch->selected);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowbag.h"

#include "common/spelling.h"
#include "common/timestamp.h"
#include "storage/country.h"

#include <string.h>

#include <glib.h>

#define BIT(upper) COLUMN_BIT(COLUMN_##upper)
/* Flow attributes among the bits of the state. */
#define ATTRIBUTES (RECORD_FIN_FOLLOWED | RECORD_UNIFORM | RECORD_TIMEOUT | RECORD_CONTINUED)

typedef void (*numbers_fn)(const struct batch *batch, uint32_t *out);
typedef const struct ip *(*addresses_fn)(const struct batch *batch);

struct flowbag_key {
	const char *name;
	const char *alias; /* or NULL */
	uint16_t type;
	uint32_t columns;
	numbers_fn numbers;     /* keys of the selected rows; of ports: where there is a map */
	addresses_fn addresses; /* of all rows; NULL: the key is a number */
};

struct flowbag_counter {
	const char *name;
	const char *alias;
	uint16_t type;
	uint32_t columns;
	void (*counts)(const struct batch *batch, uint64_t *out); /* NULL: 1 each */
};

struct flowbag {
	const struct flowbag_key *key;
	const struct flowbag_counter *counter;
	const struct pmap *map;
	struct bag *bag;
	uint32_t keys[BATCH_ROWS];
	uint64_t counts[BATCH_ROWS];
};

/* --- columns --- */

#define NUMBERS(name, value)                                                                       \
	static void name##_numbers(const struct batch *batch, uint32_t *out)                       \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++) {                                   \
			uint32_t row = batch->selection[i];                                        \
                                                                                                   \
			out[i] = (uint32_t)(value);                                                \
		}                                                                                  \
	}

#define COUNTS(name)                                                                               \
	static void name##_counts(const struct batch *batch, uint64_t *out)                        \
	{                                                                                          \
		for (uint32_t i = 0; i < batch->selected; i++) {                                   \
			out[i] = batch->name[batch->selection[i]];                                 \
		}                                                                                  \
	}

#define ADDRESSES(name)                                                                            \
	static const struct ip *name##_addresses(const struct batch *batch)                        \
	{                                                                                          \
		return batch->name;                                                                \
	}

/* Keys are 32 bits. */
static uint32_t capped(uint64_t value)
{
	return (uint32_t)MIN(value, UINT32_MAX);
}

static uint32_t seconds(int64_t ns)
{
	return (uint32_t)(timestamp_floor(ns, NS_PER_S) / NS_PER_S);
}

NUMBERS(sport, batch->sport[row])
NUMBERS(dport, batch->dport[row])
NUMBERS(protocol, batch->protocol[row])
NUMBERS(packets, capped(batch->packets[row]))
NUMBERS(bytes, capped(batch->bytes[row]))
NUMBERS(flags, batch->flags[row])
NUMBERS(stime, seconds(batch->start_ns[row]))
NUMBERS(etime, seconds(batch->start_ns[row] + (int64_t)batch->duration_ns[row]))
NUMBERS(duration, capped(batch->duration_ns[row] / (uint64_t)NS_PER_S))
NUMBERS(sensor, batch->sensor[row])
NUMBERS(input, batch->input[row])
NUMBERS(output, batch->output[row])
NUMBERS(initial_flags, batch->initial_flags[row])
NUMBERS(session_flags, batch->session_flags[row])
NUMBERS(attributes, batch->state[row] & ATTRIBUTES)
NUMBERS(application, batch->application[row])
COUNTS(packets)
COUNTS(bytes)
ADDRESSES(sip)
ADDRESSES(dip)
ADDRESSES(nhip)

/* clang-format off */
static const struct flowbag_key keys[] = {
	{ "sIPv4", NULL, BAGTYPE_SIPV4, BIT(SIP), NULL, sip_addresses },
	{ "sIPv6", NULL, BAGTYPE_SIPV6, BIT(SIP), NULL, sip_addresses },
	{ "dIPv4", NULL, BAGTYPE_DIPV4, BIT(DIP), NULL, dip_addresses },
	{ "dIPv6", NULL, BAGTYPE_DIPV6, BIT(DIP), NULL, dip_addresses },
	{ "sPort", NULL, BAGTYPE_SPORT, BIT(SPORT), sport_numbers, NULL },
	{ "dPort", NULL, BAGTYPE_DPORT, BIT(DPORT), dport_numbers, NULL },
	{ "protocol", NULL, BAGTYPE_PROTOCOL, BIT(PROTOCOL), protocol_numbers, NULL },
	{ "packets", NULL, BAGTYPE_PACKETS, BIT(PACKETS), packets_numbers, NULL },
	{ "bytes", NULL, BAGTYPE_BYTES, BIT(BYTES), bytes_numbers, NULL },
	{ "flags", NULL, BAGTYPE_FLAGS, BIT(FLAGS), flags_numbers, NULL },
	{ "sTime", NULL, BAGTYPE_STIME, BIT(START), stime_numbers, NULL },
	{ "duration", NULL, BAGTYPE_DURATION, BIT(DURATION), duration_numbers, NULL },
	{ "eTime", NULL, BAGTYPE_ETIME, BIT(START) | BIT(DURATION), etime_numbers, NULL },
	{ "sensor", NULL, BAGTYPE_SENSOR, BIT(SENSOR), sensor_numbers, NULL },
	{ "input", NULL, BAGTYPE_INPUT, BIT(INPUT), input_numbers, NULL },
	{ "output", NULL, BAGTYPE_OUTPUT, BIT(OUTPUT), output_numbers, NULL },
	{ "nhIPv4", NULL, BAGTYPE_NHIPV4, BIT(NHIP), NULL, nhip_addresses },
	{ "nhIPv6", NULL, BAGTYPE_NHIPV6, BIT(NHIP), NULL, nhip_addresses },
	{ "initialFlags", NULL, BAGTYPE_INITIAL_FLAGS, BIT(INITIAL_FLAGS), initial_flags_numbers, NULL },
	{ "sessionFlags", NULL, BAGTYPE_SESSION_FLAGS, BIT(SESSION_FLAGS), session_flags_numbers, NULL },
	{ "attributes", NULL, BAGTYPE_ATTRIBUTES, BIT(STATE), attributes_numbers, NULL },
	{ "application", NULL, BAGTYPE_APPLICATION, BIT(APPLICATION), application_numbers, NULL },
	{ "sip-country", "scc", BAGTYPE_SIP_COUNTRY, BIT(SIP), NULL, sip_addresses },
	{ "dip-country", "dcc", BAGTYPE_DIP_COUNTRY, BIT(DIP), NULL, dip_addresses },
	{ "sip-pmap", NULL, BAGTYPE_SIP_PMAP, BIT(SIP), NULL, sip_addresses },
	{ "dip-pmap", NULL, BAGTYPE_DIP_PMAP, BIT(DIP), NULL, dip_addresses },
	{ "sport-pmap", NULL, BAGTYPE_SPORT_PMAP, BIT(PROTOCOL) | BIT(SPORT), sport_numbers, NULL },
	{ "dport-pmap", NULL, BAGTYPE_DPORT_PMAP, BIT(PROTOCOL) | BIT(DPORT), dport_numbers, NULL },
};

static const struct flowbag_counter counters[] = {
	{ "records", "flows", BAGTYPE_RECORDS, 0, NULL },
	{ "sum-packets", "packets", BAGTYPE_SUM_PACKETS, BIT(PACKETS), packets_counts },
	{ "sum-bytes", "bytes", BAGTYPE_SUM_BYTES, BIT(BYTES), bytes_counts },
};
/* clang-format on */

/* --- names --- */

/* 2: it is the name; 1: it begins the name. */
static int name_fit(const char *text, const char *name)
{
	size_t len = strlen(text);

	if (!name || !len || g_ascii_strncasecmp(text, name, len) != 0) {
		return 0;
	}
	return name[len] ? 1 : 2;
}

/* How many rows of a table a text may mean; *found is the one when that is 1. */
struct search {
	struct spelling spelling;
	size_t found;
	unsigned count;
	bool exact;
};

static void search_row(struct search *search, size_t row, const char *name, const char *alias)
{
	const char *text = search->spelling.word;
	int fit = MAX(name_fit(text, name), name_fit(text, alias));

	spelling_try(&search->spelling, name);
	if (alias) {
		spelling_try(&search->spelling, alias);
	}
	if (fit == 2 && !search->exact) {
		search->found = row;
		search->count = 1;
		search->exact = true;
	} else if (fit == 1 && !search->exact) {
		search->found = row;
		search->count++;
	}
}

static int search_end(const struct search *search, const char *what, struct err *err)
{
	if (search->count == 1) {
		return ST_OK;
	}
	err_set(err, ST_EINVAL, "%s %s name '%s'",
		search->count ? "Ambiguous" : "Unknown or unsupported", what,
		search->spelling.word);
	if (search->count == 0) {
		spelling_suggest(&search->spelling, "", err);
	}
	return ST_EINVAL;
}

int flowbag_find_key(const char *name, const struct flowbag_key **out, struct err *err)
{
	struct search search = { .spelling = { .word = name, .len = strlen(name) } };
	int status;

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		search_row(&search, i, keys[i].name, keys[i].alias);
	}
	status = search_end(&search, "key", err);
	if (status == ST_OK) {
		*out = &keys[search.found];
	}
	return status;
}

int flowbag_find_counter(const char *name, const struct flowbag_counter **out, struct err *err)
{
	struct search search = { .spelling = { .word = name, .len = strlen(name) } };
	int status;

	for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
		search_row(&search, i, counters[i].name, counters[i].alias);
	}
	status = search_end(&search, "counter", err);
	if (status == ST_OK) {
		*out = &counters[search.found];
	}
	return status;
}

uint16_t flowbag_key_type(const struct flowbag_key *key)
{
	return key->type;
}

/* --- adding --- */

struct flowbag *flowbag_new(const struct flowbag_key *key, const struct flowbag_counter *counter,
			    const struct pmap *map)
{
	struct flowbag *flowbag = g_new0(struct flowbag, 1);

	flowbag->key = key;
	flowbag->counter = counter;
	flowbag->map = map;
	flowbag->bag = bag_new(key->type, counter->type);
	return flowbag;
}

void flowbag_free(struct flowbag *flowbag)
{
	if (!flowbag) {
		return;
	}
	bag_free(flowbag->bag);
	g_free(flowbag);
}

uint32_t flowbag_columns(const struct flowbag *flowbag)
{
	return flowbag->key->columns | flowbag->counter->columns;
}

struct bag *flowbag_bag(const struct flowbag *flowbag)
{
	return flowbag->bag;
}

/* Replace ports, or find addresses, by what the map says. */
static void map_keys(struct flowbag *flowbag, const struct batch *batch)
{
	bool countries = bagtype_kind(flowbag->key->type) == BAGKIND_COUNTRY;
	const struct ip *ips = flowbag->key->addresses ? flowbag->key->addresses(batch) : NULL;

	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];

		if (countries) {
			flowbag->keys[i] = country_lookup(flowbag->map, ips[row]);
		} else if (ips) {
			flowbag->keys[i] = pmap_lookup_ip(flowbag->map, ips[row]);
		} else {
			flowbag->keys[i] = pmap_lookup_port(flowbag->map, batch->protocol[row],
							    (uint16_t)flowbag->keys[i]);
		}
	}
}

/* The addresses as numbers; false: not all of them are IPv4. */
static bool ipv4_keys(struct flowbag *flowbag, const struct batch *batch, const struct ip *ips)
{
	bool all = true;

	for (uint32_t i = 0; i < batch->selected; i++) {
		struct ip ip = ips[batch->selection[i]];

		flowbag->keys[i] = ip_to_v4(ip);
		all = all && ip_is_mapped(ip);
	}
	return all;
}

static bool add_addresses(struct flowbag *flowbag, const struct batch *batch, const struct ip *ips,
			  const uint64_t *counts)
{
	bool fits = true;

	for (uint32_t i = 0; i < batch->selected; i++) {
		fits = bag_add(flowbag->bag, ips[batch->selection[i]], counts ? counts[i] : 1) &&
		       fits;
	}
	return fits;
}

bool flowbag_add(struct flowbag *flowbag, const struct batch *batch)
{
	const struct flowbag_key *key = flowbag->key;
	const uint64_t *counts = NULL;

	if (flowbag->counter->counts) {
		flowbag->counter->counts(batch, flowbag->counts);
		counts = flowbag->counts;
	}
	if (key->numbers) {
		key->numbers(batch, flowbag->keys);
	}
	if (flowbag->map) {
		map_keys(flowbag, batch);
	} else if (key->addresses && !ipv4_keys(flowbag, batch, key->addresses(batch))) {
		return add_addresses(flowbag, batch, key->addresses(batch), counts);
	}
	return bag_add_numbers(flowbag->bag, flowbag->keys, counts, batch->selected);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/aggfield.h"

#include <string.h>

#include <glib.h>

#include "common/spelling.h"
#include "storage/bagtype.h"
#include "storage/byteorder.h"
#include "storage/header.h"

#define BOTH (AGGFIELD_FLOW | AGGFIELD_NAMED)
#define NAME AGGFIELD_NAMED

/* clang-format off */
const struct aggfield aggfield_table[] = {
	{ 0, 4, AGGKIND_IPV4, BOTH, BAGTYPE_SIPV4, 0, "source address, IPv4" },
	{ 1, 4, AGGKIND_IPV4, BOTH, BAGTYPE_DIPV4, 0, "destination address, IPv4" },
	{ 2, 2, AGGKIND_NUMBER, BOTH, BAGTYPE_SPORT, 5, "source port" },
	{ 3, 2, AGGKIND_NUMBER, BOTH, BAGTYPE_DPORT, 5, "destination port" },
	{ 4, 1, AGGKIND_NUMBER, BOTH, BAGTYPE_PROTOCOL, 3, "IP protocol" },
	{ 5, 4, AGGKIND_NUMBER, BOTH, BAGTYPE_PACKETS, 10, "packets of a record" },
	{ 6, 4, AGGKIND_NUMBER, BOTH, BAGTYPE_BYTES, 10, "bytes of a record" },
	{ 7, 1, AGGKIND_FLAGS, BOTH, BAGTYPE_FLAGS, 8, "TCP flags of all packets" },
	{ 8, 4, AGGKIND_TIME, BOTH, BAGTYPE_STIME, 0, "start in seconds" },
	{ 9, 4, AGGKIND_NUMBER, BOTH, BAGTYPE_DURATION, 5, "duration in seconds" },
	{ 10, 4, AGGKIND_TIME, BOTH, BAGTYPE_ETIME, 0, "end in seconds" },
	{ 11, 2, AGGKIND_SENSOR, BOTH, BAGTYPE_SENSOR, 0, "name or number of the sensor" },
	{ 12, 2, AGGKIND_NUMBER, BOTH, BAGTYPE_INPUT, 5, "incoming interface or VLAN" },
	{ 13, 2, AGGKIND_NUMBER, BOTH, BAGTYPE_OUTPUT, 5, "outgoing interface or VLAN" },
	{ 14, 4, AGGKIND_IPV4, BOTH, BAGTYPE_NHIPV4, 0, "next hop, IPv4" },
	{ 15, 1, AGGKIND_FLAGS, BOTH, BAGTYPE_INITIAL_FLAGS, 8, "TCP flags of the first packet" },
	{ 16, 1, AGGKIND_FLAGS, BOTH, BAGTYPE_SESSION_FLAGS, 8, "TCP flags of the other packets" },
	{ 17, 1, AGGKIND_ATTRIBUTES, BOTH, BAGTYPE_ATTRIBUTES, 8, "how the flow came to be" },
	{ 18, 2, AGGKIND_NUMBER, BOTH, BAGTYPE_APPLICATION, 5, "application guessed by the sensor" },
	{ 19, 1, AGGKIND_CLASS, BOTH, BAGTYPE_CLASS, 0, "class of the sensor" },
	{ 20, 1, AGGKIND_TYPE, BOTH, BAGTYPE_TYPE, 0, "type within the class" },
	{ 24, 1, AGGKIND_NUMBER, BOTH, BAGTYPE_CUSTOM, 3, "ICMP type" },
	{ 25, 1, AGGKIND_NUMBER, BOTH, BAGTYPE_CUSTOM, 3, "ICMP code" },
	{ 26, 16, AGGKIND_IPV6, BOTH, BAGTYPE_SIPV6, 0, "source address, IPv6" },
	{ 27, 16, AGGKIND_IPV6, BOTH, BAGTYPE_DIPV6, 0, "destination address, IPv6" },
	{ 28, 16, AGGKIND_IPV6, BOTH, BAGTYPE_NHIPV6, 0, "next hop, IPv6" },
	{ 29, 4, AGGKIND_IPV4, NAME, BAGTYPE_ANY_IPV4, 0, "any IPv4 address" },
	{ 30, 16, AGGKIND_IPV6, NAME, BAGTYPE_ANY_IPV6, 0, "any IPv6 address" },
	{ 31, 2, AGGKIND_NUMBER, NAME, BAGTYPE_ANY_PORT, 5, "any port" },
	{ 32, 2, AGGKIND_NUMBER, NAME, BAGTYPE_ANY_SNMP, 5, "any interface" },
	{ 33, 4, AGGKIND_TIME, NAME, BAGTYPE_ANY_TIME, 0, "any time in seconds" },
	{ 34, 8, AGGKIND_NUMBER, NAME, BAGTYPE_CUSTOM, 10, "any number as key" },
	{ 35, 2, AGGKIND_COUNTRY, BOTH, BAGTYPE_SIP_COUNTRY, 2, "country of the source" },
	{ 36, 2, AGGKIND_COUNTRY, BOTH, BAGTYPE_DIP_COUNTRY, 2, "country of the destination" },
	{ 37, 2, AGGKIND_COUNTRY, NAME, BAGTYPE_ANY_COUNTRY, 2, "any country" },
	{ 38, 4, AGGKIND_NUMBER, 0, BAGTYPE_SIP_PMAP, 10, "value of a prefix map, source" },
	{ 39, 4, AGGKIND_NUMBER, 0, BAGTYPE_DIP_PMAP, 10, "value of a prefix map, destination" },
	{ 40, 4, AGGKIND_NUMBER, 0, BAGTYPE_ANY_IP_PMAP, 10, "value of a prefix map" },
	{ 41, 4, AGGKIND_NUMBER, 0, BAGTYPE_SPORT_PMAP, 10, "value of a prefix map, source port" },
	{ 42, 4, AGGKIND_NUMBER, 0, BAGTYPE_DPORT_PMAP, 10, "value of a prefix map, destination port" },
	{ 43, 4, AGGKIND_NUMBER, 0, BAGTYPE_ANY_PORT_PMAP, 10, "value of a prefix map, port" },
	{ 0xc000, 8, AGGKIND_COUNTER, BOTH, BAGTYPE_RECORDS, 10, "number of records" },
	{ 0xc001, 8, AGGKIND_COUNTER, BOTH, BAGTYPE_SUM_PACKETS, 15, "sum of packets" },
	{ 0xc002, 8, AGGKIND_COUNTER, BOTH, BAGTYPE_SUM_BYTES, 20, "sum of bytes" },
	{ 0xc003, 8, AGGKIND_COUNTER, BOTH, BAGTYPE_SUM_DURATION, 10, "sum of durations in seconds" },
	{ 0xc004, 8, AGGKIND_COUNTER, NAME, BAGTYPE_CUSTOM, 20, "any number as counter" },
};
/* clang-format on */
const size_t aggfield_count = G_N_ELEMENTS(aggfield_table);
_Static_assert(G_N_ELEMENTS(aggfield_table) <= AGGLAYOUT_MAX, "a layout holds all fields");

const struct aggfield *aggfield_of(uint16_t id)
{
	for (size_t i = 0; i < aggfield_count; i++) {
		if (aggfield_table[i].id == id) {
			return &aggfield_table[i];
		}
	}
	return NULL;
}

const char *aggfield_name(uint16_t id)
{
	return header_aggregate_field_name(id);
}

static bool is_wanted(const struct aggfield *field, unsigned which)
{
	unsigned kind = aggfield_is_counter(field->id) ? AGGFIELD_COUNTERS : AGGFIELD_KEYS;

	return field->sets & which && kind & which;
}

int aggfield_find(const char *name, unsigned which, uint16_t *out, struct err *err)
{
	size_t len = strlen(name);
	struct spelling spelling = { .word = name, .len = len };
	unsigned fits = 0;

	for (size_t i = 0; len && i < aggfield_count; i++) {
		const struct aggfield *field = &aggfield_table[i];
		const char *known = aggfield_name(field->id);

		if (!is_wanted(field, which)) {
			continue;
		}
		spelling_try(&spelling, known);
		if (g_ascii_strncasecmp(name, known, len) != 0) {
			continue;
		}
		*out = field->id;
		if (!known[len]) {
			return ST_OK;
		}
		fits++;
	}
	if (fits == 1) {
		return ST_OK;
	}
	if (fits > 1) {
		return err_set(err, ST_EINVAL, "The field '%s' matches multiple keys", name);
	}
	err_set(err, ST_EINVAL, "No match was found for the field '%s'", name);
	spelling_suggest(&spelling, "", err);
	return ST_EINVAL;
}

/* --- layouts --- */

static void lay_out(struct agglayout *layout)
{
	size_t at = 0;

	layout->key_count = 0;
	layout->key_bytes = 0;
	for (size_t i = 0; i < layout->count; i++) {
		layout->at[i] = (uint16_t)at;
		at += aggfield_of(layout->ids[i])->octets;
		if (!aggfield_is_counter(layout->ids[i])) {
			layout->key_count++;
			layout->key_bytes = at;
		}
	}
	layout->record_bytes = at;
}

bool agglayout_add(struct agglayout *layout, uint16_t id)
{
	size_t at = layout->count;

	while (at > 0 && layout->ids[at - 1] > id) {
		at--;
	}
	if (at > 0 && layout->ids[at - 1] == id) {
		return false;
	}
	memmove(layout->ids + at + 1, layout->ids + at,
		(layout->count - at) * sizeof(layout->ids[0]));
	layout->ids[at] = id;
	layout->count++;
	lay_out(layout);
	return true;
}

bool agglayout_remove(struct agglayout *layout, uint16_t id)
{
	int at = agglayout_find(layout, id);

	if (at < 0) {
		return false;
	}
	layout->count--;
	memmove(layout->ids + at, layout->ids + at + 1,
		(layout->count - (size_t)at) * sizeof(layout->ids[0]));
	lay_out(layout);
	return true;
}

int agglayout_find(const struct agglayout *layout, uint16_t id)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (layout->ids[i] == id) {
			return (int)i;
		}
	}
	return -1;
}

bool agglayout_equal(const struct agglayout *a, const struct agglayout *b)
{
	return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof(a->ids[0])) == 0;
}

uint64_t agglayout_load(const uint8_t *from, unsigned octets)
{
	switch (octets) {
	case 1:
		return *from;
	case 2:
		return load16_be(from);
	case 4:
		return load32_be(from);
	default:
		return load64_be(from);
	}
}

void agglayout_store(uint8_t *to, uint64_t number, unsigned octets)
{
	switch (octets) {
	case 1:
		*to = (uint8_t)number;
		break;
	case 2:
		store16_be(to, (uint16_t)number);
		break;
	case 4:
		store32_be(to, (uint32_t)number);
		break;
	default:
		store64_be(to, number);
		break;
	}
}

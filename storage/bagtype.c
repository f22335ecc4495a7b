/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bagtype.h"

#include "common/spelling.h"
#include "storage/header.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

/* Types that are about the same thing; two of them together make the type of the family. */
enum family {
	FAMILY_NONE,
	FAMILY_IPV4,
	FAMILY_IPV6,
	FAMILY_PORT,
	FAMILY_SNMP,
	FAMILY_PACKETS,
	FAMILY_BYTES,
	FAMILY_FLAGS,
	FAMILY_TIME,
	FAMILY_DURATION,
	FAMILY_COUNTRY,
	FAMILY_IP_PMAP,
	FAMILY_PORT_PMAP,
};

static const uint16_t family_types[] = {
	[FAMILY_NONE] = BAGTYPE_CUSTOM,
	[FAMILY_IPV4] = BAGTYPE_ANY_IPV4,
	[FAMILY_IPV6] = BAGTYPE_ANY_IPV6,
	[FAMILY_PORT] = BAGTYPE_ANY_PORT,
	[FAMILY_SNMP] = BAGTYPE_ANY_SNMP,
	[FAMILY_PACKETS] = BAGTYPE_SUM_PACKETS,
	[FAMILY_BYTES] = BAGTYPE_SUM_BYTES,
	[FAMILY_FLAGS] = BAGTYPE_FLAGS,
	[FAMILY_TIME] = BAGTYPE_ANY_TIME,
	[FAMILY_DURATION] = BAGTYPE_SUM_DURATION,
	[FAMILY_COUNTRY] = BAGTYPE_ANY_COUNTRY,
	[FAMILY_IP_PMAP] = BAGTYPE_ANY_IP_PMAP,
	[FAMILY_PORT_PMAP] = BAGTYPE_ANY_PORT_PMAP,
};

struct bagtype {
	uint8_t octets; /* 0: no such type */
	uint8_t kind;
	uint8_t family;
};

static const struct bagtype types[] = {
	[BAGTYPE_SIPV4] = { 4, BAGKIND_IP, FAMILY_IPV4 },
	[BAGTYPE_DIPV4] = { 4, BAGKIND_IP, FAMILY_IPV4 },
	[BAGTYPE_SPORT] = { 2, BAGKIND_NUMBER, FAMILY_PORT },
	[BAGTYPE_DPORT] = { 2, BAGKIND_NUMBER, FAMILY_PORT },
	[BAGTYPE_PROTOCOL] = { 1, BAGKIND_NUMBER, FAMILY_NONE },
	[BAGTYPE_PACKETS] = { 4, BAGKIND_NUMBER, FAMILY_PACKETS },
	[BAGTYPE_BYTES] = { 4, BAGKIND_NUMBER, FAMILY_BYTES },
	[BAGTYPE_FLAGS] = { 1, BAGKIND_FLAGS, FAMILY_FLAGS },
	[BAGTYPE_STIME] = { 4, BAGKIND_TIME, FAMILY_TIME },
	[BAGTYPE_DURATION] = { 4, BAGKIND_NUMBER, FAMILY_DURATION },
	[BAGTYPE_ETIME] = { 4, BAGKIND_TIME, FAMILY_TIME },
	[BAGTYPE_SENSOR] = { 2, BAGKIND_SENSOR, FAMILY_NONE },
	[BAGTYPE_INPUT] = { 2, BAGKIND_NUMBER, FAMILY_SNMP },
	[BAGTYPE_OUTPUT] = { 2, BAGKIND_NUMBER, FAMILY_SNMP },
	[BAGTYPE_NHIPV4] = { 4, BAGKIND_IP, FAMILY_IPV4 },
	[BAGTYPE_INITIAL_FLAGS] = { 1, BAGKIND_FLAGS, FAMILY_FLAGS },
	[BAGTYPE_SESSION_FLAGS] = { 1, BAGKIND_FLAGS, FAMILY_FLAGS },
	[BAGTYPE_ATTRIBUTES] = { 1, BAGKIND_ATTRIBUTES, FAMILY_NONE },
	[BAGTYPE_APPLICATION] = { 2, BAGKIND_NUMBER, FAMILY_NONE },
	[BAGTYPE_CLASS] = { 1, BAGKIND_NUMBER, FAMILY_NONE },
	[BAGTYPE_TYPE] = { 1, BAGKIND_NUMBER, FAMILY_NONE },
	[24] = { 2, BAGKIND_NUMBER, FAMILY_NONE },
	[BAGTYPE_SIPV6] = { 16, BAGKIND_IP, FAMILY_IPV6 },
	[BAGTYPE_DIPV6] = { 16, BAGKIND_IP, FAMILY_IPV6 },
	[BAGTYPE_NHIPV6] = { 16, BAGKIND_IP, FAMILY_IPV6 },
	[BAGTYPE_RECORDS] = { 8, BAGKIND_NUMBER, FAMILY_NONE },
	[BAGTYPE_SUM_PACKETS] = { 8, BAGKIND_NUMBER, FAMILY_PACKETS },
	[BAGTYPE_SUM_BYTES] = { 8, BAGKIND_NUMBER, FAMILY_BYTES },
	[BAGTYPE_SUM_DURATION] = { 8, BAGKIND_NUMBER, FAMILY_DURATION },
	[BAGTYPE_ANY_IPV4] = { 4, BAGKIND_IP, FAMILY_IPV4 },
	[BAGTYPE_ANY_IPV6] = { 16, BAGKIND_IP, FAMILY_IPV6 },
	[BAGTYPE_ANY_PORT] = { 2, BAGKIND_NUMBER, FAMILY_PORT },
	[BAGTYPE_ANY_SNMP] = { 2, BAGKIND_NUMBER, FAMILY_SNMP },
	[BAGTYPE_ANY_TIME] = { 4, BAGKIND_TIME, FAMILY_TIME },
	[BAGTYPE_SIP_COUNTRY] = { 2, BAGKIND_COUNTRY, FAMILY_COUNTRY },
	[BAGTYPE_DIP_COUNTRY] = { 2, BAGKIND_COUNTRY, FAMILY_COUNTRY },
	[BAGTYPE_ANY_COUNTRY] = { 2, BAGKIND_COUNTRY, FAMILY_COUNTRY },
	[BAGTYPE_SIP_PMAP] = { 4, BAGKIND_IP_PMAP, FAMILY_IP_PMAP },
	[BAGTYPE_DIP_PMAP] = { 4, BAGKIND_IP_PMAP, FAMILY_IP_PMAP },
	[BAGTYPE_ANY_IP_PMAP] = { 4, BAGKIND_IP_PMAP, FAMILY_IP_PMAP },
	[BAGTYPE_SPORT_PMAP] = { 4, BAGKIND_PORT_PMAP, FAMILY_PORT_PMAP },
	[BAGTYPE_DPORT_PMAP] = { 4, BAGKIND_PORT_PMAP, FAMILY_PORT_PMAP },
	[BAGTYPE_ANY_PORT_PMAP] = { 4, BAGKIND_PORT_PMAP, FAMILY_PORT_PMAP },
	[BAGTYPE_CUSTOM] = { 4, BAGKIND_CUSTOM, FAMILY_NONE },
};

static const struct bagtype *look_up(uint16_t id)
{
	return &types[bagtype_known(id)];
}

uint16_t bagtype_known(uint16_t id)
{
	return id < G_N_ELEMENTS(types) && types[id].octets ? id : BAGTYPE_CUSTOM;
}

enum bagtype_kind bagtype_kind(uint16_t id)
{
	return (enum bagtype_kind)look_up(id)->kind;
}

unsigned bagtype_octets(uint16_t id)
{
	return look_up(id)->octets;
}

const char *bagtype_name(uint16_t id)
{
	return header_bag_type_name(bagtype_known(id));
}

int bagtype_find(const char *name, uint16_t *out, struct err *err)
{
	size_t len = strlen(name);
	struct spelling spelling = { .word = name, .len = len };
	int found = -1;
	bool several = false;

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		const char *known = types[i].octets ? bagtype_name((uint16_t)i) : "";

		if (g_ascii_strcasecmp(name, known) == 0 && len) {
			*out = (uint16_t)i;
			return ST_OK;
		}
		if (len && g_ascii_strncasecmp(name, known, len) == 0) {
			several = found >= 0;
			found = found < 0 ? (int)i : found;
		}
		if (known[0]) {
			spelling_try(&spelling, known);
		}
	}
	if (several) {
		return err_set(err, ST_EINVAL, "Field '%s' is ambiguous", name);
	}
	if (found < 0) {
		err_set(err, ST_EINVAL, "Field '%s' is not recognized", name);
		spelling_suggest(&spelling, "", err);
		return ST_EINVAL;
	}
	*out = (uint16_t)found;
	return ST_OK;
}

static bool is_address(enum family family)
{
	return family == FAMILY_IPV4 || family == FAMILY_IPV6;
}

static bool is_time_or_duration(enum family family)
{
	return family == FAMILY_TIME || family == FAMILY_DURATION;
}

uint16_t bagtype_merge(uint16_t a, uint16_t b)
{
	enum family one = (enum family)look_up(a)->family;
	enum family two = (enum family)look_up(b)->family;

	if (bagtype_known(a) == bagtype_known(b)) {
		return bagtype_known(a);
	}
	if (one == two) {
		return family_types[one];
	}
	if (is_address(one) && is_address(two)) {
		return BAGTYPE_ANY_IPV6;
	}
	if (is_time_or_duration(one) && is_time_or_duration(two)) {
		return BAGTYPE_ANY_TIME;
	}
	return BAGTYPE_CUSTOM;
}

uint16_t bagtype_widened(uint16_t id)
{
	switch (id) {
	case BAGTYPE_SIPV4:
		return BAGTYPE_SIPV6;
	case BAGTYPE_DIPV4:
		return BAGTYPE_DIPV6;
	case BAGTYPE_NHIPV4:
		return BAGTYPE_NHIPV6;
	case BAGTYPE_ANY_IPV4:
		return BAGTYPE_ANY_IPV6;
	default:
		return id;
	}
}

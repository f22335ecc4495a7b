/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/drawn.h"

#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"

static uint64_t draw(GRand *rng, unsigned bits)
{
	uint64_t high = g_rand_int(rng);
	uint64_t number = high << 32 | g_rand_int(rng);

	return bits == 64 ? number : number & ((UINT64_C(1) << bits) - 1);
}

/* Often at an edge, often small. */
static uint64_t draw_edge(GRand *rng, unsigned bits)
{
	uint64_t max = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

	switch (g_rand_int_range(rng, 0, 6)) {
	case 0:
		return 0;
	case 1:
		return max;
	case 2:
		return draw(rng, bits);
	default:
		return draw(rng, 8) & max;
	}
}

static struct ip draw_address(GRand *rng)
{
	static const struct ip ends[] = { { 0, 0 },
					  { UINT64_MAX, UINT64_MAX },
					  { 0, IP_V4_PREFIX },
					  { UINT64_C(0x20010db800000000), 1 } };

	if (g_rand_int_range(rng, 0, 8) == 0) {
		return ends[g_rand_int_range(rng, 0, G_N_ELEMENTS(ends))];
	}
	return ip_from_v4(0x0a000000 + (uint32_t)g_rand_int_range(rng, 0, 24));
}

void drawn_record(GRand *rng, struct record *rec)
{
	record_init(rec);
	rec->start_ns = INT64_C(1700000000) * NS_PER_S + g_rand_int_range(rng, 0, 60) * NS_PER_S;
	rec->duration_ns = (uint64_t)(g_rand_int_range(rng, 0, 20) * NS_PER_S / 4);
	if (g_rand_int_range(rng, 0, 40) == 0) {
		rec->duration_ns = draw_edge(rng, 62);
	}
	rec->sip = draw_address(rng);
	rec->dip = draw_address(rng);
	rec->packets = draw_edge(rng, g_rand_boolean(rng) ? 64 : 8);
	rec->bytes = draw_edge(rng, g_rand_boolean(rng) ? 64 : 8);
	rec->input = (uint32_t)draw_edge(rng, 32);
	rec->output = (uint32_t)draw_edge(rng, 32);
	rec->sport = (uint16_t)draw_edge(rng, 16);
	rec->dport = (uint16_t)draw_edge(rng, 16);
	rec->protocol = g_rand_boolean(rng) ? 1 : (uint8_t)draw_edge(rng, 6);
	rec->protocol = g_rand_int_range(rng, 0, 4) == 0 ? 58 : rec->protocol;
	rec->flags = (uint8_t)draw_edge(rng, 5);
	rec->state = g_rand_boolean(rng) ? RECORD_IPV6 : 0;
}

bool drawn_test(GRand *rng, const char *name, char *text, size_t size)
{
	static const char *const addresses[] = {
		"10.0.0.3", "10.0.0.0/28",    "10.0.0.4-9,14.x", "::/8",          "2001:db8::1",
		"10.0.0.x", "::ffff:0.0.0.0", "2001:db8:x::x",   "255.255.255.0",
	};
	uint64_t low = draw_edge(rng, 8);
	uint64_t high = low + draw(rng, 5);

	if (strstr(name, "cidr")) {
		snprintf(text, size, "10.0.0.%u,10.0.0.%u/%u", (unsigned)draw(rng, 4) + 6,
			 (unsigned)draw(rng, 4), 28 + (unsigned)draw(rng, 2));
	} else if (strstr(name, "address") || strstr(name, "next-hop")) {
		g_strlcpy(text, addresses[g_rand_int_range(rng, 0, G_N_ELEMENTS(addresses))], size);
		if (strcmp(text, "10.0.0.4-9,14.x") == 0) {
			g_strlcpy(text, "10.0.0.4-9,14", size);
		}
	} else if (strstr(name, "time") && !strstr(name, "duration")) {
		unsigned from = (unsigned)g_rand_int_range(rng, 20, 59);

		snprintf(text, size, "2023/11/14T22:13:%02u-2023/11/14T22:14:%02u", from,
			 (unsigned)g_rand_int_range(rng, 0, 30));
	} else if (strcmp(name, "ip-version") == 0) {
		g_strlcpy(text, g_rand_boolean(rng) ? "4" : "6", size);
	} else if (g_str_has_prefix(name, "flags")) {
		g_strlcpy(text, g_rand_boolean(rng) ? "S/SA" : "F/F,A/A", size);
	} else if (strcmp(name, "protocol") == 0 || g_str_has_prefix(name, "icmp")) {
		snprintf(text, size, "1,%u-%u", (unsigned)(low & 127),
			 (unsigned)(low & 127) + (unsigned)(high & 63));
	} else if (strstr(name, "set") || strstr(name, "flag") || strcmp(name, "attributes") == 0 ||
		   strlen(name) == 3) {
		return false;
	} else {
		snprintf(text, size, "%u-%u", (unsigned)low, (unsigned)high);
	}
	return true;
}

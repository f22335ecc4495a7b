/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of what a header's bytes stand for (silk-flow-files.md section 3). */
#include "storage/header.h"

#include <glib.h>
#include <string.h>

static const char *const format_names[] = {
	"FT_TCPDUMP",       "FT_GRAPH",        "FT_ADDRESSES",    "FT_PORTMAP",
	"FT_SERVICEMAP",    "FT_NIDSMAP",      "FT_EXPERIMENT1",  "FT_EXPERIMENT2",
	"FT_TEMPFILE",      "FT_AGGREGATEBAG", "FT_IPFIX",        "FT_RWIPV6",
	"FT_RWIPV6ROUTING", "FT_RWAUGSNMPOUT", "FT_RWAUGROUTING", "FT_RESERVED_0F",
	"FT_RWROUTED",      "FT_RWNOTROUTED",  "FT_RWSPLIT",      "FT_RWFILTER",
	"FT_RWAUGMENTED",   "FT_RWAUGWEB",     "FT_RWGENERIC",    "FT_RESERVED_17",
	"FT_RWDAILY",       "FT_RWSCAN",       "FT_RWACL",        "FT_RWCOUNT",
	"FT_FLOWCAP",       "FT_IPSET",        "FT_TAGTREE",      "FT_RWWWW",
	"FT_SHUFFLE",       "FT_RWBAG",        "FT_BLOOM",        "FT_RWPRINTSTATS",
	"FT_PDUFLOWCAP",    "FT_PREFIXMAP",
};

static const uint8_t flow_formats[] = {
	FORMAT_RWIPV6,      FORMAT_RWIPV6ROUTING, FORMAT_RWAUGSNMPOUT, FORMAT_RWAUGROUTING,
	FORMAT_RWROUTED,    FORMAT_RWNOTROUTED,   FORMAT_RWSPLIT,      FORMAT_RWFILTER,
	FORMAT_RWAUGMENTED, FORMAT_RWAUGWEB,      FORMAT_RWGENERIC,    FORMAT_FLOWCAP,
	FORMAT_RWWWW,
};

bool header_is_flow(uint8_t format)
{
	return memchr(flow_formats, format, sizeof(flow_formats)) != NULL;
}

const char *header_format_name(uint8_t format)
{
	return format < G_N_ELEMENTS(format_names) ? format_names[format] : NULL;
}

struct name {
	const char *name;
	int value;
};

static const struct name compression_names[] = {
	{ "none", COMPRESSION_NONE },   { "zlib", COMPRESSION_ZLIB },
	{ "lzo1x", COMPRESSION_LZO1X }, { "snappy", COMPRESSION_SNAPPY },
	{ "best", COMPRESSION_BEST },
};

static const struct name byte_order_names[] = {
	{ "native", BYTE_ORDER_NATIVE },
	{ "little", BYTE_ORDER_LITTLE },
	{ "big", BYTE_ORDER_BIG },
};

const char *compression_name(uint8_t id)
{
	for (size_t i = 0; i < COMPRESSION_SNAPPY + 1u; i++) {
		if (compression_names[i].value == id) {
			return compression_names[i].name;
		}
	}
	return NULL;
}

/* A unique prefix of one of the names: its value, or -1. */
static int find_name(const struct name *names, size_t count, const char *text)
{
	size_t len = strlen(text);
	int found = -1;

	for (size_t i = 0; i < count && len > 0; i++) {
		if (strncmp(names[i].name, text, len) != 0) {
			continue;
		}
		if (found >= 0 && names[i].name[len] != '\0') {
			return -1;
		}
		found = names[i].value;
	}
	return found;
}

int compression_parse(const char *text, enum compression *out, struct err *err)
{
	int found = find_name(compression_names, G_N_ELEMENTS(compression_names), text);

	if (found < 0) {
		return err_set(err, ST_EINVAL, "'%s' is none of none, zlib, lzo1x, snappy, best",
			       text);
	}
	*out = (enum compression)found;
	return ST_OK;
}

int byte_order_parse(const char *text, enum byte_order *out, struct err *err)
{
	int found = find_name(byte_order_names, G_N_ELEMENTS(byte_order_names), text);

	if (found < 0) {
		return err_set(err, ST_EINVAL, "'%s' is none of native, little, big", text);
	}
	*out = (enum byte_order)found;
	return ST_OK;
}

/* ---- fields of bags (silk-set-bag-pmap-files.md 2.2) and aggregate bags (3.2) ---- */

/* The first numbers mean the same in both. */
static const char *const bag_names[] = {
	[0] = "sIPv4",         [1] = "dIPv4",       [2] = "sPort",        [3] = "dPort",
	[4] = "protocol",      [5] = "packets",     [6] = "bytes",        [7] = "flags",
	[8] = "sTime",         [9] = "duration",    [10] = "eTime",       [11] = "sensor",
	[12] = "input",        [13] = "output",     [14] = "nhIPv4",      [15] = "initialFlags",
	[16] = "sessionFlags", [17] = "attributes", [18] = "application", [19] = "class",
	[20] = "type",
};

static const char *const more_bag_names[] = {
	[24] = "icmpTypeCode", [25] = "sIPv6",         [26] = "dIPv6",       [27] = "nhIPv6",
	[28] = "records",      [29] = "sum-packets",   [30] = "sum-bytes",   [31] = "sum-duration",
	[32] = "any-IPv4",     [33] = "any-IPv6",      [34] = "any-port",    [35] = "any-snmp",
	[36] = "any-time",     [37] = "sip-country",   [38] = "dip-country", [39] = "any-country",
	[40] = "sip-pmap",     [41] = "dip-pmap",      [42] = "any-ip-pmap", [43] = "sport-pmap",
	[44] = "dport-pmap",   [45] = "any-port-pmap", [255] = "custom",
};

static const char *const more_aggregate_names[] = {
	[24] = "icmpType",    [25] = "icmpCode",   [26] = "sIPv6",      [27] = "dIPv6",
	[28] = "nhIPv6",      [29] = "any-IPv4",   [30] = "any-IPv6",   [31] = "any-port",
	[32] = "any-snmp",    [33] = "any-time",   [34] = "custom-key", [35] = "scc",
	[36] = "dcc",         [37] = "any-cc",     [38] = "sip-pmap",   [39] = "dip-pmap",
	[40] = "any-ip-pmap", [41] = "sport-pmap", [42] = "dport-pmap", [43] = "any-port-pmap",
};

static const char *const counter_names[] = {
	"records", "sum-packets", "sum-bytes", "sum-duration", "custom-counter",
};
#define COUNTER_FIRST 0xc000

#define LOOK_UP(names, index) ((index) < G_N_ELEMENTS(names) ? (names)[index] : NULL)

const char *header_bag_type_name(uint16_t id)
{
	const char *name = LOOK_UP(bag_names, id);

	return name != NULL ? name : LOOK_UP(more_bag_names, id);
}

const char *header_aggregate_field_name(uint16_t id)
{
	const char *name = LOOK_UP(bag_names, id);

	if (id >= COUNTER_FIRST) {
		return LOOK_UP(counter_names, (unsigned)id - COUNTER_FIRST);
	}
	return name != NULL ? name : LOOK_UP(more_aggregate_names, id);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/datagrams.h"

#include <string.h>

#include "common/bigendian.h"
#include "common/record.h"

enum {
	PAYLOAD_MAX = 1472, /* of an Ethernet frame */
	V5_RECORDS = 30,
	TEMPLATE_ID = 256,
	TEMPLATE_EVERY = 1000, /* datagrams */
	RECORD_MAX_BYTES = 64,
	UPTIME_MS = 3600000, /* of the exporter */
};

const char *const datagrams_format_names[DATAGRAMS_FORMATS + 1] = { "v5", "v9", "ipfix", NULL };

/* What a field of a record is; the time is now for NetFlow's uptime, the epoch for IPFIX. */
struct source {
	const struct record *rec;
	int64_t start_ms;
	int64_t end_ms;
};

static uint64_t value_of(const struct source *source, uint16_t id)
{
	const struct record *rec = source->rec;

	switch (id) {
	case 1:
		return rec->bytes;
	case 2:
		return rec->packets;
	case 4:
		return rec->protocol;
	case 6:
		return rec->flags;
	case 7:
		return rec->sport;
	case 8:
		return ip_to_v4(rec->sip);
	case 10:
		return rec->input;
	case 11:
		return rec->dport;
	case 12:
		return ip_to_v4(rec->dip);
	case 14:
		return rec->output;
	case 15:
		return ip_to_v4(rec->nhip);
	case 21:
	case 153:
		return (uint64_t)source->end_ms;
	case 22:
	case 152:
		return (uint64_t)source->start_ms;
	default: /* type of service, masks, AS numbers, padding */
		return 0;
	}
}

struct field_spec {
	uint16_t id;
	uint16_t len;
};

/* The layout of a NetFlow v5 record; what routers of today send with v9; IPFIX's own times. */
static const struct field_spec fields_v5[] = {
	{ 8, 4 },  { 12, 4 }, { 15, 4 }, { 10, 2 }, { 14, 2 }, { 2, 4 }, { 1, 4 },
	{ 22, 4 }, { 21, 4 }, { 7, 2 },  { 11, 2 }, { 0, 1 },  { 6, 1 }, { 4, 1 },
	{ 5, 1 },  { 16, 2 }, { 17, 2 }, { 9, 1 },  { 13, 1 }, { 0, 2 },
};
static const struct field_spec fields_v9[] = {
	{ 22, 4 }, { 21, 4 }, { 2, 4 }, { 1, 4 }, { 10, 4 }, { 14, 4 }, { 8, 4 },
	{ 12, 4 }, { 4, 1 },  { 5, 1 }, { 7, 2 }, { 11, 2 }, { 6, 1 },  { 15, 4 },
};
static const struct field_spec fields_ipfix[] = {
	{ 152, 8 }, { 153, 8 }, { 2, 8 }, { 1, 8 }, { 10, 4 }, { 14, 4 }, { 8, 4 },
	{ 12, 4 },  { 4, 1 },   { 5, 1 }, { 7, 2 }, { 11, 2 }, { 6, 1 },  { 15, 4 },
};

/* How the versions differ. */
static const struct version {
	uint16_t number;
	uint16_t header_bytes;
	const struct field_spec *fields;
	uint16_t field_count;
	uint16_t template_set;
	uint16_t sequence_at;
	bool counts_records; /* by sequence number; else datagrams */
	bool epoch_times;
} versions[DATAGRAMS_FORMATS] = {
	[DATAGRAMS_V5] = { 5, 24, fields_v5, G_N_ELEMENTS(fields_v5), UINT16_MAX, 16, true, false },
	[DATAGRAMS_V9] = { 9, 20, fields_v9, G_N_ELEMENTS(fields_v9), 0, 12, false, false },
	[DATAGRAMS_IPFIX] = { 10, 16, fields_ipfix, G_N_ELEMENTS(fields_ipfix), 2, 8, true, true },
};

struct datagrams {
	const struct version *version;
	int64_t now_ms;
	struct datagram templates;
	struct datagram *data;
	size_t count;
	size_t at;
	uint64_t sent;
	uint32_t sequence;
};

static void put(struct datagram *to, uint64_t value, unsigned len)
{
	while (len > 0) {
		to->bytes[to->len++] = (uint8_t)(value >> 8 * --len);
	}
}

static bool has_templates(const struct version *version)
{
	return version->template_set != UINT16_MAX;
}

/* The header, with room for the length or count and the sequence number. */
static void begin(const struct datagrams *pool, struct datagram *to)
{
	const struct version *version = pool->version;

	memset(to, 0, sizeof(*to));
	put(to, version->number, 2);
	to->len = version->header_bytes;
	if (version->epoch_times) {
		put_be32(to->bytes + 4, (uint32_t)(pool->now_ms / 1000));
	} else {
		put_be32(to->bytes + 4, UPTIME_MS);
		put_be32(to->bytes + 8, (uint32_t)(pool->now_ms / 1000));
	}
}

/* count: records and templates. */
static void end(const struct version *version, struct datagram *to, uint16_t count)
{
	if (has_templates(version)) {
		put_be16(to->bytes + version->header_bytes + 2,
			 (uint16_t)(to->len - version->header_bytes));
	}
	put_be16(to->bytes + 2, version->epoch_times ? to->len : count);
}

static void build_templates(struct datagrams *pool)
{
	const struct version *version = pool->version;
	struct datagram *to = &pool->templates;

	begin(pool, to);
	put(to, version->template_set, 2);
	put(to, 0, 2);
	put(to, TEMPLATE_ID, 2);
	put(to, version->field_count, 2);
	for (uint16_t i = 0; i < version->field_count; i++) {
		put(to, version->fields[i].id, 2);
		put(to, version->fields[i].len, 2);
	}
	end(version, to, 1);
}

static size_t record_bytes(const struct version *version)
{
	size_t len = 0;

	for (uint16_t i = 0; i < version->field_count; i++) {
		len += version->fields[i].len;
	}
	return len;
}

/* Every record ends within the minute before the export, as long as it took, at most a minute. */
static struct source place(const struct datagrams *pool, const struct record *rec, size_t i)
{
	int64_t now_ms =
		pool->version->epoch_times ? pool->now_ms : UPTIME_MS + pool->now_ms % 1000;
	struct source source = { .rec = rec, .end_ms = now_ms - 1 - (int64_t)(i % 60000) };

	source.start_ms = source.end_ms - (int64_t)(rec->duration_ns / 1000000 % 60000);
	return source;
}

static void build_data(struct datagrams *pool, const GArray *records)
{
	const struct version *version = pool->version;
	size_t head = version->header_bytes + (has_templates(version) ? 4u : 0);
	size_t each = (PAYLOAD_MAX - head) / record_bytes(version);
	size_t done = 0;

	if (version->number == 5) {
		each = V5_RECORDS;
	}
	pool->count = records->len / each;
	g_free(pool->data);
	pool->data = g_new0(struct datagram, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		struct datagram *to = &pool->data[i];

		begin(pool, to);
		if (has_templates(version)) {
			put(to, TEMPLATE_ID, 2);
			put(to, 0, 2);
		}
		to->records = (uint16_t)each;
		for (size_t j = 0; j < each; j++, done++) {
			struct source source =
				place(pool, &g_array_index(records, struct record, done), done);

			for (uint16_t f = 0; f < version->field_count; f++) {
				put(to, value_of(&source, version->fields[f].id),
				    version->fields[f].len);
			}
		}
		end(version, to, to->records);
	}
}

struct datagrams *datagrams_new(enum datagrams_format format, const GArray *records, int64_t now_ms)
{
	struct datagrams *pool = g_new0(struct datagrams, 1);

	pool->version = &versions[format];
	datagrams_renew(pool, records, now_ms);
	return pool;
}

void datagrams_renew(struct datagrams *pool, const GArray *records, int64_t now_ms)
{
	pool->now_ms = now_ms;
	if (has_templates(pool->version)) {
		build_templates(pool);
	}
	build_data(pool, records);
}

void datagrams_free(struct datagrams *pool)
{
	if (pool) {
		g_free(pool->data);
		g_free(pool);
	}
}

const struct datagram *datagrams_next(struct datagrams *pool)
{
	const struct version *version = pool->version;
	struct datagram *next = &pool->templates;

	if (!has_templates(version) || pool->sent % TEMPLATE_EVERY != 0) {
		next = &pool->data[pool->at];
		pool->at = (pool->at + 1) % pool->count;
	}
	pool->sent++;
	put_be32(next->bytes + version->sequence_at, pool->sequence);
	pool->sequence += version->counts_records ? next->records : 1;
	return next;
}

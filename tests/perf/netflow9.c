/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/netflow9.h"

#include <string.h>

#include "tests/perf/hosts.h"
#include "tests/perf/timeline.h"

enum {
	TEMPLATE_V4 = 256,
	TEMPLATE_V6 = 257,
	PACKET_MAX = 1452,
	HEADER_BYTES = 20,
	RECORD_MAX = 96,
	TEMPLATE_EVERY = 1000, /* packets */
};

/* RFC 3954 section 8: numbers and lengths of the fields, in the order of put_record(). */
struct template_field {
	uint16_t id;
	uint16_t len;
};
static const struct template_field template_v4[] = {
	{ 22, 4 }, { 21, 4 }, { 2, 8 },  { 1, 8 },  { 7, 2 },  { 11, 2 }, { 4, 1 },
	{ 6, 1 },  { 8, 4 },  { 12, 4 }, { 10, 4 }, { 14, 4 }, { 15, 4 },
};
static const struct template_field template_v6[] = {
	{ 22, 4 }, { 21, 4 },  { 2, 8 },   { 1, 8 },  { 7, 2 },  { 11, 2 },  { 4, 1 },
	{ 6, 1 },  { 27, 16 }, { 28, 16 }, { 10, 4 }, { 14, 4 }, { 62, 16 },
};
enum { FIELDS = 10, FIELDS_WITH_ROUTES = 13 };

struct packet {
	FILE *out;
	bool with_routes;
	int64_t boot_ms;
	uint16_t source;
	uint16_t template_id; /* of the open flow set; 0: none */
	uint16_t count;       /* records and templates */
	uint32_t sequence;
	size_t len;
	size_t set; /* where the open flow set begins */
	uint8_t bytes[PACKET_MAX + RECORD_MAX];
};

static void put(struct packet *packet, uint64_t value, unsigned len)
{
	while (len > 0) {
		packet->bytes[packet->len++] = (uint8_t)(value >> 8 * --len);
	}
}

static void put_at(struct packet *packet, size_t place, uint64_t value, unsigned len)
{
	size_t end = packet->len;

	packet->len = place;
	put(packet, value, len);
	packet->len = end;
}

static void close_set(struct packet *packet)
{
	if (packet->template_id != 0) {
		while (packet->len % 4 != 0) {
			put(packet, 0, 1);
		}
		put_at(packet, packet->set + 2, packet->len - packet->set, 2);
		packet->template_id = 0;
	}
}

static void open_set(struct packet *packet, uint16_t id)
{
	close_set(packet);
	packet->set = packet->len;
	packet->template_id = id;
	put(packet, id, 2);
	put(packet, 0, 2);
}

static void put_templates(struct packet *packet)
{
	const struct template_field *templates[] = { template_v4, template_v6 };
	unsigned fields = packet->with_routes ? FIELDS_WITH_ROUTES : FIELDS;

	put(packet, 0, 2);
	put(packet, 4 + 2 * (4 + 4 * fields), 2);
	for (unsigned i = 0; i < 2; i++) {
		put(packet, TEMPLATE_V4 + i, 2);
		put(packet, fields, 2);
		for (unsigned j = 0; j < fields; j++) {
			put(packet, templates[i][j].id, 2);
			put(packet, templates[i][j].len, 2);
		}
		packet->count++;
	}
}

static void begin_packet(struct packet *packet)
{
	packet->len = HEADER_BYTES;
	packet->count = 0;
	if (packet->sequence % TEMPLATE_EVERY == 0) {
		put_templates(packet);
	}
}

/* Sent when its last record ended, on a whole second, so that times stay exact to the ms. */
static void end_packet(struct packet *packet, int64_t now_ms)
{
	int64_t uptime_ms = (now_ms - packet->boot_ms + 999) / 1000 * 1000;
	size_t len;
	uint8_t prefix[2];

	if (packet->count == 0) {
		return;
	}
	close_set(packet);
	len = packet->len;
	packet->len = 0;
	put(packet, 9, 2);
	put(packet, packet->count, 2);
	put(packet, (uint64_t)uptime_ms, 4);
	put(packet, (uint64_t)(packet->boot_ms + uptime_ms) / 1000, 4);
	put(packet, packet->sequence++, 4);
	put(packet, packet->source, 4);
	prefix[0] = (uint8_t)(len >> 8);
	prefix[1] = (uint8_t)len;
	fwrite(prefix, 1, 2, packet->out);
	fwrite(packet->bytes, 1, len, packet->out);
	begin_packet(packet);
}

static void put_address(struct packet *packet, struct ip ip, bool is_v6)
{
	if (is_v6) {
		put(packet, ip.hi, 8);
		put(packet, ip.lo, 8);
	} else {
		put(packet, ip_to_v4(ip), 4);
	}
}

static void put_record(struct packet *packet, const struct record *rec)
{
	int64_t start_ms = rec->start_ns / 1000000;
	bool is_v6 = record_is_ipv6(rec);

	put(packet, (uint64_t)(start_ms - packet->boot_ms), 4);
	put(packet, (uint64_t)(start_ms - packet->boot_ms) + rec->duration_ns / 1000000, 4);
	put(packet, rec->packets, 8);
	put(packet, rec->bytes, 8);
	put(packet, rec->sport, 2);
	put(packet, rec->dport, 2);
	put(packet, rec->protocol, 1);
	put(packet, rec->flags, 1);
	put_address(packet, rec->sip, is_v6);
	put_address(packet, rec->dip, is_v6);
	if (packet->with_routes) {
		put(packet, rec->input, 4);
		put(packet, rec->output, 4);
		put_address(packet, rec->nhip, is_v6);
	}
	packet->count++;
}

static void add_record(struct packet *packet, const struct record *rec)
{
	uint16_t id = record_is_ipv6(rec) ? TEMPLATE_V6 : TEMPLATE_V4;

	if (id != packet->template_id) {
		open_set(packet, id);
	}
	put_record(packet, rec);
	if (packet->len + RECORD_MAX > PACKET_MAX) {
		end_packet(packet, record_end_ns(rec) / 1000000);
	}
}

void netflow9_write(FILE *out, int64_t hour_ms, const GArray *records, bool with_routes)
{
	struct packet *packets = g_new0(struct packet, SENSOR_COUNT);

	for (uint16_t sensor = 0; sensor < SENSOR_COUNT; sensor++) {
		packets[sensor].out = out;
		packets[sensor].with_routes = with_routes;
		packets[sensor].boot_ms = hour_ms;
		packets[sensor].source = sensor;
		begin_packet(&packets[sensor]);
	}
	for (guint i = 0; i < records->len; i++) {
		const struct record *rec = &g_array_index(records, struct record, i);

		add_record(&packets[rec->sensor], rec);
	}
	for (uint16_t sensor = 0; sensor < SENSOR_COUNT; sensor++) {
		end_packet(&packets[sensor], hour_ms + 2 * HOUR_MS);
	}
	g_free(packets);
}

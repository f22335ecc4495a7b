/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * packets: a capture file of made-up packets, for measuring sensors. The flows are those of
 * tests/perf/traffic.c, both directions of each; every packet has its headers, and zeros behind
 * them up to the length that is captured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/bigendian.h"
#include "common/opt.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "tests/perf/traffic.h"

#define FIRST_HOUR_MS    INT64_C(1772409600000)
#define PACKETS_MAX      500 /* of one record */
#define PACKETS_PER_FLOW 12  /* about: how many records to make */
#define HEADERS_MAX      (14 + 40 + 20)
#define WIRE_MAX         1514
#define PROTOCOL_TCP     6
#define PROTOCOL_UDP     17

struct packets_opts {
	uint64_t packets;
	uint64_t snap_bytes;
	uint64_t seed;
};

static const struct opt packets_opt_table[] = {
	OPT_U64(struct packets_opts, packets, "packets", 'n', "N", 1, UINT64_C(10000000000),
		"write so many packets", .default_text = "5000000"),
	OPT_U64(struct packets_opts, snap_bytes, "snap-length", 0, "BYTES", HEADERS_MAX, WIRE_MAX,
		"capture so many bytes of each", .default_text = "96"),
	OPT_U64(struct packets_opts, seed, "seed", 0, "N", 0, UINT32_MAX,
		"make other flows with another seed", .default_text = "1"),
	OPT_END,
};

/* A record whose packets are being written. */
struct source {
	int64_t next_ns;
	const struct record *rec;
	uint32_t sent;
	uint32_t packets;
};

/* Sources by the time of their next packet: a heap. */
static void heap_sink(struct source *heap, guint count, guint at)
{
	for (;;) {
		guint least = at;

		for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
			least = heap[child].next_ns < heap[least].next_ns ? child : least;
		}
		if (least == at) {
			return;
		}
		struct source moved = heap[at];

		heap[at] = heap[least];
		heap[least] = moved;
		at = least;
	}
}

static int64_t packet_ns(const struct record *rec, uint32_t number, uint32_t packets)
{
	return packets == 1 ? rec->start_ns
			    : rec->start_ns + (int64_t)(rec->duration_ns / (packets - 1) * number);
}

static struct source *make_sources(const GArray *records)
{
	struct source *heap = g_new(struct source, records->len);

	for (guint i = 0; i < records->len; i++) {
		const struct record *rec = &g_array_index(records, struct record, i);

		heap[i] = (struct source){
			.next_ns = rec->start_ns,
			.rec = rec,
			.packets = (uint32_t)CLAMP(rec->packets, 1, PACKETS_MAX),
		};
	}
	for (guint i = records->len / 2; i-- > 0;) {
		heap_sink(heap, records->len, i);
	}
	return heap;
}

static size_t put_ethernet(uint8_t *out, bool is_v6)
{
	memset(out, 2, 12);
	put_be16(out + 12, is_v6 ? 0x86dd : 0x0800);
	return 14;
}

static size_t put_ip(uint8_t *out, const struct record *rec, uint16_t payload)
{
	uint8_t address[16];

	if (record_is_ipv6(rec)) {
		put_be32(out, UINT32_C(6) << 28);
		put_be16(out + 4, payload);
		out[6] = rec->protocol;
		out[7] = 64;
		ip_to_bytes(rec->sip, address);
		memcpy(out + 8, address, sizeof(address));
		ip_to_bytes(rec->dip, address);
		memcpy(out + 24, address, sizeof(address));
		return 40;
	}
	out[0] = 0x45;
	put_be16(out + 2, (uint16_t)(20 + payload));
	out[8] = 64;
	out[9] = rec->protocol;
	put_be32(out + 12, ip_to_v4(rec->sip));
	put_be32(out + 16, ip_to_v4(rec->dip));
	return 20;
}

/* The first packet has the flags of the first, the last one those of the end. */
static uint8_t tcp_flags(const struct source *source)
{
	const uint8_t flags = source->rec->flags;

	if (source->sent == 0) {
		return flags & (TCPFLAG_SYN | TCPFLAG_ACK) ? flags & (TCPFLAG_SYN | TCPFLAG_ACK)
							   : flags;
	}
	return source->sent + 1 == source->packets ? flags & (uint8_t)~TCPFLAG_SYN : TCPFLAG_ACK;
}

static size_t put_transport(uint8_t *out, const struct source *source, uint16_t payload)
{
	const struct record *rec = source->rec;

	put_be16(out, rec->sport);
	put_be16(out + 2, rec->dport);
	if (rec->protocol == PROTOCOL_TCP) {
		put_be32(out + 4, source->sent * 1000);
		out[12] = 5 << 4;
		out[13] = tcp_flags(source);
		return 20;
	}
	if (rec->protocol == PROTOCOL_UDP) {
		put_be16(out + 4, payload);
	} else {
		out[0] = (uint8_t)(rec->dport >> 8); /* ICMP */
		out[1] = (uint8_t)rec->dport;
	}
	return 8;
}

static void write_packet(const struct source *source, uint32_t snap_bytes)
{
	const struct record *rec = source->rec;
	const bool is_v6 = record_is_ipv6(rec);
	const uint32_t ip_bytes = is_v6 ? 40 : 20;
	uint64_t size = CLAMP(rec->bytes / MAX(rec->packets, 1), ip_bytes + 20, WIRE_MAX - 14);
	uint16_t payload = (uint16_t)(size - ip_bytes);
	uint8_t bytes[WIRE_MAX] = { 0 };
	uint32_t wire = (uint32_t)size + 14;
	uint32_t head[4] = { (uint32_t)(source->next_ns / NS_PER_S),
			     (uint32_t)(source->next_ns % NS_PER_S), MIN(wire, snap_bytes), wire };
	size_t at = put_ethernet(bytes, is_v6);

	at += put_ip(bytes + at, rec, payload);
	put_transport(bytes + at, source, payload);
	fwrite(head, sizeof(head), 1, stdout);
	fwrite(bytes, 1, head[2], stdout);
}

static void write_header(uint32_t snap_bytes)
{
	const uint32_t header[6] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, snap_bytes, 1 };

	fwrite(header, sizeof(header), 1, stdout);
}

static uint64_t write_packets(const GArray *records, const struct packets_opts *opts)
{
	struct source *heap = make_sources(records);
	guint count = records->len;
	uint64_t written;

	write_header((uint32_t)opts->snap_bytes);
	for (written = 0; written < opts->packets && count > 0; written++) {
		write_packet(&heap[0], (uint32_t)opts->snap_bytes);
		if (++heap[0].sent < heap[0].packets) {
			heap[0].next_ns = packet_ns(heap[0].rec, heap[0].sent, heap[0].packets);
		} else {
			heap[0] = heap[--count];
		}
		heap_sink(heap, count, 0);
	}
	g_free(heap);
	return written;
}

static int run(const struct packets_opts *opts, struct err *err)
{
	const struct traffic_opts traffic_opts = {
		.seed = opts->seed,
		.records = opts->packets / PACKETS_PER_FLOW + 1000,
		.first_hour_ms = FIRST_HOUR_MS,
		.hours = 1,
	};
	struct traffic *traffic = traffic_new(&traffic_opts);
	GArray *records = traffic_hour(traffic, 0);
	uint64_t written = write_packets(records, opts);

	g_array_unref(records);
	traffic_free(traffic);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return err_set(err, ST_EIO, "cannot write the packets");
	}
	fprintf(stderr, "packets: %" PRIu64 " written\n", written);
	return ST_OK;
}

int main(int argc, char **argv)
{
	struct packets_opts opts = { .packets = 5000000, .snap_bytes = 96, .seed = 1 };
	struct opt_result result = { 0 };
	struct err err;
	int rc = opt_parse(packets_opt_table, &opts, argc, argv, &result, &err);

	if (rc == ST_OK && result.action == OPT_HELP) {
		opt_help(packets_opt_table, NULL, stdout);
	} else if (rc == ST_OK) {
		rc = run(&opts, &err);
	}
	g_free(result.args);
	if (rc != ST_OK) {
		fprintf(stderr, "packets: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

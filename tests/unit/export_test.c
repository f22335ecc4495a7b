/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/export.h"

#include <fixbuf/public.h>
#include <glib.h>
#include <string.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

/* --- a collector ---------------------------------------------------------------------------- */

struct sent {
	GPtrArray *messages; /* of GBytes */
	GArray *records;     /* of uint32_t */
	size_t templates;
	size_t largest;
	int fail; /* status to return */
};

static void sent_init(struct sent *sent)
{
	*sent = (struct sent){
		.messages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref),
		.records = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
	};
}

static void sent_release(struct sent *sent)
{
	g_ptr_array_unref(sent->messages);
	g_array_unref(sent->records);
}

static int on_message(void *arg, const struct export_message *message, struct err *err)
{
	struct sent *sent = arg;

	if (sent->fail != ST_OK) {
		return err_set(err, sent->fail, "told to fail");
	}
	CU_ASSERT_EQUAL(message->templates, message->records == 0);
	g_ptr_array_add(sent->messages, g_bytes_new(message->bytes, message->len));
	g_array_append_val(sent->records, message->records);
	sent->templates += message->templates;
	sent->largest = MAX(sent->largest, message->len);
	return ST_OK;
}

/* What the collector reads; the order is that of read_elements. */
struct read_record {
	uint64_t start_ms, end_ms, start_us, start_ns, end_ns;
	uint64_t bytes, reverse_bytes, packets, reverse_packets, delta_bytes;
	uint64_t reverse_ns;
	uint64_t flows, ignored;
	uint8_t sip6[16];
	uint32_t sip4, dip4, reverse_ms, sequence, reverse_sequence, ingress;
	uint16_t sport, dport, attributes, vlan, reverse_vlan;
	uint8_t protocol, reason, initial_flags, union_flags, reverse_union_flags, reverse_tos;
	uint8_t source_mac[6];
	uint8_t padding[2];
};

static fbInfoElementSpec_t read_elements[] = {
	{ (char *)"flowStartMilliseconds", 8, 0 },
	{ (char *)"flowEndMilliseconds", 8, 0 },
	{ (char *)"flowStartMicroseconds", 8, 0 },
	{ (char *)"flowStartNanoseconds", 8, 0 },
	{ (char *)"flowEndNanoseconds", 8, 0 },
	{ (char *)"octetTotalCount", 8, 0 },
	{ (char *)"reverseOctetTotalCount", 8, 0 },
	{ (char *)"packetTotalCount", 8, 0 },
	{ (char *)"reversePacketTotalCount", 8, 0 },
	{ (char *)"octetDeltaCount", 8, 0 },
	{ (char *)"reverseFlowDeltaNanoseconds", 8, 0 },
	{ (char *)"exportedFlowRecordTotalCount", 8, 0 },
	{ (char *)"ignoredPacketTotalCount", 8, 0 },
	{ (char *)"sourceIPv6Address", 16, 0 },
	{ (char *)"sourceIPv4Address", 4, 0 },
	{ (char *)"destinationIPv4Address", 4, 0 },
	{ (char *)"reverseFlowDeltaMilliseconds", 4, 0 },
	{ (char *)"tcpSequenceNumber", 4, 0 },
	{ (char *)"reverseTcpSequenceNumber", 4, 0 },
	{ (char *)"ingressInterface", 4, 0 },
	{ (char *)"sourceTransportPort", 2, 0 },
	{ (char *)"destinationTransportPort", 2, 0 },
	{ (char *)"flowAttributes", 2, 0 },
	{ (char *)"vlanId", 2, 0 },
	{ (char *)"reverseVlanId", 2, 0 },
	{ (char *)"protocolIdentifier", 1, 0 },
	{ (char *)"flowEndReason", 1, 0 },
	{ (char *)"initialTCPFlags", 1, 0 },
	{ (char *)"unionTCPFlags", 1, 0 },
	{ (char *)"reverseUnionTCPFlags", 1, 0 },
	{ (char *)"reverseIpClassOfService", 1, 0 },
	{ (char *)"sourceMacAddress", 6, 0 },
	{ (char *)"paddingOctets", 2, 0 },
	FB_IESPEC_NULL,
};

#define CERT(name_, num_, len_, flags_)                                                            \
	FB_IE_INIT_FULL(name_, 6871, num_, len_, (flags_) | FB_IE_F_ENDIAN, 0, 0, 0, NULL)

static fbInfoElement_t cert_elements[] = {
	CERT("initialTCPFlags", 14, 1, FB_IE_F_REVERSIBLE),
	CERT("unionTCPFlags", 15, 1, FB_IE_F_REVERSIBLE),
	CERT("reverseFlowDeltaMilliseconds", 21, 4, 0),
	CERT("flowAttributes", 40, 2, FB_IE_F_REVERSIBLE),
	CERT("reverseFlowDeltaNanoseconds", 42, 8, 0),
	FB_IE_NULL,
};

static uint32_t message_u32(const struct sent *sent, size_t index, size_t offset)
{
	const uint8_t *bytes = g_bytes_get_data(sent->messages->pdata[index], NULL);

	return (uint32_t)bytes[offset] << 24 | (uint32_t)bytes[offset + 1] << 16 |
	       (uint32_t)bytes[offset + 2] << 8 | bytes[offset + 3];
}

/* Decode all messages with libfixbuf; returns the number of records, the first max in out. */
static size_t collect(const struct sent *sent, struct read_record *out, size_t max)
{
	fbInfoModel_t *model = fbInfoModelAlloc();
	fbSession_t *session;
	fbTemplate_t *template;
	fBuf_t *fbuf;
	GError *gerror = NULL;
	size_t count = 0;
	uint32_t sequence = 0;
	uint16_t internal;

	fbInfoModelAddElementArray(model, cert_elements);
	session = fbSessionAlloc(model);
	template = fbTemplateAlloc(model);
	CU_ASSERT_FATAL(fbTemplateAppendSpecArray(template, read_elements, 0, &gerror));
	internal = fbSessionAddTemplate(session, TRUE, FB_TID_AUTO, template, &gerror);
	CU_ASSERT_FATAL(internal != 0);
	fbuf = fBufAllocForCollection(session, NULL);
	fBufSetAutomaticMode(fbuf, FALSE);
	for (guint i = 0; i < sent->messages->len; i++) {
		gsize len;
		const uint8_t *bytes = g_bytes_get_data(sent->messages->pdata[i], &len);
		uint8_t *copy = g_memdup2(bytes, len);

		unit_at("message %u", i);
		UNIT_ASSERT_U64(message_u32(sent, i, 8), sequence);
		fBufSetBuffer(fbuf, copy, len);
		for (;;) {
			struct read_record record = { 0 };
			size_t size = sizeof(record);

			fBufSetInternalTemplate(fbuf, internal, &gerror);
			if (!fBufNext(fbuf, (uint8_t *)&record, &size, &gerror)) {
				break;
			}
			if (count < max) {
				out[count] = record;
			}
			count++;
		}
		CU_ASSERT(g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_EOM) ||
			  g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_BUFSZ));
		g_clear_error(&gerror);
		g_free(copy);
		sequence += g_array_index(sent->records, uint32_t, i);
	}
	fBufFree(fbuf);
	fbInfoModelFree(model);
	return count;
}

/* --- tests ---------------------------------------------------------------------------------- */

#define START (INT64_C(1700000000) * NS_PER_S + 123456789)

static struct flow make_flow(void)
{
	return (struct flow){
		.key = { .sip = ip_from_v4(0x0a000001),
			 .dip = ip_from_v4(0x0a000002),
			 .sport = 40000,
			 .dport = 80,
			 .vlan = 7,
			 .protocol = PROTOCOL_TCP,
			 .version = 4 },
		.start_ns = START,
		.end_ns = START + 2 * NS_PER_S,
		.reverse_start_ns = START + 900 * NS_PER_US,
		.side = { { .packets = 3,
			    .bytes = 300,
			    .sequence = 11,
			    .vlan = 7,
			    .initial_flags = 2,
			    .union_flags = 0x11,
			    .attributes = 1 },
			  { .packets = 2,
			    .bytes = 200,
			    .sequence = 22,
			    .vlan = 7,
			    .union_flags = 0x19,
			    .tos = 0xb8 } },
		.end_reason = FLOW_END_DETECTED,
		.source_mac = { 2, 0, 0, 0, 0, 1 },
		.destination_mac = { 2, 0, 0, 0, 0, 2 },
	};
}

/* One flow through an exporter with these options; returns the records read back. */
static size_t round_trip(const struct export_opts *opts, const struct flow *flow,
			 struct read_record *out, size_t max)
{
	struct export *export = NULL;
	struct sent sent;
	struct err err;
	size_t count;

	sent_init(&sent);
	CU_ASSERT_EQUAL_FATAL(export_new(&export, opts, on_message, &sent, &err), ST_OK);
	CU_ASSERT_EQUAL(export_templates(export, &err), ST_OK);
	CU_ASSERT_EQUAL(export_flow(export, flow, &err), ST_OK);
	CU_ASSERT_EQUAL(export_flush(export, &err), ST_OK);
	CU_ASSERT_EQUAL(export_flush(export, &err), ST_OK);
	UNIT_ASSERT_U64(message_u32(&sent, 0, 12), opts->domain);
	CU_ASSERT(sent.largest <= opts->max_message_bytes);
	count = collect(&sent, out, max);
	export_free(export);
	sent_release(&sent);
	return count;
}

static void test_biflow(void)
{
	const struct export_opts opts = { .max_message_bytes = 8192, .domain = 77, .mac = true };
	struct flow flow = make_flow();
	struct read_record record;

	UNIT_ASSERT_U64(round_trip(&opts, &flow, &record, 1), 1);
	UNIT_ASSERT_U64(record.start_ms, 1700000000123);
	UNIT_ASSERT_U64(record.end_ms, 1700000002123);
	/* 123.456789 ms and 124.356789 ms: one apart in whole milliseconds. */
	UNIT_ASSERT_U64(record.reverse_ms, 1);
	UNIT_ASSERT_U64(record.bytes, 300);
	UNIT_ASSERT_U64(record.packets, 3);
	UNIT_ASSERT_U64(record.reverse_bytes, 200);
	UNIT_ASSERT_U64(record.reverse_packets, 2);
	UNIT_ASSERT_U64(record.sip4, 0x0a000001);
	UNIT_ASSERT_U64(record.dip4, 0x0a000002);
	UNIT_ASSERT_U64(record.sport, 40000);
	UNIT_ASSERT_U64(record.dport, 80);
	UNIT_ASSERT_U64(record.sequence, 11);
	UNIT_ASSERT_U64(record.reverse_sequence, 22);
	UNIT_ASSERT_U64(record.initial_flags, 2);
	UNIT_ASSERT_U64(record.union_flags, 0x11);
	UNIT_ASSERT_U64(record.reverse_union_flags, 0x19);
	UNIT_ASSERT_U64(record.reverse_tos, 0xb8);
	UNIT_ASSERT_U64(record.attributes, 1);
	UNIT_ASSERT_U64(record.vlan, 7);
	UNIT_ASSERT_U64(record.reverse_vlan, 7);
	UNIT_ASSERT_U64(record.protocol, 6);
	UNIT_ASSERT_U64(record.reason, 3);
	UNIT_ASSERT_U64(record.source_mac[5], 1);
	UNIT_ASSERT_U64(record.start_ns, 0);
	UNIT_ASSERT_U64(record.delta_bytes, 0);
}

static void test_uniflow(void)
{
	const struct export_opts opts = { .max_message_bytes = 8192,
					  .uniflow = true,
					  .delta = true,
					  .mac = true,
					  .interfaces = true,
					  .ingress = 3 };
	struct flow flow = make_flow();
	struct read_record records[2];

	UNIT_ASSERT_U64(round_trip(&opts, &flow, records, 2), 2);
	UNIT_ASSERT_U64(records[0].delta_bytes, 300);
	UNIT_ASSERT_U64(records[0].bytes, 0);
	UNIT_ASSERT_U64(records[0].reverse_bytes, 0);
	UNIT_ASSERT_U64(records[1].delta_bytes, 200);
	UNIT_ASSERT_U64(records[1].sip4, 0x0a000002);
	UNIT_ASSERT_U64(records[1].sport, 80);
	UNIT_ASSERT_U64(records[1].dport, 40000);
	UNIT_ASSERT_U64(records[1].sequence, 22);
	UNIT_ASSERT_U64(records[1].start_ms, 1700000000124);
	UNIT_ASSERT_U64(records[1].end_ms, 1700000002123);
	UNIT_ASSERT_U64(records[1].source_mac[5], 2);
	UNIT_ASSERT_U64(records[1].ingress, 3);

	/* Type and code of ICMP stay in the destination port. */
	flow.key.protocol = PROTOCOL_ICMP;
	flow.key.sport = 0;
	flow.key.dport = 0x0303;
	UNIT_ASSERT_U64(round_trip(&opts, &flow, records, 2), 2);
	UNIT_ASSERT_U64(records[1].sport, 0);
	UNIT_ASSERT_U64(records[1].dport, 0x0303);
	UNIT_ASSERT_U64(records[1].sequence, 0);
}

static void test_wide_and_ipv6(void)
{
	struct export_opts opts = { .max_message_bytes = 8192 };
	struct flow flow = make_flow();
	struct read_record record;

	flow.side[0].bytes = UINT64_C(1) << 31;
	flow.side[1].bytes = UINT64_C(1) << 40;
	flow.key.version = 6;
	flow.key.sip = (struct ip){ UINT64_C(0x20010db800000000), 1 };
	UNIT_ASSERT_U64(round_trip(&opts, &flow, &record, 1), 1);
	UNIT_ASSERT_U64(record.bytes, UINT64_C(1) << 31);
	UNIT_ASSERT_U64(record.reverse_bytes, UINT64_C(1) << 40);
	UNIT_ASSERT_U64(record.sip6[0], 0x20);
	UNIT_ASSERT_U64(record.sip6[15], 1);
	UNIT_ASSERT_U64(record.sip4, 0);

	flow = make_flow();
	opts.force_ipv6 = true;
	UNIT_ASSERT_U64(round_trip(&opts, &flow, &record, 1), 1);
	UNIT_ASSERT_U64(record.sip6[10], 0xff);
	UNIT_ASSERT_U64(record.sip6[12], 10);
}

/* NTP time to nanoseconds since 1970, as a collector does it. */
static uint64_t ntp_ns(uint64_t ntp)
{
	return ((ntp >> 32) - UINT64_C(2208988800)) * NS_PER_S +
	       (((ntp & UINT32_MAX) * NS_PER_S) >> 32);
}

static void test_precision(void)
{
	static const int64_t fractions[] = { 0, 1, 123456789, 500000000, 999999999 };
	struct export_opts opts = { .max_message_bytes = 8192, .precision = EXPORT_NS };
	struct flow flow = make_flow();
	struct read_record record;

	for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++) {
		flow.start_ns = INT64_C(1700000000) * NS_PER_S + fractions[i];
		flow.end_ns = flow.start_ns + 1;
		flow.reverse_start_ns = flow.start_ns + 1;
		unit_at("%lld", (long long)fractions[i]);
		UNIT_ASSERT_U64(round_trip(&opts, &flow, &record, 1), 1);
		UNIT_ASSERT_U64(ntp_ns(record.start_ns), (uint64_t)flow.start_ns);
		UNIT_ASSERT_U64(ntp_ns(record.end_ns), (uint64_t)flow.end_ns);
		UNIT_ASSERT_U64(record.reverse_ns, 1);
		UNIT_ASSERT_U64(record.start_ms, 0);
	}
	opts.precision = EXPORT_US;
	UNIT_ASSERT_U64(round_trip(&opts, &flow, &record, 1), 1);
	UNIT_ASSERT_U64(record.start_us & 0x7ff, 0);
	UNIT_ASSERT_U64(record.start_ns, 0);
}

/* Many flows: messages no larger than asked, sequence numbers right (checked in collect()). */
static void test_messages(void)
{
	static const size_t sizes[] = { EXPORT_MESSAGE_MIN, 1420, 8192, EXPORT_MESSAGE_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		const struct export_opts opts = { .max_message_bytes = sizes[i],
						  .mac = true,
						  .interfaces = true,
						  .precision = EXPORT_NS };
		struct flow flow = make_flow();
		struct export *export = NULL;
		struct sent sent;
		struct err err;
		size_t before;

		sent_init(&sent);
		CU_ASSERT_EQUAL_FATAL(export_new(&export, &opts, on_message, &sent, &err), ST_OK);
		CU_ASSERT_EQUAL(export_templates(export, &err), ST_OK);
		before = sent.templates;
		CU_ASSERT_EQUAL(sent.messages->len, before);
		for (int n = 0; n < 1000; n++) {
			flow.key.version = n & 1 ? 4 : 6;
			flow.key.protocol = n & 2 ? PROTOCOL_TCP : PROTOCOL_UDP;
			flow.side[1].packets = n & 4;
			flow.side[0].bytes = n & 8 ? UINT64_MAX : 1;
			CU_ASSERT_EQUAL(export_flow(export, &flow, &err), ST_OK);
			if (n == 500) { /* templates again, in the middle of a message */
				CU_ASSERT_EQUAL(export_templates(export, &err), ST_OK);
			}
		}
		CU_ASSERT_EQUAL(export_flush(export, &err), ST_OK);
		unit_at("size %zu", sizes[i]);
		UNIT_ASSERT_U64(sent.templates, 2 * before);
		CU_ASSERT(sent.largest <= sizes[i]);
		UNIT_ASSERT_U64(collect(&sent, NULL, 0), 1000);
		export_free(export);
		sent_release(&sent);
	}
}

static void test_statistics(void)
{
	const struct export_opts opts = { .max_message_bytes = 1420 };
	const struct export_stats stats = {
		.now_s = 1700000010, .start_ms = 1700000000000, .flows = 50, .ignored_packets = 4
	};
	struct export *export = NULL;
	struct read_record record = { 0 };
	struct sent sent;
	struct err err;

	sent_init(&sent);
	CU_ASSERT_EQUAL_FATAL(export_new(&export, &opts, on_message, &sent, &err), ST_OK);
	CU_ASSERT_EQUAL(export_templates(export, &err), ST_OK);
	CU_ASSERT_EQUAL(export_statistics(export, &stats, &err), ST_OK);
	CU_ASSERT_EQUAL(export_flush(export, &err), ST_OK);
	UNIT_ASSERT_U64(collect(&sent, &record, 1), 1);
	UNIT_ASSERT_U64(record.flows, 50);
	UNIT_ASSERT_U64(record.ignored, 4);
	export_free(export);
	sent_release(&sent);
}

static void test_failures(void)
{
	struct export_opts opts = { .max_message_bytes = EXPORT_MESSAGE_MIN - 1 };
	struct flow flow = make_flow();
	struct export *export = NULL;
	struct sent sent;
	struct err err;
	int st = ST_OK;

	sent_init(&sent);
	CU_ASSERT_EQUAL(export_new(&export, &opts, on_message, &sent, &err), ST_EINVAL);
	opts.max_message_bytes = EXPORT_MESSAGE_MIN;
	CU_ASSERT_EQUAL_FATAL(export_new(&export, &opts, on_message, &sent, &err), ST_OK);
	CU_ASSERT_EQUAL(export_templates(export, &err), ST_OK);
	sent.fail = ST_EIO;
	for (int i = 0; i < 100 && st == ST_OK; i++) {
		st = export_flow(export, &flow, &err);
	}
	CU_ASSERT_EQUAL(st, ST_EIO);
	UNIT_ASSERT_STR(err.text, "told to fail");
	export_free(export);
	export_free(NULL);
	sent_release(&sent);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "biflow", test_biflow },
		{ "uniflow", test_uniflow },
		{ "wide counters and IPv6", test_wide_and_ipv6 },
		{ "precision", test_precision },
		{ "messages", test_messages },
		{ "statistics", test_statistics },
		{ "failures", test_failures },
		{ NULL, NULL },
	};

	return unit_run("export", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/memstream.h"

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#include <string.h>

GByteArray *memstream_vector(const char *name)
{
	GByteArray *bytes = g_byte_array_new();
	size_t len = strlen(name);
	char *text = NULL;
	char **lines;

	CU_ASSERT_FATAL(
		g_file_get_contents(unit_path("tests/data/streamvectors.txt"), &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i] != NULL; i++) {
		const char *hex = lines[i] + len + 1;

		if (strncmp(lines[i], name, len) != 0 || lines[i][len] != ' ') {
			continue;
		}
		for (; *hex != '\0'; hex += 2) {
			guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) * 16 +
					       g_ascii_xdigit_value(hex[1]));

			g_byte_array_append(bytes, &byte, 1);
		}
	}
	CU_ASSERT_FATAL(bytes->len > 0);
	g_strfreev(lines);
	g_free(text);
	return bytes;
}

struct record memstream_record(unsigned number)
{
	struct record rec;

	record_init(&rec);
	if (number == 0) {
		rec.start_ns = INT64_C(1709618828901) * NS_PER_MS;
		rec.duration_ns = 12345 * (uint64_t)NS_PER_MS;
		rec.sip = ip_from_v4(0xc0000201);
		rec.dip = ip_from_v4(0xc6336402);
		rec.nhip = ip_from_v4(0xcb0071fe);
		rec.sport = 49152, rec.dport = 443, rec.protocol = 6;
		rec.packets = 10, rec.bytes = 4321;
		rec.flags = 0x1b, rec.initial_flags = 0x02, rec.session_flags = 0x19;
		rec.state = RECORD_EXPANDED | RECORD_TIMEOUT;
		rec.application = 443, rec.sensor = 1, rec.flowtype = 3;
		rec.input = 11, rec.output = 22;
	} else if (number == 1) {
		rec.start_ns = MEMSTREAM_HOUR_NS;
		rec.sip = ip_from_v4(0xc0000203);
		rec.dip = ip_from_v4(0xc6336404);
		rec.dport = 2048, rec.protocol = 1;
		rec.packets = 1, rec.bytes = 84;
		rec.sensor = 2, rec.flowtype = 0;
	} else {
		rec.start_ns = INT64_C(1709621999999) * NS_PER_MS;
		rec.duration_ns = UINT32_MAX * (uint64_t)NS_PER_MS;
		rec.sip = (struct ip){ UINT64_C(0x20010db800000000), 1 };
		rec.dip = (struct ip){ UINT64_C(0x20010db800000000), 2 };
		rec.nhip = (struct ip){ 0, 0 };
		rec.sport = 53, rec.dport = 33000, rec.protocol = 17;
		rec.packets = 1048577, rec.bytes = 100000001;
		rec.state = RECORD_IPV6 | RECORD_CONTINUED | RECORD_UNIFORM;
		rec.application = 53, rec.sensor = 10, rec.flowtype = 6;
		rec.input = 65535, rec.output = 256;
	}
	return rec;
}

void memstream_assert_record(const struct record *got, const struct record *want)
{
#define X(upper, member, type)                                                                     \
	if (memcmp(&got->member, &want->member, sizeof(type)) != 0) {                              \
		CU_FAIL("column " #member);                                                        \
	}
	RECORD_COLUMNS(X)
#undef X
}

struct memstream_read memstream_read(const GByteArray *bytes, const char *name)
{
	struct memstream_read result = { .rows = 0 };
	struct batch *batch = batch_new();
	struct stream *in = NULL;

	result.status = stream_open_source(&in, bytesource_memory(bytes->data, bytes->len, name),
					   NULL, &result.err);
	while (result.status == ST_OK) {
		result.status = stream_read_batch(in, batch, COLUMNS_ALL, &result.err);
		for (uint32_t i = 0; result.status == ST_OK && i < batch->rows; i++) {
			if (result.rows + i < G_N_ELEMENTS(result.first)) {
				batch_get(batch, i, &result.first[result.rows + i]);
			}
		}
		result.rows += result.status == ST_OK ? batch->rows : 0;
	}
	stream_close(in, NULL);
	batch_free(batch);
	return result;
}

struct memstream_out memstream_create(const struct stream_write_opts *opts)
{
	struct memstream_out out = { .sink = bytesink_memory("out") };
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(stream_create_sink(&out.stream, out.sink, opts, &err), ST_OK);
	return out;
}

GByteArray *memstream_finish(struct memstream_out *out)
{
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *data;
	size_t len;

	CU_ASSERT_EQUAL(stream_flush(out->stream, NULL), ST_OK);
	data = bytesink_bytes(out->sink, &len);
	g_byte_array_append(bytes, data, (guint)len);
	CU_ASSERT_EQUAL(stream_close(out->stream, NULL), ST_OK);
	return bytes;
}

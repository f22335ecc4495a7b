/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/messagefile.h"

#include <glib.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/decoder.h"
#include "packer/pdufile.h"
#include "packer/silkmessage.h"
#include "storage/blockout.h"
#include "storage/stream.h"
#include "tests/unit/unit.h"

static char *put(const char *name, const void *bytes, size_t len)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT(g_file_set_contents(path, bytes, (gssize)len, NULL));
	return path;
}

static struct messagefile *open_file(enum probe_type type, const char *path)
{
	struct messagefile *file = NULL;

	CU_ASSERT_EQUAL_FATAL(messagefile_open(&file, type, path, NULL), ST_OK);
	return file;
}

static struct record record_of(unsigned i)
{
	struct record rec;

	record_init(&rec);
	rec.sensor = 7;
	rec.packets = 1;
	rec.bytes = i + 1;
	return rec;
}

static void test_ipfix(void)
{
	uint8_t bytes[40] = { 0, 10, 0, 20 };
	struct messagefile *file;
	const uint8_t *at;
	size_t len = 0;
	char *path;

	bytes[21] = 10; /* the second message */
	bytes[23] = 16;
	path = put("ipfix", bytes, 36);
	file = open_file(PROBE_IPFIX, path);
	CU_ASSERT(!messagefile_goes_on(file));
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(len, 20);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(len, 16);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_END);
	messagefile_close(file);
	g_free(path);
	path = put("ipfix", bytes, 30); /* cut */
	file = open_file(PROBE_IPFIX, path);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_EFORMAT);
	messagefile_close(file);
	g_free(path);
}

static void test_pdus(void)
{
	uint8_t bytes[3 * PDUFILE_PACKET_BYTES + 5] = { 0, 5, 0, 2 };
	struct messagefile *file;
	const uint8_t *at;
	size_t len = 0;
	char *path;

	bytes[PDUFILE_PACKET_BYTES + 1] = 10;    /* another version */
	bytes[2 * PDUFILE_PACKET_BYTES + 1] = 5; /* too many records */
	bytes[2 * PDUFILE_PACKET_BYTES + 3] = 31;
	path = put("pdus", bytes, sizeof(bytes));
	file = open_file(PROBE_NETFLOW_V5, path);
	CU_ASSERT(messagefile_goes_on(file));
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(len, 24 + 2 * 48);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(len, 2);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL(len, PDUFILE_PACKET_BYTES);
	CU_ASSERT_EQUAL(messagefile_next(file, &at, &len, NULL), ST_END);
	messagefile_close(file);
	g_free(path);
}

struct taken {
	unsigned records;
	uint64_t bytes;
};

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct taken *taken = arg;

	(void)extras;
	taken->records++;
	taken->bytes += rec->bytes;
	CU_ASSERT_EQUAL(rec->sensor, 7);
	return ST_OK;
}

/* What the messages are made of comes out of the decoder, if it reads a file. */
static void test_records(void)
{
	char *path = g_build_filename(unit_scratch(), "flows", NULL);
	const struct stream_write_opts opts = { .overwrite = true };
	struct taken taken = { 0 };
	struct decoder_opts decoder_opts = { .from_file = true };
	struct decoder_sink sink = { .flow = take_flow, .arg = &taken };
	struct decoder *decoder = decoder_new(&decoder_opts, &sink);
	struct decoder *exporters;
	struct stream *stream = NULL;
	struct messagefile *file;
	unsigned messages = 0;
	const uint8_t *at;
	size_t len = 0;

	decoder_opts.from_file = false;
	exporters = decoder_new(&decoder_opts, &sink);
	CU_ASSERT_EQUAL(stream_create(&stream, path, &opts, NULL), ST_OK);
	for (unsigned i = 0; i < 2500; i++) {
		const struct record rec = record_of(i);

		CU_ASSERT_EQUAL(stream_write(stream, &rec, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(stream_close(stream, NULL), ST_OK);
	file = open_file(PROBE_SILK, path);
	while (messagefile_next(file, &at, &len, NULL) == ST_OK) {
		const struct decoder_message message = { .bytes = at, .len = len };

		messages++;
		CU_ASSERT(len <= UINT16_MAX);
		CU_ASSERT_EQUAL(decoder_take(decoder, &message, NULL), ST_OK);
		CU_ASSERT_EQUAL(decoder_take(exporters, &message, NULL), ST_EFORMAT);
	}
	messagefile_close(file);
	CU_ASSERT(messages >= 4);
	CU_ASSERT_EQUAL(taken.records, 2500);
	UNIT_ASSERT_U64(taken.bytes, 2500 * 2501 / 2);
	decoder_free(exporters);
	decoder_free(decoder);
	g_free(path);
}

/* Of row i: a number, every third row a text, every fifth an address. */
static void write_values(struct blockout *out, unsigned i)
{
	uint8_t text[300];
	struct flowblock_value value = { .key = { 0, 34 }, .type = COLUMN_UNSIGNED32 };

	memset(text, 'a' + (int)(i % 26), sizeof(text));
	value.number = i;
	CU_ASSERT_EQUAL(blockout_set(out, &value, NULL), ST_OK);
	if (i % 3 == 0) {
		value = (struct flowblock_value){ .key = { 6871, 7 }, .type = COLUMN_STRING };
		value.bytes = (struct encode_bytes){ text, i % sizeof(text) };
		CU_ASSERT_EQUAL(blockout_set(out, &value, NULL), ST_OK);
	}
	if (i % 5 == 0) {
		value = (struct flowblock_value){ .key = { 0, 281 }, .type = COLUMN_IPV6_ADDRESS };
		value.ip = ip_from_v4(i);
		CU_ASSERT_EQUAL(blockout_set(out, &value, NULL), ST_OK);
	}
}

static int take_values(void *arg, struct record *rec, const struct extras *extras)
{
	unsigned *number = arg;
	const unsigned i = (*number)++;

	UNIT_ASSERT_U64(rec->bytes, i + 1);
	UNIT_ASSERT_U64(extras->count, 1u + (i % 3 == 0) + (i % 5 == 0));
	for (size_t k = 0; k < extras->count; k++) {
		const struct flowblock_value *value = &extras->values[k];

		if (value->type == COLUMN_UNSIGNED32) {
			UNIT_ASSERT_U64(value->number, i);
		} else if (value->type == COLUMN_STRING) {
			CU_ASSERT_EQUAL(value->key.pen, 6871);
			UNIT_ASSERT_U64(value->bytes.len, i % 300);
		} else {
			CU_ASSERT_EQUAL(value->type, COLUMN_IPV6_ADDRESS);
			CU_ASSERT(ip_equal(value->ip, ip_from_v4(i)));
		}
	}
	return ST_OK;
}

/* Every message that is cut anywhere behind its head is refused, or says less. */
static void cut_message(const uint8_t *bytes, size_t len)
{
	struct decoder_opts opts = { .from_file = true };
	struct taken taken = { 0 };
	struct decoder_sink sink = { .flow = take_flow, .arg = &taken };
	struct decoder *decoder = decoder_new(&opts, &sink);

	for (size_t cut = 2; cut < 8; cut++) {
		const struct decoder_message message = { .bytes = bytes, .len = cut };

		CU_ASSERT_EQUAL(decoder_take(decoder, &message, NULL), ST_EFORMAT);
	}
	for (size_t cut = len - 8; cut < len; cut++) {
		const struct decoder_message message = { .bytes = bytes, .len = cut };

		CU_ASSERT_EQUAL(decoder_take(decoder, &message, NULL), ST_EFORMAT);
	}
	decoder_free(decoder);
}

static void test_values(void)
{
	char *path = g_build_filename(unit_scratch(), "blocks", NULL);
	struct decoder_opts decoder_opts = { .from_file = true };
	unsigned taken = 0;
	struct decoder_sink sink = { .flow = take_values, .arg = &taken };
	struct decoder *decoder = decoder_new(&decoder_opts, &sink);
	struct blockout *out = NULL;
	struct messagefile *file;
	const uint8_t *at;
	size_t len = 0;

	CU_ASSERT_EQUAL_FATAL(blockout_create(&out, path, 0, COMPRESSION_NONE, NULL), ST_OK);
	for (unsigned i = 0; i < 2500; i++) {
		const struct record rec = record_of(i);

		CU_ASSERT_EQUAL(blockout_write(out, &rec, NULL), ST_OK);
		write_values(out, i);
	}
	CU_ASSERT_EQUAL(blockout_close(out, NULL), ST_OK);
	file = open_file(PROBE_SILK, path);
	while (messagefile_next(file, &at, &len, NULL) == ST_OK) {
		const struct decoder_message message = { .bytes = at, .len = len };

		CU_ASSERT_EQUAL(get_be16(at), SILKMESSAGE_VALUES_MAGIC);
		CU_ASSERT_EQUAL(decoder_take(decoder, &message, NULL), ST_OK);
		cut_message(at, len);
	}
	CU_ASSERT_EQUAL(taken, 2500);
	messagefile_close(file);
	decoder_free(decoder);
	g_free(path);
}

static void test_no_files(void)
{
	struct messagefile *file = NULL;
	char *path = put("junk", "junk", 4);

	CU_ASSERT_EQUAL(messagefile_open(&file, PROBE_SILK, path, NULL), ST_EFORMAT);
	CU_ASSERT_EQUAL(messagefile_open(&file, PROBE_SFLOW, path, NULL), ST_EFORMAT);
	CU_ASSERT_EQUAL(messagefile_open(&file, PROBE_IPFIX, "/nonexistent", NULL), ST_EFORMAT);
	CU_ASSERT_PTR_NULL(file);
	messagefile_close(NULL);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "IPFIX", test_ipfix },
		{ "NetFlow v5", test_pdus },
		{ "flow records", test_records },
		{ "values of extension columns", test_values },
		{ "no files of the type", test_no_files },
		{ NULL, NULL },
	};

	return unit_run("messagefile", cases);
}

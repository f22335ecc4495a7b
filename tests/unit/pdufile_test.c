/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/pdufile.h"

#include <glib.h>
#include <string.h>

#include "common/bigendian.h"
#include "tests/unit/unit.h"

static GByteArray *packets(unsigned count)
{
	GByteArray *bytes = g_byte_array_new();

	for (unsigned i = 0; i < count; i++) {
		uint8_t packet[PDUFILE_PACKET_BYTES] = { 0, 5, 0, 2 };

		put_be32(packet + 4, 100000);
		put_be32(packet + 8, 1700000000);
		put_be32(packet + 16, i * 2);
		for (unsigned r = 0; r < 2; r++) {
			uint8_t *record = packet + 24 + r * 48;

			put_be32(record, 0x0a000001 + r);
			put_be32(record + 16, 3);
			put_be32(record + 20, 300);
			put_be32(record + 24, 90000);
			put_be32(record + 28, 95000);
			record[38] = 17;
		}
		g_byte_array_append(bytes, packet, sizeof(packet));
	}
	return bytes;
}

static int count_flow(void *arg, struct record *rec, const struct extras *extras)
{
	(void)rec, (void)extras;
	return ++*(unsigned *)arg == 999 ? ST_EIO : ST_OK;
}

static void read_file(const GByteArray *bytes, unsigned expected, uint64_t malformed)
{
	char *path = g_build_filename(unit_scratch(), "pdus", NULL);
	struct ipfix_mapping mapping = { .vlan_interfaces = false };
	unsigned flows = 0;
	struct decoder_sink sink = { .flow = count_flow, .arg = &flows };
	uint64_t counts[DECODER_COUNTERS];
	struct pdufile *file = NULL;
	int st;

	CU_ASSERT(g_file_set_contents(path, (const char *)bytes->data, (gssize)bytes->len, NULL));
	CU_ASSERT_EQUAL_FATAL(pdufile_open(&file, path, &mapping, &sink, NULL), ST_OK);
	while ((st = pdufile_next(file, NULL)) == ST_OK) {
	}
	CU_ASSERT_EQUAL(st, ST_END);
	CU_ASSERT_EQUAL(flows, expected);
	decoder_get_counts(pdufile_decoder(file), counts);
	UNIT_ASSERT_U64(counts[DECODER_MALFORMED], malformed);
	UNIT_ASSERT_U64(counts[DECODER_FORWARD], expected);
	pdufile_close(file);
	g_free(path);
}

static void test_packets(void)
{
	GByteArray *bytes = packets(3);

	read_file(bytes, 6, 0);
	/* what is too short for a packet */
	g_byte_array_append(bytes, bytes->data, 1000);
	read_file(bytes, 6, 0);
	/* of another version: IPFIX here is no IPFIX */
	bytes->data[PDUFILE_PACKET_BYTES + 1] = 10;
	read_file(bytes, 4, 1);
	/* a count that cannot be */
	bytes->data[3] = 31;
	read_file(bytes, 2, 2);
	g_byte_array_set_size(bytes, 0);
	g_byte_array_append(bytes, (const uint8_t *)"text", 4);
	read_file(bytes, 0, 0);
	g_byte_array_free(bytes, TRUE);
}

static void test_nowhere(void)
{
	struct ipfix_mapping mapping = { .vlan_interfaces = false };
	struct decoder_sink sink = { .flow = count_flow };
	struct pdufile *file = NULL;

	CU_ASSERT_EQUAL(pdufile_open(&file, "/nonexistent", &mapping, &sink, NULL), ST_ENOENT);
	pdufile_close(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "packets, and what are none", test_packets },
		{ "no such file", test_nowhere },
		{ NULL, NULL },
	};

	return unit_run("pdufile", cases);
}

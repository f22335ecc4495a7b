/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bags as files: version 3 for keys of 32 bits, 4 for addresses of 128 bits. */
#include "storage/bag.h"

#include "storage/block.h"
#include "storage/byteorder.h"

#define ENTRY_LEN      8
#define KEY_OCTETS     4
#define WIDE_OCTETS    16
#define COUNTER_OCTETS 8

static void fill_header(struct header *header, const struct bag *bag,
			const struct bag_write_opts *opts, uint8_t compression)
{
	unsigned key_octets = bag_is_wide(bag) ? WIDE_OCTETS : KEY_OCTETS;
	uint8_t payload[ENTRY_LEN];

	header_init(header);
	header->format = FORMAT_RWBAG;
	header->file_version = 16;
	header->compression = compression;
	header->big_endian = HOST_BIG_ENDIAN;
	header->silk_version = opts->no_silk_version ? 0 : HEADER_SILK_VERSION;
	header->record_length = (uint16_t)(key_octets + COUNTER_OCTETS);
	header->record_version = bag_is_wide(bag) ? 4 : 3;
	if (opts->entries) {
		header_add_entries(header, opts->entries);
	}
	store16_be(payload, bag_key_type(bag));
	store16_be(payload + 2, (uint16_t)key_octets);
	store16_be(payload + 4, bag_counter_type(bag));
	store16_be(payload + 6, COUNTER_OCTETS);
	header_add(header, ENTRY_BAG, payload, sizeof(payload));
}

static int write_records(struct bag *bag, struct block_writer *out, struct err *err)
{
	bool wide = bag_is_wide(bag);
	size_t key_octets = wide ? WIDE_OCTETS : KEY_OCTETS;
	struct bag_cursor cursor;
	uint8_t *to;

	bag_first(bag, &cursor);
	while (bag_next(&cursor)) {
		int count = block_writer_room(out, 1, &to, err);

		if (count < 0) {
			bag_cursor_release(&cursor);
			return count;
		}
		if (wide) {
			ip_to_bytes(cursor.key, to);
		} else {
			store32(to, ip_to_v4(cursor.key), false);
		}
		store64(to + key_octets, cursor.counter, false);
		block_writer_commit(out, 1);
	}
	return block_writer_flush(out, err);
}

int bag_write_to(struct bag *bag, struct bytesink *sink, const struct bag_write_opts *opts,
		 struct err *err)
{
	struct block_writer *out = NULL;
	struct header header;
	int status;

	fill_header(&header, bag, opts, block_compression(opts->compression, sink));
	status = header_write(&header, sink, err);
	if (status == ST_OK) {
		out = block_writer_new(sink, header.compression, header.record_length);
		block_writer_use_crew(out);
		status = write_records(bag, out, err);
		block_writer_free(out);
	}
	header_release(&header);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bags as files: version 3 for keys of 32 bits, 4 for addresses of 128 bits. */
#include "storage/bag.h"

#include "storage/byteorder.h"
#include "storage/datafile.h"

#define ENTRY_LEN      8
#define KEY_OCTETS     4
#define WIDE_OCTETS    16
#define COUNTER_OCTETS 8

static void fill_header(struct header *header, const struct bag *bag,
			const struct bag_write_opts *opts, uint8_t compression)
{
	unsigned key_octets = bag_is_wide(bag) ? WIDE_OCTETS : KEY_OCTETS;
	uint8_t payload[ENTRY_LEN];

	datafile_header(header, FORMAT_RWBAG, bag_is_wide(bag) ? 4 : 3,
			(uint16_t)(key_octets + COUNTER_OCTETS), opts->no_silk_version);
	header->compression = compression;
	if (opts->entries) {
		header_add_entries(header, opts->entries);
	}
	store16_be(payload, bag_key_type(bag));
	store16_be(payload + 2, (uint16_t)key_octets);
	store16_be(payload + 4, bag_counter_type(bag));
	store16_be(payload + 6, COUNTER_OCTETS);
	header_add(header, ENTRY_BAG, payload, sizeof(payload));
}

static int write_records(void *what, struct block_writer *out, struct err *err)
{
	struct bag *bag = what;
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
	return ST_OK;
}

int bag_write_to(struct bag *bag, struct bytesink *sink, const struct bag_write_opts *opts,
		 struct err *err)
{
	struct header header;
	int status;

	fill_header(&header, bag, opts, block_compression(opts->compression, sink));
	status = datafile_write(sink, &header, write_records, bag, err);
	header_release(&header);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bag files, record versions 1 to 4 (silk-set-bag-pmap-files.md 2), into bags. Everything is
 * streamed: nothing is allocated but for keys that were read.
 */
#include "storage/bag.h"

#include "storage/byteorder.h"
#include "storage/datafile.h"

#define ENTRY_LEN   8 /* payload of header entry 6 */
#define VERSION_MAX 4

struct layout {
	uint16_t key_type;
	uint16_t counter_type;
	unsigned key_octets;
	unsigned counter_octets;
};

struct reading {
	const struct datafile *file;
	struct layout layout;
	struct bag *bag;
};

static uint64_t load_number(const uint8_t *at, unsigned octets, bool swap)
{
	switch (octets) {
	case 1:
		return *at;
	case 2:
		return load16(at, swap);
	case 4:
		return load32(at, swap);
	default:
		return load64(at, swap);
	}
}

static int read_record(struct reading *reading, const uint8_t *at, struct err *err)
{
	const struct layout *layout = &reading->layout;
	uint64_t counter =
		load_number(at + layout->key_octets, layout->counter_octets, reading->file->swap);
	struct ip key = layout->key_octets == 16
				? ip_from_bytes(at)
				: ip_from_v4((uint32_t)load_number(at, layout->key_octets,
								   reading->file->swap));

	if (counter > BAG_COUNTER_MAX) {
		return err_set(err, ST_EFORMAT, "%s: counter out of range at %s",
			       reading->file->name, block_reader_place(reading->file->in));
	}
	bag_set(reading->bag, key, counter);
	return ST_OK;
}

static int read_records(struct reading *reading, struct err *err)
{
	size_t size = reading->layout.key_octets + reading->layout.counter_octets;
	const uint8_t *at;
	size_t len;
	int status;

	while ((status = block_reader_view(reading->file->in, size, &at, &len, err)) == ST_OK &&
	       len >= size) {
		size_t whole = len / size * size;

		for (size_t i = 0; i < whole; i += size) {
			status = read_record(reading, at + i, err);
			if (status != ST_OK) {
				return status;
			}
		}
		block_reader_consume(reading->file->in, whole);
	}
	if (status == ST_OK && len) {
		status = err_set(err, ST_ETRUNC, "%s: ends in the middle of a record at %s",
				 reading->file->name, block_reader_place(reading->file->in));
	}
	return status;
}

/* --- header --- */

static bool is_counter_size(unsigned octets)
{
	return octets == 1 || octets == 2 || octets == 4 || octets == 8;
}

static bool is_key_size(unsigned octets)
{
	return octets == 1 || octets == 2 || octets == 4 || octets == 16;
}

/* Sizes are those of the version; only version 4 has the entry say them. */
static int read_entry(struct reading *reading, const struct header *header, struct err *err)
{
	struct layout *layout = &reading->layout;
	size_t pos = 0;
	const struct header_entry *raw = header_next(header, ENTRY_BAG, &pos);
	bool entry = raw && raw->len == ENTRY_LEN && header->record_version >= 3;

	*layout = (struct layout){ BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, 4, 8 };
	if (entry) {
		layout->key_type = bagtype_known(load16_be(raw->payload));
		layout->counter_type = bagtype_known(load16_be(raw->payload + 4));
	}
	if (header->record_version == 1) {
		layout->counter_octets = 4;
	}
	if (header->record_version < 4) {
		return ST_OK;
	}
	if (entry) {
		layout->key_octets = load16_be(raw->payload + 2);
		layout->counter_octets = load16_be(raw->payload + 6);
	}
	if (!entry || !is_key_size(layout->key_octets) ||
	    !is_counter_size(layout->counter_octets)) {
		return err_set(err, ST_EFORMAT,
			       "%s: header entry of the bag is missing or does not fit version %u",
			       reading->file->name, header->record_version);
	}
	return ST_OK;
}

static int check_header(struct reading *reading, const struct header *header, struct err *err)
{
	if (header->format != FORMAT_RWBAG) {
		return err_set(err, ST_EFORMAT, "%s: not a bag file", reading->file->name);
	}
	if (header->record_version < 1 || header->record_version > VERSION_MAX) {
		return err_set(err, ST_EVERSION, "%s: bag version %u is not known",
			       reading->file->name, header->record_version);
	}
	if (header->record_version < 3 && header->compression != COMPRESSION_NONE) {
		return err_set(err, ST_EFORMAT, "%s: bag of version %u is compressed",
			       reading->file->name, header->record_version);
	}
	return read_entry(reading, header, err);
}

/* 16-octet keys make a wide bag whatever their type, and others a narrow one. */
static struct bag *make_bag(const struct layout *layout)
{
	bool wide = layout->key_octets == 16;
	struct bag *bag = bag_new(wide                      ? BAGTYPE_ANY_IPV6
				  : layout->key_octets <= 2 ? BAGTYPE_ANY_PORT
							    : BAGTYPE_CUSTOM,
				  BAGTYPE_CUSTOM);

	bag_set_types(bag, layout->key_type, layout->counter_type);
	return bag;
}

static int read_bag(struct datafile *file, void *out, struct err *err)
{
	struct reading reading = { .file = file };
	int status = check_header(&reading, file->header, err);

	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status != ST_OK) {
		return status;
	}
	reading.bag = make_bag(&reading.layout);
	status = read_records(&reading, err);
	if (status == ST_OK) {
		*(struct bag **)out = reading.bag;
	} else {
		bag_free(reading.bag);
	}
	return status;
}

int bag_read_from(struct bag **out, struct bytesource *src, struct header *header, struct err *err)
{
	return datafile_read_from(src, header, read_bag, out, err);
}

int bag_read(struct bag **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_bag, out, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Aggregate bags as files. All values are big-endian whatever the header says of the byte order
 * (silk-set-bag-pmap-files.md 3.3).
 */
#include "storage/aggbag.h"

#include "storage/byteorder.h"
#include "storage/datafile.h"

#include <string.h>

#define ENTRY_FIXED    8 /* layout version, number of fields and of key fields */
#define ENTRY_VERSION  1
#define RECORD_VERSION 1

/* --- reading --- */

static int bad_entry(const char *name, struct err *err)
{
	return err_set(err, ST_EFORMAT, "%s: header entry of the aggregate bag is missing or wrong",
		       name);
}

/* The header is checked for its size; fields may come in any order. */
static int read_layout(const struct header *header, struct agglayout *layout, const char *name,
		       struct err *err)
{
	size_t pos = 0;
	const struct header_entry *entry = header_next(header, ENTRY_AGGREGATE_BAG, &pos);
	unsigned fields;

	*layout = (struct agglayout){ 0 };
	if (!entry || entry->len < ENTRY_FIXED) {
		return bad_entry(name, err);
	}
	fields = load16_be(entry->payload + 4);
	if (entry->len != ENTRY_FIXED + 2 * fields) {
		return bad_entry(name, err);
	}
	for (unsigned i = 0; i < fields; i++) {
		uint16_t id = load16_be(entry->payload + ENTRY_FIXED + 2 * (size_t)i);

		if (!aggfield_of(id) || !agglayout_add(layout, id)) {
			return err_set(err, ST_EFORMAT,
				       "%s: aggregate bag with an unknown or repeated field %u",
				       name, id);
		}
	}
	if (layout->key_count != load16_be(entry->payload + 6) || !layout->key_count ||
	    layout->key_count == layout->count) {
		return bad_entry(name, err);
	}
	return ST_OK;
}

static int check_header(const struct header *header, struct agglayout *layout, const char *name,
			struct err *err)
{
	int status;

	if (header->format != FORMAT_AGGREGATEBAG) {
		return err_set(err, ST_EFORMAT, "%s: not an aggregate bag file", name);
	}
	if (header->record_version != RECORD_VERSION) {
		return err_set(err, ST_EVERSION, "%s: aggregate bag version %u is not known", name,
			       header->record_version);
	}
	status = read_layout(header, layout, name, err);
	if (status == ST_OK && header->record_length != layout->record_bytes) {
		status = err_set(err, ST_EFORMAT,
				 "%s: record length %u does not fit the fields of the aggregate "
				 "bag",
				 name, header->record_length);
	}
	return status;
}

static int read_records(struct aggbag *bag, struct block_reader *in, const char *name,
			struct err *err)
{
	const struct agglayout *layout = aggbag_layout(bag);
	size_t size = layout->record_bytes;
	uint64_t counters[AGGLAYOUT_MAX];
	const uint8_t *at;
	size_t len;
	int status;

	while ((status = block_reader_view(in, size, &at, &len, err)) == ST_OK && len >= size) {
		for (size_t i = layout->key_count; i < layout->count; i++) {
			counters[i - layout->key_count] = load64_be(at + layout->at[i]);
		}
		if (aggbag_find(bag, at)) {
			return err_set(err, ST_EFORMAT, "%s: a key occurs twice at %s", name,
				       block_reader_place(in));
		}
		aggbag_add(bag, at, counters);
		block_reader_consume(in, size);
	}
	if (status == ST_OK && len) {
		status = err_set(err, ST_ETRUNC, "%s: ends in the middle of a record at %s", name,
				 block_reader_place(in));
	}
	return status;
}

static int read_aggbag(struct datafile *file, void *out, struct err *err)
{
	struct agglayout layout;
	struct aggbag *bag;
	int status = check_header(file->header, &layout, file->name, err);

	if (status == ST_OK) {
		status = datafile_blocks(file, err);
	}
	if (status != ST_OK) {
		return status;
	}
	bag = aggbag_new(&layout);
	status = read_records(bag, file->in, file->name, err);
	if (status == ST_OK) {
		*(struct aggbag **)out = bag;
	} else {
		aggbag_free(bag);
	}
	return status;
}

int aggbag_read_from(struct aggbag **out, struct bytesource *src, struct header *header,
		     struct err *err)
{
	return datafile_read_from(src, header, read_aggbag, out, err);
}

int aggbag_read(struct aggbag **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_aggbag, out, err);
}

/* --- writing --- */

static void add_entry(struct header *header, const struct agglayout *layout)
{
	uint8_t payload[ENTRY_FIXED + 2 * AGGLAYOUT_MAX];

	store32_be(payload, ENTRY_VERSION);
	store16_be(payload + 4, (uint16_t)layout->count);
	store16_be(payload + 6, (uint16_t)layout->key_count);
	for (size_t i = 0; i < layout->count; i++) {
		store16_be(payload + ENTRY_FIXED + 2 * i, layout->ids[i]);
	}
	header_add(header, ENTRY_AGGREGATE_BAG, payload, ENTRY_FIXED + 2 * layout->count);
}

static void fill_header(struct header *header, const struct aggbag *bag,
			const struct aggbag_write_opts *opts, uint8_t compression)
{
	const struct agglayout *layout = aggbag_layout(bag);

	datafile_header(header, FORMAT_AGGREGATEBAG, RECORD_VERSION, (uint16_t)layout->record_bytes,
			opts->no_silk_version);
	header->compression = compression;
	if (opts->inputs) {
		header_add_entries(header, opts->inputs);
	}
	add_entry(header, layout);
	if (opts->entries) {
		header_add_entries(header, opts->entries);
	}
}

static int write_records(void *what, struct block_writer *out, struct err *err)
{
	const struct aggbag *bag = what;
	const struct agglayout *layout = aggbag_layout(bag);
	struct aggbag_cursor cursor;
	uint8_t *to;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		int count = block_writer_room(out, 1, &to, err);

		if (count < 0) {
			aggbag_cursor_release(&cursor);
			return count;
		}
		memcpy(to, cursor.key, layout->key_bytes);
		for (size_t i = layout->key_count; i < layout->count; i++) {
			store64_be(to + layout->at[i], cursor.counters[i - layout->key_count]);
		}
		block_writer_commit(out, 1);
	}
	return ST_OK;
}

int aggbag_write_to(const struct aggbag *bag, struct bytesink *sink,
		    const struct aggbag_write_opts *opts, struct err *err)
{
	struct header header;
	int status;

	fill_header(&header, bag, opts, block_compression(opts->compression, sink));
	status = datafile_write(sink, &header, write_records, (void *)bag, err);
	header_release(&header);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordsort.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "query/sorter.h"

#define BUFFER_MIN_BYTES 88000

const struct opt recordsort_opt_table[] = {
	OPT_SIZE(struct recordsort_opts, buffer_size, "buffer-size", 0, "SIZE", BUFFER_MIN_BYTES,
		 UINT64_MAX, "sort in this much memory", .default_text = "1920m"),
	OPT_SIZE(struct recordsort_opts, buffer_size, "memory", 0, "SIZE", BUFFER_MIN_BYTES,
		 UINT64_MAX, "as --buffer-size", .flags = OPT_ADDED),
	OPT_STR(struct recordsort_opts, temp_directory, "temp-directory", 0, "DIR",
		"write temporary files here"),
	OPT_END,
};

/*
 * Where the format has its three addresses, which end the record. SiLK's memory has the record as
 * the file has it, but for IPv4 addresses, which are numbers in the order of the machine.
 */
#define ADDRESSES_AT   40
#define ADDRESS_BYTES  16
#define ADDRESSES_SIZE (3 * ADDRESS_BYTES)
#define WHOLE_SIZE     (ADDRESSES_AT + ADDRESSES_SIZE)

struct recordsort {
	/* NULL: a row is the record as in SiLK's memory, and its addresses as in the file */
	const struct rowkey *key;
	size_t key_size; /* a key without fields has one byte, of 0 */
	size_t row_size;
	const struct rowformat *format;
	struct sorter *sorter;
	uint8_t encoded[WHOLE_SIZE]; /* of the row without key that was taken last */
	struct batch *one;           /* to decode a record */
};

struct recordsort *recordsort_new(const struct rowkey *key, const struct recordsort_plan *plan)
{
	struct recordsort *sort = g_new0(struct recordsort, 1);

	/* This format holds any record, so that none has to be refused. */
	sort->format = rowformat_find(FORMAT_RWIPV6ROUTING,
				      rowformat_default_version(FORMAT_RWIPV6ROUTING));
	sort->key = key;
	assert(sort->format->length == WHOLE_SIZE);
	sort->key_size = key ? MAX(key->size, 1) : WHOLE_SIZE;
	sort->row_size = sort->key_size + (key ? WHOLE_SIZE : ADDRESSES_SIZE);
	sort->sorter = sorter_new(&(struct sorter_opts){
		.key_size = sort->key_size,
		.row_size = sort->row_size,
		.memory_bytes = plan->memory_bytes,
		.temp_dir = plan->temp_dir,
		.reverse = plan->reverse,
	});
	sort->one = batch_new();
	return sort;
}

void recordsort_free(struct recordsort *sort)
{
	if (sort) {
		sorter_free(sort->sorter);
		batch_free(sort->one);
		g_free(sort);
	}
}

size_t recordsort_key_size(const struct recordsort *sort)
{
	return sort->key_size;
}

static void encode(const struct recordsort *sort, const struct batch *batch, uint8_t *bytes)
{
	const struct rowwrite out = { .bytes = bytes, .stride = sort->row_size };
	const struct rowview view = rowview_of_batch(batch);

	rowformat_encode(sort->format, &out, &view, batch->selection, batch->selected);
}

static void fill_rows(const void *arg, const struct batch *batch, uint8_t *rows)
{
	const struct recordsort *sort = arg;

	for (uint32_t i = 0; i < batch->selected; i++) {
		rows[i * sort->row_size] = 0;
	}
	rowkey_pack(sort->key, batch, rows, sort->row_size);
	encode(sort, batch, rows + sort->key_size);
}

static void turn_ipv4(uint8_t *address)
{
	uint32_t number;

	memcpy(&number, address + ADDRESS_BYTES - sizeof(number), sizeof(number));
	number = GUINT32_FROM_BE(number);
	memcpy(address + ADDRESS_BYTES - sizeof(number), &number, sizeof(number));
}

static void fill_whole_rows(const void *arg, const struct batch *batch, uint8_t *rows)
{
	const struct recordsort *sort = arg;

	encode(sort, batch, rows);
	for (uint32_t i = 0; i < batch->selected; i++, rows += sort->row_size) {
		memcpy(rows + WHOLE_SIZE, rows + ADDRESSES_AT, ADDRESSES_SIZE);
		if (!(batch->state[batch->selection[i]] & RECORD_IPV6)) {
			for (size_t at = ADDRESSES_AT; at < WHOLE_SIZE; at += ADDRESS_BYTES) {
				turn_ipv4(rows + at);
			}
		}
	}
}

int recordsort_add(struct recordsort *sort, struct batch *batch, struct err *err)
{
	return sorter_add_batch(sort->sorter, batch, sort->key ? fill_rows : fill_whole_rows, sort,
				err);
}

int recordsort_finish(struct recordsort *sort, struct err *err)
{
	return sorter_finish(sort->sorter, err);
}

int recordsort_next(struct recordsort *sort, struct recordsort_row *row, struct err *err)
{
	int status = sorter_next(sort->sorter, &row->key, err);

	if (status == ST_OK && sort->key) {
		row->encoded = row->key + sort->key_size;
	} else if (status == ST_OK) {
		memcpy(sort->encoded, row->key, ADDRESSES_AT);
		memcpy(sort->encoded + ADDRESSES_AT, row->key + WHOLE_SIZE, ADDRESSES_SIZE);
		row->encoded = sort->encoded;
	}
	return status;
}

const struct rowformat *recordsort_format(const struct recordsort *sort)
{
	return sort->format;
}

void recordsort_get(const struct recordsort *sort, const struct recordsort_row *row,
		    struct record *out)
{
	const struct rowread in = {
		.bytes = row->encoded,
		.stride = sort->format->length,
		.rows = 1,
		.keep_icmp_sport = true,
	};

	batch_clear(sort->one, COLUMNS_ALL);
	rowformat_decode(sort->format, &in, COLUMNS_ALL, sort->one);
	batch_get(sort->one, 0, out);
}

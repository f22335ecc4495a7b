/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordsort.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "query/sortkey.h"
#include "query/sorter.h"
#include "query/threads.h"

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

/* Of the state, whose highest bit tells the family; as the format has it. */
#define STATE_AT 23
/* Records begin at a multiple of this many bytes of a row. */
#define UNIT 8

struct recordsort {
	bool has_key; /* else a row is the record as in SiLK's memory */
	struct sortkey key;
	size_t key_size;   /* a key without fields has one byte, of 0 */
	size_t encoded_at; /* of a row with key; the bytes before it are 0 */
	size_t row_size;
	const struct rowformat *format;
	struct sorter *sorter;
	struct batch *one; /* to decode a record */
};

struct recordsort *recordsort_new(const struct rowkey *key, const struct recordsort_plan *plan)
{
	struct recordsort *sort = g_new0(struct recordsort, 1);

	/* This format holds any record, so that none has to be refused. */
	sort->format = rowformat_find(FORMAT_RWIPV6ROUTING,
				      rowformat_default_version(FORMAT_RWIPV6ROUTING));
	sort->has_key = key != NULL;
	if (key) {
		sortkey_init(&sort->key, key);
	}
	assert(sort->format->length == WHOLE_SIZE);
	sort->key_size = key ? MAX(sort->key.size, 1) : WHOLE_SIZE;
	sort->encoded_at = key ? (sort->key_size + UNIT - 1) / UNIT * UNIT : 0;
	sort->row_size = sort->encoded_at + WHOLE_SIZE;
	sort->sorter = sorter_new(&(struct sorter_opts){
		.key_size = sort->key_size,
		.row_size = sort->row_size,
		.memory_bytes = plan->memory_bytes,
		.temp_dir = plan->temp_dir,
		.reverse = plan->reverse,
		.threads = plan->threads,
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

const struct rowformat *recordsort_format(const struct recordsort *sort)
{
	return sort->format;
}

size_t recordsort_key_size(const struct recordsort *sort)
{
	return sort->key_size;
}

size_t recordsort_row_size(const struct recordsort *sort)
{
	return sort->row_size;
}

size_t recordsort_encoded_at(const struct recordsort *sort)
{
	return sort->encoded_at;
}

bool recordsort_is_by_start(const struct recordsort *sort)
{
	const struct field *first =
		sort->has_key && sort->key.key->count > 0 ? sort->key.key->fields[0] : NULL;

	return first && first->role == FIELD_ROLE_TIME &&
	       first->columns == COLUMN_BIT(COLUMN_START);
}

size_t recordsort_key_extent(const struct recordsort *sort, const struct recordsort_row *row,
			     size_t fields)
{
	return sortkey_extent(&sort->key, row->key, fields);
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
	sortkey_pack(&sort->key, batch, rows, sort->row_size);
	encode(sort, batch, rows + sort->encoded_at);
}

/* Addresses of IPv4 between the order of the file and that of the machine, either way. */
static void turn_ipv4(uint8_t *encoded)
{
	if (encoded[STATE_AT] & RECORD_IPV6) {
		return;
	}
	for (size_t at = ADDRESSES_AT; at < WHOLE_SIZE; at += ADDRESS_BYTES) {
		uint8_t *address = encoded + at + ADDRESS_BYTES - sizeof(uint32_t);
		uint32_t number;

		memcpy(&number, address, sizeof(number));
		number = GUINT32_FROM_BE(number);
		memcpy(address, &number, sizeof(number));
	}
}

static void fill_whole_rows(const void *arg, const struct batch *batch, uint8_t *rows)
{
	const struct recordsort *sort = arg;

	encode(sort, batch, rows);
	for (uint32_t i = 0; i < batch->selected; i++, rows += sort->row_size) {
		turn_ipv4(rows);
	}
}

static sorter_fill_fn filler(const struct recordsort *sort)
{
	return sort->has_key ? fill_rows : fill_whole_rows;
}

void recordsort_fill(const struct recordsort *sort, const struct batch *batch, uint8_t *rows)
{
	filler(sort)(sort, batch, rows);
}

int recordsort_add(struct recordsort *sort, struct batch *batch, struct err *err)
{
	return sorter_add_batch(sort->sorter, batch, filler(sort), sort, err);
}

struct rowpack *recordsort_new_pack(const struct recordsort *sort)
{
	return sorter_new_pack(sort->sorter);
}

uint32_t recordsort_pack(const struct recordsort *sort, struct rowpack *pack, struct batch *batch)
{
	uint32_t left = batch->selected;
	uint8_t *rows;
	size_t count;

	while (left > 0 && (rows = rowpack_place(pack, left, &count)) != NULL) {
		batch->selected = (uint32_t)count;
		filler(sort)(sort, batch, rows);
		left -= (uint32_t)count;
		memmove(batch->selection, batch->selection + count,
			left * sizeof(batch->selection[0]));
		batch->selected = left;
	}
	return left;
}

int recordsort_append(struct recordsort *sort, struct rowarea *area, struct err *err)
{
	return sorter_append(sort->sorter, area, err);
}

unsigned recordsort_threads(const struct recordsort *sort, unsigned threads)
{
	return sort->has_key
		       ? threads_for_fields(threads, sort->key.key->fields, sort->key.key->count)
		       : threads;
}

struct drain {
	const struct recordsort *sort;
	recordsort_take_fn take;
	void *arg;
};

static int take_rows(void *arg, const uint8_t *rows, size_t count, struct err *err)
{
	const struct drain *drain = arg;
	const struct recordsort *sort = drain->sort;
	int status = ST_OK;

	for (size_t i = 0; i < count && status == ST_OK; i++, rows += sort->row_size) {
		uint8_t encoded[WHOLE_SIZE];
		struct recordsort_row row = { .key = rows, .encoded = rows + sort->encoded_at };

		if (!sort->has_key) {
			memcpy(encoded, rows, WHOLE_SIZE);
			turn_ipv4(encoded);
			row.encoded = encoded;
		}
		status = drain->take(drain->arg, &row, err);
	}
	return status;
}

int recordsort_drain(struct recordsort *sort, recordsort_take_fn take, void *arg, struct err *err)
{
	struct drain drain = { .sort = sort, .take = take, .arg = arg };

	return sorter_drain(sort->sorter, 0, take_rows, &drain, err);
}

int recordsort_drain_encoded(struct recordsort *sort, recordsort_take_encoded_fn take, void *arg,
			     struct err *err)
{
	return sorter_drain(sort->sorter, sort->encoded_at, take, arg, err);
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

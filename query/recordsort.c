/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordsort.h"

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

struct recordsort {
	const struct rowkey *key;
	size_t key_size; /* a key without fields has one byte, of 0 */
	const struct rowformat *format;
	struct sorter *sorter;
	struct batch *one; /* to decode a record */
};

struct recordsort *recordsort_new(const struct rowkey *key, const struct recordsort_plan *plan)
{
	struct recordsort *sort = g_new0(struct recordsort, 1);

	sort->key = key;
	sort->key_size = MAX(key->size, 1);
	/* This format holds any record, so that none has to be refused. */
	sort->format = rowformat_find(FORMAT_RWIPV6ROUTING,
				      rowformat_default_version(FORMAT_RWIPV6ROUTING));
	sort->sorter = sorter_new(&(struct sorter_opts){
		.key_size = sort->key_size,
		.row_size = sort->key_size + sort->format->length,
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

static void fill_rows(const void *arg, const struct batch *batch, uint8_t *rows)
{
	const struct recordsort *sort = arg;
	const struct rowwrite out = {
		.bytes = rows + sort->key_size,
		.stride = sort->key_size + sort->format->length,
	};
	const struct rowview view = rowview_of_batch(batch);

	for (uint32_t i = 0; i < batch->selected; i++) {
		rows[i * out.stride] = 0;
	}
	rowkey_pack(sort->key, batch, rows, out.stride);
	rowformat_encode(sort->format, &out, &view, batch->selection, batch->selected);
}

int recordsort_add(struct recordsort *sort, struct batch *batch, struct err *err)
{
	return sorter_add_batch(sort->sorter, batch, fill_rows, sort, err);
}

int recordsort_finish(struct recordsort *sort, struct err *err)
{
	return sorter_finish(sort->sorter, err);
}

int recordsort_next(struct recordsort *sort, struct recordsort_row *row, struct err *err)
{
	int status = sorter_next(sort->sorter, &row->key, err);

	if (status == ST_OK) {
		row->encoded = row->key + sort->key_size;
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/destination.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#include "storage/block.h"
#include "storage/blockout.h"
#include "storage/bytesink.h"
#include "storage/compress.h"

/* One block on its way through the crew; made once and used again. */
struct packing {
	struct scanjob job; /* first */
	struct compressor *compressor;
	uint8_t *plain;
	uint8_t *packed;
	uint32_t rows;
	size_t packed_len;
	int status;
	struct err err;
};

/* A stream, and the blocks of it that the crew has. */
struct outlet {
	struct stream *stream;   /* NULL: a block file */
	struct blockout *blocks; /* NULL: a stream */
	GQueue *under_way;       /* struct packing *, in order */
	GQueue *idle;            /* struct packing * */
	struct packing *filling; /* NULL: none */
	bool abandoned;          /* a pipe that nobody reads */
};

struct destination {
	GPtrArray *outlets;    /* struct outlet * */
	struct scancrew *crew; /* NULL: none */
	uint64_t room;         /* UINT64_MAX: no limit */
};

const struct rowformat *destination_format(void)
{
	return rowformat_find(FORMAT_RWIPV6ROUTING,
			      rowformat_default_version(FORMAT_RWIPV6ROUTING));
}

static uint32_t block_rows(void)
{
	size_t length = destination_format()->length;

	return (uint32_t)(block_full_bytes(length) / length);
}

static void packing_free(void *arg)
{
	struct packing *packing = arg;

	if (packing) {
		compressor_free(packing->compressor);
		g_free(packing->plain);
		g_free(packing->packed);
		g_free(packing);
	}
}

struct destination *destination_new(uint64_t limit)
{
	struct destination *destination = g_new0(struct destination, 1);

	destination->outlets = g_ptr_array_new();
	destination->room = limit > 0 ? limit : UINT64_MAX;
	return destination;
}

static struct outlet *outlet_at(const struct destination *destination, guint i)
{
	return g_ptr_array_index(destination->outlets, i);
}

static struct outlet *add_outlet(struct destination *destination)
{
	struct outlet *outlet = g_new0(struct outlet, 1);

	outlet->under_way = g_queue_new();
	outlet->idle = g_queue_new();
	g_ptr_array_add(destination->outlets, outlet);
	return outlet;
}

int destination_add(struct destination *destination, const char *path,
		    const struct stream_write_opts *opts, struct err *err)
{
	struct stream *stream = NULL;
	struct outlet *outlet;
	int st;

	assert(opts->format == 0 && opts->record_version == 0 &&
	       opts->byte_order == BYTE_ORDER_NATIVE);
	st = stream_create(&stream, path, opts, err);
	if (st == ST_OK) {
		outlet = add_outlet(destination);
		outlet->stream = stream;
	}
	return st;
}

int destination_add_blocks(struct destination *destination, const char *path,
			   const struct stream_write_opts *opts, struct err *err)
{
	unsigned flags = opts->overwrite ? BYTESINK_OVERWRITE : 0;
	struct blockout *blocks = NULL;
	int st = blockout_create(&blocks, path, flags, opts->compression, err);

	if (st == ST_OK) {
		add_outlet(destination)->blocks = blocks;
	}
	return st;
}

void destination_add_entries(struct destination *destination, const struct header *entries)
{
	for (guint i = 0; i < destination->outlets->len; i++) {
		struct outlet *outlet = outlet_at(destination, i);

		if (outlet->blocks) {
			blockout_add_entries(outlet->blocks, entries);
		} else {
			stream_add_entries(outlet->stream, entries);
		}
	}
}

uint64_t destination_room(const struct destination *destination)
{
	return destination->room;
}

bool destination_is_abandoned(const struct destination *destination)
{
	for (guint i = 0; i < destination->outlets->len; i++) {
		if (!outlet_at(destination, i)->abandoned) {
			return false;
		}
	}
	return destination->outlets->len > 0;
}

/* What writing to it came to; that nobody reads it is no error of all. */
static int wrote(struct outlet *outlet, int status)
{
	outlet->abandoned |= status == ST_EPIPE;
	return status == ST_EPIPE ? ST_OK : status;
}

static void take_room(struct destination *destination, uint64_t count)
{
	if (destination_is_abandoned(destination)) {
		destination->room = 0;
	} else if (destination->room != UINT64_MAX) {
		destination->room -= MIN(destination->room, count);
	}
}

static int write_batch(struct outlet *outlet, const struct batch *batch, struct err *err)
{
	return outlet->blocks ? blockout_write_batch(outlet->blocks, batch, err)
			      : stream_write_batch(outlet->stream, batch, NULL, err);
}

int destination_write(struct destination *destination, const struct batch *batch, struct err *err)
{
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < destination->outlets->len; i++) {
		struct outlet *outlet = outlet_at(destination, i);

		if (!outlet->abandoned) {
			st = wrote(outlet, write_batch(outlet, batch, err));
		}
	}
	take_room(destination, batch->selected);
	return st;
}

void destination_use_crew(struct destination *destination, struct scancrew *crew)
{
	destination->crew = crew;
}

/* Runs in the crew. */
static void pack(struct scanjob *job)
{
	struct packing *packing = (struct packing *)job;
	size_t len = packing->rows * (size_t)destination_format()->length;

	packing->status = block_pack(packing->compressor, packing->plain, len, packing->packed,
				     &packing->packed_len, &packing->err);
}

/* Write the oldest block that is under way. */
static int write_oldest(struct outlet *outlet, struct scancrew *crew, struct err *err)
{
	struct packing *packing = g_queue_pop_head(outlet->under_way);
	int st = ST_OK;

	scancrew_wait(crew, &packing->job);
	if (packing->status != ST_OK) {
		st = err_set(err, packing->status, "%s", packing->err.text);
	} else if (!outlet->abandoned) {
		st = stream_write_packed(outlet->stream, packing->packed, packing->packed_len,
					 packing->rows, err);
	}
	g_queue_push_tail(outlet->idle, packing);
	return wrote(outlet, st);
}

static struct packing *packing_new(uint8_t compression)
{
	struct packing *packing = g_new0(struct packing, 1);
	size_t length = destination_format()->length;
	size_t bytes = block_full_bytes(length);

	packing->job.work = pack;
	packing->compressor = compressor_new_rows(compression, length);
	packing->plain = g_malloc(bytes);
	packing->packed = g_malloc(block_pack_bound(compression, bytes));
	return packing;
}

static int start_filling(struct outlet *outlet, struct scancrew *crew, struct err *err)
{
	int st = ST_OK;

	if (g_queue_get_length(outlet->under_way) >= scancrew_jobs(crew)) {
		st = write_oldest(outlet, crew, err);
	}
	outlet->filling = g_queue_pop_head(outlet->idle);
	if (!outlet->filling) {
		outlet->filling = packing_new(stream_header(outlet->stream)->compression);
	}
	outlet->filling->rows = 0;
	return st;
}

/* Put rows into the block being filled; returns how many. */
static uint64_t fill(struct outlet *outlet, struct scancrew *crew, const uint8_t *rows,
		     uint64_t count)
{
	struct packing *filling = outlet->filling;
	size_t length = destination_format()->length;
	uint32_t taken = (uint32_t)MIN(count, block_rows() - filling->rows);

	memcpy(filling->plain + filling->rows * length, rows, taken * length);
	filling->rows += taken;
	if (filling->rows == block_rows()) {
		g_queue_push_tail(outlet->under_way, filling);
		scancrew_submit(crew, &filling->job);
		outlet->filling = NULL;
	}
	return taken;
}

static int write_through_crew(struct outlet *outlet, struct scancrew *crew, const uint8_t *rows,
			      uint64_t count, struct err *err)
{
	size_t length = destination_format()->length;
	int st = ST_OK;

	while (st == ST_OK && count > 0) {
		uint64_t taken = stream_block_left(outlet->stream);

		if (taken < block_rows()) {
			/* begun before there was a crew */
			taken = MIN(taken, count);
			st = stream_write_encoded_rows(outlet->stream, rows, taken, err);
		} else {
			st = outlet->filling ? ST_OK : start_filling(outlet, crew, err);
			taken = fill(outlet, crew, rows, count);
		}
		rows += taken * length;
		count -= taken;
	}
	return st;
}

static int write_rows(struct outlet *outlet, struct scancrew *crew, const uint8_t *rows,
		      uint64_t count, struct err *err)
{
	uint8_t compression = stream_header(outlet->stream)->compression;

	return crew && scancrew_jobs(crew) > 0 && compression != COMPRESSION_NONE
		       ? write_through_crew(outlet, crew, rows, count, err)
		       : stream_write_encoded_rows(outlet->stream, rows, count, err);
}

int destination_write_rows(struct destination *destination, const uint8_t *rows, uint64_t count,
			   struct err *err)
{
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < destination->outlets->len; i++) {
		struct outlet *outlet = outlet_at(destination, i);

		if (!outlet->abandoned) {
			st = write_rows(outlet, destination->crew, rows, count, err);
			st = wrote(outlet, st);
		}
	}
	take_room(destination, count);
	return st;
}

static int drain_outlet(struct outlet *outlet, struct scancrew *crew, struct err *err)
{
	struct packing *filling = outlet->filling;
	int st = ST_OK;

	while (!g_queue_is_empty(outlet->under_way)) {
		int one = write_oldest(outlet, crew, st == ST_OK ? err : NULL);

		st = st == ST_OK ? one : st;
	}
	if (filling) {
		outlet->filling = NULL;
		if (st == ST_OK && !outlet->abandoned) {
			st = wrote(outlet, stream_write_encoded_rows(outlet->stream, filling->plain,
								     filling->rows, err));
		}
		packing_free(filling);
	}
	return st;
}

int destination_drain(struct destination *destination, struct err *err)
{
	int st = ST_OK;

	for (guint i = 0; destination && i < destination->outlets->len; i++) {
		int one = drain_outlet(outlet_at(destination, i), destination->crew,
				       st == ST_OK ? err : NULL);

		st = st == ST_OK ? one : st;
	}
	if (destination) {
		destination->crew = NULL;
	}
	return st;
}

static int close_outlet(struct outlet *outlet, struct err *err)
{
	int st = outlet->blocks ? blockout_close(outlet->blocks, err)
				: stream_close(outlet->stream, err);

	return outlet->abandoned ? ST_OK : wrote(outlet, st);
}

static void outlet_free(struct outlet *outlet)
{
	assert(g_queue_is_empty(outlet->under_way));
	g_queue_free(outlet->under_way);
	g_queue_free_full(outlet->idle, packing_free);
	g_free(outlet);
}

int destination_close(struct destination *destination, struct err *err)
{
	int st = ST_OK;

	if (!destination) {
		return ST_OK;
	}
	for (guint i = 0; i < destination->outlets->len; i++) {
		int one = close_outlet(outlet_at(destination, i), st == ST_OK ? err : NULL);

		st = st == ST_OK ? one : st;
	}
	if (st == ST_OK && destination_is_abandoned(destination)) {
		st = ST_EPIPE;
	}
	for (guint i = 0; i < destination->outlets->len; i++) {
		outlet_free(outlet_at(destination, i));
	}
	g_ptr_array_free(destination->outlets, TRUE);
	g_free(destination);
	return st;
}

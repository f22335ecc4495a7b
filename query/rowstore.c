/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows gather as they are; when there are enough of them a form is chosen, and they go to areas in
 * large blocks of memory: those that fit the form packed, the others as they are.
 */
#include "query/rowstore.h"

#include <assert.h>
#include <float.h>
#include <string.h>

#include <glib.h>

/* Rows that gather before they are packed: as many as stay in the cache. */
#define GATHER_BYTES (512u * 1024)
/* A row is told by its form, 0 for none, and where it is: block and place in that. */
#define FORM_SHIFT  48
#define FORMS_MAX   ((1u << (64 - FORM_SHIFT)) - 1)
#define BLOCK_SHIFT 24
#define BLOCK_BYTES ((size_t)1 << BLOCK_SHIFT)
/* A form is good for rows that take no more than this, to those it was chosen for or another's. */
#define COST_MORE_MAX 1.05
/* After so many areas it is asked whether another is better. */
#define FORM_AGE_MAX 16

/* Rows that were packed together. */
struct area {
	uint64_t packed; /* the first that fits the form */
	uint64_t whole;  /* the first that does not */
	size_t rows;
	size_t packed_size;
	size_t is_whole; /* place in store->is_whole of theirs */
};

struct rowstore {
	size_t row_size;
	uint8_t *gathered;
	size_t gathered_rows;
	size_t gathered_max;
	GPtrArray *blocks;
	size_t blocks_used;
	size_t block_at; /* in the last one that is used */
	GPtrArray *forms;
	double form_cost; /* of the last one: bytes of a row when it was chosen */
	unsigned form_age;
	GArray *areas;        /* struct area */
	GByteArray *is_whole; /* a byte for each packed row */
	size_t bytes;         /* of packed rows */
};

struct rowstore *rowstore_new(size_t row_size)
{
	struct rowstore *store = g_new0(struct rowstore, 1);

	store->row_size = row_size;
	store->gathered_max = MAX(GATHER_BYTES / row_size, 1);
	store->blocks = g_ptr_array_new_with_free_func(g_free);
	store->forms = g_ptr_array_new_with_free_func((GDestroyNotify)rowform_free);
	store->areas = g_array_new(FALSE, FALSE, sizeof(struct area));
	store->is_whole = g_byte_array_new();
	assert(store->gathered_max * (row_size + ROWFORM_SLACK) * 2 < BLOCK_BYTES);
	return store;
}

void rowstore_free(struct rowstore *store)
{
	if (store) {
		g_free(store->gathered);
		g_ptr_array_free(store->blocks, TRUE);
		g_ptr_array_free(store->forms, TRUE);
		g_array_free(store->areas, TRUE);
		g_byte_array_free(store->is_whole, TRUE);
		g_free(store);
	}
}

void rowstore_clear(struct rowstore *store)
{
	store->gathered_rows = 0;
	store->blocks_used = 0;
	g_ptr_array_set_size(store->forms, 0);
	g_array_set_size(store->areas, 0);
	g_byte_array_set_size(store->is_whole, 0);
	store->bytes = 0;
}

size_t rowstore_count(const struct rowstore *store)
{
	return store->is_whole->len + store->gathered_rows;
}

size_t rowstore_bytes(const struct rowstore *store)
{
	return store->bytes + store->is_whole->len + store->gathered_rows * store->row_size;
}

/* ---- adding ---- */

static void use_next_block(struct rowstore *store)
{
	if (store->blocks_used == store->blocks->len) {
		g_ptr_array_add(store->blocks, g_malloc(BLOCK_BYTES));
	}
	store->blocks_used++;
	store->block_at = 0;
}

/* Room for so many bytes; returns where it is. */
static uint64_t take_room(struct rowstore *store, size_t bytes)
{
	uint64_t at;

	bytes += ROWFORM_SLACK;
	if (store->blocks_used == 0 || BLOCK_BYTES - store->block_at < bytes) {
		use_next_block(store);
	}
	at = (uint64_t)(store->blocks_used - 1) << BLOCK_SHIFT | store->block_at;
	store->block_at += bytes;
	store->bytes += bytes;
	return at;
}

/* Of the room that was taken last. */
static void give_back(struct rowstore *store, size_t bytes)
{
	store->block_at -= bytes;
	store->bytes -= bytes;
}

static uint8_t *place_of(const struct rowstore *store, uint64_t row)
{
	uint64_t at = row & ((UINT64_C(1) << FORM_SHIFT) - 1);
	uint8_t *block = g_ptr_array_index(store->blocks, at >> BLOCK_SHIFT);

	return block + (at & (BLOCK_BYTES - 1));
}

/* The number of a form for the gathered rows: the last one when it will do. */
static size_t choose_form(struct rowstore *store)
{
	const uint8_t *rows = store->gathered;
	size_t count = store->gathered_rows;
	GPtrArray *forms = store->forms;
	double cost = DBL_MAX;
	struct rowform *form;

	if (forms->len > 0) {
		cost = rowform_cost(g_ptr_array_index(forms, forms->len - 1), rows, count);
		if (cost <= store->form_cost * COST_MORE_MAX && store->form_age++ < FORM_AGE_MAX) {
			return forms->len;
		}
	}
	form = rowform_choose(rows, store->row_size, count);
	store->form_cost = rowform_cost(form, rows, count);
	store->form_age = 0;
	if (cost <= store->form_cost * COST_MORE_MAX || forms->len == FORMS_MAX) {
		rowform_free(form);
	} else {
		g_ptr_array_add(forms, form);
	}
	return forms->len;
}

/* Pack the gathered rows that fit the form of the area; returns how many, and marks the others. */
static size_t pack_fitting(struct rowstore *store, const struct area *area)
{
	const struct rowform *form =
		g_ptr_array_index(store->forms, (area->packed >> FORM_SHIFT) - 1);
	uint8_t *packed = place_of(store, area->packed);
	uint8_t *is_whole = store->is_whole->data + area->is_whole;
	const uint8_t *row = store->gathered;
	size_t fitting = 0;

	for (size_t i = 0; i < area->rows; i++, row += store->row_size) {
		bool fits = rowform_pack(form, row, packed);

		is_whole[i] = !fits;
		fitting += fits;
		packed += fits ? area->packed_size : 0;
	}
	return fitting;
}

static void copy_whole(struct rowstore *store, const struct area *area)
{
	const uint8_t *is_whole = store->is_whole->data + area->is_whole;
	const uint8_t *row = store->gathered;
	uint8_t *whole = place_of(store, area->whole);

	for (size_t i = 0; i < area->rows; i++, row += store->row_size) {
		if (is_whole[i]) {
			memcpy(whole, row, store->row_size);
			whole += store->row_size;
		}
	}
}

/* What has gathered goes to an area. */
static void pack_gathered(struct rowstore *store)
{
	size_t number = choose_form(store);
	struct area area = {
		.rows = store->gathered_rows,
		.packed_size = rowform_size(g_ptr_array_index(store->forms, number - 1)),
		.is_whole = store->is_whole->len,
	};
	size_t fitting;

	g_byte_array_set_size(store->is_whole, (guint)(area.is_whole + area.rows));
	area.packed = take_room(store, area.rows * area.packed_size) | (uint64_t)number
									       << FORM_SHIFT;
	fitting = pack_fitting(store, &area);
	give_back(store, (area.rows - fitting) * area.packed_size);
	area.whole = take_room(store, (area.rows - fitting) * store->row_size);
	if (fitting < area.rows) {
		copy_whole(store, &area);
	}
	g_array_append_val(store->areas, area);
	store->gathered_rows = 0;
}

uint8_t *rowstore_place(struct rowstore *store, size_t want, size_t *count)
{
	uint8_t *place;

	if (store->gathered_rows == store->gathered_max) {
		pack_gathered(store);
	}
	if (!store->gathered) {
		store->gathered = g_malloc0(store->gathered_max * store->row_size + ROWFORM_SLACK);
	}
	*count = MIN(want, store->gathered_max - store->gathered_rows);
	place = store->gathered + store->gathered_rows * store->row_size;
	store->gathered_rows += *count;
	return place;
}

/* ---- getting ---- */

static void list_area(const struct rowstore *store, const struct area *area,
		      void (*fn)(void *arg, uint64_t row), void *arg)
{
	const uint8_t *is_whole = store->is_whole->data + area->is_whole;
	uint64_t packed = area->packed;
	uint64_t whole = area->whole;

	for (size_t i = 0; i < area->rows; i++) {
		if (is_whole[i]) {
			fn(arg, whole);
			whole += store->row_size;
		} else {
			fn(arg, packed);
			packed += area->packed_size;
		}
	}
}

void rowstore_list(struct rowstore *store, void (*fn)(void *arg, uint64_t row), void *arg)
{
	if (store->gathered_rows > 0) {
		pack_gathered(store);
	}
	for (guint i = 0; i < store->areas->len; i++) {
		list_area(store, &g_array_index(store->areas, struct area, i), fn, arg);
	}
}

void rowstore_get(const struct rowstore *store, uint64_t row, size_t begin, size_t end,
		  uint8_t *out)
{
	const uint8_t *place = place_of(store, row);
	size_t form = row >> FORM_SHIFT;

	if (form == 0) {
		memcpy(out + begin, place + begin, end - begin);
	} else {
		rowform_unpack(g_ptr_array_index(store->forms, form - 1), place, begin, end, out);
	}
}

void rowstore_fetch(const struct rowstore *store, uint64_t row)
{
	const uint8_t *place = place_of(store, row);

	__builtin_prefetch(place);
	__builtin_prefetch(place + 64);
}

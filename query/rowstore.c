/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowstore.h"

#include <assert.h>
#include <string.h>

#include "query/rowstoreparts.h"
#include "query/rowword.h"

struct rowstore *rowstore_new(size_t row_size, size_t key_size)
{
	struct rowstore *store = g_new0(struct rowstore, 1);

	store->row_size = row_size;
	store->key_size = key_size;
	store->pack = rowpack_new(row_size, key_size, SIZE_MAX);
	store->areas = g_ptr_array_new_with_free_func((GDestroyNotify)rowarea_free);
	store->blocks = g_ptr_array_new();
	store->forms = g_ptr_array_new_with_free_func((GDestroyNotify)rowform_free);
	store->area_forms = g_array_new(FALSE, FALSE, sizeof(guint));
	store->differs = g_malloc0(key_size);
	return store;
}

void rowstore_free(struct rowstore *store)
{
	if (store) {
		rowstore_clear(store);
		rowpack_free(store->pack);
		g_ptr_array_free(store->areas, TRUE);
		g_ptr_array_free(store->blocks, TRUE);
		g_ptr_array_free(store->forms, TRUE);
		g_array_free(store->area_forms, TRUE);
		g_free(store->differs);
		g_free(store);
	}
}

void rowstore_clear(struct rowstore *store)
{
	for (guint i = store->areas->len; i < store->blocks->len; i++) {
		g_free(g_ptr_array_index(store->blocks, i));
	}
	g_ptr_array_set_size(store->blocks, 0);
	g_ptr_array_set_size(store->areas, 0);
	g_ptr_array_set_size(store->forms, 0);
	g_array_set_size(store->area_forms, 0);
	memset(store->differs, 0, store->key_size);
	rowpack_clear(store->pack);
	store->rows = 0;
	store->bytes = 0;
}

size_t rowstore_count(const struct rowstore *store)
{
	return store->rows + rowpack_rows(store->pack);
}

size_t rowstore_bytes(const struct rowstore *store)
{
	return store->bytes + store->rows + rowpack_rows(store->pack) * store->row_size;
}

bool rowstore_is_full(const struct rowstore *store)
{
	/* what gathers becomes one more */
	return store->forms->len + 1 >= FORMS_MAX || store->areas->len + 1 >= BLOCKS_MAX / 2;
}

/* ---- adding ---- */

/* The number of a form, and 1; several threads have one each, so that it is one of the last. */
static guint number_form(struct rowstore *store, struct rowform *form)
{
	for (guint number = store->forms->len; number > 0; number--) {
		if (g_ptr_array_index(store->forms, number - 1) == form) {
			return number;
		}
	}
	g_ptr_array_add(store->forms, rowform_hold(form));
	return store->forms->len;
}

void rowstore_append(struct rowstore *store, struct rowarea *area)
{
	guint form = number_form(store, area->form);

	assert(area->size <= 1u << BLOCK_SHIFT);
	for (size_t i = 0; i < store->key_size; i++) {
		store->differs[i] |= area->differs[i];
	}
	if (store->areas->len > 0) {
		const struct rowarea *first = g_ptr_array_index(store->areas, 0);

		rowword_note(first->first, area->first, 0, store->key_size, store->differs);
	}
	g_ptr_array_add(store->areas, area);
	g_ptr_array_add(store->blocks, area->bytes);
	g_array_append_val(store->area_forms, form);
	store->rows += area->rows;
	store->bytes += area->size;
}

void rowstore_pack(struct rowstore *store)
{
	struct rowarea *area = rowpack_take(store->pack);

	if (area) {
		rowstore_append(store, area);
	}
}

uint8_t *rowstore_place(struct rowstore *store, size_t want, size_t *count)
{
	uint8_t *place = rowpack_place(store->pack, want, count);

	if (!place) {
		rowstore_pack(store);
		place = rowpack_place(store->pack, want, count);
	}
	return place;
}

/* ---- getting ---- */

size_t rowstore_next(const struct rowstore *store, struct rowcursor *cursor, uint64_t *rows,
		     size_t max)
{
	const struct rowarea *area;
	uint64_t first = (uint64_t)cursor->area << BLOCK_SHIFT;
	uint64_t form;
	size_t count;

	if (cursor->area == cursor->end) {
		return 0;
	}
	area = g_ptr_array_index(store->areas, cursor->area);
	form = (uint64_t)g_array_index(store->area_forms, guint, cursor->area) << FORM_SHIFT;
	count = MIN(max, area->rows - cursor->row);
	for (size_t i = 0; i < count; i++, cursor->row++) {
		if (area->is_whole[cursor->row]) {
			rows[i] = first + area->whole + cursor->whole++ * store->row_size;
		} else {
			rows[i] =
				(first + (cursor->row - cursor->whole) * area->packed_size) | form;
		}
	}
	if (cursor->row == area->rows) {
		*cursor = (struct rowcursor){ .area = cursor->area + 1, .end = cursor->end };
	}
	return count;
}

void rowstore_skip(const struct rowstore *store, struct rowcursor *cursor, size_t count)
{
	while (count > 0 && cursor->area < cursor->end) {
		const struct rowarea *area = g_ptr_array_index(store->areas, cursor->area);
		size_t rows = MIN(count, area->rows - cursor->row);

		for (size_t i = 0; i < rows; i++) {
			cursor->whole += area->is_whole[cursor->row + i];
		}
		cursor->row += rows;
		count -= rows;
		if (cursor->row == area->rows) {
			*cursor =
				(struct rowcursor){ .area = cursor->area + 1, .end = cursor->end };
		}
	}
}

void rowstore_get(const struct rowstore *store, uint64_t row, size_t begin, size_t end,
		  uint8_t *out)
{
	const uint8_t *place = rowstore_at(store, row);
	size_t form = row >> FORM_SHIFT;

	if (form == 0) {
		memcpy(out + begin, place + begin, end - begin);
	} else {
		rowform_unpack(g_ptr_array_index(store->forms, form - 1), place, begin, end, out);
	}
}

void rowstore_get_end(const struct rowstore *store, uint64_t row, size_t from, uint8_t *out)
{
	const uint8_t *place = rowstore_at(store, row);
	size_t form = row >> FORM_SHIFT;

	if (form == 0) {
		memcpy(out, place + from, store->row_size - from);
	} else {
		rowform_unpack_end(g_ptr_array_index(store->forms, form - 1), place, from, out);
	}
}

void rowstore_fetch(const struct rowstore *store, uint64_t row)
{
	const uint8_t *place = rowstore_at(store, row);

	__builtin_prefetch(place);
	__builtin_prefetch(place + 64);
}

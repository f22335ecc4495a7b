/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowpack.h"

#include <string.h>

#include <glib.h>

#include "query/rowword.h"

/* Rows that gather before they are packed: as many as stay in the cache. */
#define GATHER_BYTES (256u * 1024)
/* Rows that are filled at once, column by column: as many as stay in the nearest cache. */
#define PLACE_BYTES (16u * 1024)
/* A form is good for rows that take no more than this, to those it was chosen for or another's. */
#define COST_MORE_MAX 1.05
/* After so many areas it is asked whether another is better. */
#define FORM_AGE_MAX 64

struct rowpack {
	size_t row_size;
	size_t key_size;
	uint8_t *gathered;
	size_t rows;
	size_t rows_max;
	struct rowroom *room; /* where the next area goes, or NULL */
	struct rowform *form;
	double form_cost; /* bytes of a row when it was chosen */
	unsigned form_age;
};

void rowarea_free(struct rowarea *area)
{
	if (area) {
		rowroom_free(area->room);
		rowform_free(area->form);
		g_free(area->is_whole);
		g_free(area->first);
		g_free(area);
	}
}

struct rowpack *rowpack_new(size_t row_size, size_t key_size, size_t rows_max)
{
	struct rowpack *pack = g_new0(struct rowpack, 1);

	pack->row_size = row_size;
	pack->key_size = key_size;
	pack->rows_max = MIN(MAX(GATHER_BYTES / row_size, 1), rows_max);
	return pack;
}

void rowpack_free(struct rowpack *pack)
{
	if (pack) {
		g_free(pack->gathered);
		rowroom_free(pack->room);
		rowform_free(pack->form);
		g_free(pack);
	}
}

size_t rowpack_rows(const struct rowpack *pack)
{
	return pack->rows;
}

void rowpack_clear(struct rowpack *pack)
{
	pack->rows = 0;
}

uint8_t *rowpack_place(struct rowpack *pack, size_t want, size_t *count)
{
	uint8_t *place;

	if (pack->rows == pack->rows_max) {
		return NULL;
	}
	if (!pack->gathered) {
		pack->gathered = g_malloc0(pack->rows_max * pack->row_size + ROWFORM_SLACK);
	}
	*count = MIN(want, MIN(pack->rows_max - pack->rows, MAX(PLACE_BYTES / pack->row_size, 1)));
	place = pack->gathered + pack->rows * pack->row_size;
	pack->rows += *count;
	return place;
}

/* The best form for the gathered rows, or the one at hand if that is as good. */
static void choose_form(struct rowpack *pack)
{
	struct rowform *form = rowform_choose(pack->gathered, pack->row_size, pack->rows);

	pack->form_age = 0;
	if (pack->form && rowform_cost(pack->form, pack->gathered, pack->rows) <=
				  rowform_cost(form, pack->gathered, pack->rows) * COST_MORE_MAX) {
		rowform_free(form);
		return;
	}
	rowform_free(pack->form);
	pack->form = form;
}

/* Room for all gathered rows as they are. */
static uint8_t *take_room(struct rowpack *pack)
{
	const size_t most = pack->rows * pack->row_size + ROWFORM_SLACK;
	uint8_t *place = pack->room ? rowroom_place(pack->room, most) : NULL;

	if (!place) {
		rowroom_free(pack->room);
		pack->room = rowroom_new();
		place = rowroom_place(pack->room, most);
	}
	return place;
}

/* Pack the rows that fit the form, and mark the others; returns how many fit. */
static size_t pack_fitting(const struct rowpack *pack, struct rowarea *area)
{
	const size_t size = rowform_size(pack->form);
	const uint8_t *row = pack->gathered;
	uint8_t *to = area->bytes;
	size_t fitting = 0;

	for (size_t i = 0; i < pack->rows; i++, row += pack->row_size) {
		bool fits = rowform_pack(pack->form, row, to);

		area->is_whole[i] = !fits;
		fitting += fits;
		to += fits ? size : 0;
	}
	area->whole = fitting * size;
	area->size = area->whole + (pack->rows - fitting) * pack->row_size + ROWFORM_SLACK;
	return fitting;
}

/* Bytes of a row, on the average. */
static double cost_of_area(const struct rowarea *area)
{
	return (double)(area->size - ROWFORM_SLACK) / (double)area->rows;
}

/*
 * The form at hand will do if it does as well as for the rows that it was chosen for; now and then
 * it is asked whether another is better.
 */
static size_t pack_with_form(struct rowpack *pack, struct rowarea *area)
{
	const bool chosen = !pack->form || pack->form_age++ == FORM_AGE_MAX;
	size_t fitting;

	if (chosen) {
		choose_form(pack);
	}
	fitting = pack_fitting(pack, area);
	if (!chosen && cost_of_area(area) > pack->form_cost * COST_MORE_MAX) {
		choose_form(pack);
		fitting = pack_fitting(pack, area);
	}
	if (pack->form_age == 0) {
		pack->form_cost = cost_of_area(area);
	}
	return fitting;
}

static void copy_whole(const struct rowpack *pack, struct rowarea *area)
{
	const uint8_t *row = pack->gathered;
	uint8_t *to = area->bytes + area->whole;

	for (size_t i = 0; i < area->rows; i++, row += pack->row_size) {
		if (area->is_whole[i]) {
			memcpy(to, row, pack->row_size);
			to += pack->row_size;
		}
	}
}

/* What differs in all of the keys. */
static void note_keys(const struct rowpack *pack, struct rowarea *area)
{
	const uint8_t *row = pack->gathered;

	area->first = g_malloc0(2 * pack->key_size);
	area->differs = area->first + pack->key_size;
	memcpy(area->first, row, pack->key_size);
	for (size_t i = 0; i < pack->rows; i++, row += pack->row_size) {
		rowword_note(area->first, row, 0, pack->key_size, area->differs);
	}
}

struct rowarea *rowpack_take(struct rowpack *pack)
{
	struct rowarea *area;

	if (pack->rows == 0) {
		return NULL;
	}
	area = g_new0(struct rowarea, 1);
	area->rows = pack->rows;
	area->is_whole = g_malloc(area->rows);
	area->bytes = take_room(pack);
	area->room = rowroom_hold(pack->room);
	if (pack_with_form(pack, area) < area->rows) {
		copy_whole(pack, area);
	}
	area->form = rowform_hold(pack->form);
	area->packed_size = rowform_size(pack->form);
	rowroom_use(pack->room, area->size);
	note_keys(pack, area);
	pack->rows = 0;
	return area;
}

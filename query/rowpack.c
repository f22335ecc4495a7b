/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowpack.h"

#include <float.h>
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
#define FORM_AGE_MAX 16

struct rowpack {
	size_t row_size;
	size_t key_size;
	uint8_t *gathered;
	size_t rows;
	size_t rows_max;
	uint8_t *packed; /* room for as many */
	struct rowform *form;
	double form_cost; /* bytes of a row when it was chosen */
	unsigned form_age;
};

void rowarea_free(struct rowarea *area)
{
	if (area) {
		g_free(area->bytes);
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
		g_free(pack->packed);
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
		size_t bytes = pack->rows_max * pack->row_size + ROWFORM_SLACK;

		pack->gathered = g_malloc0(bytes);
		pack->packed = g_malloc(bytes);
	}
	*count = MIN(want, MIN(pack->rows_max - pack->rows, MAX(PLACE_BYTES / pack->row_size, 1)));
	place = pack->gathered + pack->rows * pack->row_size;
	pack->rows += *count;
	return place;
}

/* A form for the gathered rows: the last one when it will do. */
static void choose_form(struct rowpack *pack)
{
	double cost = DBL_MAX;
	struct rowform *form;

	if (pack->form) {
		cost = rowform_cost(pack->form, pack->gathered, pack->rows);
		if (cost <= pack->form_cost * COST_MORE_MAX && pack->form_age++ < FORM_AGE_MAX) {
			return;
		}
	}
	form = rowform_choose(pack->gathered, pack->row_size, pack->rows);
	pack->form_cost = rowform_cost(form, pack->gathered, pack->rows);
	pack->form_age = 0;
	if (cost <= pack->form_cost * COST_MORE_MAX) {
		rowform_free(form);
	} else {
		rowform_free(pack->form);
		pack->form = form;
	}
}

/*
 * Pack those that fit the form to pack->packed; returns how many, marks the others, and notes what
 * differs in all of the keys.
 */
static size_t pack_fitting(struct rowpack *pack, struct rowarea *area)
{
	const size_t size = rowform_size(pack->form);
	const uint8_t *row = pack->gathered;
	uint8_t *to = pack->packed;
	size_t fitting = 0;

	for (size_t i = 0; i < pack->rows; i++, row += pack->row_size) {
		bool fits = rowform_pack(pack->form, row, to);

		rowword_note(area->first, row, 0, pack->key_size, area->differs);
		area->is_whole[i] = !fits;
		fitting += fits;
		to += fits ? size : 0;
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

struct rowarea *rowpack_take(struct rowpack *pack)
{
	struct rowarea *area;
	size_t fitting;

	if (pack->rows == 0) {
		return NULL;
	}
	choose_form(pack);
	area = g_new0(struct rowarea, 1);
	area->rows = pack->rows;
	area->form = rowform_hold(pack->form);
	area->packed_size = rowform_size(pack->form);
	area->is_whole = g_malloc(area->rows);
	area->first = g_malloc0(2 * pack->key_size);
	area->differs = area->first + pack->key_size;
	memcpy(area->first, pack->gathered, pack->key_size);
	fitting = pack_fitting(pack, area);
	area->whole = fitting * area->packed_size;
	area->size = area->whole + (area->rows - fitting) * pack->row_size + ROWFORM_SLACK;
	area->bytes = g_malloc(area->size);
	memcpy(area->bytes, pack->packed, area->whole);
	if (fitting < area->rows) {
		copy_whole(pack, area);
	}
	pack->rows = 0;
	return area;
}

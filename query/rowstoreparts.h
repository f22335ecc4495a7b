/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a row store, shared by rowstore.c and rowbuckets.c alone. */
#ifndef TUSSAH_QUERY_ROWSTOREPARTS_H
#define TUSSAH_QUERY_ROWSTOREPARTS_H

#include <glib.h>

#include "query/rowstore.h"

/* A row is told by its form, 0 for none, and where it is: block and place in that. */
#define FORM_SHIFT  48
#define FORMS_MAX   ((1u << (64 - FORM_SHIFT)) - 1)
#define BLOCK_SHIFT 24
#define BLOCKS_MAX  (1u << (FORM_SHIFT - BLOCK_SHIFT))

struct rowstore {
	size_t row_size;
	size_t key_size;
	struct rowpack *pack; /* what gathers */
	GPtrArray *areas;     /* struct rowarea */
	GPtrArray *blocks;    /* their bytes, and those that rowbuckets.c makes */
	GPtrArray *forms;     /* struct rowform, all there are, held */
	GArray *area_forms;   /* guint, by area: its number and 1 */
	uint8_t *differs;     /* by byte of the keys of all areas: the bits in which they differ */
	size_t rows;          /* of areas */
	size_t bytes;         /* of areas */
};

static inline uint8_t *rowstore_at(const struct rowstore *store, uint64_t row)
{
	uint64_t at = row & ((UINT64_C(1) << FORM_SHIFT) - 1);
	uint8_t *block = (uint8_t *)g_ptr_array_index(store->blocks, at >> BLOCK_SHIFT);

	return block + (at & ((1u << BLOCK_SHIFT) - 1));
}

/* The rows that have only gathered become an area, too. */
void rowstore_pack(struct rowstore *store);
/* Goes through the rows of areas area..end-1, in order; the rest is 0 at first. */
struct rowcursor {
	guint area;
	guint end;
	size_t row;   /* of the area */
	size_t whole; /* of these before it, those that do not fit the form */
};
/* The numbers of the next rows, at most max: how many. 0: that was all. */
size_t rowstore_next(const struct rowstore *store, struct rowcursor *cursor, uint64_t *rows,
		     size_t max);
/* Pass over so many, or what there is. */
void rowstore_skip(const struct rowstore *store, struct rowcursor *cursor, size_t count);

#endif

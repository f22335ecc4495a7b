/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows on their way to a row store: they gather as they are, and when there are enough of them they
 * become an area, in less room than they have bytes, which a store takes over. So several threads
 * can do the work for one store.
 *
 *	struct rowpack *pack = rowpack_new(row_size, key_size, SIZE_MAX);
 *	while ((to = rowpack_place(pack, want, &count)) == NULL) {	// else fill them
 *		rowstore_append(store, rowpack_take(pack));
 *	}
 *	...
 *	area = rowpack_take(pack);		// the rest; NULL: there is none
 *	rowpack_free(pack);
 */
#ifndef TUSSAH_QUERY_ROWPACK_H
#define TUSSAH_QUERY_ROWPACK_H

#include "query/rowform.h"
#include "query/rowroom.h"

/* Rows that were packed together: those that fit the form, then the others as they are. */
struct rowarea {
	uint8_t *bytes;
	struct rowroom *room; /* this area's hold of where they are */
	size_t size;          /* of bytes, ROWFORM_SLACK bytes behind the rows included */
	size_t rows;
	size_t whole; /* place of the first one that does not fit */
	size_t packed_size;
	struct rowform *form; /* this area's hold of it */
	uint8_t *is_whole;    /* by row: does it not fit? */
	/* of the keys, the first bytes of rows: the one of the first row, and the bits in which any
	 * differ from that */
	uint8_t *first;
	uint8_t *differs;
};

void rowarea_free(struct rowarea *area);

struct rowpack;

/*
 * Keys are the first key_size bytes of rows. At most rows_max are to gather. Nothing is allocated for
 * rows yet.
 */
struct rowpack *rowpack_new(size_t row_size, size_t key_size, size_t rows_max);
void rowpack_free(struct rowpack *pack);
/*
 * Place for rows, one behind the other: *count of them, 1..want, to be filled before the next call.
 * Borrowed until the next call. NULL: take what there is first.
 */
uint8_t *rowpack_place(struct rowpack *pack, size_t want, size_t *count);
/* What has gathered. Returned: rowarea_free(). NULL: nothing has. */
struct rowarea *rowpack_take(struct rowpack *pack);
/* How many have gathered. */
size_t rowpack_rows(const struct rowpack *pack);
/* They are not wanted any more. */
void rowpack_clear(struct rowpack *pack);

#endif

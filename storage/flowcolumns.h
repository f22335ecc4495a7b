/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records turned into one array per core column, of the column's own width, for a block that is
 * being made. Those that come one by one are kept as rows first, and become columns some at a time:
 * a record that comes touches one place in memory, not twenty. While all addresses are IPv4 they are kept as 32 bits,
 * and some columns that many sorts of records do not know are no arrays until a value is not the
 * usual one.
 *
 *	struct flowcolumns columns;
 *	flowcolumns_init(&columns, &usual);
 *	flowcolumns_add(&columns, &rec);
 *	flowcolumns_add_rows(&columns, rows, count);		// struct record *const rows[]
 *	flowcolumns_settle(&columns);				// now columns.values are whole
 *	flowcolumns_clear(&columns);
 *	flowcolumns_release(&columns);
 */
#ifndef TUSSAH_STORAGE_FLOWCOLUMNS_H
#define TUSSAH_STORAGE_FLOWCOLUMNS_H

#include "common/record.h"

#define FLOWCOLUMNS_STAGED 64u

struct flowcolumns {
	uint32_t rows; /* all, those that are still rows as well */
	/* Addresses are uint32_t (ip_to_v4()), as all of them are IPv4; else struct ip. */
	bool narrow;
	void *values[COLUMN_COUNT]; /* arrays, but of columns that are usual */
	uint32_t usual_columns; /* bits: of all rows that are settled the value is the usual one */

	/* internal: */
	struct record usual;
	uint32_t settled; /* rows that the arrays have */
	uint32_t capacity;
	struct record *stage;         /* those that they have not */
	const struct record **staged; /* where those are */
};

/* usual is copied; its addresses are IPv4. */
void flowcolumns_init(struct flowcolumns *columns, const struct record *usual);
void flowcolumns_release(struct flowcolumns *columns);
/* Forget the rows; the room for them stays. */
void flowcolumns_clear(struct flowcolumns *columns);

void flowcolumns_settle(struct flowcolumns *columns);

static inline void flowcolumns_add(struct flowcolumns *columns, const struct record *rec)
{
	record_copy(&columns->stage[columns->rows++ - columns->settled], rec);
	if (columns->rows - columns->settled == FLOWCOLUMNS_STAGED) {
		flowcolumns_settle(columns);
	}
}

/* Many at once; borrowed. */
void flowcolumns_add_rows(struct flowcolumns *columns, const struct record *const *rows,
			  size_t count);

/* Bytes of one value in the array. */
size_t flowcolumns_size(const struct flowcolumns *columns, enum column column);

#endif

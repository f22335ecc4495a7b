/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The layouts of SiLK's row formats: one table per (format, record version) of columns and where
 * they are (silk-flow-files.md section 4). Reading and writing both follow the table, column by
 * column over many rows, so that nothing is called per record.
 *
 *	const struct rowformat *format = rowformat_find(FORMAT_RWSPLIT, 5);
 *	struct rowread in = { .bytes = at, .rows = n, .stride = format->length, .swap = swap };
 *	rowformat_decode(format, &in, COLUMNS_ALL, batch);
 *
 * All of it is constant: any number of threads.
 */
#ifndef TUSSAH_STORAGE_ROWFORMAT_H
#define TUSSAH_STORAGE_ROWFORMAT_H

#include "common/batch.h"
#include "storage/header.h"

struct rowfield;
struct rowview;
struct rowwrite;
enum rowcheck;

enum rowformat_flags {
	ROWFORMAT_IPV6 = 1 << 0,          /* can hold IPv6; others refuse such records */
	ROWFORMAT_PACKED_HEADER = 1 << 1, /* hour, sensor and flowtype come from the header */
	ROWFORMAT_HEADER_SENSOR = 1 << 2, /* the sensor alone does */
	ROWFORMAT_SWAP_ICMP = 1 << 3,     /* legacy files: ICMP type and code are exchanged */
};

struct rowformat {
	uint8_t format;
	uint8_t version;
	uint8_t length; /* bytes of a record */
	unsigned flags;
	const struct rowfield *fields; /* ends with a codec of NULL */
	const enum rowcheck *checks;   /* ends with ROWCHECK_END */
	/* as all fields' codecs do; NULL: they are to */
	void (*encode)(const struct rowwrite *out, const struct rowview *view, const uint16_t *rows,
		       uint32_t count);
};

/* NULL: the format has no such version. */
const struct rowformat *rowformat_find(uint8_t format, uint16_t version);
/* What a writer uses when nobody asks for a version; 0 for what is no flow format. */
uint16_t rowformat_default_version(uint8_t format);

/* Rows to decode, and what the header says about them. */
struct rowread {
	const uint8_t *bytes;
	size_t stride;
	uint32_t rows; /* <= BATCH_ROWS */
	bool swap;     /* the file has the byte order that the machine has not */
	int64_t hour_ns;
	uint16_t sensor;
	uint8_t flowtype;
	bool keep_icmp_sport;
	bool legacy_header;
};

/* Fill the wanted columns (some more may be filled), all rows selected. */
void rowformat_decode(const struct rowformat *format, const struct rowread *in, uint32_t wanted,
		      struct batch *out);

/* The columns of one record or of a batch, by pointers, so that both are written by one code. */
struct rowview {
#define X(upper, member, type) const type *member;
	RECORD_COLUMNS(X)
#undef X
};
struct rowview rowview_of_record(const struct record *rec);
struct rowview rowview_of_batch(const struct batch *batch);

struct rowwrite {
	uint8_t *bytes;
	size_t stride;
	bool swap;
	int64_t hour_ns;
};

/* Does this row fit the format? ST_OK, or ST_ERANGE with the first reason in SiLK's order. */
int rowformat_check(const struct rowformat *format, const struct rowview *view, uint32_t row,
		    int64_t hour_ns, struct err *err);

/* Write rows that have passed rowformat_check(); count of them, by their numbers in the view. */
void rowformat_encode(const struct rowformat *format, const struct rowwrite *out,
		      const struct rowview *view, const uint16_t *rows, uint32_t count);

#endif

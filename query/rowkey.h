/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key that a list of fields makes of a record: bytes whose memcmp() order is the order of the
 * fields, one after the other.
 *
 *	rowkey_init(&key, fields, count);
 *	rowkey_tell_family(&key);			// if 10.0.0.1 is not ::ffff:10.0.0.1
 *	rowkey_pack(&key, batch, rows, stride);		// key.size bytes for each selected row
 */
#ifndef TUSSAH_QUERY_ROWKEY_H
#define TUSSAH_QUERY_ROWKEY_H

#include "common/field.h"

struct rowkey {
	const struct field *const *fields;
	size_t count;
	size_t size;
	size_t family_at; /* number of the field that the family comes before; count: none */
	const struct field *attributes; /* as field_find() gives it */
};

/* fields are kept. */
void rowkey_init(struct rowkey *key, const struct field *const *fields, size_t count);
/*
 * The addresses of an IPv4 record come before, and are never equal to, those of an IPv6 record. Nothing
 * changes where no field is an address.
 */
void rowkey_tell_family(struct rowkey *key);
/* The keys of the selected rows, stride apart. */
void rowkey_pack(const struct rowkey *key, const struct batch *batch, uint8_t *out, size_t stride);
/* One byte: the family of each record. */
void rowkey_pack_family(const struct batch *batch, uint8_t *out, size_t stride);
/* Field number i alone, without the family before it; returns how many bytes of each key it has. */
size_t rowkey_pack_field(const struct rowkey *key, size_t i, const struct batch *batch,
			 uint8_t *out, size_t stride);

#endif

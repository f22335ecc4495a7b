/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kinds of ops of packer/templateplan.h, each with the loop that does all neighbouring ops of
 * its kind. Internal to the plan.
 */
#ifndef TUSSAH_PACKER_PLANRUN_H
#define TUSSAH_PACKER_PLANRUN_H

#include <stddef.h>
#include <stdint.h>

struct templateplan_values;

enum planrun_kind {
	PLANRUN_1TO1, /* bytes on the wire, bytes in the struct: an unsigned number */
	PLANRUN_1TO2,
	PLANRUN_1TO4,
	PLANRUN_1TO8,
	PLANRUN_2TO2,
	PLANRUN_2TO4,
	PLANRUN_2TO8,
	PLANRUN_4TO4,
	PLANRUN_4TO8,
	PLANRUN_8TO8,
	PLANRUN_TO1, /* the same from any number of bytes */
	PLANRUN_TO2,
	PLANRUN_TO4,
	PLANRUN_TO8,
	PLANRUN_SIGNED, /* as columns hold it */
	PLANRUN_DOUBLE, /* float64 from 4 or 8 bytes */
	PLANRUN_MICROSECONDS,
	PLANRUN_NANOSECONDS,
	PLANRUN_RAW16,
	PLANRUN_IPV4, /* struct ip */
	PLANRUN_IPV6,
	PLANRUN_BYTES,  /* struct encode_bytes, into the record */
	PLANRUN_STRING, /* the same without the zeros at its end */
	PLANRUN_LIST,   /* struct template_bytes */
	PLANRUN_KINDS,
};

struct planrun_op {
	uint16_t offset; /* in the record */
	uint16_t len;
	uint16_t to; /* in struct templateplan_values */
	uint8_t kind;
};

/* Do op and what follows of its kind, before end; returns the next op. */
typedef const struct planrun_op *(*planrun_fn)(const struct planrun_op *op,
					       const struct planrun_op *end, const uint8_t *record,
					       struct templateplan_values *values);
extern const planrun_fn planrun_table[PLANRUN_KINDS];

/* From len bytes (TEMPLATE_VARLEN: any) to a member of size bytes. */
uint8_t planrun_field_kind(uint16_t len, size_t size);
/* The type that a column of this element has if values have len bytes; type: enum column_type. */
uint8_t planrun_column_type(uint8_t type, uint16_t len);
uint8_t planrun_column_kind(uint8_t column_type, uint16_t len);
/* Where the value of the type is in struct flowblock_value. */
size_t planrun_value_offset(uint8_t column_type);

#endif

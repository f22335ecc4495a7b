/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields of extension columns: information elements beyond the field table, named like any other
 * field by their name ("samplingPacketInterval"), by enterprise and number ("6871/114") or, of
 * IANA's, by number ("ie305"). They are made as they are named; elements that the field table has
 * are its fields.
 *
 *	struct extfields *ext = extfields_new();
 *	rc = extfields_parse_list(ext, "sIP,postNATSourceIPv4Address", 0, &fields, &count, err);
 *	extfields_want(ext, batch);			// before the batch is first read into
 *	...
 *	field_load(fields[i], batch, row, ctx, &value);
 *	extfields_free(ext);				// and with it its fields
 *
 * Byte strings that become keys are kept until then, each once. Threads: one at a time.
 */
#ifndef TUSSAH_COMMON_EXTFIELD_H
#define TUSSAH_COMMON_EXTFIELD_H

#include "common/field.h"

struct extfields;

/* Never NULL; costs nothing until an element is named. */
struct extfields *extfields_new(void);
void extfields_free(struct extfields *ext);

/* As field_find_in(), of the field table and, where that has no such name, of elements. */
const struct field *extfields_find(struct extfields *ext, const char *name, unsigned flags,
				   struct err *err);
/* As field_parse_list(), with elements. */
int extfields_parse_list(struct extfields *ext, const char *text, unsigned flags,
			 const struct field ***out, size_t *count, struct err *err);

/* How many elements were named. */
size_t extfields_count(const struct extfields *ext);
/* Have the batch filled with them. */
void extfields_want(const struct extfields *ext, struct batch *batch);

/* What field->load() and field->pack() do, for fields of either sort. */
void extfield_load(const struct field *field, const struct batch *batch, uint32_t row,
		   struct value *out);
void extfield_pack(const struct field *field, const struct batch *batch, uint8_t *out,
		   size_t stride);

static inline void field_load(const struct field *field, const struct batch *batch, uint32_t row,
			      const struct field_context *ctx, struct value *out)
{
	if (field->extension) {
		extfield_load(field, batch, row, out);
	} else {
		field->load(batch, row, ctx, out);
	}
}

static inline void field_pack(const struct field *field, const struct batch *batch, uint8_t *out,
			      size_t stride)
{
	if (field->extension) {
		extfield_pack(field, batch, out, stride);
	} else {
		field->pack(batch, out, stride);
	}
}

/* Give a loaded value a byte string of its own, for longer than the batch; and let go of it. A
 * zeroed value may be dropped. */
void extfield_copy(struct value *value);
void extfield_drop(struct value *value);

/* The length of a byte string that is kept. */
size_t extfield_kept_length(const uint8_t *bytes);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values of extension columns: how each RFC 5610 type is printed, and how values become keys.
 * Inside common only; others reach them through struct field (common/extfield.h).
 *
 *	kind = extvalue_kind(IE_MAC_ADDRESS);
 *	len = kind->print(out, &value, field, ctx);	// up to EXTVALUE_TEXT_MAX bytes
 *
 * A key begins with a byte that is 0 where there is no value, else the type plus 1. Of numbers the
 * eight bytes as held follow (floats so that order is kept), of addresses sixteen. Elements whose
 * values are byte strings have the first bytes of the string and, to tell longer ones apart, the
 * place of the one copy that is kept of it; values of other types fit in there, too. A value whose
 * type does not fit the key of its field has none.
 */
#ifndef TUSSAH_COMMON_EXTVALUE_H
#define TUSSAH_COMMON_EXTVALUE_H

#include "common/batch.h"
#include "common/field.h"

#define EXTVALUE_TEXT_MAX 4000 /* longer text is cut and ends in "..." */

/* For an element of this type by the model; IE_TYPES: not known. */
const struct value_kind *extvalue_kind(unsigned type);
/* A usual width of its column. */
int extvalue_width(unsigned type, const struct field_context *ctx);
/* Are values of this type byte strings? */
bool extvalue_is_bytes(unsigned type);
/* The value of a row that has one; byte strings are borrowed until the next batch is read. */
struct value extvalue_load(const struct batch_extension *column, uint32_t row);

#endif

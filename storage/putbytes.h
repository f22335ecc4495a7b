/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers appended to what is being made, in the forms of storage/FORMAT.md section 1.
 *
 *	put_varint(out, zigzag_encode(start_ns));
 *	put_u64(out, XXH64(out->data, out->len, 0));
 */
#ifndef TUSSAH_STORAGE_PUTBYTES_H
#define TUSSAH_STORAGE_PUTBYTES_H

#include <glib.h>
#include <stdint.h>

void put_byte(GByteArray *out, uint8_t byte);
void put_varint(GByteArray *out, uint64_t value);
/* Eight bytes, little-endian. */
void put_u64(GByteArray *out, uint64_t value);

#endif

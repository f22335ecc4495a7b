/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/putbytes.h"

#include "storage/byteorder.h"
#include "storage/varint.h"

void put_byte(GByteArray *out, uint8_t byte)
{
	g_byte_array_append(out, &byte, 1);
}

void put_varint(GByteArray *out, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES_MAX];

	g_byte_array_append(out, bytes, (guint)varint_put(bytes, value));
}

void put_u64(GByteArray *out, uint64_t value)
{
	uint8_t bytes[8];

	store64(bytes, value, HOST_BIG_ENDIAN);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

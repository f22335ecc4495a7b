/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops exist once for each width of the values and of what is written of them. */
#include "storage/quickcolumn.h"

#include "common/vectorized.h"
#include "storage/byteorder.h"
#include "storage/divisor.h"
#include "storage/encode.h"
#include "storage/packed.h"
#include "storage/putbytes.h"

#define MEASURE(bits)                                                                              \
	VECTORIZED static void measure_u##bits(struct quickcolumn *column)                         \
	{                                                                                          \
		const uint##bits##_t *values = column->values;                                     \
		uint##bits##_t min = values[0];                                                    \
		uint##bits##_t max = values[0];                                                    \
                                                                                                   \
		for (uint32_t i = 0; i < column->rows; i++) {                                      \
			min = MIN(min, values[i]);                                                 \
			max = MAX(max, values[i]);                                                 \
		}                                                                                  \
		column->min = min;                                                                 \
		column->max = max;                                                                 \
	}
MEASURE(8)
MEASURE(16)
MEASURE(32)
MEASURE(64)

void quickcolumn_measure(struct quickcolumn *column)
{
	static void (*const measure[])(struct quickcolumn *) = {
		[1] = measure_u8,
		[2] = measure_u16,
		[4] = measure_u32,
		[8] = measure_u64,
	};

	measure[column->size](column);
}

/* Of count values, how far above base they are. */
typedef void (*pack_fn)(const void *values, size_t count, uint64_t base, uint8_t *out);

#define PACK(from, to)                                                                             \
	VECTORIZED static void pack_u##from##_u##to(const void *values, size_t count,              \
						    uint64_t base, uint8_t *out)                   \
	{                                                                                          \
		const uint##from##_t *in = values;                                                 \
                                                                                                   \
		for (size_t i = 0; i < count; i++) {                                               \
			store##to(out + i * (to / 8),                                              \
				  (uint##to##_t)(in[i] - (uint##from##_t)base), HOST_BIG_ENDIAN);  \
		}                                                                                  \
	}
PACK(8, 8)
PACK(16, 8)
PACK(16, 16)
PACK(32, 8)
PACK(32, 16)
PACK(32, 32)
PACK(64, 8)
PACK(64, 16)
PACK(64, 32)
PACK(64, 64)

static const pack_fn packs[9][9] = {
	[1] = { [1] = pack_u8_u8 },
	[2] = { [1] = pack_u16_u8, [2] = pack_u16_u16 },
	[4] = { [1] = pack_u32_u8, [2] = pack_u32_u16, [4] = pack_u32_u32 },
	[8] = { [1] = pack_u64_u8, [2] = pack_u64_u16, [4] = pack_u64_u32, [8] = pack_u64_u64 },
};

/* Bytes that numbers up to max take. */
static size_t bytes_of(uint64_t max)
{
	return max <= UINT8_MAX ? 1 : max <= UINT16_MAX ? 2 : max <= UINT32_MAX ? 4 : 8;
}

/* The head of a stream of frames, and room for all of them: returns where they begin. */
static uint8_t *begin_frames(const struct quickcolumn *column, uint64_t scale, size_t bytes,
			     GByteArray *out)
{
	const size_t frames = (column->rows + FRAME_ROWS - 1) / FRAME_ROWS;
	uint8_t *lengths;
	guint at;

	put_byte(out, ENCODING_FRAMES);
	put_varint(out, column->min);
	put_varint(out, scale);
	at = out->len;
	g_byte_array_set_size(out, at + (guint)(frames * (2 + 3) + column->rows * bytes));
	lengths = out->data + at;
	for (size_t i = 0; i < frames; i++) {
		size_t rows = MIN(column->rows - i * FRAME_ROWS, FRAME_ROWS);

		store16(lengths + 2 * i, (uint16_t)(3 + rows * bytes), HOST_BIG_ENDIAN);
	}
	return lengths + 2 * frames;
}

/* The base, which is 0, the width, and that there are no exceptions; returns what is behind. */
static uint8_t *begin_frame(uint8_t *at, size_t bytes)
{
	at[0] = 0;
	at[1] = (uint8_t)(8 * bytes);
	at[2] = 0;
	return at + 3;
}

static void put_frames(const struct quickcolumn *column, GByteArray *out)
{
	const size_t bytes = bytes_of(column->max - column->min);
	const pack_fn pack = packs[column->size][bytes];
	const uint8_t *values = column->values;
	uint8_t *at = begin_frames(column, 1, bytes, out);

	for (uint32_t row = 0; row < column->rows; row += FRAME_ROWS) {
		size_t rows = MIN(column->rows - row, FRAME_ROWS);

		at = begin_frame(at, bytes);
		pack(values + row * column->size, rows, column->min, at);
		at += rows * bytes;
	}
}

/* Numbers that are far apart and have a divisor: times, which are seldom as fine as they could
 * be. */
static void put_scaled(const struct quickcolumn *column, const struct divisor *scale,
		       GByteArray *out)
{
	const uint64_t *values = column->values;
	const size_t bytes = bytes_of((column->max - column->min) / scale->number);
	uint8_t *at = begin_frames(column, scale->number, bytes, out);

	for (uint32_t row = 0; row < column->rows; row += FRAME_ROWS) {
		size_t rows = MIN(column->rows - row, FRAME_ROWS);
		uint64_t numbers[FRAME_ROWS];

		divisor_quotients(scale, values + row, rows, column->min, numbers);
		at = begin_frame(at, bytes);
		packs[sizeof(*values)][bytes](numbers, rows, 0, at);
		at += rows * bytes;
	}
}

void quickcolumn_put(const struct quickcolumn *column, GByteArray *out)
{
	if (column->min == column->max) {
		put_byte(out, ENCODING_CONSTANT);
		put_varint(out, column->min);
	} else if (column->max - column->min > UINT32_MAX) {
		const struct divisor scale =
			divisor_of(divisor_common(column->values, column->rows, column->min));

		put_scaled(column, &scale, out);
	} else {
		put_frames(column, out);
	}
}

void quickcolumn_put_v4(const struct quickcolumn *column, GByteArray *out)
{
	uint8_t bytes[16];

	if (column->min == column->max) {
		ip_to_bytes(ip_from_v4((uint32_t)column->min), bytes);
		put_byte(out, ENCODING_ADDRESS_CONSTANT);
		g_byte_array_append(out, bytes, sizeof(bytes));
	} else {
		put_byte(out, ENCODING_ADDRESS_V4);
		quickcolumn_put(column, out);
	}
}

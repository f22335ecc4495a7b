/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapngsnap.h"

#include <string.h>

/* draft-ietf-opsawg-pcapng, 3.1, 4.1 and 4.2 */
#define BLOCK_SECTION   UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE UINT32_C(1)
#define BYTE_ORDER      UINT32_C(0x1a2b3c4d)
#define HEAD_BYTES      12 /* a block has them at least */
#define LIMIT_END       16 /* of an interface: its limit stands behind the head */

static uint32_t get32(const struct pcapngsnap *snap, size_t at)
{
	uint32_t value;

	memcpy(&value, snap->head + at, sizeof(value));
	return snap->swapped ? __builtin_bswap32(value) : value;
}

/* The head is complete. */
static void begin_block(struct pcapngsnap *snap)
{
	if (get32(snap, 0) == BLOCK_SECTION) { /* the same in either byte order */
		uint32_t order = get32(snap, 8);

		snap->swapped ^= order == __builtin_bswap32(BYTE_ORDER);
		snap->begun = get32(snap, 8) == BYTE_ORDER;
	}
	snap->length = get32(snap, 4);
	snap->lost = !snap->begun || snap->length < HEAD_BYTES;
}

static bool is_limit(const struct pcapngsnap *snap)
{
	return snap->at >= HEAD_BYTES && snap->at < LIMIT_END && snap->at + 4 < snap->length &&
	       get32(snap, 0) == BLOCK_INTERFACE;
}

static void take_byte(struct pcapngsnap *snap, uint8_t *byte)
{
	if (snap->at < HEAD_BYTES) {
		snap->head[snap->at] = *byte;
	} else if (is_limit(snap)) {
		*byte = 0;
	}
	snap->at++;
	if (snap->at == HEAD_BYTES) {
		begin_block(snap);
	}
}

void pcapngsnap_lift(struct pcapngsnap *snap, uint8_t *bytes, size_t len)
{
	const uint8_t *end = bytes + len;

	while (bytes < end && !snap->lost) {
		if (snap->at < LIMIT_END) {
			take_byte(snap, bytes);
			bytes++;
		} else {
			uint64_t rest = snap->length - snap->at;
			size_t step =
				rest < (size_t)(end - bytes) ? (size_t)rest : (size_t)(end - bytes);

			snap->at += step;
			bytes += step;
		}
		if (snap->at >= HEAD_BYTES && snap->at >= snap->length) {
			snap->at = 0;
		}
	}
}

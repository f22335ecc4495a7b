/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames and delta streams opened for reading (storage/FORMAT.md section 4): what every number
 * stream but constants ends in.
 *
 *	struct frames frames;
 *	frames_open(&frames, at, end, rows, false, err);	// behind the byte of the encoding
 *	frames_read(&frames, 1024, 1024, &lanes_u16, ports, err);
 *
 * Statuses: ST_OK or ST_EFORMAT. Threads: any number may read.
 */
#ifndef TUSSAH_STORAGE_FRAMES_H
#define TUSSAH_STORAGE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "storage/encode.h"
#include "storage/lanes.h"

struct frames {
	const uint8_t *bytes; /* of the first frame; borrowed */
	uint32_t count;       /* of values */
	bool delta;
	uint64_t origin;
	uint64_t scale;
	uint32_t ends[ENCODE_ROWS_MAX / FRAME_ROWS]; /* of the frames, from bytes */
};

/* The frames use up all bytes up to end, which has CHUNK_PADDING readable ones behind it. */
int frames_open(struct frames *frames, const uint8_t *at, const uint8_t *end, uint32_t count,
		bool delta, struct err *err);

/* The first count values from row on, a multiple of FRAME_ROWS, all of one frame. A value that is
 * larger than lanes->max is ST_EFORMAT. */
int frames_read(const struct frames *frames, uint32_t row, uint32_t count,
		const struct lanes *lanes, void *out, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames and delta streams in the making (storage/FORMAT.md section 4): how long they will be, and
 * then their bytes.
 *
 *	struct frameplan plan;
 *	frameplan_make(&plan, numbers, count, origin, scale, false);
 *	if (plan.bytes < ...) {
 *		frameplan_put(&plan, out);
 *	}
 */
#ifndef TUSSAH_STORAGE_FRAMEPLAN_H
#define TUSSAH_STORAGE_FRAMEPLAN_H

#include "storage/packed.h"

struct frameplan {
	const uint64_t *numbers; /* borrowed; the values are origin + scale * number */
	size_t count;
	uint64_t origin;
	uint64_t scale;
	bool delta;
	size_t bytes; /* of the stream, its encoding included; a few more than it will have */
	struct {
		uint64_t first; /* of delta only */
		uint64_t base;
		unsigned width;
	} frames[ENCODE_ROWS_MAX / FRAME_ROWS];
};

void frameplan_make(struct frameplan *plan, const uint64_t *numbers, size_t count, uint64_t origin,
		    uint64_t scale, bool delta);
/* Without looking for the best widths: each frame has room for its largest number. */
void frameplan_make_quick(struct frameplan *plan, const uint64_t *numbers, size_t count,
			  uint64_t origin, uint64_t scale);
/* Append the stream. */
void frameplan_put(const struct frameplan *plan, GByteArray *out);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an exporter said of a flow beyond struct record: values of extension columns
 * (storage/FORMAT.md section 3), kept by block files. Bounded; what does not fit is counted.
 *
 *	struct extras extras;
 *	extras_clear(&extras);
 *	extras_add(&extras, (struct flowblock_value){ .key = { 0, 305 },
 *						      .type = COLUMN_UNSIGNED32, .number = 1000 });
 */
#ifndef TUSSAH_PACKER_EXTRAS_H
#define TUSSAH_PACKER_EXTRAS_H

#include "storage/flowblock.h"

#define EXTRAS_MAX 128 /* values of one record */

struct extras {
	size_t count;
	uint64_t overflowed; /* values that found no room, for ever */
	struct flowblock_value values[EXTRAS_MAX];
};

static inline void extras_clear(struct extras *extras)
{
	extras->count = 0;
}

/* Bytes of value stay the caller's: they must live until the record has been delivered. */
static inline void extras_add(struct extras *extras, struct flowblock_value value)
{
	if (extras->count < EXTRAS_MAX) {
		extras->values[extras->count++] = value;
	} else {
		extras->overflowed++;
	}
}

#endif

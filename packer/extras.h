/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an exporter said of a flow beyond struct record: values of extension columns
 * (storage/FORMAT.md section 3), kept by block files. Bounded; what does not fit is counted.
 *
 *	struct extras extras;
 *	extras_clear(&extras);
 *	extras_add_number(&extras, (struct column_key){ 0, 305 }, COLUMN_UNSIGNED32, 1000);
 */
#ifndef TUSSAH_PACKER_EXTRAS_H
#define TUSSAH_PACKER_EXTRAS_H

#include "common/batch.h"
#include "storage/blockout.h"
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

/* The same of a number, which is made where it stays: this is done for every flow. */
static inline void extras_add_number(struct extras *extras, struct column_key key, uint8_t type,
				     uint64_t number)
{
	struct flowblock_value *slot;

	if (extras->count == EXTRAS_MAX) {
		extras->overflowed++;
		return;
	}
	slot = &extras->values[extras->count++];
	slot->key = key;
	slot->type = type;
	slot->number = number;
}

/* What this row of the batch has; bytes stay the batch's. */
static inline void extras_add_row(struct extras *extras, const struct batch *batch, uint32_t row)
{
	for (size_t i = 0; i < batch_extension_count(batch); i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		if (column->any && column->present[row]) {
			extras_add(extras, blockout_value(column, row));
		}
	}
}

#endif

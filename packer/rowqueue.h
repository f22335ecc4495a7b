/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records with their values on their way from decoders to the writer, many together: what costs
 * something for each call, and for each file, is spread over them, and columns are made of many at
 * once. Small enough for the processor's nearest cache.
 *
 *	struct flowblock_row *row = rowqueue_next(queue);
 *	fill row->rec, and row->value_count values at rowqueue_values(queue);
 *	rowqueue_add(queue);
 *	if (!rowqueue_has_room(queue)) {
 *		write queue->rows; rowqueue_clear(queue);
 *	}
 */
#ifndef TUSSAH_PACKER_ROWQUEUE_H
#define TUSSAH_PACKER_ROWQUEUE_H

#include "storage/flowblock.h"

#define ROWQUEUE_MAX        512
#define ROWQUEUE_VALUES_MAX 1536
/* Whoever fills it finds room for so many records with so many values in all. */
#define ROWQUEUE_ROOM        30
#define ROWQUEUE_ROOM_VALUES 256

struct rowqueue {
	size_t count;
	size_t value_count; /* of all rows */
	struct flowblock_row rows[ROWQUEUE_MAX];
	struct flowblock_value values[ROWQUEUE_VALUES_MAX];
};

static inline void rowqueue_clear(struct rowqueue *queue)
{
	queue->count = 0;
	queue->value_count = 0;
}

static inline bool rowqueue_has_room(const struct rowqueue *queue)
{
	return queue->count <= ROWQUEUE_MAX - ROWQUEUE_ROOM &&
	       queue->value_count <= ROWQUEUE_VALUES_MAX - ROWQUEUE_ROOM_VALUES;
}

/* Where the values of the next row go. */
static inline struct flowblock_value *rowqueue_values(struct rowqueue *queue)
{
	return &queue->values[queue->value_count];
}

/* The row behind the last one, which is not in the queue until it is added. */
static inline struct flowblock_row *rowqueue_next(struct rowqueue *queue)
{
	struct flowblock_row *row = &queue->rows[queue->count];

	row->values = rowqueue_values(queue);
	row->value_count = 0;
	return row;
}

static inline void rowqueue_add(struct rowqueue *queue)
{
	queue->value_count += queue->rows[queue->count].value_count;
	queue->count++;
}

/* Forget the rows behind the first count. */
static inline void rowqueue_cut(struct rowqueue *queue, size_t count)
{
	while (queue->count > count) {
		queue->value_count -= queue->rows[--queue->count].value_count;
	}
}

#endif

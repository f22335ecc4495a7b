/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records with their values on their way from decoders to the writer, many together: what costs
 * something for each call, and for each file, is spread over them, and columns are made of many at
 * once. Small enough for the processor's nearest cache.
 *
 *	struct rowqueue_end end = rowqueue_end(queue);
 *	fill end.row->rec, and end.values;
 *	rowqueue_pass(&end, value_count, 0);			// and so on
 *	rowqueue_add(queue, &end);
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

/* Where the next row goes, and its values: while many are added, in the processor's registers. */
struct rowqueue_end {
	struct flowblock_row *row;
	struct flowblock_value *values;
};

static inline struct rowqueue_end rowqueue_end(struct rowqueue *queue)
{
	return (struct rowqueue_end){ &queue->rows[queue->count],
				      &queue->values[queue->value_count] };
}

/* The row is filled, with so many values: the next one comes behind it. shape: see flowblock_row;
 * one kind of decoder alone has shapes. */
static inline void rowqueue_pass(struct rowqueue_end *end, uint32_t value_count, uint32_t shape)
{
	end->row->values = end->values;
	end->row->value_count = value_count;
	end->row->shape = shape;
	end->values += value_count;
	end->row++;
}

/* What was passed is in the queue. */
static inline void rowqueue_add(struct rowqueue *queue, const struct rowqueue_end *end)
{
	queue->count = (size_t)(end->row - queue->rows);
	queue->value_count = (size_t)(end->values - queue->values);
}

/* Forget the rows behind the first count. */
static inline void rowqueue_cut(struct rowqueue *queue, size_t count)
{
	while (queue->count > count) {
		queue->value_count -= queue->rows[--queue->count].value_count;
	}
}

#endif

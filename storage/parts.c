/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/parts.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define PART_FULL  (192u << 10) /* bytes with which a part takes no more */
#define PART_BYTES (256u << 10) /* longer ones, made of large pieces, are not kept */
#define PARTS_KEPT 128u

struct partpool {
	pthread_mutex_t lock;
	GPtrArray *unused; /* of GByteArray, empty */
	guint least;       /* of them, since the last trim */
	void *block;       /* to be lent; NULL: there is none now */
	bool lent;         /* since the last trim */
};

static void part_free(gpointer part)
{
	g_byte_array_unref(part);
}

struct partpool *partpool_new(void)
{
	struct partpool *pool = g_new0(struct partpool, 1);

	pthread_mutex_init(&pool->lock, NULL);
	pool->unused = g_ptr_array_new_with_free_func(part_free);
	return pool;
}

void partpool_free(struct partpool *pool)
{
	if (pool) {
		g_ptr_array_free(pool->unused, TRUE);
		free(pool->block);
		pthread_mutex_destroy(&pool->lock);
		g_free(pool);
	}
}

void partpool_trim(struct partpool *pool)
{
	pthread_mutex_lock(&pool->lock);
	if (pool->least > 0) {
		g_ptr_array_remove_range(pool->unused, 0, pool->least);
	}
	pool->least = pool->unused->len;
	if (!pool->lent) {
		free(pool->block);
		pool->block = NULL;
	}
	pool->lent = false;
	pthread_mutex_unlock(&pool->lock);
}

void *partpool_borrow(struct partpool *pool)
{
	void *block = NULL;

	if (pool) {
		pthread_mutex_lock(&pool->lock);
		block = pool->block;
		pool->block = NULL;
		pool->lent = true;
		pthread_mutex_unlock(&pool->lock);
	}
	if (!block && posix_memalign(&block, PARTPOOL_BLOCK_ALIGN, PARTPOOL_BLOCK_BYTES) != 0) {
		return NULL;
	}
	return block;
}

void partpool_return(struct partpool *pool, void *block)
{
	if (pool) {
		pthread_mutex_lock(&pool->lock);
		if (!pool->block) {
			pool->block = block;
			block = NULL;
		}
		pthread_mutex_unlock(&pool->lock);
	}
	free(block);
}

/* The part that was given back last, whose memory is warm. */
static GByteArray *partpool_take(struct partpool *pool)
{
	GByteArray *part = NULL;

	if (pool) {
		pthread_mutex_lock(&pool->lock);
		if (pool->unused->len > 0) {
			part = g_ptr_array_steal_index(pool->unused, pool->unused->len - 1);
		}
		pool->least = MIN(pool->least, pool->unused->len);
		pthread_mutex_unlock(&pool->lock);
	}
	return part ? part : g_byte_array_new();
}

static void partpool_give(struct partpool *pool, GByteArray *part)
{
	bool kept = pool && part->len <= PART_BYTES;

	if (kept) {
		g_byte_array_set_size(part, 0);
		pthread_mutex_lock(&pool->lock);
		kept = pool->unused->len < PARTS_KEPT;
		if (kept) {
			g_ptr_array_add(pool->unused, part);
		}
		pthread_mutex_unlock(&pool->lock);
	}
	if (!kept) {
		part_free(part);
	}
}

void parts_init(struct parts *parts, struct partpool *pool)
{
	*parts = (struct parts){
		.pool = pool,
		.arrays = g_ptr_array_new(),
		.vectors = g_array_new(FALSE, FALSE, sizeof(struct iovec)),
	};
}

void parts_release(struct parts *parts)
{
	if (parts->arrays) {
		parts_clear(parts);
		g_ptr_array_free(parts->arrays, TRUE);
		g_array_free(parts->vectors, TRUE);
		*parts = (struct parts){ .pool = NULL };
	}
}

void parts_clear(struct parts *parts)
{
	for (guint i = 0; i < parts->arrays->len; i++) {
		partpool_give(parts->pool, g_ptr_array_index(parts->arrays, i));
	}
	g_ptr_array_set_size(parts->arrays, 0);
	parts->ended = 0;
}

/* NULL: there is none. */
static GByteArray *parts_last(const struct parts *parts)
{
	guint count = parts->arrays->len;

	return count > 0 ? g_ptr_array_index(parts->arrays, count - 1) : NULL;
}

size_t parts_len(const struct parts *parts)
{
	const GByteArray *last = parts_last(parts);

	return parts->ended + (last ? last->len : 0);
}

GByteArray *parts_tail(struct parts *parts)
{
	GByteArray *tail = parts_last(parts);

	if (!tail || tail->len >= PART_FULL) {
		parts->ended = parts_len(parts);
		tail = partpool_take(parts->pool);
		g_ptr_array_add(parts->arrays, tail);
	}
	return tail;
}

const struct iovec *parts_vectors(struct parts *parts, size_t *count)
{
	g_array_set_size(parts->vectors, 0);
	for (guint i = 0; i < parts->arrays->len; i++) {
		const GByteArray *part = g_ptr_array_index(parts->arrays, i);
		const struct iovec vector = { part->data, part->len };

		g_array_append_val(parts->vectors, vector);
	}
	*count = parts->vectors->len;
	return (const struct iovec *)(const void *)parts->vectors->data;
}

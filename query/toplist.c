/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap with the last of those that stay on top, so that most rows cost one comparison. Equal rows are
 * never exchanged: that, and which child a row is compared with, is what SiLK's rwstats does, and so
 * the order of rows with equal keys is as SiLK prints it.
 */
#include "query/toplist.h"

#include <glib.h>
#include <string.h>

#define ROOM_ROWS ((size_t)1024)

struct toplist {
	size_t limit;
	size_t key_size;
	size_t row_size;
	size_t count;
	GPtrArray *rooms; /* with ROOM_ROWS rows each */
	size_t heap_size;
	uint8_t **heap; /* the greatest first; in order once finished */
};

struct toplist *toplist_new(size_t limit, size_t key_size, size_t row_size)
{
	struct toplist *list = g_new0(struct toplist, 1);

	list->limit = limit;
	list->key_size = key_size;
	list->row_size = row_size;
	list->rooms = g_ptr_array_new_with_free_func(g_free);
	return list;
}

void toplist_free(struct toplist *list)
{
	if (list) {
		g_ptr_array_free(list->rooms, TRUE);
		g_free(list->heap);
		g_free(list);
	}
}

static int order(const struct toplist *list, const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, list->key_size);
}

static void swap(struct toplist *list, size_t a, size_t b)
{
	uint8_t *row = list->heap[a];

	list->heap[a] = list->heap[b];
	list->heap[b] = row;
}

static void sift_up(struct toplist *list, size_t at)
{
	while (at > 0 && order(list, list->heap[at], list->heap[(at - 1) / 2]) > 0) {
		swap(list, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

/* count: of the heap, which may be smaller than the list. */
static void sift_down(struct toplist *list, size_t at, size_t count)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count) {
			return;
		}
		if (child + 1 < count &&
		    order(list, list->heap[child + 1], list->heap[child]) > 0) {
			child++;
		}
		if (order(list, list->heap[child], list->heap[at]) <= 0) {
			return;
		}
		swap(list, at, child);
		at = child;
	}
}

/* Room for the row after those there are. */
static uint8_t *next_row(struct toplist *list)
{
	size_t in_room = list->count % ROOM_ROWS;

	if (in_room == 0) {
		g_ptr_array_add(list->rooms, g_malloc_n(ROOM_ROWS, list->row_size));
	}
	if (list->count == list->heap_size) {
		list->heap_size = MAX(2 * list->heap_size, ROOM_ROWS);
		list->heap = g_renew(uint8_t *, list->heap, list->heap_size);
	}
	return (uint8_t *)g_ptr_array_index(list->rooms, list->rooms->len - 1) +
	       in_room * list->row_size;
}

void toplist_offer(struct toplist *list, const uint8_t *row)
{
	if (list->count < list->limit) {
		uint8_t *to = next_row(list);

		memcpy(to, row, list->row_size);
		list->heap[list->count] = to;
		sift_up(list, list->count++);
	} else if (order(list, row, list->heap[0]) < 0) {
		memcpy(list->heap[0], row, list->row_size);
		sift_down(list, 0, list->count);
	}
}

void toplist_finish(struct toplist *list)
{
	for (size_t count = list->count; count > 1; count--) {
		swap(list, 0, count - 1);
		sift_down(list, 0, count - 1);
	}
}

size_t toplist_count(const struct toplist *list)
{
	return list->count;
}

const uint8_t *toplist_row(const struct toplist *list, size_t i)
{
	return list->heap[i];
}

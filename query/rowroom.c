/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowroom.h"

#include <assert.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <glib.h>

/* Pages that come at once. */
#define STEP_BYTES ((size_t)64 << 10)
/* A place begins at a multiple of this. */
#define LINE_BYTES 64

struct rowroom {
	int owners; /* atomic */
	uint8_t *bytes;
	size_t used;
	size_t ready; /* bytes whose pages are there */
};

struct rowroom *rowroom_new(void)
{
	struct rowroom *room = g_new0(struct rowroom, 1);
	void *bytes = mmap(NULL, ROWROOM_PLACE_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED) {
		g_error("out of memory: %zu bytes", ROWROOM_PLACE_MAX);
	}
	room->owners = 1;
	room->bytes = bytes;
	return room;
}

struct rowroom *rowroom_hold(struct rowroom *room)
{
	__atomic_add_fetch(&room->owners, 1, __ATOMIC_RELAXED);
	return room;
}

void rowroom_free(struct rowroom *room)
{
	if (room && __atomic_sub_fetch(&room->owners, 1, __ATOMIC_ACQ_REL) == 0) {
		munmap(room->bytes, ROWROOM_PLACE_MAX);
		g_free(room);
	}
}

/* Where the system cannot, pages come one by one. */
static void make_ready(struct rowroom *room, size_t end)
{
	size_t bytes = (end - room->ready + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;

#ifdef MADV_POPULATE_WRITE
	(void)madvise(room->bytes + room->ready, bytes, MADV_POPULATE_WRITE);
#endif
	room->ready += bytes;
}

uint8_t *rowroom_place(struct rowroom *room, size_t bytes)
{
	assert(bytes <= ROWROOM_PLACE_MAX);
	if (bytes > ROWROOM_PLACE_MAX - room->used) {
		return NULL;
	}
	if (room->used + bytes > room->ready) {
		make_ready(room, room->used + bytes);
	}
	return room->bytes + room->used;
}

void rowroom_use(struct rowroom *room, size_t bytes)
{
	room->used += (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
	assert(room->used <= ROWROOM_PLACE_MAX);
}

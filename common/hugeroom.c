/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/hugeroom.h"

#include <glib.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Arrays of this size or larger. */
#define RETURNED_BYTES (1 << 20)

static size_t round_up(size_t bytes)
{
	return (bytes + HUGEROOM_BYTES - 1) & ~(HUGEROOM_BYTES - 1);
}

void *hugeroom_new(size_t bytes)
{
	size_t rounded = round_up(bytes);
	void *room;

	if (bytes < HUGEROOM_BYTES) {
		return g_malloc(MAX(bytes, 1));
	}
	room = aligned_alloc(HUGEROOM_BYTES, rounded);
	if (!room) {
		g_error("out of memory: %zu bytes", bytes);
	}
	/* where it cannot be had, pages are small */
	(void)madvise(room, rounded, MADV_HUGEPAGE);
	return room;
}

void hugeroom_return_freed(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, RETURNED_BYTES);
}

void hugeroom_return_kept(void)
{
	(void)malloc_trim(0);
}

/* Address space for so many bytes, a multiple of huge pages, at a huge page. */
static uint8_t *map_aligned(size_t rounded)
{
	size_t before;
	uint8_t *room;

	/* a huge page more, of which what is in front and behind goes back at once */
	room = mmap(NULL, rounded + HUGEROOM_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) {
		g_error("out of memory: %zu bytes", rounded);
	}
	before = round_up((uintptr_t)room) - (uintptr_t)room;
	if (before > 0) {
		munmap(room, before);
	}
	munmap(room + before + rounded, HUGEROOM_BYTES - before);
	return room + before;
}

void *hugeroom_map(size_t bytes)
{
	size_t rounded = round_up(bytes);
	uint8_t *room;

	if (bytes < HUGEROOM_BYTES) {
		return g_malloc0(bytes);
	}
	room = map_aligned(rounded);
	(void)madvise(room, rounded, MADV_HUGEPAGE);
	return room;
}

void *hugeroom_grow(void *room, size_t bytes, size_t more_bytes)
{
	void *wider;

	if (bytes >= HUGEROOM_BYTES) {
		void *at = map_aligned(round_up(more_bytes));

		wider = mremap(room, round_up(bytes), round_up(more_bytes),
			       MREMAP_MAYMOVE | MREMAP_FIXED, at);
		if (wider == MAP_FAILED) {
			g_error("out of memory: %zu bytes", more_bytes);
		}
		return wider;
	}
	wider = hugeroom_map(more_bytes);
	memcpy(wider, room, bytes);
	hugeroom_unmap(room, bytes);
	return wider;
}

void hugeroom_unmap(void *room, size_t bytes)
{
	if (bytes < HUGEROOM_BYTES) {
		g_free(room);
	} else if (room) {
		munmap(room, round_up(bytes));
	}
}

/* Move pages of a part to the end of the used bytes of a room, as many as have room there. */
static size_t move_part(uint8_t *room, size_t used, size_t bytes, const struct hugeroom_part *part)
{
	size_t fit = MIN(round_up(part->bytes), bytes - used);

	if (part->bytes < HUGEROOM_BYTES || fit == 0 ||
	    mremap(part->room, fit, fit, MREMAP_MAYMOVE | MREMAP_FIXED, room + used) ==
		    MAP_FAILED) {
		hugeroom_unmap(part->room, part->bytes);
		return 0;
	}
	if (fit < round_up(part->bytes)) {
		munmap((uint8_t *)part->room + fit, round_up(part->bytes) - fit);
	}
	return fit;
}

void *hugeroom_join(const struct hugeroom_part *parts, size_t count, size_t bytes)
{
	uint8_t *room = hugeroom_map(bytes);
	size_t rounded = bytes < HUGEROOM_BYTES ? 0 : round_up(bytes);
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		used += move_part(room, used, rounded, &parts[i]);
	}
	return room;
}

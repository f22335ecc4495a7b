/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/hugeroom.h"

#include <glib.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Arrays of this size or larger. */
#define RETURNED_BYTES (1 << 20)

/* Rooms of this size or larger have pages of their own, which grow and go without being copied. */
#define MAPPED_BYTES (64u << 10)

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

static void *map(size_t bytes)
{
	void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED) {
		g_error("out of memory: %zu bytes", bytes);
	}
	return room;
}

/* Address space for so many bytes, a multiple of huge pages, at a huge page. */
static uint8_t *map_aligned(size_t rounded)
{
	/* a huge page more, of which what is in front and behind goes back at once */
	uint8_t *room = map(rounded + HUGEROOM_BYTES);
	size_t before = round_up((uintptr_t)room) - (uintptr_t)room;

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

	if (bytes < MAPPED_BYTES) {
		return g_malloc0(bytes);
	}
	if (bytes < HUGEROOM_BYTES) {
		return map(bytes);
	}
	room = map_aligned(rounded);
	(void)madvise(room, rounded, MADV_HUGEPAGE);
	return room;
}

/* Bytes of address space. */
static size_t spanned(size_t bytes)
{
	return bytes < HUGEROOM_BYTES ? bytes : round_up(bytes);
}

/* Of pages: they go to other addresses. */
static void *move_grown(void *room, size_t bytes, size_t more_bytes)
{
	void *wider;

	if (more_bytes < HUGEROOM_BYTES) {
		wider = mremap(room, bytes, more_bytes, MREMAP_MAYMOVE);
	} else {
		wider = mremap(room, spanned(bytes), spanned(more_bytes),
			       MREMAP_MAYMOVE | MREMAP_FIXED, map_aligned(spanned(more_bytes)));
	}
	if (wider == MAP_FAILED) {
		g_error("out of memory: %zu bytes", more_bytes);
	}
	if (more_bytes >= HUGEROOM_BYTES) {
		(void)madvise(wider, spanned(more_bytes), MADV_HUGEPAGE);
	}
	return wider;
}

void *hugeroom_grow(void *room, size_t bytes, size_t more_bytes)
{
	void *wider;

	if (bytes >= MAPPED_BYTES) {
		return move_grown(room, bytes, more_bytes);
	}
	wider = hugeroom_map(more_bytes);
	memcpy(wider, room, bytes);
	hugeroom_unmap(room, bytes);
	return wider;
}

void hugeroom_ready(void *room, size_t bytes, size_t used)
{
#ifdef MADV_POPULATE_WRITE
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t from = used & ~(page - 1);

	if (bytes >= MAPPED_BYTES) {
		(void)madvise((uint8_t *)room + from, bytes - from, MADV_POPULATE_WRITE);
	}
#endif
}

void hugeroom_unmap(void *room, size_t bytes)
{
	if (bytes < MAPPED_BYTES) {
		g_free(room);
	} else if (room) {
		munmap(room, spanned(bytes));
	}
}

/* Move pages of a part to the end of the used bytes of a room, as many as have room there. */
static size_t move_part(uint8_t *room, size_t used, size_t bytes, const struct hugeroom_part *part)
{
	size_t fit = MIN(spanned(part->bytes), bytes - used);

	/* whole pages, of whatever size the system has */
	if (part->bytes < MAPPED_BYTES || spanned(part->bytes) % MAPPED_BYTES != 0 || fit == 0 ||
	    mremap(part->room, fit, fit, MREMAP_MAYMOVE | MREMAP_FIXED, room + used) ==
		    MAP_FAILED) {
		hugeroom_unmap(part->room, part->bytes);
		return 0;
	}
	if (fit < spanned(part->bytes)) {
		munmap((uint8_t *)part->room + fit, spanned(part->bytes) - fit);
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

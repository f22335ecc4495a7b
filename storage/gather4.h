/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv4 addresses as they come, any order and many times over, to be had sorted and without repeats.
 *
 *	struct gather4 *gather = gather4_new();
 *	while (...) {
 *		if (!gather4_add(gather, address)) {
 *			addresses = gather4_sort(gather, &count);
 *			... take them, gather4_clear(gather, room), and add it again
 *		}
 *	}
 *
 * Flow records repeat addresses within short; a small table of those seen last drops most repeats
 * before they take memory.
 */
#ifndef TUSSAH_STORAGE_GATHER4_H
#define TUSSAH_STORAGE_GATHER4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATHER4_RECENT_BITS 14

struct gather4 {
	uint32_t *addresses;
	size_t count;
	size_t capacity;
	size_t limit; /* of capacity */
	uint32_t recent[1u << GATHER4_RECENT_BITS];
};

struct gather4 *gather4_new(void);
void gather4_free(struct gather4 *gather);

/* For gather4_add(): room for more, up to the limit; false: there is none. */
bool gather4_grow(struct gather4 *gather);

/* False: full, nothing is added. */
static inline bool gather4_add(struct gather4 *gather, uint32_t address)
{
	uint32_t *recent = &gather->recent[address * 0x9e3779b1u >> (32 - GATHER4_RECENT_BITS)];

	if (*recent == address) {
		return true;
	}
	if (gather->count == gather->capacity && !gather4_grow(gather)) {
		return false;
	}
	*recent = address;
	gather->addresses[gather->count++] = address;
	return true;
}

/* All of them, ascending and different. Borrowed until the next call. */
const uint32_t *gather4_sort(struct gather4 *gather, size_t *count);

/* Empty; full again after room more addresses (at least GATHER4_ROOM_MIN). */
#define GATHER4_ROOM_MIN (1u << 20)
void gather4_clear(struct gather4 *gather, size_t room);

#endif

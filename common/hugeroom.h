/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for large arrays that are filled and read all over: in huge pages where the system has
 * them, which saves a good part of the time that goes into finding pages and filling them one by
 * one.
 *
 *	uint8_t *rows = hugeroom_new(bytes);
 *	...
 *	free(rows);
 */
#ifndef TUSSAH_COMMON_HUGEROOM_H
#define TUSSAH_COMMON_HUGEROOM_H

#include <stddef.h>

/* Of fewer bytes it is memory like any other. */
#define HUGEROOM_BYTES ((size_t)2 << 20)

/* Not zeroed. Never NULL: out of memory ends the program. Returned: free(). */
void *hugeroom_new(size_t bytes);
/*
 * From here on the memory of arrays of some size goes back to the system as soon as they are freed;
 * malloc() would keep much of it for the next one, which is larger where sets grow.
 */
void hugeroom_return_freed(void);
/* Whole pages that were freed and that malloc() keeps go back to the system, once. */
void hugeroom_return_kept(void);
/*
 * Zeroed memory that the system has again as soon as it is given back, with the same number of
 * bytes, by whatever thread. Never NULL but for 0 bytes; NULL may be given back.
 */
void *hugeroom_map(size_t bytes);
void hugeroom_unmap(void *room, size_t bytes);
/*
 * All bytes will be used, and so many are: the system is asked for the pages of the others at once, not
 * for one after the other when it is looked at. A page that is read before it is written costs most: it
 * is the system's page of zeros at first, and its change interrupts the other threads.
 */
void hugeroom_ready(void *room, size_t bytes, size_t used);

struct hugeroom_part {
	void *room; /* of hugeroom_map() or hugeroom_grow() */
	size_t bytes;
};
/*
 * As hugeroom_map(), but with the pages of other rooms in front, as far as they are whole: the system
 * need not clear them again, and what they held is still there. The parts are given back with that.
 */
void *hugeroom_join(const struct hugeroom_part *parts, size_t count, size_t bytes);

/*
 * The same room with more bytes, zeros behind those that it has; it may lie elsewhere. Whole pages are
 * not copied.
 */
void *hugeroom_grow(void *room, size_t bytes, size_t more_bytes);

#endif

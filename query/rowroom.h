/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is filled from its beginning on, with rows of which nobody knows in advance how many
 * bytes they will have. The system is asked for many pages at once, before they are touched, as
 * each one that comes by itself takes half as long again.
 *
 *	struct rowroom *room = rowroom_new();
 *	while ((to = rowroom_place(room, most)) != NULL) {	// else one more room
 *		... fill some of it ...
 *		rowroom_use(room, used);
 *		rowroom_hold(room);		// what lies there needs it
 *	}
 *	rowroom_free(room);
 */
#ifndef TUSSAH_QUERY_ROWROOM_H
#define TUSSAH_QUERY_ROWROOM_H

#include <stddef.h>
#include <stdint.h>

struct rowroom;

/* Address space, most of a room; pages come with rowroom_place(). Never NULL. */
struct rowroom *rowroom_new(void);
/* One more that calls rowroom_free(); by any thread. */
struct rowroom *rowroom_hold(struct rowroom *room);
/* Give the hold back; with the last one the memory goes back to the system. NULL is fine. */
void rowroom_free(struct rowroom *room);
/*
 * So many bytes behind those that are used, at most ROWROOM_PLACE_MAX; they hold anything. Borrowed.
 * NULL: there are not as many in this room.
 */
#define ROWROOM_PLACE_MAX ((size_t)16 << 20)
uint8_t *rowroom_place(struct rowroom *room, size_t bytes);
/* Of the last place the first bytes are used. */
void rowroom_use(struct rowroom *room, size_t bytes);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue of pointers from one thread to another, first in, first out. A plain lock: for work that
 * is handed over in large parts.
 *
 *	struct handover *todo = handover_new(4);
 *	handover_push(todo, parcel);		// one thread
 *	parcel = handover_pop(todo);		// the other
 *	handover_free(todo);
 *
 * Threads: any number on both sides.
 */
#ifndef TUSSAH_COMMON_HANDOVER_H
#define TUSSAH_COMMON_HANDOVER_H

#include <stddef.h>

struct handover;

/* room: how many it holds at most. Never NULL. */
struct handover *handover_new(size_t room);
/* Nobody may be waiting; what is still in it is not touched. NULL is fine. */
void handover_free(struct handover *handover);

/* Waits for room. what is not NULL. */
void handover_push(struct handover *handover, void *what);
/* Waits until there is something. */
void *handover_pop(struct handover *handover);

#endif

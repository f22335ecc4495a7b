/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces of a crew (query/scancrew) that were taken and are kept to be filled again, since memory
 * that is new costs more than filling it: a stack which all threads of the crew share.
 *
 *	struct scanspares spares = SCANSPARES_INIT(free_piece);
 *	struct piece *piece = (struct piece *)scanspares_take(&spares);
 *	if (piece == NULL) piece = new_piece();
 *	...
 *	scanspares_keep(&spares, &piece->head);
 *	scanspares_release(&spares);
 */
#ifndef TUSSAH_QUERY_SCANSPARES_H
#define TUSSAH_QUERY_SCANSPARES_H

#include <pthread.h>

#include "query/scancrew.h"

typedef void (*scanspares_free_fn)(struct scanpiece *piece);

struct scanspares {
	pthread_mutex_t lock;
	struct scanpiece *first;
	unsigned count;
	unsigned max; /* that are kept; 0: as many as come */
	scanspares_free_fn free;
};
#define SCANSPARES_INIT(free_)                                                                     \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .free = (free_)                                 \
	}

/* The piece that was kept last, returned as it was left; NULL: there is none. Any thread. */
struct scanpiece *scanspares_take(struct scanspares *spares);
/* Taken; freed if there are enough. Any thread. */
void scanspares_keep(struct scanspares *spares, struct scanpiece *piece);
/* Free what is kept, when no thread is left. */
void scanspares_release(struct scanspares *spares);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanspares.h"

struct scanpiece *scanspares_take(struct scanspares *spares)
{
	struct scanpiece *piece;

	pthread_mutex_lock(&spares->lock);
	piece = spares->first;
	if (piece) {
		spares->first = piece->next;
		spares->count--;
	}
	pthread_mutex_unlock(&spares->lock);
	return piece;
}

void scanspares_keep(struct scanspares *spares, struct scanpiece *piece)
{
	bool kept;

	pthread_mutex_lock(&spares->lock);
	kept = spares->max == 0 || spares->count < spares->max;
	if (kept) {
		piece->next = spares->first;
		spares->first = piece;
		spares->count++;
	}
	pthread_mutex_unlock(&spares->lock);
	if (!kept) {
		spares->free(piece);
	}
}

void scanspares_release(struct scanspares *spares)
{
	struct scanpiece *piece;

	while ((piece = scanspares_take(spares)) != NULL) {
		spares->free(piece);
	}
	pthread_mutex_destroy(&spares->lock);
}

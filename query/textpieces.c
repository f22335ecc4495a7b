/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/textpieces.h"

#include <glib.h>

static struct textpiece *take_spare(struct textpieces *pieces)
{
	struct textpiece *piece;

	pthread_mutex_lock(&pieces->lock);
	piece = pieces->spares;
	if (piece) {
		pieces->spares = piece->next;
	}
	pthread_mutex_unlock(&pieces->lock);
	return piece;
}

struct textpiece *textpieces_take(struct textpieces *pieces, struct text *draft)
{
	struct textpiece *piece = take_spare(pieces);

	if (!piece) {
		piece = g_new0(struct textpiece, 1);
	}
	text_take_rows(draft, &piece->rows);
	piece->head.piece.bytes = piece->rows.size;
	return piece;
}

void textpieces_write(struct textpieces *pieces, struct text *text, struct textpiece *piece)
{
	if (text) {
		text_put_rows(text, &piece->rows);
	}
	pthread_mutex_lock(&pieces->lock);
	piece->next = pieces->spares;
	pieces->spares = piece;
	pthread_mutex_unlock(&pieces->lock);
}

void textpieces_release(struct textpieces *pieces)
{
	struct textpiece *piece;

	while ((piece = take_spare(pieces)) != NULL) {
		g_free(piece->rows.bytes);
		g_free(piece);
	}
	pthread_mutex_destroy(&pieces->lock);
}

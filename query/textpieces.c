/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/textpieces.h"

#include <glib.h>

void textpieces_free(struct scanpiece *head)
{
	struct textpiece *piece = (struct textpiece *)head;

	g_free(piece->rows.bytes);
	g_free(piece);
}

struct textpiece *textpieces_take(struct textpieces *pieces, struct text *draft)
{
	struct textpiece *piece = (struct textpiece *)scanspares_take(&pieces->spares);

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
	scanspares_keep(&pieces->spares, &piece->head.piece);
}

void textpieces_release(struct textpieces *pieces)
{
	scanspares_release(&pieces->spares);
}

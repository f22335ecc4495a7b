/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/filterparts.h"

#include <glib.h>

struct piece *filter_piece_new(struct run *run)
{
	struct scanpiece *spare = scanspares_take(&run->spares);

	return spare ? (struct piece *)spare : g_new0(struct piece, 1);
}

void filter_piece_free(struct scanpiece *head)
{
	struct piece *piece = (struct piece *)head;

	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		g_free(piece->encoded[way].bytes);
	}
	g_free(piece);
}

void filter_piece_done(struct run *run, struct piece *piece)
{
	if (piece->header) {
		header_release(piece->header);
		g_free(piece->header);
	}
	if (piece->frame && !piece->frame->batch) {
		g_free(piece->frame);
	}
	g_free(piece->path);
	piece->header = NULL;
	piece->frame = NULL;
	piece->path = NULL;
	piece->missing = piece->opened = piece->failed = false;
	piece->answered = 0;
	piece->totals = (struct scan_totals){ 0 };
	piece->piece.bytes = 0;
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		piece->encoded[way].rows = 0;
	}
	scanspares_keep(&run->spares, &piece->piece);
}

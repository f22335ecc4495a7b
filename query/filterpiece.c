/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/filterparts.h"

#include <glib.h>

/* Empty pieces that are kept. */
#define SPARES_PER_THREAD 4

struct piece *filter_spare(struct run *run)
{
	struct piece *piece;

	pthread_mutex_lock(&run->lock);
	piece = run->spares;
	if (piece) {
		run->spares = (struct piece *)piece->piece.next;
		run->spare_count--;
	}
	pthread_mutex_unlock(&run->lock);
	return piece;
}

void filter_piece_free(struct piece *piece)
{
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		g_free(piece->encoded[way].bytes);
	}
	g_free(piece);
}

void filter_piece_done(struct run *run, struct piece *piece)
{
	bool keep = true;

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
	pthread_mutex_lock(&run->lock);
	if (run->spare_count < SPARES_PER_THREAD * run->filter->threads) {
		piece->piece.next = (struct scanpiece *)run->spares;
		run->spares = piece;
		run->spare_count++;
	} else {
		keep = false;
	}
	pthread_mutex_unlock(&run->lock);
	if (!keep) {
		filter_piece_free(piece);
	}
}

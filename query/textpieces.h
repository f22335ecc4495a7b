/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of text on their way from the threads that make them to the one that writes them: pieces of
 * a crew (query/scancrew, query/readcrew), whose room is used again.
 *
 *	struct textpieces pieces = TEXTPIECES_INIT;
 *	piece = textpieces_take(&pieces, draft);	// the rows of the draft, by its thread
 *	readcrew_put(turn, &piece->head);
 *	textpieces_write(&pieces, text, piece);		// by the thread of text
 *	textpieces_release(&pieces);
 */
#ifndef TUSSAH_QUERY_TEXTPIECES_H
#define TUSSAH_QUERY_TEXTPIECES_H

#include "common/text.h"
#include "query/readcrew.h"
#include "query/scanspares.h"

/* Rows are worth handing over when they have that many bytes. */
#define TEXTPIECES_BYTES (256u << 10)
/* And may wait for their turn up to so many. */
#define TEXTPIECES_WAITING_BYTES (16u << 20)

struct textpiece {
	struct readpiece head; /* first */
	struct text_rows rows;
};

struct textpieces {
	struct scanspares spares;
};
#define TEXTPIECES_INIT                                                                            \
	{                                                                                          \
		.spares = SCANSPARES_INIT(textpieces_free)                                         \
	}
void textpieces_free(struct scanpiece *piece); /* for the line above */

/* All pieces must have been written. */
void textpieces_release(struct textpieces *pieces);

/* Take the rows of the draft, which is then empty. */
struct textpiece *textpieces_take(struct textpieces *pieces, struct text *draft);
/* Write it; text NULL: do not. The piece is taken. */
void textpieces_write(struct textpieces *pieces, struct text *text, struct textpiece *piece);

#endif

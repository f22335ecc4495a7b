/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests of the records of one block after another. Where a column has a dictionary, each distinct
 * value is tested once and rows are told by their codes; when no value passes, no row is looked at.
 *
 *	struct blocktests *tests = blocktests_new(predicates);
 *	blockfile_cursor_set(cursor, file, i);
 *	blocktests_set(tests, cursor, &block->summary, &verdict, err);
 *	...
 *	blockfile_cursor_frame(cursor, row, batch);
 *	blocktests_narrow(tests, row, batch, err);
 *
 * Threads: one at a time per struct blocktests; the predicates are shared.
 */
#ifndef TUSSAH_QUERY_PREDICATEBLOCK_H
#define TUSSAH_QUERY_PREDICATEBLOCK_H

#include "query/predicate.h"
#include "storage/blockfile.h"

struct blocktests;

struct blocktests *blocktests_new(const struct predicates *predicates); /* kept; may be NULL */
void blocktests_free(struct blocktests *tests);

/*
 * Go on to the block that cursor (kept) stands at. Of its chunks those are opened that the tests
 * look at, as far as the summary leaves a test open. ST_OK, or damage.
 */
int blocktests_set(struct blocktests *tests, struct blockfile_cursor *cursor,
		   const struct summary *summary, enum predicates_verdict *verdict,
		   struct err *err);

/*
 * Keep the rows of the frame that begins at row, and is in batch, that pass. What other columns
 * hold is added to the batch as needed. ST_OK, or damage.
 */
int blocktests_narrow(struct blocktests *tests, uint32_t row, struct batch *batch, struct err *err);

#endif

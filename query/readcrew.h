/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inputs of a source, read by a crew of threads: each worker opens files, decodes blocks and
 * does with the batches what the tool says; what must come in the order of the input is handed to
 * the caller's thread as pieces. Whatever the number of threads, the pieces, the messages about
 * files and the exit status are those of reading one file after the other.
 *
 *	struct source *source = source_new(env, &opts->source, argc, argv);
 *	struct readcrew crew = { .source = source, .threads = threads_wanted(&opts->threads),
 *				 .columns = columns, .arg = cut,
 *				 .want = want, .begin = begin, .batch = print_batch, .rest = hand_over,
 *				 .take = write_piece, .end = end };
 *	readcrew_run(&crew);
 *	exit_status = source_close(source);
 *
 * The input is divided into units: the blocks of a block file, FLOWBLOCK_ROWS_MAX rows at least,
 * and some batches of a row file, whose next batches another worker may read while these are worked
 * on. So one large file, and one that comes through a pipe, keep all workers busy.
 *
 * Two ways to use it. Where order counts (rwcut), batch() makes a piece of what it is given and
 * take() gets the pieces in order; a worker that is far ahead waits, and what waits is bounded by
 * waiting_bytes. Where it does not (rwuniq), batch() adds to what its worker keeps, puts nothing,
 * and end() brings the sums of all workers together.
 *
 * No thread is started for one thread, for little input (READCREW_WORTH_BYTES), nor when the source
 * copies its input, which goes by order: then everything happens in the caller's thread, with one
 * worker, and every piece is taken when it is put.
 */
#ifndef TUSSAH_QUERY_READCREW_H
#define TUSSAH_QUERY_READCREW_H

#include "query/scancrew.h"
#include "query/source.h"

/* How much input is worth threads. */
#define READCREW_WORTH_BYTES (256u << 10)

struct readturn; /* the unit that is being worked on */

/* The head of a piece; the rest is the tool's. */
struct readpiece {
	struct scanpiece piece; /* piece.bytes: what it keeps in memory, roughly */
	bool is_event;          /* one of the crew's own; the tool has false here */
};

struct readcrew {
	struct source *source; /* borrowed */
	unsigned threads;      /* at most */
	uint32_t columns;      /* COLUMN_BITs that batch() reads */
	size_t waiting_bytes;  /* as struct scancrew_opts */
	void *arg;             /* of all callbacks */
	/* Ask a batch, which will be read into, for extension columns. May be NULL. */
	void (*want)(void *arg, struct batch *batch);
	/* The state of a worker, by its thread. */
	void *(*begin)(void *arg);
	/* By the worker: a batch with at least one selected row, the IPv6 policy applied. It may be
	 * changed. */
	void (*batch)(void *arg, void *worker, struct batch *batch, struct readturn *turn);
	/* By the worker, behind the last batch of a unit: put what is not put yet. May be NULL. */
	void (*rest)(void *arg, void *worker, struct readturn *turn);
	/* By the caller's thread, in order. The piece is taken. drained: the input has ended before
	 * it, free it only. NULL: no pieces are put. */
	void (*take)(void *arg, struct readpiece *piece, bool drained);
	/* By the thread of the worker, when all is done: give the state back. One worker at a time.
	 */
	void (*end)(void *arg, void *worker);
};

/* Read everything. What goes wrong is told by the source, and source_close() returns it. */
void readcrew_run(const struct readcrew *crew);

/* Hand a piece over, which is taken; may wait. */
void readcrew_put(struct readturn *turn, struct readpiece *piece);
/* The place in the input of the first row of the batch at hand: that of another row is so many more,
 * and all of them ascend with the input. Below 2^63. */
uint64_t readcrew_position(const struct readturn *turn);
/* Nothing more is wanted: the caller has failed. By the worker; units that come behind are not
 * worked on. */
bool readcrew_stopped(const struct readturn *turn);

#endif

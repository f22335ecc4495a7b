/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the filter engine, shared by filter.c, filterpiece.c and filtertake.c alone. */
#ifndef TUSSAH_QUERY_FILTERPARTS_H
#define TUSSAH_QUERY_FILTERPARTS_H

#include <pthread.h>

#include "query/filter.h"
#include "query/scancrew.h"
#include "query/scanspares.h"

/* Rows of a frame, ascending. */
struct rows {
	uint16_t row[BATCH_ROWS];
	uint32_t count;
};

struct frame {
	struct rows rows[FILTER_WAYS];
	struct batch *batch; /* the frame itself, borrowed; NULL: encoded in the piece */
	uint64_t packets[BATCH_ROWS];
	uint64_t bytes[BATCH_ROWS];
};

struct encoded {
	uint8_t *bytes;
	size_t capacity;
	uint64_t rows;
};

struct piece {
	struct scanpiece piece; /* first */
	char *path;             /* of a file that begins */
	bool missing;           /* it is not there */
	bool opened;
	uint64_t answered;     /* files that the catalog knew enough of */
	uint64_t place;        /* of the file in the list */
	struct header *header; /* its entries; NULL: none, or nobody asks */
	bool failed;
	bool ours; /* a block file did */
	struct err err;
	struct scan_totals totals;
	struct frame *frame; /* only where every row must be told */
	struct encoded encoded[FILTER_WAYS];
};

/* The run, shared by all threads. */
struct run {
	const struct filter *filter;
	struct filter_stats *stats;
	struct scan_plan plan;
	bool limited;         /* some destination is */
	bool any_destination; /* there is one */
	bool asks_header;     /* atomic: on_open is still wanted */
	uint64_t bytes_met;   /* of files, before there are threads */
	struct scancrew *crew;
	pthread_mutex_t lock; /* of stats while threads end */
	struct scanspares spares;
};

/* An empty one. */
struct piece *filter_piece_new(struct run *run);
void filter_piece_free(struct scanpiece *piece);
/* Forget what the piece holds but its room, and keep it for later. */
void filter_piece_done(struct run *run, struct piece *piece);

/* The consumer of the crew: takes pieces in order. */
int filter_take(void *arg, struct scanpiece *taken, bool drained, struct err *err);

#endif

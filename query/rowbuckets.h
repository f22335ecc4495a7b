/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of a store distributed to buckets by the beginnings of their keys: all keys of a bucket
 * are before those of the next one, and its rows lie together and mostly fit a processor's cache,
 * so that each bucket is quick to sort, by whatever thread.
 *
 *	struct rowbuckets *buckets = rowbuckets_new(store, false, 2);
 *	for (i = 0; i < rowbuckets_count(buckets); i++) {
 *		rowbuckets_list(buckets, i, entries);	// rowbuckets_rows(buckets, i) of them
 *	}
 *	rowbuckets_free(buckets);
 *	rowstore_clear(store);
 *
 * One thread makes them; then any number may list and get.
 */
#ifndef TUSSAH_QUERY_ROWBUCKETS_H
#define TUSSAH_QUERY_ROWBUCKETS_H

#include "query/entrysort.h"
#include "query/rowstore.h"

struct rowbuckets;

/*
 * reverse: the bucket of the greatest keys is the first one. threads: that may work at it.
 * From now on nothing can be done with the store, which is kept, but to get rows that the buckets
 * list, and to clear it. Few rows, or equal ones, are one bucket and stay where they are. Rows of a
 * bucket keep their order. Never NULL.
 */
struct rowbuckets *rowbuckets_new(struct rowstore *store, bool reverse, unsigned threads);
void rowbuckets_free(struct rowbuckets *buckets);
size_t rowbuckets_count(const struct rowbuckets *buckets);
size_t rowbuckets_rows(const struct rowbuckets *buckets, size_t i);
/*
 * The rows of a bucket, as rowstore_get() takes them, each with the first word of its key: entries
 * by their order are rows by the first bytes of their keys, and what is left is behind the word. The
 * bits are turned over if the greatest keys are first.
 */
void rowbuckets_list(const struct rowbuckets *buckets, size_t i, struct sortentry *entries);
/* The number of the byte of keys behind that word. */
size_t rowbuckets_behind_word(const struct rowbuckets *buckets);

#endif

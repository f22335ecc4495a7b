/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An aggregate bag: several counters of 64 bits under keys of several fields, and SiLK's files of
 * them (silk-set-bag-pmap-files.md 3).
 *
 *	struct aggbag *bag = aggbag_new(&layout);
 *	struct aggbag_cursor cursor;
 *	aggbag_add(bag, key, counters);
 *	aggbag_first(bag, &cursor);
 *	while (aggbag_next(&cursor)) { ... cursor.key, cursor.counters ... }
 *	aggbag_free(bag);
 *
 * A key is layout->key_bytes bytes as they lie in a record, counters are in the order of the
 * layout. Keys lie in a keytable, whose rows keep keys and counters in the order of adding; walking
 * sorts the numbers of the rows. A key whose counters are all 0 is not shown.
 *
 * Threads: one at a time per bag.
 */
#ifndef TUSSAH_STORAGE_AGGBAG_H
#define TUSSAH_STORAGE_AGGBAG_H

#include "storage/aggfield.h"
#include "storage/header.h"

/* The longest key: all key fields there are. */
#define AGGBAG_KEY_MAX 256

struct aggbag;

/* layout (copied) has at least one counter. */
struct aggbag *aggbag_new(const struct agglayout *layout);
void aggbag_free(struct aggbag *bag);
const struct agglayout *aggbag_layout(const struct aggbag *bag);

/* Sums stay at UINT64_MAX. */
void aggbag_add(struct aggbag *bag, const uint8_t *key, const uint64_t *counters);
/*
 * As aggbag_add(), of count keys that lie aggbag_stride() apart, padded with zeros, and sets of
 * counters one after the other; faster.
 */
void aggbag_add_many(struct aggbag *bag, const uint8_t *keys, const uint64_t *counters,
		     size_t count);
size_t aggbag_stride(const struct aggbag *bag);
/* The counters of a key, to be read or changed; NULL: not there. Borrowed until the next adding. */
uint64_t *aggbag_find(const struct aggbag *bag, const uint8_t *key);

/* A walk over all keys, ascending. Keys must not be added meanwhile; counters may change. */
struct aggbag_cursor {
	const uint8_t *key;
	uint64_t *counters;
	const struct aggbag *bag; /* the rest is the cursor's own */
	struct aggbag_place *order;
	size_t at;
	size_t count;
};

void aggbag_first(const struct aggbag *bag, struct aggbag_cursor *cursor);
/* Go to the next key; false: no more, and the cursor is released. */
bool aggbag_next(struct aggbag_cursor *cursor);
/* Only to stop before aggbag_next() is false. */
void aggbag_cursor_release(struct aggbag_cursor *cursor);

/*
 * Read a file; "-" or "stdin" allowed. header (may be NULL): filled with the file's header;
 * header_release() it, also after a failure. Errors name the path. *out: aggbag_free(); untouched
 * on failure. Returns ST_OK, ST_ENOENT, ST_EIO, ST_EFORMAT (not an aggregate bag, or damaged),
 * ST_ETRUNC, ST_EVERSION.
 */
int aggbag_read(struct aggbag **out, const char *path, struct header *header, struct err *err);
/* As aggbag_read, from where src stands; src is kept by the caller. */
int aggbag_read_from(struct aggbag **out, struct bytesource *src, struct header *header,
		     struct err *err);

struct aggbag_write_opts {
	uint8_t compression;
	bool no_silk_version;
	const struct header *inputs;  /* entries of inputs, before that of the fields; or NULL */
	const struct header *entries; /* and behind it; both borrowed; may be NULL */
};
/* Write the same bytes as SiLK. ST_OK or ST_EIO. sink stays open. */
int aggbag_write_to(const struct aggbag *bag, struct bytesink *sink,
		    const struct aggbag_write_opts *opts, struct err *err);

#endif

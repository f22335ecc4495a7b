/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bag: counters of 64 bits under keys, and SiLK's bag files (silk-set-bag-pmap-files.md 2).
 *
 *	struct bag *bag = bag_new(BAGTYPE_SIPV4, BAGTYPE_SUM_BYTES);
 *	struct bag_cursor cursor;
 *	bag_add(bag, ip_from_v4(0x0a000001), 40);
 *	bag_first(bag, &cursor);
 *	while (bag_next(&cursor)) { ... cursor.key, cursor.counter ... }
 *	bag_free(bag);
 *
 * Keys are written as addresses: a number n is ip_from_v4(n). A narrow bag holds only those; a wide
 * one (16-octet keys in files) any address. A counter of 0 is no counter: its key is not there.
 *
 * Narrow keys lie in up to 65536 pages by their upper half. A page is a small open-addressing hash
 * table of lower halves that doubles, and a plain array once that is smaller. Nothing is sorted
 * while adding; a page is put in order when a cursor comes to it. Measured with 10 M additions of 1
 * and a walk over all keys, seconds of processor time and peak memory, beside one hash table of
 * 16-byte slots that is sorted for the walk, and a sorted array into which sorted runs of 1 M are
 * merged:
 *
 *	keys					pages		hash table	sorted array
 *	195 k, hosts of 60 /16s			0.14 s   8 MB	0.11 s  10 MB	0.29 s  41 MB
 *	5.2 M, half of them scattered		0.94 s  98 MB	0.87 s 210 MB	0.72 s 189 MB
 *	10 M, all scattered			1.34 s 180 MB	1.64 s 411 MB	0.84 s 331 MB
 *
 * Few keys that come again and again are what flow records have; there pages are as fast as one
 * table, and memory is half of the others' for any keys.
 *
 * Threads: one at a time per bag.
 */
#ifndef TUSSAH_STORAGE_BAG_H
#define TUSSAH_STORAGE_BAG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ip.h"
#include "storage/bagtype.h"
#include "storage/header.h"

/* The largest counter that files may hold. */
#define BAG_COUNTER_MAX (UINT64_MAX - 1)

struct bag;

/* A key type of 16 octets makes a wide bag. */
struct bag *bag_new(uint16_t key_type, uint16_t counter_type);
/* An empty bag of the same types and width. */
struct bag *bag_new_like(const struct bag *bag);
void bag_free(struct bag *bag);

uint16_t bag_key_type(const struct bag *bag);
uint16_t bag_counter_type(const struct bag *bag);
/* Only the labels change; keys stay as they are. */
void bag_set_types(struct bag *bag, uint16_t key_type, uint16_t counter_type);
bool bag_is_wide(const struct bag *bag);
/* Keys with a counter. */
uint64_t bag_count(const struct bag *bag);

/*
 * Add to the counter of a key. The first address outside ::ffff:0:0/96 with a counter above 0 makes
 * the bag wide and its key type that of IPv6. False: the sum would have been above BAG_COUNTER_MAX
 * and is that now.
 */
bool bag_add(struct bag *bag, struct ip key, uint64_t counter);
/* As bag_add() of ip_from_v4(keys[i]), faster. counters NULL: 1 each. */
bool bag_add_numbers(struct bag *bag, const uint32_t *keys, const uint64_t *counters, size_t count);
/* Put in place of what there is; 0 removes the key. counter <= BAG_COUNTER_MAX. */
void bag_set(struct bag *bag, struct ip key, uint64_t counter);
/* 0: not there. */
uint64_t bag_get(const struct bag *bag, struct ip key);

/* A walk over all keys, ascending. The bag must not change meanwhile. */
struct bag_cursor {
	struct ip key;
	uint64_t counter;
	const struct bag *bag; /* the rest is the cursor's own */
	uint32_t page;
	uint32_t at;
	uint32_t count;
	uint16_t *order; /* slots of the page, keys ascending */
	struct bagwide_walk *walk;
};

/* Stand before the first key. bag is put in order, which changes nothing that can be seen. */
void bag_first(struct bag *bag, struct bag_cursor *cursor);
/* Go to the next key; false: no more, and the cursor is released. */
bool bag_next(struct bag_cursor *cursor);
/* Only to stop before bag_next() is false. */
void bag_cursor_release(struct bag_cursor *cursor);

/*
 * Read a file of any record version (1 to 4); "-" or "stdin" allowed. header (may be NULL): filled
 * with the file's header; header_release() it, also after a failure. Errors name the path.
 * *out: bag_free(); untouched on failure. Returns ST_OK, ST_ENOENT, ST_EIO, ST_EFORMAT (not a bag,
 * or damaged), ST_ETRUNC, ST_EVERSION.
 */
int bag_read(struct bag **out, const char *path, struct header *header, struct err *err);
/* As bag_read, from where src stands; src is kept by the caller. */
int bag_read_from(struct bag **out, struct bytesource *src, struct header *header, struct err *err);

struct bag_write_opts {
	uint8_t compression;
	bool no_silk_version;
	const struct header *entries; /* notes and invocations; borrowed; may be NULL */
};
/* Write the same bytes as SiLK: version 3, or 4 when wide. ST_OK or ST_EIO. sink stays open. */
int bag_write_to(struct bag *bag, struct bytesink *sink, const struct bag_write_opts *opts,
		 struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The content of an IPset file of any record version, some pieces at a time and in the order of the
 * file: for ipsetread.c (sets, and visitors) and setranges.c (range by range) only. Everything is
 * streamed: no count in a header decides how much memory is taken.
 *
 *	struct ipset_reading reading = { .visitor = &visitor, .arg = arg };
 *
 *	status = ipset_reading_begin(&reading, &file, &err);
 *	while (status == ST_OK) {
 *		status = ipset_reading_step(&reading, &err);
 *	}
 */
#ifndef TUSSAH_STORAGE_IPSETREADING_H
#define TUSSAH_STORAGE_IPSETREADING_H

#include "storage/byteorder.h"
#include "storage/datafile.h"
#include "storage/ipset.h"
#include "storage/setblock.h"

/* Header entry 7. */
struct ipset_entry {
	uint32_t children;
	uint32_t leaf_count;
	uint32_t leaf_size;
	uint32_t node_count;
	uint32_t node_size;
};

/* Ranges in the order of the file, of which some may touch. */
struct ipset_span {
	struct ip first;
	struct ip last;
};

struct ipset_spans {
	struct ipset_span *at; /* g_free() */
	uint32_t count;
	uint32_t capacity;
};

struct ipset_reading {
	struct datafile *file; /* kept */
	/* Where addresses go: into the set; if it is NULL, into the list; else to the visitor. */
	struct ipset *set;
	struct ipset_spans *spans;
	const struct ipset_visitor *visitor;
	void *arg;
	/* Of a tree of 128-bit addresses: lists of it instead, if they are wanted; g_free(). */
	bool wants_nodes;
	bool wants_leaves;
	struct setblock_list nodes; /* the time of each is its number */
	struct setblock_list leaves;
	/* The rest is for ipsetreading.c, 0 at first, but that lost_order may be asked. */
	struct ipset_entry entry;
	bool lost_order; /* not for sets: those behind the first one that does not ascend are left out */
	struct cidr waiting; /* to be shown, if the next one does not touch it */
	bool is_waiting;
	struct ip last; /* that was come to */
	bool has_last;
	bool in_leaves; /* of a tree, and how many are to come */
	uint32_t leaves_left;
	bool expect_lower; /* version 5 */
	bool expect_upper;
	uint64_t upper;
};

/*
 * Check the header, and make file->in. ST_OK, ST_EFORMAT (not an IPset, or damaged), ST_EVERSION,
 * or as datafile_blocks().
 */
int ipset_reading_begin(struct ipset_reading *reading, struct datafile *file, struct err *err);
/* Is the set one of 128-bit addresses? */
bool ipset_reading_is_wide(const struct ipset_reading *reading);
/* Take the next pieces. ST_OK, ST_END (all were taken), ST_EFORMAT, ST_ETRUNC, ST_EIO. */
int ipset_reading_step(struct ipset_reading *reading, struct err *err);

/* The bitmap of 256 addresses of record versions 0 to 5: address i is bit i % 64 of bits[i / 64]. */
#define IPSET_BITMAP_LEN 32

static inline void ipset_bitmap_load(const uint8_t *from, bool swap, uint64_t bits[4])
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t low = load32(from + 8 * (size_t)i, swap);
		uint64_t high = load32(from + 8 * (size_t)i + 4, swap);

		bits[i] = high << 32 | low;
	}
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of addresses, IPv4 and IPv6 together, and SiLK's IPset files
 * (silk-set-bag-pmap-files.md). Immutable once read or finished, and then any number of threads may
 * ask.
 *
 *	struct ipset *set = ipset_new();
 *	ipset_add(set, ip_from_v4(0x0a000001));
 *	ipset_finish(set);
 *	if (ipset_contains(set, ip)) ...
 *	ipset_free(set);
 *
 * An IPv4 address and its mapped IPv6 form are the same element, as in SiLK.
 *
 * Sorted ranges hold the addresses. The other candidate were Roaring bitmaps (CRoaring 0.2), here
 * with the same additions in the same random order (CPU time on one core; lookups of random
 * addresses; union with another set of the kind):
 *
 *	                       build, ms      lookup, ns    union, ms     memory, KB
 *	                    ranges  Roaring  r.     R.     r.     R.      r.       R.
 *	scattered hosts
 *	  1 k                    0.3    0.2      5    42     0.2    0.3      268       74
 *	  1 M                     25    469     73   313      34     40     8068     5990
 *	  100 M                 4813  74363    503   738    5367   1216   754704   197006
 *	hosts in dense /24s
 *	  1 k                    0.3    0.1      7    11     0.2   0.02      264        6
 *	  1 M                     37     38     10    74      13      4     3396     1960
 *	  100 M                 4609   7615    318   738     876    477   305848   156716
 *	blocks of /12 to /24
 *	  1 k                   0.01   0.02     13     9    0.01   0.02      0.6      0.5
 *	  1 M                   0.02   0.02     15    12    0.01   0.03      0.6        3
 *	  100 M                  0.2    0.3      4    40     0.2    0.4      266      136
 *
 * Ranges win where sets are made and asked, which is what tools and rwfilter do, and serve IPv6 in
 * the same way; Roaring needs less memory for scattered hosts (2 bytes against 8) and joins huge
 * sets faster. The 256 KB of small sets are the index of the upper 16 bits.
 */
#ifndef TUSSAH_STORAGE_IPSET_H
#define TUSSAH_STORAGE_IPSET_H

#include "common/cidr.h"
#include "storage/header.h"

struct ipset;

struct ipset *ipset_new(void);
void ipset_free(struct ipset *set);

/* Any order, repeats welcome; amortised, not ordered until ipset_finish(). */
void ipset_add(struct ipset *set, struct ip ip);
/* The same as adding one after the other, faster. */
void ipset_add_many(struct ipset *set, const struct ip *ips, size_t count);
void ipset_add_range(struct ipset *set, struct ip first, struct ip last);
/* The ranges of another set, ascending. other: borrowed; of ipset_read_for_adding(): emptied. */
void ipset_add_set(struct ipset *set, struct ipset *other);
/*
 * Keep 128-bit addresses from here on, as SiLK does after certain IPv6 texts although all addresses
 * are mapped ones. Happens by itself with the first address outside ::ffff:0:0/96. Only the bytes
 * of files depend on it.
 */
void ipset_widen(struct ipset *set);
/* Sort and join; needed after adding and before everything below. Adding may go on afterwards. */
void ipset_finish(struct ipset *set);
/*
 * Enough before writing a file of record version 3, or 0, and nothing else but ipset_free(): spares
 * what only asking needs.
 */
void ipset_finish_for_tree(struct ipset *set);

bool ipset_contains(const struct ipset *set, struct ip ip);
bool ipset_is_empty(const struct ipset *set);
bool ipset_has_ipv6(const struct ipset *set); /* an address outside ::ffff:0:0/96 */
/*
 * Number of addresses, as high * 2^64 + low. The one set with 2^128 of them gives 0 and is not
 * empty.
 */
void ipset_count(const struct ipset *set, uint64_t *high, uint64_t *low);
/* Ascending, disjoint, not adjacent ranges; is_v6 is that of the set as a whole. */
size_t ipset_ranges(const struct ipset *set);
struct cidr ipset_range(const struct ipset *set, size_t i);
/* Do the two have an address in common? */
bool ipset_intersects(const struct ipset *a, const struct ipset *b);
/* Is one of first..last (inclusive, first <= last) in the set? As fast as ipset_contains(). */
bool ipset_intersects_range(const struct ipset *set, struct ip first, struct ip last);
/* The lowest and the highest address; false when the set is empty, and then both are untouched. */
bool ipset_bounds(const struct ipset *set, struct ip *first, struct ip *last);

/*
 * Walk the ranges of a finished set upwards, as ipset_range() gives them:
 *
 *	struct ipset_cursor cursor;
 *	struct cidr range;
 *
 *	ipset_cursor_start(&cursor, set);
 *	ipset_cursor_seek(&cursor, ip);			// optional
 *	while (ipset_cursor_next(&cursor, &range)) ...
 *
 * The set is borrowed and must not change meanwhile. Each thread has its own cursor.
 */
struct ipset_cursor {
	const struct ipset *set;
	size_t at;
};
void ipset_cursor_start(struct ipset_cursor *cursor, const struct ipset *set);
/* The next range will be the first that ends at or after ip; forwards or backwards. */
void ipset_cursor_seek(struct ipset_cursor *cursor, struct ip ip);
/* False when there are no more. */
bool ipset_cursor_next(struct ipset_cursor *cursor, struct cidr *range);

/*
 * Read a file of any record version (0 to 5); "-" or "stdin" allowed. header (may be NULL): filled
 * with the file's header; header_release() it, also after a failure. Errors name the path.
 * *out: ipset_free(); untouched on failure. Returns ST_OK, ST_ENOENT, ST_EIO, ST_EFORMAT (not an
 * IPset, or damaged), ST_ETRUNC, ST_EVERSION.
 */
int ipset_read(struct ipset **out, const char *path, struct header *header, struct err *err);
/*
 * As ipset_read, of a set that will be added to and written: version 3 tells the history of a set
 * of IPv6 addresses, which this remembers. It is not finished.
 */
int ipset_read_growing(struct ipset **out, const char *path, struct header *header,
		       struct err *err);
/*
 * As ipset_read, of a set that will be given to ipset_add_set(): takes less time and memory. Only
 * ipset_has_ipv6() may be asked, anything else after ipset_finish().
 */
int ipset_read_for_adding(struct ipset **out, const char *path, struct header *header,
			  struct err *err);
int ipset_read_growing_from(struct ipset **out, struct bytesource *src, struct header *header,
			    struct err *err);
/* As ipset_read, from where src stands; src is kept by the caller. */
int ipset_read_from(struct ipset **out, struct bytesource *src, struct header *header,
		    struct err *err);

/*
 * Show the ranges of a file, as an ipset_cursor does those of the set in it, without holding the
 * set. begin() comes first, wide: the set is one of 128-bit addresses. At damage what came before
 * it has been shown. Errors of ipset_read(), and ST_EFORMAT where the file is not in order.
 */
struct ipset_visitor {
	void (*begin)(void *arg, const struct header *header, bool wide);
	void (*range)(void *arg, const struct cidr *range);
	/*
	 * NULL, or instead of ranges, where that is quicker: so many addresses come next, at least one.
	 * The numbers mean nothing when the file turns out to be damaged.
	 */
	void (*addresses)(void *arg, uint64_t count);
};
int ipset_visit(const char *path, const struct ipset_visitor *visitor, void *arg, struct err *err);

struct ipset_write_opts {
	uint16_t record_version; /* 0 to 5 but 1; 0: 2 for IPv4 only, 3 with IPv6 */
	uint8_t compression;
	bool no_silk_version;
	const struct header *entries; /* notes and invocations; borrowed; may be NULL */
	bool overwrite;
};
/*
 * Write a finished set, the same bytes as SiLK. "-" or "stdout" allowed. Returns ST_OK, ST_EINVAL
 * (version 2 cannot hold IPv6; nothing is written), ST_EVERSION, ST_EEXIST, ST_EIO.
 */
int ipset_write(const struct ipset *set, const char *path, const struct ipset_write_opts *opts,
		struct err *err);
/* As ipset_write, into sink, which stays open. */
int ipset_write_to(const struct ipset *set, struct bytesink *sink,
		   const struct ipset_write_opts *opts, struct err *err);

#endif

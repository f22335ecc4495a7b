/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Volume by a small key: a table with a bin for every value that the key can have. The engine of
 * rwtotal.
 *
 *	const struct totals_key *key = &totals_keys[TOTALS_PROTO];
 *	struct totals *totals = totals_new(key, IPV6_ASV4);
 *	struct totals_worker *worker = totals_worker_new(totals);
 *	while (source_next(source, batch, totals_columns(totals))) {
 *		totals_worker_add(worker, batch);
 *	}
 *	totals_worker_free(worker);
 *	for (uint32_t n = totals_next(totals, 0, true); n != TOTALS_END; ...) ...
 *	totals_free(totals);
 *
 * Values that are greater than the last bin are counted there. Keys of addresses have bins of their
 * own for IPv6, behind those for IPv4, when the policy lets IPv6 records through.
 */
#ifndef TUSSAH_QUERY_TOTALS_H
#define TUSSAH_QUERY_TOTALS_H

#include "common/batch.h"
#include "query/volume.h"

/*	X(ENUM, switch, help)	*/
#define TOTALS_KEYS(X)                                                                             \
	X(SIP_FIRST_8, "sip-first-8", "count by the first 8 bits of the source address")           \
	X(SIP_FIRST_16, "sip-first-16", "count by the first 16 bits of the source address")        \
	X(SIP_FIRST_24, "sip-first-24", "count by the first 24 bits of the source address")        \
	X(SIP_LAST_8, "sip-last-8", "count by the last 8 bits of the source address")              \
	X(SIP_LAST_16, "sip-last-16", "count by the last 16 bits of the source address")           \
	X(DIP_FIRST_8, "dip-first-8", "count by the first 8 bits of the destination address")      \
	X(DIP_FIRST_16, "dip-first-16", "count by the first 16 bits of the destination address")   \
	X(DIP_FIRST_24, "dip-first-24", "count by the first 24 bits of the destination address")   \
	X(DIP_LAST_8, "dip-last-8", "count by the last 8 bits of the destination address")         \
	X(DIP_LAST_16, "dip-last-16", "count by the last 16 bits of the destination address")      \
	X(SPORT, "sport", "count by the source port")                                              \
	X(DPORT, "dport", "count by the destination port")                                         \
	X(PROTO, "proto", "count by the protocol")                                                 \
	X(PACKETS, "packets", "count by the packets of a record")                                  \
	X(BYTES, "bytes", "count by the bytes of a record")                                        \
	X(DURATION, "duration", "count by the duration of a record in seconds")                    \
	X(ICMP_CODE, "icmp-code", "count by ICMP type and code, as if all records were ICMP")

enum totals_keys {
#define X(upper, name, help) TOTALS_##upper,
	TOTALS_KEYS(X)
#undef X
		TOTALS_KEY_COUNT
};

struct totals_key {
	const char *title;
	uint32_t bins;    /* values of the key, of one family when it is of addresses */
	uint32_t columns; /* COLUMN_BITs that make it */
	bool address;
	bool number; /* print writes one number and nothing else */
	/* Bins of all selected rows; those of IPv6 rows are moved on by v6_bins, unless that is 0.
	 */
	void (*load)(const struct batch *batch, uint32_t v6_bins, uint32_t *out);
	/* The text of a value, NUL-terminated, at most TOTALS_TEXT_MAX; returns its length. */
	size_t (*print)(char *out, uint32_t value, bool padded);
	size_t (*print_v6)(char *out, uint32_t value); /* NULL: the key is not of addresses */
	int v6_width;
};
extern const struct totals_key totals_keys[TOTALS_KEY_COUNT];

#define TOTALS_TEXT_MAX 64

struct totals;

/* Which families of addresses there are bins for follows from the policy. Free: totals_free(). */
struct totals *totals_new(const struct totals_key *key, enum ipv6_policy policy);
void totals_free(struct totals *totals);

/* COLUMN_BITs that totals_worker_add() reads. */
uint32_t totals_columns(const struct totals *totals);

/*
 * Each thread adds by a worker of its own. Small tables are kept by each worker, large ones are
 * shared.
 * Threads: one at a time for each worker; each of these for another worker at any time.
 */
struct totals_worker;
struct totals_worker *totals_worker_new(struct totals *totals);
/* Add the selected rows, which the policy has been applied to. */
void totals_worker_add(struct totals_worker *worker, const struct batch *batch);
/* Hand in what the worker has. */
void totals_worker_free(struct totals_worker *worker);

#define TOTALS_END UINT32_MAX

/* The first bin at or behind n, which holds a record when only_used; TOTALS_END: there is none. */
uint32_t totals_next(const struct totals *totals, uint32_t n, bool only_used);
const struct volume *totals_at(const struct totals *totals, uint32_t n);
/* As print of the key. padded: numbers of addresses and of ICMP are aligned. */
size_t totals_print(const struct totals *totals, char *out, uint32_t n, bool padded);
/* Can there be bins of IPv6? */
bool totals_has_v6(const struct totals *totals);

#endif

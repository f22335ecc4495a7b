/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Export datagrams of made-up records, built before anything is timed: NetFlow v5 and v9, IPFIX.
 * Only sequence numbers change from one sending to the next, and times now and then.
 *
 *	struct datagrams *pool = datagrams_new(DATAGRAMS_IPFIX, records, now_ms);
 *	const struct datagram *at = datagrams_next(pool);
 *	sendto(fd, at->bytes, at->len, ...);
 *	datagrams_free(pool);
 */
#ifndef TUSSAH_TESTS_PERF_DATAGRAMS_H
#define TUSSAH_TESTS_PERF_DATAGRAMS_H

#include <glib.h>
#include <stdint.h>

enum datagrams_format { DATAGRAMS_V5, DATAGRAMS_V9, DATAGRAMS_IPFIX, DATAGRAMS_FORMATS };
extern const char *const datagrams_format_names[DATAGRAMS_FORMATS + 1]; /* NULL at the end */

enum { DATAGRAM_MAX = 1500 };

struct datagram {
	uint16_t len;
	uint16_t records;
	uint8_t bytes[DATAGRAM_MAX];
};

struct datagrams;

/*
 * As many datagrams as the IPv4 records (struct record) fill. The export time is now_ms; a record
 * ends at most a minute earlier.
 */
struct datagrams *datagrams_new(enum datagrams_format format, const GArray *records,
				int64_t now_ms);
/* The same records, exported now: the sequence goes on. */
void datagrams_renew(struct datagrams *pool, const GArray *records, int64_t now_ms);
void datagrams_free(struct datagrams *pool);

/*
 * The next one, round and round, with the sequence number that its turn has. Templates come first
 * and then every thousand datagrams. It stays as it is for as many calls as the pool is large.
 */
const struct datagram *datagrams_next(struct datagrams *pool);

#endif

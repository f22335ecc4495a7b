/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An address stream opened for reading (storage/FORMAT.md section 4).
 *
 *	struct addresses addresses = { 0 };			// opened again and again
 *	addresses_open(&addresses, bytes, end, rows, err);
 *	addresses_read(&addresses, 0, 1024, ips, err);
 *	addresses_release(&addresses);
 *
 * Statuses: ST_OK, ST_EFORMAT. Threads: any number may read.
 */
#ifndef TUSSAH_STORAGE_ADDRESSES_H
#define TUSSAH_STORAGE_ADDRESSES_H

#include "common/ip.h"
#include "storage/numbers.h"

struct addresses {
	uint8_t encoding; /* enum encoding */
	uint32_t count;
	struct numbers numbers;    /* of IPv4 addresses, one by one or distinct */
	struct frames frames;      /* places in the dictionary */
	struct ip *dictionary;     /* distinct addresses; of a constant the one */
	uint32_t dictionary_count; /* 0: neither a dictionary nor constant */
	size_t dictionary_room;    /* grows only */
};

/* As numbers_open(). */
int addresses_open(struct addresses *addresses, const uint8_t *at, const uint8_t *end,
		   uint32_t count, struct err *err);
void addresses_release(struct addresses *addresses);

/* As frames_read() and numbers_read_codes(). */
int addresses_read(const struct addresses *addresses, uint32_t row, uint32_t count, struct ip *out,
		   struct err *err);
int addresses_read_codes(const struct addresses *addresses, uint32_t row, uint32_t count,
			 uint16_t *out, struct err *err);

#endif

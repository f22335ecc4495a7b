/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other addresses for IPv4 addresses, drawn at random as SiLK's rwrandomizeip draws them: with the
 * same seed the same come out.
 *
 *	scramble_seed(1);
 *	other = scramble_draw();			// a private one, whatever the input
 *
 *	scramble_shuffle(&tables);			// or scramble_read(), of an earlier run
 *	other = scramble_map(&tables, ip);		// always the same for the same address
 *
 * Threads: one at a time, as the numbers come from random(3).
 */
#ifndef TUSSAH_QUERY_SCRAMBLE_H
#define TUSSAH_QUERY_SCRAMBLE_H

#include <stdint.h>

#include "common/err.h"
#include "storage/bytesink.h"

/* One permutation for each byte of an address; the first is that of the last byte. */
struct scramble {
	uint8_t bytes[4][256];
};

void scramble_seed(uint32_t seed);
/* An address of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, in host order. */
uint32_t scramble_draw(void);

void scramble_shuffle(struct scramble *tables);
uint32_t scramble_map(const struct scramble *tables, uint32_t ip);

/* The tables in a file of SiLK's form. ST_OK, ST_EFORMAT, ST_ETRUNC, ST_EIO and so on. */
int scramble_read(struct scramble *tables, const char *path, struct err *err);
int scramble_write(const struct scramble *tables, struct bytesink *sink, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flow records of a file as a message, so that they go the way of exports: a SiLK stream of
 * FORMAT_RWIPV6ROUTING, big-endian and not compressed, of as many records as a message may have.
 * When records have values of extension columns these follow the stream, behind a head of their own
 * (numbers big-endian): SILKMESSAGE_VALUES_MAGIC (2), zero (2), length of the stream (4), the
 * stream, and each value: row (2), enterprise (4), element (2), type (1), length (2), number (8),
 * address (16, as IPv6) or bytes. Rows ascend. The decoder takes both from files only.
 */
#ifndef TUSSAH_PACKER_SILKMESSAGE_H
#define TUSSAH_PACKER_SILKMESSAGE_H

#include <glib.h>

#include "common/batch.h"

#define SILKMESSAGE_MAGIC        0xdead /* the first 16 bits of every SiLK file */
#define SILKMESSAGE_VALUES_MAGIC 0xdea7
#define SILKMESSAGE_VALUES_BYTES (512 * 1024) /* with so many a message ends, */
#define SILKMESSAGE_VALUES_MAX   (960 * 1024) /* and values beyond are left out */
#define SILKMESSAGE_RECORDS      700          /* at most: less than 64 KiB */

/* Append a message of the rows from this one on; returns the row behind them. */
uint32_t silkmessage_put(GByteArray *out, const struct batch *batch, uint32_t row);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flow records of a file as a message, so that they go the way of exports: a SiLK stream of
 * FORMAT_RWIPV6ROUTING, big-endian and not compressed, of as many records as a message may have.
 * The decoder takes it from files only.
 */
#ifndef TUSSAH_PACKER_SILKMESSAGE_H
#define TUSSAH_PACKER_SILKMESSAGE_H

#include <glib.h>

#include "common/batch.h"

#define SILKMESSAGE_MAGIC   0xdead /* the first 16 bits of every SiLK file */
#define SILKMESSAGE_RECORDS 700    /* at most: less than 64 KiB */

/* Append a message of the rows from this one on; returns the row behind them. */
uint32_t silkmessage_put(GByteArray *out, const struct batch *batch, uint32_t row);

#endif

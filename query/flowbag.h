/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bag filled from flow records: which field is the key, what is counted.
 *
 *	flowbag_find_key("sipv4", &key, err); flowbag_find_counter("bytes", &counter, err);
 *	struct flowbag *flowbag = flowbag_new(key, counter, NULL);
 *	while (source_next(source, batch, flowbag_columns(flowbag))) {
 *		flowbag_add(flowbag, batch);
 *	}
 */
#ifndef TUSSAH_QUERY_FLOWBAG_H
#define TUSSAH_QUERY_FLOWBAG_H

#include "common/batch.h"
#include "storage/bag.h"
#include "storage/pmap.h"

struct flowbag_key;
struct flowbag_counter;

/* By name or unambiguous prefix, any case. ST_OK or ST_EINVAL. */
int flowbag_find_key(const char *name, const struct flowbag_key **out, struct err *err);
int flowbag_find_counter(const char *name, const struct flowbag_counter **out, struct err *err);
/* The type of the bag's key, which tells what map is needed, if any. */
uint16_t flowbag_key_type(const struct flowbag_key *key);

struct flowbag;

/* map is kept; NULL for keys that need none. */
struct flowbag *flowbag_new(const struct flowbag_key *key, const struct flowbag_counter *counter,
			    const struct pmap *map);
void flowbag_free(struct flowbag *flowbag);

/* COLUMN_BITs that flowbag_add() reads. */
uint32_t flowbag_columns(const struct flowbag *flowbag);
/* Add the selected rows. False: a counter became too large, and stays at its largest. */
bool flowbag_add(struct flowbag *flowbag, const struct batch *batch);
/* Borrowed. */
struct bag *flowbag_bag(const struct flowbag *flowbag);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of the records that agree in a key are duplicates of each other, when some numbers of
 * theirs may differ a little. The engine of rwdedupe.
 *
 *	struct deduper *deduper = deduper_new(&deltas);
 *	for each group of records with equal keys: deduper_clear(deduper);
 *		for each of its records: if (deduper_add(deduper, &rec)) ... keep it ...
 *	deduper_free(deduper);
 *
 * The first record is kept, and every one that is not near a record that was kept.
 */
#ifndef TUSSAH_QUERY_DEDUPER_H
#define TUSSAH_QUERY_DEDUPER_H

#include "common/record.h"

enum deduper_delta {
	DEDUPER_PACKETS,
	DEDUPER_BYTES,
	DEDUPER_START,    /* ms */
	DEDUPER_DURATION, /* ms */
	DEDUPER_DELTAS,
};

struct deduper_deltas {
	uint64_t values[DEDUPER_DELTAS]; /* 0: the number is in the key, or does not matter */
};

struct deduper;

/* Never NULL. deltas is copied. */
struct deduper *deduper_new(const struct deduper_deltas *deltas);
void deduper_free(struct deduper *deduper);
/* A new group begins. */
void deduper_clear(struct deduper *deduper);
/* Is rec the first of its kind in the group? */
bool deduper_add(struct deduper *deduper, const struct record *rec);

#endif

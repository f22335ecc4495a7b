/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Relate the records of two sorted streams, queries and responses: those of the same key whose
 * times fit become a numbered match. The engine of rwmatch.
 *
 *	struct flowmatch_spec spec = { .key_size = 20, .next = next, .write = write, .arg = me };
 *	st = flowmatch_run(&spec, err);
 *
 * A match starts with a query and a response; the earlier one is its base. Then more records of
 * both streams join while their key is that of the base and they start within its window of time.
 */
#ifndef TUSSAH_QUERY_FLOWMATCH_H
#define TUSSAH_QUERY_FLOWMATCH_H

#include "common/err.h"
#include "common/record.h"

enum flowmatch_side { FLOWMATCH_QUERY, FLOWMATCH_RESPONSE, FLOWMATCH_SIDES };

enum flowmatch_window {
	FLOWMATCH_ABSOLUTE, /* until the end of the base, and the delta */
	FLOWMATCH_RELATIVE, /* until the latest end of what joined, and the delta */
	FLOWMATCH_INFINITE,
};

struct flowmatch_spec {
	size_t key_size;
	int64_t delta_ns;
	bool symmetric; /* a response may come before its query */
	enum flowmatch_window window;
	bool write_unmatched[FLOWMATCH_SIDES];
	/* The next record and its key, which is borrowed until the next call for this side. false:
	 * there is none. */
	bool (*next)(void *arg, enum flowmatch_side side, struct record *rec, const uint8_t **key);
	/* Takes a record with its number in the next hop; anything but ST_OK ends the work. */
	int (*write)(void *arg, const struct record *rec, struct err *err);
	void *arg;
};

/* ST_OK, or what write() returned. */
int flowmatch_run(const struct flowmatch_spec *spec, struct err *err);

#endif

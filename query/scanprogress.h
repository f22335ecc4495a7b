/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line that tells how far a long scan is: a bar, the rate, the time that is left.
 *
 *	struct scanprogress progress = { .out = stderr, .start_ns = now_ns, .delay_ns = 2 * NS_PER_S
 *}; scanprogress_show(&progress, now_ns, done, total, records);	// as often as one likes
 *	scanprogress_end(&progress);
 */
#ifndef TUSSAH_QUERY_SCANPROGRESS_H
#define TUSSAH_QUERY_SCANPROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct scanprogress {
	FILE *out; /* NULL: show nothing */
	int64_t start_ns;
	int64_t delay_ns; /* nothing is shown before */
	int64_t shown_ns; /* when it was drawn last; 0: never */
};

#define SCANPROGRESS_TEXT_MAX 120

/* The line for done of total steps (0: not known how many) and records after elapsed_ns. */
void scanprogress_text(char text[SCANPROGRESS_TEXT_MAX], uint64_t done, uint64_t total,
		       uint64_t records, int64_t elapsed_ns);

/* Draw the line if it is time. */
void scanprogress_show(struct scanprogress *progress, int64_t now_ns, uint64_t done, uint64_t total,
		       uint64_t records);
/* Wipe it off. */
void scanprogress_end(struct scanprogress *progress);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scan, as rwscan prints it: a source, what it sent, and which model called it a scan.
 *
 *	struct scanrow row;
 *	if (scanrow_parse(line, &row, err) == ST_OK) ...
 */
#ifndef TUSSAH_QUERY_SCANROW_H
#define TUSSAH_QUERY_SCANROW_H

#include <stdint.h>

#include <glib.h>

#include "common/err.h"

struct scanrow {
	int64_t id; /* in the database; 0: in none */
	uint32_t sip;
	uint8_t protocol;
	int64_t start_ns; /* whole seconds */
	int64_t end_ns;
	uint64_t flows; /* counters: at most INT64_MAX */
	uint64_t packets;
	uint64_t bytes;
	uint32_t model;
	double probability;
};

/*
 * A line of rwscan --scandb, or of rwscan --model-fields with padding, final bars and dotted
 * addresses; an id may stand in front, as rwscanquery --report=export has it, which is dropped.
 * line is changed. Returns ST_OK, ST_END (an empty line, or one of titles), ST_EFORMAT; *out is
 * then untouched.
 */
int scanrow_parse(char *line, struct scanrow *out, struct err *err);

/*
 * Append all rows of a text, "-" is standard input, to rows (struct scanrow). ST_OK, ST_ENOENT,
 * ST_EIO, ST_EFORMAT and ST_ELIMIT (a line is wrong, or too long: named).
 */
int scanrow_read(const char *path, GArray *rows, struct err *err);

#endif

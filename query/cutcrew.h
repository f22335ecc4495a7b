/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of a source as rows of a table: each worker of a readcrew makes text of its batches,
 * which is written in the order of the input.
 *
 *	struct cutcrew crew = { .fields = fields, .field_count = count, .columns = columns,
 *				.ctx = &ctx, .text = text, .threads = 2, .want = want, .arg = cut };
 *	cutcrew_run(&crew, source);
 */
#ifndef TUSSAH_QUERY_CUTCREW_H
#define TUSSAH_QUERY_CUTCREW_H

#include "common/field.h"
#include "common/text.h"
#include "query/source.h"

struct cutcrew {
	const struct field *const *fields;
	size_t field_count;
	uint32_t columns; /* COLUMN_BITs of the fields */
	const struct field_context *ctx;
	struct text *text;
	unsigned threads;
	void *arg; /* of the callbacks */
	/* Ask a batch for extension columns. */
	void (*want)(void *arg, struct batch *batch);
	/* Change a batch before it is printed; by any thread. */
	void (*change)(void *arg, struct batch *batch);
};

/* Print all that source has. */
void cutcrew_run(const struct cutcrew *crew, struct source *source);

/* One row of a batch, with the fields and in the context of the crew, into text. */
void cutcrew_row(const struct cutcrew *crew, const struct field_context *ctx, struct text *text,
		 const struct batch *batch, uint32_t row);

#endif

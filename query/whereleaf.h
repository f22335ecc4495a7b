/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One comparison of an expression, as a test: with one of the loops of the switches where there is
 * one for it, else by looking at the field of each row.
 */
#ifndef TUSSAH_QUERY_WHERELEAF_H
#define TUSSAH_QUERY_WHERELEAF_H

#include "query/predicaterow.h"
#include "query/where.h"

enum whereleaf_op {
	WHERELEAF_IN, /* one of several values or ranges */
	WHERELEAF_LESS,
	WHERELEAF_LESS_EQUAL,
	WHERELEAF_GREATER,
	WHERELEAF_GREATER_EQUAL,
	WHERELEAF_MATCH,   /* a regular expression */
	WHERELEAF_PRESENT, /* there is a value */
	WHERELEAF_SET,     /* words[0] names a file of addresses */
	WHERELEAF_MAP,     /* words[0] names a prefix map, what follows are labels */
};

struct whereleaf_question {
	const struct field *field;
	enum whereleaf_op op;
	bool negated;
	char *const *words; /* values */
	size_t count;
};

/*
 * *out: returned, ready to narrow and to judge; predicate_release() and g_free(). A record that has
 * no value passes no comparison, negated or not. *wrong: which word is to blame; SIZE_MAX: none.
 */
int whereleaf_new(struct predicate **out, const struct whereleaf_question *question,
		  const struct where_scope *scope, size_t *wrong, struct err *err);

#endif

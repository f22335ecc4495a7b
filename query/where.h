/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rwfilter --where=EXPR: an expression over the fields of a record, as tests.
 *
 *	sIP in 10.0.0.0/8, 192.168.0.0/16 and (dPort = 53 or bytes > 1000000) and not userName ~
 *"^root"
 *
 * Parts that all must hold become tests of their own, the same as those of switches where there is
 * such a switch, so that files and blocks are passed over by them; the rest is evaluated row by
 * row.
 */
#ifndef TUSSAH_QUERY_WHERE_H
#define TUSSAH_QUERY_WHERE_H

#include "common/extfield.h"
#include "query/predicate.h"

struct where_scope {
	struct extfields *ext;   /* names fields; must live as long as the tests */
	const struct site *site; /* names sensors, classes and types; kept */
};

/*
 * Add the tests of an expression. ST_OK, ST_EINVAL with a message that shows the place, or what
 * reading a set or map returned.
 */
int where_compile(struct predicates **tests, const char *text, const struct where_scope *scope,
		  struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variables of the environment that stand in for a switch. One that says nothing a program can
 * understand is passed over, and told.
 *
 *	static const struct standin standins[] = {
 *		{ "ipv6-policy", "SILK_IPV6_POLICY", check_policy },
 *		{ NULL, NULL, NULL },
 *	};
 *	standin_check(standins, table, getenv, warn, arg);
 */
#ifndef TUSSAH_COMMON_STANDIN_H
#define TUSSAH_COMMON_STANDIN_H

#include "common/opt.h"

struct standin {
	const char *option; /* NULL ends the rows */
	const char *variable;
	int (*check)(const char *text, struct err *err); /* ST_EINVAL: means nothing, and why */
};

/* getenv(), but in tests: the variable's value, borrowed; NULL: it is not set. */
typedef char *(*standin_getenv_fn)(const char *variable);
/* One warning, without program name and end of line; borrowed. */
typedef void (*standin_warn_fn)(void *arg, const char *text);

/* Check the variables of those switches that the table has. One that is empty is not set. */
void standin_check(const struct standin *rows, const struct opt *table, standin_getenv_fn value_of,
		   standin_warn_fn warn, void *arg);

#endif

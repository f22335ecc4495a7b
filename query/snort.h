/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Snort's alerts and rules ask for, as predicates of rwfilter: the engine of rwidsquery.
 *
 *	struct snort_vars *vars = NULL;			// or snort_vars_read(&vars, path, err)
 *	GPtrArray *predicates = snort_predicates_new();
 *	rc = snort_parse_rule(line, vars, predicates, err);
 *	... ((struct snort_predicate *)predicates->pdata[0])->name ...
 *	g_ptr_array_free(predicates, TRUE);
 *	snort_vars_free(vars);
 *
 * Pure but for the reading of the configuration.
 */
#ifndef TUSSAH_QUERY_SNORT_H
#define TUSSAH_QUERY_SNORT_H

#include <glib.h>

#include "common/err.h"

/* "--name=value" */
struct snort_predicate {
	const char *name;
	char *value;
};
GPtrArray *snort_predicates_new(void);

/* var, ipvar and portvar of a configuration. */
struct snort_vars;
/* *out returned: snort_vars_free(). ST_OK, ST_EIO. */
int snort_vars_read(struct snort_vars **out, const char *path, struct err *err);
void snort_vars_free(struct snort_vars *vars); /* NULL is fine */

/* When to look for the flow of an alert. */
struct snort_when {
	int year; /* alerts have none */
	int64_t tolerance_s;
};

/*
 * The first alert of the text, in the format "fast" (with a date of syslog) or "full"; what follows
 * it is not looked at. Appends to predicates. ST_OK; ST_EFORMAT: it is none.
 */
int snort_parse_fast(const char *text, const struct snort_when *when, GPtrArray *predicates,
		     struct err *err);
int snort_parse_full(const char *text, const struct snort_when *when, GPtrArray *predicates,
		     struct err *err);
/*
 * The first rule of the text, without its times. Of what a flow cannot tell (content and so on)
 * nothing is asked. ST_OK; ST_EFORMAT: it is none; ST_ENOENT: a variable is not known.
 */
int snort_parse_rule(const char *text, const struct snort_vars *vars, GPtrArray *predicates,
		     struct err *err);

#endif

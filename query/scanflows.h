/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flows of scanners in the repository, by rwfilter ($RWFILTER, or the one on the PATH), which
 * gets the set of scanners as its standard input. When it cannot even be tried the tool ends.
 */
#ifndef TUSSAH_QUERY_SCANFLOWS_H
#define TUSSAH_QUERY_SCANFLOWS_H

#include "query/tool.h"
#include "storage/ipset.h"

struct scanflows {
	const struct ipset *scanners; /* finished */
	bool responses;               /* flows to the scanners, not from them */
	int64_t first_ns;             /* within the first hour, and the last one */
	int64_t last_ns;
	const char *class_name; /* --class, --type of rwfilter; NULL: its default, as below */
	const char *type;
	const char *targets;    /* an IP wildcard: the scanners' counterparts */
	const char *target_set; /* the path of an IPset of them */
};

/* Become rwfilter, which writes the flows to path ("stdout"). */
_Noreturn void scanflows_become_rwfilter(const struct scanflows *flows, const char *path);

/*
 * The sources of the flows, finished; ipset_free(). NULL: rwfilter has failed, which was told.
 * Standard input is another one afterwards.
 */
struct ipset *scanflows_sources(const struct scanflows *flows, struct tool_env *env);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of a scan, in order: those that were named, or those of the repository. Of the latter
 * the catalog may already know all that is asked: they are counted, and need not be opened.
 *
 *	struct scanlist *list = scanlist_of_selection(selection, true, false);
 *	while (scanlist_next(list, &plan, &step)) ...
 *	scanlist_free(list);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_SCANLIST_H
#define TUSSAH_QUERY_SCANLIST_H

#include "query/names.h"
#include "query/scan.h"
#include "query/selection.h"

struct scanlist;

/* names are kept; NULL: an empty list. count: how many they are; 0: not known. */
struct scanlist *scanlist_of_names(struct names *names, uint64_t count);
/* selection is kept. tell_all: a step is made of every file, also of those that are answered. */
struct scanlist *scanlist_of_selection(struct selection *selection, bool use_catalog,
				       bool tell_all);
/* Frees the list and not what it is of. NULL is fine. */
void scanlist_free(struct scanlist *list);

struct scanlist_step {
	const char *path;    /* borrowed until the next step; NULL: there is none, only counts */
	bool missing;        /* it is not there, which is to be told only */
	bool answered;       /* nothing is to be read of it */
	uint64_t size_bytes; /* 0: not known */
	uint64_t place;      /* how many names were passed, this one included */
	/* What the catalog answered: files, and the records in them. */
	uint64_t files;
	struct scan_totals totals;
};

/* false: no more. */
bool scanlist_next(struct scanlist *list, const struct scan_plan *plan, struct scanlist_step *step);

/* How many names will be passed in all; 0: not known. */
uint64_t scanlist_names(const struct scanlist *list);

struct scanlist_report {
	uint64_t considered; /* names; of the repository those of files that are there */
	uint64_t answered;   /* by the catalog */
	uint64_t bytes_read; /* of the catalog */
};
const struct scanlist_report *scanlist_report(const struct scanlist *list);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefix maps of --pmap-file, which may be given a name there.
 *
 *	struct pmapfile map;
 *	if (pmapfile_read(&map, "office:office.pmap", err) == ST_OK) ... map.name, map.pmap
 *	pmapfile_release(&map);
 */
#ifndef TUSSAH_QUERY_PMAPFILE_H
#define TUSSAH_QUERY_PMAPFILE_H

#include "storage/pmap.h"

struct pmapfile {
	char *name; /* NULL: it has none */
	struct pmap *pmap;
};

/* "[NAME:]PATH"; without NAME it is the one in the file. ST_OK, or what pmap_read() returns. */
int pmapfile_read(struct pmapfile *out, const char *text, struct err *err);
void pmapfile_release(struct pmapfile *map);

#endif

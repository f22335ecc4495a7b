/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text that rwpmapbuild reads: statements, one a line, into a prefix map
 * (silk-set-bag-pmap-files.md 5.5).
 *
 *	struct pmaptext *text = pmaptext_new(warn, arg);
 *	while (... && pmaptext_line(text, line, len) == ST_OK) {
 *	}
 *	pmap = pmaptext_finish(text, &faults);
 *
 * Wrong statements are told of and passed over.
 */
#ifndef TUSSAH_QUERY_PMAPTEXT_H
#define TUSSAH_QUERY_PMAPTEXT_H

#include "storage/pmap.h"

struct pmaptext;

/* One line about a wrong statement, "line 3: why". */
typedef void (*pmaptext_warn_fn)(void *arg, const char *text);

struct pmaptext *pmaptext_new(pmaptext_warn_fn warn, void *arg);

/* As the statement "mode NAME", before the first line. Returns ST_OK or ST_EINVAL. */
int pmaptext_set_mode(struct pmaptext *text, const char *name, struct err *err);

/*
 * Take the next line of len bytes, without its newline but with a NUL behind it; it is changed.
 * Returns ST_OK, ST_END (a wrong mode: what follows has no meaning, stop reading) or ST_EFORMAT
 * (nothing can come of it: all labels were wrong). Both have been told of.
 */
int pmaptext_line(struct pmaptext *text, char *line, size_t len);

/* The map, pmap_free() it; text is freed. *faults is how many statements were wrong. */
struct pmap *pmaptext_finish(struct pmaptext *text, unsigned *faults);

#endif

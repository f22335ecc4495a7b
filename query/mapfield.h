/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields that a prefix map gives: the types of both addresses (sType, dType), their countries (scc,
 * dcc), and the labels of a map that the user names (src-NAME, dst-NAME).
 *
 *	struct mapfields *maps = mapfields_new();
 *	if (mapfields_add(maps, "office:office.pmap", err) == ST_OK) ...
 *	mapfields_register(maps, ext);
 *	...
 *	mapfields_free(maps);			// and with them the fields
 *
 * Maps of types and countries are read when one of their fields is named.
 */
#ifndef TUSSAH_QUERY_MAPFIELD_H
#define TUSSAH_QUERY_MAPFIELD_H

#include "common/extfield.h"
#include "storage/pmap.h"

struct mapfields;

/* Never NULL. */
struct mapfields *mapfields_new(void);
void mapfields_free(struct mapfields *maps);

/*
 * Read a map of the user, "[NAME:]PATH"; one without a name is called sval and dval, and must be
 * the only one. Returns ST_OK, ST_EINVAL, or what pmap_read() returns.
 */
int mapfields_add(struct mapfields *maps, const char *text, struct err *err);

/* No label's column is wider; before mapfields_register(). */
void mapfields_set_width(struct mapfields *maps, unsigned width);

/* The map of one of these fields, once it has been named. Borrowed. */
const struct pmap *mapfield_pmap(const struct field *field);

/* Have ext find the fields, which live as long as maps. */
void mapfields_register(const struct mapfields *maps, struct extfields *ext);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which prefix map a tool reads: the switches --map-file, --address-types and --country-codes, and
 * where the maps without a name lie.
 *
 *	OPT_GROUP(struct lookup_opts, map, mapfile_opt_table),
 *	...
 *	pmap = mapfile_read(&opts->map);
 */
#ifndef TUSSAH_QUERY_MAPFILE_H
#define TUSSAH_QUERY_MAPFILE_H

#include "common/opt.h"
#include "storage/pmap.h"

enum mapfile_kind {
	MAPFILE_NONE, /* no switch given */
	MAPFILE_NAMED,
	MAPFILE_ADDRESS_TYPES,
	MAPFILE_COUNTRY_CODES,
};

struct mapfile_choice {
	enum mapfile_kind kind;
	const char *path; /* NULL: the default one */
};

struct mapfile_opts {
	struct mapfile_choice choice;
};
extern const struct opt mapfile_opt_table[];

/*
 * Read the map of a choice other than MAPFILE_NONE. The two kinds with defaults are looked for as
 * in SiLK: by the name given, else $SILK_ADDRESS_TYPES or $SILK_COUNTRY_CODES, else
 * address_types.pmap or country_codes.pmap; and, if that does not lead to a file and is without a
 * slash, in share/silk and share of $SILK_PATH, in $SILK_PATH and in the shares of where we are
 * installed. They must be of addresses. Ends the program when there is none. Returned: pmap_free().
 */
struct pmap *mapfile_read(const struct mapfile_choice *choice);

/*
 * The map of one of these two kinds, by the name given or, where that is NULL, the default one; it
 * must be of addresses. *out: pmap_free(). Returns ST_OK, ST_ENOENT, or what pmap_read() does.
 */
int mapfile_read_known(struct pmap **out, enum mapfile_kind kind, const char *given,
		       struct err *err);

#endif

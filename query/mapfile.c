/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/mapfile.h"

#include "query/tool.h"

static int choose(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct mapfile_choice *choice = dest;

	if (choice->kind != MAPFILE_NONE) {
		return err_set(err, ST_EINVAL, "only one prefix map may be given");
	}
	*choice = (struct mapfile_choice){ (enum mapfile_kind)opt->tag, text };
	return ST_OK;
}

const struct opt mapfile_opt_table[] = {
	OPT_CALL(struct mapfile_opts, choice, "map-file", 0, "FILE", choose, 0,
		 "use this prefix map", .tag = MAPFILE_NAMED),
	OPT_CALL(struct mapfile_opts, choice, "address-types", 0, "FILE", choose, OPT_ARG_OPTIONAL,
		 "use this map of address types, or the default one", .tag = MAPFILE_ADDRESS_TYPES),
	OPT_CALL(struct mapfile_opts, choice, "country-codes", 0, "FILE", choose, OPT_ARG_OPTIONAL,
		 "use this map of country codes, or the default one", .tag = MAPFILE_COUNTRY_CODES),
	OPT_END,
};

struct pmap *mapfile_read(const struct mapfile_choice *choice)
{
	struct pmap *pmap = NULL;
	struct err err;
	int status;

	if (choice->kind != MAPFILE_NAMED) {
		status = mapfile_read_known(&pmap, choice->kind, choice->path, &err);
	} else {
		status = pmap_read(&pmap, choice->path, NULL, &err);
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	return pmap;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/mapfile.h"

#include <glib.h>
#include <string.h>

#include "query/tool.h"

static const struct known_map {
	const char *what;
	const char *environment;
	const char *file;
} known_maps[] = {
	[MAPFILE_ADDRESS_TYPES] = { "address types", "SILK_ADDRESS_TYPES", "address_types.pmap" },
	[MAPFILE_COUNTRY_CODES] = { "country code", "SILK_COUNTRY_CODES", "country_codes.pmap" },
};

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

static bool is_file(const char *path)
{
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* The file that a name stands for; NULL: there is none. */
static char *find(const char *name)
{
	const char *silk_path = tool_getenv("SILK_PATH");
	const struct {
		const char *root;
		const char *folder;
	} places[] = {
		{ silk_path, "share/silk" },     { silk_path, "share" },     { silk_path, "." },
		{ TUSSAH_PREFIX, "share/silk" }, { TUSSAH_PREFIX, "share" },
	};

	if (is_file(name)) {
		return g_strdup(name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(places) && !strchr(name, '/'); i++) {
		char *path = places[i].root ? g_build_filename(places[i].root, places[i].folder,
							       name, NULL)
					    : NULL;

		if (path && is_file(path)) {
			return path;
		}
		g_free(path);
	}
	return NULL;
}

static int read_known(struct pmap **out, const struct known_map *known, const char *given,
		      struct err *err)
{
	const char *from_environment = tool_getenv(known->environment);
	const char *name = given ? given : from_environment ? from_environment : known->file;
	char *path = find(name);
	struct pmap *pmap = NULL;
	int status;

	if (!path) {
		return err_set(err, ST_ENOENT, "cannot find the %s map '%s'", known->what, name);
	}
	status = pmap_read(&pmap, path, NULL, err);
	if (status == ST_OK && pmap_kind(pmap) == PMAP_PROTO_PORT) {
		pmap_free(pmap);
		status = err_set(err, ST_EFORMAT, "%s: the %s map is of protocols and ports", path,
				 known->what);
	}
	g_free(path);
	if (status == ST_OK) {
		*out = pmap;
	}
	return status;
}

int mapfile_read_default(struct pmap **out, enum mapfile_kind kind, struct err *err)
{
	return read_known(out, &known_maps[kind], NULL, err);
}

struct pmap *mapfile_read(const struct mapfile_choice *choice)
{
	struct pmap *pmap = NULL;
	struct err err;
	int status;

	if (choice->kind != MAPFILE_NAMED) {
		status = read_known(&pmap, &known_maps[choice->kind], choice->path, &err);
	} else {
		status = pmap_read(&pmap, choice->path, NULL, &err);
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	return pmap;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the maps without a name lie. Apart from mapfile.c, whose functions may end the program. */
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

int mapfile_read_known(struct pmap **out, enum mapfile_kind kind, const char *given,
		       struct err *err)
{
	const struct known_map *known = &known_maps[kind];
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/pmapfile.h"

#include <glib.h>
#include <string.h>

int pmapfile_read(struct pmapfile *out, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *path = colon ? colon + 1 : text;
	const char *name;
	int status;

	*out = (struct pmapfile){ 0 };
	status = pmap_read(&out->pmap, path, NULL, err);
	if (status != ST_OK) {
		return status;
	}
	name = pmap_name(out->pmap);
	out->name =
		colon && colon > text ? g_strndup(text, (size_t)(colon - text)) : g_strdup(name);
	return ST_OK;
}

void pmapfile_release(struct pmapfile *map)
{
	pmap_free(map->pmap);
	g_free(map->name);
	*map = (struct pmapfile){ 0 };
}

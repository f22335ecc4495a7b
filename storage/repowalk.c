/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/repowalk.h"

#include <glib.h>
#include <string.h>

#define DEPTH_MAX 16 /* of folders: links may lead in circles */

struct walk {
	const struct site *site;
	const char *root;
	repo_walk_fn fn;
	void *arg;
};

/* What follows prefix in path, where a slash may be written more than once; NULL: another path. */
static const char *skip_prefix(const char *path, const char *prefix)
{
	while (*prefix) {
		if (*path++ != *prefix) {
			return NULL;
		}
		if (*prefix++ == '/') {
			path += strspn(path, "/");
			prefix += strspn(prefix, "/");
		}
	}
	return path;
}

bool repo_is_path(const struct site *site, const char *root, const char *path,
		  struct hourfile_key *key)
{
	const char *slash = strrchr(path, '/');
	char *expected;
	const char *rest;
	bool is_path;

	if (repo_parse_name(site, slash ? slash + 1 : path, key) != ST_OK) {
		return false;
	}
	expected = repo_path(site, root, key);
	rest = skip_prefix(path, expected);
	is_path = rest && (!*rest || strcmp(rest, ".gz") == 0);
	g_free(expected);
	return is_path;
}

static int walk_folder(const struct walk *walk, const char *folder, unsigned depth)
{
	GDir *dir = depth < DEPTH_MAX ? g_dir_open(folder, 0, NULL) : NULL;
	const char *name;
	int rc = 0;

	while (dir && rc == 0 && (name = g_dir_read_name(dir)) != NULL) {
		char *path = g_strdup_printf("%s/%s", folder, name);
		struct hourfile_key key;
		struct stat st;

		if (name[0] == '.' || stat(path, &st) != 0) {
			rc = 0;
		} else if (S_ISDIR(st.st_mode)) {
			rc = walk_folder(walk, path, depth + 1);
		} else if (S_ISREG(st.st_mode) &&
			   repo_is_path(walk->site, walk->root, path, &key)) {
			rc = walk->fn(walk->arg, path, &key);
		}
		g_free(path);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return rc;
}

int repo_walk(const struct site *site, const char *root, repo_walk_fn fn, void *arg)
{
	const struct walk walk = { site, root, fn, arg };

	return walk_folder(&walk, root, 0);
}

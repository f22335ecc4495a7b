/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/repofiles.h"

#include <glib.h>

#include "storage/repowalk.h"

struct counted {
	int flowtype;
	int sensor;
	struct repofiles_sum sum;
};

struct repofiles {
	const struct site *site;
	GHashTable *by_key; /* flowtype * 65536 + sensor to struct counted */
};

static void add(struct repofiles_sum *to, const struct repofiles_sum *from)
{
	to->first_ns = to->count ? MIN(to->first_ns, from->first_ns) : from->first_ns;
	to->last_ns = to->count ? MAX(to->last_ns, from->last_ns) : from->last_ns;
	to->count += from->count;
}

static int add_file(void *arg, const char *path, const struct hourfile_key *key)
{
	struct repofiles *files = arg;
	const struct repofiles_sum one = { 1, key->hour_ns, key->hour_ns };
	gpointer at = GUINT_TO_POINTER((guint)key->flowtype << 16 | (guint)key->sensor);
	struct counted *counted = g_hash_table_lookup(files->by_key, at);

	if (!counted) {
		counted = g_new0(struct counted, 1);
		counted->flowtype = key->flowtype;
		counted->sensor = key->sensor;
		g_hash_table_insert(files->by_key, at, counted);
	}
	add(&counted->sum, &one);
	return 0;
}

int repofiles_new(struct repofiles **out, const struct site *site, const char *root,
		  struct err *err)
{
	struct repofiles *files;

	if (!g_file_test(root, G_FILE_TEST_IS_DIR)) {
		return err_set(err, ST_ENOENT, "%s: no such folder", root);
	}
	files = g_new0(struct repofiles, 1);
	files->site = site;
	files->by_key = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	repo_walk(site, root, add_file, files);
	*out = files;
	return ST_OK;
}

void repofiles_free(struct repofiles *files)
{
	if (files) {
		g_hash_table_unref(files->by_key);
		g_free(files);
	}
}

struct repofiles_sum repofiles_sum(const struct repofiles *files, int class_id, int flowtype,
				   int sensor)
{
	struct repofiles_sum sum = { 0 };
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, files->by_key);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct counted *counted = value;

		if ((flowtype < 0 || counted->flowtype == flowtype) &&
		    (sensor < 0 || counted->sensor == sensor) &&
		    (class_id < 0 ||
		     site_flowtype_class(files->site, counted->flowtype) == class_id)) {
			add(&sum, &counted->sum);
		}
	}
	return sum;
}

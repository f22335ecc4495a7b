/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/repodays.h"

#include <string.h>

#include "storage/catalog.h"
#include "storage/repowalk.h"

struct collecting {
	const struct site *site;
	const char *root;
	GPtrArray *days;
};

static void free_day(gpointer pointer)
{
	struct repoday *day = pointer;

	g_ptr_array_free(day->paths, TRUE);
	g_free(day);
}

struct repoday *repodays_get(GPtrArray *days, int64_t day_ns)
{
	guint low = 0;
	guint high = days->len;
	struct repoday *day;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		day = g_ptr_array_index(days, middle);
		if (day->day_ns == day_ns) {
			return day;
		}
		if (day->day_ns < day_ns) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	day = g_new0(struct repoday, 1);
	day->day_ns = day_ns;
	day->paths = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_insert(days, (gint)low, day);
	return day;
}

static int add_path(void *arg, const char *path, const struct hourfile_key *key)
{
	struct collecting *collecting = arg;
	struct repoday *day = repodays_get(collecting->days, catalog_day_ns(key->hour_ns));

	g_ptr_array_add(day->paths, g_strdup(path + strlen(collecting->root) + 1));
	return 0;
}

static int add_selected(void *arg, const char *path, bool exists)
{
	struct collecting *collecting = arg;
	struct hourfile_key key;

	/* a path format may give names that do not tell their hour; nothing can be kept of such */
	if (exists && repo_is_path(collecting->site, collecting->root, path, &key)) {
		add_path(arg, path, &key);
	}
	return 0;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool repodays_is_narrowed(const struct selection_opts *opts)
{
	return opts->class_name || opts->types || opts->flowtypes || opts->sensors ||
	       opts->start_date || opts->end_date;
}

GPtrArray *repodays_new(struct selection_opts *opts, struct tool_env *env, const char **root)
{
	struct collecting collecting = {
		.site = tool_site(env, &opts->site, true),
		.root = tool_rootdir(env, &opts->site),
		.days = g_ptr_array_new_with_free_func(free_day),
	};

	if (repodays_is_narrowed(opts)) {
		struct selection *selection;

		if (!opts->class_name && !opts->types && !opts->flowtypes) {
			opts->flowtypes = (char *)"all/all";
		}
		selection = selection_new(opts, env);
		selection_each(selection, add_selected, &collecting);
		selection_free(selection);
	} else {
		repo_walk(collecting.site, collecting.root, add_path, &collecting);
	}
	for (guint i = 0; i < collecting.days->len; i++) {
		struct repoday *day = g_ptr_array_index(collecting.days, i);

		g_ptr_array_sort(day->paths, compare_paths);
	}
	*root = collecting.root;
	return collecting.days;
}

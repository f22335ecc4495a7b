/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanlist.h"

#include <glib.h>

struct scanlist {
	struct names *names; /* NULL: none */
	uint64_t name_count;
	struct selection *selection;
	struct scanlist_report report;
};

struct scanlist *scanlist_of_names(struct names *names, uint64_t count)
{
	struct scanlist *list = g_new0(struct scanlist, 1);

	list->names = names;
	list->name_count = count;
	return list;
}

struct scanlist *scanlist_of_selection(struct selection *selection)
{
	struct scanlist *list = g_new0(struct scanlist, 1);

	list->selection = selection;
	return list;
}

void scanlist_free(struct scanlist *list)
{
	g_free(list);
}

const struct scanlist_report *scanlist_report(const struct scanlist *list)
{
	return &list->report;
}

uint64_t scanlist_names(const struct scanlist *list)
{
	return list->selection ? selection_names(list->selection) : list->name_count;
}

static bool next_name(struct scanlist *list, struct scanlist_step *step)
{
	step->path = list->names ? names_next(list->names) : NULL;
	list->report.considered += step->path != NULL;
	step->place = list->report.considered;
	return step->path != NULL;
}

static bool next_file(struct scanlist *list, struct scanlist_step *step)
{
	struct selection_file file;

	if (selection_next(list->selection, &file)) {
		step->place = file.place;
		step->missing = !file.stat;
		step->path = file.path;
		if (!step->missing) {
			list->report.considered++;
			step->size_bytes = (uint64_t)file.stat->st_size;
		}
		return true;
	}
	return false;
}

bool scanlist_next(struct scanlist *list, struct scanlist_step *step)
{
	*step = (struct scanlist_step){ 0 };
	return list->selection ? next_file(list, step) : next_name(list, step);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanlist.h"

#include <glib.h>

#include "storage/catalog.h"

struct scanlist {
	struct names *names; /* NULL: none */
	uint64_t name_count;
	struct selection *selection;
	bool use_catalog;
	bool tell_all;
	int64_t day_ns;          /* of the catalog; INT64_MIN: none so far */
	struct catalog *catalog; /* NULL: there is none */
	bool nowhere;            /* no file of the day has any address that passes */
	struct scanlist_report report;
};

struct scanlist *scanlist_of_names(struct names *names, uint64_t count)
{
	struct scanlist *list = g_new0(struct scanlist, 1);

	list->names = names;
	list->name_count = count;
	return list;
}

struct scanlist *scanlist_of_selection(struct selection *selection, bool use_catalog, bool tell_all)
{
	struct scanlist *list = g_new0(struct scanlist, 1);

	list->selection = selection;
	list->use_catalog = use_catalog;
	list->tell_all = tell_all;
	list->day_ns = INT64_MIN;
	return list;
}

static void leave_day(struct scanlist *list)
{
	if (list->catalog) {
		list->report.bytes_read += catalog_bytes(list->catalog);
	}
	catalog_close(list->catalog);
	list->catalog = NULL;
}

void scanlist_free(struct scanlist *list)
{
	if (list) {
		leave_day(list);
		g_free(list);
	}
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

/* A catalog that is not there, or not whole, knows nothing. */
static void enter_day(struct scanlist *list, const struct scan_plan *plan, int64_t hour_ns)
{
	const uint64_t *hashes;
	size_t count = predicates_hashes(plan->tests, &hashes);
	int64_t day_ns = catalog_day_ns(hour_ns);

	if (day_ns == list->day_ns) {
		return;
	}
	leave_day(list);
	list->day_ns = day_ns;
	if (catalog_open(&list->catalog, selection_root(list->selection), hour_ns, NULL) != ST_OK) {
		list->catalog = NULL;
		return;
	}
	list->nowhere = count > 0 && !catalog_may_hold(list->catalog, hashes, count);
}

static bool answer(struct scanlist *list, const struct scan_plan *plan,
		   const struct catalog_entry *entry, struct scan_totals *totals)
{
	const uint64_t *hashes;
	bool want_filter = !list->nowhere && predicates_hashes(plan->tests, &hashes) > 0;
	enum predicates_verdict verdict = PREDICATES_NONE;
	struct summary summary;

	if (list->nowhere && !plan->count_volumes) {
		summary_init(&summary);
		summary.records = entry->records;
		return scan_answer(plan, &summary, PREDICATES_NONE, totals);
	}
	if (catalog_summary(list->catalog, entry, want_filter, &summary, NULL) != ST_OK) {
		return false;
	}
	if (!list->nowhere) {
		verdict = predicates_judge(plan->tests, &summary);
	}
	return scan_answer(plan, &summary, verdict, totals);
}

/* Does the catalog know all that is asked of the file? Then it is counted in the step. */
static bool ask_catalog(struct scanlist *list, const struct scan_plan *plan,
			const struct selection_file *file, struct scanlist_step *step)
{
	const struct catalog_entry *entry;

	if (!list->use_catalog) {
		return false;
	}
	enter_day(list, plan, file->key.hour_ns);
	entry = list->catalog ? catalog_find(list->catalog, file->relative) : NULL;
	if (!entry || !catalog_is_fresh(entry, file->stat) ||
	    !answer(list, plan, entry, &step->totals)) {
		return false;
	}
	step->files++;
	list->report.answered++;
	return true;
}

static bool next_file(struct scanlist *list, const struct scan_plan *plan,
		      struct scanlist_step *step)
{
	struct selection_file file;

	while (selection_next(list->selection, &file)) {
		step->place = file.place;
		step->missing = !file.stat;
		step->path = file.path;
		if (step->missing) {
			return true;
		}
		list->report.considered++;
		step->size_bytes = (uint64_t)file.stat->st_size;
		step->answered = ask_catalog(list, plan, &file, step);
		if (!step->answered || list->tell_all) {
			return true;
		}
	}
	leave_day(list);
	list->day_ns = INT64_MIN;
	step->path = NULL;
	step->answered = true;
	return step->files > 0;
}

bool scanlist_next(struct scanlist *list, const struct scan_plan *plan, struct scanlist_step *step)
{
	*step = (struct scanlist_step){ 0 };
	return list->selection ? next_file(list, plan, step) : next_name(list, step);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/selection.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/timestamp.h"
#include "query/losses.h"
#include "storage/repo.h"

const struct opt selection_opt_table[] = {
	OPT_STR(struct selection_opts, class_name, "class", 0, "NAME", "class of the data to read",
		.flags = OPT_ONCE),
	OPT_STR(struct selection_opts, types, "types", 0, "LIST",
		"types of the class to read, or \"all\"", .flags = OPT_ONCE),
	OPT_STR(struct selection_opts, flowtypes, "flowtypes", 0, "LIST",
		"pairs of CLASS/TYPE to read; either may be \"all\"", .flags = OPT_ONCE),
	OPT_STR(struct selection_opts, sensors, "sensors", 0, "LIST",
		"sensors to read: names, ids, ranges of ids, groups", .flags = OPT_ONCE),
	OPT_STR(struct selection_opts, start_date, "start-date", 0, "DATE",
		"first hour or day to read, YYYY/MM/DD[:HH]", .default_text = "today",
		.flags = OPT_ONCE),
	OPT_STR(struct selection_opts, end_date, "end-date", 0, "DATE", "last hour or day to read",
		.flags = OPT_ONCE),
	OPT_FLAG(struct selection_opts, print_missing_files, "print-missing-files", 0,
		 "print the names of files that were looked for in vain"),
	OPT_CALL(struct selection_opts, site.rootdir, "data-rootdir", 0, "DIRECTORY",
		 tool_parse_rootdir, OPT_OWN_ERROR, "top of the repository"),
	OPT_GROUP(struct selection_opts, site, site_opt_table),
	OPT_END,
};

bool selection_reads_repository(const struct selection_opts *opts, bool only_files)
{
	if (opts->start_date || opts->end_date || opts->print_missing_files || opts->site.rootdir) {
		return true;
	}
	return !only_files && (opts->class_name || opts->types || opts->flowtypes || opts->sensors);
}

/* Warn of each line; one that starts with a tab goes on the one before. */
static void warn_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		while (text[len] && text[len + 1] == '\t') {
			len += 1 + strcspn(text + len + 1, "\n");
		}
		tool_warn("%.*s", (int)len, text);
		text += len;
		text += *text == '\n';
	}
}

/* tests_only: for tests of records, which need no warning of sensors that have no files. */
static void resolve(const struct site *site, const struct repo_switches *switches, bool tests_only,
		    struct repo_select *select)
{
	struct err err;
	int status = repo_select_switches(site, switches, select, &err);

	if (select->warnings && !tests_only) {
		warn_lines(select->warnings);
	}
	if (status != ST_OK) {
		warn_lines(err.text);
		exit(TOOL_EXIT_ERROR);
	}
}

static void add_flowtype_test(const struct selection_opts *opts, const struct site *site,
			      struct predicates **tests)
{
	const struct repo_switches switches = {
		.class_name = opts->class_name,
		.types = opts->types,
		.flowtypes = opts->flowtypes,
	};
	struct repo_select select;
	struct numset set;

	memset(&set, 0, sizeof(set));
	resolve(site, &switches, true, &select);
	for (size_t i = 0; i < select.pair_count; i++) {
		numset_add(&set, select.pairs[i].flowtype);
	}
	/* as in SiLK, a record that has no flow type passes whatever is asked */
	numset_add(&set, RECORD_NO_FLOWTYPE);
	predicates_add_flowtypes(tests, &set);
	repo_select_release(&select);
}

/* The sensors of the list that are in this class; ST_OK or the reason why there are none. */
static int add_class_sensors(const char *sensors, const struct site *site, int class_id,
			     struct numset *set, struct err *err)
{
	const struct repo_switches switches = {
		.class_name = site_class_name(site, class_id),
		.types = "all",
		.sensors = sensors,
	};
	struct repo_select select;
	int st = repo_select_switches(site, &switches, &select, err);

	if (st == ST_OK) {
		for (size_t i = 0; i < select.pair_count; i++) {
			numset_add(set, select.pairs[i].sensor);
		}
		repo_select_release(&select);
	}
	return st;
}

/* A record is of a sensor whatever its class: one class that knows the sensors is enough. */
static void add_sensor_test(const struct selection_opts *opts, const struct site *site,
			    struct predicates **tests)
{
	struct numset set;
	struct err first;
	struct err err;
	bool found = false;

	memset(&set, 0, sizeof(set));
	err_set(&first, ST_EINVAL, "Invalid sensors '%s': the site has no class", opts->sensors);
	for (int id = 0; id < site_class_count(site); id++) {
		if (add_class_sensors(opts->sensors, site, id, &set, &err) == ST_OK) {
			found = true;
		} else if (id == 0) {
			first = err;
		}
	}
	if (!found) {
		tool_die_err(&first);
	}
	predicates_add_sensors(tests, &set);
}

void selection_add_tests(const struct selection_opts *opts, struct tool_env *env,
			 struct predicates **tests)
{
	if (opts->class_name || opts->types || opts->flowtypes) {
		add_flowtype_test(opts, tool_site(env, &opts->site, true), tests);
	}
	if (opts->sensors) {
		add_sensor_test(opts, tool_site(env, &opts->site, true), tests);
	}
}

struct selection {
	const struct site *site;
	const char *root;
	struct repo_select select;
	struct repo_walk *walk;
	uint64_t place;
	bool want_missing;
};

struct selection *selection_new(const struct selection_opts *opts, struct tool_env *env)
{
	const struct repo_switches switches = {
		.class_name = opts->class_name,
		.types = opts->types,
		.flowtypes = opts->flowtypes,
		.sensors = opts->sensors,
		.start_date = opts->start_date,
		.end_date = opts->end_date,
		.now_ns = clock_now_ns(CLOCK_REALTIME),
	};
	struct selection *selection = g_new0(struct selection, 1);

	selection->site = tool_site(env, &opts->site, true);
	selection->root = tool_rootdir(env, &opts->site);
	selection->want_missing = opts->print_missing_files;
	resolve(selection->site, &switches, false, &selection->select);
	selection->walk = repo_walk_new(selection->site, selection->root, &selection->select);
	return selection;
}

void selection_free(struct selection *selection)
{
	if (selection) {
		repo_walk_free(selection->walk);
		repo_select_release(&selection->select);
		g_free(selection);
	}
}

bool selection_next(struct selection *selection, struct selection_file *file)
{
	while (repo_walk_next(selection->walk, &file->key)) {
		file->place = ++selection->place;
		file->stat = repo_walk_find(selection->walk);
		if (file->stat || selection->want_missing) {
			file->path = repo_walk_path(selection->walk);
			file->relative = file->path + strlen(selection->root) + 1;
			return true;
		}
	}
	return false;
}

uint64_t selection_names(const struct selection *selection)
{
	const struct repo_select *select = &selection->select;
	int64_t hours = (select->last_hour_ns - select->first_hour_ns) / NS_PER_HOUR + 1;

	return (uint64_t)hours * select->pair_count;
}

const char *selection_root(const struct selection *selection)
{
	return selection->root;
}

char *selection_losses(const struct selection *selection)
{
	return losses_describe(selection->site, selection->root, &selection->select);
}

struct visit {
	selection_fn fn;
	void *arg;
};

static int visit_file(void *arg, const char *path, const struct hourfile_key *key, bool exists)
{
	const struct visit *visit = arg;

	return visit->fn(visit->arg, path, exists);
}

void selection_each(const struct selection *selection, selection_fn fn, void *arg)
{
	struct visit visit = { .fn = fn, .arg = arg };

	repo_each(selection->site, selection->root, &selection->select, selection->want_missing,
		  visit_file, &visit);
}

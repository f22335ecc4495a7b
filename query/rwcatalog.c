/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcatalog: make, check and show the catalog of a repository. */
#include "query/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/timestamp.h"
#include "query/repodays.h"
#include "storage/bloom.h"
#include "storage/catalogmake.h"
#include "storage/catalogwrite.h"

struct catalog_opts {
	bool verbose;
	struct selection_opts selection;
	struct text_opts text;
	struct output_opts output;
};

static const struct opt catalog_opt_table[] = {
	OPT_FLAG(struct catalog_opts, verbose, "verbose", 0,
		 "tell of each day how many files were read"),
	OPT_GROUP(struct catalog_opts, selection, selection_opt_table),
	OPT_GROUP(struct catalog_opts, text, text_opt_table),
	OPT_GROUP(struct catalog_opts, output, output_opt_table),
	OPT_END,
};

struct job {
	const struct catalog_opts *opts;
	struct tool_env *env;
	const char *root;
	GPtrArray *days; /* of struct repoday *, those of the catalog among them unless narrowed */
	bool narrowed;   /* selection switches were given */
	bool failed;
	uint64_t checked;
	uint64_t differences;
	struct text *text;
};

static void print_day(int64_t day_ns, char out[TIMESTAMP_TEXT_MAX])
{
	timestamp_print(out, day_ns, TIMESTAMP_DEFAULT | TIMESTAMP_NO_MSEC);
	out[strcspn(out, "T")] = '\0';
}

/* ---- rebuild, update ---- */

/* What cannot be read is for a person to look at; the rest is read by queries as ever. */
static void note_refused(void *arg, int status, const char *text)
{
	struct job *job = arg;

	tool_warn("%s", text);
	job->failed |= status != ST_ESUPPORT && status != ST_EAGAIN;
}

static void write_day(struct job *job, const struct repoday *day, bool only_stale)
{
	const struct catalog_update_opts opts = {
		.replace = !only_stale && !job->narrowed,
		.only_stale = only_stale,
		.refused = note_refused,
		.arg = job,
	};
	struct catalog_update_result result = { 0 };
	char date[TIMESTAMP_TEXT_MAX];
	struct err err;

	if (catalog_update(job->root, day->day_ns, (const char *const *)day->paths->pdata,
			   day->paths->len, &opts, &result, &err) != ST_OK) {
		tool_die_err(&err);
	}
	if (job->opts->verbose) {
		print_day(day->day_ns, date);
		printf("%s: %zu files read, %zu kept, %zu dropped, %zu refused, %" PRIu64
		       " bytes\n",
		       date, result.summarised, result.kept, result.dropped, result.refused,
		       result.bytes);
	}
}

static void rebuild_day(struct job *job, const struct repoday *day)
{
	write_day(job, day, false);
}

static void update_day(struct job *job, const struct repoday *day)
{
	write_day(job, day, true);
}

/* ---- verify ---- */

static void differs(struct job *job, const char *path, const char *how)
{
	printf("%s: %s\n", path, how);
	job->differences++;
}

struct addresses {
	const struct summary *summary; /* of the entry, with its filter */
	struct catalog *catalog;
	bool missing;
};

static void check_address(void *arg, uint64_t hash)
{
	struct addresses *addresses = arg;
	const struct summary *summary = addresses->summary;

	addresses->missing |= summary->filter_size > 0 &&
			      !bloom_may_hold(summary->filter, summary->filter_size, hash);
	addresses->missing |= !catalog_may_hold(addresses->catalog, &hash, 1);
}

static bool ranges_equal(const struct summary *a, const struct summary *b)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		const struct summary_range *x = &a->range[column];
		const struct summary_range *y = &b->range[column];
		bool wide = column == COLUMN_SIP || column == COLUMN_DIP || column == COLUMN_NHIP;

		if (!(a->ranged & COLUMN_BIT(column))) {
			continue;
		}
		if (wide ? !ip_equal(x->min_ip, y->min_ip) || !ip_equal(x->max_ip, y->max_ip)
			 : x->min != y->min || x->max != y->max) {
			return false;
		}
	}
	return a->ranged == b->ranged;
}

static bool sums_equal(const struct summary *a, const struct summary *b)
{
	return a->summed == b->summed &&
	       (!(a->summed & COLUMN_BIT(COLUMN_PACKETS)) || a->packets == b->packets) &&
	       (!(a->summed & COLUMN_BIT(COLUMN_BYTES)) || a->bytes == b->bytes);
}

/* What the entry says otherwise than the file; NULL: nothing. */
static const char *compare(const struct catalog_entry *entry, const struct summary *summary,
			   const struct catalog_made *made)
{
	if (entry->kind != made->kind || summary->records != made->summary.records) {
		return "wrong number of records";
	}
	if (summary->records > 0 && (summary->first_start_ns != made->summary.first_start_ns ||
				     summary->last_start_ns != made->summary.last_start_ns ||
				     summary->last_end_ns != made->summary.last_end_ns)) {
		return "wrong times";
	}
	if (!sums_equal(summary, &made->summary)) {
		return "wrong sums";
	}
	return ranges_equal(summary, &made->summary) ? NULL : "wrong ranges";
}

/* Read the file of a fresh entry. */
static void verify_entry(struct job *job, struct catalog *catalog,
			 const struct catalog_entry *entry)
{
	struct summary summary;
	struct addresses addresses = { .summary = &summary, .catalog = catalog };
	struct catalog_made made = { 0 };
	const char *difference = NULL;
	struct err err;
	int rc = catalog_summary(catalog, entry, true, &summary, &err);

	if (rc == ST_OK) {
		rc = catalog_make(&made, job->root, entry->path, check_address, &addresses, &err);
	}
	if (rc == ST_EAGAIN) {
		tool_warn("%s", err.text);
	} else if (rc != ST_OK) {
		differs(job, entry->path, err.text);
	} else {
		difference = compare(entry, &summary, &made);
		difference = !difference && addresses.missing ? "wrong addresses" : difference;
	}
	if (difference) {
		differs(job, entry->path, difference);
	}
	catalog_made_release(&made);
}

/* A file that ought to have an entry and has none? */
static void verify_absent(struct job *job, const char *path)
{
	struct catalog_made made = { 0 };
	struct err err;
	int rc = catalog_make(&made, job->root, path, NULL, NULL, &err);

	if (rc == ST_OK) {
		differs(job, path, "not in the catalog");
		catalog_made_release(&made);
	} else if (rc != ST_ENOENT) {
		tool_warn("%s", err.text);
	}
}

static bool stat_path(const struct job *job, const char *path, struct stat *st)
{
	char *whole = g_strdup_printf("%s/%s", job->root, path);
	bool there = stat(whole, st) == 0;

	g_free(whole);
	return there;
}

static void verify_file(struct job *job, struct catalog *catalog, const char *path)
{
	const struct catalog_entry *entry = catalog ? catalog_find(catalog, path) : NULL;
	struct stat st;

	job->checked++;
	if (!entry) {
		verify_absent(job, path);
	} else if (!stat_path(job, path, &st)) {
		differs(job, path, "the file is gone");
	} else if (!catalog_is_fresh(entry, &st)) {
		differs(job, path, "the file has changed");
	} else {
		verify_entry(job, catalog, entry);
	}
}

static void verify_gone(struct job *job, struct catalog *catalog)
{
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct catalog_entry *entry = catalog_at(catalog, i);
		struct stat st;

		if (!stat_path(job, entry->path, &st)) {
			differs(job, entry->path, "the file is gone");
		}
	}
}

static void verify_day(struct job *job, const struct repoday *day)
{
	struct catalog *catalog = NULL;
	struct err err;
	int rc = catalog_open(&catalog, job->root, day->day_ns, &err);

	if (rc != ST_OK && rc != ST_ENOENT) {
		tool_warn("%s", err.text);
		job->differences++;
	}
	for (guint i = 0; i < day->paths->len; i++) {
		verify_file(job, catalog, g_ptr_array_index(day->paths, i));
	}
	if (catalog) {
		verify_gone(job, catalog);
	}
	catalog_close(catalog);
}

static void verify_end(struct job *job)
{
	if (job->differences > 0 || job->opts->verbose) {
		printf("%" PRIu64 " files checked, %" PRIu64 " differences\n", job->checked,
		       job->differences);
	}
	job->failed |= job->differences > 0;
}

/* ---- show ---- */

static const struct {
	const char *title;
	int width;
	bool number;
} show_columns[] = {
	{ "File", 40, false },   { "Kind", 6, false },   { "State", 7, false },
	{ "Records", 10, true }, { "sTime", 23, false }, { "eTime", 23, false },
	{ "Packets", 12, true }, { "Bytes", 15, true },  { "Filter", 8, true },
};

static void show_begin(struct job *job)
{
	struct text_style style;
	struct err err;

	if (text_style_from_opts(&job->opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	job->text = text_new(tool_output(job->env, &job->opts->output), &style);
	for (size_t i = 0; i < G_N_ELEMENTS(show_columns); i++) {
		text_add_column(job->text, show_columns[i].title, show_columns[i].width,
				show_columns[i].number);
	}
	text_titles(job->text);
}

static void show_time(struct text *text, const struct catalog_entry *entry, int64_t time_ns)
{
	if (entry->records > 0) {
		text_cell_time(text, time_ns, TIMESTAMP_DEFAULT);
	} else {
		text_cell_string(text, "");
	}
}

static void show_sum(struct text *text, const struct summary *summary, enum column column,
		     uint64_t sum)
{
	if (summary->records == 0 || summary->summed & COLUMN_BIT(column)) {
		text_cell_u64(text, sum);
	} else {
		text_cell_string(text, "");
	}
}

static void show_entry(struct job *job, struct catalog *catalog, const struct catalog_entry *entry)
{
	struct text *text = job->text;
	struct summary summary;
	struct stat st;
	struct err err;

	if (catalog_summary(catalog, entry, false, &summary, &err) != ST_OK) {
		tool_die_err(&err);
	}
	text_cell_string(text, entry->path);
	text_cell_string(text, entry->kind == CATALOG_BLOCKS ? "blocks" : "rows");
	text_cell_string(text, !stat_path(job, entry->path, &st) ? "gone"
			       : catalog_is_fresh(entry, &st)    ? "fresh"
								 : "changed");
	text_cell_u64(text, entry->records);
	show_time(text, entry, entry->first_start_ns);
	show_time(text, entry, entry->last_end_ns);
	show_sum(text, &summary, COLUMN_PACKETS, summary.packets);
	show_sum(text, &summary, COLUMN_BYTES, summary.bytes);
	text_cell_u64(text, entry->filter_size);
	text_row_done(text);
}

static void show_selected(struct job *job, struct catalog *catalog, const struct repoday *day)
{
	for (guint i = 0; i < day->paths->len; i++) {
		const struct catalog_entry *entry =
			catalog_find(catalog, g_ptr_array_index(day->paths, i));

		if (entry) {
			show_entry(job, catalog, entry);
		}
	}
}

static void show_day(struct job *job, const struct repoday *day)
{
	struct catalog *catalog = NULL;
	struct err err;
	int rc = catalog_open(&catalog, job->root, day->day_ns, &err);

	if (rc == ST_OK && job->narrowed) {
		show_selected(job, catalog, day);
	} else if (rc == ST_OK) {
		for (size_t i = 0; i < catalog_count(catalog); i++) {
			show_entry(job, catalog, catalog_at(catalog, i));
		}
	} else if (rc != ST_ENOENT) {
		tool_warn("%s", err.text);
		job->failed = true;
	}
	catalog_close(catalog);
}

static void show_end(struct job *job)
{
	struct err err;

	if (text_close(job->text, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* ---- the commands ---- */

static const struct command {
	const char *name;
	void (*begin)(struct job *job);
	void (*day)(struct job *job, const struct repoday *day);
	void (*end)(struct job *job);
} commands[] = {
	{ "rebuild", NULL, rebuild_day, NULL },
	{ "update", NULL, update_day, NULL },
	{ "verify", NULL, verify_day, verify_end },
	{ "show", show_begin, show_day, show_end },
};

static const struct command *find_command(int argc, char **argv)
{
	if (argc == 0) {
		tool_usage("one of rebuild, update, verify and show is needed");
	}
	if (argc > 1) {
		tool_usage("Too many arguments or unrecognized switch '%s'", argv[1]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(argv[0], commands[i].name) == 0) {
			return &commands[i];
		}
	}
	tool_usage("no such command: '%s'", argv[0]);
}

static void add_catalog_days(struct job *job)
{
	size_t count;
	int64_t *days = catalog_days(job->root, &count);

	for (size_t i = 0; i < count; i++) {
		repodays_get(job->days, days[i]);
	}
	g_free(days);
}

static int catalog_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct catalog_opts *opts = base;
	const struct command *command = find_command(argc, argv);
	struct job job = {
		.opts = opts,
		.env = env,
		.narrowed = repodays_is_narrowed(&opts->selection),
	};

	job.days = repodays_new(&opts->selection, env, &job.root);
	if (!job.narrowed) {
		add_catalog_days(&job);
	}
	if (command->begin) {
		command->begin(&job);
	}
	for (guint i = 0; i < job.days->len; i++) {
		command->day(&job, g_ptr_array_index(job.days, i));
	}
	if (command->end) {
		command->end(&job);
	}
	g_ptr_array_free(job.days, TRUE);
	return job.failed ? TOOL_EXIT_ERROR : TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwcatalog",
	.summary = "make, check and show the catalog of a repository",
	.usage = "rebuild|update|verify|show [SWITCHES]",
	.opts = catalog_opt_table,
	.opts_size = sizeof(struct catalog_opts),
	.run = catalog_run,
};

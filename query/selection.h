/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switches that select files of the repository (rwfilter, rwfglob), and what they do to records
 * when files are named instead.
 */
#ifndef TUSSAH_QUERY_SELECTION_H
#define TUSSAH_QUERY_SELECTION_H

#include "query/predicate.h"
#include "query/tool.h"
#include "storage/repo.h"

struct selection_opts {
	char *class_name;
	char *types;
	char *flowtypes;
	char *sensors;
	char *start_date;
	char *end_date;
	bool print_missing_files;
	struct site_opts site;
};
extern const struct opt selection_opt_table[];

/*
 * Was a switch given that selects files? only_files: of those that cannot also test records, which
 * rules out other inputs.
 */
bool selection_reads_repository(const struct selection_opts *opts, bool only_files);

/* Add --class, --types, --flowtypes and --sensors to the tests of records. Errors end the tool. */
void selection_add_tests(const struct selection_opts *opts, struct tool_env *env,
			 struct predicates **tests);

struct selection;

/*
 * Work out which files the switches mean; errors end the tool. opts and env are kept. Free with
 * selection_free().
 */
struct selection *selection_new(const struct selection_opts *opts, struct tool_env *env);
void selection_free(struct selection *selection);

struct selection_file {
	const char *path;        /* borrowed until the next step, as the rest */
	const char *relative;    /* to the root */
	const struct stat *stat; /* NULL: it is not there; only with --print-missing-files */
	struct hourfile_key key;
	uint64_t place; /* how many names were looked for, this one included */
};
/* The next file; false: no more. */
bool selection_next(struct selection *selection, struct selection_file *file);
/* How many names there are to look for in all. */
uint64_t selection_names(const struct selection *selection);
const char *selection_root(const struct selection *selection);
/* What is known to be missing from the files (losses_describe()); NULL: nothing. g_free(). */
char *selection_losses(const struct selection *selection);

/* Visit all files, missing ones only with --print-missing-files, until fn returns non-zero. */
typedef int (*selection_fn)(void *arg, const char *path, bool exists);
void selection_each(const struct selection *selection, selection_fn fn, void *arg);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwfglob: the hourly files that rwfilter would read. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"
#include "query/selection.h"

struct fglob_opts {
	struct selection_opts selection;
	bool no_block_check;
	bool no_file_names;
	bool no_summary;
	int output_format;
};

static const struct opt fglob_opt_table[] = {
	OPT_GROUP(struct fglob_opts, selection, selection_opt_table),
	OPT_FLAG(struct fglob_opts, no_block_check, "no-block-check", 0,
		 "do not look for files whose blocks are on tape"),
	OPT_FLAG(struct fglob_opts, no_file_names, "no-file-names", 0,
		 "print the summary only, not the names"),
	OPT_FLAG(struct fglob_opts, no_summary, "no-summary", 0, "do not print the summary"),
	TEXT_DATA_FORMAT_ROW(struct fglob_opts,
			     "print names as text, or as csv or json lines, which have no summary"),
	OPT_END,
};

struct fglob {
	const struct fglob_opts *opts;
	struct text *text; /* NULL: as SiLK prints */
	unsigned long files;
	unsigned long on_tape;
};

/* A file with bytes and without blocks has been moved away by a hierarchical store. */
static bool is_on_tape(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_blocks == 0 && st.st_size > 0;
}

static int print_file(void *arg, const char *path, bool exists)
{
	struct fglob *fglob = arg;
	bool on_tape;

	if (!exists) {
		fprintf(stderr, "Missing %s\n", path);
		return 0;
	}
	on_tape = !fglob->opts->no_block_check && is_on_tape(path);
	fglob->files++;
	fglob->on_tape += on_tape;
	if (fglob->text) {
		text_cell_string(fglob->text, path);
		text_cell_string(fglob->text, on_tape ? "true" : "false");
		text_row_done(fglob->text);
	} else if (!fglob->opts->no_file_names) {
		printf("%s%s\n", on_tape ? "  \t*** ON_TAPE ***" : "", path);
	}
	return 0;
}

static int fglob_run(struct tool_env *env, void *opts_, int argc, char **argv)
{
	static const char *const columns[] = { "file", "on-tape", NULL };
	const struct fglob_opts *opts = opts_;
	struct fglob fglob = { .opts = opts };
	struct selection *selection;
	struct err err;

	if (argc > 0) {
		tool_usage("Too many arguments or unrecognized switch '%s'", argv[0]);
	}
	if (!selection_reads_repository(&opts->selection, false)) {
		tool_die("Must specify at least one file selection switch");
	}
	selection = selection_new(&opts->selection, env);
	fglob.text = text_data_new(STDOUT_FILENO, opts->output_format, false, columns);
	selection_each(selection, print_file, &fglob);
	selection_free(selection);
	if (fglob.text) {
		if (text_close(fglob.text, &err) != ST_OK) {
			tool_die_err(&err);
		}
	} else if (!opts->no_summary) {
		printf("globbed %lu files", fglob.files);
		if (!opts->no_block_check) {
			printf("; %lu on tape", fglob.on_tape);
		}
		putchar('\n');
	}
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwfglob",
	.summary = "print the names of the repository files that rwfilter would read",
	.usage = "SELECTION-SWITCHES",
	.opts = fglob_opt_table,
	.opts_size = sizeof(struct fglob_opts),
	.run = fglob_run,
};

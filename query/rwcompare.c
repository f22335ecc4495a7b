/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcompare: do two files hold the same records? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "query/source.h"
#include "query/tool.h"
#include "storage/bytesource.h"
#include "storage/hourfile.h"

/* As cmp and diff have it. */
enum compare_exit {
	EXIT_SAME = TOOL_EXIT_OK,
	EXIT_DIFFERENT = 1,
	EXIT_TROUBLE = 2,
};

struct compare_opts {
	bool quiet;
	int output_format;
	struct source_opts source;
	struct site_opts site;
};

static const struct opt compare_opt_table[] = {
	OPT_FLAG(struct compare_opts, quiet, "quiet", 0,
		 "print nothing, not even errors; only the exit status tells"),
	TEXT_DATA_FORMAT_ROW(struct compare_opts, "print as text, csv or json lines"),
	OPT_GROUP(struct compare_opts, site, site_opt_table),
	OPT_END,
};

struct side {
	const char *name;
	struct hourfile_reader *reader;
	struct batch *batch;
	uint32_t at; /* next row */
};

/* ST_OK with a record, ST_END, or why there is none. */
static int next_record(struct side *side, struct record *rec, struct err *err)
{
	int status = ST_OK;

	if (side->at == side->batch->rows) {
		side->at = 0;
		side->batch->rows = 0;
		status = hourfile_read_batch(side->reader, side->batch, COLUMNS_ALL, err);
	}
	if (status == ST_OK) {
		batch_get(side->batch, side->at++, rec);
	}
	return status;
}

static bool records_equal(const struct record *a, const struct record *b)
{
#define X(upper, member, type)                                                                     \
	if (memcmp(&a->member, &b->member, sizeof(a->member)) != 0) {                              \
		return false;                                                                      \
	}
	RECORD_COLUMNS(X)
#undef X
	return true;
}

static int open_side(struct side *side, const char *name, const struct stream_read_opts *opts,
		     struct err *err)
{
	side->name = name;
	side->batch = batch_new();
	return hourfile_open(&side->reader, name, opts, err);
}

static void close_side(struct side *side)
{
	hourfile_close(side->reader);
	if (side->batch) {
		batch_free(side->batch);
	}
}

/* Where they differ: at this record, which the file that ends there (NULL: none) has not. */
struct difference {
	uint64_t record;
	const char *ended;
};

/* Returns an enum compare_exit; out is set for EXIT_DIFFERENT, err for EXIT_TROUBLE. */
static int compare(struct side sides[2], struct difference *out, struct err *err)
{
	for (uint64_t number = 1;; number++) {
		struct record records[2];
		int status[2];

		for (int i = 0; i < 2; i++) {
			status[i] = next_record(&sides[i], &records[i], err);
			if (status[i] != ST_OK && status[i] != ST_END) {
				return EXIT_TROUBLE;
			}
		}
		if (status[0] == ST_END && status[1] == ST_END) {
			return EXIT_SAME;
		}
		if (status[0] == ST_OK && status[1] == ST_OK &&
		    records_equal(&records[0], &records[1])) {
			continue;
		}
		out->record = number;
		if (status[0] != status[1]) {
			out->ended = sides[status[0] == ST_END ? 0 : 1].name;
		}
		return EXIT_DIFFERENT;
	}
}

static void print_difference(const struct side sides[2], const struct difference *difference)
{
	printf("%s %s differ: ", sides[0].name, sides[1].name);
	if (difference->ended) {
		printf("EOF %s\n", difference->ended);
	} else {
		printf("record %" PRIu64 "\n", difference->record);
	}
}

static void put_difference(struct text *table, const struct side sides[2],
			   const struct difference *difference)
{
	text_cell_string(table, sides[0].name);
	text_cell_string(table, sides[1].name);
	text_cell_number(table, difference->record);
	text_cell_string(table, difference->ended ? difference->ended : "");
	text_row_done(table);
}

/* Returns an enum compare_exit. */
static int print_result(const struct compare_opts *opts, const struct side sides[2], int result,
			const struct difference *difference, struct err *err)
{
	static const char *const columns[] = { "file1", "file2", "record", "ended", NULL };
	struct text *table =
		opts->quiet ? NULL
			    : text_data_new(STDOUT_FILENO, opts->output_format, false, columns);

	if (result == EXIT_DIFFERENT && table) {
		put_difference(table, sides, difference);
	} else if (result == EXIT_DIFFERENT && !opts->quiet) {
		print_difference(sides, difference);
	}
	return table && text_close(table, err) != ST_OK ? EXIT_TROUBLE : result;
}

static int compare_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct compare_opts *opts = options;
	struct side sides[2] = { { 0 } };
	struct difference difference = { 0 };
	struct stream_read_opts read_opts;
	struct source *source;
	struct err err;
	int result = EXIT_TROUBLE;

	if (argc != 2) {
		tool_usage("two files are to be named");
	}
	source = source_new(env, &opts->source, argc, argv);
	read_opts = *source_read_opts(source);
	read_opts.site = tool_site(env, &opts->site, false);
	if (bytesource_is_stdin(argv[0]) && bytesource_is_stdin(argv[1])) {
		err_set(&err, ST_EINVAL, "only one of the files can be standard input");
	} else if (open_side(&sides[0], argv[0], &read_opts, &err) == ST_OK &&
		   open_side(&sides[1], argv[1], &read_opts, &err) == ST_OK) {
		result = compare(sides, &difference, &err);
	}
	if (result != EXIT_TROUBLE) {
		result = print_result(opts, sides, result, &difference, &err);
	}
	if (result == EXIT_TROUBLE && !opts->quiet) {
		tool_warn_err(&err);
	}
	close_side(&sides[0]);
	close_side(&sides[1]);
	source_close(source);
	return result;
}

const struct tool tool = {
	.name = "rwcompare",
	.summary = "tell whether two files hold the same records in the same order",
	.usage = "[SWITCHES] FILE1 FILE2",
	.opts = compare_opt_table,
	.opts_size = sizeof(struct compare_opts),
	.run = compare_run,
};

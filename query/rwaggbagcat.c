/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwaggbagcat: print aggregate bags as text. */
#include "query/tool.h"

#include "common/text.h"
#include "query/aggvalue.h"
#include "query/format.h"
#include "storage/aggbag.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

struct aggcat_opts {
	char *fields;
	GPtrArray *missing; /* char *: "FIELD=STRING" */
	bool help_fields;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct site_opts site;
};

static const struct opt aggcat_opt_table[] = {
	OPT_STR(struct aggcat_opts, fields, "fields", 0, "LIST",
		"print these fields, in this order", .flags = OPT_ONCE),
	OPT_STRS(struct aggcat_opts, missing, "missing-field", 0, "FIELD=STRING",
		 "print this for a field that a file does not have; repeatable"),
	OPT_FLAG(struct aggcat_opts, help_fields, "help-fields", 0,
		 "print names and meanings of fields, and exit"),
	OPT_GROUP(struct aggcat_opts, format, format_opt_table),
	OPT_GROUP(struct aggcat_opts, text, text_opt_table),
	OPT_GROUP(struct aggcat_opts, output, output_opt_table),
	OPT_GROUP(struct aggcat_opts, site, site_opt_table),
	OPT_END,
};

/* A column of the output. */
struct aggcolumn {
	uint16_t id;
	const char *missing; /* what is shown where a file does not have the field */
	int at;              /* place in the layout of the file being printed, or -1 */
};

struct job {
	const struct aggcat_opts *opts;
	struct text_style style;
	struct field_context ctx;
	int fd;
	struct aggcolumn columns[AGGLAYOUT_MAX];
	size_t column_count;
	bool titles_done; /* those of the columns: with --fields, and in CSV, once for all files */
};

/* --- switches --- */

static struct aggcolumn *find_column(struct job *job, uint16_t id)
{
	for (size_t i = 0; i < job->column_count; i++) {
		if (job->columns[i].id == id) {
			return &job->columns[i];
		}
	}
	return NULL;
}

static void parse_missing(struct job *job, const char *text)
{
	struct aggcolumn *column;
	const char *value;
	struct err err;
	uint16_t id;

	if (aggvalue_split(text, AGGFIELD_ANY, &id, &value, &err) != ST_OK) {
		tool_usage("Invalid missing-field '%s': %s", text, err.text);
	}
	column = find_column(job, id);
	if (!column) {
		tool_die("Invalid missing-field: Field '%s' does not appear in --fields",
			 aggfield_name(id));
	}
	if (column->missing) {
		tool_die("Invalid missing-field: A value for '%s' is already set",
			 aggfield_name(id));
	}
	column->missing = value;
}

static void parse_columns(struct job *job)
{
	const struct aggcat_opts *opts = job->opts;
	struct agglayout layout = { 0 };
	uint16_t ids[AGGLAYOUT_MAX];
	struct err err;

	if (opts->missing && !opts->fields) {
		tool_die("May only use --missing-field when --fields is also specified");
	}
	if (!opts->fields) {
		return;
	}
	if (aggvalue_parse_list(opts->fields, AGGFIELD_ANY, &layout, ids, &err) != ST_OK) {
		tool_die("Invalid fields: %s", err.text);
	}
	if (!layout.count) {
		tool_die("Invalid fields: No fields are given");
	}
	job->column_count = layout.count;
	for (size_t i = 0; i < layout.count; i++) {
		job->columns[i] = (struct aggcolumn){ .id = ids[i] };
	}
	for (guint i = 0; opts->missing && i < opts->missing->len; i++) {
		parse_missing(job, g_ptr_array_index(opts->missing, i));
	}
}

/* --- printing --- */

static bool has_columns_of(const struct job *job, const struct agglayout *layout)
{
	bool same = job->column_count == layout->count;

	for (size_t i = 0; same && i < layout->count; i++) {
		same = job->columns[i].id == layout->ids[i];
	}
	return same;
}

/* Without --fields the columns are those of the file. */
static void choose_columns(struct job *job, const struct agglayout *layout)
{
	if (!job->opts->fields && !has_columns_of(job, layout)) {
		job->titles_done = false;
		job->column_count = layout->count;
		for (size_t i = 0; i < layout->count; i++) {
			job->columns[i] = (struct aggcolumn){ .id = layout->ids[i] };
		}
	}
	for (size_t i = 0; i < job->column_count; i++) {
		job->columns[i].at = agglayout_find(layout, job->columns[i].id);
	}
}

static void add_columns(const struct job *job, struct text *text)
{
	for (size_t i = 0; i < job->column_count; i++) {
		const struct aggcolumn *column = &job->columns[i];
		int width = aggvalue_width(column->id, &job->ctx);

		if (column->missing) {
			width = MAX(width, (int)strlen(column->missing));
		}
		text_add_column(text, aggfield_name(column->id), width,
				aggvalue_is_number(column->id, &job->ctx));
	}
}

static void print_row(const struct job *job, struct text *text, const struct agglayout *layout,
		      const struct aggbag_cursor *cursor)
{
	for (size_t i = 0; i < job->column_count; i++) {
		const struct aggcolumn *column = &job->columns[i];
		size_t at = (size_t)column->at;

		if (column->at < 0) {
			if (column->missing) {
				text_cell_is_number(text, false);
			}
			text_cell_string(text, column->missing ? column->missing : "");
		} else if (at >= layout->key_count) {
			text_cell_u64(text, cursor->counters[at - layout->key_count]);
		} else {
			text_cell_done(text,
				       aggvalue_print(text_cell(text), column->id,
						      cursor->key + layout->at[at], &job->ctx));
		}
	}
	text_row_done(text);
}

static void print_bag(struct job *job, const struct aggbag *bag)
{
	const struct agglayout *layout = aggbag_layout(bag);
	struct text *text = text_new(job->fd, &job->style);
	struct aggbag_cursor cursor;

	choose_columns(job, layout);
	add_columns(job, text);
	if (!job->titles_done) {
		text_titles(text);
	}
	job->titles_done = job->opts->fields || text_form_is_data(job->style.form);
	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		print_row(job, text, layout, &cursor);
	}
	tool_close_text(text);
}

/* SiLK's tools stop at the first file that is wrong, so does this. */
static int print_file(struct job *job, const char *path)
{
	struct aggbag *bag = NULL;
	struct err err;
	int status = aggbag_read(&bag, path, NULL, &err);

	if (status == ST_OK) {
		print_bag(job, bag);
	} else {
		tool_warn_err(&err);
	}
	aggbag_free(bag);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

static int aggcat_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct aggcat_opts *opts = base;
	struct job job = { .opts = opts };
	int status = TOOL_EXIT_OK;
	struct err err;

	if (opts->help_fields) {
		aggvalue_help(AGGFIELD_ANY);
		return TOOL_EXIT_OK;
	}
	parse_columns(&job);
	if (text_style_from_opts(&opts->text, &job.style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	format_context(&opts->format, false, tool_site(env, &opts->site, false), &job.style,
		       &job.ctx);
	job.fd = tool_output(env, &opts->output);
	if (!argc) {
		status = print_file(&job, "-");
	}
	for (int i = 0; i < argc && status == TOOL_EXIT_OK; i++) {
		status = print_file(&job, argv[i]);
	}
	return status;
}

const struct tool tool = {
	.name = "rwaggbagcat",
	.summary = "Print aggregate bags as text",
	.usage = "[SWITCHES] [AGGBAG_FILES]",
	.opts = aggcat_opt_table,
	.opts_size = sizeof(struct aggcat_opts),
	.run = aggcat_run,
};

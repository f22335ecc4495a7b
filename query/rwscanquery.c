/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwscanquery: what a database of scans knows, and the flows of the scanners. */
#include "query/textfile.h"
#include "query/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "common/cidr.h"
#include "common/timestamp.h"
#include "query/scandb.h"
#include "query/scanflows.h"
#include "query/scanrc.h"
#include "query/scanreport.h"
#include "query/setsink.h"
#include "storage/repo.h"

#define DATABASE_DEFAULT "SCAN"

struct scanquery_opts {
	int report;
	char *start_date;
	char *end_date;
	char *saddress;
	char *sipset;
	char *daddress;
	char *dipset;
	bool show_header;
	bool columnar;
	int output_format;
	char *output_path;
	char *database;
	char *import;
};

/* The names of the rows of report_table. */
static const char *const report_names[] = { "standard",  "volume",    "export", "scanset",
					    "scanflows", "respflows", NULL };

static const struct opt scanquery_opt_table[] = {
	OPT_CHOICE(struct scanquery_opts, report, "report", 0, "TYPE", report_names,
		   "what to report", .default_text = "standard"),
	OPT_STR(struct scanquery_opts, start_date, "start-date", 0, "DATE",
		"report scans that were active in this hour or day, or after it",
		.default_text = "today"),
	OPT_STR(struct scanquery_opts, end_date, "end-date", 0, "DATE",
		"and up to the end of this hour or day", .default_text = "as --start-date"),
	OPT_STR(struct scanquery_opts, saddress, "saddress", 0, "LIST",
		"report scans by these addresses, ranges and CIDR blocks"),
	OPT_STR(struct scanquery_opts, sipset, "sipset", 0, "FILE",
		"report scans by the addresses of this IPset"),
	OPT_STR(struct scanquery_opts, daddress, "daddress", 0, "WILDCARD",
		"of flows: only those to (of respflows: from) these addresses"),
	OPT_STR(struct scanquery_opts, dipset, "dipset", 0, "FILE",
		"of flows: only those to (of respflows: from) the addresses of this IPset"),
	OPT_FLAG(struct scanquery_opts, show_header, "show-header", 0, "print a line of titles"),
	OPT_FLAG(struct scanquery_opts, columnar, "columnar", 0,
		 "print standard and volume in columns"),
	TEXT_DATA_FORMAT_ROW(struct scanquery_opts, "print text so"),
	OPT_STR(struct scanquery_opts, output_path, "output-path", 0, "PATH",
		"write the report to this file", .default_text = "stdout"),
	OPT_STR(struct scanquery_opts, database, "database", 0, "FILE",
		"the SQLite file that has the scans",
		.default_text = "db_instance of .rwscanrc, or " DATABASE_DEFAULT),
	OPT_STR(struct scanquery_opts, import, "import", 0, "FILE",
		"add the scans of this output of rwscan to the database, report nothing",
		.flags = OPT_ADDED),
	OPT_END,
};

struct query {
	struct tool_env *env;
	const struct scanquery_opts *opts;
	const struct report *report;
	struct scanrc rc;
	struct scandb_query db;
	struct ipset *sources[2]; /* of --saddress and --sipset */
	struct scandb *scans;
};

/* --- what is asked for --- */

/* A date is that of an hour or a day; the rest is told later. */
static void check_date(const char *what, const char *text)
{
	enum timestamp_precision precision;
	int64_t ns;

	if (text && timestamp_parse(text, false, &ns, &precision, NULL) == ST_OK &&
	    precision > TIMESTAMP_TO_HOUR && precision != TIMESTAMP_TO_EPOCH) {
		tool_usage("Invalid %s '%s': it is finer than an hour", what, text);
	}
}

static void choose_window(struct query *query)
{
	const struct scanquery_opts *opts = query->opts;
	struct repo_switches switches = {
		.start_date = opts->start_date,
		.end_date = opts->end_date,
	};
	struct repo_select hours = { 0 };
	char today[sizeof("YYYY/MM/DD")];
	time_t now = time(NULL);
	struct err err;
	struct tm tm;

	if (!opts->start_date && !opts->end_date) {
		localtime_r(&now, &tm);
		strftime(today, sizeof(today), "%Y/%m/%d", &tm);
		switches.start_date = today;
	}
	check_date("start-date", opts->start_date);
	check_date("end-date", opts->end_date);
	if (repo_select_hours(&switches, &hours, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	query->db.first_ns = hours.first_hour_ns;
	query->db.last_ns = hours.last_hour_ns + NS_PER_HOUR - 1;
}

static struct ipset *parse_addresses(const char *text)
{
	char **words = g_strsplit(text, ",", -1);
	struct ipset *set = ipset_new();
	struct cidr block;
	struct err err;

	for (char **word = words; *word; word++) {
		if (cidr_parse_range(*word, &block, &err) != ST_OK) {
			tool_usage("Invalid saddress '%s': %s", text, err.text);
		}
		ipset_add_range(set, block.first, block.last);
	}
	g_strfreev(words);
	ipset_finish(set);
	return set;
}

static void choose_sources(struct query *query)
{
	const struct scanquery_opts *opts = query->opts;
	struct err err;

	if (opts->saddress) {
		query->sources[0] = parse_addresses(opts->saddress);
	}
	if (opts->sipset && ipset_read(&query->sources[1], opts->sipset, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
	query->db.sources[0] = query->sources[0];
	query->db.sources[1] = query->sources[1];
}

/* Takes the next scan; false: there is none. */
static bool next_scan(struct query *query, struct scanrow *row)
{
	struct err err;
	int status = scandb_next(query->scans, row, &err);

	if (status < 0) {
		tool_die_err(&err);
	}
	return status == ST_OK;
}

/* --- text --- */

static int print_report(struct query *query, enum scanreport_kind kind)
{
	static const enum text_form forms[] = { TEXT_DELIMITED, TEXT_CSV, TEXT_JSON };
	const struct scanquery_opts *opts = query->opts;
	const struct text_style style = {
		.form = opts->columnar && opts->output_format == 0 ? TEXT_COLUMNS
								   : forms[opts->output_format],
		.separator = forms[opts->output_format] == TEXT_CSV ? ',' : '|',
		.no_titles = !opts->show_header,
	};
	/* a file is replaced whatever SILK_CLOBBER says, as in SiLK */
	struct textfile *out =
		textfile_open_anyhow(opts->output_path ? opts->output_path : "stdout");
	struct scanreport *report = scanreport_open(kind, textfile_fd(out), &style);
	struct scanrow row;
	struct err err;

	while (next_scan(query, &row)) {
		scanreport_add(report, &row);
	}
	if (scanreport_close(report, &err) != ST_OK || textfile_close(out, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return TOOL_EXIT_OK;
}

static int report_standard(struct query *query)
{
	return print_report(query, SCANREPORT_STANDARD);
}

static int report_volume(struct query *query)
{
	return print_report(query, SCANREPORT_VOLUME);
}

static int report_export(struct query *query)
{
	return print_report(query, SCANREPORT_EXPORT);
}

/* --- scanners and their flows --- */

/* The sources of the scans; ipset_free(). */
static struct ipset *read_scanners(struct query *query)
{
	struct ipset *set = ipset_new();
	struct scanrow row;

	while (next_scan(query, &row)) {
		ipset_add(set, ip_from_v4(row.sip));
	}
	ipset_finish(set);
	return set;
}

/* What is asked of rwfilter; scanners are borrowed. */
static struct scanflows flows_of(const struct query *query, const struct ipset *scanners,
				 bool responses)
{
	const struct scanrc *rc = &query->rc;

	return (struct scanflows){
		.scanners = scanners,
		.responses = responses,
		.first_ns = query->db.first_ns,
		.last_ns = query->db.last_ns,
		.class_name = responses ? rc->out_class : rc->in_class,
		.type = responses ? rc->out_type : rc->in_type,
		.targets = query->opts->daddress,
		.target_set = query->opts->dipset,
	};
}

static int report_flows(struct query *query, bool responses)
{
	const char *path = query->opts->output_path ? query->opts->output_path : "stdout";
	const struct scanflows flows = flows_of(query, read_scanners(query), responses);

	scanflows_become_rwfilter(&flows, path);
}

static int report_scanflows(struct query *query)
{
	return report_flows(query, false);
}

static int report_respflows(struct query *query)
{
	return report_flows(query, true);
}

/* Returns an enum tool_exit. out is taken. */
static int write_set(const struct query *query, struct outfile *out, struct ipset *set)
{
	const struct setsink_opts sink = { .invocation_strip = false };
	struct header entries;
	int status;

	header_init(&entries);
	header_add_invocation(&entries, tool_argc(query->env), tool_argv(query->env));
	status = setsink_write(out, set, &sink, &entries, "Unable to write IPset");
	header_release(&entries);
	return status;
}

static int report_scanset(struct query *query)
{
	const struct scanquery_opts *opts = query->opts;
	struct ipset *set = read_scanners(query);
	struct outfile *out = outfile_create(opts->output_path ? opts->output_path : "stdout");
	int status = TOOL_EXIT_ERROR;

	if (opts->daddress || opts->dipset) {
		struct ipset *scanners = set;
		const struct scanflows flows = flows_of(query, scanners, false);

		set = scanflows_sources(&flows, query->env);
		ipset_free(scanners);
	}
	if (set) {
		status = write_set(query, out, set);
	} else {
		outfile_drop(out);
	}
	ipset_free(set);
	return status;
}

/* In the order of report_names. */
static const struct report {
	int (*run)(struct query *query);
	bool by_time;
} report_table[] = {
	{ report_standard, false }, { report_volume, true },     { report_export, false },
	{ report_scanset, false },  { report_scanflows, false }, { report_respflows, false },
};
_Static_assert(G_N_ELEMENTS(report_table) + 1 == G_N_ELEMENTS(report_names),
	       "one name for each report");

static int run_report(struct query *query)
{
	struct err err;

	query->db.by_time = query->report->by_time;
	if (scandb_select(query->scans, &query->db, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return query->report->run(query);
}

/* --- filling the database --- */

static int import_rows(struct scandb *scans, const GArray *rows)
{
	unsigned added = 0;
	struct err err;
	int status = ST_OK;

	for (guint i = 0; i < rows->len && status == ST_OK; i++) {
		bool is_new = false;

		status = scandb_add(scans, &g_array_index(rows, struct scanrow, i), &is_new, &err);
		added += is_new;
	}
	if (status == ST_OK) {
		status = scandb_commit(scans, &err);
	}
	if (status != ST_OK) {
		tool_warn_err(&err);
		return TOOL_EXIT_ERROR;
	}
	printf("%u scans added, %u were there already\n", added, rows->len - added);
	return TOOL_EXIT_OK;
}

/* --- the run --- */

static void read_configuration(struct query *query)
{
	char *path = NULL;
	struct err err;
	int status = scanrc_find(&path, &err);

	if (status == ST_OK && path) {
		status = scanrc_read(&query->rc, path, &err);
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	g_free(path);
}

static void open_database(struct query *query, enum scandb_mode mode)
{
	const char *path = query->opts->database ? query->opts->database : query->rc.instance;
	struct err err;

	if (scandb_open(&query->scans, path ? path : DATABASE_DEFAULT, mode, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static int import(struct query *query)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct scanrow));
	struct err err;
	int status;

	/* all of it before the database is touched */
	if (scanrow_read(query->opts->import, rows, &err) != ST_OK) {
		tool_die_err(&err);
	}
	open_database(query, SCANDB_WRITE);
	status = import_rows(query->scans, rows);
	g_array_free(rows, TRUE);
	return status;
}

static int scanquery_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct scanquery_opts *opts = base;
	struct query query = { .env = env, .opts = opts, .report = &report_table[opts->report] };
	int status;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	read_configuration(&query);
	if (opts->import) {
		status = import(&query);
	} else {
		choose_window(&query);
		choose_sources(&query);
		open_database(&query, SCANDB_READ);
		status = run_report(&query);
	}
	scandb_close(query.scans);
	scanrc_release(&query.rc);
	ipset_free(query.sources[0]);
	ipset_free(query.sources[1]);
	return status;
}

const struct tool tool = {
	.name = "rwscanquery",
	.summary = "Query a database of scans that rwscan has found",
	.usage = "[--report=TYPE] [--start-date=DATE [--end-date=DATE]] [SWITCHES]",
	.opts = scanquery_opt_table,
	.opts_size = sizeof(struct scanquery_opts),
	.run = scanquery_run,
};

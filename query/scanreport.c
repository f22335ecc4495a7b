/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanreport.h"

#include <stdio.h>

#include <glib.h>

#include "common/ip.h"
#include "common/timestamp.h"

/* --- columns --- */

static void print_id(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, (uint64_t)row->id);
}

static void print_start(struct text *text, const struct scanrow *row)
{
	text_cell_time(text, row->start_ns, TIMESTAMP_ISO | TIMESTAMP_NO_MSEC);
}

static void print_end(struct text *text, const struct scanrow *row)
{
	text_cell_time(text, row->end_ns, TIMESTAMP_ISO | TIMESTAMP_NO_MSEC);
}

static void print_day(struct text *text, const struct scanrow *row)
{
	text_cell_day(text, row->start_ns, TIMESTAMP_DEFAULT);
}

static void print_protocol(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->protocol);
}

static void print_address(struct text *text, const struct scanrow *row)
{
	text_cell_done(text, ip_print(text_cell(text), ip_from_v4(row->sip), false, IP_CANONICAL));
}

static void print_sip(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->sip);
}

static void print_flows(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->flows);
}

static void print_packets(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->packets);
}

static void print_bytes(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->bytes);
}

static void print_model(struct text *text, const struct scanrow *row)
{
	text_cell_u64(text, row->model);
}

static void print_probability(struct text *text, const struct scanrow *row)
{
	text_cell_done(text,
		       (size_t)snprintf(text_cell(text), TEXT_CELL_MAX, "%.15g", row->probability));
}

struct column {
	const char *title;
	const char *wide_title; /* in columns */
	int width;
	bool number;
	bool left;
	void (*print)(struct text *text, const struct scanrow *row);
};

static const struct column standard_columns[] = {
	{ "scan-id", "scan-id", 10, true, false, print_id },
	{ "stime", "start-time", 19, false, true, print_start },
	{ "etime", "end-time", 19, false, true, print_end },
	{ "proto", "protocol", 10, true, true, print_protocol },
	{ "srcaddr", "source-address", 15, false, true, print_address },
	{ "flows", "flows", 10, true, false, print_flows },
	{ "packets", "packets", 10, true, false, print_packets },
	{ "bytes", "bytes", 14, true, false, print_bytes },
	{ .title = NULL },
};

static const struct column volume_columns[] = {
	{ "date", "date", 19, false, true, print_day },
	{ "flows", "flows", 10, true, false, print_flows },
	{ "packets", "packets", 10, true, false, print_packets },
	{ "bytes", "bytes", 14, true, false, print_bytes },
	{ .title = NULL },
};

static const struct column export_columns[] = {
	{ .title = "id", .number = true, .print = print_id },
	{ .title = "sip", .number = true, .print = print_sip },
	{ .title = "proto", .number = true, .print = print_protocol },
	{ .title = "stime", .print = print_start },
	{ .title = "etime", .print = print_end },
	{ .title = "flows", .number = true, .print = print_flows },
	{ .title = "packets", .number = true, .print = print_packets },
	{ .title = "bytes", .number = true, .print = print_bytes },
	{ .title = "scan_model", .number = true, .print = print_model },
	{ .title = "scan_prob", .number = true, .print = print_probability },
	{ .title = NULL },
};

/* --- reports --- */

struct scanreport {
	const struct kind *kind;
	struct text *text;
	bool has_day;
	struct scanrow day; /* of volume: its sums so far */
};

static void print_row(struct scanreport *report, const struct scanrow *row);
static void sum_up(struct scanreport *report, const struct scanrow *row);

static const struct kind {
	const struct column *columns;
	void (*add)(struct scanreport *report, const struct scanrow *row);
	bool never_wide;
} kinds[] = {
	[SCANREPORT_STANDARD] = { standard_columns, print_row, false },
	[SCANREPORT_VOLUME] = { volume_columns, sum_up, false },
	[SCANREPORT_EXPORT] = { export_columns, print_row, true },
};

static void print_row(struct scanreport *report, const struct scanrow *row)
{
	for (const struct column *column = report->kind->columns; column->title; column++) {
		column->print(report->text, row);
	}
	text_row_done(report->text);
}

static void sum_up(struct scanreport *report, const struct scanrow *row)
{
	const int64_t day_ns = timestamp_floor(row->start_ns, 24 * NS_PER_HOUR);

	if (report->has_day && report->day.start_ns != day_ns) {
		print_row(report, &report->day);
		report->has_day = false;
	}
	if (!report->has_day) {
		report->has_day = true;
		report->day = (struct scanrow){ .start_ns = day_ns };
	}
	report->day.flows += row->flows;
	report->day.packets += row->packets;
	report->day.bytes += row->bytes;
}

struct scanreport *scanreport_open(enum scanreport_kind kind, int fd,
				   const struct text_style *style)
{
	struct scanreport *report = g_new0(struct scanreport, 1);
	struct text_style own = *style;

	report->kind = &kinds[kind];
	own.no_final_delimiter = true;
	if (own.form == TEXT_COLUMNS && report->kind->never_wide) {
		own.form = TEXT_DELIMITED;
	} else if (own.form == TEXT_COLUMNS) {
		own.separator = ' ';
	}
	report->text = text_new(fd, &own);
	for (const struct column *column = report->kind->columns; column->title; column++) {
		text_add_column(report->text,
				own.form == TEXT_COLUMNS ? column->wide_title : column->title,
				column->width, column->number);
		if (column->left) {
			text_align_left(report->text);
		}
	}
	text_titles(report->text);
	return report;
}

void scanreport_add(struct scanreport *report, const struct scanrow *row)
{
	report->kind->add(report, row);
}

int scanreport_close(struct scanreport *report, struct err *err)
{
	int status;

	if (report->has_day) {
		print_row(report, &report->day);
	}
	status = text_close(report->text, err);
	g_free(report);
	return status;
}

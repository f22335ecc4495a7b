/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanrow.h"

#include <float.h>
#include <string.h>

#include <glib.h>

#include "common/ip.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "storage/byteline.h"

#define LINE_BYTES_MAX 1024

static int parse_sip(const char *text, struct scanrow *row, struct err *err)
{
	struct ip ip;
	bool is_v6;
	int status = ip_parse(text, &ip, &is_v6, err);

	if (status == ST_OK && is_v6) {
		return err_set(err, ST_EINVAL, "not an IPv4 address");
	}
	row->sip = status == ST_OK ? ip_to_v4(ip) : 0;
	return status;
}

static int parse_protocol(const char *text, struct scanrow *row, struct err *err)
{
	uint64_t number = 0;
	int status = number_parse(text, 0, UINT8_MAX, &number, err);

	row->protocol = (uint8_t)number;
	return status;
}

static int parse_start(const char *text, struct scanrow *row, struct err *err)
{
	return timestamp_parse(text, false, &row->start_ns, NULL, err);
}

static int parse_end(const char *text, struct scanrow *row, struct err *err)
{
	return timestamp_parse(text, false, &row->end_ns, NULL, err);
}

static int parse_flows(const char *text, struct scanrow *row, struct err *err)
{
	return number_parse(text, 0, INT64_MAX, &row->flows, err);
}

static int parse_packets(const char *text, struct scanrow *row, struct err *err)
{
	return number_parse(text, 0, INT64_MAX, &row->packets, err);
}

static int parse_bytes(const char *text, struct scanrow *row, struct err *err)
{
	return number_parse(text, 0, INT64_MAX, &row->bytes, err);
}

static int parse_model(const char *text, struct scanrow *row, struct err *err)
{
	uint64_t number = 0;
	int status = number_parse(text, 0, INT32_MAX, &number, err);

	row->model = (uint32_t)number;
	return status;
}

static int parse_probability(const char *text, struct scanrow *row, struct err *err)
{
	return real_parse(text, 0, DBL_MAX, &row->probability, err);
}

/* The titles are those of rwscan. */
static const struct column {
	const char *title;
	int (*parse)(const char *text, struct scanrow *row, struct err *err);
} columns[] = {
	{ "sip", parse_sip },     { "proto", parse_protocol },   { "stime", parse_start },
	{ "etime", parse_end },   { "flows", parse_flows },      { "packets", parse_packets },
	{ "bytes", parse_bytes }, { "scan_model", parse_model }, { "scan_prob", parse_probability },
};
#define COLUMNS G_N_ELEMENTS(columns)

/* The cells without blanks around, at most max of them; returns how many there are. */
static size_t split(char *line, char **cells, size_t max)
{
	size_t count = 0;
	char *rest = line;
	char *cell;

	while ((cell = strsep(&rest, "|"))) {
		if (count < max) {
			cells[count] = g_strstrip(cell);
		}
		count++;
	}
	return count;
}

int scanrow_parse(char *line, struct scanrow *out, struct err *err)
{
	struct scanrow row = { 0 };
	char *cells[COLUMNS + 2]; /* an id, and what follows a final bar */
	size_t count = split(line, cells, G_N_ELEMENTS(cells));
	char **first = cells;

	if (count == 1 && !*cells[0]) {
		return ST_END;
	}
	if (count > COLUMNS && count <= G_N_ELEMENTS(cells) && !*cells[count - 1]) {
		count--;
	}
	if (count == COLUMNS + 1) {
		first++;
		count--;
	}
	if (count != COLUMNS) {
		return err_set(err, ST_EFORMAT, "%zu fields, not the %zu of rwscan --scandb", count,
			       COLUMNS);
	}
	if (strcmp(first[0], columns[0].title) == 0) {
		return ST_END;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].parse(first[i], &row, err) != ST_OK) {
			err_prefix(err, "%s '%s'", columns[i].title, first[i]);
			return ST_EFORMAT;
		}
	}
	*out = row;
	return ST_OK;
}

int scanrow_read(const char *path, GArray *rows, struct err *err)
{
	GString *line = g_string_new(NULL);
	struct bytesource *src = NULL;
	struct scanrow row;
	int status = bytesource_open(&src, path, err);

	for (unsigned number = 1; status == ST_OK; number++) {
		int parsed;

		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		parsed = status == ST_OK ? scanrow_parse(line->str, &row, err) : ST_END;
		if (parsed == ST_OK) {
			g_array_append_val(rows, row);
		} else if (parsed != ST_END) {
			status = err_prefix(err, "%s: line %u", path, number);
		}
	}
	bytesource_close(src);
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

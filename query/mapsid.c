/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mapsid: names of sensors and their numbers; rwsiteinfo tells more. */
#include "query/tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/numlist.h"
#include "common/text.h"

#define SENSOR_ID_MAX 65534

struct mapsid_opts {
	bool print_classes;
	bool print_descriptions;
	int output_format;
	struct site_opts site;
};

static const struct opt mapsid_opt_table[] = {
	OPT_FLAG(struct mapsid_opts, print_classes, "print-classes", 0,
		 "print the classes that the sensor belongs to"),
	OPT_FLAG(struct mapsid_opts, print_descriptions, "print-descriptions", 0,
		 "print the description of the sensor"),
	TEXT_DATA_FORMAT_ROW(struct mapsid_opts, "print as text, csv or json lines"),
	OPT_GROUP(struct mapsid_opts, site, site_opt_table),
	OPT_END,
};

struct mapsid {
	const struct mapsid_opts *opts;
	const struct site *site;
	int width;          /* of names */
	struct text *table; /* NULL: text */
};

/* All names in one column. */
static int name_width(const struct site *site)
{
	size_t width = 3;

	for (int id = 0; id <= site_sensor_max(site); id++) {
		const char *name = site_sensor_name(site, id);

		width = name ? MAX(width, strlen(name)) : width;
	}
	return (int)width;
}

/* The classes of a sensor, with commas between them. */
static void join_classes(const struct site *site, int sensor, GString *out)
{
	for (int class_id = 0; class_id < site_class_count(site); class_id++) {
		if (site_sensor_in_class(site, sensor, class_id)) {
			g_string_append_printf(out, "%s%s", out->len ? "," : "",
					       site_class_name(site, class_id));
		}
	}
}

/* What follows name and number. */
static void print_rest(const struct mapsid *mapsid, int sensor, const char *classes)
{
	const char *description = site_sensor_description(mapsid->site, sensor);

	if (mapsid->opts->print_classes) {
		printf("  [%s]", classes);
	}
	if (mapsid->opts->print_descriptions && description) {
		printf("  \"%s\"", description);
	}
	putchar('\n');
}

static struct text *new_table(const struct mapsid_opts *opts)
{
	const char *columns[5] = { "id", "sensor" };
	int count = 2;

	if (opts->print_classes) {
		columns[count++] = "classes";
	}
	if (opts->print_descriptions) {
		columns[count++] = "description";
	}
	return text_data_new(STDOUT_FILENO, opts->output_format, false, columns);
}

static void put_row(const struct mapsid *mapsid, int sensor, const char *classes)
{
	const char *description = site_sensor_description(mapsid->site, sensor);

	text_cell_number(mapsid->table, (uint64_t)sensor);
	text_cell_string(mapsid->table, site_sensor_name(mapsid->site, sensor));
	if (mapsid->opts->print_classes) {
		text_cell_string(mapsid->table, classes);
	}
	if (mapsid->opts->print_descriptions) {
		text_cell_string(mapsid->table, description ? description : "");
	}
	text_row_done(mapsid->table);
}

/* named: it was asked for by its name. */
static void print_sensor(const struct mapsid *mapsid, int sensor, bool named)
{
	const struct mapsid_opts *opts = mapsid->opts;
	const char *name = site_sensor_name(mapsid->site, sensor);
	bool more = opts->print_classes || opts->print_descriptions;
	GString *classes = g_string_new(NULL);

	join_classes(mapsid->site, sensor, classes);
	if (mapsid->table) {
		put_row(mapsid, sensor, classes->str);
	} else if (named) {
		printf("%s -> %5d", name, sensor);
		print_rest(mapsid, sensor, classes->str);
	} else {
		printf("%5d -> %-*s", sensor, more ? mapsid->width : 0, name);
		print_rest(mapsid, sensor, classes->str);
	}
	g_string_free(classes, TRUE);
}

static void print_all(const struct mapsid *mapsid)
{
	int count = 0;

	for (int id = 0; id <= site_sensor_max(mapsid->site); id++) {
		if (site_sensor_name(mapsid->site, id)) {
			print_sensor(mapsid, id, false);
			count++;
		}
	}
	if (!mapsid->table) {
		printf("Total sensors %d\n", count);
	}
}

/* Digits, or nothing at all: no name looks so. */
static bool is_number(const char *text)
{
	text += strspn(text, " \t");
	text += *text == '+';
	text += strspn(text, "0123456789");
	return !text[strspn(text, " \t")];
}

static int find_name(const struct site *site, const char *name)
{
	for (int id = 0; id <= site_sensor_max(site); id++) {
		const char *known = site_sensor_name(site, id);

		if (known && g_ascii_strcasecmp(known, name) == 0) {
			return id;
		}
	}
	return -1;
}

/* What is no sensor is told; it decides no exit status. */
static void print_one(const struct mapsid *mapsid, const char *text)
{
	uint64_t id = 0;
	struct err err;
	int sensor;

	if (!is_number(text)) {
		sensor = find_name(mapsid->site, text);
		if (sensor < 0) {
			tool_warn("no sensor is called '%s'", text);
		} else {
			print_sensor(mapsid, sensor, true);
		}
	} else if (number_parse(text, 0, SENSOR_ID_MAX, &id, &err) != ST_OK) {
		tool_warn("invalid sensor number '%s': %s", text, err.text);
	} else if (!site_sensor_name(mapsid->site, (int)id)) {
		tool_warn("no sensor has the number '%s'", text);
	} else {
		print_sensor(mapsid, (int)id, false);
	}
}

static int mapsid_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct mapsid_opts *opts = base;
	struct mapsid mapsid = { .opts = opts, .site = tool_site(env, &opts->site, true) };
	struct err err;

	mapsid.width = argc == 1 ? 0 : name_width(mapsid.site);
	mapsid.table = new_table(opts);
	if (argc == 0) {
		print_all(&mapsid);
	}
	for (int i = 0; i < argc; i++) {
		print_one(&mapsid, argv[i]);
	}
	if (mapsid.table && text_close(mapsid.table, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "mapsid",
	.summary = "Map between sensor names and sensor numbers",
	.usage = "[SWITCHES] [SENSORS]",
	.opts = mapsid_opt_table,
	.opts_size = sizeof(struct mapsid_opts),
	.run = mapsid_run,
};

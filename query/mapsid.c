/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mapsid: names of sensors and their numbers; rwsiteinfo tells more. */
#include "query/tool.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "common/numlist.h"

#define SENSOR_ID_MAX 65534

struct mapsid_opts {
	bool print_classes;
	bool print_descriptions;
	struct site_opts site;
};

static const struct opt mapsid_opt_table[] = {
	OPT_FLAG(struct mapsid_opts, print_classes, "print-classes", 0,
		 "print the classes that the sensor belongs to"),
	OPT_FLAG(struct mapsid_opts, print_descriptions, "print-descriptions", 0,
		 "print the description of the sensor"),
	OPT_GROUP(struct mapsid_opts, site, site_opt_table),
	OPT_END,
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

static void print_classes(const struct site *site, int sensor)
{
	const char *before = "  [";

	for (int class_id = 0; class_id < site_class_count(site); class_id++) {
		if (site_sensor_in_class(site, sensor, class_id)) {
			printf("%s%s", before, site_class_name(site, class_id));
			before = ",";
		}
	}
	printf("%s]", *before == ',' ? "" : before);
}

/* What follows name and number. */
static void print_rest(const struct mapsid_opts *opts, const struct site *site, int sensor)
{
	const char *description = site_sensor_description(site, sensor);

	if (opts->print_classes) {
		print_classes(site, sensor);
	}
	if (opts->print_descriptions && description) {
		printf("  \"%s\"", description);
	}
	putchar('\n');
}

static void print_by_id(const struct mapsid_opts *opts, const struct site *site, int sensor,
			int width)
{
	bool more = opts->print_classes || opts->print_descriptions;

	printf("%5d -> %-*s", sensor, more ? width : 0, site_sensor_name(site, sensor));
	print_rest(opts, site, sensor);
}

static void print_all(const struct mapsid_opts *opts, const struct site *site, int width)
{
	int count = 0;

	for (int id = 0; id <= site_sensor_max(site); id++) {
		if (site_sensor_name(site, id)) {
			print_by_id(opts, site, id, width);
			count++;
		}
	}
	printf("Total sensors %d\n", count);
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
static void print_one(const struct mapsid_opts *opts, const struct site *site, const char *text,
		      int width)
{
	uint64_t id = 0;
	struct err err;
	int sensor;

	if (!is_number(text)) {
		sensor = find_name(site, text);
		if (sensor < 0) {
			tool_warn("no sensor is called '%s'", text);
			return;
		}
		printf("%s -> %5d", site_sensor_name(site, sensor), sensor);
		print_rest(opts, site, sensor);
	} else if (number_parse(text, 0, SENSOR_ID_MAX, &id, &err) != ST_OK) {
		tool_warn("invalid sensor number '%s': %s", text, err.text);
	} else if (!site_sensor_name(site, (int)id)) {
		tool_warn("no sensor has the number '%s'", text);
	} else {
		print_by_id(opts, site, (int)id, width);
	}
}

static int mapsid_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct mapsid_opts *opts = base;
	const struct site *site = tool_site(env, &opts->site, true);
	int width = argc == 1 ? 0 : name_width(site);

	if (argc == 0) {
		print_all(opts, site, width);
	}
	for (int i = 0; i < argc; i++) {
		print_one(opts, site, argv[i], width);
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

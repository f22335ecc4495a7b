/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/siterows.h"

#include <glib.h>

/* --- what the filter lets through --- */

static bool allowed(const bool *list, int id)
{
	return !list || list[id];
}

static bool sensor_allowed(const struct siterows *rows, int sensor)
{
	if (!allowed(rows->filter.sensors, sensor)) {
		return false;
	}
	for (size_t g = 0; rows->filter.groups && g < site_group_count(rows->site); g++) {
		if (rows->filter.groups[g] && site_group_has(rows->site, g, sensor)) {
			return true;
		}
	}
	return !rows->filter.groups;
}

static bool class_has_sensor(const struct siterows *rows, int class_id)
{
	size_t count;
	const uint16_t *sensors = site_class_sensors(rows->site, class_id, &count);

	for (size_t i = 0; i < count; i++) {
		if (sensor_allowed(rows, sensors[i])) {
			return true;
		}
	}
	return false;
}

static bool class_has_type(const struct siterows *rows, int class_id)
{
	size_t count;
	const uint16_t *flowtypes = site_class_flowtypes(rows->site, class_id, &count);

	for (size_t i = 0; i < count; i++) {
		if (allowed(rows->filter.flowtypes, flowtypes[i])) {
			return true;
		}
	}
	return false;
}

/* Something of each other dimension that is restricted must go with what is shown. */
static bool class_shown(const struct siterows *rows, int class_id)
{
	bool by_sensor = rows->filter.sensors || rows->filter.groups;

	/* a class that was asked for by its name is shown without a type, too */
	return allowed(rows->filter.classes, class_id) &&
	       (rows->filter.classes || class_has_type(rows, class_id)) &&
	       (!by_sensor || class_has_sensor(rows, class_id));
}

static bool type_shown(const struct siterows *rows, int flowtype)
{
	return allowed(rows->filter.flowtypes, flowtype) &&
	       class_shown(rows, site_flowtype_class(rows->site, flowtype));
}

static bool sensor_shown(const struct siterows *rows, int sensor)
{
	if (!sensor_allowed(rows, sensor)) {
		return false;
	}
	if (!rows->filter.classes && !rows->filter.flowtypes) {
		return true;
	}
	for (int c = 0; c < site_class_count(rows->site); c++) {
		if (class_shown(rows, c) && site_sensor_in_class(rows->site, sensor, c)) {
			return true;
		}
	}
	return false;
}

static bool group_shown(const struct siterows *rows, int group)
{
	const struct sitefilter *filter = &rows->filter;
	size_t count;
	const uint16_t *sensors = site_group_sensors(rows->site, (size_t)group, &count);

	if (!allowed(filter->groups, group)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (sensor_shown(rows, sensors[i])) {
			return true;
		}
	}
	return !filter->sensors && !filter->classes && !filter->flowtypes;
}

/* --- what goes with a row --- */

static int class_of(const struct siterows *rows, const struct siterow *row)
{
	int flowtype = row->id[SITE_TYPE];

	return flowtype >= 0 ? site_flowtype_class(rows->site, flowtype) : row->id[SITE_CLASS];
}

/* Do a class and a group share a sensor, or have both none? */
static bool class_and_group(const struct siterows *rows, int class_id, int group)
{
	size_t in_class;
	size_t in_group;
	const uint16_t *sensors = site_group_sensors(rows->site, (size_t)group, &in_group);

	site_class_sensors(rows->site, class_id, &in_class);
	for (size_t i = 0; i < in_group; i++) {
		if (sensor_shown(rows, sensors[i]) &&
		    site_sensor_in_class(rows->site, sensors[i], class_id)) {
			return true;
		}
	}
	return !in_class && !in_group;
}

static void add(GArray *ids, int id)
{
	g_array_append_val(ids, id);
}

static void find_classes(const struct siterows *rows, const struct siterow *row, GArray *ids)
{
	int sensor = row->id[SITE_SENSOR];
	int group = row->id[SITE_GROUP];

	for (int c = 0; c < site_class_count(rows->site); c++) {
		bool fits = class_shown(rows, c);

		if (row->id[SITE_TYPE] != SITE_FREE) {
			fits = fits && c == class_of(rows, row);
		} else if (sensor != SITE_FREE) {
			fits = fits && sensor >= 0 && site_sensor_in_class(rows->site, sensor, c);
		} else if (group != SITE_FREE) {
			fits = fits && group >= 0 && class_and_group(rows, c, group);
		}
		if (fits) {
			add(ids, c);
		}
	}
}

/* Types of one class in the order of the file, or its default types in the order of that list. */
static void add_types(const struct siterows *rows, int class_id, bool defaults, GArray *ids)
{
	size_t count;
	const uint16_t *flowtypes = defaults
					    ? site_class_default_types(rows->site, class_id, &count)
					    : site_class_flowtypes(rows->site, class_id, &count);

	for (size_t i = 0; i < count; i++) {
		if (type_shown(rows, flowtypes[i])) {
			add(ids, flowtypes[i]);
		}
	}
}

static void find_types(const struct siterows *rows, const struct siterow *row, bool defaults,
		       GArray *ids)
{
	int class_id = class_of(rows, row);
	bool by_class = defaults || row->id[SITE_SENSOR] != SITE_FREE;
	int group = row->id[SITE_GROUP];
	GArray *classes;

	if (class_id != SITE_FREE) {
		if (class_id >= 0) {
			add_types(rows, class_id, defaults, ids);
		}
		return;
	}
	if (!by_class) {
		for (int t = 0; t <= site_flowtype_max(rows->site); t++) {
			bool fits = site_flowtype_name(rows->site, t) && type_shown(rows, t);

			if (fits && group >= 0) {
				fits = class_and_group(rows, site_flowtype_class(rows->site, t),
						       group);
			}
			if (fits && group != SITE_NONE) {
				add(ids, t);
			}
		}
		return;
	}
	classes = g_array_new(FALSE, FALSE, sizeof(int));
	find_classes(rows, row, classes);
	for (guint i = 0; i < classes->len; i++) {
		add_types(rows, g_array_index(classes, int, i), defaults, ids);
	}
	g_array_free(classes, TRUE);
}

static void find_sensors(const struct siterows *rows, const struct siterow *row, GArray *ids)
{
	int class_id = class_of(rows, row);
	int group = row->id[SITE_GROUP];
	size_t count = 0;
	const uint16_t *sensors = NULL;

	if (class_id == SITE_FREE && group == SITE_FREE) {
		for (int s = 0; s <= site_sensor_max(rows->site); s++) {
			if (site_sensor_name(rows->site, s) && sensor_shown(rows, s)) {
				add(ids, s);
			}
		}
		return;
	}
	if (class_id >= 0) {
		sensors = site_class_sensors(rows->site, class_id, &count);
	} else if (class_id == SITE_FREE && group >= 0) {
		sensors = site_group_sensors(rows->site, (size_t)group, &count);
	}
	/* as in SiLK, the sensors of a class, also those that are not in the group of the row */
	for (size_t i = 0; i < count; i++) {
		if (sensor_shown(rows, sensors[i])) {
			add(ids, sensors[i]);
		}
	}
}

static void find_groups(const struct siterows *rows, const struct siterow *row, GArray *ids)
{
	int sensor = row->id[SITE_SENSOR];
	int class_id = class_of(rows, row);

	for (int g = 0; g < (int)site_group_count(rows->site); g++) {
		bool fits = group_shown(rows, g);

		if (sensor >= 0) {
			fits = fits && site_group_has(rows->site, (size_t)g, sensor);
		} else if (class_id != SITE_FREE) {
			fits = fits && class_id >= 0 && class_and_group(rows, class_id, g);
		} else if (sensor == SITE_NONE) {
			fits = false;
		}
		if (fits) {
			add(ids, g);
		}
	}
}

static void find(const struct siterows *rows, enum site_dimension dimension,
		 const struct siterow *row, GArray *ids)
{
	switch (dimension) {
	case SITE_CLASS:
	case SITE_DEFAULT_CLASS:
		find_classes(rows, row, ids);
		break;
	case SITE_TYPE:
	case SITE_DEFAULT_TYPE:
		find_types(rows, row, dimension == SITE_DEFAULT_TYPE, ids);
		break;
	case SITE_SENSOR:
		find_sensors(rows, row, ids);
		break;
	default:
		find_groups(rows, row, ids);
		break;
	}
}

/* --- walking --- */

/* Which dimension of the row a step sets. */
static enum site_dimension target_of(enum site_dimension dimension)
{
	return dimension == SITE_DEFAULT_TYPE    ? SITE_TYPE
	       : dimension == SITE_DEFAULT_CLASS ? SITE_CLASS
						 : dimension;
}

/* Of a group, too, SiLK knows the default class alone. */
static bool wants_default_class(const struct siterow *row, size_t depth,
				enum site_dimension dimension)
{
	return dimension == SITE_DEFAULT_CLASS &&
	       (depth == 0 ||
		(row->id[SITE_GROUP] != SITE_FREE && row->id[SITE_TYPE] == SITE_FREE &&
		 row->id[SITE_SENSOR] == SITE_FREE));
}

/* All that the dimension can be in this row. */
static void find_step(const struct siterows *rows, const struct siterow *row, size_t depth,
		      enum site_dimension dimension, GArray *ids)
{
	if (!wants_default_class(row, depth, dimension)) {
		find(rows, dimension, row, ids);
	} else if (site_default_class(rows->site) >= 0) {
		add(ids, site_default_class(rows->site));
	}
}

static void walk(const struct siterows *rows, size_t depth, struct siterow row, siterow_fn fn,
		 void *arg)
{
	enum site_dimension dimension;
	size_t next = depth + 1;
	int *target;
	GArray *ids;

	if (depth == rows->order_count) {
		fn(arg, &row);
		return;
	}
	dimension = rows->order[depth];
	target = &row.id[target_of(dimension)];
	if (*target != SITE_FREE) {
		walk(rows, depth + 1, row, fn, arg);
		return;
	}
	ids = g_array_new(FALSE, FALSE, sizeof(int));
	if (dimension == SITE_DEFAULT_TYPE && row.id[SITE_CLASS] == SITE_FREE) {
		/* class by class: one without default types keeps its row */
		target = &row.id[SITE_CLASS];
		next = depth;
		find_classes(rows, &row, ids);
	} else {
		find_step(rows, &row, depth, dimension, ids);
	}
	for (guint i = 0; i < ids->len; i++) {
		*target = g_array_index(ids, int, i);
		walk(rows, next, row, fn, arg);
	}
	if (!ids->len && depth > 0) {
		*target = SITE_NONE;
		walk(rows, next, row, fn, arg);
	}
	g_array_free(ids, TRUE);
}

void siterows_each(const struct siterows *rows, siterow_fn fn, void *arg)
{
	const struct siterow row = { { SITE_FREE, SITE_FREE, SITE_FREE, SITE_FREE } };

	walk(rows, 0, row, fn, arg);
}

void siterows_list(const struct siterows *rows, enum site_dimension dimension,
		   const struct siterow *row, siterow_id_fn fn, void *arg)
{
	struct siterow context = { { SITE_FREE, SITE_FREE, SITE_FREE, SITE_FREE } };
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int));
	int sensor = row->id[SITE_SENSOR];
	int class_id = class_of(rows, row);

	if (dimension == SITE_DEFAULT_TYPE && class_id == SITE_NONE) {
		context.id[SITE_CLASS] = SITE_NONE;
	}
	/* as in SiLK, lists of classes and groups look at the sensor only, types at the class */
	if (class_id >= 0 && dimension != SITE_CLASS && dimension != SITE_GROUP) {
		context.id[SITE_CLASS] = class_id;
	}
	if (dimension == SITE_SENSOR && class_id < 0 && row->id[SITE_GROUP] >= 0) {
		context.id[SITE_GROUP] = row->id[SITE_GROUP];
	}
	if ((dimension == SITE_CLASS || dimension == SITE_GROUP) && sensor >= 0) {
		context.id[SITE_SENSOR] = sensor;
	}
	find(rows, dimension, &context, ids);
	for (guint i = 0; i < ids->len; i++) {
		fn(arg, g_array_index(ids, int, i));
	}
	g_array_free(ids, TRUE);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the selection switches to hours and (flowtype, sensor) pairs. Order matters: files are
 * visited in the order in which flowtypes and sensors were named.
 */
#include "storage/repo.h"

#include "common/listfile.h"
#include "common/numlist.h"
#include "common/timestamp.h"

#include <glib.h>
#include <string.h>

/* Ids in the order of first naming, and what was wrong with other names. */
struct naming {
	const struct site *site;
	int class_id;  /* for types */
	GArray *ids;   /* int, without repeats */
	GString *text; /* of errors, one a line */
	unsigned errors;
};

static void naming_init(struct naming *naming, const struct site *site)
{
	*naming = (struct naming){
		.site = site,
		.class_id = -1,
		.ids = g_array_new(FALSE, FALSE, sizeof(int)),
		.text = g_string_new(NULL),
	};
}

static void naming_release(struct naming *naming)
{
	g_array_free(naming->ids, TRUE);
	g_string_free(naming->text, TRUE);
}

static void add_id(struct naming *naming, int id)
{
	for (guint i = 0; i < naming->ids->len; i++) {
		if (g_array_index(naming->ids, int, i) == id) {
			return;
		}
	}
	g_array_append_val(naming->ids, id);
}

static void add_ids(struct naming *naming, const uint16_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add_id(naming, ids[i]);
	}
}

static void add_error(void *arg, const char *text)
{
	struct naming *naming = arg;

	if (naming->errors++) {
		g_string_append_c(naming->text, '\n');
	}
	g_string_append(naming->text, text);
}

static void fail(struct naming *naming, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct naming *naming, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	add_error(naming, text);
	g_free(text);
}

/* Parse a list by one function per name. */
static int walk_names(struct naming *naming, const char *intro, const char *text,
		      listfile_fn add_name, struct err *err)
{
	listfile_each(text, add_name, add_error, naming);
	if (naming->errors) {
		return err_set(err, ST_EINVAL, "%s '%s': %s%s", intro, text,
			       naming->errors > 1 ? "Found multiple errors:\n" : "",
			       naming->text->str);
	}
	return ST_OK;
}

/* As walk_names, and one name at least; what is the switch's name in messages. */
static int parse_names(struct naming *naming, const char *what, const char *text,
		       listfile_fn add_name, struct err *err)
{
	char *intro = g_strconcat("Invalid ", what, NULL);
	int status = walk_names(naming, intro, text, add_name, err);

	g_free(intro);
	if (status != ST_OK) {
		return status;
	}
	if (!naming->ids->len) {
		return err_set(err, ST_EINVAL, "Invalid %s '%s': No valid %s found", what, text,
			       what);
	}
	return ST_OK;
}

/* --- flowtypes --- */

static void add_type(void *arg, const char *name)
{
	struct naming *naming = arg;
	int id = site_flowtype_of(naming->site, naming->class_id, name);
	size_t count;
	const uint16_t *all = site_class_flowtypes(naming->site, naming->class_id, &count);

	if (strcmp(name, "all") == 0) {
		add_ids(naming, all, count);
	} else if (id >= 0) {
		add_id(naming, id);
	} else {
		fail(naming, "The type name '%s' is not recognized in the specified class(es)",
		     name);
	}
}

static bool is_type_anywhere(const struct site *site, const char *type)
{
	for (int id = 0; id < site_class_count(site); id++) {
		if (site_flowtype_of(site, id, type) >= 0) {
			return true;
		}
	}
	return false;
}

/* CLASS/TYPE with a known class, or "all" for -1. */
static void add_class_and_type(struct naming *naming, const char *name, int class_id,
			       const char *type)
{
	size_t count;
	const uint16_t *ids = site_class_flowtypes(naming->site, class_id, &count);
	bool all_types = strcmp(type, "all") == 0;

	if (!all_types && !is_type_anywhere(naming->site, type)) {
		fail(naming, "The flowtype '%s' uses an unrecognized type name", name);
	} else if (class_id < 0) {
		for (int id = 0; id <= site_flowtype_max(naming->site); id++) {
			const char *of = site_flowtype_type(naming->site, id);

			if (of && (all_types || strcmp(of, type) == 0)) {
				add_id(naming, id);
			}
		}
	} else if (all_types) {
		add_ids(naming, ids, count);
	} else if (site_flowtype_of(naming->site, class_id, type) < 0) {
		fail(naming, "The flowtype '%s' uses a type that is not in the class", name);
	} else {
		add_id(naming, site_flowtype_of(naming->site, class_id, type));
	}
}

static void add_flowtype(void *arg, const char *name)
{
	struct naming *naming = arg;
	const char *slash = strchr(name, '/');
	char *class = NULL;
	bool all_classes;
	int class_id;

	if (!slash) {
		fail(naming, "The flowtype '%s' does not include the class-type separator '/'",
		     name);
		return;
	}
	class = g_strndup(name, (gsize)(slash - name));
	/* a class of that name comes before the keyword, but all/all means all there is */
	all_classes = strcmp(class, "all") == 0;
	class_id = strcmp(name, "all/all") == 0 ? -1 : site_class_id(naming->site, class);
	if (class_id < 0 && !all_classes) {
		fail(naming, "The flowtype '%s' uses an unrecognized class name", name);
	} else {
		add_class_and_type(naming, name, class_id, slash + 1);
	}
	g_free(class);
}

static int choose_class(const struct site *site, const char *name, int *out, struct err *err)
{
	if (!name) {
		*out = site_default_class(site);
		return *out >= 0 ? ST_OK
				 : err_set(err, ST_EINVAL,
					   "No --class given and no default class specified in %s",
					   site_file(site) ? site_file(site) : "no file");
	}
	*out = site_class_id(site, name);
	if (*out < 0 && strchr(name, ',')) {
		return err_set(err, ST_EINVAL,
			       "Invalid --class: Use --flowtypes to process multiple classes");
	}
	if (*out < 0) {
		return err_set(err, ST_EINVAL,
			       "Invalid --class: Cannot find class '%s'\n"
			       "\tUse the --help option to see valid classes",
			       name);
	}
	return ST_OK;
}

static int choose_flowtypes(struct naming *naming, const struct repo_switches *switches,
			    struct err *err)
{
	const uint16_t *ids;
	size_t count;
	int status;

	if (switches->flowtypes) {
		if (switches->class_name || switches->types) {
			return err_set(err, ST_EINVAL,
				       "Cannot use --flowtypes when either --class or --types are "
				       "specified");
		}
		return parse_names(naming, "flowtypes", switches->flowtypes, add_flowtype, err);
	}
	status = choose_class(naming->site, switches->class_name, &naming->class_id, err);
	if (status != ST_OK) {
		return status;
	}
	if (switches->types) {
		return parse_names(naming, "types", switches->types, add_type, err);
	}
	ids = site_class_default_types(naming->site, naming->class_id, &count);
	add_ids(naming, ids, count);
	return count ? ST_OK
		     : err_set(err, ST_EINVAL,
			       "No --type given and class '%s' has no default types",
			       site_class_name(naming->site, naming->class_id));
}

/* --- sensors --- */

static void add_sensor_range(struct naming *naming, const char *text)
{
	int max = site_sensor_max(naming->site);
	struct number_range range;
	struct err err;
	size_t len = strlen(text);

	if (len && text[len - 1] == '-') {
		fail(naming,
		     "Sensor range/ID '%s' is invalid: Range is missing its upper limit "
		     "(open-ended ranges are not supported)",
		     text);
	} else if (range_parse(text, 0, max < 0 ? 0 : (uint64_t)max, &range, &err) != ST_OK) {
		fail(naming, "Sensor range/ID '%s' is invalid: %s", text, err.text);
	} else if (range.first == range.last && !site_sensor_name(naming->site, (int)range.first)) {
		fail(naming, "The sensor ID %d is not recognized", (int)range.first);
	} else {
		for (int id = (int)range.first; id <= (int)range.last; id++) {
			if (site_sensor_name(naming->site, id)) {
				add_id(naming, id);
			}
		}
	}
}

static void add_sensor(void *arg, const char *name)
{
	struct naming *naming = arg;
	int id = site_sensor_id(naming->site, name);

	if (id >= 0) {
		add_id(naming, id);
		return;
	}
	for (size_t i = 0; i < site_group_count(naming->site); i++) {
		if (strcmp(site_group_name(naming->site, i), name) == 0) {
			size_t count;
			const uint16_t *ids = site_group_sensors(naming->site, i, &count);

			add_ids(naming, ids, count);
			return;
		}
	}
	if (g_ascii_isdigit(name[0])) {
		add_sensor_range(naming, name);
	} else {
		fail(naming, "The sensor name '%s' is not recognized", name);
	}
}

int repo_parse_list(const struct site *site, enum repo_list kind, const char *intro,
		    const char *text, int **ids, size_t *count, struct err *err)
{
	static const listfile_fn add_names[] = {
		[REPO_LIST_FLOWTYPES] = add_flowtype,
		[REPO_LIST_SENSORS] = add_sensor,
	};
	struct naming naming;
	int status;

	naming_init(&naming, site);
	status = walk_names(&naming, intro, text, add_names[kind], err);
	if (status == ST_OK) {
		*count = naming.ids->len;
		*ids = (int *)(void *)g_array_free(naming.ids, FALSE);
		naming.ids = g_array_new(FALSE, FALSE, sizeof(int));
	}
	naming_release(&naming);
	return status;
}

/* --- pairs --- */

static void add_pair(GArray *pairs, int flowtype, int sensor)
{
	struct repo_pair pair = { (uint8_t)flowtype, (uint16_t)sensor };

	g_array_append_val(pairs, pair);
}

/* Every sensor of the class, or those of the list that are in it. */
static int pair_flowtype(GArray *pairs, const struct site *site, int flowtype,
			 const struct naming *sensors, struct err *err)
{
	int class_id = site_flowtype_class(site, flowtype);
	guint before = pairs->len;

	if (!sensors) {
		for (int id = 0; id <= site_sensor_max(site); id++) {
			if (site_sensor_in_class(site, id, class_id)) {
				add_pair(pairs, flowtype, id);
			}
		}
		return ST_OK;
	}
	for (guint i = 0; i < sensors->ids->len; i++) {
		int id = g_array_index(sensors->ids, int, i);

		if (site_sensor_in_class(site, id, class_id)) {
			add_pair(pairs, flowtype, id);
		}
	}
	return pairs->len > before
		       ? ST_OK
		       : err_set(err, ST_EINVAL,
				 "No corresponding sensors given for class/type pair '%s/%s'",
				 site_class_name(site, class_id),
				 site_flowtype_type(site, flowtype));
}

/* Sensors that no flowtype uses are worth a word each. */
static char *unused_sensors(const struct naming *flowtypes, const struct naming *sensors)
{
	const struct site *site = flowtypes->site;
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < sensors->ids->len; i++) {
		int sensor = g_array_index(sensors->ids, int, i);
		bool used = false;

		for (guint j = 0; j < flowtypes->ids->len && !used; j++) {
			int flowtype = g_array_index(flowtypes->ids, int, j);

			used = site_sensor_in_class(site, sensor,
						    site_flowtype_class(site, flowtype));
		}
		if (!used) {
			g_string_append_printf(
				text,
				"Ignoring sensor %s (ID=%d) that is not used by specified "
				"flowtype%s\n",
				site_sensor_name(site, sensor), sensor,
				flowtypes->ids->len == 1 ? "" : "s");
		}
	}
	return g_string_free(text, text->len == 0);
}

static int choose_pairs(const struct site *site, const struct repo_switches *switches,
			struct repo_select *out, struct err *err)
{
	GArray *pairs = g_array_new(FALSE, FALSE, sizeof(struct repo_pair));
	struct naming flowtypes;
	struct naming sensors;
	int status;

	naming_init(&flowtypes, site);
	naming_init(&sensors, site);
	status = choose_flowtypes(&flowtypes, switches, err);
	if (status == ST_OK && switches->sensors) {
		status = parse_names(&sensors, "sensors", switches->sensors, add_sensor, err);
	}
	if (status == ST_OK && switches->sensors) {
		out->warnings = unused_sensors(&flowtypes, &sensors);
	}
	for (guint i = 0; status == ST_OK && i < flowtypes.ids->len; i++) {
		status = pair_flowtype(pairs, site, g_array_index(flowtypes.ids, int, i),
				       switches->sensors ? &sensors : NULL, err);
	}
	naming_release(&flowtypes);
	naming_release(&sensors);
	out->pair_count = pairs->len;
	out->pairs = (struct repo_pair *)(void *)g_array_free(pairs, FALSE);
	return status;
}

/* --- dates --- */

struct date {
	int64_t ns;
	bool is_day;   /* the day was given, not the hour */
	bool is_epoch; /* as seconds since the epoch */
};

static int parse_date(const char *what, const char *text, struct date *out, struct err *err)
{
	enum timestamp_precision precision;
	int status = timestamp_parse(text, false, &out->ns, &precision, err);

	if (status != ST_OK) {
		return err_prefix(err, "Invalid %s '%s'", what, text);
	}
	out->is_day = precision == TIMESTAMP_TO_DAY;
	out->is_epoch = precision == TIMESTAMP_TO_EPOCH;
	return ST_OK;
}

/* The hours between two dates, whose precision says what was meant (rwfglob's manual page). */
static void span_dates(struct date start, struct date end, struct repo_select *out)
{
	const int64_t day_ns = 24 * NS_PER_HOUR;
	bool by_day = start.is_day;

	if (end.is_epoch) {
		by_day = false;
	} else if (start.is_epoch) {
		by_day = start.ns % day_ns == 0;
	}
	if (by_day) {
		out->first_hour_ns = timestamp_floor(start.ns, day_ns);
		out->last_hour_ns = timestamp_floor(end.ns, day_ns) + 23 * NS_PER_HOUR;
		return;
	}
	out->first_hour_ns = timestamp_floor(start.ns, NS_PER_HOUR);
	out->last_hour_ns = timestamp_floor(end.ns, NS_PER_HOUR);
	if (end.is_day) {
		out->last_hour_ns +=
			out->first_hour_ns - timestamp_floor(out->first_hour_ns, day_ns);
	}
}

int repo_select_hours(const struct repo_switches *switches, struct repo_select *out,
		      struct err *err)
{
	struct date start;
	struct date end;
	int status;

	if (switches->end_date && !switches->start_date) {
		return err_set(err, ST_EINVAL, "Cannot use --end-date without --start-date");
	}
	if (!switches->start_date) {
		/* today, as far as it has come */
		out->first_hour_ns = timestamp_floor(switches->now_ns, 24 * NS_PER_HOUR);
		out->last_hour_ns = timestamp_floor(switches->now_ns, NS_PER_HOUR);
		return ST_OK;
	}
	status = parse_date("start-date", switches->start_date, &start, err);
	end = start;
	if (status == ST_OK && switches->end_date) {
		status = parse_date("end-date", switches->end_date, &end, err);
	}
	if (status != ST_OK) {
		return status;
	}
	span_dates(start, end, out);
	if (out->last_hour_ns < out->first_hour_ns) {
		return err_set(err, ST_EINVAL, "end-date of %s is earlier than start-date of %s",
			       switches->end_date, switches->start_date);
	}
	return ST_OK;
}

int repo_select_switches(const struct site *site, const struct repo_switches *switches,
			 struct repo_select *out, struct err *err)
{
	int status;

	*out = (struct repo_select){ 0 };
	status = repo_select_hours(switches, out, err);
	if (status == ST_OK) {
		status = choose_pairs(site, switches, out, err);
	}
	return status;
}

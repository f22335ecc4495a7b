/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsiteinfo: print classes, types, sensors and groups of the site. */
#include "query/tool.h"

#include "common/listfile.h"
#include "common/namelist.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/format.h"
#include "query/iftable.h"
#include "query/losses.h"
#include "query/repofiles.h"
#include "query/siterows.h"
#include "storage/repo.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOWTYPE_COUNT 255
#define SENSOR_COUNT   65535
#define FIELDS_MAX     32

struct siteinfo_opts {
	bool help_fields;
	char *fields;
	char *classes;
	char *types;
	char *flowtypes;
	char *sensors;
	char *groups;
	char *list_delimiter;
	char *interface_counters;
	struct format_opts format;
	struct text_opts text;
	struct output_opts output;
	struct site_opts site;
};

static const struct opt siteinfo_opt_table[] = {
	OPT_FLAG(struct siteinfo_opts, help_fields, "help-fields", 0,
		 "describe each field and exit"),
	OPT_STR(struct siteinfo_opts, fields, "fields", 0, "LIST", "columns to print, in order",
		.flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, classes, "classes", 0, "LIST",
		"only these classes; @ is the default class", .flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, types, "types", 0, "LIST",
		"only these types; all are all, @ the default types", .flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, flowtypes, "flowtypes", 0, "LIST",
		"only these pairs of CLASS/TYPE; either may be \"all\"", .flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, sensors, "sensors", 0, "LIST",
		"only these sensors: names, ids, ranges of ids, groups", .flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, groups, "groups", 0, "LIST", "only these groups",
		.flags = OPT_ONCE),
	OPT_STR(struct siteinfo_opts, list_delimiter, "list-delimiter", 0, "CHAR",
		"put this between the values of a list", .default_text = ","),
	OPT_STR(struct siteinfo_opts, interface_counters, "interface-counters", 0, "DATE[-DATE]",
		"print the counters of routers' interfaces in these hours instead",
		.flags = OPT_ONCE | OPT_ADDED),
	OPT_GROUP(struct siteinfo_opts, format, format_times_opt_table),
	OPT_GROUP(struct siteinfo_opts, text, text_opt_table),
	OPT_GROUP(struct siteinfo_opts, output, output_opt_table),
	OPT_CALL(struct siteinfo_opts, site.rootdir, "data-rootdir", 0, "DIRECTORY",
		 tool_parse_rootdir, OPT_OWN_ERROR,
		 "top of the repository, where the site file is looked for"),
	OPT_GROUP(struct siteinfo_opts, site, site_opt_table),
	OPT_END,
};

/* --- fields --- */

#define NO_DIMENSION SITE_DIMENSIONS

struct render;

struct site_field {
	const char *name;
	const char *title;
	const char *help;
	enum site_dimension dimension; /* of the rows, or of the list */
	bool is_list;
	bool number;
	/* The value of one id, or of the row as a whole; appends to the cell. */
	void (*cell)(const struct render *render, int id, GString *out);
};

/* What a sensor is known to be short of, over all hours of the repository. */
struct sensor_loss {
	uint64_t total;
	uint64_t hours;
};

struct render {
	const struct site *site;
	const struct siterow *row;
	bool columns;                     /* marks keep their places */
	const struct sensor_loss *losses; /* of each sensor by id, and of all behind the last */
	const struct repofiles *files;
	unsigned timestamp_format;
};

static void cell_class(const struct render *render, int id, GString *out)
{
	g_string_append(out, site_class_name(render->site, id));
}

static void cell_type(const struct render *render, int id, GString *out)
{
	g_string_append(out, site_flowtype_type(render->site, id));
}

static void cell_flowtype(const struct render *render, int id, GString *out)
{
	g_string_append(out, site_flowtype_name(render->site, id));
}

static void cell_id(const struct render *render, int id, GString *out)
{
	g_string_append_printf(out, "%d", id);
}

static void cell_sensor(const struct render *render, int id, GString *out)
{
	g_string_append(out, site_sensor_name(render->site, id));
}

static void cell_description(const struct render *render, int id, GString *out)
{
	const char *text = site_sensor_description(render->site, id);

	g_string_append(out, text ? text : "");
}

static void cell_group(const struct render *render, int id, GString *out)
{
	g_string_append(out, site_group_name(render->site, (size_t)id));
}

static int class_of_row(const struct render *render)
{
	int flowtype = render->row->id[SITE_TYPE];

	return flowtype >= 0 ? site_flowtype_class(render->site, flowtype)
			     : render->row->id[SITE_CLASS];
}

static void cell_default_class(const struct render *render, int id, GString *out)
{
	if (id >= 0 && id == site_default_class(render->site)) {
		cell_class(render, id, out);
	}
}

static void cell_default_type(const struct render *render, int id, GString *out)
{
	if (site_flowtype_is_default(render->site, id)) {
		cell_type(render, id, out);
	}
}

/* + for the default class, * for a default type; blanks when the row is about neither. */
static void cell_mark(const struct render *render, int id, GString *out)
{
	int class_id = class_of_row(render);
	int flowtype = render->row->id[SITE_TYPE];
	const char *gap = render->columns ? " " : "";

	if (class_id < 0) {
		g_string_append(out, "  ");
		return;
	}
	g_string_append(out, class_id == site_default_class(render->site) ? "+" : gap);
	g_string_append(out, site_flowtype_is_default(render->site, flowtype) ? "*" : gap);
}

/* Of the row's sensor; of all sensors when the row is about none. */
static const struct sensor_loss *loss_of_row(const struct render *render)
{
	int sensor = render->row->id[SITE_SENSOR];

	return &render->losses[sensor >= 0 ? sensor : site_sensor_max(render->site) + 1];
}

static void cell_loss(const struct render *render, int id, GString *out)
{
	g_string_append_printf(out, "%" PRIu64, loss_of_row(render)->total);
}

static void cell_loss_hours(const struct render *render, int id, GString *out)
{
	g_string_append_printf(out, "%" PRIu64, loss_of_row(render)->hours);
}

/* SiLK does not look at the group of the row. */
static struct repofiles_sum files_of_row(const struct render *render)
{
	return repofiles_sum(render->files, render->row->id[SITE_CLASS], render->row->id[SITE_TYPE],
			     render->row->id[SITE_SENSOR]);
}

static void add_hour(const struct render *render, bool any, int64_t hour_ns, GString *out)
{
	char text[VALUE_TEXT_MAX];

	if (any) {
		g_string_append_len(
			out, text,
			(gssize)timestamp_print(text, hour_ns,
						render->timestamp_format | TIMESTAMP_NO_MSEC));
	}
}

static void cell_first_hour(const struct render *render, int id, GString *out)
{
	struct repofiles_sum sum = files_of_row(render);

	add_hour(render, sum.count > 0, sum.first_ns, out);
}

static void cell_last_hour(const struct render *render, int id, GString *out)
{
	struct repofiles_sum sum = files_of_row(render);

	add_hour(render, sum.count > 0, sum.last_ns, out);
}

static void cell_file_count(const struct render *render, int id, GString *out)
{
	g_string_append_printf(out, "%" PRIu64, files_of_row(render).count);
}

static const struct site_field site_fields[] = {
	{ "class", "Class", "class name", SITE_CLASS, false, false, cell_class },
	{ "type", "Type", "type name", SITE_TYPE, false, false, cell_type },
	{ "flowtype", "Flowtype", "flowtype name", SITE_TYPE, false, false, cell_flowtype },
	{ "id-flowtype", "Flowtype-ID", "number of the flowtype", SITE_TYPE, false, true, cell_id },
	{ "sensor", "Sensor", "sensor name", SITE_SENSOR, false, false, cell_sensor },
	{ "id-sensor", "Sensor-ID", "number of the sensor", SITE_SENSOR, false, true, cell_id },
	{ "describe-sensor", "Sensor-Description", "description of the sensor", SITE_SENSOR, false,
	  false, cell_description },
	{ "group", "Group", "name of a group of sensors", SITE_GROUP, false, false, cell_group },
	{ "default-class", "Default-Class", "name of the default class", SITE_DEFAULT_CLASS, false,
	  false, cell_default_class },
	{ "default-type", "Default-Type", "name of a default type", SITE_DEFAULT_TYPE, false, false,
	  cell_default_type },
	{ "mark-defaults", "Defaults", "'+' for the default class, '*' for a default type",
	  NO_DIMENSION, false, false, cell_mark },
	{ "repo-start-date", "Start-Date", "earliest hour of the repository with a file of the row",
	  NO_DIMENSION, false, false, cell_first_hour },
	{ "repo-end-date", "End-Date", "latest hour of the repository with a file of the row",
	  NO_DIMENSION, false, false, cell_last_hour },
	{ "repo-file-count", "File-Count", "files of the row in the repository", NO_DIMENSION,
	  false, true, cell_file_count },
	{ "loss", "Loss", "records and datagrams known to be missing from the sensor's files",
	  NO_DIMENSION, false, true, cell_loss },
	{ "loss-hours", "Loss-Hours", "hours of the sensor in which something is missing",
	  NO_DIMENSION, false, true, cell_loss_hours },
	{ "class:list", "Class:list", "all class names in one cell", SITE_CLASS, true, false,
	  cell_class },
	{ "type:list", "Type:list", "all type names in one cell", SITE_TYPE, true, false,
	  cell_type },
	{ "flowtype:list", "Flowtype:list", "all flowtype names in one cell", SITE_TYPE, true,
	  false, cell_flowtype },
	{ "id-flowtype:list", "Flowtype-ID:list", "all numbers of flowtypes in one cell", SITE_TYPE,
	  true, false, cell_id },
	{ "sensor:list", "Sensor:list", "all sensor names in one cell", SITE_SENSOR, true, false,
	  cell_sensor },
	{ "id-sensor:list", "Sensor-ID:list", "all numbers of sensors in one cell", SITE_SENSOR,
	  true, false, cell_id },
	{ "group:list", "Group:list", "all names of groups in one cell", SITE_GROUP, true, false,
	  cell_group },
	{ "default-class:list", "Default-Class:list", "name of the default class",
	  SITE_DEFAULT_CLASS, true, false, cell_default_class },
	{ "default-type:list", "Default-Type:list", "names of the default types of a class",
	  SITE_DEFAULT_TYPE, true, false, cell_default_type },
};

static void print_help_fields(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(site_fields); i++) {
		printf("%-19s %s\n", site_fields[i].name, site_fields[i].help);
	}
}

/* --- the job --- */

struct job {
	const struct siteinfo_opts *opts;
	struct siterows rows;
	enum site_dimension order[FIELDS_MAX];
	const struct site_field *fields[FIELDS_MAX];
	size_t field_count;
	char list_delimiter;
	bool columns;
	GPtrArray *cells; /* char *, row after row */
	int width[FIELDS_MAX];
	bool *classes; /* of the filter; NULL: all */
	bool *flowtypes;
	bool *sensors;
	bool *groups;
	struct sensor_loss *losses;
	struct repofiles *files; /* NULL: no field wants them */
	unsigned timestamp_format;
};

static int add_field(void *arg, unsigned index, struct err *err)
{
	struct job *job = arg;
	const struct site_field *field = &site_fields[index];

	job->fields[job->field_count] = field;
	job->width[job->field_count] = job->opts->text.no_titles ? 0 : (int)strlen(field->title);
	job->field_count++;
	if (field->is_list ? field->dimension == SITE_DEFAULT_TYPE
			   : field->dimension != NO_DIMENSION) {
		/* a list of default types is one of a class */
		job->order[job->rows.order_count++] =
			field->is_list ? SITE_CLASS : field->dimension;
	}
	return ST_OK;
}

static void parse_fields(struct job *job)
{
	const char *names[G_N_ELEMENTS(site_fields) + 1] = { NULL };
	struct err err;

	_Static_assert(G_N_ELEMENTS(site_fields) <= FIELDS_MAX, "every field fits once");
	for (size_t i = 0; i < G_N_ELEMENTS(site_fields); i++) {
		names[i] = site_fields[i].name;
	}
	if (!job->opts->fields) {
		tool_die("The --fields switch is required");
	}
	if (namelist_each(job->opts->fields, names, add_field, job, &err) != ST_OK) {
		tool_die("Invalid fields: %s", err.text);
	}
	if (!job->field_count) {
		tool_die("Invalid fields: No fields given");
	}
	job->rows.order = job->order;
}

/* --- filters --- */

struct filtering {
	struct job *job;
	GString *errors;
	unsigned count;
	unsigned names;
};

static void add_error(void *arg, const char *text)
{
	struct filtering *filtering = arg;

	if (filtering->count++) {
		g_string_append_c(filtering->errors, '\n');
	}
	g_string_append(filtering->errors, text);
}

/* kind: "class" and so on; more: what follows the sentence. */
static void unknown_name(struct filtering *filtering, const char *kind, const char *name,
			 const char *more)
{
	char *text = g_strdup_printf("The %s name '%s' is not recognized%s", kind, name, more);

	add_error(filtering, text);
	g_free(text);
}

static void filter_class(void *arg, const char *name)
{
	struct filtering *filtering = arg;
	const struct site *site = filtering->job->rows.site;
	int id = strcmp(name, "@") == 0 ? site_default_class(site) : site_class_id(site, name);

	filtering->names++;
	if (id < 0) {
		unknown_name(filtering, "class", name, "");
	} else {
		filtering->job->classes[id] = true;
	}
}

static void filter_type(void *arg, const char *name)
{
	struct filtering *filtering = arg;
	const struct job *job = filtering->job;
	const struct site *site = job->rows.site;
	bool all = strcmp(name, "all") == 0;
	bool defaults = strcmp(name, "@") == 0;
	bool found = defaults || all;

	filtering->names++;
	for (int id = 0; id <= site_flowtype_max(site); id++) {
		const char *type = site_flowtype_type(site, id);

		if (!type || (job->classes && !job->classes[site_flowtype_class(site, id)])) {
			continue;
		}
		if (defaults ? site_flowtype_is_default(site, id)
			     : all || strcmp(type, name) == 0) {
			job->flowtypes[id] = true;
			found = true;
		}
	}
	if (!found) {
		unknown_name(filtering, "type", name, " in the specified class(es)");
	}
}

static void filter_group(void *arg, const char *name)
{
	struct filtering *filtering = arg;
	const struct site *site = filtering->job->rows.site;

	filtering->names++;
	for (size_t g = 0; g < site_group_count(site); g++) {
		if (strcmp(site_group_name(site, g), name) == 0) {
			filtering->job->groups[g] = true;
			return;
		}
	}
	unknown_name(filtering, "sensor-group", name, "");
}

/* One message a line, each with the name of the tool in front. */
static _Noreturn void die_lines(char *text)
{
	char **lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		tool_warn("%s", *line);
	}
	g_strfreev(lines);
	exit(TOOL_EXIT_ERROR);
}

static void filter_names(struct job *job, const char *what, const char *one, const char *text,
			 listfile_fn add_name)
{
	struct filtering filtering = { .job = job, .errors = g_string_new(NULL) };

	listfile_each(text, add_name, add_error, &filtering);
	if (filtering.count) {
		die_lines(g_strdup_printf("Error parsing %s '%s': %s%s", what, text,
					  filtering.count > 1 ? "Found multiple errors:\n" : "",
					  filtering.errors->str));
	}
	if (!filtering.names) {
		tool_die("Invalid %s '%s': No valid %s names found", what, text, one);
	}
	g_string_free(filtering.errors, TRUE);
}

static bool *filter_ids(struct job *job, enum repo_list kind, const char *what, const char *one,
			const char *text, size_t room)
{
	char *intro = g_strconcat("Error parsing ", what, NULL);
	bool *list = g_new0(bool, room);
	struct err err;
	int *ids = NULL;
	size_t count = 0;

	if (repo_parse_list(job->rows.site, kind, intro, text, &ids, &count, &err) != ST_OK) {
		die_lines(err.text);
	}
	if (!count) {
		tool_die("Invalid %s '%s': No valid %s names found", what, text, one);
	}
	for (size_t i = 0; i < count; i++) {
		list[ids[i]] = true;
	}
	g_free(ids);
	g_free(intro);
	return list;
}

static void parse_filters(struct job *job)
{
	const struct siteinfo_opts *opts = job->opts;

	if (opts->flowtypes && (opts->classes || opts->types)) {
		tool_die("Cannot use --flowtypes when either --classes or --types is specified");
	}
	if (opts->classes) {
		job->classes = g_new0(bool, (size_t)site_class_count(job->rows.site) + 1);
		filter_names(job, "classes", "class", opts->classes, filter_class);
	}
	if (opts->types) {
		job->flowtypes = g_new0(bool, FLOWTYPE_COUNT);
		filter_names(job, "types", "type", opts->types, filter_type);
	}
	if (opts->flowtypes) {
		job->flowtypes = filter_ids(job, REPO_LIST_FLOWTYPES, "flowtypes", "flowtype",
					    opts->flowtypes, FLOWTYPE_COUNT);
	}
	if (opts->sensors) {
		job->sensors = filter_ids(job, REPO_LIST_SENSORS, "sensors", "sensor",
					  opts->sensors, SENSOR_COUNT);
	}
	if (opts->groups) {
		job->groups = g_new0(bool, site_group_count(job->rows.site) + 1);
		filter_names(job, "groups", "group", opts->groups, filter_group);
	}
	job->rows.filter =
		(struct sitefilter){ job->classes, job->flowtypes, job->sensors, job->groups };
}

/* --- losses --- */

static void add_loss(void *arg, int64_t hour_ns, const char *sensor, const struct loss *loss)
{
	struct job *job = arg;
	int id = site_sensor_id(job->rows.site, sensor);
	struct sensor_loss *all = &job->losses[site_sensor_max(job->rows.site) + 1];

	all->total += loss_total(loss);
	all->hours++;
	if (id >= 0) {
		job->losses[id].total += loss_total(loss);
		job->losses[id].hours++;
	}
}

/* Only when a field wants them: the files of years are read. */
static void find_losses(struct job *job, const char *root)
{
	bool wanted = false;
	struct losses *losses;
	struct err err;

	for (size_t i = 0; i < job->field_count; i++) {
		wanted |= job->fields[i]->cell == cell_loss ||
			  job->fields[i]->cell == cell_loss_hours;
	}
	if (!wanted) {
		return;
	}
	job->losses = g_new0(struct sensor_loss, (size_t)site_sensor_max(job->rows.site) + 2);
	losses = losses_new();
	if (losses_read_all(losses, root, &err) != ST_OK) {
		tool_die_err(&err);
	}
	losses_each(losses, add_loss, job);
	losses_free(losses);
}

/* --- rows --- */

struct listing {
	const struct job *job;
	const struct site_field *field;
	const struct render *render;
	GString *out;
};

static void add_to_list(void *arg, int id)
{
	struct listing *listing = arg;
	size_t before = listing->out->len;

	if (before) {
		g_string_append_c(listing->out, listing->job->list_delimiter);
	}
	listing->field->cell(listing->render, id, listing->out);
	if (before && listing->out->len == before + 1) {
		g_string_truncate(listing->out, before); /* nothing to say about this one */
	}
}

static int id_of(const struct render *render, const struct site_field *field)
{
	switch (field->dimension) {
	case SITE_DEFAULT_CLASS:
	case SITE_CLASS:
		return class_of_row(render);
	case SITE_DEFAULT_TYPE:
		return render->row->id[SITE_TYPE];
	default:
		return render->row->id[field->dimension];
	}
}

static char *make_cell(const struct job *job, const struct site_field *field,
		       const struct render *render)
{
	GString *out = g_string_new(NULL);

	if (field->is_list && field->dimension == SITE_DEFAULT_CLASS) {
		/* there is one, whatever the row is about */
		field->cell(render, site_default_class(job->rows.site), out);
	} else if (field->is_list) {
		struct listing listing = { job, field, render, out };
		enum site_dimension dimension =
			field->dimension == SITE_DEFAULT_CLASS ? SITE_CLASS : field->dimension;

		siterows_list(&job->rows, dimension, render->row, add_to_list, &listing);
	} else if (field->dimension == NO_DIMENSION) {
		field->cell(render, SITE_FREE, out);
	} else if (id_of(render, field) >= 0) {
		field->cell(render, id_of(render, field), out);
	}
	return g_string_free(out, FALSE);
}

static void collect_row(void *arg, const struct siterow *row)
{
	struct job *job = arg;
	const struct render render = { job->rows.site, row,        job->columns,
				       job->losses,    job->files, job->timestamp_format };

	for (size_t i = 0; i < job->field_count; i++) {
		char *cell = make_cell(job, job->fields[i], &render);

		job->width[i] = MAX(job->width[i], (int)strlen(cell));
		g_ptr_array_add(job->cells, cell);
	}
}

/* Columns are as wide as their widest cell, so all rows are made first. */
static void print_rows(const struct job *job, struct text *text)
{
	for (size_t i = 0; i < job->field_count; i++) {
		text_add_column(text, job->fields[i]->title, job->width[i], job->fields[i]->number);
	}
	text_titles(text);
	for (guint i = 0; i < job->cells->len; i++) {
		text_cell_string(text, g_ptr_array_index(job->cells, i));
		if ((i + 1) % job->field_count == 0) {
			text_row_done(text);
		}
	}
}

static bool wants(const struct job *job, const struct site_field *field)
{
	for (size_t i = 0; i < job->field_count; i++) {
		if (job->fields[i] == field) {
			return true;
		}
	}
	return false;
}

/* Only when a field wants them: all folders are looked through. */
static void find_files(struct job *job, const char *root)
{
	bool wanted = false;
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(site_fields); i++) {
		wanted |= (site_fields[i].cell == cell_first_hour ||
			   site_fields[i].cell == cell_last_hour ||
			   site_fields[i].cell == cell_file_count) &&
			  wants(job, &site_fields[i]);
	}
	if (wanted && repofiles_new(&job->files, job->rows.site, root, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* Marks alone are about nothing. */
static bool has_rows(const struct job *job)
{
	return job->field_count > 1 || job->fields[0]->cell != cell_mark;
}

/* A date alone means all its hours. */
static void parse_hours(const char *text, int64_t *first_ns, int64_t *last_ns)
{
	enum timestamp_precision precision;
	struct err err;
	int st = strchr(text, '-') ? timestamp_parse_range(text, false, first_ns, last_ns, &err)
				   : timestamp_parse(text, false, first_ns, &precision, &err);

	if (st != ST_OK) {
		tool_die("Invalid interface-counters '%s': %s", text, err.text);
	}
	if (!strchr(text, '-')) {
		*last_ns = timestamp_ceiling(*first_ns, precision);
	}
}

static int print_interfaces(struct tool_env *env, const struct siteinfo_opts *opts)
{
	struct text_style style;
	int64_t first_ns, last_ns;
	struct text *text;
	struct err err;
	int st;

	parse_hours(opts->interface_counters, &first_ns, &last_ns);
	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	text = text_new(tool_output(env, &opts->output), &style);
	st = iftable_print(tool_rootdir(env, &opts->site), first_ns, last_ns, text, &err);
	if (st == ST_OK) {
		tool_close_text(text);
	} else {
		tool_warn_err(&err);
	}
	return st == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

static int siteinfo_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct siteinfo_opts *opts = base;
	struct job *job = g_new0(struct job, 1);
	struct text_style style;
	struct text *text;
	struct err err;

	if (opts->help_fields) {
		print_help_fields();
		return TOOL_EXIT_OK;
	}
	if (argc) {
		tool_usage("Too many arguments or unrecognized switch '%s'", argv[0]);
	}
	if (opts->interface_counters) {
		g_free(job);
		return print_interfaces(env, opts);
	}
	job->opts = opts;
	job->list_delimiter =
		opts->list_delimiter && *opts->list_delimiter ? *opts->list_delimiter : ',';
	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	job->columns = style.form == TEXT_COLUMNS;
	parse_fields(job);
	job->rows.site = tool_site(env, &opts->site, true);
	parse_filters(job);
	find_losses(job, tool_rootdir(env, &opts->site));
	find_files(job, tool_rootdir(env, &opts->site));
	job->timestamp_format = format_timestamp(&opts->format, &style);
	job->cells = g_ptr_array_new_with_free_func(g_free);
	if (has_rows(job)) {
		siterows_each(&job->rows, collect_row, job);
	}
	text = text_new(tool_output(env, &opts->output), &style);
	print_rows(job, text);
	tool_close_text(text);
	g_ptr_array_free(job->cells, TRUE);
	g_free(job->classes);
	g_free(job->flowtypes);
	g_free(job->sensors);
	g_free(job->groups);
	g_free(job->losses);
	repofiles_free(job->files);
	g_free(job);
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwsiteinfo",
	.summary = "Print classes, types, sensors and groups of the site",
	.usage = "--fields=LIST [SWITCHES]",
	.opts = siteinfo_opt_table,
	.opts_size = sizeof(struct siteinfo_opts),
	.run = siteinfo_run,
};

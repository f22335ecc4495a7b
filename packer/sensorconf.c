/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sensorconf.h"

#include <glib.h>
#include <string.h>

struct sensorconf {
	enum packlogic logic;
	GPtrArray *probes;  /* of struct probe * */
	GPtrArray *sensors; /* of struct sensor * */
};

enum block_kind { BLOCK_NONE, BLOCK_PROBE, BLOCK_GROUP, BLOCK_SENSOR, BLOCK_KINDS };

/* The state of reading one configuration. */
struct confparse {
	struct sensorconf *conf;
	const struct site *site;
	struct confreport *report;
	struct confreader *reader;
	GHashTable *groups;
	bool probes_only; /* sensor blocks are passed over, probes must listen */
	enum block_kind block;
	char *name; /* of the block */
	struct probe *probe;
	struct sensor *sensor;
	struct network_list *group;
};

static void sensorconf_probe_free(void *pointer)
{
	probe_free(pointer);
}

static void sensorconf_sensor_free(void *pointer)
{
	sensor_free(pointer);
}

static void sensorconf_list_free(void *pointer)
{
	network_list_free(pointer);
}

void sensorconf_free(struct sensorconf *conf)
{
	if (conf) {
		g_ptr_array_free(conf->probes, TRUE);
		g_ptr_array_free(conf->sensors, TRUE);
		g_free(conf);
	}
}

/* ---- beginning a block: words[0] is its keyword ---- */

static void confparse_begin(struct confparse *parse, enum block_kind block, const char *name)
{
	parse->block = block;
	parse->name = g_strdup(name);
	parse->report->block = 0;
}

static void confparse_probe(struct confparse *parse, const struct confline *line)
{
	const char *name = line->count > 1 ? line->words[1].text : "<NONAME>";
	int type = line->count > 2 ? probe_type_parse(line->words[2].text) : -1;

	confparse_begin(parse, BLOCK_PROBE, name);
	if (line->count != 3) {
		confreport_at(parse->report, line, "probe requires a name and a type");
	} else if (sensorconf_probe(parse->conf, name)) {
		confreport_at(parse->report, line, "A probe named '%s' already exists", name);
	} else if (!probe_name_ok(name)) {
		confreport_at(parse->report, line, "Error setting probe name to %s", name);
	} else if (type < 0) {
		confreport_at(parse->report, line, "Do not recognize probe type '%s'",
			      line->words[2].text);
	}
	parse->probe = probe_new(name, (enum probe_type)MAX(type, 0));
}

static void confparse_group(struct confparse *parse, const struct confline *line)
{
	const char *name = line->count > 1 ? line->words[1].text : "<ERROR>";

	confparse_begin(parse, BLOCK_GROUP, name);
	if (line->count != 2) {
		confreport_at(parse->report, line, "group requires a group name");
	} else if (g_hash_table_contains(parse->groups, name)) {
		confreport_at(parse->report, line, "A group named '%s' already exists", name);
	} else if (!probe_name_ok(name)) {
		confreport_at(parse->report, line, "Error setting group name to %s", name);
	}
}

static void confparse_sensor(struct confparse *parse, const struct confline *line)
{
	const char *name = line->count > 1 ? line->words[1].text : "<ERROR>";
	int id;

	confparse_begin(parse, BLOCK_SENSOR, name);
	if (parse->probes_only) {
		return;
	}
	id = site_sensor_id(parse->site, name);
	if (line->count != 2) {
		confreport_at(parse->report, line, "sensor requires a sensor name");
	} else if (id < 0) {
		confreport_at(parse->report, line, "There is no known sensor named %s", name);
	}
	parse->sensor = sensor_new(name, (uint16_t)id);
}

static void confparse_include(struct confparse *parse, const struct confline *line)
{
	struct err err;

	if (line->count != 2 || line->stray_comma) {
		confreport_at(parse->report, line, "Misplaced or unrecognized keyword");
	} else if (!line->words[1].quoted) {
		confreport_at(parse->report, line,
			      "Argument to include must be in \"double quotes\"");
	} else if (confreader_include(parse->reader, line->words[1].text, &err) != ST_OK) {
		confreport_at(parse->report, line, "%s", err.text);
	}
}

/* ---- ending a block: complete and without errors it becomes part of the configuration ---- */

static void confparse_end_probe(struct confparse *parse, const struct confline *line)
{
	struct err err;
	int st = ST_OK;

	if (parse->report->block == 0) {
		st = probe_verify(parse->probe, parse->conf->probes, &err);
	}
	if (parse->report->block == 0 && st == ST_OK && parse->probes_only && !parse->probe->port) {
		confreport_error(parse->report,
				 "Error verifying probe '%s':\n\tReading flow data from files is "
				 "not supported in flowcap",
				 parse->name);
	} else if (st != ST_OK) {
		confreport_note(parse->report, "Error verifying probe '%s':\n\t%s", parse->name,
				err.text);
		confreport_at(parse->report, line, "Unable to verify probe '%s'", parse->name);
	}
	if (parse->report->block == 0) {
		parse->probe->number = (uint16_t)parse->conf->probes->len;
		g_ptr_array_add(parse->conf->probes, parse->probe);
		parse->probe = NULL;
	}
}

static void confparse_end_group(struct confparse *parse, const struct confline *line)
{
	(void)line;
	if (parse->report->block == 0) {
		if (parse->group) {
			network_list_finish(parse->group);
		}
		g_hash_table_insert(parse->groups, g_strdup(parse->name), parse->group);
		parse->group = NULL;
	}
}

static void confparse_end_sensor(struct confparse *parse, const struct confline *line)
{
	struct err err;

	if (parse->probes_only) {
		return;
	}
	if (parse->report->block == 0 &&
	    sensor_verify(parse->sensor, parse->conf->logic, &err) != ST_OK) {
		confreport_note(parse->report, "Cannot verify sensor '%s':\n\t%s", parse->name,
				err.text);
		confreport_at(parse->report, line, "Unable to verify sensor '%s'", parse->name);
	}
	if (parse->report->block == 0) {
		g_ptr_array_add(parse->conf->sensors, parse->sensor);
		parse->sensor = NULL;
	}
}

/* ---- statements inside blocks ---- */

static void confparse_in_probe(struct confparse *parse, const struct confline *line)
{
	probe_statement(parse->probe, line, parse->report);
}

static void confparse_in_group(struct confparse *parse, const struct confline *line)
{
	int kind = network_kind_parse(line->words[0].text);

	if (kind < 0) {
		confreport_at(parse->report, line, "Unrecognized keyword '%s'",
			      line->words[0].text);
	} else if (line->count < 2) {
		confreport_at(parse->report, line, "Missing arguments for %s statement",
			      line->words[0].text);
	} else if (parse->group && network_list_kind(parse->group) != (enum network_kind)kind) {
		confreport_at(parse->report, line,
			      "Cannot add %s to group because\n\tthe group already contains %s",
			      network_kind_names((enum network_kind)kind),
			      network_kind_contents(network_list_kind(parse->group)));
	} else if (line->stray_comma) {
		confreport_at(
			parse->report, line,
			"Error in group %s: Missing \"end group\" or invalid keyword or value",
			parse->name);
	} else {
		sensor_values(&parse->group, (enum network_kind)kind, line, 1, parse->groups,
			      parse->report);
	}
}

static void confparse_in_sensor(struct confparse *parse, const struct confline *line)
{
	const struct sensor_scope scope = {
		.probes = parse->conf->probes,
		.groups = parse->groups,
	};

	if (parse->probes_only) {
		return;
	}
	sensor_statement(parse->sensor, line, &scope, parse->report);
}

static const struct block_row {
	const char *name;
	void (*begin)(struct confparse *, const struct confline *);
	void (*statement)(struct confparse *, const struct confline *);
	void (*end)(struct confparse *, const struct confline *);
} confparse_blocks[BLOCK_KINDS] = {
	[BLOCK_NONE] = { "include", confparse_include, NULL, NULL },
	[BLOCK_PROBE] = { "probe", confparse_probe, confparse_in_probe, confparse_end_probe },
	[BLOCK_GROUP] = { "group", confparse_group, confparse_in_group, confparse_end_group },
	[BLOCK_SENSOR] = { "sensor", confparse_sensor, confparse_in_sensor, confparse_end_sensor },
};

static void confparse_close(struct confparse *parse)
{
	if (parse->report->block > 0) {
		confreport_note(parse->report, "Encountered %u error%s while processing %s '%s'",
				parse->report->block, parse->report->block == 1 ? "" : "s",
				confparse_blocks[parse->block].name, parse->name);
	}
	probe_free(parse->probe);
	parse->probe = NULL;
	sensor_free(parse->sensor);
	parse->sensor = NULL;
	network_list_free(parse->group);
	parse->group = NULL;
	g_free(parse->name);
	parse->name = NULL;
	parse->block = BLOCK_NONE;
}

/* The lines that begin and end blocks are no lists. */
static bool confparse_has_comma(const struct confline *line)
{
	for (size_t i = 0; i < line->count; i++) {
		if (line->words[i].comma) {
			return true;
		}
	}
	return false;
}

static void confparse_end(struct confparse *parse, const struct confline *line)
{
	const char *open = confparse_blocks[parse->block].name;

	if (line->count != 2 || confparse_has_comma(line)) {
		confreport_at(parse->report, line, "Misplaced or unrecognized keyword");
	} else if (strcmp(line->words[1].text, open) != 0) {
		confreport_at(parse->report, line, "end %s used to close %s", line->words[1].text,
			      open);
	}
	confparse_blocks[parse->block].end(parse, line);
	confparse_close(parse);
}

static void confparse_line(struct confparse *parse, const struct confline *line)
{
	const char *keyword = line->words[0].text;

	if (parse->block != BLOCK_NONE) {
		if (strcmp(keyword, "end") == 0 && !line->words[0].quoted) {
			confparse_end(parse, line);
		} else {
			confparse_blocks[parse->block].statement(parse, line);
		}
		return;
	}
	for (size_t i = 0; i < BLOCK_KINDS; i++) {
		if (strcmp(keyword, confparse_blocks[i].name) == 0 && !line->words[0].quoted) {
			confparse_blocks[i].begin(parse, line);
			if (i != BLOCK_NONE && confparse_has_comma(line)) {
				confreport_at(parse->report, line,
					      "Misplaced or unrecognized keyword");
			}
			return;
		}
	}
	confreport_at(parse->report, line, "Unrecognized keyword '%s'", keyword);
}

static void confparse_run(struct confparse *parse)
{
	struct confline line;
	struct err err;
	int st;

	while ((st = confreader_next(parse->reader, &line, &err)) != ST_END) {
		if (st == ST_OK) {
			confparse_line(parse, &line);
		} else {
			confreport_at(parse->report, &line, "%s", err.text);
		}
	}
	if (parse->block != BLOCK_NONE) {
		confreport_error(parse->report, "Missing \"end %s\" statement",
				 confparse_blocks[parse->block].name);
		confparse_close(parse);
	}
}

/* Only NetFlow v5 knows nothing that the short formats cannot hold; and they name one sensor. */
static bool probe_is_short(const struct probe *probe)
{
	return probe->type == PROBE_NETFLOW_V5 && probe->sensors->len == 1 &&
	       !(probe->quirks & PROBE_QUIRK_ZERO_PACKETS);
}

/* Probes of one sensor write to the same files: none may be short where another is not. */
static void sensorconf_choose_formats(struct sensorconf *conf)
{
	bool *long_needed = g_new0(bool, UINT16_MAX + 1); /* by sensor */

	for (guint p = 0; p < conf->probes->len; p++) {
		struct probe *probe = g_ptr_array_index(conf->probes, p);

		probe->short_formats = probe_is_short(probe);
		for (guint s = 0; !probe->short_formats && s < probe->sensors->len; s++) {
			const struct sensor *sensor = g_ptr_array_index(probe->sensors, s);

			long_needed[sensor->id] = true;
		}
	}
	for (guint p = 0; p < conf->probes->len; p++) {
		struct probe *probe = g_ptr_array_index(conf->probes, p);

		if (probe->short_formats) {
			const struct sensor *sensor = g_ptr_array_index(probe->sensors, 0);

			probe->short_formats = !long_needed[sensor->id];
		}
	}
	g_free(long_needed);
}

/* A sensor may name a probe twice, and is fed by it once. */
static void probe_add_sensor(struct probe *probe, struct sensor *sensor)
{
	const guint count = probe->sensors->len;

	if (count == 0 || g_ptr_array_index(probe->sensors, count - 1) != sensor) {
		g_ptr_array_add(probe->sensors, sensor);
	}
}

/* Tell every probe which sensors it feeds, in file order, and how they are stored. */
static void sensorconf_connect(struct sensorconf *conf)
{
	for (guint p = 0; p < conf->probes->len; p++) {
		struct probe *probe = g_ptr_array_index(conf->probes, p);

		g_ptr_array_set_size(probe->sensors, 0);
	}
	for (guint s = 0; s < conf->sensors->len; s++) {
		struct sensor *sensor = g_ptr_array_index(conf->sensors, s);

		for (guint p = 0; p < sensor->probes->len; p++) {
			probe_add_sensor(g_ptr_array_index(sensor->probes, p), sensor);
		}
	}
	sensorconf_choose_formats(conf);
}

static struct sensorconf *sensorconf_new(enum packlogic logic)
{
	struct sensorconf *conf = g_new0(struct sensorconf, 1);

	conf->logic = logic;
	conf->probes = g_ptr_array_new_with_free_func(sensorconf_probe_free);
	conf->sensors = g_ptr_array_new_with_free_func(sensorconf_sensor_free);
	return conf;
}

/* Fill parse->conf. ST_EINVAL: there were errors. */
static int sensorconf_parse(struct confparse *parse, const char *path, struct err *err)
{
	int st = confreader_open(&parse->reader, path, err);

	if (st == ST_OK) {
		parse->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						      sensorconf_list_free);
		confparse_run(parse);
		g_hash_table_destroy(parse->groups);
	}
	confreader_free(parse->reader);
	if (st == ST_OK && parse->report->total > 0) {
		st = err_set(err, ST_EINVAL, "Errors while parsing sensor-configuration file '%s'",
			     path);
	}
	return st;
}

int sensorconf_load(struct sensorconf **out, const char *path, const struct site *site,
		    enum packlogic logic, confreport_fn fn, void *arg, struct err *err)
{
	struct confreport report = { .fn = fn, .arg = arg };
	struct confparse parse = { .site = site, .report = &report };
	int st;

	parse.conf = sensorconf_new(logic);
	st = sensorconf_parse(&parse, path, err);
	if (st == ST_OK && parse.conf->sensors->len == 0) {
		st = err_set(err, ST_EINVAL, "No sensor definitions exist in '%s'", path);
	}
	if (st != ST_OK) {
		sensorconf_free(parse.conf);
		return st;
	}
	sensorconf_connect(parse.conf);
	*out = parse.conf;
	return ST_OK;
}

/* ---- probes alone ---- */

/* Every name of the list is a probe; the others feed nobody. */
static int sensorconf_pick_probes(struct sensorconf *conf, struct sensor *sensor, const char *names,
				  struct err *err)
{
	char **wanted = g_strsplit(names, ",", -1);
	int st = ST_OK;

	for (char **name = wanted; st == ST_OK && *name; name++) {
		const struct probe *probe = sensorconf_probe(conf, *name);

		if (!**name) {
			continue;
		}
		if (!probe) {
			st = err_set(err, ST_ENOENT, "No probes have the name '%s'", *name);
		} else if (g_ptr_array_find(sensor->probes, probe, NULL)) {
			st = err_set(err, ST_EINVAL, "The probe '%s' is named twice", *name);
		} else {
			g_ptr_array_add(sensor->probes, (struct probe *)probe);
		}
	}
	if (st == ST_OK && sensor->probes->len == 0) {
		g_ptr_array_extend(sensor->probes, conf->probes, NULL, NULL);
	}
	g_strfreev(wanted);
	return st;
}

int sensorconf_load_probes(struct sensorconf **out, const char *path, const char *names,
			   confreport_fn fn, void *arg, struct err *err)
{
	struct confreport report = { .fn = fn, .arg = arg };
	struct confparse parse = { .report = &report, .probes_only = true };
	struct sensor *sensor = sensor_new("", 0);
	int st;

	parse.conf = sensorconf_new(PACKLOGIC_TWOWAY);
	g_ptr_array_add(parse.conf->sensors, sensor);
	st = sensorconf_parse(&parse, path, err);
	if (st == ST_OK && parse.conf->probes->len == 0) {
		st = err_set(err, ST_EINVAL, "No probe definitions exist in '%s'", path);
	}
	if (st == ST_OK && names) {
		st = sensorconf_pick_probes(parse.conf, sensor, names, err);
	} else if (st == ST_OK) {
		g_ptr_array_extend(sensor->probes, parse.conf->probes, NULL, NULL);
	}
	if (st != ST_OK) {
		sensorconf_free(parse.conf);
		return st;
	}
	sensorconf_connect(parse.conf);
	*out = parse.conf;
	return ST_OK;
}

static bool sensorconf_has_sensor(const struct sensorconf *conf, const char *name)
{
	for (guint s = 0; s < conf->sensors->len; s++) {
		const struct sensor *sensor = g_ptr_array_index(conf->sensors, s);

		if (strcmp(sensor->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Let go of the sensors that are not wanted. */
static void sensorconf_keep_sensors(struct sensorconf *conf, char *const *wanted)
{
	for (guint s = 0; s < conf->sensors->len;) {
		const struct sensor *sensor = g_ptr_array_index(conf->sensors, s);

		if (g_strv_contains((const gchar *const *)wanted, sensor->name)) {
			s++;
		} else {
			g_ptr_array_remove_index(conf->sensors, s);
		}
	}
	sensorconf_connect(conf);
}

int sensorconf_select(struct sensorconf *conf, const char *names, struct err *err)
{
	char **wanted = g_strsplit(names, ",", -1);
	int st = ST_OK;

	for (char **name = wanted; *name && st == ST_OK; name++) {
		if (!sensorconf_has_sensor(conf, *name)) {
			st = err_set(err, ST_ENOENT,
				     "Sensor configuration does not define sensor '%s'", *name);
		}
	}
	if (st == ST_OK) {
		sensorconf_keep_sensors(conf, wanted);
	}
	g_strfreev(wanted);
	return st;
}

enum packlogic sensorconf_logic(const struct sensorconf *conf)
{
	return conf->logic;
}

const GPtrArray *sensorconf_probes(const struct sensorconf *conf)
{
	return conf->probes;
}

const GPtrArray *sensorconf_sensors(const struct sensorconf *conf)
{
	return conf->sensors;
}

const struct probe *sensorconf_probe(const struct sensorconf *conf, const char *name)
{
	for (guint i = 0; i < conf->probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(conf->probes, i);

		if (strcmp(probe->name, name) == 0) {
			return probe;
		}
	}
	return NULL;
}

bool sensorconf_uses_tls(const struct sensorconf *conf)
{
	bool uses = false;

	for (guint i = 0; i < conf->probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(conf->probes, i);

		uses |= probe->tls && probe->sensors->len > 0;
	}
	return uses;
}

int sensorconf_check_supported(const struct sensorconf *conf, struct err *err)
{
	bool reads = false;

	for (guint i = 0; i < conf->probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(conf->probes, i);

		reads |= probe->sensors->len > 0 && (probe->port || probe->poll_directory);
		if (probe->sensors->len > PROBE_SENSORS_MAX) {
			return err_set(err, ST_ESUPPORT,
				       "probe '%s': feeds %u sensors, more than the limit of %d",
				       probe->name, probe->sensors->len, PROBE_SENSORS_MAX);
		}
	}
	return reads ? ST_OK
		     : err_set(err, ST_EINVAL, "Found no probes to use for stream input mode");
}

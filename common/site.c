/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/site.h"

#include "common/sitetable.h"

#include <glib.h>
#include <string.h>

/* A list of sensors that keeps its order and answers "is it in" at once. */
struct sensor_list {
	GArray *order; /* uint16_t */
	uint64_t members[(SITE_SENSOR_ID_MAX + 1) / 64 + 1];
};

struct site_sensor {
	char *name;
	char *description;
};

struct site_class {
	char *name;
	GArray *flowtypes;     /* uint16_t */
	GArray *default_types; /* uint16_t */
	struct sensor_list sensors;
};

struct site_group {
	char *name;
	struct sensor_list sensors;
};

struct site_flowtype {
	char *name; /* NULL: no such id */
	char *type;
	int class_id;
	bool is_default;
};

struct site {
	GPtrArray *sensors;     /* struct site_sensor by id, with holes */
	GHashTable *sensor_ids; /* name to id + 1 */
	GPtrArray *classes;     /* struct site_class */
	GPtrArray *groups;      /* struct site_group */
	GHashTable *group_ids;  /* name to index + 1 */
	struct site_flowtype flowtypes[SITE_FLOWTYPE_ID_MAX + 1];
	int flowtype_max;
	int default_class;
	char *path_format;
	char *packing_logic;
	char *file;
	int version;
};

static void sensor_list_init(struct sensor_list *list)
{
	list->order = g_array_new(FALSE, FALSE, sizeof(uint16_t));
}

static bool sensor_list_has(const struct sensor_list *list, int sensor)
{
	return sensor >= 0 && sensor <= SITE_SENSOR_ID_MAX &&
	       (list->members[sensor / 64] >> (sensor % 64) & 1);
}

static void sensor_list_add(struct sensor_list *list, int sensor)
{
	uint16_t id = (uint16_t)sensor;

	if (!sensor_list_has(list, sensor)) {
		list->members[sensor / 64] |= UINT64_C(1) << (sensor % 64);
		g_array_append_val(list->order, id);
	}
}

static const uint16_t *array_u16(const GArray *array, size_t *count)
{
	*count = array ? array->len : 0;
	return *count ? &g_array_index(array, uint16_t, 0) : NULL;
}

static void sensor_free(void *data)
{
	struct site_sensor *sensor = data;

	if (sensor) {
		g_free(sensor->name);
		g_free(sensor->description);
		g_free(sensor);
	}
}

static void class_free(void *data)
{
	struct site_class *class = data;

	g_free(class->name);
	g_array_free(class->flowtypes, TRUE);
	g_array_free(class->default_types, TRUE);
	g_array_free(class->sensors.order, TRUE);
	g_free(class);
}

static void group_free(void *data)
{
	struct site_group *group = data;

	g_free(group->name);
	g_array_free(group->sensors.order, TRUE);
	g_free(group);
}

struct site *site_empty(void)
{
	struct site *site = g_new0(struct site, 1);

	site->sensors = g_ptr_array_new_with_free_func(sensor_free);
	site->sensor_ids = g_hash_table_new(g_str_hash, g_str_equal);
	site->classes = g_ptr_array_new_with_free_func(class_free);
	site->groups = g_ptr_array_new_with_free_func(group_free);
	site->group_ids = g_hash_table_new(g_str_hash, g_str_equal);
	site->flowtype_max = -1;
	site->default_class = -1;
	return site;
}

void site_free(struct site *site)
{
	if (!site) {
		return;
	}
	g_hash_table_destroy(site->sensor_ids);
	g_hash_table_destroy(site->group_ids);
	g_ptr_array_free(site->sensors, TRUE);
	g_ptr_array_free(site->classes, TRUE);
	g_ptr_array_free(site->groups, TRUE);
	for (int id = 0; id <= SITE_FLOWTYPE_ID_MAX; id++) {
		g_free(site->flowtypes[id].name);
		g_free(site->flowtypes[id].type);
	}
	g_free(site->path_format);
	g_free(site->packing_logic);
	g_free(site->file);
	g_free(site);
}

/* --- filling (common/sitetable.h) --- */

void site_define_sensor(struct site *site, int id, const char *name, const char *description)
{
	struct site_sensor *sensor = g_new0(struct site_sensor, 1);

	sensor->name = g_strdup(name);
	sensor->description = g_strdup(description);
	if ((guint)id >= site->sensors->len) {
		g_ptr_array_set_size(site->sensors, id + 1);
	}
	site->sensors->pdata[id] = sensor;
	g_hash_table_insert(site->sensor_ids, sensor->name, GINT_TO_POINTER(id + 1));
}

int site_define_class(struct site *site, const char *name)
{
	struct site_class *class = g_new0(struct site_class, 1);

	class->name = g_strdup(name);
	class->flowtypes = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	class->default_types = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	sensor_list_init(&class->sensors);
	g_ptr_array_add(site->classes, class);
	return (int)site->classes->len - 1;
}

size_t site_define_group(struct site *site, const char *name)
{
	struct site_group *group = g_new0(struct site_group, 1);

	group->name = g_strdup(name);
	sensor_list_init(&group->sensors);
	g_ptr_array_add(site->groups, group);
	g_hash_table_insert(site->group_ids, group->name, GUINT_TO_POINTER(site->groups->len));
	return site->groups->len - 1;
}

int site_group_id(const struct site *site, const char *name)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(site->group_ids, name)) - 1;
}

static struct site_class *class_at(const struct site *site, int class_id)
{
	return class_id >= 0 && (guint)class_id < site->classes->len
		       ? g_ptr_array_index(site->classes, class_id)
		       : NULL;
}

static struct site_group *group_at(const struct site *site, size_t group)
{
	return group < site->groups->len ? g_ptr_array_index(site->groups, group) : NULL;
}

void site_class_add_sensor(struct site *site, int class_id, int sensor)
{
	sensor_list_add(&class_at(site, class_id)->sensors, sensor);
}

void site_group_add_sensor(struct site *site, size_t group, int sensor)
{
	sensor_list_add(&group_at(site, group)->sensors, sensor);
}

void site_define_flowtype(struct site *site, int class_id, int id, const char *type,
			  const char *name)
{
	struct site_flowtype *flowtype = &site->flowtypes[id];
	uint16_t entry = (uint16_t)id;

	flowtype->name = g_strdup(name);
	flowtype->type = g_strdup(type);
	flowtype->class_id = class_id;
	g_array_append_val(class_at(site, class_id)->flowtypes, entry);
	site->flowtype_max = MAX(site->flowtype_max, id);
}

void site_set_default_type(struct site *site, int flowtype)
{
	struct site_flowtype *entry = &site->flowtypes[flowtype];
	uint16_t id = (uint16_t)flowtype;

	if (!entry->is_default) {
		entry->is_default = true;
		g_array_append_val(class_at(site, entry->class_id)->default_types, id);
	}
}

void site_set_default_class(struct site *site, int class_id)
{
	site->default_class = class_id;
}

void site_set_path_format(struct site *site, const char *format)
{
	g_free(site->path_format);
	site->path_format = g_strdup(format);
}

void site_set_packing_logic(struct site *site, const char *path)
{
	g_free(site->packing_logic);
	site->packing_logic = g_strdup(path);
}

void site_set_version(struct site *site, int version)
{
	site->version = version;
}

void site_set_file(struct site *site, const char *path)
{
	g_free(site->file);
	site->file = g_strdup(path);
}

/* --- asking --- */

static const struct site_sensor *sensor_at(const struct site *site, int id)
{
	return id >= 0 && (guint)id < site->sensors->len ? g_ptr_array_index(site->sensors, id)
							 : NULL;
}

int site_sensor_id(const struct site *site, const char *name)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(site->sensor_ids, name)) - 1;
}

const char *site_sensor_name(const struct site *site, int id)
{
	const struct site_sensor *sensor = sensor_at(site, id);

	return sensor ? sensor->name : NULL;
}

const char *site_sensor_description(const struct site *site, int id)
{
	const struct site_sensor *sensor = sensor_at(site, id);

	return sensor ? sensor->description : NULL;
}

int site_sensor_max(const struct site *site)
{
	return (int)site->sensors->len - 1;
}

bool site_sensor_in_class(const struct site *site, int sensor, int class_id)
{
	const struct site_class *class = class_at(site, class_id);

	return class && sensor_list_has(&class->sensors, sensor);
}

const uint16_t *site_class_sensors(const struct site *site, int class_id, size_t *count)
{
	const struct site_class *class = class_at(site, class_id);

	return array_u16(class ? class->sensors.order : NULL, count);
}

const uint16_t *site_class_flowtypes(const struct site *site, int class_id, size_t *count)
{
	const struct site_class *class = class_at(site, class_id);

	return array_u16(class ? class->flowtypes : NULL, count);
}

const uint16_t *site_class_default_types(const struct site *site, int class_id, size_t *count)
{
	const struct site_class *class = class_at(site, class_id);

	return array_u16(class ? class->default_types : NULL, count);
}

const uint16_t *site_group_sensors(const struct site *site, size_t group, size_t *count)
{
	const struct site_group *entry = group_at(site, group);

	return array_u16(entry ? entry->sensors.order : NULL, count);
}

size_t site_group_count(const struct site *site)
{
	return site->groups->len;
}

const char *site_group_name(const struct site *site, size_t group)
{
	const struct site_group *entry = group_at(site, group);

	return entry ? entry->name : NULL;
}

bool site_group_has(const struct site *site, size_t group, int sensor)
{
	const struct site_group *entry = group_at(site, group);

	return entry && sensor_list_has(&entry->sensors, sensor);
}

int site_class_count(const struct site *site)
{
	return (int)site->classes->len;
}

int site_class_id(const struct site *site, const char *name)
{
	for (guint i = 0; i < site->classes->len; i++) {
		if (strcmp(class_at(site, (int)i)->name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

const char *site_class_name(const struct site *site, int class_id)
{
	const struct site_class *class = class_at(site, class_id);

	return class ? class->name : NULL;
}

int site_default_class(const struct site *site)
{
	return site->default_class;
}

static const struct site_flowtype *flowtype_at(const struct site *site, int id)
{
	return id >= 0 && id <= site->flowtype_max && site->flowtypes[id].name
		       ? &site->flowtypes[id]
		       : NULL;
}

int site_flowtype_max(const struct site *site)
{
	return site->flowtype_max;
}

const char *site_flowtype_name(const struct site *site, int id)
{
	const struct site_flowtype *flowtype = flowtype_at(site, id);

	return flowtype ? flowtype->name : NULL;
}

int site_flowtype_id(const struct site *site, const char *name)
{
	for (int id = 0; id <= site->flowtype_max; id++) {
		if (site->flowtypes[id].name && strcmp(site->flowtypes[id].name, name) == 0) {
			return id;
		}
	}
	return -1;
}

int site_flowtype_class(const struct site *site, int id)
{
	const struct site_flowtype *flowtype = flowtype_at(site, id);

	return flowtype ? flowtype->class_id : -1;
}

const char *site_flowtype_type(const struct site *site, int id)
{
	const struct site_flowtype *flowtype = flowtype_at(site, id);

	return flowtype ? flowtype->type : NULL;
}

int site_flowtype_of(const struct site *site, int class_id, const char *type)
{
	for (int id = 0; id <= site->flowtype_max; id++) {
		const struct site_flowtype *flowtype = flowtype_at(site, id);

		if (flowtype && flowtype->class_id == class_id &&
		    strcmp(flowtype->type, type) == 0) {
			return id;
		}
	}
	return -1;
}

bool site_flowtype_is_default(const struct site *site, int id)
{
	const struct site_flowtype *flowtype = flowtype_at(site, id);

	return flowtype && flowtype->is_default;
}

const char *site_path_format(const struct site *site)
{
	return site->path_format ? site->path_format : SITE_PATH_FORMAT_DEFAULT;
}

const char *site_packing_logic(const struct site *site)
{
	return site->packing_logic;
}

int site_version(const struct site *site)
{
	return site->version;
}

const char *site_file(const struct site *site)
{
	return site->file;
}

/* --- finding the file --- */

/* NULL for unset, empty or blank values; leading blanks do not count. */
static const char *skip_blanks(const char *value)
{
	if (value) {
		while (g_ascii_isspace(*value)) {
			value++;
		}
	}
	return value && *value ? value : NULL;
}

char *site_find_root(const struct site_env *env)
{
	const char *root = skip_blanks(env->root_option);

	if (!root) {
		root = skip_blanks(env->data_rootdir);
	}
	return g_strdup(root ? root : "/data");
}

static bool is_file(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* PARENT/a/b/silk.conf if it is a file; frees the path otherwise. */
static char *file_below(const char *parent, const char *folder)
{
	char *path = parent ? g_build_filename(parent, folder, "silk.conf", NULL) : NULL;

	if (path && !is_file(path)) {
		g_free(path);
		path = NULL;
	}
	return path;
}

char *site_find_file(const struct site_env *env, bool *exists)
{
	const struct {
		const char *parent;
		const char *folder;
	} places[] = {
		{ skip_blanks(env->silk_path), "share/silk" },
		{ skip_blanks(env->silk_path), "share" },
		{ skip_blanks(env->install_prefix), "share/silk" },
		{ skip_blanks(env->install_prefix), "share" },
	};
	const char *named =
		env->config_file_option ? env->config_file_option : skip_blanks(env->config_file);
	char *root = NULL;
	char *path = NULL;

	if (named) {
		path = g_strdup(named);
		*exists = is_file(path);
		return path;
	}
	root = site_find_root(env);
	path = file_below(root, "");
	for (size_t i = 0; !path && i < G_N_ELEMENTS(places); i++) {
		path = file_below(places[i].parent, places[i].folder);
	}
	*exists = path != NULL;
	if (!path) {
		path = g_build_filename(root, "silk.conf", NULL);
	}
	g_free(root);
	return path;
}

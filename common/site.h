/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The site: sensors, classes, types and groups of silk.conf (silk-packing.md section 1).
 *
 *	struct site *site;
 *	if (site_load(&site, "/data/silk.conf", err) == ST_OK) {
 *		int id = site_sensor_id(site, "S0");
 *		const char *type = site_flowtype_type(site, 3);
 *	}
 *	site_free(site);
 *
 * Immutable after loading, so any number of threads may read it. Names live as long as the site.
 */
#ifndef TUSSAH_COMMON_SITE_H
#define TUSSAH_COMMON_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SITE_PATH_FORMAT_DEFAULT "%T/%Y/%m/%d/%x"

struct site;

/*
 * Read path and its includes (named relative to the working folder). Parsing goes on after an
 * error: err holds the first as "FILE:LINE: MESSAGE", and site_load_all() hands every one, worded
 * as SiLK words it, to fn; line 0 is an error of the file as a whole. On failure site_load()
 * returns nothing, site_load_all() with ST_EINVAL what could be understood. Returns ST_OK,
 * ST_ENOENT (not a regular file), ST_EIO, ST_ELIMIT (larger than SITE_FILE_BYTES_MAX), ST_EINVAL
 * (errors in the file).
 */
#define SITE_FILE_BYTES_MAX (64u << 20)
int site_load(struct site **out, const char *path, struct err *err);
typedef void (*site_error_fn)(void *arg, const char *file, int line, const char *message);
int site_load_all(struct site **out, const char *path, site_error_fn fn, void *arg,
		  struct err *err);
/* A site without sensors and classes, for tools that can do without a file. */
struct site *site_empty(void);
void site_free(struct site *site);

/*
 * Where the file is (silk-packing.md 1.1): the first that applies. The environment is handed in:
 * every argument may be NULL. Returned: g_free(). exists tells whether it is a readable file.
 */
struct site_env {
	const char *config_file_option; /* --site-config-file */
	const char *root_option;        /* --data-rootdir, --root-directory */
	const char *config_file;        /* $SILK_CONFIG_FILE */
	const char *data_rootdir;       /* $SILK_DATA_ROOTDIR */
	const char *silk_path;          /* $SILK_PATH */
	const char *install_prefix;
};
char *site_find_file(const struct site_env *env, bool *exists);
char *site_find_root(const struct site_env *env);

/* Sensors: ids 0..65534, with holes. */
int site_sensor_id(const struct site *site, const char *name);        /* -1: unknown */
const char *site_sensor_name(const struct site *site, int id);        /* NULL: unknown */
const char *site_sensor_description(const struct site *site, int id); /* NULL: none */
int site_sensor_max(const struct site *site);                         /* highest id, -1: none */
bool site_sensor_in_class(const struct site *site, int sensor, int class_id);

/*
 * Lists in the order of the file; borrowed as long as the site. The types of a class are told by
 * the ids of its flowtypes.
 */
const uint16_t *site_class_sensors(const struct site *site, int class_id, size_t *count);
const uint16_t *site_class_flowtypes(const struct site *site, int class_id, size_t *count);
const uint16_t *site_class_default_types(const struct site *site, int class_id, size_t *count);
const uint16_t *site_group_sensors(const struct site *site, size_t group, size_t *count);

/* Groups of sensors, in order of definition. */
size_t site_group_count(const struct site *site);
const char *site_group_name(const struct site *site, size_t group);
bool site_group_has(const struct site *site, size_t group, int sensor);

/* Classes, ids in order of definition. */
int site_class_count(const struct site *site);
int site_class_id(const struct site *site, const char *name);
const char *site_class_name(const struct site *site, int class_id);
int site_default_class(const struct site *site); /* -1: none */

/* Flowtypes: a class and type pair; ids 0..254, with holes. */
int site_flowtype_max(const struct site *site);
const char *site_flowtype_name(const struct site *site, int id);
int site_flowtype_id(const struct site *site, const char *name);
int site_flowtype_class(const struct site *site, int id); /* class id, -1: unknown */
const char *site_flowtype_type(const struct site *site, int id);
int site_flowtype_of(const struct site *site, int class_id, const char *type); /* -1: unknown */
bool site_flowtype_is_default(const struct site *site, int id); /* among default-types */

const char *site_path_format(const struct site *site);
const char *site_packing_logic(const struct site *site); /* NULL: none */
int site_version(const struct site *site);               /* 0: not given */
const char *site_file(const struct site *site);          /* the path that was loaded; NULL: none */

#endif

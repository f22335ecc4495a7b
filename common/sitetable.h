/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables behind struct site while they are filled: the parser (sitefile.c) defines sensors,
 * classes, types and groups through these calls, everybody else asks through common/site.h.
 *
 *	struct site *site = site_empty();
 *	site_define_sensor(site, 3, "S3", NULL);
 *	site_class_add_sensor(site, site_define_class(site, "all"), 3);
 *
 * The callers check names and ids first; these calls only store. One thread until loading is over.
 */
#ifndef TUSSAH_COMMON_SITETABLE_H
#define TUSSAH_COMMON_SITETABLE_H

#include "common/site.h"

#define SITE_SENSOR_ID_MAX   65534
#define SITE_SENSOR_NAME_MAX 64
#define SITE_FLOWTYPE_ID_MAX 254
#define SITE_NAME_MAX        32 /* class, type and flowtype names */
#define SITE_CLASS_COUNT_MAX 32

void site_define_sensor(struct site *site, int id, const char *name, const char *description);

/* New class or group; returns its id. Names must be new. */
int site_define_class(struct site *site, const char *name);
size_t site_define_group(struct site *site, const char *name);
/* -1: unknown */
int site_group_id(const struct site *site, const char *name);

/* Repeats are ignored. */
void site_class_add_sensor(struct site *site, int class_id, int sensor);
void site_group_add_sensor(struct site *site, size_t group, int sensor);

void site_define_flowtype(struct site *site, int class_id, int id, const char *type,
			  const char *name);
void site_set_default_type(struct site *site, int flowtype);
void site_set_default_class(struct site *site, int class_id);
void site_set_path_format(struct site *site, const char *format);
void site_set_packing_logic(struct site *site, const char *path);
void site_set_version(struct site *site, int version);
void site_set_file(struct site *site, const char *path);

#endif

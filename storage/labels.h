/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names that exporters give to numbers in records: interfaces, applications, VRFs, samplers. Kept
 * in one small text file of the repository (storage/FORMAT.md section 9) that several packers
 * write and query tools read.
 *
 * Packer:
 *	struct labels *labels = labels_new();
 *	labels_set(labels, &(struct label){ .sensor = "S0", .exporter = "192.0.2.1",
 *		.kind = LABEL_INTERFACE, .id = 3, .name = "ge-0/0/3" }, err);
 *	if (labels_changed(labels)) {
 *		rc = labels_save(labels, root, err);	// what others wrote is kept
 *	}
 * Query:
 *	rc = labels_load(&labels, root, err);		// no file: no labels
 *	name = labels_find(labels, "S0", LABEL_INTERFACE, 3);
 *	labels_free(labels);
 *
 * Threads: one at a time while it changes; labels_find() any number.
 */
#ifndef TUSSAH_STORAGE_LABELS_H
#define TUSSAH_STORAGE_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/hourlines.h"

#define LABELS_FILE       ".labels" /* in the root of the repository */
#define LABELS_MAX        262144u   /* in one file */
#define LABELS_NAME_BYTES 255u      /* of a name; longer ones are cut */

enum label_kind {
	LABEL_INTERFACE,   /* id: IE 10, 14 */
	LABEL_APPLICATION, /* id: label_application_id() of IE 95 */
	LABEL_VRF,         /* id: IE 234, 235 */
	LABEL_SAMPLER,     /* id: IE 48, 302 */
	LABEL_KINDS,
};

struct label {
	const char *sensor;   /* its name; "-": of no sensor in particular, looked up last */
	const char *exporter; /* its address as text; "-": not known */
	enum label_kind kind;
	uint64_t id;
	const char *name;
};

struct labels;

/* Never NULL. */
struct labels *labels_new(void);
void labels_free(struct labels *labels);

/*
 * Give a number a name, instead of the one it has, if any. All strings are copied; control
 * characters in them become blanks. An empty name is no name: nothing happens. ST_OK; ST_EINVAL:
 * no sensor or exporter, or one longer than LABELS_NAME_BYTES; ST_ELIMIT: LABELS_MAX are there.
 */
int labels_set(struct labels *labels, const struct label *label, struct err *err);
/* Has labels_set() changed anything since the labels were loaded, made or saved? */
bool labels_changed(const struct labels *labels);

size_t labels_count(const struct labels *labels);
/* Number i in the order of the file; what it points to lives until the labels change. */
struct label labels_at(struct labels *labels, size_t i);

/*
 * The name of a number at a sensor. Where exporters of one sensor differ, all of their names,
 * separated by ';'; where the sensor has none, that of sensor "-". NULL: it has none. Borrowed
 * while the labels do not change.
 */
const char *labels_find(struct labels *labels, const char *sensor, enum label_kind kind,
			uint64_t id);

/*
 * Read the file of the repository at root into new labels. *out returned, also when there is no
 * file. ST_OK; ST_EFORMAT: a line is not one (named in err); ST_ELIMIT; ST_EIO.
 */
int labels_load(struct labels **out, const char *root, struct err *err);
/*
 * Merge with the file, under its lock: what this process was told wins, all else stays. The new
 * file replaces the old one when it is whole and synced. Nothing is written when nothing differs.
 * labels holds the names of the file afterwards, too. As labels_load().
 */
int labels_save(struct labels *labels, const char *root, struct err *err);

/* Save them, or hand over each of them as a line of the file. As labels_save(). */
int labels_put(struct labels *labels, const struct hourlines_place *place, struct err *err);
/* labels_set() what such a line says. ST_OK, ST_EFORMAT, ST_ELIMIT. */
int labels_take_line(struct labels *labels, const char *line, struct err *err);

/* From the bytes of IE 95 (RFC 6759: an engine of one byte, a selector of up to seven that count)
 * to an id. 0: empty. */
uint64_t label_application_id(const uint8_t *bytes, size_t len);

#endif

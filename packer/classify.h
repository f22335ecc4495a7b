/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packing logics: which flowtype and sensor a record is filed under (silk-packing.md
 * section 3). Pure: the record, its probe and the tables decide.
 *
 *	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
 *	size_t n = classify(PACKLOGIC_TWOWAY, probe, rec, outputs);
 */
#ifndef TUSSAH_PACKER_CLASSIFY_H
#define TUSSAH_PACKER_CLASSIFY_H

#include "common/record.h"
#include "common/site.h"
#include "packer/classifier.h"
#include "packer/sensorconf.h"

#define CLASSIFY_OUTPUTS_MAX PROBE_SENSORS_MAX

struct classify_output {
	uint8_t flowtype;
	uint16_t sensor;
};

/* "packlogic-twoway", with or without folder and ".so"; plain "twoway" too. ST_EINVAL. */
int packlogic_parse(const char *name, enum packlogic *out, struct err *err);
const char *packlogic_name(enum packlogic logic); /* "packlogic-twoway" */

/*
 * Has class "all" of this site the types, with the ids, that the logic was made for? ST_EINVAL
 * names the first difference.
 */
int packlogic_check_site(enum packlogic logic, const struct site *site, struct err *err);

/*
 * The outputs of one record, in the order of the sensors of the configuration; 0 when all sensors'
 * filters discard it. A probe that feeds more than CLASSIFY_OUTPUTS_MAX sensors is cut there (as
 * sensorconf_check_supported() refuses it beforehand).
 */
size_t classify(enum packlogic logic, const struct probe *probe, const struct record *rec,
		struct classify_output *outputs);
/* Do all records of the probe go to its one sensor, with nothing else to be asked? */
bool classify_takes_rows(enum packlogic logic, const struct probe *probe);
/* Then many at once: into their flowtypes and sensors; they have no memo any more. */
void classify_rows(const struct probe *probe, struct flowblock_row *rows, size_t count);

/*
 * The format (storage/header.h) that a SiLK file of these records has, which the logic filed under
 * this flowtype; 0: that for any record (silk-packing.md 3.3). All probes of a sensor have the same,
 * so that no file is begun which another probe's records do not fit into.
 */
uint8_t classify_format(enum packlogic logic, const struct probe *probe, uint8_t flowtype);

#endif

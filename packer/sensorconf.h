/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sensor configuration: probes, groups and sensors of sensor.conf (silk-packing.md section 2),
 * verified for one packing logic. Immutable once loaded, so any number of threads may use it.
 *
 *	struct sensorconf *conf;
 *	if (sensorconf_load(&conf, "/etc/tussah/sensor.conf", site, PACKLOGIC_TWOWAY, say, NULL,
 *			    err) != ST_OK) ...
 *	const struct probe *probe = sensorconf_probe(conf, "P0");
 *	sensorconf_free(conf);
 */
#ifndef TUSSAH_PACKER_SENSORCONF_H
#define TUSSAH_PACKER_SENSORCONF_H

#include "common/site.h"
#include "packer/probe.h"
#include "packer/sensor.h"

struct sensorconf;

/*
 * Read, check, verify. Every complaint goes to fn (may be NULL) as one text without program name;
 * err sums up: "Errors while parsing sensor-configuration file 'F'", "No sensor definitions exist
 * in 'F'". site is borrowed for the call only.
 */
int sensorconf_load(struct sensorconf **out, const char *path, const struct site *site,
		    enum packlogic logic, confreport_fn fn, void *arg, struct err *err);
/*
 * The probes alone, as flowcap has them: sensor blocks are passed over, whatever is in them; probes
 * must listen; each feeds one nameless sensor. names: only these of a comma list; NULL: all.
 * "No probe definitions exist in 'F'", "No probes have the name 'P'".
 */
int sensorconf_load_probes(struct sensorconf **out, const char *path, const char *names,
			   confreport_fn fn, void *arg, struct err *err);
void sensorconf_free(struct sensorconf *conf);

/*
 * Use only the sensors of this comma list (--sensor-name), and the probes that feed them.
 * ST_ENOENT: "Sensor configuration does not define sensor 'S'". To be called before sharing.
 */
int sensorconf_select(struct sensorconf *conf, const char *names, struct err *err);

enum packlogic sensorconf_logic(const struct sensorconf *conf);
/* In file order; of struct probe *, struct sensor *. Borrowed. */
const GPtrArray *sensorconf_probes(const struct sensorconf *conf);
const GPtrArray *sensorconf_sensors(const struct sensorconf *conf);
const struct probe *sensorconf_probe(const struct sensorconf *conf, const char *name);

/*
 * Is there a probe that listens or polls and feeds a sensor, and none that feeds too many?
 * ST_EINVAL, or ST_ESUPPORT that names the first.
 */
int sensorconf_check_supported(const struct sensorconf *conf, struct err *err);

/* Does a probe that feeds a sensor listen with TLS? */
bool sensorconf_uses_tls(const struct sensorconf *conf);

#endif

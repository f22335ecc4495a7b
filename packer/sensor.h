/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sensor: how the records of its probes are told apart, the sensor block of sensor.conf
 * (silk-packing.md 2.6 to 2.8).
 */
#ifndef TUSSAH_PACKER_SENSOR_H
#define TUSSAH_PACKER_SENSOR_H

#include <glib.h>

#include "packer/confline.h"
#include "packer/network.h"

/* The two supplied packing logics; packer/classify.h has their decisions. */
enum packlogic { PACKLOGIC_TWOWAY, PACKLOGIC_GENERIC, PACKLOGICS };

/* The networks, with the numbers the packing logics give them. */
enum network { NETWORK_NULL, NETWORK_EXTERNAL, NETWORK_INTERNAL, NETWORKS };

/* How a sensor tells whether an end of a record lies in a network. */
struct sensor_network {
	bool is_set;    /* has a list, or remainder */
	bool remainder; /* all that is in no other network's list of the kind */
	enum network_kind kind;
	struct network_list *list; /* NULL: none */
};

enum filter_side { FILTER_SOURCE, FILTER_DESTINATION, FILTER_ANY, FILTER_SIDES };

struct sensor_filter {
	enum filter_side side;
	bool unless; /* discard-unless; else discard-when */
	struct network_list *list;
};

struct classifier; /* packer/classifier.h */

/* Immutable once the configuration is loaded. */
struct sensor {
	char *name;
	uint16_t id;
	struct sensor_network networks[NETWORKS];
	int source_network;            /* enum network, or -1: to be found out */
	int destination_network;       /* likewise */
	GArray *filters;               /* of struct sensor_filter */
	GArray *isp_ips;               /* of struct ip */
	GPtrArray *probes;             /* of struct probe *, owned by the configuration */
	struct classifier *classifier; /* NULL until it is verified */
};

struct sensor *sensor_new(const char *name, uint16_t id);
void sensor_free(struct sensor *sensor);

/* What a statement may refer to. */
struct sensor_scope {
	GPtrArray *probes;  /* of struct probe *; probes first named here are added */
	GHashTable *groups; /* name to struct network_list *, NULL for a group without values */
};

/* Take in one statement of the block; complaints go to report. */
void sensor_statement(struct sensor *sensor, const struct confline *line,
		      const struct sensor_scope *scope, struct confreport *report);

/*
 * Add the values of a line from word first on to *list, which is made for kind when NULL. Unknown
 * groups and bad values are reported. Also used by group blocks.
 */
void sensor_values(struct network_list **list, enum network_kind kind, const struct confline *line,
		   size_t first, GHashTable *groups, struct confreport *report);

/*
 * Is it complete for this packing logic? Fills in a remainder that goes without saying, and what
 * records are told apart by. ST_OK, or ST_EINVAL with the reason.
 */
int sensor_verify(struct sensor *sensor, enum packlogic logic, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packing logic makes of the records of one sensor, prepared: which networks an IPv4 address
 * lies in is looked up by its first 16 bits, where all that begin so lie in the same ones, and what
 * follows from the networks of both ends is looked up, too.
 *
 *	struct classifier *classifier = classifier_new(sensor, PACKLOGIC_TWOWAY);
 *	type = classifier_type(classifier, rec, is_web);
 *	classifier_free(classifier);
 *
 * Immutable; for any number of threads.
 */
#ifndef TUSSAH_PACKER_CLASSIFIER_H
#define TUSSAH_PACKER_CLASSIFIER_H

#include "common/record.h"
#include "packer/sensor.h"
#include "storage/flowblock.h"

/* The types of class "all"; the values are their flowtype ids. The generic logic knows the first
 * six. */
enum classify_type {
	TYPE_IN,
	TYPE_OUT,
	TYPE_INWEB,
	TYPE_OUTWEB,
	TYPE_INNULL,
	TYPE_OUTNULL,
	TYPE_INT2INT,
	TYPE_EXT2EXT,
	TYPE_INICMP,
	TYPE_OUTICMP,
	TYPE_OTHER,
	TYPE_COUNT,
};

struct classifier;

/* sensor: verified; kept, and not changed any more. */
struct classifier *classifier_new(const struct sensor *sensor, enum packlogic logic);
void classifier_free(struct classifier *classifier);

/* enum classify_type, by the networks of source and destination; web: one of them serves it. */
uint8_t classifier_type(const struct classifier *classifier, const struct record *rec, bool web);
/* The same of many records: into their flowtypes; they are the sensor's, and have no memo. */
void classifier_file_rows(const struct classifier *classifier, struct flowblock_row *rows,
			  size_t count);

/* Without branches, which no processor could foretell of ports: one comparison, with the port that
 * has the same bits 5 and 6. */
static inline unsigned classifier_is_web_port(uint16_t port)
{
	static const uint16_t web_ports[4] = { 8080, 443, 80, 0 };

	return port == web_ports[port >> 5 & 3];
}

static inline bool classifier_is_web(const struct record *rec)
{
	return (rec->protocol == 6) &
	       (classifier_is_web_port(rec->sport) | classifier_is_web_port(rec->dport));
}

#endif

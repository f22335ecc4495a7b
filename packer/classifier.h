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
/* The same of many records: into their flowtypes. */
void classifier_set_types(const struct classifier *classifier, struct flowblock_row *rows,
			  size_t count);

/* 1: it is so; a number, since compilers make branches of comparisons, which no processor could
 * foretell of ports. */
static inline unsigned classifier_equals(uint16_t value, uint16_t other)
{
	return ((unsigned)(value ^ other) - 1) >> (8 * sizeof(unsigned) - 1);
}

static inline unsigned classifier_is_web_port(uint16_t port)
{
	return classifier_equals(port, 80) | classifier_equals(port, 443) |
	       classifier_equals(port, 8080);
}

static inline unsigned classifier_is_web(const struct record *rec)
{
	return classifier_equals(rec->protocol, 6) &
	       (classifier_is_web_port(rec->sport) | classifier_is_web_port(rec->dport));
}

#endif

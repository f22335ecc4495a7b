/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The information model: names, types and meanings of IPFIX information elements, keyed by
 * enterprise and number. IANA's registry and its RFC 5103 reverses come from libfixbuf, CERT's
 * registry and NetFlow v9's own numbers from a table of ours.
 *
 *	struct iemodel *model = iemodel_new();
 *	const struct ie *ie = iemodel_by_id(model, 0, 225);	// postNATSourceIPv4Address
 *	ie = iemodel_by_name(model, "samplingPacketInterval");	// 0/305
 *	struct ie_key key;
 *	rc = iemodel_parse(model, "6871/14", &key, err);	// also "ie305" and every name
 *	iemodel_free(model);
 *
 * Making one takes a millisecond: make it when the first name is asked for, and keep it. Threads:
 * any number may read one model at the same time.
 */
#ifndef TUSSAH_COMMON_IEMODEL_H
#define TUSSAH_COMMON_IEMODEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* RFC 5610 section 3.1: the types of elements, by their numbers. */
enum ie_type {
	IE_OCTET_ARRAY,
	IE_UNSIGNED8,
	IE_UNSIGNED16,
	IE_UNSIGNED32,
	IE_UNSIGNED64,
	IE_SIGNED8,
	IE_SIGNED16,
	IE_SIGNED32,
	IE_SIGNED64,
	IE_FLOAT32,
	IE_FLOAT64,
	IE_BOOLEAN,
	IE_MAC_ADDRESS,
	IE_STRING,
	IE_SECONDS,
	IE_MILLISECONDS,
	IE_MICROSECONDS,
	IE_NANOSECONDS,
	IE_IPV4_ADDRESS,
	IE_IPV6_ADDRESS,
	IE_BASIC_LIST,
	IE_SUB_TEMPLATE_LIST,
	IE_SUB_TEMPLATE_MULTI_LIST,
	IE_TYPES,
};

/* RFC 5610 section 3.6. */
enum ie_semantics {
	IE_DEFAULT,
	IE_QUANTITY,
	IE_TOTAL_COUNTER,
	IE_DELTA_COUNTER,
	IE_IDENTIFIER,
	IE_FLAGS,
	IE_LIST,
	IE_SNMP_COUNTER,
	IE_SNMP_GAUGE,
};

struct ie_key {
	uint32_t pen; /* 0: IANA, and numbers of NetFlow v9 that IPFIX does not have */
	uint16_t id;
};

struct ie {
	const char *name;
	uint32_t pen;
	uint16_t id;
	uint8_t type;      /* enum ie_type */
	uint8_t semantics; /* enum ie_semantics */
};

struct iemodel;

/* Never NULL. */
struct iemodel *iemodel_new(void);
void iemodel_free(struct iemodel *model);

/* Borrowed, as long as the model; NULL: not known. */
const struct ie *iemodel_by_id(const struct iemodel *model, uint32_t pen, uint16_t id);
/* The whole name in any case. Of a name that several elements have, IANA's. */
const struct ie *iemodel_by_name(const struct iemodel *model, const char *name);

/*
 * What people write: a name, "PEN/NUMBER", or "ieNUMBER" for IANA's. Numbers need not be known.
 * ST_OK; ST_ENOENT: no such name; ST_EINVAL: a number out of range.
 */
int iemodel_parse(const struct iemodel *model, const char *text, struct ie_key *out,
		  struct err *err);

/* All elements, in ascending order of (enterprise, number). */
size_t iemodel_count(const struct iemodel *model);
const struct ie *iemodel_at(const struct iemodel *model, size_t i);

/* Of a type: "unsigned32"; NULL when there is no such type. */
const char *ie_type_name(unsigned type);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of aggregate bags (silk-set-bag-pmap-files.md 3.2), and how those of one bag lie in
 * its records: key fields by ascending number, then counters, all big-endian, without gaps.
 *
 *	struct agglayout layout = { 0 };
 *	aggfield_find("sipv4", AGGFIELD_ANY, &id, err);
 *	agglayout_add(&layout, id);
 */
#ifndef TUSSAH_STORAGE_AGGFIELD_H
#define TUSSAH_STORAGE_AGGFIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define AGGFIELD_COUNTER 0xc000u /* numbers from here are counters */

/* How a value is shown and read. */
enum aggfield_kind {
	AGGKIND_NUMBER,
	AGGKIND_IPV4,
	AGGKIND_IPV6,
	AGGKIND_TIME, /* seconds since the epoch */
	AGGKIND_FLAGS,
	AGGKIND_ATTRIBUTES,
	AGGKIND_SENSOR,
	AGGKIND_CLASS,
	AGGKIND_TYPE,
	AGGKIND_COUNTRY,
	AGGKIND_COUNTER,
};

enum aggfield_set {
	AGGFIELD_FLOW = 1 << 0,  /* flow records have it */
	AGGFIELD_NAMED = 1 << 1, /* tools know it by name */
};
#define AGGFIELD_KEYS     (1u << 2) /* for aggfield_find(): keys, */
#define AGGFIELD_COUNTERS (1u << 3) /* counters, */
#define AGGFIELD_ANY      (AGGFIELD_NAMED | AGGFIELD_KEYS | AGGFIELD_COUNTERS) /* both */

struct aggfield {
	uint16_t id;
	uint8_t octets;
	uint8_t kind;     /* enum aggfield_kind */
	uint8_t sets;     /* enum aggfield_set */
	uint16_t bagtype; /* what it is in a bag (storage/bagtype.h) */
	int width;        /* of a column; 0: the kind tells it */
	const char *help;
};

extern const struct aggfield aggfield_table[];
extern const size_t aggfield_count;

/* NULL: no such field. */
const struct aggfield *aggfield_of(uint16_t id);
const char *aggfield_name(uint16_t id);

static inline bool aggfield_is_counter(uint16_t id)
{
	return id >= AGGFIELD_COUNTER;
}

/*
 * By name or unambiguous prefix, any case, among fields of the wanted set that are keys or counters
 * as which says. ST_OK or ST_EINVAL.
 */
int aggfield_find(const char *name, unsigned which, uint16_t *out, struct err *err);

/* More fields than there are numbers. */
#define AGGLAYOUT_MAX 64

/* Plain data; zeroed: no fields. */
struct agglayout {
	size_t count;
	size_t key_count;
	size_t key_bytes;
	size_t record_bytes;
	uint16_t ids[AGGLAYOUT_MAX]; /* ascending */
	uint16_t at[AGGLAYOUT_MAX];  /* where they lie in a record */
};

/* Add a known field in its place. False: it is there already. */
bool agglayout_add(struct agglayout *layout, uint16_t id);
/* Take it out; false: it was not there. */
bool agglayout_remove(struct agglayout *layout, uint16_t id);
/* The place of a field in ids, or -1. */
int agglayout_find(const struct agglayout *layout, uint16_t id);
bool agglayout_equal(const struct agglayout *a, const struct agglayout *b);

/* Numbers in records. octets is 1, 2, 4 or 8. */
uint64_t agglayout_load(const uint8_t *from, unsigned octets);
void agglayout_store(uint8_t *to, uint64_t number, unsigned octets);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of one shape of key (query/groupkey) with their values: a hash table, and one of pairs for
 * each value that counts distinct ones.
 *
 *	table = grouptable_new(&spec);
 *	grouptable_add(table, &packed, order, count);
 *	for (uint32_t i = 0; i < table->rows.count; i++) ... keytable_row(&table->rows, i) ...
 *	grouptable_free(table);
 *
 * A pair is the number of the group's row and a value. Most are narrow: an IPv4 address or another
 * value of four bytes at most, so that a pair is one word.
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_GROUPTABLE_H
#define TUSSAH_QUERY_GROUPTABLE_H

#include "query/groupkey.h"
#include "query/groupvalue.h"
#include "storage/keytable.h"

/* What tables of one shape have in common; borrowed by them. */
struct grouptable_spec {
	size_t key_size;
	const struct group_value *values;
	const struct groupkey_part *distincts; /* one a value, unused ones zero */
	size_t value_count;
};

struct grouptable {
	const struct grouptable_spec *spec;
	struct keytable rows;                      /* key, then a uint64_t a value */
	struct keytable (*pairs)[GROUPKEY_SHAPES]; /* two a value; those not needed are zero */
};

/* The selected rows of a batch, packed. */
struct grouptable_packed {
	const uint8_t *keys; /* padded, keytable_padded(key_size) apart */
	const uint32_t *hashes;
	uint8_t *const *distincts; /* a value each: wide ones, VALUE_KEY_MAX apart */
	struct grouprows rows;     /* batch, zero_ns, position */
};

struct grouptable *grouptable_new(const struct grouptable_spec *spec);
/* NULL is fine. */
void grouptable_free(struct grouptable *table);
/* Forget all groups. */
void grouptable_clear(struct grouptable *table);
/* Keep the groups alone: nothing is added any more. Returned: as keytable_seal() has it. */
struct hugeroom_part grouptable_seal(struct grouptable *table);
/* Memory in use. */
uint64_t grouptable_bytes(const struct grouptable *table);

/* Add these of the selected rows: count places in the selection. */
void grouptable_add(struct grouptable *table, const struct grouptable_packed *packed,
		    const uint16_t *order, uint32_t count);
/* The same of all selected rows, in order; a group ends where the key changes. */
void grouptable_follow(struct grouptable *table, const struct grouptable_packed *packed);

/* Groups of another table of the same spec that are to be added to one. */
struct grouptable_part {
	const struct grouptable *from;
	const uint32_t *hashes; /* of all rows of from */
	const uint8_t *parts;   /* of each: the part that it belongs to */
	uint8_t part;           /* the rows that are added */
	uint32_t *map;          /* room: for a number for each row of from */
};
void grouptable_merge(struct grouptable *table, const struct grouptable_part *part);

/* The values of a row of table->rows. */
static inline uint64_t *grouptable_values(const struct grouptable *table, uint32_t row)
{
	return (uint64_t *)(void *)(keytable_row(&table->rows, row) + table->rows.padded);
}

/* Call fn for each pair of value number v, with the number of the row and the wide value. */
typedef int (*grouptable_pair_fn)(void *arg, uint32_t row, const uint8_t *value, struct err *err);
int grouptable_each_pair(const struct grouptable *table, size_t v, grouptable_pair_fn fn, void *arg,
			 struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of one shape of key (query/groupkey) with their values: a hash table, and one of pairs for
 * each value that counts distinct ones.
 *
 *	table = grouptable_new(&spec);
 *	grouptable_add(table, &packed);
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

/* Add the selected rows. */
void grouptable_add(struct grouptable *table, const struct grouptable_packed *packed);
/* The same; a group ends where the key changes. */
void grouptable_follow(struct grouptable *table, const struct grouptable_packed *packed);

/* Partial groups of one record each: a padded key, the values, and what is counted distinct. */
struct grouptable_partials {
	const uint8_t *rows; /* stride apart */
	size_t stride;
	const uint32_t *hashes;
	const size_t *distincts; /* a value each: where in a row its wide value is */
	uint32_t count;
};
void grouptable_add_partials(struct grouptable *table, const struct grouptable_partials *partials);

/* The part of a hash, of 2^bits: by its highest bits, as tables find slots by the lowest. */
static inline unsigned grouptable_part(uint32_t hash, unsigned bits)
{
	return (unsigned)((uint64_t)hash << bits >> 32);
}

/* The groups of a table, divided into parts. */
struct grouptable_parts;
/* 2^bits parts, GROUPTABLE_PARTS_MAX at most. from is kept, and stays as it is. */
#define GROUPTABLE_PARTS_MAX 64
struct grouptable_parts *grouptable_divide(const struct grouptable *from, unsigned bits);
void grouptable_parts_free(struct grouptable_parts *parts);
/* Add the groups of a part to another table of the same spec. */
void grouptable_merge(struct grouptable *table, struct grouptable_parts *parts, unsigned part);

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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Group records by a key of fields and compute values for each group: sums, minimum, maximum,
 * counts of distinct values. The engine of rwuniq and rwstats.
 *
 *	group_new(&group, &spec, err);
 *	while (source_next(source, batch, group_columns(group))) {
 *		group_add(group, batch, err);
 *	}
 *	group_finish(group, sorted, err);
 *	while ((st = group_next(group, &bin, err)) == ST_OK) {
 *		group_key(group, &bin, 0, &value);
 *		... bin.values[0] ...
 *	}
 *	group_free(group);
 *
 * With several threads each has a worker:
 *
 *	worker = group_worker_new(group);
 *	... group_worker_add(worker, batch, position, err) ...
 *	group_worker_free(worker);
 *
 * A worker has groups of its own as long as they are few, then adds to tables that all share, each
 * of them with the keys of one range of hashes and a lock of its own.
 *
 * When the bound on memory is reached, what there is goes to temporary files as partial groups,
 * which are merged on the way out.
 */
#ifndef TUSSAH_QUERY_GROUP_H
#define TUSSAH_QUERY_GROUP_H

#include "common/batch.h"
#include "common/field.h"

/* Bytes of all key fields together. */
#define GROUP_KEY_MAX 256

enum group_op {
	GROUP_RECORDS,
	GROUP_PACKETS,
	GROUP_BYTES,
	GROUP_START_MIN, /* ns, as int64 */
	GROUP_END_MAX,   /* ns, as int64 */
	GROUP_PAYLOAD,   /* bytes without headers, see query/flowrate.h */
	GROUP_TIME,      /* ns that the flows took together */
	GROUP_DISTINCT,  /* different values of a field */
	GROUP_FIRST,     /* the position of the first record in the input; the engine's own */
	GROUP_OP_COUNT,
};

struct group_value {
	enum group_op op;
	const struct field *field; /* GROUP_DISTINCT */
};

struct group_spec {
	const struct field *const *fields; /* kept while the group lives; may be none: one bin */
	size_t field_count;
	const struct group_value *values; /* copied */
	size_t value_count;
	int64_t bin_ns;        /* start and end times in keys are cut to multiples of this */
	bool binned;           /* somebody asked for that: see enum groupkey_form */
	int64_t unit_ns;       /* durations in keys, and times that are counted distinct, to this */
	uint64_t zero_ns;      /* GROUP_TIME: what counts for a flow that took no time */
	bool presorted;        /* a group ends where the key changes; groups stay in that order */
	bool in_order;         /* groups that are not sorted come as their first records came */
	unsigned threads;      /* that will have workers; 0: as 1 */
	uint64_t memory_bytes; /* 0: 1 GiB */
	const char *temp_dir;  /* kept */
};

struct group;

/* ST_OK, or ST_ELIMIT when the key is longer than GROUP_KEY_MAX. */
int group_new(struct group **out, const struct group_spec *spec, struct err *err);
void group_free(struct group *group);

/* COLUMN_BITs that group_add() reads. */
uint32_t group_columns(const struct group *group);

/* Add the selected rows. ST_OK or ST_EIO (temporary files). Not beside workers. */
int group_add(struct group *group, struct batch *batch, struct err *err);

struct group_worker;

/* Threads: one at a time for each worker; each of these for another worker at any time. */
struct group_worker *group_worker_new(struct group *group);
/* The same as group_add(); position + row is the place of the record in the input, below 2^63. */
int group_worker_add(struct group_worker *worker, struct batch *batch, uint64_t position,
		     struct err *err);
/* Hand in what the worker has; when no worker adds any more. ST_OK or ST_EIO. NULL is fine. */
int group_worker_free(struct group_worker *worker, struct err *err);

/*
 * No more rows, and no workers. sorted: bins come in ascending order of the key, as they do whenever
 * temporary files were needed; else as spec.in_order says, or in no particular order.
 */
int group_finish(struct group *group, bool sorted, struct err *err);

struct group_bin {
	const uint8_t *key;
	const uint64_t *values;
};

/* The next bin, borrowed until the next call. ST_OK, ST_END or ST_EIO. */
int group_next(struct group *group, struct group_bin *bin, struct err *err);

/*
 * How many bins group_get() gives, in the order of group_next(); 0 when they come from temporary
 * files, one after the other.
 */
uint64_t group_count(const struct group *group);
/* Bin number i, whose key goes into room for group_key_size() bytes. Threads: any number at once. */
void group_get(const struct group *group, uint64_t i, uint8_t *room, struct group_bin *bin);

/* Bytes of a key, for callers that copy it. */
size_t group_key_size(const struct group *group);

/* The value of key field number i. */
void group_key(const struct group *group, const uint8_t *key, size_t i, struct value *out);

#endif

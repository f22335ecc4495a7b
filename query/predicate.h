/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The partitioning switches of rwfilter, compiled into predicates over the columns of a batch.
 *
 *	struct predicates *tests = NULL;		// or through predicate_opt_table
 *	predicates_add(&tests, "dport", "80,443", err);
 *	predicates_add(&tests, "not-scidr", "10.0.0.0/8", err);
 *	predicates_finish(tests, err);
 *	...
 *	stream_read_batch(in, batch, predicates_columns(tests), err);
 *	predicates_narrow(tests, batch);		// batch->selection: the rows that pass all
 *
 * A predicate reads only its columns and only the rows that are still selected; cheap ones go
 * first, whatever the order of the switches. After predicates_finish() nothing changes any more,
 * so any number of threads may narrow, each its own batch.
 *
 * Times are compared in whole milliseconds and durations too, as SiLK stores them: a bound of
 * finer precision covers its millisecond.
 */
#ifndef TUSSAH_QUERY_PREDICATE_H
#define TUSSAH_QUERY_PREDICATE_H

#include <glib.h>

#include "common/batch.h"
#include "common/numlist.h"
#include "common/opt.h"
#include "storage/summary.h"

struct predicates;

struct predicate_opts {
	struct predicates *tests; /* NULL: no switch was given; predicates_free() */
};
extern const struct opt predicate_opt_table[];

/*
 * Add the test of a switch, by its exact name, to *tests, which is made when NULL. Returns ST_OK,
 * ST_EINVAL, or what reading an IPset file returned; errors say which switch.
 */
int predicates_add(struct predicates **tests, const char *name, const char *text, struct err *err);

/* Add tests that are worked out elsewhere: classes and types, and sensors. The sets are borrowed.
 */
void predicates_add_flowtypes(struct predicates **tests, const struct numset *flowtypes);
void predicates_add_sensors(struct predicates **tests, const struct numset *sensors);

/* Add the test whether the application of a TCP or UDP flow is known and neither of its ports. */
void predicates_add_mismatch(struct predicates **tests);

/* Add the test whether one of the ends (enum conficker_ends) is where Conficker.C looks for itself. */
struct conficker_seed;
void predicates_add_conficker(struct predicates **tests, unsigned ends,
			      const struct conficker_seed *seed);

/* Add the test whether a record is one of these; tuples is taken. */
struct tuples;
void predicates_add_tuples(struct predicates **tests, struct tuples *tuples);

/*
 * Add the test whether the source (or destination, or one of both: by sides) has one of these
 * values in a map, of addresses or of protocols and ports. name is kept, for messages; values is a
 * set of numbers as pointers.
 */
enum predicate_sides { PREDICATE_SOURCE = 1, PREDICATE_DESTINATION = 2, PREDICATE_EITHER = 3 };
struct pmap;
void predicates_add_map(struct predicates **tests, const char *name, const struct pmap *pmap,
			enum predicate_sides sides, GHashTable *values);

/* What a rate is divided by when the flow took no time; 400 microseconds until then. */
void predicates_set_zero_ns(struct predicates *tests, uint64_t zero_ns);

/* The extension columns that the tests look at; a batch must be told before it is read into. */
size_t predicates_extensions(const struct predicates *tests, const struct ie_key **keys);

/* Check the switches against each other and put the tests in order. NULL is fine. */
int predicates_finish(struct predicates *tests, struct err *err);

size_t predicates_count(const struct predicates *tests);

/* The i-th test in the order in which they run, and what it costs: "sport", "list of numbers". */
const char *predicates_name(const struct predicates *tests, size_t i);
const char *predicates_cost(const struct predicates *tests, size_t i);

/* The columns that all tests together need. */
uint32_t predicates_columns(const struct predicates *tests);

/*
 * What tests say of records of which a summary is known. Some: perhaps, that is; the other two are
 * certain.
 */
enum predicates_verdict {
	PREDICATES_NONE, /* none of the records passes */
	PREDICATES_SOME,
	PREDICATES_ALL, /* all of them pass */
};
enum predicates_verdict predicates_judge(const struct predicates *tests,
					 const struct summary *summary);

/*
 * Hashes (bloom_hash()) of the addresses of which every record that passes has one at least, as
 * source or destination, for address filters. Borrowed; 0: there is no such short list.
 */
size_t predicates_hashes(const struct predicates *tests, const uint64_t **hashes);

/* Keep the selected rows that pass every test. NULL: all pass. */
void predicates_narrow(const struct predicates *tests, struct batch *batch);

void predicates_free(struct predicates *tests);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set that rwsettool makes of its inputs, one after the other, in memory.
 *
 *	struct setresult *result = setresult_new(&opts);
 *	const struct setinputs inputs = { .paths = paths, .count = count,
 *					  .choose = setresult_choose, .take = setresult_take,
 *					  .arg = result };
 *	setinputs_read(&inputs);
 *	status = setresult_finish(result, &err);
 *	... setresult_set(result) or setresult_seen(result) ...
 *	setresult_free(result);
 */
#ifndef TUSSAH_QUERY_SETRESULT_H
#define TUSSAH_QUERY_SETRESULT_H

#include "query/setinputs.h"
#include "storage/ipsetalgebra.h"

enum setresult_op {
	SETRESULT_UNION,
	SETRESULT_INTERSECT,
	SETRESULT_DIFFERENCE,
	SETRESULT_SYMMETRIC_DIFFERENCE,
	SETRESULT_MASK, /* of the union, as the next two */
	SETRESULT_FILL,
	SETRESULT_SAMPLE,
	SETRESULT_OPS,
};

/* A time that may not be given. */
struct setresult_time {
	bool given;
	int64_t ms;
};

struct setresult_opts {
	enum setresult_op op;
	bool growing;   /* the order of insertions shows in what is written of the result */
	uint8_t prefix; /* of blocks */
	uint64_t size;  /* of the sample of each input; 0: by ratio */
	double ratio;
	uint64_t seed;
	bool with_times; /* the result has times: SETRESULT_UNION only */
	/* Addresses that were last seen then or later, and before then; inputs must have times. */
	struct setresult_time since;
	struct setresult_time before;
};

struct setresult;

/* opts: kept. */
struct setresult *setresult_new(const struct setresult_opts *opts);
void setresult_free(struct setresult *result);

/* Must inputs have times? */
bool setresult_needs_times(const struct setresult_opts *opts);
/*
 * Is it the algebra of storage/ipsetalgebra.h, and nothing else is done to inputs or result? Then
 * *op is the operation.
 */
bool setresult_is_plain(const struct setresult_opts *opts, enum ipset_op *op);
/* Does each input grow the result by what tells a history? Then all must be taken in. */
bool setresult_grows(const struct setresult_opts *opts);

/* For struct setinputs; result is a struct setresult. */
setinputs_read_fn setresult_choose(void *result, const char *path, bool is_first);
void setresult_take(void *result, const struct setinput *input);
/* Instead of both: what was made of the files, the first of which is path. changed: it is not that
 * set. set: taken. */
void setresult_use(struct setresult *result, struct ipset *set, bool changed, const char *path);

/*
 * Make it what is to be written. ST_OK, or ST_ELIMIT: too many blocks. A file that must be read
 * again, and cannot be, ends the program.
 */
int setresult_finish(struct setresult *result, struct err *err);
/* Borrowed. One of both is NULL. */
struct ipset *setresult_set(struct setresult *result);
struct sightings *setresult_seen(struct setresult *result);

#endif

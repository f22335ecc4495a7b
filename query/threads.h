/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --threads=N of tools whose results do not depend on it.
 *
 *	OPT_GROUP(struct cut_opts, threads, threads_opt_table),
 *	...
 *	crew.threads = threads_wanted(&opts->threads);
 */
#ifndef TUSSAH_QUERY_THREADS_H
#define TUSSAH_QUERY_THREADS_H

#include "common/field.h"
#include "common/opt.h"

#define THREADS_MAX 1024

struct threads_opts {
	uint64_t threads; /* 0: not given */
};
extern const struct opt threads_opt_table[];

/* That many, or as many as the program may use processors; at least 1. */
unsigned threads_wanted(const struct threads_opts *opts);

/*
 * The same for work on these fields: those that are made at run time keep texts and look up maps,
 * which one thread may do.
 */
unsigned threads_for_fields(unsigned threads, const struct field *const *fields, size_t count);

#endif

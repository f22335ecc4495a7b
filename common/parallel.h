/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbered parts of some work, done by several threads at once.
 *
 *	parallel_run(threads, count, sort_part, &work);	// sort_part(&work, 0, i) ...
 */
#ifndef TUSSAH_COMMON_PARALLEL_H
#define TUSSAH_COMMON_PARALLEL_H

#include <stddef.h>

/* Do part number i, as thread number thread, which has one part at a time. */
typedef void (*parallel_fn)(void *arg, unsigned thread, size_t i);

/*
 * Returns when all parts are done, each once, in no particular order. The caller's thread is one of
 * the threads, number 0; no other is started for one thread or one part, or where the system has
 * none to give.
 */
void parallel_run(unsigned threads, size_t count, parallel_fn fn, void *arg);

#endif

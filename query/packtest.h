/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that tell records which no router would have sent: of a damaged file, or of a device that
 * counts wrong (silk-packing.md 9.1). Each has a limit, and a count of records that may be beyond
 * it before the file as a whole is unusual.
 *
 *	struct packtest *tests = packtest_new();
 *	st = packtest_set_value(tests, "max-packets", "500", err);
 *	st = packtest_set_allowed(tests, "max-packets", "3", err);
 *	packtest_begin_file(tests);
 *	packtest_take(tests, batch);			// all columns
 *	if (packtest_is_unusual(tests)) {
 *		packtest_print(tests, false, stdout);
 *	}
 *	packtest_free(tests);
 */
#ifndef TUSSAH_QUERY_PACKTEST_H
#define TUSSAH_QUERY_PACKTEST_H

#include <stdio.h>

#include "common/batch.h"
#include "common/err.h"
#include "common/text.h"

struct packtest;

struct packtest *packtest_new(void);
void packtest_free(struct packtest *tests);

/*
 * The limit of a test, or the list (numbers, flag combinations, or the path of an IPset) of one
 * that is not made without; the name may be cut to a unique prefix. ST_EINVAL with the reason.
 */
int packtest_set_value(struct packtest *tests, const char *name, const char *text, struct err *err);
/* How many records may fail. A test that has no list yet is made with an empty one. */
int packtest_set_allowed(struct packtest *tests, const char *name, const char *text,
			 struct err *err);

/* The counts of single tests go on over all files, as SiLK's do; only those of records begin anew.
 */
void packtest_begin_file(struct packtest *tests);
void packtest_take(struct packtest *tests, const struct batch *batch);
/* Did a record of this file fail, and has some test failed more often than it may? */
bool packtest_is_unusual(const struct packtest *tests);
/* The lines under the name of the file: all tests, or those that failed more often than they may.
 */
void packtest_print(const struct packtest *tests, bool all, FILE *out);
/* The same as rows of a table with packtest_columns: first that of the records (test "any"). */
extern const char *const packtest_columns[];
void packtest_put(const struct packtest *tests, bool all, const char *file, struct text *table);

#endif

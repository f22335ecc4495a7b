/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of block files share: records with values from everywhere, files of them. */
#ifndef TUSSAH_TESTS_BLOCKRECORDS_H
#define TUSSAH_TESTS_BLOCKRECORDS_H

#include <glib.h>

#include "storage/blockwriter.h"

#define BLOCKRECORDS_HOUR_NS INT64_C(1709618400000000000)
#define BLOCKRECORDS_SENSOR  7
#define BLOCKRECORDS_TYPE    3

/* A record with edge values in any column. */
struct record blockrecords_edge(GRand *rand);
/* A record such as an hour has; number makes the start times ascend by and large. */
struct record blockrecords_usual(GRand *rand, unsigned number);

bool blockrecords_equal(const struct record *a, const struct record *b);
/* Fail for the first that differs. */
void blockrecords_assert(const GArray *got, const GArray *want);

/* Append records first..first+count to path, as one block. */
void blockrecords_append(const char *path, const GArray *records, size_t first, size_t count,
			 uint8_t compression);

/*
 * All records that can be read from path, in a GArray of struct record, which is returned. Lines of
 * damage met are counted; -1 when the file cannot be opened.
 */
GArray *blockrecords_read(const char *path, int *damage);
/* The same from a descriptor, which is taken. */
GArray *blockrecords_read_fd(int fd, const char *path, int *damage);

#endif

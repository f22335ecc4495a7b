/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers and lists of numbers as SiLK writes them: "80,443,8000-8100", "10-", "0x1F" is not one.
 */
#ifndef TUSSAH_COMMON_NUMLIST_H
#define TUSSAH_COMMON_NUMLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/*
 * One unsigned decimal number in min..max; the whole text must be used, blanks around it and a
 * plus sign before it do not matter. Errors are worded as SiLK's: "Value is below minimum of 1",
 * "Value is above maximum of 9", "Unexpected character 'x'", "Extra text follows value", "Value
 * overflows the parser", "Input is empty or all whitespace". *out is untouched on failure.
 */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err);

/* One decimal fraction such as 0.5 or 1e3. */
int real_parse(const char *text, double min, double max, double *out, struct err *err);

/* A size in bytes with k m g t suffix (1024-based), such as "1.5g"; cut to whole bytes. */
int size_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err);

struct number_range {
	uint64_t first; /* inclusive */
	uint64_t last;  /* inclusive */
};

/* "N", "N-M", "N-" (open end becomes max). */
int range_parse(const char *text, uint64_t min, uint64_t max, struct number_range *out,
		struct err *err);

/* As range_parse, of decimal fractions. */
struct real_range {
	double first; /* inclusive */
	double last;  /* inclusive */
};

int real_range_parse(const char *text, double min, double max, struct real_range *out,
		     struct err *err);

/* A list of numbers and ranges below 65536 as a bitmap. Embeddable, plain data. */
struct numset {
	uint64_t bits[1024];
};

int numset_parse(const char *text, unsigned max, struct numset *out, struct err *err);
static inline void numset_add(struct numset *set, uint16_t number)
{
	set->bits[number >> 6] |= UINT64_C(1) << (number & 63);
}

static inline bool numset_contains(const struct numset *set, uint16_t number)
{
	return set->bits[number >> 6] >> (number & 63) & 1;
}

/*
 * A list of numbers in the order written, ranges unfolded; repeats kept. Calls fn for each and
 * stops when it returns non-zero, returning that.
 */
typedef int (*numlist_fn)(void *arg, uint64_t number);
int numlist_each(const char *text, uint64_t min, uint64_t max, numlist_fn fn, void *arg,
		 struct err *err);

#endif

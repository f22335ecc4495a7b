/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sample of the distinct addresses of a stream of records, each as likely as any other however
 * often it is met: those whose hashes are the smallest. Memory is that of the sample.
 */
#ifndef TUSSAH_TESTS_PERF_SAMPLE_H
#define TUSSAH_TESTS_PERF_SAMPLE_H

#include <stdio.h>

#include "common/record.h"

struct sample;

struct sample *sample_new(size_t size, uint64_t seed);
void sample_free(struct sample *sample);
/* Both of its addresses. */
void sample_add(struct sample *sample, const struct record *rec);
/* One address a line, in no meaningful order. */
void sample_print(const struct sample *sample, FILE *out);

#endif

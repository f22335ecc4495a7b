/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What rwfilter prints of a run: --print-statistics, --print-volume-statistics, --explain. */
#ifndef TUSSAH_QUERY_FILTERREPORT_H
#define TUSSAH_QUERY_FILTERREPORT_H

#include <stdio.h>

#include "query/filter.h"

/* The same as one row of counts; format as for text_data_new(), not 0. */
int filter_print_data(FILE *out, int format, const struct filter *filter,
		      const struct filter_stats *stats, struct err *err);

/* The table of volumes when they were counted, else one line. */
void filter_print_statistics(FILE *out, const struct filter *filter,
			     const struct filter_stats *stats);

/* The tests in their order, and what was read and what not, and why. */
void filter_explain(FILE *out, const struct filter *filter, const struct filter_stats *stats);

#endif

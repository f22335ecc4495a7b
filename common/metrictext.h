/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is counted, as Prometheus reads it (text format 0.0.4): samples are added in any order, each
 * family is written once with its help, type and all its samples.
 *
 *	struct metrictext *text = metrictext_new(METRICTEXT_BYTES_MAX);
 *	const struct metriclabel labels[] = { { "probe", "P1" }, { NULL, NULL } };
 *	metrictext_add(text, &(struct metricfamily){ "tussah_queue_depth", "...", METRIC_GAUGE },
 *		       labels, depth);
 *	metrictext_add_table(text, "tussah_probe", names, values, COUNT, labels);
 *	body = metrictext_finish(text, &len);	// frees text
 *	g_free(body);
 *
 * One thread.
 */
#ifndef TUSSAH_COMMON_METRICTEXT_H
#define TUSSAH_COMMON_METRICTEXT_H

#include "common/metrics.h"

enum metric_kind {
	METRIC_COUNTER, /* only grows; "_total" is put behind its name */
	METRIC_GAUGE,
};

struct metricfamily {
	const char *name; /* [a-z0-9_-]; hyphens become underscores */
	const char *help;
	enum metric_kind kind;
};

struct metriclabel {
	const char *name; /* [a-z_]; NULL ends a list */
	const char *value;
};

#define METRICTEXT_BYTES_MAX ((size_t)8 << 20)

struct metrictext;

/* max_bytes: what the samples may take; those over it are left out, and counted in the text. */
struct metrictext *metrictext_new(size_t max_bytes);
/* labels: NULL or a list. All is copied. */
void metrictext_add(struct metrictext *text, const struct metricfamily *family,
		    const struct metriclabel *labels, uint64_t value);
/* In the family's unit, as seconds of "..._seconds". */
void metrictext_add_real(struct metrictext *text, const struct metricfamily *family,
			 const struct metriclabel *labels, double value);
/* Counters of common/metrics.h: families prefix_name_total. */
void metrictext_add_table(struct metrictext *text, const char *prefix, const struct metric *table,
			  const _Atomic uint64_t *values, size_t count,
			  const struct metriclabel *labels);
/* Returned: g_free(), with NUL behind its *len bytes. text is freed. */
char *metrictext_finish(struct metrictext *text, size_t *len);

#endif

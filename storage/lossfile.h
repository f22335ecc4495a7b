/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known to be missing from the repository, by hour, sensor and probe: one small text file a
 * day beside the data (storage/FORMAT.md section 10). Packers add lines, readers sum them.
 *
 *	struct loss loss = { .values = { [LOSS_RECEIVED] = 1000, [LOSS_MISSING] = 7 } };
 *	rc = lossfile_add(&place, hour_ns, "S0", "P0", &loss, err);
 *
 *	rc = lossfile_each(root, first_hour_ns, last_hour_ns, take, arg, err);
 */
#ifndef TUSSAH_STORAGE_LOSSFILE_H
#define TUSSAH_STORAGE_LOSSFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/hourlines.h"

#define LOSSFILE_FOLDER ".loss" /* in the root; no path format makes names in it */

enum loss_kind {
	LOSS_RECEIVED,        /* records that came in; not a loss */
	LOSS_MISSING,         /* records, by sequence numbers of exporters that count them */
	LOSS_MISSING_PACKETS, /* datagrams, by sequence numbers of those that count them */
	LOSS_KERNEL,          /* datagrams that found the socket's buffer full */
	LOSS_REJECTED,     /* messages that could not be decoded: what was in them, if anything, the
			       exporter's numbers tell */
	LOSS_UNKNOWN_SETS, /* data sets whose template never came */
	LOSS_DROPPED,      /* records that could not be written */
	LOSS_JOURNAL,      /* messages that found the journal full */
	LOSS_CLOCK_OFF,    /* records filed under their time of arrival; not a loss */
	LOSS_KINDS,
};

struct loss_row {
	const char *name;
	bool is_loss; /* what the repository is short of */
	const char *unit;
};
extern const struct loss_row loss_rows[LOSS_KINDS];

/* The sensor in a line of a collector that knows probes alone. */
#define LOSSFILE_NO_SENSOR "-"

/* Differences or sums; what was missing and came late is taken off, so they may be negative. */
struct loss {
	int64_t values[LOSS_KINDS];
};

void loss_add(struct loss *sum, const struct loss *more);
/* How much is lost, of all kinds together; never negative. */
uint64_t loss_total(const struct loss *loss);

/* Add a line. The folder and the file are made as needed; several packers may add at the same time.
 * sensor and probe are names without blanks. ST_OK, ST_EIO. */
int lossfile_add(const struct hourlines_place *place, int64_t hour_ns, const char *sensor,
		 const char *probe, const struct loss *loss, struct err *err);

/* The probe of such a line; NULL: it names its sensor, or is none. Returned: g_free(). */
char *lossfile_line_probe(const char *line);
/* The same line of this sensor. Returned: g_free(). */
char *lossfile_line_of(const char *line, const char *sensor);

/*
 * Visit every line of the hours from first to last. Lines that are damaged, or end in the middle,
 * are passed over. ST_OK, also when there is no file; ST_EIO: one cannot be read.
 */
typedef void (*lossfile_fn)(void *arg, int64_t hour_ns, const char *sensor, const char *probe,
			    const struct loss *loss);
int lossfile_each(const char *root, int64_t first_hour_ns, int64_t last_hour_ns, lossfile_fn fn,
		  void *arg, struct err *err);
/* The same of all hours that there are. */
int lossfile_each_hour(const char *root, lossfile_fn fn, void *arg, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reports of rwscanquery that are text: every scan, as people or as databases read it, or the
 * sums of each day.
 *
 *	struct scanreport *report = scanreport_open(SCANREPORT_VOLUME, fd, &style);
 *	while (scandb_next(db, &row, err) == ST_OK) {
 *		scanreport_add(report, &row);
 *	}
 *	status = scanreport_close(report, err);
 */
#ifndef TUSSAH_QUERY_SCANREPORT_H
#define TUSSAH_QUERY_SCANREPORT_H

#include "common/text.h"
#include "query/scanrow.h"

enum scanreport_kind {
	SCANREPORT_STANDARD,
	SCANREPORT_VOLUME, /* rows come in the order of their starts */
	SCANREPORT_EXPORT, /* never in columns */
};

struct scanreport;

/* fd is borrowed; style is as for text_new(), but that columns have no separator but a blank. */
struct scanreport *scanreport_open(enum scanreport_kind kind, int fd,
				   const struct text_style *style);
void scanreport_add(struct scanreport *report, const struct scanrow *row);
/* Print what is left, and free; ST_OK, or the first failed write: ST_EIO, ST_ELIMIT. */
int scanreport_close(struct scanreport *report, struct err *err);

#endif

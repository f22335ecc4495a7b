/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incremental files as the packer makes them for another host: a file for each type, sensor and
 * hour, made in one folder and moved to another when it is whole.
 *
 *	files = incremental_new(&opts);
 *	rc = incremental_write(files, rec, err); ...
 *	rc = incremental_flush(files, err);
 *	incremental_free(files);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_INCREMENTAL_H
#define TUSSAH_QUERY_INCREMENTAL_H

#include "common/record.h"
#include "common/site.h"
#include "storage/stream.h"

struct incremental_opts {
	const struct site *site; /* kept, as all of these */
	const char *processing;  /* the folder where files are made */
	const char *output;      /* where they go */
	size_t files_max;        /* open at a time; when there are more, all are moved */
	uint8_t compression;     /* enum compression */
	bool no_silk_version;
};

struct incremental;

struct incremental *incremental_new(const struct incremental_opts *opts);
/* What was not flushed stays in the processing folder. */
void incremental_free(struct incremental *files);

/* ST_OK; ST_EINVAL: the type or sensor is not of the site; ST_EIO and so on. */
int incremental_write(struct incremental *files, const struct record *rec, struct err *err);
/* Move all files to where they go. */
int incremental_flush(struct incremental *files, struct err *err);

#endif

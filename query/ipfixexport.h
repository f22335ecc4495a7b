/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flow records as IPFIX messages in a file, by the templates that rwsilk2ipfix has: one for each
 * kind of record, or one for all. Times are milliseconds. With the many, extension columns are
 * written, too, and numbers that SiLK has no room for.
 *
 *	ipfixexport_new(&export, &opts, sink, err);
 *	ipfixexport_write(export, batch, err); ...
 *	ipfixexport_finish(export, err);
 *	ipfixexport_free(export);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_IPFIXEXPORT_H
#define TUSSAH_QUERY_IPFIXEXPORT_H

#include "common/batch.h"
#include "common/site.h"
#include "storage/bytesink.h"

struct ipfixexport_opts {
	bool single_template;
	const struct site *names; /* for elements with names of sensors and types; NULL: none */
};

struct ipfixexport;

/* The sink is kept. Templates come first. *out: free with ipfixexport_free(). ST_OK, ST_EIO. */
int ipfixexport_new(struct ipfixexport **out, const struct ipfixexport_opts *opts,
		    struct bytesink *sink, struct err *err);
void ipfixexport_free(struct ipfixexport *export);

/* The selected rows of a batch that has all columns. ST_OK, ST_EIO. */
int ipfixexport_write(struct ipfixexport *export, const struct batch *batch, struct err *err);
/* Records that were written without their extension columns: there were too many kinds of them. */
uint64_t ipfixexport_left_out(const struct ipfixexport *export);
/* Write what is buffered. ST_OK, ST_EIO. */
int ipfixexport_finish(struct ipfixexport *export, struct err *err);

#endif

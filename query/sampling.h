/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --sampling=scale: packets and bytes of records of which only every n-th packet was seen, times n.
 * The rate is the extension column samplingInterval or samplingPacketInterval; records that have
 * none stay as they are.
 *
 *	OPT_GROUP(struct cut_opts, sampling, sampling_opt_table),
 *	...
 *	sampling_want(&opts->sampling, batch);		// last: behind extfields_want()
 *	while (source_next(source, batch, columns)) {
 *		sampling_scale(&opts->sampling, batch);
 */
#ifndef TUSSAH_QUERY_SAMPLING_H
#define TUSSAH_QUERY_SAMPLING_H

#include "common/batch.h"
#include "common/opt.h"

struct sampling_opts {
	int mode;
};
extern const struct opt sampling_opt_table[];

/* Have the batch hold the rates, if they are asked for, as its last extension columns. */
void sampling_want(const struct sampling_opts *opts, struct batch *batch);
/* Multiply what the batch holds of packets and bytes, up to the greatest number. */
void sampling_scale(const struct sampling_opts *opts, struct batch *batch);

#endif

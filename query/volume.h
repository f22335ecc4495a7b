/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records, bytes and packets of a bin, and the switches --min-bytes, --max-bytes and their like
 * that say which bins are of interest.
 *
 *	OPT_GROUP(struct total_opts, limits, volume_limits_opt_table)
 *	static const struct total_opts defaults = { .limits = VOLUME_LIMITS_NONE };
 *	...
 *	if (volume_limits_check(&opts->limits, err) != ST_OK) ...
 *	if (volume_passes(&volume, &opts->limits)) ...
 */
#ifndef TUSSAH_QUERY_VOLUME_H
#define TUSSAH_QUERY_VOLUME_H

#include "common/opt.h"

struct volume {
	uint64_t records;
	uint64_t bytes;
	uint64_t packets;
};

struct volume_limits {
	struct volume min;
	struct volume max;
};
extern const struct opt volume_limits_opt_table[];

#define VOLUME_LIMITS_NONE                                                                         \
	{                                                                                          \
		.max = { UINT64_MAX, UINT64_MAX, UINT64_MAX },                                     \
	}

/* No bin without records, bytes or packets passes, either. */
void volume_limits_skip_zeroes(struct volume_limits *limits);
/* ST_OK, or ST_EINVAL when no bin can pass. */
int volume_limits_check(const struct volume_limits *limits, struct err *err);
/* Is there anything that does not pass? */
bool volume_limits_given(const struct volume_limits *limits);

void volume_add(struct volume *sum, const struct volume *volume);
bool volume_passes(const struct volume *volume, const struct volume_limits *limits);

#endif

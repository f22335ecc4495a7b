/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switch --compression-method and the variable that stands in for it.
 *
 *	OPT_CALL(struct tool_opts, compression, "compression-method", 0, "METHOD",
 *		 compressionopt_parse, 0, "compress the output: ...")
 *	...
 *	write.compression = compressionopt_choose(&opts->compression,
 *						  getenv("SILK_COMPRESSION_METHOD"));
 */
#ifndef TUSSAH_STORAGE_COMPRESSIONOPT_H
#define TUSSAH_STORAGE_COMPRESSIONOPT_H

#include "common/opt.h"
#include "storage/header.h"

struct compressionopt {
	bool given;
	enum compression method;
};

int compressionopt_parse(const struct opt *opt, const char *text, void *dest, struct err *err);

/* An enum compression: what was given; else what the variable's value (NULL: not set) names, if it
 * names one; else the default. */
uint8_t compressionopt_choose(const struct compressionopt *opt, const char *variable);

/* ST_EINVAL: the variable's value (NULL or empty: not set) names no method, so that
 * compressionopt_choose() passes over it; the reason is for a warning. */
int compressionopt_check(const char *variable, struct err *err);

#endif

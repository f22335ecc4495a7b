/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switch --compression-method and the variable that stands in for it.
 *
 *	OPT_CALL(struct tool_opts, compression, "compression-method", 0, "METHOD",
 *		 compressionopt_parse, 0, "compress the output: ...")
 *	...
 *	standin_check(compressionopt_standins, ...);
 *	write.compression = compressionopt_choose(&opts->compression,
 *						  getenv(COMPRESSIONOPT_VARIABLE));
 */
#ifndef TUSSAH_STORAGE_COMPRESSIONOPT_H
#define TUSSAH_STORAGE_COMPRESSIONOPT_H

#include "common/opt.h"
#include "common/standin.h"
#include "storage/header.h"

#define COMPRESSIONOPT_VARIABLE "SILK_COMPRESSION_METHOD"

struct compressionopt {
	bool given;
	enum compression method;
};

int compressionopt_parse(const struct opt *opt, const char *text, void *dest, struct err *err);

/* An enum compression: what was given; else what the variable's value (NULL: not set) names, if it
 * names one; else the default. */
uint8_t compressionopt_choose(const struct compressionopt *opt, const char *variable);

/* That a variable which names no method is told, and passed over by compressionopt_choose(). */
extern const struct standin compressionopt_standins[];

#endif

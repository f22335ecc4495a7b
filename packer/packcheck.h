/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rwflowpack --check-config: is everything there that starting needs? Nothing is written, no port
 * is opened. The site and sensor.conf have been read already.
 *
 *	if (packcheck(&opts, conf, print_line, NULL) > 0) { ... }
 */
#ifndef TUSSAH_PACKER_PACKCHECK_H
#define TUSSAH_PACKER_PACKCHECK_H

#include "packer/packopts.h"
#include "packer/sensorconf.h"

/* One finding, a line without its end; ok: it is as it should be. */
typedef void (*packcheck_fn)(void *arg, bool ok, const char *text);

/* conf NULL: none is needed. Files are looked at as --user from then on. Returns how many findings
 * are not ok. */
unsigned packcheck(const struct packopts *opts, const struct sensorconf *conf, packcheck_fn fn,
		   void *arg);

#endif

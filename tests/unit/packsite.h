/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sample site and sensor configurations for the packer's tests. */
#ifndef TUSSAH_TESTS_PACKSITE_H
#define TUSSAH_TESTS_PACKSITE_H

#include "packer/sensorconf.h"

/* Free with site_free(). Never NULL. */
struct site *packsite_load(void);

/* Write text to a scratch file; static buffer with its path. */
const char *packsite_file(const char *name, const char *text);

/* Load text as a sensor.conf; a failure is a failed assertion that shows the complaints. */
struct sensorconf *packsite_sensorconf(const struct site *site, enum packlogic logic,
				       const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TUSSAH_COMMON_PROCESSORS_H
#define TUSSAH_COMMON_PROCESSORS_H

/* How many processors this process may use now; at least 1. */
unsigned processors_count(void);

#endif

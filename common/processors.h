/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TUSSAH_COMMON_PROCESSORS_H
#define TUSSAH_COMMON_PROCESSORS_H

/* How many processors this process may use now; at least 1. */
unsigned processors_count(void);

/*
 * From now on this thread is so much nicer than it was (or less so, with a negative number, which
 * only the privileged may be): which of several threads goes first when there are not
 * processors enough for all. What the system refuses stays as it is.
 */
void processors_be_nicer(int by);

#endif

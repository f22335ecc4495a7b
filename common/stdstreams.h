/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that is started without standard input, output or error gets those numbers for the
 * first files it opens, and messages for people end in the middle of a file of records.
 */
#ifndef TUSSAH_COMMON_STDSTREAMS_H
#define TUSSAH_COMMON_STDSTREAMS_H

/*
 * First of all in main(): occupy the numbers 0 to 2 that are closed. Reading and writing them fails
 * as before.
 */
void stdstreams_guard(void);

#endif

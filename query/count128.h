/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of IPv6 addresses as text. */
#ifndef TUSSAH_QUERY_COUNT128_H
#define TUSSAH_QUERY_COUNT128_H

#include <stddef.h>

#define COUNT128_TEXT_MAX 40 /* 39 digits and a NUL */

/*
 * Decimal digits of count, NUL-terminated; returns how many. The number of all addresses, 2^128,
 * does not fit and is handed in as 0 with wrapped set.
 */
size_t count128_print(char *out, unsigned __int128 count, int wrapped);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal digits, written fast: two at a time from a table. No NUL is written. */
#ifndef TUSSAH_COMMON_DECIMAL_H
#define TUSSAH_COMMON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_U64_MAX 20 /* digits of UINT64_MAX */

/* Without leading zeros; out holds DECIMAL_U64_MAX bytes. Returns how many were written. */
size_t decimal_print(char *out, uint64_t number);

/* Exactly digits digits, zeros in front; number must fit. */
void decimal_print_padded(char *out, uint32_t number, unsigned digits);

#endif

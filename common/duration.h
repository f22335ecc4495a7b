/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lengths of time: uint64 nanoseconds; SiLK shows them as seconds with three decimals. */
#ifndef TUSSAH_COMMON_DURATION_H
#define TUSSAH_COMMON_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define DURATION_TEXT_MAX 32

/* "12", "12.345" seconds; also with a unit: ns us ms s m h d ("5m", "1h30m"). */
int duration_parse(const char *text, uint64_t *out_ns, struct err *err);
/* "12.345" with the given number of decimals 0..9, cut. Returns the length. */
size_t duration_print(char *out, uint64_t ns, unsigned decimals);

#endif

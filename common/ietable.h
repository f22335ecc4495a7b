/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows that common/iemodel.c adds to libfixbuf's. Inside common only. */
#ifndef TUSSAH_COMMON_IETABLE_H
#define TUSSAH_COMMON_IETABLE_H

#include "common/iemodel.h"

extern const struct ie ie_additions[];
extern const size_t ie_additions_count;

#endif

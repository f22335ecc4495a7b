/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of all row formats, for rowformat.c alone. */
#ifndef TUSSAH_STORAGE_ROWLAYOUT_H
#define TUSSAH_STORAGE_ROWLAYOUT_H

#include "storage/rowcodec.h"

/* Ends with a row of length 0. */
extern const struct rowformat rowlayout_formats[];

#endif

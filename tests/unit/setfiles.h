/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbered set files, that are to be put together. */
#ifndef TUSSAH_TESTS_UNIT_SETFILES_H
#define TUSSAH_TESTS_UNIT_SETFILES_H

#include <glib.h>

#include "storage/ipset.h"
#include "storage/ipsetalgebra.h"

#define SETFILES_OPS 4
extern const enum ipset_op setfiles_ops[SETFILES_OPS];

/* A number below limit. */
uint32_t setfiles_random(GRand *rand, uint32_t limit);
/* Where file number i is; returned: g_free(). */
char *setfiles_path(size_t i);
void setfiles_write(const struct ipset *set, size_t i, uint16_t version, uint8_t compression);

#endif

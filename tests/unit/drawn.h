/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records and tests drawn at random, often at the edges of what there can be. */
#ifndef TUSSAH_TESTS_UNIT_DRAWN_H
#define TUSSAH_TESTS_UNIT_DRAWN_H

#include <glib.h>

#include "common/record.h"

void drawn_record(GRand *rng, struct record *rec);

/* The text of a test by the switch name; false: none is made for that one. */
bool drawn_test(GRand *rng, const char *name, char *text, size_t size);

#endif

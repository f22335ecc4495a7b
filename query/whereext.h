/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Comparisons with values of extension columns, whose type is known only when a block is read: a
 * word is parsed as everything that it could be, and then compared as what the column holds.
 */
#ifndef TUSSAH_QUERY_WHEREEXT_H
#define TUSSAH_QUERY_WHEREEXT_H

#include "common/field.h"

struct whereext;

/* Values, or ranges "a-b" of numbers, addresses and times; one of them must fit. Returned. */
struct whereext *whereext_new(void);
void whereext_free(struct whereext *ext);
void whereext_add(struct whereext *ext, const char *word);
/* What is below (or above) the word; or_equal: or the same. */
void whereext_add_half(struct whereext *ext, const char *word, bool below, bool or_equal);

/* Could the word be of this kind at all? For messages. */
bool whereext_fits(const struct field *field, const char *word);

/* Does a value that is there fit one of them? */
bool whereext_has(const struct whereext *ext, const struct value *value, const struct field *field);

#endif

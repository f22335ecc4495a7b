/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counters of a wide bag: a hash table of 128-bit keys, split by the hash into parts that grow
 * one at a time, so that growing never holds two whole tables. To be walked, every part is packed
 * and sorted where it lies, and the parts are merged; the next change makes it a hash table again.
 */
#ifndef TUSSAH_STORAGE_BAGWIDE_H
#define TUSSAH_STORAGE_BAGWIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"

struct bagwide;

struct bagwide *bagwide_new(void);
void bagwide_free(struct bagwide *wide);

uint64_t bagwide_count(const struct bagwide *wide);
/* The counter of key, 0 when new; the caller makes it more than 0 before the next call. */
uint64_t *bagwide_find(struct bagwide *wide, struct ip key);
uint64_t bagwide_get(const struct bagwide *wide, struct ip key);
/* Forget a key, if it is there. */
void bagwide_remove(struct bagwide *wide, struct ip key);

struct bagwide_walk;

struct bagwide_walk *bagwide_walk_new(struct bagwide *wide);
bool bagwide_walk_next(struct bagwide_walk *walk, struct ip *key, uint64_t *counter);
void bagwide_walk_free(struct bagwide_walk *walk);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many lines a minute may be logged about each of many, by kinds of lines: a probe that is
 * flooded does not hide what there is to say of another. From any thread.
 *
 *	static const struct log_rate rates[KINDS] = { ... };
 *	struct loglimits *limits = loglimits_new(rates, KINDS, 1024);
 *	if (loglimits_ok(limits, probe, KIND_DAMAGED, &held_back)) ...
 */
#ifndef TUSSAH_PACKER_LOGLIMITS_H
#define TUSSAH_PACKER_LOGLIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"

struct loglimits;

/* rates: kept, one for each kind. More names than names_max share one limit. */
struct loglimits *loglimits_new(const struct log_rate *rates, size_t kinds, size_t names_max);
void loglimits_free(struct loglimits *limits);

/* As log_limit_ok(), for the lines of this kind about name. */
bool loglimits_ok(struct loglimits *limits, const char *name, unsigned kind, uint64_t *held_back);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that peers may make us keep, in bytes: so much for each, and so much for all together,
 * whoever they say they are. What is taken is an estimate, made once for each thing that is kept.
 *
 *	struct budget all = { .max = 1 << 30 };
 *	struct budget one = { .max = 32 << 20, .all = &all };
 *	if (!budget_take(&one, 4096)) { refuse; }
 *	...
 *	budget_give(&one, 4096);
 */
#ifndef TUSSAH_PACKER_BUDGET_H
#define TUSSAH_PACKER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	uint64_t used;
	uint64_t max;
	struct budget *all; /* borrowed; NULL: only this one counts */
};

/* false: nothing is taken. */
static inline bool budget_take(struct budget *budget, uint64_t bytes)
{
	struct budget *all = budget->all;

	if (bytes > budget->max - budget->used || (all && bytes > all->max - all->used)) {
		return false;
	}
	budget->used += bytes;
	if (all) {
		all->used += bytes;
	}
	return true;
}

static inline void budget_give(struct budget *budget, uint64_t bytes)
{
	budget->used -= bytes;
	if (budget->all) {
		budget->all->used -= bytes;
	}
}

#endif

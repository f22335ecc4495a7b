/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking through the entries of one segment, past damage. Readers, recovery and counting share it.
 *
 *	journal_walk_init(&walk, key, first, fill, ctx);
 *	while ((st = journal_walk_next(&walk, &entry, err)) != ST_END) {
 *		if (st == ST_OK) { use(&entry); } else if (st == ST_EFORMAT) { entry.lost are gone;
 *} else { fail; }
 *	}
 *	journal_walk_release(&walk);
 */
#ifndef TUSSAH_COMMON_JOURNALWALK_H
#define TUSSAH_COMMON_JOURNALWALK_H

#include "common/journal.h"

struct journal_walk;

/* Put up to room bytes from offset on to `to`; *got 0: there are no more. May set walk->limit. Says
 * with walk->fresh where bytes begin that are no file's (UINT64_MAX: nowhere). */
typedef int (*journal_fill_fn)(struct journal_walk *walk, uint64_t offset, uint8_t *to, size_t room,
			       size_t *got, struct err *err);

struct journal_walk {
	uint64_t key;
	uint64_t next;       /* position of the next entry */
	uint64_t limit;      /* last position that may be in the segment */
	uint64_t offset;     /* of the next entry */
	uint64_t damaged_to; /* offset where the last damage ended */
	uint64_t fresh;      /* entries from this offset on are as they were put: not checked */
	bool ended;          /* behind the end mark */
	journal_fill_fn fill;
	void *ctx;
	uint8_t *buf;
	size_t size;
	size_t start;
	size_t end;
};

/* Starts behind the header of a segment. */
void journal_walk_init(struct journal_walk *walk, uint64_t key, uint64_t first,
		       journal_fill_fn fill, void *ctx);
/* The same for another segment, with the same memory. */
void journal_walk_restart(struct journal_walk *walk, uint64_t first);
void journal_walk_release(struct journal_walk *walk);

/*
 * ST_OK; ST_END: there are no more bytes now; ST_EFORMAT: damage was passed over, entry->position
 * and entry->lost say what is missing; what fill returned.
 */
int journal_walk_next(struct journal_walk *walk, struct journal_entry *entry, struct err *err);

#endif

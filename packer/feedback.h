/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the packing thread has to say to the thread that takes a session in: that what it sent was
 * damaged, and, of a file, how much was in it. Shared by both, found by the session.
 *
 *	struct feedback *feedback;
 *	feedbacks_open(feedbacks, journal, &vector, &feedback, err);	// the one side
 *	feedback = feedbacks_find(feedbacks, session);			// the other
 *	...
 *	feedback_put(feedback);						// both
 */
#ifndef TUSSAH_PACKER_FEEDBACK_H
#define TUSSAH_PACKER_FEEDBACK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/journal.h"

struct feedbacks;

struct feedback {
	struct feedbacks *all;
	uint64_t session; /* position of its ENVELOPE_OPEN */
	unsigned users;   /* guarded by the lock of all of them */
	_Atomic uint64_t records;
	atomic_bool broken; /* set once; reason is not changed any more */
	struct err reason;
};

struct feedbacks *feedbacks_new(void);
void feedbacks_free(struct feedbacks *feedbacks);

/* Append the ENVELOPE_OPEN, whose position is *out's session, found by the other side from the
 * moment on at which it can see the entry. As journal_append(). */
int feedbacks_open(struct feedbacks *feedbacks, struct journal *journal, const struct iovec *open,
		   struct feedback **out, struct err *err);
/* NULL: nobody listens (any more). */
struct feedback *feedbacks_find(struct feedbacks *feedbacks, uint64_t session);
/* NULL is nothing. */
void feedback_put(struct feedback *feedback);

/* The first reason stays. */
void feedback_break(struct feedback *feedback, const struct err *reason);

#endif

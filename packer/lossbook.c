/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/lossbook.h"

/* Is there more than what was received? Also what came late after all, which takes back what an
 * earlier line said. */
static bool lossbook_has_news(const struct loss *loss)
{
	for (unsigned i = 0; i < LOSS_KINDS; i++) {
		if (i != LOSS_RECEIVED && loss->values[i] != 0) {
			return true;
		}
	}
	return false;
}

static bool lossbook_is_empty(const struct loss *loss)
{
	for (unsigned i = 0; i < LOSS_KINDS; i++) {
		if (loss->values[i] != 0) {
			return false;
		}
	}
	return true;
}

static void lossbook_write(struct lossbook *book, lossbook_fn write, void *arg)
{
	if (!lossbook_is_empty(&book->pending)) {
		write(arg, book->hour_ns, &book->pending);
	}
	book->pending = (struct loss){ 0 };
	book->has_line = true;
}

void lossbook_turn(struct lossbook *book, const struct loss *totals, int64_t hour_ns, bool last,
		   lossbook_fn write, void *arg)
{
	if (hour_ns != book->hour_ns) {
		if (book->has_line) {
			lossbook_write(book, write, arg);
		}
		*book = (struct lossbook){ .seen = book->seen, .hour_ns = hour_ns };
	}
	for (unsigned i = 0; i < LOSS_KINDS; i++) {
		book->pending.values[i] += totals->values[i] - book->seen.values[i];
	}
	book->seen = *totals;
	if (lossbook_has_news(&book->pending) || (last && book->has_line)) {
		lossbook_write(book, write, arg);
	}
}

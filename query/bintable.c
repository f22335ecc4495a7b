/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bintable.h"

#include <string.h>

#include <glib.h>

void bintable_release(struct bintable *table)
{
	for (int64_t i = 0; i < table->count; i++) {
		g_free(table->pages[i]);
	}
	g_free(table->pages);
	*table = (struct bintable){ 0 };
}

static bool is_inside(const struct bintable *table, int64_t page)
{
	return page >= table->lowest && page < table->lowest + table->count;
}

/* Places for pages low..high, with slack so that growing stays rare. */
static void make_places(struct bintable *table, int64_t low, int64_t high)
{
	int64_t first = table->count > 0 ? MIN(low, table->lowest) : low;
	int64_t last = table->count > 0 ? MAX(high, table->lowest + table->count - 1) : high;
	int64_t slack = (last - first) / 2 + 1;
	struct timebin **wider;

	first -= is_inside(table, low) ? 0 : slack;
	last += is_inside(table, high) ? 0 : slack;
	wider = g_new0(struct timebin *, (gsize)(last - first + 1));
	if (table->count > 0) {
		memcpy(wider + (table->lowest - first), table->pages,
		       (size_t)table->count * sizeof(*wider));
	}
	g_free(table->pages);
	table->pages = wider;
	table->lowest = first;
	table->count = last - first + 1;
}

/* How many bins there would be from the first to the last page in use. */
static int64_t span_with(const struct bintable *table, int64_t low, int64_t high)
{
	for (int64_t i = 0; i < table->count; i++) {
		if (table->pages[i]) {
			low = MIN(low, (table->lowest + i) * BINTABLE_PAGE);
			break;
		}
	}
	for (int64_t i = table->count; i-- > 0;) {
		if (table->pages[i]) {
			high = MAX(high, bintable_page_end((table->lowest + i) * BINTABLE_PAGE));
			break;
		}
	}
	return high - low + 1;
}

int bintable_add(struct bintable *table, int64_t low, int64_t high, struct err *err)
{
	const int64_t first = low >> BINTABLE_PAGE_SHIFT;
	const int64_t last = high >> BINTABLE_PAGE_SHIFT;

	if (!is_inside(table, first) || !is_inside(table, last)) {
		if (span_with(table, low, high) > BINTABLE_SPAN) {
			return err_set(err, ST_ELIMIT,
				       "the times span too many bins; choose a larger bin size");
		}
		make_places(table, first, last);
	}
	for (int64_t page = first; page <= last; page++) {
		struct timebin **place = &table->pages[page - table->lowest];

		if (!*place) {
			*place = g_new0(struct timebin, BINTABLE_PAGE);
			table->used++;
		}
	}
	return ST_OK;
}

const struct timebin *bintable_look_up(const struct bintable *table, int64_t n)
{
	const int64_t page = n >> BINTABLE_PAGE_SHIFT;

	if (!is_inside(table, page) || !table->pages[page - table->lowest]) {
		return NULL;
	}
	return bintable_at(table, n);
}

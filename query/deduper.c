/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records kept of a group are found by the number of a cell of one of their numbers: cells are
 * as wide as that number may differ, so that what is near is in the same cell or beside it.
 */
#include "query/deduper.h"

#include <glib.h>

#include "common/timestamp.h"

struct kept {
	uint64_t numbers[DEDUPER_DELTAS];
	guint before; /* index + 1 of the one kept in the same cell before; 0: none */
};

struct deduper {
	struct deduper_deltas deltas;
	enum deduper_delta
		cells;    /* the number that tells the cell; DEDUPER_DELTAS: none may differ */
	GArray *kept;     /* struct kept */
	GHashTable *last; /* cell: index + 1 of the last one kept there */
};

struct deduper *deduper_new(const struct deduper_deltas *deltas)
{
	struct deduper *deduper = g_new0(struct deduper, 1);

	deduper->deltas = *deltas;
	while (deduper->cells < DEDUPER_DELTAS && deltas->values[deduper->cells] == 0) {
		deduper->cells++;
	}
	deduper->kept = g_array_new(FALSE, FALSE, sizeof(struct kept));
	deduper->last = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return deduper;
}

void deduper_free(struct deduper *deduper)
{
	if (deduper) {
		g_array_free(deduper->kept, TRUE);
		g_hash_table_destroy(deduper->last);
		g_free(deduper);
	}
}

void deduper_clear(struct deduper *deduper)
{
	g_array_set_size(deduper->kept, 0);
	g_hash_table_remove_all(deduper->last);
}

static bool is_near(const struct deduper *deduper, const uint64_t *a, const uint64_t *b)
{
	for (int i = 0; i < DEDUPER_DELTAS; i++) {
		uint64_t apart = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];

		if (deduper->deltas.values[i] > 0 && apart > deduper->deltas.values[i]) {
			return false;
		}
	}
	return true;
}

static guint last_in_cell(const struct deduper *deduper, gint64 cell)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(deduper->last, &cell));
}

static bool has_near(const struct deduper *deduper, gint64 cell, const uint64_t *numbers)
{
	for (guint at = last_in_cell(deduper, cell); at > 0;) {
		const struct kept *kept = &g_array_index(deduper->kept, struct kept, at - 1);

		if (is_near(deduper, kept->numbers, numbers)) {
			return true;
		}
		at = kept->before;
	}
	return false;
}

bool deduper_add(struct deduper *deduper, const struct record *rec)
{
	struct kept kept = {
		.numbers = {
			[DEDUPER_PACKETS] = rec->packets,
			[DEDUPER_BYTES] = rec->bytes,
			/* moved, so that it is not negative */
			[DEDUPER_START] = (uint64_t)(rec->start_ns / NS_PER_MS) + INT64_MAX,
			[DEDUPER_DURATION] = rec->duration_ns / NS_PER_MS,
		},
	};
	gint64 cell = 0;

	if (deduper->cells < DEDUPER_DELTAS) {
		uint64_t width = deduper->deltas.values[deduper->cells];

		cell = (gint64)(kept.numbers[deduper->cells] /
				(width == UINT64_MAX ? width : width + 1));
	}
	if (has_near(deduper, cell, kept.numbers) || has_near(deduper, cell - 1, kept.numbers) ||
	    has_near(deduper, cell + 1, kept.numbers)) {
		return false;
	}
	kept.before = last_in_cell(deduper, cell);
	g_array_append_val(deduper->kept, kept);
	g_hash_table_insert(deduper->last, g_memdup2(&cell, sizeof(cell)),
			    GUINT_TO_POINTER(deduper->kept->len));
	return true;
}

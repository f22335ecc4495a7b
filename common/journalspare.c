/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Segments that are not needed any more become new ones: their blocks and their pages in memory are
 * there already, which spares the kernel half of the work of writing. What is left in them has lower
 * positions than anything that is written over it.
 */
#include "common/journal_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPARE_BYTES_MAX (UINT64_C(64) << 20) /* of all */

/* "00000000000000000001.spare" */
static void spare_name(const struct journal_spare *spare, char name[JOURNAL_NAME_BYTES])
{
	snprintf(name, JOURNAL_NAME_BYTES, "%020llu" JOURNAL_SPARE_SUFFIX,
		 (unsigned long long)spare->first);
}

static struct journal_spare *spare_at(const struct journal *journal, guint i)
{
	return &g_array_index(journal->spares, struct journal_spare, i);
}

static void forget_spare(struct journal *journal, guint i)
{
	journal->spare_bytes -= spare_at(journal, i)->bytes;
	g_array_remove_index(journal->spares, i);
}

bool journal_spare_keep(struct journal *journal, guint i)
{
	const struct journal_segment *segment = journal_segment_at(journal, i);
	const struct journal_spare spare = { .first = segment->first, .bytes = segment->bytes };
	char from[JOURNAL_NAME_BYTES];
	char to[JOURNAL_NAME_BYTES];

	if (segment->readers > 0 || segment->bytes < journal->segment_bytes / 2 ||
	    journal->spare_bytes + segment->bytes > SPARE_BYTES_MAX) {
		return false;
	}
	journal_segment_name(segment->first, from);
	spare_name(&spare, to);
	if (renameat(journal->dir_fd, from, journal->dir_fd, to) != 0) {
		return false;
	}
	g_array_append_val(journal->spares, spare);
	journal->spare_bytes += spare.bytes;
	return true;
}

int journal_spare_take(struct journal *journal, uint64_t first)
{
	char from[JOURNAL_NAME_BYTES];
	char to[JOURNAL_NAME_BYTES];
	int fd;

	if (journal->spares->len == 0 || !spare_at(journal, 0)->synced) {
		return -1;
	}
	spare_name(spare_at(journal, 0), from);
	journal_segment_name(first, to);
	forget_spare(journal, 0);
	if (renameat(journal->dir_fd, from, journal->dir_fd, to) != 0) {
		unlinkat(journal->dir_fd, from, 0);
		return -1;
	}
	fd = openat(journal->dir_fd, to, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		unlinkat(journal->dir_fd, to, 0);
	}
	return fd;
}

void journal_spare_synced(struct journal *journal, uint64_t last)
{
	for (guint i = 0; i < journal->spares->len; i++) {
		spare_at(journal, i)->synced |= spare_at(journal, i)->first <= last;
	}
}

uint64_t journal_spare_last(const struct journal *journal)
{
	return journal->spares->len > 0 ? spare_at(journal, journal->spares->len - 1)->first : 0;
}

bool journal_spare_remove(struct journal *journal)
{
	char name[JOURNAL_NAME_BYTES];

	if (journal->spares->len == 0) {
		return false;
	}
	spare_name(spare_at(journal, 0), name);
	unlinkat(journal->dir_fd, name, 0);
	forget_spare(journal, 0);
	return true;
}

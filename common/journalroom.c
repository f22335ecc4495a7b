/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal's bound on disk: releasing, dropping and counting. */
#include "common/journal_internal.h"

#include <errno.h>
#include <unistd.h>

/* The file of segment i is gone, or another's. */
static void forget_segment(struct journal *journal, guint i)
{
	journal->bytes -= journal_segment_at(journal, i)->bytes;
	journal->dir_changed = true;
	g_array_remove_index(journal->segments, i);
}

static int unlink_file(const struct journal *journal, uint64_t first, struct err *err)
{
	char name[JOURNAL_NAME_BYTES];

	journal_segment_name(first, name);
	if (unlinkat(journal->dir_fd, name, 0) != 0 && errno != ENOENT) {
		return err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	return ST_OK;
}

/* Forget segment i and its file; the one that is written to is not for this. */
static int unlink_segment(struct journal *journal, guint i, struct err *err)
{
	int rc = unlink_file(journal, journal_segment_at(journal, i)->first, err);

	if (rc == ST_OK) {
		forget_segment(journal, i);
	}
	return rc;
}

static bool is_written_to(const struct journal *journal, guint i)
{
	return journal->fd >= 0 && i + 1 == journal->segments->len;
}

/*
 * Drop the oldest segment that no reader has handed entries out of. The count is durable before the
 * file is unlinked, and names the segment: a crash in between neither forgets it nor counts twice.
 */
int journal_drop_oldest(struct journal *journal, struct err *err)
{
	struct journalformat_state *state = &journal->state;
	struct journal_segment *segment;
	uint64_t entries;
	uint64_t records;
	guint i = 0;
	int rc;

	while (i < journal->segments->len &&
	       journal_segment_at(journal, i)->first <= state->handed) {
		i++;
	}
	if (i >= journal->segments->len || is_written_to(journal, i)) {
		return err_set(err, ST_ELIMIT, "%s is full", journal->directory);
	}
	segment = journal_segment_at(journal, i);
	if (segment->counted && segment->first > state->released) {
		entries = segment->entries;
		records = segment->records;
	} else {
		struct journal_scan scan;

		rc = journal_scan_segment(journal, segment->first, state->released, UINT64_MAX - 1,
					  &scan, err);
		if (rc != ST_OK) {
			return rc;
		}
		entries = scan.entries + scan.lost;
		records = scan.records;
	}
	state->dropped_entries += entries;
	state->dropped_records += records;
	state->dropping = segment->first;
	state->floor = MAX(state->floor, journal_segment_end(journal, i));
	rc = journal_write_state(journal, false, err);
	if (rc == ST_OK && fdatasync(journal->state_fd) != 0) {
		rc = err_errno(err, ST_EIO, errno, "cannot sync %s", journal->directory);
	}
	return rc == ST_OK ? unlink_segment(journal, i, err) : rc;
}

int journal_make_room(struct journal *journal, uint64_t bytes, struct err *err)
{
	int rc = ST_OK;

	while (journal->bytes + journal->spare_bytes + bytes > journal->max_bytes &&
	       journal_spare_remove(journal)) {
	}
	while (rc == ST_OK && journal->bytes + bytes > journal->max_bytes) {
		rc = journal->drop_oldest
			     ? journal_drop_oldest(journal, err)
			     : err_set(err, ST_ELIMIT, "%s is full", journal->directory);
	}
	return rc;
}

int journal_make_disk_room(struct journal *journal)
{
	if (journal_spare_remove(journal)) {
		return ST_OK;
	}
	return journal->drop_oldest ? journal_drop_oldest(journal, NULL) : ST_ELIMIT;
}

/*
 * Forget the segments up to a position that is released. true: *first is one whose file is to be
 * unlinked, and there may be more; what a crash leaves of such files, recovery unlinks.
 */
static bool forget_released(struct journal *journal, uint64_t position, uint64_t *first)
{
	while (journal->segments->len > 0 && !is_written_to(journal, 0) &&
	       journal_segment_end(journal, 0) <= position) {
		bool spare = journal_spare_keep(journal, 0);

		*first = journal_segment_at(journal, 0)->first;
		forget_segment(journal, 0);
		if (!spare) {
			return true;
		}
	}
	return false;
}

/* Files are unlinked without the lock: that takes some milliseconds each, and receiving would wait. */
int journal_release(struct journal *journal, uint64_t position, struct err *err)
{
	uint64_t first;
	int rc = ST_OK;

	pthread_mutex_lock(&journal->lock);
	position = MIN(position, journal->last);
	if (position > journal->state.released) {
		journal->state.released = position;
		rc = journal_write_state(journal, true, err);
	}
	while (rc == ST_OK && forget_released(journal, journal->state.released, &first)) {
		pthread_mutex_unlock(&journal->lock);
		rc = unlink_file(journal, first, err);
		pthread_mutex_lock(&journal->lock);
	}
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

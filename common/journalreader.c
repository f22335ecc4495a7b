/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Readers of the journal. A segment's file and the bytes still buffered for it look like one file
 * to the walk, so that a reader follows the writers without a system call when it is close behind.
 * What was never in a file is not checked.
 */
#include "common/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/journal_internal.h"
#include "common/journalwalk.h"

struct journal_reader {
	struct journal *journal;
	unsigned flags;
	uint64_t position; /* nothing before this is handed out */
	int fd;
	uint64_t first;  /* of the segment that is read */
	bool header_bad; /* and that is to be told */
	struct journal_walk walk;
};

/* What of the segment at offset is still in memory, or how far its file may be read. Locked. */
static bool fill_from_buffer(struct journal_reader *reader, uint64_t offset, uint8_t *to,
			     size_t room, size_t *got, uint64_t *file_end)
{
	const struct journal *journal = reader->journal;
	const guint count = journal->segments->len;

	*file_end = UINT64_MAX;
	for (guint i = count; i-- > 0;) {
		if (journal_segment_at(journal, i)->first == reader->first) {
			reader->walk.limit = journal_segment_end(journal, i);
			break;
		}
	}
	if (journal->fd < 0 || count == 0 ||
	    journal_segment_last(journal)->first != reader->first) {
		return false;
	}
	*file_end = journal->written;
	if (offset < journal->written) {
		return false;
	}
	*got = MIN(room, journal->written + journal->buf_len - offset);
	memcpy(to, journal->buf + (offset - journal->written), *got);
	reader->walk.fresh = MIN(reader->walk.fresh, offset);
	return true;
}

static int fill(struct journal_walk *walk, uint64_t offset, uint8_t *to, size_t room, size_t *got,
		struct err *err)
{
	struct journal_reader *reader = walk->ctx;
	uint64_t file_end;
	bool done;
	ssize_t n;

	pthread_mutex_lock(&reader->journal->lock);
	done = fill_from_buffer(reader, offset, to, room, got, &file_end);
	pthread_mutex_unlock(&reader->journal->lock);
	if (done) {
		return ST_OK;
	}
	walk->fresh = UINT64_MAX;
	do {
		n = pread(reader->fd, to, MIN(room, file_end - offset), (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return err_errno(err, ST_EIO, errno, "cannot read from %s",
				 reader->journal->directory);
	}
	*got = (size_t)n;
	return ST_OK;
}

int journal_reader_new(struct journal_reader **out, struct journal *journal, uint64_t position,
		       unsigned flags, struct err *err)
{
	struct journal_reader *reader;

	if (position > JOURNAL_POSITION_MAX || (flags & ~(unsigned)JOURNAL_READ_DURABLE) != 0) {
		return err_set(err, ST_EINVAL, "no such position");
	}
	reader = g_new0(struct journal_reader, 1);
	reader->journal = journal;
	reader->flags = flags;
	reader->fd = -1;
	journal_walk_init(&reader->walk, journal->state.key, 0, fill, reader);
	journal_reader_seek(reader, position);
	*out = reader;
	return ST_OK;
}

/* Locked. Enter (1) or leave (-1) the segment that is read: where it is gone already, nothing. */
static void count_reader(const struct journal_reader *reader, int change)
{
	const struct journal *journal = reader->journal;

	for (guint i = 0; i < journal->segments->len; i++) {
		struct journal_segment *segment = journal_segment_at(journal, i);

		if (segment->first == reader->first) {
			segment->readers += (unsigned)change;
		}
	}
}

static void leave_segment(struct journal_reader *reader)
{
	if (reader->fd >= 0) {
		pthread_mutex_lock(&reader->journal->lock);
		count_reader(reader, -1);
		pthread_mutex_unlock(&reader->journal->lock);
		close(reader->fd);
		reader->fd = -1;
	}
}

void journal_reader_free(struct journal_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	leave_segment(reader);
	journal_walk_release(&reader->walk);
	g_free(reader);
}

void journal_reader_seek(struct journal_reader *reader, uint64_t position)
{
	leave_segment(reader);
	reader->position = position > 0 ? position : journal_first(reader->journal);
}

/* The segment to read position from: the one that has it, else the next one. Locked; -1: none. */
static int find_segment(const struct journal *journal, uint64_t position)
{
	for (guint i = 0; i < journal->segments->len; i++) {
		if (journal_segment_end(journal, i) >= position) {
			return (int)i;
		}
	}
	return -1;
}

/*
 * Enter the segment of the next entry. ST_END: there is no such entry yet. A segment that is
 * entered is not dropped any more.
 */
static int enter_segment(struct journal_reader *reader, struct err *err)
{
	struct journal *journal = reader->journal;
	char name[JOURNAL_NAME_BYTES];
	uint8_t header[JOURNALFORMAT_HEADER_BYTES];
	int rc = ST_END;
	bool buffered = false;
	int i;

	pthread_mutex_lock(&journal->lock);
	i = find_segment(journal, reader->position);
	if (i < 0) {
		reader->position = MAX(reader->position, journal->last + 1);
	} else {
		rc = ST_OK;
		reader->first = journal_segment_at(journal, (guint)i)->first;
		buffered = journal->fd >= 0 && (guint)i + 1 == journal->segments->len &&
			   journal->written < JOURNALFORMAT_HEADER_BYTES;
		journal_segment_name(reader->first, name);
		reader->fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
		if (reader->fd < 0) {
			rc = err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
		} else {
			count_reader(reader, 1);
		}
		if (rc == ST_OK && journal->drop_oldest && journal->state.handed < reader->first) {
			journal->state.handed = reader->first;
			rc = journal_write_state(journal, true, err);
		}
	}
	pthread_mutex_unlock(&journal->lock);
	if (rc != ST_OK) {
		leave_segment(reader);
		return rc;
	}
	journal_walk_restart(&reader->walk, reader->first);
	reader->header_bad =
		!buffered &&
		(pread(reader->fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
		 journalformat_check_header(header, reader->first, journal->state.key) != ST_OK);
	return ST_OK;
}

/*
 * Is the segment that is read the last one, so that more may come? Then the reader also passes over
 * positions behind its end that will not be used.
 */
static bool is_followed(struct journal_reader *reader)
{
	struct journal *journal = reader->journal;
	bool followed;

	pthread_mutex_lock(&journal->lock);
	followed =
		journal->segments->len > 0 && journal_segment_last(journal)->first == reader->first;
	if (followed &&
	    reader->position > journal_segment_end(journal, journal->segments->len - 1)) {
		reader->position = MAX(reader->position, journal->last + 1);
	}
	pthread_mutex_unlock(&journal->lock);
	return followed;
}

static int tell_damage(struct journal_reader *reader, struct journal_entry *entry, uint64_t lost,
		       const char *what, struct err *err)
{
	memset(entry, 0, sizeof(*entry));
	entry->position = reader->position;
	entry->lost = lost;
	reader->position += lost;
	return err_set(err, ST_EFORMAT, "%s/%020llu.seg: %s is damaged", reader->journal->directory,
		       (unsigned long long)reader->first, what);
}

/*
 * The walk has come to the end of a segment that is not written to any more. A missing end mark
 * means that the file was cut: what there was up to the next segment is lost.
 */
static int end_segment(struct journal_reader *reader, struct journal_entry *entry, struct err *err)
{
	const struct journal_walk *walk = &reader->walk;
	const uint64_t begin = MAX(walk->next, reader->position);
	uint64_t lost = 0;

	leave_segment(reader);
	if (walk->ended || walk->damaged_to == walk->offset) {
		reader->position = MAX(reader->position, walk->limit + 1);
		return ST_OK;
	}
	if (walk->limit < JOURNAL_POSITION_MAX && walk->limit >= begin) {
		lost = walk->limit - begin + 1;
	}
	reader->position = begin;
	return tell_damage(reader, entry, lost, "the end", err);
}

/* One step in the segment; ST_EAGAIN: go on with another step. */
static int step(struct journal_reader *reader, struct journal_entry *entry, struct err *err)
{
	struct journal_walk *walk = &reader->walk;
	int rc;

	if (reader->header_bad) {
		reader->header_bad = false;
		return tell_damage(reader, entry, 0, "the header", err);
	}
	rc = journal_walk_next(walk, entry, err);
	if (rc == ST_END) {
		if (is_followed(reader)) {
			return ST_END;
		}
		/* The last bytes may have come since. */
		rc = journal_walk_next(walk, entry, err);
	}
	if (rc == ST_END) {
		rc = end_segment(reader, entry, err);
		return rc == ST_OK ? ST_EAGAIN : rc;
	}
	if (rc == ST_OK && entry->position < reader->position) {
		return ST_EAGAIN;
	}
	if (rc == ST_EFORMAT) {
		const uint64_t behind = entry->position + entry->lost;

		if (behind <= reader->position && entry->lost > 0) {
			return ST_EAGAIN;
		}
		entry->position = MAX(entry->position, reader->position);
		entry->lost = behind > entry->position ? behind - entry->position : 0;
		reader->position = MAX(behind, reader->position);
		return err_prefix(err, "%s/%020llu.seg", reader->journal->directory,
				  (unsigned long long)reader->first);
	}
	if (rc == ST_OK) {
		reader->position = entry->position + 1;
	}
	return rc;
}

int journal_reader_next(struct journal_reader *reader, struct journal_entry *entry, struct err *err)
{
	int rc = ST_EAGAIN;

	while (rc == ST_EAGAIN) {
		if ((reader->flags & JOURNAL_READ_DURABLE) != 0 &&
		    reader->position > journal_durable(reader->journal)) {
			return ST_END;
		}
		rc = ST_OK;
		if (reader->fd < 0) {
			rc = enter_segment(reader, err);
		}
		if (rc == ST_OK) {
			rc = step(reader, entry, err);
		}
	}
	return rc;
}

int journal_reader_wait(struct journal_reader *reader, int timeout_ms)
{
	struct journal *journal = reader->journal;
	const bool durable = (reader->flags & JOURNAL_READ_DURABLE) != 0;
	const struct timespec at = journal_deadline(MAX(timeout_ms, 0));
	pthread_cond_t *cond = durable ? &journal->synced : &journal->appended;
	uint64_t wakes;
	int rc = 0;
	bool reached;

	pthread_mutex_lock(&journal->lock);
	wakes = journal->wakes;
	journal->waiters++;
	while ((durable ? journal->durable : journal->last) < reader->position && rc == 0 &&
	       journal->wakes == wakes && !journal->failed) {
		rc = timeout_ms < 0 ? pthread_cond_wait(cond, &journal->lock)
				    : pthread_cond_timedwait(cond, &journal->lock, &at);
	}
	journal->waiters--;
	reached = (durable ? journal->durable : journal->last) >= reader->position;
	pthread_mutex_unlock(&journal->lock);
	return reached ? ST_OK : ST_END;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writers' side of the journal; journalreader.c has the readers', journalrecover.c the opening.
 */
#include "common/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/journal_internal.h"

#define NS_PER_S UINT64_C(1000000000)

struct timespec journal_deadline(int timeout_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (at.tv_nsec >= (long)NS_PER_S) {
		at.tv_nsec -= (long)NS_PER_S;
		at.tv_sec++;
	}
	return at;
}

/*
 * Write the buffer behind what is written, all or (cut off again) nothing of it. In a file that was
 * another segment zeros part it from what was there before.
 */
static int write_buffer(struct journal *journal)
{
	const bool reused = journal_segment_last(journal)->reused;
	const size_t len = journal->buf_len + (reused ? JOURNALFORMAT_ENTRY_BYTES : 0);
	size_t done = 0;

	if (reused) {
		memset(journal->buf + journal->buf_len, 0, JOURNALFORMAT_ENTRY_BYTES);
	}
	while (done < len) {
		const ssize_t n = pwrite(journal->fd, journal->buf + done, len - done,
					 (off_t)(journal->written + done));

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			const int errnum = n == 0 ? ENOSPC : errno;

			/* Should this fail, the next write goes over it and recovery cuts it. */
			if (ftruncate(journal->fd, (off_t)journal->written) != 0) {
				return errnum;
			}
			return errnum;
		}
	}
	journal->written += journal->buf_len;
	__atomic_store_n(&journal->early_bytes, journal->early_bytes + journal->buf_len,
			 __ATOMIC_RELAXED);
	journal->buf_len = 0;
	return 0;
}

int journal_flush_locked(struct journal *journal, struct err *err)
{
	int errnum = 0;

	if (journal->buf_len == 0) {
		return ST_OK;
	}
	do {
		errnum = write_buffer(journal);
	} while (errnum != 0 && err_status(errnum) == ST_ELIMIT &&
		 journal_make_disk_room(journal) == ST_OK);
	if (errnum != 0) {
		return err_errno(err, err_status(errnum), errnum, "cannot write to %s",
				 journal->directory);
	}
	return ST_OK;
}

/* A new last segment for position first, its header not written yet. */
static int make_segment(struct journal *journal, uint64_t first, int *fd, bool *reused,
			struct err *err)
{
	char name[JOURNAL_NAME_BYTES];

	*fd = journal_spare_take(journal, first);
	*reused = *fd >= 0;
	if (*reused) {
		return ST_OK;
	}
	journal_segment_name(first, name);
	*fd = openat(journal->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd < 0) {
		return err_errno(err, err_status(errno), errno, "cannot make %s/%s",
				 journal->directory, name);
	}
	return ST_OK;
}

/* Nothing is left behind what is written of the last segment; a failure is final. */
static int cut_reused(struct journal *journal, struct err *err)
{
	if (journal_segment_last(journal)->reused &&
	    ftruncate(journal->fd, (off_t)journal->written) != 0) {
		journal->failed = true;
		return err_errno(err, ST_EIO, errno, "cannot cut a segment of %s",
				 journal->directory);
	}
	return ST_OK;
}

/* Put the end mark to the last segment and hand it to the next sync. */
static int end_segment(struct journal *journal, struct err *err)
{
	const size_t total = journalformat_total(0);
	int rc = journal_flush_locked(journal, err);

	if (rc != ST_OK) {
		return rc;
	}
	journalformat_put_entry(journal->buf, journal->state.key, journal->segment_next, 0, NULL, 0,
				0);
	journal->buf_len = total;
	rc = journal_flush_locked(journal, err);
	if (rc != ST_OK) {
		journal->buf_len = 0;
		return rc;
	}
	rc = cut_reused(journal, err);
	if (rc != ST_OK) {
		return rc;
	}
	journal_segment_last(journal)->bytes += total;
	journal->bytes += total;
	g_array_append_val(journal->unsynced, journal->fd);
	journal->fd = -1;
	return ST_OK;
}

/* Go on in a new segment; when that fails all is as before. */
static int roll(struct journal *journal, uint64_t position, struct err *err)
{
	struct journal_segment segment = { .first = position,
					   .bytes = JOURNALFORMAT_HEADER_BYTES,
					   .counted = true };
	int fd = -1;
	int rc;

	do {
		rc = make_segment(journal, position, &fd, &segment.reused, err);
	} while (rc == ST_ELIMIT && journal_make_disk_room(journal) == ST_OK);
	if (rc != ST_OK) {
		return rc;
	}
	if (journal->fd >= 0) {
		rc = end_segment(journal, err);
	}
	if (rc != ST_OK) {
		char name[JOURNAL_NAME_BYTES];

		close(fd);
		journal_segment_name(position, name);
		unlinkat(journal->dir_fd, name, 0);
		return rc;
	}
	assert(journal->buf_len == 0);
	journalformat_put_header(journal->buf, position, journal->state.key);
	journal->buf_len = JOURNALFORMAT_HEADER_BYTES;
	journal->fd = fd;
	journal->written = 0;
	journal->segment_next = position;
	journal->bytes += segment.bytes;
	journal->dir_changed = true;
	g_array_append_val(journal->segments, segment);
	return ST_OK;
}

/* See that total bytes for position can be put into the buffer. */
static int prepare(struct journal *journal, uint64_t position, size_t total, struct err *err)
{
	const size_t around = JOURNALFORMAT_HEADER_BYTES + 2 * journalformat_total(0);
	int rc;

	if (journal->failed) {
		return err_set(err, ST_EIO, "%s: an earlier sync has failed", journal->directory);
	}
	rc = journal_make_room(journal, total + around, err);
	if (rc == ST_OK && journal->buf_len + total > JOURNAL_FLUSH_BYTES) {
		rc = journal_flush_locked(journal, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	if (journal->fd >= 0 && journal->segment_next == position) {
		const struct journal_segment *segment = journal_segment_last(journal);

		if (segment->first == position ||
		    segment->bytes + total + journalformat_total(0) <= journal->segment_bytes) {
			return ST_OK;
		}
	}
	return roll(journal, position, err);
}

static void put(struct journal *journal, uint64_t position, const struct iovec *iov, int iovcnt,
		size_t len, uint32_t records)
{
	struct journal_segment *segment = journal_segment_last(journal);
	const size_t total = journalformat_total(len);

	journalformat_put_entry(journal->buf + journal->buf_len, journal->state.key, position,
				records, iov, iovcnt, len);
	journal->buf_len += total;
	journal->bytes += total;
	segment->bytes += total;
	segment->entries++;
	segment->records += records;
	journal->segment_next = position + 1;
	__atomic_store_n(&journal->last, position, __ATOMIC_RELEASE);
	if (journal->waiters > 0) {
		pthread_cond_broadcast(&journal->appended);
	}
}

int journal_append(struct journal *journal, const struct iovec *iov, int iovcnt, uint32_t records,
		   uint64_t *position, struct err *err)
{
	uint64_t at;
	size_t len = 0;
	int rc;

	for (int i = 0; i < iovcnt; i++) {
		len += MIN(iov[i].iov_len, JOURNAL_ENTRY_MAX + 1);
	}
	if (len < 1 || len > JOURNAL_ENTRY_MAX) {
		return err_set(err, ST_EINVAL, "an entry has 1 to %d bytes", JOURNAL_ENTRY_MAX);
	}
	pthread_mutex_lock(&journal->lock);
	at = journal->last + 1;
	rc = prepare(journal, at, journalformat_total(len), err);
	if (rc == ST_OK) {
		put(journal, at, iov, iovcnt, len, records);
		if (position != NULL) {
			*position = at;
		}
	}
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

int journal_skip(struct journal *journal, uint64_t position, struct err *err)
{
	int rc = ST_OK;

	if (position >= JOURNAL_POSITION_MAX) {
		return err_set(err, ST_EINVAL, "position out of range");
	}
	pthread_mutex_lock(&journal->lock);
	if (position > journal->last) {
		/* The next append finds that its segment ends elsewhere and rolls. */
		__atomic_store_n(&journal->last, position, __ATOMIC_RELEASE);
		journal->state.floor = MAX(journal->state.floor, position);
		rc = journal_write_state(journal, true, err);
	}
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

int journal_flush(struct journal *journal, struct err *err)
{
	int rc;

	pthread_mutex_lock(&journal->lock);
	rc = journal_flush_locked(journal, err);
	pthread_mutex_unlock(&journal->lock);
	return rc;
}

/* The system calls of a sync, without the lock. Returns 0 or errno. */
static int sync_files(const struct journal *journal, const GArray *full, int fd, bool directory,
		      bool state)
{
	for (guint i = 0; i < full->len; i++) {
		if (fdatasync(g_array_index(full, int, i)) != 0) {
			return errno;
		}
	}
	if (fd >= 0 && fdatasync(fd) != 0) {
		return errno;
	}
	if (directory && fsync(journal->dir_fd) != 0) {
		return errno;
	}
	if (state && fdatasync(journal->state_fd) != 0) {
		return errno;
	}
	return 0;
}

/* Locked, and unlocked in between; nobody else syncs. */
static int sync_leading(struct journal *journal, struct err *err)
{
	GArray *full;
	const uint64_t last = journal->last;
	const uint64_t changes = journal->state_changes;
	const bool state = changes != journal->state_synced;
	const bool directory = journal->dir_changed;
	const uint64_t spare = journal_spare_last(journal);
	const uint64_t began_ns = clock_now_ns(CLOCK_MONOTONIC);
	int fd;
	int errnum;
	int rc = journal_flush_locked(journal, err);

	if (rc != ST_OK) {
		return rc;
	}
	fd = journal->fd; /* stays open: only this function closes what the writers are done with */
	full = journal->unsynced;
	journal->unsynced = g_array_new(FALSE, FALSE, sizeof(int));
	journal->dir_changed = false;
	journal->syncing = true;
	pthread_mutex_unlock(&journal->lock);
	errnum = sync_files(journal, full, fd, directory, state);
	for (guint i = 0; i < full->len; i++) {
		close(g_array_index(full, int, i));
	}
	g_array_unref(full);
	pthread_mutex_lock(&journal->lock);
	journal->syncing = false;
	journal->syncs++;
	journal->sync_ns += clock_now_ns(CLOCK_MONOTONIC) - began_ns;
	if (errnum != 0) {
		/* The kernel may have dropped what it could not write: nothing can be known now. */
		journal->failed = true;
		pthread_cond_broadcast(&journal->synced);
		return err_errno(err, ST_EIO, errnum, "cannot sync %s", journal->directory);
	}
	journal->state_synced = changes;
	journal_spare_synced(journal, spare);
	journal->state.durable = MAX(journal->state.durable, last);
	__atomic_store_n(&journal->durable, MAX(journal->durable, last), __ATOMIC_RELEASE);
	pthread_cond_broadcast(&journal->synced);
	return journal_write_state(journal, false, err);
}

int journal_sync(struct journal *journal, struct err *err)
{
	uint64_t before;
	uint64_t target;
	uint64_t changes;
	int rc = ST_OK;

	pthread_mutex_lock(&journal->lock);
	before = journal->durable;
	target = journal->last;
	changes = journal->state_changes;
	while (rc == ST_OK && !journal->failed &&
	       (journal->durable < target || journal->state_synced < changes ||
		journal->dir_changed)) {
		if (journal->syncing) {
			pthread_cond_wait(&journal->synced, &journal->lock);
		} else {
			rc = sync_leading(journal, err);
		}
	}
	if (rc == ST_OK && journal->failed) {
		rc = err_set(err, ST_EIO, "%s: an earlier sync has failed", journal->directory);
	}
	target = journal->durable;
	pthread_mutex_unlock(&journal->lock);
	if (target > before && journal->on_durable != NULL) {
		journal->on_durable(journal->on_durable_ctx, target);
	}
	return rc;
}

/* The journal's own thread. Its failures stay: who appends or waits learns of them. */
static void *sync_loop(void *ctx)
{
	struct journal *journal = ctx;

	pthread_mutex_lock(&journal->lock);
	while (!journal->closing) {
		struct timespec at = journal_deadline(journal->sync_interval_ms);

		while (!journal->closing && !journal->hurried &&
		       pthread_cond_timedwait(&journal->synced, &journal->lock, &at) != ETIMEDOUT) {
		}
		journal->hurried = false;
		__atomic_store_n(&journal->early_bytes, 0, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&journal->lock);
		journal_sync(journal, NULL);
		pthread_mutex_lock(&journal->lock);
	}
	pthread_mutex_unlock(&journal->lock);
	return NULL;
}

void journal_hurry(struct journal *journal)
{
	if (__atomic_load_n(&journal->early_bytes, __ATOMIC_RELAXED) < JOURNAL_HURRY_BYTES) {
		return;
	}
	pthread_mutex_lock(&journal->lock);
	journal->hurried = true;
	pthread_cond_broadcast(&journal->synced);
	pthread_mutex_unlock(&journal->lock);
}

uint64_t journal_durable(const struct journal *journal)
{
	return __atomic_load_n(&journal->durable, __ATOMIC_ACQUIRE);
}

uint64_t journal_last(const struct journal *journal)
{
	return __atomic_load_n(&journal->last, __ATOMIC_ACQUIRE);
}

void journal_get_stats(const struct journal *journal, struct journal_stats *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&journal->lock;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(lock);
	out->first = journal->segments->len > 0 ? journal_segment_at(journal, 0)->first
						: journal->last + 1;
	out->first = MIN(MAX(out->first, journal->state.released + 1), journal->last + 1);
	out->last = journal->last;
	out->durable = journal->durable;
	out->released = journal->state.released;
	out->bytes = journal->bytes;
	out->segments = journal->segments->len;
	out->dropped_entries = journal->state.dropped_entries;
	out->dropped_records = journal->state.dropped_records;
	out->syncs = journal->syncs;
	out->sync_ns = journal->sync_ns;
	pthread_mutex_unlock(lock);
}

uint64_t journal_first(const struct journal *journal)
{
	struct journal_stats stats;

	journal_get_stats(journal, &stats);
	return stats.first;
}

const uint8_t *journal_id(const struct journal *journal)
{
	return journal->state.id;
}

int journal_wait_durable(struct journal *journal, uint64_t position, int timeout_ms)
{
	const struct timespec at = journal_deadline(MAX(timeout_ms, 0));
	uint64_t wakes;
	int rc = 0;
	bool reached;

	pthread_mutex_lock(&journal->lock);
	wakes = journal->wakes;
	while (journal->durable < position && rc == 0 && journal->wakes == wakes &&
	       !journal->failed) {
		rc = timeout_ms < 0 ? pthread_cond_wait(&journal->synced, &journal->lock)
				    : pthread_cond_timedwait(&journal->synced, &journal->lock, &at);
	}
	reached = journal->durable >= position;
	pthread_mutex_unlock(&journal->lock);
	return reached ? ST_OK : ST_END;
}

void journal_wake(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	journal->wakes++;
	pthread_cond_broadcast(&journal->appended);
	pthread_cond_broadcast(&journal->synced);
	pthread_mutex_unlock(&journal->lock);
}

/* Make and open the folder. */
static int open_directory(struct journal *journal, struct err *err)
{
	if (mkdir(journal->directory, 0700) == 0) {
		char *parent = g_path_get_dirname(journal->directory);
		const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		/* Best effort: a parent that cannot be read is still a parent. */
		if (fd >= 0) {
			fsync(fd);
			close(fd);
		}
		g_free(parent);
	} else if (errno != EEXIST) {
		return err_errno(err, err_status(errno), errno, "cannot make %s",
				 journal->directory);
	}
	journal->dir_fd = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->dir_fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", journal->directory);
	}
	return ST_OK;
}

static struct journal *new_journal(const struct journal_opts *opts)
{
	struct journal *journal = g_new0(struct journal, 1);
	pthread_condattr_t attr;

	journal->directory = g_strdup(opts->directory);
	journal->segment_bytes =
		opts->segment_bytes > 0 ? opts->segment_bytes : JOURNAL_SEGMENT_BYTES;
	journal->max_bytes = opts->max_bytes > 0 ? opts->max_bytes : UINT64_MAX;
	journal->segment_bytes = MIN(journal->segment_bytes, journal->max_bytes / 4);
	journal->drop_oldest = opts->drop_oldest;
	journal->sync_interval_ms = opts->sync_interval_ms;
	journal->on_durable = opts->on_durable;
	journal->on_durable_ctx = opts->on_durable_ctx;
	journal->dir_fd = -1;
	journal->state_fd = -1;
	journal->fd = -1;
	journal->segments = g_array_new(FALSE, TRUE, sizeof(struct journal_segment));
	journal->spares = g_array_new(FALSE, FALSE, sizeof(struct journal_spare));
	journal->unsynced = g_array_new(FALSE, FALSE, sizeof(int));
	journal->buf = g_malloc(JOURNAL_BUFFER_BYTES);
	pthread_mutex_init(&journal->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&journal->appended, &attr);
	pthread_cond_init(&journal->synced, &attr);
	pthread_condattr_destroy(&attr);
	return journal;
}

static void close_fd(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}

static void free_journal(struct journal *journal)
{
	for (guint i = 0; i < journal->unsynced->len; i++) {
		close(g_array_index(journal->unsynced, int, i));
	}
	close_fd(journal->fd);
	close_fd(journal->state_fd); /* unlocks */
	close_fd(journal->dir_fd);
	g_array_unref(journal->unsynced);
	g_array_unref(journal->segments);
	g_array_unref(journal->spares);
	pthread_cond_destroy(&journal->appended);
	pthread_cond_destroy(&journal->synced);
	pthread_mutex_destroy(&journal->lock);
	g_free(journal->buf);
	g_free(journal->directory);
	g_free(journal);
}

int journal_open(struct journal **out, const struct journal_opts *opts,
		 struct journal_recovery *recovery, struct err *err)
{
	struct journal_recovery unread;
	struct journal *journal;
	int rc;

	recovery = recovery != NULL ? recovery : &unread;
	memset(recovery, 0, sizeof(*recovery));
	if (opts->directory == NULL || opts->directory[0] == '\0' || opts->sync_interval_ms < 0) {
		return err_set(err, ST_EINVAL, "a journal needs a folder");
	}
	journal = new_journal(opts);
	rc = open_directory(journal, err);
	if (rc == ST_OK) {
		rc = journal_recover(journal, recovery, err);
	}
	if (rc == ST_OK) {
		journal->durable = MIN(journal->state.durable, journal->last);
		journal->state.clean = false;
		rc = journal_write_state(journal, true, err);
	}
	if (rc == ST_OK) {
		rc = journal_sync(journal, err);
	}
	if (rc == ST_OK && journal->sync_interval_ms > 0) {
		journal->has_thread =
			pthread_create(&journal->thread, NULL, sync_loop, journal) == 0;
		rc = journal->has_thread ? ST_OK : err_set(err, ST_EIO, "cannot start a thread");
	}
	if (rc != ST_OK) {
		free_journal(journal);
		return rc;
	}
	*out = journal;
	return ST_OK;
}

int journal_close(struct journal *journal, struct err *err)
{
	int rc;

	if (journal == NULL) {
		return ST_OK;
	}
	if (journal->has_thread) {
		pthread_mutex_lock(&journal->lock);
		journal->closing = true;
		pthread_cond_broadcast(&journal->synced);
		pthread_mutex_unlock(&journal->lock);
		pthread_join(journal->thread, NULL);
	}
	while (journal_spare_remove(journal)) {
	}
	rc = journal_flush(journal, err);
	if (rc == ST_OK && journal->fd >= 0) {
		rc = cut_reused(journal, err);
	}
	if (rc == ST_OK) {
		rc = journal_sync(journal, err);
	}
	if (rc == ST_OK) {
		journal->state.clean = true;
		rc = journal_write_state(journal, true, err);
	}
	if (rc == ST_OK && fdatasync(journal->state_fd) != 0) {
		rc = err_errno(err, ST_EIO, errno, "cannot sync %s", journal->directory);
	}
	free_journal(journal);
	return rc;
}

int journal_renew_id(struct journal *journal, struct err *err)
{
	int rc;

	pthread_mutex_lock(&journal->lock);
	journal_random(journal->state.id, sizeof(journal->state.id));
	journal->state.id[6] = (uint8_t)((journal->state.id[6] & 0x0f) | 0x40);
	journal->state.id[8] = (uint8_t)((journal->state.id[8] & 0x3f) | 0x80);
	rc = journal_write_state(journal, true, err);
	pthread_mutex_unlock(&journal->lock);
	return rc == ST_OK ? journal_sync(journal, err) : rc;
}

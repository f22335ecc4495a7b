/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the segments of a journal after whatever ended its last use.
 *
 * What was durable is kept, damaged or not: readers pass over damage and tell it. Behind the last
 * position known as durable the first damage is where a write was torn: everything from there on is
 * cut off, also whole entries behind it, since the disk may have taken them in any order and nobody
 * was told of them.
 */
#include "common/journal_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/journalwalk.h"

void journal_segment_name(uint64_t first, char name[JOURNAL_NAME_BYTES])
{
	snprintf(name, JOURNAL_NAME_BYTES, "%020llu.seg", (unsigned long long)first);
}

static int fill_from_file(struct journal_walk *walk, uint64_t offset, uint8_t *to, size_t room,
			  size_t *got, struct err *err)
{
	const int *fd = walk->ctx;
	ssize_t n;

	do {
		n = pread(*fd, to, room, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return err_errno(err, ST_EIO, errno, "cannot read a segment of the journal");
	}
	*got = (size_t)n;
	return ST_OK;
}

int journal_scan_segment(struct journal *journal, uint64_t first, uint64_t released,
			 uint64_t stop_after, struct journal_scan *out, struct err *err)
{
	char name[JOURNAL_NAME_BYTES];
	uint8_t header[JOURNALFORMAT_HEADER_BYTES];
	struct journal_walk walk;
	struct journal_entry entry;
	struct err why; /* damage is told by readers, not here */
	int rc;
	int fd;

	memset(out, 0, sizeof(*out));
	out->last = first - 1;
	out->end = JOURNALFORMAT_HEADER_BYTES;
	journal_segment_name(first, name);
	fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	out->header_ok = pread(fd, header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
			 journalformat_check_header(header, first, journal->state.key) == ST_OK;
	journal_walk_init(&walk, journal->state.key, first, fill_from_file, &fd);
	for (;;) {
		rc = journal_walk_next(&walk, &entry, &why);
		if (rc == ST_EFORMAT &&
		    (entry.position > stop_after || entry.position + entry.lost > stop_after + 1)) {
			out->stopped = true;
			rc = ST_OK;
			break;
		}
		if (rc == ST_OK) {
			out->lost += entry.position - out->last - 1;
			out->last = entry.position;
			out->end = walk.offset;
			if (entry.position > released) {
				out->entries++;
				out->records += entry.records;
			}
		} else if (rc != ST_EFORMAT) {
			if (rc != ST_END) {
				err_set(err, rc, "%s: %s", journal->directory, why.text);
			}
			break;
		}
	}
	if (rc == ST_END) {
		out->ended = walk.ended;
		out->end = walk.ended ? walk.offset : out->end;
		rc = ST_OK;
	}
	journal_walk_release(&walk);
	close(fd);
	return rc;
}

static gint compare_segments(gconstpointer a, gconstpointer b)
{
	const struct journal_segment *left = a;
	const struct journal_segment *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static bool parse_name(const char *name, uint64_t *first)
{
	char again[JOURNAL_NAME_BYTES];

	*first = g_ascii_strtoull(name, NULL, 10);
	if (*first == 0 || *first > JOURNAL_POSITION_MAX) {
		return false;
	}
	journal_segment_name(*first, again);
	return strcmp(name, again) == 0;
}

/* A spare is of no use without what was known of it. */
static void remove_spare(const struct journal *journal, const char *name)
{
	if (g_str_has_suffix(name, JOURNAL_SPARE_SUFFIX)) {
		unlinkat(journal->dir_fd, name, 0);
	}
}

/* The segments that there are, by position. */
static int list_segments(struct journal *journal, struct err *err)
{
	const int fd = openat(journal->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *found;

	if (dir == NULL) {
		return err_errno(err, ST_EIO, errno, "%s", journal->directory);
	}
	while ((found = readdir(dir)) != NULL) {
		struct journal_segment segment = { .counted = false };
		struct stat st;

		if (parse_name(found->d_name, &segment.first) &&
		    fstatat(journal->dir_fd, found->d_name, &st, 0) == 0) {
			segment.bytes = (uint64_t)st.st_size;
			g_array_append_val(journal->segments, segment);
		}
		remove_spare(journal, found->d_name);
	}
	closedir(dir);
	g_array_sort(journal->segments, compare_segments);
	return ST_OK;
}

static int remove_segment(struct journal *journal, guint i, struct err *err)
{
	char name[JOURNAL_NAME_BYTES];

	journal_segment_name(journal_segment_at(journal, i)->first, name);
	if (unlinkat(journal->dir_fd, name, 0) != 0) {
		return err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	g_array_remove_index(journal->segments, i);
	journal->dir_changed = true;
	return ST_OK;
}

/* Finish what a crash may have left between the state and the segments. */
static int remove_unneeded(struct journal *journal, struct err *err)
{
	const uint64_t dropping = journal->state.dropping;

	for (guint i = 0; i < journal->segments->len;) {
		const bool gone =
			journal_segment_at(journal, i)->first == dropping ||
			(i + 1 < journal->segments->len &&
			 journal_segment_at(journal, i + 1)->first <= journal->state.released + 1);

		if (!gone) {
			i++;
		} else {
			const int rc = remove_segment(journal, i, err);

			if (rc != ST_OK) {
				return rc;
			}
		}
	}
	return ST_OK;
}

/* Do zeros part what was written from what the file held as another segment? Then nothing is torn. */
static bool is_parted(int fd, uint64_t end)
{
	static const uint8_t zeros[JOURNALFORMAT_ENTRY_BYTES];
	uint8_t found[JOURNALFORMAT_ENTRY_BYTES];

	return pread(fd, found, sizeof(found), (off_t)end) == (ssize_t)sizeof(found) &&
	       memcmp(found, zeros, sizeof(zeros)) == 0;
}

/* Cut segment i where the scan says, and all behind it. */
static int cut_behind(struct journal *journal, guint i, const struct journal_scan *scan,
		      struct journal_recovery *recovery, struct err *err)
{
	struct journal_segment *segment = journal_segment_at(journal, i);
	char name[JOURNAL_NAME_BYTES];
	bool parted;
	int fd;
	int rc = ST_OK;

	while (rc == ST_OK && journal->segments->len > i + 1) {
		recovery->torn_bytes += journal_segment_last(journal)->bytes;
		rc = remove_segment(journal, journal->segments->len - 1, err);
	}
	if (rc != ST_OK || segment->bytes <= scan->end) {
		return rc;
	}
	journal_segment_name(segment->first, name);
	fd = openat(journal->dir_fd, name, O_RDWR | O_CLOEXEC);
	parted = fd >= 0 && is_parted(fd, scan->end);
	if (fd < 0 || ftruncate(fd, (off_t)scan->end) != 0 || fsync(fd) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	if (fd >= 0) {
		close(fd);
	}
	recovery->torn_bytes += parted ? 0 : segment->bytes - scan->end;
	segment->bytes = scan->end;
	return rc;
}

/* Go on in the last segment if its end is as it should be. */
static int open_last(struct journal *journal, const struct journal_scan *scan, struct err *err)
{
	const struct journal_segment *segment = journal_segment_last(journal);
	char name[JOURNAL_NAME_BYTES];

	if (scan->ended || !scan->header_ok) {
		return ST_OK;
	}
	journal_segment_name(segment->first, name);
	journal->fd = openat(journal->dir_fd, name, O_WRONLY | O_CLOEXEC);
	if (journal->fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	journal->written = segment->bytes;
	journal->segment_next = scan->last + 1;
	return ST_OK;
}

/* What is found may be in the kernel only: the first sync makes it durable. */
static int keep_to_sync(struct journal *journal, uint64_t first, struct err *err)
{
	char name[JOURNAL_NAME_BYTES];
	int fd;

	journal_segment_name(first, name);
	fd = openat(journal->dir_fd, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s/%s", journal->directory, name);
	}
	g_array_append_val(journal->unsynced, fd);
	return ST_OK;
}

/* Read what may not be durable, oldest first, up to the end or to where it is torn. */
static int scan_tail(struct journal *journal, struct journal_recovery *recovery, struct err *err)
{
	const uint64_t durable = journal->state.durable;
	struct journal_scan scan = { .header_ok = false };
	guint i = 0;
	int rc = ST_OK;

	/* The segment that has the last durable entry, too: its end mark may be torn though the
	 * next one is there. */
	while (i + 1 < journal->segments->len &&
	       journal_segment_at(journal, i + 1)->first <= durable) {
		i++;
	}
	for (; rc == ST_OK && i < journal->segments->len; i++) {
		struct journal_segment *segment = journal_segment_at(journal, i);

		rc = journal_scan_segment(journal, segment->first, journal->state.released, durable,
					  &scan, err);
		if (rc != ST_OK) {
			break;
		}
		segment->entries = scan.entries;
		segment->records = scan.records;
		segment->counted = scan.lost == 0;
		recovery->lost_entries += scan.lost;
		journal->last = MAX(journal->last, scan.last);
		if (scan.stopped || !scan.ended) {
			rc = cut_behind(journal, i, &scan, recovery, err);
		}
		if (rc == ST_OK && !scan.header_ok && scan.last < segment->first &&
		    segment->first > durable) {
			recovery->torn_bytes += segment->bytes;
			rc = remove_segment(journal, i, err);
			scan.ended = true;
			break;
		}
		if (rc == ST_OK) {
			rc = keep_to_sync(journal, segment->first, err);
		}
	}
	if (rc == ST_OK && journal->segments->len > 0) {
		rc = open_last(journal, &scan, err);
	}
	return rc;
}

int journal_recover(struct journal *journal, struct journal_recovery *recovery, struct err *err)
{
	struct journalformat_state *state = &journal->state;
	int rc = list_segments(journal, err);

	if (rc == ST_OK) {
		rc = journal_load_state(journal, &recovery->created, err);
	}
	if (rc == ST_OK) {
		rc = remove_unneeded(journal, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	recovery->clean = recovery->created || state->clean;
	journal->last = MAX(state->floor, state->released);
	if (journal->segments->len > 0) {
		journal->last = MAX(journal->last, journal_segment_at(journal, 0)->first - 1);
	}
	rc = scan_tail(journal, recovery, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (journal->last < state->durable) {
		recovery->lost_entries += state->durable - journal->last;
		journal->last = state->durable;
	}
	for (guint i = 0; i < journal->segments->len; i++) {
		journal->bytes += journal_segment_at(journal, i)->bytes;
	}
	return ST_OK;
}

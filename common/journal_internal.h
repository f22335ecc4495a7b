/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the journal share; nothing here is for others. */
#ifndef TUSSAH_COMMON_JOURNAL_INTERNAL_H
#define TUSSAH_COMMON_JOURNAL_INTERNAL_H

#include <glib.h>
#include <pthread.h>

#include "common/journal.h"
#include "common/journalformat.h"

#define JOURNAL_STATE_FILE   "journal.state"
#define JOURNAL_NAME_BYTES   32
#define JOURNAL_SPARE_SUFFIX ".spare"
#define JOURNAL_FLUSH_BYTES  (1024 * 1024)     /* appended bytes that are written at once */
#define JOURNAL_HURRY_BYTES  (8 * 1024 * 1024) /* that are worth a sync before it is time */
#define JOURNAL_BUFFER_BYTES (JOURNAL_FLUSH_BYTES + JOURNALFORMAT_ENTRY_TOTAL + 64)

struct journal_segment {
	uint64_t first; /* position of its first entry, and its name */
	uint64_t bytes; /* of the file, and what is buffered for it */
	uint64_t entries;
	uint64_t records;
	bool counted;     /* entries and records are known */
	bool reused;      /* the file was another segment: it may be longer than what is written */
	unsigned readers; /* that are in it */
};

/* A file for the next segment: journalspare.c. */
struct journal_spare {
	uint64_t first; /* of the segment that it was, which names it */
	uint64_t bytes;
	bool synced; /* that it was released is durable: it may be written over */
};

struct journal {
	char *directory;
	uint64_t segment_bytes;
	uint64_t max_bytes;
	bool drop_oldest;
	int sync_interval_ms;
	void (*on_durable)(void *ctx, uint64_t durable);
	void *on_durable_ctx;
	int dir_fd;
	int state_fd;

	pthread_mutex_t lock;    /* all below, but for `durable` and `last`, which are also read
				    without it */
	pthread_cond_t appended; /* last has risen, or wakes has */
	pthread_cond_t synced;   /* a sync has ended, or wakes has risen */
	struct journalformat_state state;
	GArray *segments; /* of struct journal_segment, by position; the last one is appended to if
			     fd >= 0 */
	uint64_t bytes;   /* of all segments */
	GArray *spares;   /* of struct journal_spare, by position */
	uint64_t spare_bytes;
	int fd;
	uint64_t written; /* bytes of the last segment that the kernel has */
	uint8_t *buf;     /* the bytes behind those */
	size_t buf_len;
	uint64_t last;         /* atomic */
	uint64_t segment_next; /* position behind the last entry of the last segment, if fd >= 0 */
	uint64_t durable;      /* atomic */
	GArray *unsynced;      /* descriptors of segments that are full and not synced */
	uint64_t early_bytes;  /* atomic; that the thread has not begun to sync yet */
	bool hurried;          /* the thread is not to wait */
	bool dir_changed;
	uint64_t state_changes; /* that are to be synced */
	uint64_t state_synced;
	bool syncing; /* a thread does */
	bool failed;  /* a sync has: nothing can be promised any more */
	bool closing;
	unsigned waiters;
	uint64_t wakes;
	uint64_t syncs;
	uint64_t sync_ns;
	bool has_thread;
	pthread_t thread;
};

static inline struct journal_segment *journal_segment_at(const struct journal *journal, guint i)
{
	return &g_array_index(journal->segments, struct journal_segment, i);
}

/* The segment that is appended to, or the last one; there must be one. */
static inline struct journal_segment *journal_segment_last(const struct journal *journal)
{
	return journal_segment_at(journal, journal->segments->len - 1);
}

/* The last position that segment i may hold. */
static inline uint64_t journal_segment_end(const struct journal *journal, guint i)
{
	if (i + 1 < journal->segments->len) {
		return journal_segment_at(journal, i + 1)->first - 1;
	}
	return journal->fd >= 0 ? journal->segment_next - 1 : journal->last;
}

/* "00000000000000000001.seg" */
void journal_segment_name(uint64_t first, char name[JOURNAL_NAME_BYTES]);

/* Locked. Write the state to the kernel; to_sync: the next sync has to make it durable. */
int journal_write_state(struct journal *journal, bool to_sync, struct err *err);
int journal_flush_locked(struct journal *journal, struct err *err);
/* Milliseconds from now on the clock of the conditions. */
struct timespec journal_deadline(int timeout_ms);
/* The writers' part of the bound on disk: journalroom.c. */
int journal_make_room(struct journal *journal, uint64_t bytes, struct err *err);
int journal_drop_oldest(struct journal *journal, struct err *err);
/* After the disk had none: ST_OK when there is more now. */
int journal_make_disk_room(struct journal *journal);

/*
 * journalspare.c, locked. Keep the file of the released segment i, which the caller forgets; false:
 * it is not worth it, or somebody reads it.
 */
bool journal_spare_keep(struct journal *journal, guint i);
/* Make one the segment of position first; its descriptor, -1: there is none. */
int journal_spare_take(struct journal *journal, uint64_t first);
/* The newest spare, for journal_spare_synced() once it is durable that it was released. */
uint64_t journal_spare_last(const struct journal *journal);
void journal_spare_synced(struct journal *journal, uint64_t last);
/* Make room on the disk; false: there is no spare. */
bool journal_spare_remove(struct journal *journal);

/* journalstate.c: read or make the state file of an open directory, and lock it. */
int journal_load_state(struct journal *journal, bool *created, struct err *err);
void journal_random(void *bytes, size_t len);

/* journalrecover.c: find the segments, and where to go on. */
int journal_recover(struct journal *journal, struct journal_recovery *recovery, struct err *err);

/*
 * journalscan.c: read a segment through from its first entry. released: entries up to there are not
 * counted. stop_after: where the first damage is behind this position, reading ends there.
 */
struct journal_scan {
	uint64_t entries;
	uint64_t records;
	uint64_t last; /* position of the last entry; first - 1: none */
	uint64_t end;  /* offset behind the last entry or end mark */
	uint64_t lost; /* entries missing before last */
	bool header_ok;
	bool ended;   /* there is an end mark, with nothing behind it */
	bool stopped; /* at damage behind stop_after */
};
int journal_scan_segment(struct journal *journal, uint64_t first, uint64_t released,
			 uint64_t stop_after, struct journal_scan *out, struct err *err);

#endif

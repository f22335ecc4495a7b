/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal: an append-only, checksummed log of opaque entries in segment files, with positions
 * counted from 1 (DESIGN 5). The sensor's spool and the packer's write-ahead log are this module.
 * common/JOURNAL.md has every byte on disk.
 *
 *	struct journal_opts opts = { .directory = "/var/spool/x", .max_bytes = 10 << 30,
 *				     .sync_interval_ms = 100 };
 *	st = journal_open(&journal, &opts, &recovery, err);
 *	st = journal_append(journal, iov, 2, records, &position, err);	// any thread
 *	if (journal_durable(journal) >= position) { tell the peer; }
 *
 *	st = journal_reader_new(&reader, journal, 0, 0, err);		// one thread
 *	while (running) {
 *		while ((st = journal_reader_next(reader, &entry, err)) != ST_END) {
 *			if (st == ST_OK) { use(&entry); }
 *			else if (st == ST_EFORMAT) { count(entry.lost); }	// and go on
 *			else { fail; }
 *		}
 *		journal_reader_wait(reader, 1000);
 *	}
 *	st = journal_release(journal, entry.position, err);	// not needed any more
 *	journal_reader_free(reader);
 *	journal_close(journal, err);
 *
 * What is promised: an entry that journal_durable() covers is there after any crash, also of the
 * machine. An entry that was only appended is there after the process was killed if
 * journal_flush() or a sync came in between. Entries come back in order, whole and as they were,
 * or are told as damaged. A position is never used for two entries that were both durable, handed
 * out as durable, or released.
 *
 * Threads: everything that takes a struct journal may be called by any thread at any time between
 * open and close; a reader belongs to one thread.
 */
#ifndef TUSSAH_COMMON_JOURNAL_H
#define TUSSAH_COMMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"

#define JOURNAL_ENTRY_MAX     (1024 * 1024) /* bytes of one entry */
#define JOURNAL_ID_BYTES      16
#define JOURNAL_POSITION_MAX  (UINT64_MAX / 2)
#define JOURNAL_SEGMENT_BYTES (64 * 1024 * 1024)

struct journal;
struct journal_reader;

struct journal_opts {
	const char *directory;  /* made if it is not there; its parent must be */
	uint64_t segment_bytes; /* 0: JOURNAL_SEGMENT_BYTES; at most a quarter of max_bytes */
	uint64_t max_bytes;     /* bound on all segments; 0: none */
	bool drop_oldest;       /* when full, drop the oldest segment and count what was in it */
	int sync_interval_ms;   /* a thread of the journal syncs this often when there is something
				   to sync; 0: only journal_sync() does */
	/* Called after journal_durable() has risen, by the thread that synced, without locks held;
	   must be quick and must not call journal_sync() or journal_close(). May be NULL. */
	void (*on_durable)(void *ctx, uint64_t durable);
	void *on_durable_ctx;
};

/* What journal_open() found. */
struct journal_recovery {
	bool created;          /* the journal is new */
	uint64_t torn_bytes;   /* cut off the end: entries that had not become durable */
	uint64_t lost_entries; /* entries that were durable and are not there any more */
	bool clean;            /* closed by journal_close() */
};

struct journal_stats {
	uint64_t first;   /* oldest entry that is not released; last + 1: none */
	uint64_t last;    /* newest entry appended; 0: none ever */
	uint64_t durable; /* all up to here survive a crash of the machine */
	uint64_t released;
	uint64_t bytes; /* on disk and on the way there */
	unsigned segments;
	uint64_t dropped_entries; /* since the journal was made, over restarts */
	uint64_t dropped_records;
	uint64_t syncs;   /* since it was opened */
	uint64_t sync_ns; /* spent in them */
};

/*
 * Open or make the journal and lock it. A torn tail is cut off. recovery may be NULL.
 * Returns ST_OK, ST_EINVAL (options), ST_EAGAIN (another process has it), ST_EIO, ST_ELIMIT (no
 * room on the disk), ST_EFORMAT (not a journal, or its state file is damaged), ST_EVERSION.
 */
int journal_open(struct journal **out, const struct journal_opts *opts,
		 struct journal_recovery *recovery, struct err *err);

/* Flush, sync, unlock, free (also when that fails). Readers must be gone. NULL is ST_OK. */
int journal_close(struct journal *journal, struct err *err);

/* The id that was made with the journal; 16 bytes, borrowed. */
const uint8_t *journal_id(const struct journal *journal);
/*
 * Take a new id from here on: for a journal that was set back behind what its peers know of it.
 * Entries and positions stay. For the thread that reads the id.
 */
int journal_renew_id(struct journal *journal, struct err *err);

/*
 * Append the iovcnt pieces as one entry of 1 to JOURNAL_ENTRY_MAX bytes; copied. records: how many
 * records are in it, for counting what is dropped. *position may be NULL. It is in memory only, for
 * readers to see, until a flush or sync.
 * Returns ST_OK, ST_EINVAL (size), ST_ELIMIT (max_bytes reached and nothing may be dropped, or no
 * room on the disk: try again when there is), ST_EIO (the disk; after a failed sync for ever).
 * Unless ST_OK nothing was appended; what was appended before is kept.
 */
int journal_append(struct journal *journal, const struct iovec *iov, int iovcnt, uint32_t records,
		   uint64_t *position, struct err *err);

/* Let the next entry have a position above this one: for a journal that was set back. */
int journal_skip(struct journal *journal, uint64_t position, struct err *err);

/* Give all that is appended to the kernel. ST_OK, ST_ELIMIT, ST_EIO as above. */
int journal_flush(struct journal *journal, struct err *err);

/*
 * Make all that is appended by now durable. Callers at the same time share one sync.
 * ST_OK, ST_ELIMIT (no room; try again), ST_EIO: a sync failed, which is final: what was not
 * durable before may or may not be on disk, the journal takes nothing more, end the process.
 */
int journal_sync(struct journal *journal, struct err *err);

/* Somebody waits for what was appended: let the journal's thread sync at once if that is much. */
void journal_hurry(struct journal *journal);

uint64_t journal_durable(const struct journal *journal);
uint64_t journal_last(const struct journal *journal);
uint64_t journal_first(const struct journal *journal);
void journal_get_stats(const struct journal *journal, struct journal_stats *out);

/* Until journal_durable() >= position. ST_OK; ST_END: timeout, woken, or failed. */
int journal_wait_durable(struct journal *journal, uint64_t position, int timeout_ms);
/* Let every waiting call return. */
void journal_wake(struct journal *journal);

/*
 * Entries up to position are not needed any more; whole segments of such are deleted. Durable with
 * the next sync. A position below an earlier one changes nothing, one above last means last.
 * ST_OK, ST_EIO.
 */
int journal_release(struct journal *journal, uint64_t position, struct err *err);

enum journal_reader_flags {
	JOURNAL_READ_DURABLE = 1 << 0, /* hand out only what is durable */
};

struct journal_entry {
	uint64_t position;
	uint32_t records;
	uint32_t len;
	const uint8_t *bytes; /* borrowed from the reader until its next call */
	uint64_t lost;        /* with ST_EFORMAT: entries lost from position on; 0: none, or not
				 known */
};

/*
 * Read from position on (0: from journal_first()); what is not there any more is passed over.
 * With drop_oldest, a segment that a reader has handed entries out of is not dropped before they
 * are released, not even after a restart: what was sent is never counted as dropped. So the reader
 * must not run ahead of the release by more than half of max_bytes. Returns ST_OK or ST_EINVAL.
 */
int journal_reader_new(struct journal_reader **out, struct journal *journal, uint64_t position,
		       unsigned flags, struct err *err);
void journal_reader_free(struct journal_reader *reader);

/*
 * The next entry. ST_OK; ST_END: nothing more now; ST_EFORMAT: entries are damaged (entry->position
 * and entry->lost say which), the next call goes on behind them; ST_EIO.
 */
int journal_reader_next(struct journal_reader *reader, struct journal_entry *entry,
			struct err *err);
/* Go to position, as journal_reader_new(). */
void journal_reader_seek(struct journal_reader *reader, uint64_t position);
/* Until there may be a next entry: ST_OK; ST_END: timeout (negative: none), or woken. */
int journal_reader_wait(struct journal_reader *reader, int timeout_ms);

#endif

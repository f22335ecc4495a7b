/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal's state file: two slots written in turn, so that one is always whole. */
#include "common/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

void journal_random(void *bytes, size_t len)
{
	/* Up to 256 bytes come whole once the system has collected enough. */
	if (getrandom(bytes, len, 0) != (ssize_t)len) {
		g_error("no random numbers: %s", g_strerror(errno));
	}
}

int journal_write_state(struct journal *journal, bool to_sync, struct err *err)
{
	uint8_t slot[JOURNALFORMAT_SLOT_BYTES];
	off_t offset;

	journal->state.generation++;
	offset = (off_t)(journal->state.generation & 1) * JOURNALFORMAT_SLOT_DISTANCE;
	journalformat_put_state(slot, &journal->state);
	if (to_sync) {
		journal->state_changes++;
	}
	if (pwrite(journal->state_fd, slot, sizeof(slot), offset) != (ssize_t)sizeof(slot)) {
		return err_errno(err, ST_EIO, errno, "%s/" JOURNAL_STATE_FILE, journal->directory);
	}
	return ST_OK;
}

/* Both slots, and the directory. A file cut short in the making is made anew. */
static int make_state(struct journal *journal, struct err *err)
{
	memset(&journal->state, 0, sizeof(journal->state));
	journal_random(journal->state.id, sizeof(journal->state.id));
	journal_random(&journal->state.key, sizeof(journal->state.key));
	/* A UUID of version 4 (RFC 9562 5.4). */
	journal->state.id[6] = (uint8_t)((journal->state.id[6] & 0x0f) | 0x40);
	journal->state.id[8] = (uint8_t)((journal->state.id[8] & 0x3f) | 0x80);
	for (int i = 0; i < 2; i++) {
		int rc = journal_write_state(journal, false, err);

		if (rc != ST_OK) {
			return rc;
		}
	}
	if (fsync(journal->state_fd) != 0 || fsync(journal->dir_fd) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", journal->directory);
	}
	return ST_OK;
}

static int read_state(struct journal *journal, struct err *err)
{
	uint8_t bytes[JOURNALFORMAT_STATE_BYTES];
	const ssize_t len = pread(journal->state_fd, bytes, sizeof(bytes), 0);
	struct journalformat_state slots[2];
	int rc[2] = { ST_EFORMAT, ST_EFORMAT };

	if (len < 0) {
		return err_errno(err, ST_EIO, errno, "%s/" JOURNAL_STATE_FILE, journal->directory);
	}
	for (int i = 0; i < 2; i++) {
		if (len >= i * JOURNALFORMAT_SLOT_DISTANCE + JOURNALFORMAT_SLOT_BYTES) {
			rc[i] = journalformat_get_state(bytes + i * JOURNALFORMAT_SLOT_DISTANCE,
							&slots[i]);
		}
	}
	if (rc[0] == ST_EVERSION || rc[1] == ST_EVERSION) {
		return err_set(err, ST_EVERSION, "%s: a journal of a newer version",
			       journal->directory);
	}
	if (rc[0] != ST_OK && rc[1] != ST_OK) {
		return err_set(err, ST_EFORMAT,
			       "%s/" JOURNAL_STATE_FILE " is damaged; move the folder away",
			       journal->directory);
	}
	if (rc[0] == ST_OK && rc[1] == ST_OK) {
		journal->state = slots[slots[1].generation > slots[0].generation];
	} else {
		journal->state = slots[rc[1] == ST_OK];
	}
	return ST_OK;
}

int journal_load_state(struct journal *journal, bool *created, struct err *err)
{
	journal->state_fd =
		openat(journal->dir_fd, JOURNAL_STATE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (journal->state_fd < 0) {
		return err_errno(err, err_status(errno), errno, "%s/" JOURNAL_STATE_FILE,
				 journal->directory);
	}
	if (flock(journal->state_fd, LOCK_EX | LOCK_NB) != 0) {
		return err_set(err, ST_EAGAIN, "%s is used by another process", journal->directory);
	}
	*created = journal->segments->len == 0 && read_state(journal, NULL) == ST_EFORMAT;
	return *created ? make_state(journal, err) : read_state(journal, err);
}

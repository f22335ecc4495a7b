/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/filestate.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/bigendian.h"
#include "common/timestamp.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define STATE_PREFIX  ".rwflowpack-files-"
#define SLOT_MAGIC    "TSFS"
#define SLOT_VERSION  1
#define SLOT_DISTANCE 4096
#define ID_BYTES      16

enum {
	SLOT_EPOCH = 8,
	SLOT_ID = 16,
	SLOT_FILE = SLOT_ID + ID_BYTES,
	SLOT_RECORDS = SLOT_FILE + 8,
	SLOT_CHECK = SLOT_RECORDS + 8,
	SLOT_BYTES = SLOT_CHECK + 8,
};

struct filestate {
	char *path;
	int fd;
	uint64_t epoch; /* the last that counts */
	uint8_t id[ID_BYTES];
	char id_text[2 * ID_BYTES + 1];
	uint64_t file;
	uint64_t records;
};

/* Take the slot if it is whole and of a later epoch. */
static void take_slot(struct filestate *state, off_t at)
{
	uint8_t slot[SLOT_BYTES];

	if (pread(state->fd, slot, sizeof(slot), at) == sizeof(slot) &&
	    memcmp(slot, SLOT_MAGIC, 4) == 0 && get_be32(slot + 4) == SLOT_VERSION &&
	    get_be64(slot + SLOT_CHECK) == XXH64(slot, SLOT_CHECK, 0) &&
	    get_be64(slot + SLOT_EPOCH) > state->epoch) {
		state->epoch = get_be64(slot + SLOT_EPOCH);
		memcpy(state->id, slot + SLOT_ID, ID_BYTES);
		state->file = get_be64(slot + SLOT_FILE);
		state->records = get_be64(slot + SLOT_RECORDS);
	}
}

static int put_slot(struct filestate *state, uint64_t epoch, uint64_t file, uint64_t records,
		    struct err *err)
{
	uint8_t slot[SLOT_BYTES];
	int st;

	memcpy(slot, SLOT_MAGIC, 4);
	put_be32(slot + 4, SLOT_VERSION);
	put_be64(slot + SLOT_EPOCH, epoch);
	memcpy(slot + SLOT_ID, state->id, ID_BYTES);
	put_be64(slot + SLOT_FILE, file);
	put_be64(slot + SLOT_RECORDS, records);
	put_be64(slot + SLOT_CHECK, XXH64(slot, SLOT_CHECK, 0));
	st = newfile_write(state->fd, epoch % 2 * SLOT_DISTANCE, slot, sizeof(slot), err);
	if (st == ST_OK && fdatasync(state->fd) != 0) {
		st = err_errno(err, ST_EIO, errno, "sync");
	}
	if (st != ST_OK) {
		return err ? err_prefix(err, "%s", state->path) : st;
	}
	state->epoch = epoch;
	state->file = file;
	state->records = records;
	return ST_OK;
}

/* The id is durable before anything is appended under it. */
static int begin(struct filestate *state, struct err *err)
{
	int st;

	if (getrandom(state->id, sizeof(state->id), 0) != sizeof(state->id)) {
		return err_errno(err, ST_EIO, errno, "no random numbers");
	}
	st = put_slot(state, 1, 0, 0, err);
	return st == ST_OK ? newfile_sync_folder(state->path, err) : st;
}

int filestate_open(struct filestate **out, const char *directory, const char *name, struct err *err)
{
	struct filestate *state = g_new0(struct filestate, 1);
	char *base = g_strconcat(STATE_PREFIX, name, NULL);
	int st;

	state->path = g_build_filename(directory, base, NULL);
	st = lockedfile_open(state->path, LOCKEDFILE_CREATE | LOCKEDFILE_NO_WAIT, &state->fd, err);
	if (st == ST_OK) {
		take_slot(state, 0);
		take_slot(state, SLOT_DISTANCE);
		st = state->epoch == 0 ? begin(state, err) : ST_OK;
	} else {
		state->fd = -1;
	}
	g_free(base);
	if (st != ST_OK) {
		filestate_close(state);
		return st;
	}
	for (size_t i = 0; i < ID_BYTES; i++) {
		g_snprintf(state->id_text + 2 * i, 3, "%02x", state->id[i]);
	}
	*out = state;
	return ST_OK;
}

void filestate_close(struct filestate *state)
{
	if (state) {
		if (state->fd >= 0) {
			close(state->fd);
		}
		g_free(state->path);
		g_free(state);
	}
}

void filestate_remove(struct filestate *state)
{
	if (state) {
		unlink(state->path);
		filestate_close(state);
	}
}

uint64_t filestate_file(const char *name, const struct stat *stat)
{
	const uint64_t parts[] = {
		XXH64(name, strlen(name), 0),
		(uint64_t)stat->st_ino,
		(uint64_t)stat->st_size,
		(uint64_t)stat->st_mtim.tv_sec * NS_PER_S + (uint64_t)stat->st_mtim.tv_nsec,
	};

	return XXH64(parts, sizeof(parts), 1);
}

const char *filestate_id(const struct filestate *state)
{
	return state->id_text;
}

uint64_t filestate_epoch(const struct filestate *state)
{
	return state->epoch + 1;
}

uint64_t filestate_done(const struct filestate *state, uint64_t file)
{
	return file == state->file ? state->records : 0;
}

uint64_t filestate_last(const struct filestate *state)
{
	return state->file;
}

int filestate_commit(struct filestate *state, uint64_t file, uint64_t records, struct err *err)
{
	return put_slot(state, state->epoch + 1, file, records, err);
}

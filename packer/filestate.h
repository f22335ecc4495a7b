/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far the files that a packer reads are packed, durably: with the commits of the writer
 * (packer/writer.h) it makes that each record of a file is packed once, whatever is killed.
 *
 *	struct filestate *state;
 *	filestate_open(&state, directory, "spool", err);
 *	writer_recover(writer, filestate_id(state), filestate_epoch(state), err);
 *	records = filestate_done(state, file);		// of this file; pass over so many
 *	... write records ...
 *	epoch.number = filestate_epoch(state);
 *	// epoch.over is filestate_commit(state, file, n, err)
 *	writer_commit(writer, flags, now, &epoch, err);
 *	... remove the file ...
 *	filestate_close(state);
 *
 * Only of the file that was committed last is it known how far it is; so a file must be done with
 * before the next one is committed. file is a number that stands for it alone.
 *
 * On disk: DIRECTORY/.rwflowpack-files-NAME, two slots at 0 and 4096, written in turn; the one of
 * the higher epoch that is whole counts. A slot, numbers big-endian: "TSFS", version 1 (4 bytes),
 * epoch (8), id (16), file (8), records (8), and the XXH64 of all before.
 */
#ifndef TUSSAH_PACKER_FILESTATE_H
#define TUSSAH_PACKER_FILESTATE_H

#include <stdint.h>
#include <sys/stat.h>

#include "common/err.h"

struct filestate;

/* Lock and read it, or make it. name: letters and digits. ST_OK, ST_EIO, ST_EAGAIN (another has
 * it). */
int filestate_open(struct filestate **out, const char *directory, const char *name,
		   struct err *err);
void filestate_close(struct filestate *state);
/* Close, and remove what is on disk: nothing will be asked any more. */
void filestate_remove(struct filestate *state);

/* A number for a file: its name, inode, size and time. */
uint64_t filestate_file(const char *name, const struct stat *stat);

const char *filestate_id(const struct filestate *state); /* of the writer's log */
/* The epoch in which files may be appended to now, the one after the last that counts. */
uint64_t filestate_epoch(const struct filestate *state);
/* How many records of the file are packed; 0: nothing is known of it. */
uint64_t filestate_done(const struct filestate *state, uint64_t file);
/* The file that was committed last; 0: none. */
uint64_t filestate_last(const struct filestate *state);

/* The epoch is over, and so many records of the file are packed. ST_OK; ST_EIO: it is not known
 * whether it is over. */
int filestate_commit(struct filestate *state, uint64_t file, uint64_t records, struct err *err);

#endif

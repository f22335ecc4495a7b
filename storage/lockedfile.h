/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that is open for writing under a lock, and that its name still means: others replace
 * files by renaming while they hold the lock (storage/FORMAT.md section 7).
 *
 *	rc = lockedfile_open(path, LOCKEDFILE_CREATE, &fd, err);
 *	... write ...
 *	close(fd);					// gives the lock back
 *
 * And to replace it:
 *	rc = lockedfile_temporary(path, &st, &name, &new_fd, err);
 *	... write new_fd and sync it ...
 *	rc = lockedfile_replace(name, path, err);	// else unlink(name)
 */
#ifndef TUSSAH_STORAGE_LOCKEDFILE_H
#define TUSSAH_STORAGE_LOCKEDFILE_H

#include <sys/stat.h>

#include "common/err.h"

enum lockedfile_flags {
	LOCKEDFILE_CREATE = 1 << 0,  /* make it when missing */
	LOCKEDFILE_NO_WAIT = 1 << 1, /* ST_EAGAIN when another has the lock */
	LOCKEDFILE_NO_LOCK = 1 << 2, /* for file systems that cannot lock */
};

/*
 * Open path for reading and writing, lock it (of the open file, exclusive, seen by fcntl() locks of
 * other programs too), and open it anew while it was replaced or removed before the lock was had.
 * *fd returned: close() it. ST_OK, ST_ENOENT, ST_EAGAIN, ST_EIO.
 */
int lockedfile_open(const char *path, unsigned flags, int *fd, struct err *err);

/*
 * Make a new file "FOLDER/.NAME.XXXXXX" beside path, with the access rights (and, where one may,
 * the owner) of like. *name returned: g_free(); *fd returned. As newfile_open().
 */
int lockedfile_temporary(const char *path, const struct stat *like, char **name, int *fd,
			 struct err *err);

/* Let path mean the file called temporary, durably. The bytes were synced before. ST_OK, ST_EIO. */
int lockedfile_replace(const char *temporary, const char *path, struct err *err);

#endif

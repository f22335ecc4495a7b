/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lockedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/newfile.h"

/* A lock of the open file, not of the process: closing another descriptor of it does not lose it.
 */
static int lock_file(int fd, const char *path, unsigned flags, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int command = flags & LOCKEDFILE_NO_WAIT ? F_OFD_SETLK : F_OFD_SETLKW;
	int rc;

	if (flags & LOCKEDFILE_NO_LOCK) {
		return ST_OK;
	}
	do {
		rc = fcntl(fd, command, &lock);
	} while (rc != 0 && errno == EINTR);
	if (rc == 0) {
		return ST_OK;
	}
	if (errno == EAGAIN || errno == EACCES) {
		return err_set(err, ST_EAGAIN, "%s: another process is writing it", path);
	}
	return err_errno(err, err_status(errno), errno, "%s: cannot lock", path);
}

static bool is_still_named(int fd, const char *path)
{
	struct stat ours;
	struct stat named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

int lockedfile_open(const char *path, unsigned flags, int *fd, struct err *err)
{
	int open_flags = O_RDWR | O_CLOEXEC | (flags & LOCKEDFILE_CREATE ? O_CREAT : 0);

	for (;;) {
		int opened = open(path, open_flags, 0666);
		int rc;

		if (opened < 0) {
			return err_errno(err, errno == ENOENT ? ST_ENOENT : err_status(errno),
					 errno, "%s", path);
		}
		rc = lock_file(opened, path, flags, err);
		if (rc == ST_OK && is_still_named(opened, path)) {
			*fd = opened;
			return ST_OK;
		}
		close(opened);
		if (rc != ST_OK) {
			return rc;
		}
	}
}

/* The owner changes only where one may; the rights must be as they were. */
static int copy_rights(int fd, const char *name, const struct stat *like, struct err *err)
{
	if (fchown(fd, like->st_uid, like->st_gid) != 0 && errno != EPERM) {
		return err_errno(err, err_status(errno), errno, "%s: owner", name);
	}
	if (fchmod(fd, like->st_mode & 07777) != 0) {
		return err_errno(err, err_status(errno), errno, "%s: access rights", name);
	}
	return ST_OK;
}

int lockedfile_temporary(const char *path, const struct stat *like, char **name, int *fd,
			 struct err *err)
{
	char *made = NULL;
	int opened = -1;
	int rc = newfile_open(path, &made, &opened, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = copy_rights(opened, made, like, err);
	if (rc != ST_OK) {
		close(opened);
		unlink(made);
		g_free(made);
		return rc;
	}
	*name = made;
	*fd = opened;
	return ST_OK;
}

int lockedfile_replace(const char *temporary, const char *path, struct err *err)
{
	if (rename(temporary, path) != 0) {
		return err_errno(err, err_status(errno), errno, "%s", path);
	}
	return newfile_sync_folder(path, err); /* the name must be as durable as the bytes */
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

/* Beside path, under its name between these. */
static int open_beside(const char *path, const char *before, const char *after, int mode,
		       char **temp, int *fd, struct err *err)
{
	char *folder = g_path_get_dirname(path);
	char *name = g_path_get_basename(path);
	char *pattern =
		g_strdup_printf("%s/%s%.*s%s", folder, before, NEWFILE_NAME_BYTES, name, after);
	int rc = ST_OK;

	g_free(name);
	g_free(folder);
	*fd = g_mkstemp_full(pattern, O_RDWR | O_CLOEXEC, mode);
	if (*fd < 0) {
		rc = err_errno(err, errno == ENOENT ? ST_ENOENT : err_status(errno), errno, "%s",
			       path);
		g_clear_pointer(&pattern, g_free);
	}
	*temp = pattern;
	return rc;
}

int newfile_open(const char *path, char **temp, int *fd, struct err *err)
{
	return open_beside(path, ".", ".XXXXXX", 0666, temp, fd, err);
}

int newfile_open_like(const char *path, int mode, char **temp, int *fd, struct err *err)
{
	return open_beside(path, ".XXXXXX-", "", mode, temp, fd, err);
}

int newfile_nameless(const char *folder, int *fd, struct err *err)
{
	char *path = g_build_filename(folder, "tussah-XXXXXX", NULL);
	int rc = ST_OK;

	*fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	if (*fd < 0) {
		rc = err_errno(err, ST_EIO, errno, "cannot create a temporary file in '%s'",
			       folder);
	} else {
		unlink(path);
	}
	g_free(path);
	return rc;
}

int newfile_write(int fd, uint64_t offset, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, err_status(errno), errno, "write");
		}
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return ST_OK;
}

int newfile_sync_folder(const char *path, struct err *err)
{
	char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = ST_OK;

	/* File systems that cannot sync folders say EINVAL: as good as done. */
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
		rc = err_errno(err, err_status(errno), errno, "sync %s", folder);
	}
	if (fd >= 0) {
		close(fd);
	}
	g_free(folder);
	return rc;
}

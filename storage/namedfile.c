/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/namedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "storage/newfile.h"

#define LINK_TRIES 100
#define COPY_BYTES ((size_t)256 << 10)

struct namedfile {
	char *path;    /* as the user named it */
	bool is_new;   /* a regular file made under that name */
	char *place;   /* where it goes, behind links; NULL: nowhere, written in its place */
	bool replaces; /* what is there then */
	bool apart;    /* written in another folder, to be copied */
	int fd;        /* of what goes there, or -1 */
	char **hidden; /* its name, where it must have one, else NULL; for remove_at_exit() */
};

/* The way out of a program that ends in the middle. */
static void remove_at_exit(int status, void *arg)
{
	char **hidden = arg;

	if (*hidden) {
		unlink(*hidden);
	}
}

static void fd_path(char text[static 32], int fd)
{
	snprintf(text, 32, "/proc/self/fd/%d", fd);
}

/* A file beside path that has no name but can get one; -1: there is no such thing here. */
static int open_nameless(const char *path)
{
	char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	char link[32];

	g_free(folder);
	fd_path(link, fd);
	if (fd >= 0 && access(link, F_OK) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_hidden(struct namedfile *file, struct err *err)
{
	char *name = NULL;
	int rc = newfile_open_like(file->place, 0666, &name, &file->fd, err);

	if (rc == ST_OK) {
		file->hidden = g_new(char *, 1);
		*file->hidden = name;
		on_exit(remove_at_exit, file->hidden);
	}
	return rc;
}

/* Owner and group as far as the user may; what another group had, ours does not get. */
static void take_over(int fd, const struct stat *old)
{
	bool same_group = fchown(fd, old->st_uid, old->st_gid) == 0 ||
			  fchown(fd, (uid_t)-1, old->st_gid) == 0;

	fchmod(fd, old->st_mode & (same_group ? 0777 : 0707));
}

/* The file behind path; NULL: errno says why not. g_free(). */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = g_strdup(real);

	free(real);
	return copy;
}

/* Beside its place; or, to replace what is there, apart where the folder takes no new file. */
static int open_new(struct namedfile *file, bool exists, struct err *err)
{
	int rc = ST_OK;

	file->fd = open_nameless(file->place);
	if (file->fd < 0) {
		rc = open_hidden(file, err);
	}
	if (rc != ST_OK && exists && newfile_nameless(g_get_tmp_dir(), &file->fd, NULL) == ST_OK) {
		file->apart = true;
		rc = ST_OK;
	}
	return rc;
}

/* old: what is to be replaced, or NULL. */
static int open_beside(struct namedfile *file, const struct stat *old, int *fd, struct err *err)
{
	if (old && faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	file->place = old ? resolve(file->path) : g_strdup(file->path);
	if (!file->place) {
		return err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	if (open_new(file, old != NULL, err) != ST_OK) {
		return ST_EIO;
	}
	*fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (*fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	if (old && !file->apart) {
		take_over(*fd, old);
	}
	return ST_OK;
}

/* The file that a descriptor is open on is written to where others write to it, too. */
static bool is_descriptor(const char *path)
{
	return g_str_has_prefix(path, "/dev/fd/") || g_str_has_prefix(path, "/dev/std") ||
	       g_str_has_prefix(path, "/proc/");
}

/* Asked of a path that leads nowhere. */
static bool is_link(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static int open_file(struct namedfile *file, unsigned flags, int *fd, struct err *err)
{
	bool whole = flags & NAMEDFILE_WHOLE;
	struct stat st;
	bool exists;

	if (!whole) {
		*fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd >= 0) {
			file->is_new = true;
			return ST_OK;
		}
		if (errno != EEXIST) {
			return err_errno(err, ST_EIO, errno, "%s", file->path);
		}
	}
	exists = stat(file->path, &st) == 0;
	if (exists && S_ISREG(st.st_mode) && !(flags & NAMEDFILE_OVERWRITE)) {
		return err_set(err, ST_EEXIST, "%s: file exists", file->path);
	}
	if (exists ? S_ISREG(st.st_mode) && !is_descriptor(file->path)
		   : whole && !is_link(file->path)) {
		file->replaces = flags & NAMEDFILE_OVERWRITE;
		return open_beside(file, exists ? &st : NULL, fd, err);
	}
	*fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return *fd >= 0 ? ST_OK : err_errno(err, ST_EIO, errno, "%s", file->path);
}

static void namedfile_free(struct namedfile *file)
{
	if (file->fd >= 0) {
		close(file->fd);
	}
	if (file->hidden) {
		g_clear_pointer(file->hidden, g_free); /* and remove_at_exit() has the rest */
	}
	g_free(file->place);
	g_free(file->path);
	g_free(file);
}

int namedfile_open(struct namedfile **out, const char *path, unsigned flags, int *fd,
		   struct err *err)
{
	struct namedfile *file = g_new0(struct namedfile, 1);
	int rc;

	file->path = g_strdup(path);
	file->fd = -1;
	rc = open_file(file, flags, fd, err);
	if (rc == ST_OK) {
		*out = file;
	} else {
		namedfile_leave(file);
	}
	return rc;
}

bool namedfile_is_hidden(const struct namedfile *file)
{
	return file->place != NULL;
}

/* Give the nameless file a hidden name beside its place. *name: g_free(). */
static int link_hidden(const struct namedfile *file, char **name, struct err *err)
{
	char *folder = g_path_get_dirname(file->place);
	char *base = g_path_get_basename(file->place);
	int errnum = EEXIST;
	char link[32];

	fd_path(link, file->fd);
	for (int i = 0; errnum == EEXIST && i < LINK_TRIES; i++) {
		g_free(*name);
		*name = g_strdup_printf("%s/.%06x-%.*s", folder, g_random_int() & 0xffffff,
					NEWFILE_NAME_BYTES, base);
		errnum =
			linkat(AT_FDCWD, link, AT_FDCWD, *name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
	}
	g_free(base);
	g_free(folder);
	return errnum == 0 ? ST_OK : err_errno(err, err_status(errnum), errnum, "%s", file->path);
}

static int copy_bytes(int in, int out, struct err *err)
{
	uint8_t *bytes = g_malloc(COPY_BYTES);
	uint64_t at = 0;
	int rc = ST_OK;
	ssize_t n = 0;

	while (rc == ST_OK && (n = pread(in, bytes, COPY_BYTES, (off_t)at)) > 0) {
		rc = newfile_write(out, at, bytes, (size_t)n, err);
		at += (uint64_t)n;
	}
	if (rc == ST_OK && n < 0) {
		rc = err_errno(err, ST_EIO, errno, "read");
	}
	if (rc == ST_OK && ftruncate(out, (off_t)at) != 0) {
		rc = err_errno(err, ST_EIO, errno, "truncate");
	}
	g_free(bytes);
	return rc;
}

/* Get the room for what comes into a file; where there is none it stays as it is. */
static int get_room(int in, int out, struct err *err)
{
	struct stat from, to;
	int errnum;

	if (fstat(in, &from) != 0 || fstat(out, &to) != 0) {
		return err_errno(err, ST_EIO, errno, "stat");
	}
	if (from.st_size <= to.st_size ||
	    fallocate(out, 0, to.st_size, from.st_size - to.st_size) == 0 || errno == EOPNOTSUPP) {
		return ST_OK;
	}
	errnum = errno;
	if (ftruncate(out, to.st_size) != 0) {
		errnum = errno;
	}
	return err_errno(err, err_status(errnum), errnum, "write");
}

/* Some files can be written to and not replaced: one that is mounted, or another's in /tmp. */
static int copy_in_place(int in, const char *place, struct err *err)
{
	int out = open(place, O_WRONLY | O_CLOEXEC);
	int rc = out >= 0 ? get_room(in, out, err) : err_errno(err, ST_EIO, errno, "open");

	if (rc == ST_OK) {
		rc = copy_bytes(in, out, err);
	}
	if (out >= 0 && close(out) != 0 && rc == ST_OK) {
		rc = err_errno(err, err_status(errno), errno, "close");
	}
	return rc;
}

/* The hidden file goes to its place, or says why not. */
static int move_to_place(const struct namedfile *file, const char *name, struct err *err)
{
	if (!file->replaces && link(name, file->place) != 0 && errno == EEXIST) {
		return err_set(err, ST_EEXIST, "file exists");
	}
	if (rename(name, file->place) != 0) {
		int rc = copy_in_place(file->fd, file->place, err);

		if (rc != ST_OK) {
			return rc;
		}
	}
	unlink(name); /* what has both names keeps both */
	return ST_OK;
}

static int put_in_place(const struct namedfile *file, struct err *err)
{
	char *name = file->hidden ? g_strdup(*file->hidden) : NULL;
	int rc = file->hidden ? ST_OK : link_hidden(file, &name, err);
	struct err why;

	if (rc == ST_OK) {
		rc = move_to_place(file, name, &why);
		if (rc != ST_OK) {
			err_set(err, rc, "%s: %s; what was to be in it is in '%s'", file->path,
				why.text, name);
		}
	}
	g_free(name);
	return rc;
}

static int copy_to_place(const struct namedfile *file, struct err *err)
{
	int rc = copy_in_place(file->fd, file->place, err);

	return rc == ST_OK || err == NULL ? rc : err_prefix(err, "%s", file->path);
}

int namedfile_keep(struct namedfile *file, struct err *err)
{
	int rc = ST_OK;

	if (file && file->place) {
		rc = (file->apart ? copy_to_place : put_in_place)(file, err);
	}
	if (file) {
		namedfile_free(file);
	}
	return rc;
}

void namedfile_leave(struct namedfile *file)
{
	if (file) {
		if (file->hidden) {
			unlink(*file->hidden);
		}
		namedfile_free(file);
	}
}

void namedfile_drop(struct namedfile *file)
{
	if (file && file->is_new) {
		unlink(file->path);
	}
	namedfile_leave(file);
}

static int copy_file(int in, const char *to, struct err *err)
{
	struct namedfile *file = NULL;
	struct stat st;
	int fd = -1;
	int rc = namedfile_open(&file, to, NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE, &fd, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = copy_bytes(in, fd, err);
	if (file->place && !file->apart && fstat(in, &st) == 0) {
		take_over(fd, &st);
	}
	close(fd);
	if (rc != ST_OK) {
		namedfile_drop(file);
		return err_prefix(err, "%s", to);
	}
	return namedfile_keep(file, err);
}

int namedfile_copy(const char *from, const char *to, struct err *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int rc;

	if (in < 0) {
		return err_errno(err, ST_EIO, errno, "%s", from);
	}
	rc = copy_file(in, to, err);
	close(in);
	return rc;
}

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
	char *place;   /* what is replaced, behind links; NULL: nothing, written in its place */
	int nameless;  /* the descriptor of the file that has no name yet, or -1 */
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

static int open_hidden(struct namedfile *file, int *fd, struct err *err)
{
	char *name = NULL;
	int rc = newfile_open_like(file->place, 0666, &name, fd, err);

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
	file->nameless = open_nameless(file->place);
	*fd = file->nameless >= 0 ? fcntl(file->nameless, F_DUPFD_CLOEXEC, 0) : -1;
	if (file->nameless >= 0 && *fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	if (*fd < 0 && open_hidden(file, fd, err) != ST_OK) {
		g_clear_pointer(&file->place, g_free);
		return ST_EIO;
	}
	if (old) {
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
		int rc = open_beside(file, exists ? &st : NULL, fd, err);

		if (rc == ST_OK || whole) {
			return rc;
		}
	}
	*fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return *fd >= 0 ? ST_OK : err_errno(err, ST_EIO, errno, "%s", file->path);
}

static void namedfile_free(struct namedfile *file)
{
	if (file->nameless >= 0) {
		close(file->nameless);
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
	file->nameless = -1;
	rc = open_file(file, flags, fd, err);
	if (rc == ST_OK) {
		*out = file;
	} else {
		namedfile_free(file);
	}
	return rc;
}

/* Give the nameless file a hidden name beside its place. *name: g_free(). */
static int link_hidden(const struct namedfile *file, char **name, struct err *err)
{
	char *folder = g_path_get_dirname(file->place);
	char *base = g_path_get_basename(file->place);
	int errnum = EEXIST;
	char link[32];

	fd_path(link, file->nameless);
	for (int i = 0; errnum == EEXIST && i < LINK_TRIES; i++) {
		g_free(*name);
		*name = g_strdup_printf("%s/.%06x-%s", folder, g_random_int() & 0xffffff, base);
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
	ssize_t n;

	while (rc == ST_OK && (n = read(in, bytes, COPY_BYTES)) > 0) {
		rc = newfile_write(out, at, bytes, (size_t)n, err);
		at += (uint64_t)n;
	}
	if (rc == ST_OK && n < 0) {
		rc = err_errno(err, ST_EIO, errno, "read");
	}
	g_free(bytes);
	return rc;
}

/* Some files can be written to and not replaced: one that is mounted, or another's in /tmp. */
static int copy_in_place(const char *from, const char *place, struct err *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(place, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int rc = in >= 0 && out >= 0 ? copy_bytes(in, out, err)
				     : err_errno(err, ST_EIO, errno, "open");

	if (in >= 0) {
		close(in);
	}
	if (out >= 0 && close(out) != 0 && rc == ST_OK) {
		rc = err_errno(err, err_status(errno), errno, "close");
	}
	return rc;
}

/* The hidden file goes to its place, or stays and is told of. */
static int replace(const struct namedfile *file, const char *name, struct err *err)
{
	struct err why;
	int rc;

	if (rename(name, file->place) == 0) {
		return ST_OK;
	}
	rc = copy_in_place(name, file->place, &why);
	if (rc != ST_OK) {
		return err_set(err, rc, "%s: %s; what was to be in it is in '%s'", file->path,
			       why.text, name);
	}
	unlink(name);
	return ST_OK;
}

static int put_in_place(const struct namedfile *file, struct err *err)
{
	char *name = file->hidden ? g_strdup(*file->hidden) : NULL;
	int rc = file->hidden ? ST_OK : link_hidden(file, &name, err);

	if (rc == ST_OK) {
		rc = replace(file, name, err);
	}
	g_free(name);
	return rc;
}

int namedfile_keep(struct namedfile *file, struct err *err)
{
	int rc = file && file->place ? put_in_place(file, err) : ST_OK;

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

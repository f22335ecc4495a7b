/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status codes: the one vocabulary of success and failure. Fallible functions return int:
 * ST_OK is 0, failures are negative, iterators return ST_END (positive) after the last element.
 * A code exists only where a caller acts on it; the words for a person are in struct err.
 */
#ifndef TUSSAH_COMMON_STATUS_H
#define TUSSAH_COMMON_STATUS_H

enum status {
	ST_END = 1, /* iterator: no more elements */
	ST_OK = 0,
	ST_EINVAL = -1,   /* an argument, option or text that a person wrote is wrong */
	ST_EFORMAT = -2,  /* bytes from disk or wire are damaged or not of the expected kind */
	ST_EVERSION = -3, /* right kind, but a version or variant that is not known */
	ST_EIO = -4,      /* the operating system failed a read, write or open */
	ST_ENOENT = -5,   /* a named thing does not exist */
	ST_EEXIST = -6,   /* a named thing exists already */
	ST_ELIMIT = -7,   /* a configured bound would be exceeded */
	ST_ERANGE = -8, /* a record's value does not fit the target format; the record is refused */
	ST_ETRUNC = -9, /* data end in the middle of something */
	ST_EAUTH = -10, /* the peer is not who it must be */
	ST_EAGAIN = -11,   /* not now: the operation would block or a lock is held */
	ST_ESUPPORT = -12, /* valid, but not supported in this build or release */
	ST_EPIPE = -13,    /* nobody reads the pipe that was written to */
};

/* A short lower-case phrase for a code; static storage, never NULL. */
const char *status_text(int status);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reason of a failure, for a person: a status and one line of text.
 *
 *	int thing_open(const char *path, struct err *err)
 *	{
 *		if (bad) {
 *			return err_set(err, ST_EFORMAT, "%s: not a thing", path);
 *		}
 *	...
 *		if (thing_open(path, err) != ST_OK) {
 *			return err_prefix(err, "sensor %s", name); // "sensor S1: x: not a thing"
 *		}
 *
 * Every function takes err NULL ("nobody wants to know") and returns the status, so that setting
 * and returning is one line. Text longer than the buffer is cut, never overflowed.
 */
#ifndef TUSSAH_COMMON_ERR_H
#define TUSSAH_COMMON_ERR_H

#include "common/status.h"

#define ERR_TEXT_MAX 1024

struct err {
	int status;
	char text[ERR_TEXT_MAX];
};

/* Set the reason; returns status. */
int err_set(struct err *err, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno value errnum appended. */
int err_errno(struct err *err, int status, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The status for what a file system says: ST_ELIMIT for want of room (try again when there is), the
 * rest ST_EIO. */
int err_status(int errnum);

/* Put context and ": " in front of the text; returns the status that was set. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int status, const char *fmt, ...)
{
	if (err) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		err->status = status;
	}
	return status;
}

int err_errno(struct err *err, int status, int errnum, const char *fmt, ...)
{
	if (err) {
		char reason[128];
		size_t len;
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		err->status = status;
		len = strlen(err->text);
		/* _GNU_SOURCE: strerror_r returns the text, in reason or in static storage */
		snprintf(err->text + len, sizeof(err->text) - len, ": %s",
			 strerror_r(errnum, reason, sizeof(reason)));
	}
	return status;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	char context[ERR_TEXT_MAX / 2];
	va_list ap;

	if (!err) {
		return ST_EINVAL;
	}
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(text, err->text, sizeof(text));
	snprintf(err->text, sizeof(err->text), "%s: %.*s", context,
		 (int)(sizeof(err->text) - strlen(context) - 3), text);
	return err->status;
}

int err_status(int errnum)
{
	return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG ? ST_ELIMIT : ST_EIO;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/status.h"

#include <stddef.h>

static const char *const status_texts[] = {
	[-ST_OK] = "success",
	[-ST_EINVAL] = "invalid argument",
	[-ST_EFORMAT] = "damaged or unexpected data",
	[-ST_EVERSION] = "unknown version",
	[-ST_EIO] = "input/output error",
	[-ST_ENOENT] = "does not exist",
	[-ST_EEXIST] = "exists already",
	[-ST_ELIMIT] = "limit exceeded",
	[-ST_ERANGE] = "value does not fit",
	[-ST_ETRUNC] = "unexpected end of data",
	[-ST_EAUTH] = "peer refused",
	[-ST_EAGAIN] = "not ready",
	[-ST_ESUPPORT] = "not supported",
	[-ST_EPIPE] = "nobody reads",
};

const char *status_text(int status)
{
	if (status == ST_END) {
		return "end of data";
	}
	if (status > 0 || (size_t)-status >= sizeof(status_texts) / sizeof(status_texts[0])) {
		return "unknown status";
	}
	return status_texts[-status];
}

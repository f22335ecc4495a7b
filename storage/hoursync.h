/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Make what was put into many files durable at once. Syncs that are on their way side by side share
 * the commits of the file system's journal: on ext4 forty files take a twentieth of the time that
 * they take one after the other.
 */
#ifndef TUSSAH_STORAGE_HOURSYNC_H
#define TUSSAH_STORAGE_HOURSYNC_H

#include "storage/hourappend.h"

/*
 * hourappend_sync() of each, some at a time, each by one thread. All are tried; returns ST_OK, or
 * the status of the first in the array that failed, with its message.
 */
int hoursync(struct hourappend *const *appends, size_t count, struct err *err);

#endif

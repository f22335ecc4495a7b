/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small incremental files, appended together, so that the disk is waited for once: all hourly files
 * are locked, in one order, one log tells of all, then all are written, then all synced, then the
 * incremental files leave the directory, which is synced. Each incremental file has an epoch of its
 * own in the log, which is over when it has left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "packer/appender_internal.h"
#include "packer/filestate.h"
#include "storage/hournotes.h"
#include "storage/hoursync.h"
#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define GROUP_FILE_BYTES (1 << 20) /* of larger files the time is not spent in waiting */

struct member {
	struct appender_file *file;
	struct increment in;
	int fd; /* locked */
	struct header entries;
	struct hourappend *out; /* NULL: not begun */
	bool existed;
	bool left; /* the incoming directory */
	uint64_t old_size;
	uint64_t new_size;
};

struct group {
	struct appender *appender;
	struct appendlog *log;
	struct member members[APPENDER_GROUP_MAX];
	size_t count;
	size_t begun; /* of them: the hours that are ours */
};

/* ---- who is in it ---- */

static void member_release(struct member *member)
{
	increment_close(&member->in);
	if (member->fd >= 0) {
		close(member->fd);
	}
}

static bool group_has_hour(const struct group *group, const char *hour_path)
{
	for (size_t i = 0; i < group->count; i++) {
		if (strcmp(group->members[i].in.hour_path, hour_path) == 0) {
			return true;
		}
	}
	return false;
}

/* Is all as it mostly is? Else appender_take() has more to say about the file. */
static bool member_open(struct group *group, struct member *member)
{
	const struct appender *appender = group->appender;
	struct increment *in = &member->in;
	struct stat stat;
	char *outside;

	if (lockedfile_open(in->path,
			    LOCKEDFILE_NO_WAIT |
				    (appender->opts.no_locking ? LOCKEDFILE_NO_LOCK : 0),
			    &member->fd, NULL) != ST_OK) {
		member->fd = -1;
		return false;
	}
	if (fstat(member->fd, &stat) != 0 || stat.st_size > GROUP_FILE_BYTES ||
	    hournotes_recognise(in->path) || increment_open(in, NULL) != ST_OK ||
	    !increment_find_key(in)) {
		return false;
	}
	in->epoch = filestate_file(in->name, &stat);
	increment_set_destination(in);
	outside = increment_outside_window(in);
	g_free(outside);
	return !outside && !group_has_hour(group, in->hour_path);
}

static void group_add(struct group *group, struct appender_file *file)
{
	struct member *member = &group->members[group->count];

	*member = (struct member){
		.file = file,
		.fd = -1,
		.in = { .appender = group->appender,
			.log = group->log,
			.path = file->path,
			.name = file->name },
	};
	if (member_open(group, member)) {
		group->count++;
	} else {
		member_release(member);
	}
}

static int member_compare(const void *a, const void *b)
{
	return hourfile_key_compare(&((const struct member *)a)->in.key,
				    &((const struct member *)b)->in.key);
}

/* ---- before anything is written ---- */

static int member_encode(struct member *member, struct err *err)
{
	struct increment *in = &member->in;
	const struct hourfile_write_opts opts = increment_write_opts(in, &member->entries);
	int st =
		hourappend_new(&member->out, in->hour_path, &in->key, &opts, &member->existed, err);

	if (st == ST_OK) {
		st = increment_encode(in, member->out, err);
	}
	return st;
}

/* Everything is in memory and locked. */
static int group_prepare(struct group *group, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && group->begun < group->count) {
		struct member *member = &group->members[group->begun++];

		appender_begin_hour(group->appender, member->in.hour_path);
		keeper_opened(group->appender->keeper, member->in.hour_path,
			      member->in.key.hour_ns);
		st = member_encode(member, err);
	}
	for (size_t i = 0; st == ST_OK && i < group->count; i++) {
		st = appender_lock_hour(group->members[i].out, err);
	}
	return st;
}

/* ---- writing ---- */

/* Those that have not left; the log is not needed when that is known to be so. */
static void group_take_back(struct group *group)
{
	bool known = true;
	struct err err;

	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		if (!member->left) {
			log_msg(LOG_LEVEL_ERR, "APPEND FAILED '%s' to '%s' @ %" G_GUINT64_FORMAT,
				member->in.name, member->in.hour_path, member->old_size);
			known &= hourappend_take_back(member->out, &err) == ST_OK;
		}
	}
	if (known) {
		appendlog_clear(group->log);
	}
}

static int group_write(struct group *group, struct err *err)
{
	struct appendlog_claim claims[APPENDER_GROUP_MAX];
	struct hourappend *appends[APPENDER_GROUP_MAX];
	int st;

	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		appends[i] = member->out;
		hourappend_get_claim(member->out, &claims[i]);
		claims[i].epoch = member->in.epoch;
		member->old_size = member->existed ? claims[i].offset : 0;
		member->new_size = claims[i].offset + claims[i].len;
		if (!member->existed) {
			log_msg(LOG_LEVEL_INFO, "Opening new repository file '%s'",
				member->in.hour_path);
		}
	}
	st = appendlog_write_each(group->log, claims, group->count, err);
	for (size_t i = 0; st == ST_OK && i < group->count; i++) {
		st = hourappend_put(group->members[i].out, err);
	}
	return st == ST_OK ? hoursync(appends, group->count, err) : st;
}

/*
 * Each counts when it has left the directory. A failure after one may have left leaves the log to
 * the next start, unless the directory is known to be as it seems.
 */
static int group_settle(struct group *group, struct err *err)
{
	int st = ST_OK;
	int synced;

	for (size_t i = 0; st == ST_OK && i < group->count; i++) {
		struct member *member = &group->members[i];

		st = increment_move(&member->in, err);
		member->left = st == ST_OK || access(member->in.path, F_OK) != 0;
		st = member->left ? ST_OK : st;
	}
	synced = newfile_sync_folder(group->members[0].in.path, st == ST_OK ? err : NULL);
	if (synced != ST_OK) {
		return st == ST_OK ? synced : st;
	}
	if (st != ST_OK) {
		group_take_back(group);
	} else {
		appendlog_clear(group->log);
	}
	for (size_t i = 0; i < group->count; i++) {
		if (group->members[i].left) {
			hourappend_keep(group->members[i].out);
		}
	}
	return st;
}

/* ---- the end ---- */

static void group_tell(const struct group *group)
{
	const char *command = group->appender->opts.hour_file_command;

	for (size_t i = 0; i < group->count; i++) {
		const struct member *member = &group->members[i];

		if (!member->left) {
			continue;
		}
		member->file->done = true;
		increment_tell(&member->in, member->old_size, member->new_size);
		if (!member->existed && command) {
			disposal_run("hour-file-command", command, member->in.hour_path);
		}
	}
}

static void group_release(struct group *group)
{
	for (size_t i = 0; i < group->begun; i++) {
		struct member *member = &group->members[i];

		hourappend_free(member->out);
		keeper_closed(group->appender->keeper, member->in.hour_path);
		header_release(&member->entries);
		appender_end_hour(group->appender, member->in.hour_path);
	}
	for (size_t i = 0; i < group->count; i++) {
		member_release(&group->members[i]);
	}
	g_free(group);
}

int appendgroup_take(struct appender *appender, unsigned thread, struct appender_file *files,
		     size_t count, struct err *err)
{
	struct group *group = g_new0(struct group, 1);
	int st = ST_OK;

	group->appender = appender;
	group->log = appender->logs[thread];
	for (size_t i = 0; i < count && group->count < APPENDER_GROUP_MAX; i++) {
		group_add(group, &files[i]);
	}
	qsort(group->members, group->count, sizeof(group->members[0]), member_compare);
	if (group->count > 1 && group_prepare(group, NULL) == ST_OK) {
		st = group_write(group, err);
		if (st == ST_OK) {
			st = group_settle(group, err);
			group_tell(group);
		} else {
			group_take_back(group);
		}
	}
	group_release(group);
	return st;
}

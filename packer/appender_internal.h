/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the appender share: appender.c, appendgroup.c, increment.c. */
#ifndef TUSSAH_PACKER_APPENDER_INTERNAL_H
#define TUSSAH_PACKER_APPENDER_INTERNAL_H

#include <glib.h>
#include <pthread.h>

#include "packer/appender.h"
#include "storage/hourappend.h"

struct appender {
	struct appender_opts opts;
	int lock_fd;             /* of the incoming directory; -1: none */
	struct appendlog **logs; /* of each thread */
	struct keeper *keeper;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	GHashTable *busy; /* hourly files in work */
};

/* One incremental file in work. */
struct increment {
	struct appender *appender;
	struct appendlog *log;
	const char *path;
	const char *name;
	uint64_t epoch; /* stands for this file and no other */
	struct hourfile_reader *reader;
	struct batch *batch;
	struct hourfile_key key;
	char *hour_path;
	const char *hour_name; /* from the root; in hour_path */
	GHashTable *types;     /* of extension columns in the block that is being made */
	uint64_t records;
	struct err damage; /* that ended the reading */
};

/* ---- increment.c ---- */

/* Read the first batch. ST_OK, ST_END (no records), or why it is no good. */
int increment_open(struct increment *in, struct err *err);
void increment_close(struct increment *in);
/* From the header, else from the name; false: the site does not know both. */
bool increment_find_key(struct increment *in);
void increment_set_destination(struct increment *in); /* of the key */
/* NULL: the first record is within the hours; else why not. Returned: g_free(). */
char *increment_outside_window(const struct increment *in);
/* What a new hourly file becomes; entries is filled for it. */
struct hourfile_write_opts increment_write_opts(const struct increment *in, struct header *entries);
/* All records; in->damage tells what ended the reading too early. */
int increment_encode(struct increment *in, struct hourappend *out, struct err *err);
/* Out of the incoming directory, to where it goes when it is appended. */
int increment_move(struct increment *in, struct err *err);
/* Lines of the log about one that is appended. */
void increment_tell(const struct increment *in, uint64_t old_size, uint64_t new_size);
/* To the error directory. */
int increment_put_aside(struct increment *in, struct err *err);
int increment_refuse(struct increment *in, const char *why, struct err *err);

/* ---- appender.c ---- */

/* One thread at a time for each hourly file. Who has several begins them in one order. */
void appender_begin_hour(struct appender *appender, const char *hour_path);
void appender_end_hour(struct appender *appender, const char *hour_path);
/* Wait for the lock of the file. */
int appender_lock_hour(struct hourappend *out, struct err *err);

/* ---- appendgroup.c ---- */

/*
 * Append those of the files that are small and of different hours together; done is set of them.
 * What is special about a file leaves it, and sometimes all of them, to be taken alone. ST_OK or
 * fatal.
 */
int appendgroup_take(struct appender *appender, unsigned thread, struct appender_file *files,
		     size_t count, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log of a daemon: level, source, message. The sink is the one piece of global state: set up
 * once by log_open(), closed by log_close(). Libraries do not log; daemons do.
 *
 * Line in files and on streams: "Mon DD HH:MM:SS HOST PROG[PID]: MESSAGE" in local time.
 */
#ifndef TUSSAH_COMMON_LOG_H
#define TUSSAH_COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/opt.h"

enum log_level { /* as syslog(3) */
		 LOG_LEVEL_EMERG,
		 LOG_LEVEL_ALERT,
		 LOG_LEVEL_CRIT,
		 LOG_LEVEL_ERR,
		 LOG_LEVEL_WARNING,
		 LOG_LEVEL_NOTICE,
		 LOG_LEVEL_INFO,
		 LOG_LEVEL_DEBUG,
};

/* Embed with OPT_GROUP(..., log, log_opt_table): --log-destination --log-directory --log-basename
 * --log-post-rotate --log-pathname --log-level --log-sysfacility (silk-packing.md 4.1). */
struct log_opts {
	char *destination;
	char *directory;
	char *basename;
	char *post_rotate;
	char *pathname;
	char *level;
	char *facility;
};
extern const struct opt log_opt_table[];

/*
 * Check the switches and open the sink. Exactly one of directory, pathname, destination must be
 * given; default_destination (may be NULL) stands in when none is.
 */
int log_open(const struct log_opts *opts, const char *program, const char *default_destination,
	     struct err *err);
/* "Stopped logging." and close. */
void log_close(void);

/*
 * Log one line; control characters in it are written as \xNN, so that nobody's name begins a line
 * of its own. Anything below the level is dropped before formatting. Thread-safe.
 */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The file descriptor that a daemon's stdout and stderr go to, or -1. */
int log_fd(void);

/* The folder of --log-directory, or NULL; borrowed until log_close(). */
const char *log_directory(void);

/* Roll over when the local day has changed; call now and then. */
void log_tick(int64_t now_ns);

/* Open the log file again by its name, for one that was moved away; without a file, nothing. */
void log_reopen(void);

/* So many lines at once, and then so many a minute; neither is 0. */
struct log_rate {
	uint32_t burst;
	uint32_t per_minute;
};
/*
 * Rate limit for what an outsider can trigger: one struct, 0 at first, per kind of message. Returns
 * true when the message may be logged now; *suppressed is how many were held back since the last one.
 */
struct log_limit {
	int64_t at_ns;    /* of the last message */
	int64_t spent_ns; /* what messages have used of the burst, in the time it takes to come back */
	uint64_t held_back;
};
bool log_limit_ok(struct log_limit *limit, struct log_rate rate, int64_t now_ns,
		  uint64_t *suppressed);
/* What a line says of those that were held back before it: " (3 more held back)", "" for none. */
#define LOG_HELD_BACK_MAX 48
const char *log_held_back(uint64_t lines, char text[LOG_HELD_BACK_MAX]);

#endif

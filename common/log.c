/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "common/timestamp.h"

#define LOG_LINE_MAX 8192

/* The sink: the one mutable state of the log. */
static struct {
	pthread_mutex_t lock;
	atomic_int level; /* -1: closed */
	int fd;           /* lines go here; -1: none */
	bool fd_owned;
	bool syslog;
	char *program;
	char host[64];
	char *path; /* of a file of ours; NULL: none */
	/* rotated files only */
	char *directory;
	char *basename;
	char *post_rotate;
	int day; /* YYYYMMDD of the open file, local */
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER, .level = -1, .fd = -1 };

const struct opt log_opt_table[] = {
	OPT_STR(struct log_opts, directory, "log-directory", 0, "DIR",
		"write a log file a day in this folder"),
	OPT_STR(struct log_opts, basename, "log-basename", 0, "NAME",
		"begin the names of those files so (default: the program's name)"),
	OPT_STR(struct log_opts, post_rotate, "log-post-rotate", 0, "CMD",
		"run this on a finished log file, %s being its path (default: gzip -f %s)"),
	OPT_STR(struct log_opts, pathname, "log-pathname", 0, "FILE",
		"write the log to this one file"),
	OPT_STR(struct log_opts, destination, "log-destination", 0, "DEST",
		"send the log to none, stdout, stderr, syslog, both, or a file"),
	OPT_STR(struct log_opts, level, "log-level", 0, "LEVEL",
		"log this and what is graver: emerg to debug (default: info)"),
	OPT_STR(struct log_opts, facility, "log-sysfacility", 0, "FACILITY",
		"file messages to syslog under this facility (default: user)"),
	OPT_END,
};

struct log_name {
	const char *name;
	int value;
};

static const struct log_name level_names[] = {
	{ "emerg", LOG_LEVEL_EMERG },     { "alert", LOG_LEVEL_ALERT },
	{ "crit", LOG_LEVEL_CRIT },       { "err", LOG_LEVEL_ERR },
	{ "warning", LOG_LEVEL_WARNING }, { "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },       { "debug", LOG_LEVEL_DEBUG },
};

static const struct log_name facility_names[] = {
	{ "user", LOG_USER },     { "daemon", LOG_DAEMON }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

enum log_destination { DEST_NONE, DEST_STDOUT, DEST_STDERR, DEST_SYSLOG, DEST_BOTH };

static const struct log_name destination_names[] = {
	{ "none", DEST_NONE },     { "stdout", DEST_STDOUT }, { "stderr", DEST_STDERR },
	{ "syslog", DEST_SYSLOG }, { "both", DEST_BOTH },
};

enum { LOG_NAME_NONE = -1, LOG_NAME_SEVERAL = -2 };

/* By exact name or unambiguous prefix, in letters of any case. */
static int find_name(const struct log_name *table, size_t count, const char *text)
{
	int value = LOG_NAME_NONE;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (g_ascii_strncasecmp(table[i].name, text, strlen(text)) == 0) {
			if (!table[i].name[strlen(text)]) {
				return table[i].value;
			}
			value = table[i].value;
			found++;
		}
	}
	if (!*text || found == 0) {
		return LOG_NAME_NONE;
	}
	return found > 1 ? LOG_NAME_SEVERAL : value;
}

static int refuse_name(const char *option, const char *text, int found, struct err *err)
{
	return err_set(err, ST_EINVAL, "Invalid %s '%s': Value is %s", option, text,
		       found == LOG_NAME_SEVERAL ? "ambiguous" : "not recognized");
}

static int find_destination(const char *text)
{
	return find_name(destination_names, G_N_ELEMENTS(destination_names), text);
}

static int local_day(time_t now, struct tm *tm)
{
	localtime_r(&now, tm);
	return (tm->tm_year + 1900) * 10000 + (tm->tm_mon + 1) * 100 + tm->tm_mday;
}

static int open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0) {
		err_errno(err, ST_EIO, errno, "Unable to open log file '%s'", path);
	}
	return fd;
}

static char *daily_path(int day)
{
	return g_strdup_printf("%s/%s-%08d.log", sink.directory, sink.basename, day);
}

/* One line to every place that wants it; the lock is held. */
static void put_line(enum log_level level, const char *text)
{
	static const char format[] = "%b %e %H:%M:%S";
	char line[LOG_LINE_MAX + 256];
	char stamp[32];
	struct tm tm;
	int len;

	if (sink.syslog) {
		syslog((int)level, "%s", text);
	}
	if (sink.fd < 0) {
		return;
	}
	local_day(time(NULL), &tm);
	strftime(stamp, sizeof(stamp), format, &tm);
	len = snprintf(line, sizeof(line), "%s %s %s[%ld]: %s\n", stamp, sink.host, sink.program,
		       (long)getpid(), text);
	if (len >= (int)sizeof(line)) {
		len = sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	for (int done = 0; done < len;) {
		ssize_t n = write(sink.fd, line + done, (size_t)(len - done));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return;
		}
		done += (int)n;
	}
}

/* Names of certificates and files are others' words: they must not begin lines of their own. */
static void escape_controls(char *out, size_t size, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;

	for (; *text && len + 5 <= size; text++) {
		unsigned char c = (unsigned char)*text;

		if (!g_ascii_iscntrl((char)c)) {
			out[len++] = (char)c;
			continue;
		}
		out[len++] = '\\';
		out[len++] = 'x';
		out[len++] = digits[c >> 4];
		out[len++] = digits[c & 15];
	}
	out[len] = '\0';
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	char line[LOG_LINE_MAX];
	va_list ap;

	if ((int)level > atomic_load_explicit(&sink.level, memory_order_relaxed)) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape_controls(line, sizeof(line), text);
	pthread_mutex_lock(&sink.lock);
	put_line(level, line);
	pthread_mutex_unlock(&sink.lock);
}

static int check_choice(const struct log_opts *opts, struct err *err)
{
	int given = !!opts->directory + !!opts->pathname + !!opts->destination;

	if (given > 1) {
		return err_set(err, ST_EINVAL,
			       "Only one of --log-directory, --log-pathname, or --log-destination "
			       "may be specified");
	}
	if ((opts->basename || opts->post_rotate) && !opts->directory) {
		return err_set(err, ST_EINVAL, "The --%s switch requires --log-directory",
			       opts->basename ? "log-basename" : "log-post-rotate");
	}
	return ST_OK;
}

static int check_directory(const char *directory, struct err *err)
{
	struct stat st;

	if (directory[0] != '/') {
		return err_set(err, ST_EINVAL,
			       "Invalid log-directory: Must use complete path ('%s' does not begin "
			       "with slash)",
			       directory);
	}
	if (stat(directory, &st) != 0 || !S_ISDIR(st.st_mode)) {
		return err_set(err, ST_EINVAL, "Invalid log-directory: Nonexistent path '%s'",
			       directory);
	}
	return ST_OK;
}

/* %s and %% are all that a command may hold. */
static int check_command(const char *command, struct err *err)
{
	for (const char *p = strchr(command, '%'); p; p = strchr(p + 2, '%')) {
		if (p[1] != 's' && p[1] != '%') {
			return err_set(err, ST_EINVAL,
				       "Invalid log-post-rotate '%s': Unknown conversion '%%%c'",
				       command, p[1]);
		}
	}
	return ST_OK;
}

static int open_daily(const struct log_opts *opts, struct err *err)
{
	const char *post_rotate = opts->post_rotate ? opts->post_rotate : "gzip -f %s";
	struct tm tm;

	if (check_directory(opts->directory, err) != ST_OK ||
	    check_command(post_rotate, err) != ST_OK) {
		return err ? err->status : ST_EINVAL;
	}
	sink.directory = g_strdup(opts->directory);
	sink.basename = g_strdup(opts->basename ? opts->basename : sink.program);
	sink.post_rotate = g_strdup(post_rotate);
	sink.day = local_day(time(NULL), &tm);
	sink.path = daily_path(sink.day);
	sink.fd = open_file(sink.path, err);
	sink.fd_owned = true;
	return sink.fd < 0 ? ST_EIO : ST_OK;
}

static int open_path(const char *name, const char *path, struct err *err)
{
	if (path[0] != '/') {
		return err_set(err, ST_EINVAL,
			       "Invalid %s: Must use complete path ('%s' does not begin with "
			       "slash)",
			       name, path);
	}
	sink.path = g_strdup(path);
	sink.fd = open_file(path, err);
	sink.fd_owned = true;
	return sink.fd < 0 ? ST_EIO : ST_OK;
}

static int open_destination(const char *text, int facility, struct err *err)
{
	int destination;

	if (text[0] == '/') {
		return open_path("log-destination", text, err);
	}
	destination = find_destination(text);
	if (destination < 0) {
		return refuse_name("log-destination", text, destination, err);
	}
	sink.syslog = destination == DEST_SYSLOG || destination == DEST_BOTH;
	if (destination == DEST_STDOUT) {
		sink.fd = STDOUT_FILENO;
	} else if (destination == DEST_STDERR || destination == DEST_BOTH) {
		sink.fd = STDERR_FILENO;
	}
	if (sink.syslog) {
		openlog(sink.program, LOG_PID, facility);
	}
	return ST_OK;
}

static bool to_syslog(const char *destination)
{
	int found = destination ? find_destination(destination) : DEST_NONE;

	return found == DEST_SYSLOG || found == DEST_BOTH;
}

/* destination: that is used; may be NULL. */
static int find_facility(const struct log_opts *opts, const char *destination, int *facility,
			 struct err *err)
{
	const char *text = opts->facility;

	*facility = LOG_USER;
	if (!text) {
		return ST_OK;
	}
	if (g_ascii_isdigit(text[0])) {
		char *end;
		unsigned long number = strtoul(text, &end, 10);

		*facility = *end || number > 1023 ? LOG_NAME_NONE : (int)number;
	} else {
		*facility = find_name(facility_names, G_N_ELEMENTS(facility_names), text);
	}
	if (*facility < 0) {
		return refuse_name("log-sysfacility", text, *facility, err);
	}
	if (opts->directory || opts->pathname || !to_syslog(destination)) {
		return err_set(err, ST_EINVAL,
			       "Cannot set facility unless log-destination is 'syslog' or 'both'");
	}
	return ST_OK;
}

static void release_sink(void)
{
	if (sink.fd_owned && sink.fd >= 0) {
		close(sink.fd);
	}
	if (sink.syslog) {
		closelog();
	}
	g_clear_pointer(&sink.program, g_free);
	g_clear_pointer(&sink.directory, g_free);
	g_clear_pointer(&sink.basename, g_free);
	g_clear_pointer(&sink.post_rotate, g_free);
	g_clear_pointer(&sink.path, g_free);
	sink.fd = -1;
	sink.fd_owned = sink.syslog = false;
}

int log_open(const struct log_opts *opts, const char *program, const char *default_destination,
	     struct err *err)
{
	const char *destination = opts->destination ? opts->destination : default_destination;
	int level = opts->level ? find_name(level_names, G_N_ELEMENTS(level_names), opts->level)
				: LOG_LEVEL_INFO;
	char stamp[TIMESTAMP_TEXT_MAX];
	struct tm tm;
	time_t now = time(NULL);
	int facility;
	int st;

	if (level < 0) {
		return refuse_name("log-level", opts->level, level, err);
	}
	if ((st = check_choice(opts, err)) != ST_OK ||
	    (st = find_facility(opts, destination, &facility, err)) != ST_OK) {
		return st;
	}
	release_sink();
	sink.program = g_strdup(program);
	if (gethostname(sink.host, sizeof(sink.host) - 1) != 0) {
		g_strlcpy(sink.host, "localhost", sizeof(sink.host));
	}
	sink.host[strcspn(sink.host, ".")] = '\0';
	if (opts->directory) {
		st = open_daily(opts, err);
	} else if (opts->pathname) {
		st = open_path("log-pathname", opts->pathname, err);
	} else if (destination) {
		st = open_destination(destination, facility, err);
	} else {
		st = err_set(err, ST_EINVAL,
			     "One of --log-directory, --log-pathname, or --log-destination is "
			     "required");
	}
	if (st != ST_OK) {
		release_sink();
		return st;
	}
	atomic_store(&sink.level, level);
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%SZ", &tm);
	log_msg(LOG_LEVEL_INFO, "Started logging at %s", stamp);
	return ST_OK;
}

void log_close(void)
{
	log_msg(LOG_LEVEL_INFO, "Stopped logging.");
	pthread_mutex_lock(&sink.lock);
	atomic_store(&sink.level, -1);
	release_sink();
	pthread_mutex_unlock(&sink.lock);
}

int log_fd(void)
{
	return sink.fd;
}

const char *log_directory(void)
{
	return sink.directory;
}

/* %s becomes the path, %% a percent sign; returned: g_free(). */
static char *expand_command(const char *command, const char *path)
{
	GString *out = g_string_new(NULL);

	for (const char *p = command; *p; p++) {
		if (*p != '%') {
			g_string_append_c(out, *p);
		} else if (*++p == 's') {
			g_string_append(out, path);
		} else {
			g_string_append_c(out, '%');
		}
	}
	return g_string_free(out, FALSE);
}

/* Nothing of the daemon's signals and terminal reaches the command (silk-packing.md 4.5). */
static void exec_command(const char *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

/* A grandchild runs the command, so that nobody waits for it and init takes its status. */
static void run_post_rotate(const char *path)
{
	char *command = expand_command(sink.post_rotate, path);
	pid_t child;

	if (*command) {
		child = fork();
		if (child == 0) {
			if (fork() == 0) {
				exec_command(command);
			}
			_exit(0);
		}
		if (child > 0) {
			waitpid(child, NULL, 0);
		}
	}
	g_free(command);
}

/* Lines go to this file from now on, and so do the streams that went to the one before. Takes fd. */
static void follow(int fd)
{
	struct stat before;
	struct stat stream;

	for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++) {
		if (fstat(sink.fd, &before) == 0 && fstat(i, &stream) == 0 &&
		    before.st_dev == stream.st_dev && before.st_ino == stream.st_ino) {
			dup2(fd, i);
		}
	}
	dup3(fd, sink.fd, O_CLOEXEC);
	close(fd);
}

/* The lock is held. The old file goes on when this one cannot be opened: false. */
static bool go_on_in(const char *path)
{
	struct err err;
	int fd = open_file(path, &err);

	if (fd < 0) {
		put_line(LOG_LEVEL_WARNING, err.text);
		return false;
	}
	follow(fd);
	return true;
}

/* The lock is held. */
static void rotate(int day)
{
	char *path = daily_path(day);
	char *line;

	put_line(LOG_LEVEL_INFO, "Log rollover");
	sink.day = day;
	if (go_on_in(path)) {
		line = g_strdup_printf("Previous log file: '%s'", sink.path);
		put_line(LOG_LEVEL_INFO, line);
		g_free(line);
		run_post_rotate(sink.path);
		g_free(sink.path);
		sink.path = g_steal_pointer(&path);
	}
	g_free(path);
}

void log_reopen(void)
{
	pthread_mutex_lock(&sink.lock);
	if (sink.path && sink.fd >= 0) {
		go_on_in(sink.path);
	}
	pthread_mutex_unlock(&sink.lock);
}

void log_tick(int64_t now_ns)
{
	struct tm tm;
	int day = local_day((time_t)(now_ns / NS_PER_S), &tm);

	pthread_mutex_lock(&sink.lock);
	if (sink.directory && day > sink.day) {
		rotate(day);
	}
	pthread_mutex_unlock(&sink.lock);
}

bool log_limit_ok(struct log_limit *limit, struct log_rate rate, int64_t now_ns,
		  uint64_t *suppressed)
{
	const int64_t cost_ns = 60 * NS_PER_S / rate.per_minute;
	const int64_t passed_ns = MAX(now_ns - limit->at_ns, 0);

	limit->at_ns = now_ns;
	limit->spent_ns = MAX(limit->spent_ns - passed_ns, 0);
	if (limit->spent_ns + cost_ns > rate.burst * cost_ns) {
		limit->held_back++;
		return false;
	}
	limit->spent_ns += cost_ns;
	*suppressed = limit->held_back;
	limit->held_back = 0;
	return true;
}

const char *log_held_back(uint64_t lines, char text[LOG_HELD_BACK_MAX])
{
	text[0] = '\0';
	if (lines > 0) {
		snprintf(text, LOG_HELD_BACK_MAX, " (%" PRIu64 " more held back)", lines);
	}
	return text;
}

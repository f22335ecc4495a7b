/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/execcrew.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "packer/disposal.h"

#define EXECTIMEOUT_SIGNAL_MAX 31

struct execjob {
	pid_t pid;
	int pidfd;
	char *path;
	int64_t started_ns;
	uint32_t signalled; /* bits of the timeouts that have been */
};

struct execcrew {
	struct execcrew_opts opts;
	GQueue waiting;  /* of char * */
	GPtrArray *jobs; /* of struct execjob */
	bool finishing;
};

/* ---- timeouts ---- */

static int exectimeout_signal(const char *name, int *out, struct err *err)
{
	const char *bare = g_str_has_prefix(name, "SIG") ? name + 3 : name;
	uint64_t number;
	int st;

	if (g_ascii_isdigit(name[0])) {
		st = number_parse(name, 1, EXECTIMEOUT_SIGNAL_MAX, &number, err);
		*out = (int)number;
		return st;
	}
	for (int i = 1; i <= EXECTIMEOUT_SIGNAL_MAX; i++) {
		const char *known = sigabbrev_np(i);

		if (known && g_ascii_strcasecmp(known, bare) == 0) {
			*out = i;
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "Unknown signal name '%s'", name);
}

int exectimeout_parse(const char *text, struct exectimeout *out, struct err *err)
{
	const char *comma = strchr(text, ',');
	char *name;
	uint64_t seconds = 0;
	int st;

	if (!comma) {
		return err_set(err, ST_EINVAL, "Timeout delay did not follow signal");
	}
	name = g_strndup(text, (gsize)(comma - text));
	st = exectimeout_signal(name, &out->signal, err);
	if (st != ST_OK) {
		err_prefix(err, "Error parsing signal");
		goto done;
	}
	st = number_parse(comma + 1, 1, INT32_MAX, &seconds, err);
	if (st != ST_OK) {
		err_prefix(err, "Error parsing delay");
		goto done;
	}
	out->after_ns = (int64_t)seconds * NS_PER_S;
done:
	g_free(name);
	return st;
}

/* ---- jobs ---- */

struct execcrew *execcrew_new(const struct execcrew_opts *opts)
{
	struct execcrew *crew = g_new0(struct execcrew, 1);

	crew->opts = *opts;
	g_queue_init(&crew->waiting);
	crew->jobs = g_ptr_array_new();
	return crew;
}

void execcrew_free(struct execcrew *crew)
{
	if (crew) {
		g_queue_clear_full(&crew->waiting, g_free);
		g_ptr_array_free(crew->jobs, TRUE);
		g_free(crew);
	}
}

/* The child's exec may fail: then its path is done, and not well. */
static void execcrew_start(struct execcrew *crew, char *path)
{
	const struct execcrew_opts *opts = &crew->opts;
	struct execjob *job = g_new0(struct execjob, 1);
	char *line = NULL;
	struct err err;

	disposal_command(opts->command, path, &line, NULL);
	job->path = path;
	job->started_ns = clock_now_ns(CLOCK_MONOTONIC);
	if (disposal_spawn(opts->shell, opts->command, path, G_SPAWN_DO_NOT_REAP_CHILD, &job->pid,
			   &err) != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "cannot run %s: %s", line, err.text);
		opts->done(opts->arg, path, false);
		g_free(path);
		g_free(job);
	} else {
		job->pidfd = pidfd_open(job->pid, 0);
		log_msg(LOG_LEVEL_NOTICE, "Running [%d]: %s", (int)job->pid, line);
		g_ptr_array_add(crew->jobs, job);
	}
	g_free(line);
}

static void execcrew_fill(struct execcrew *crew)
{
	while (!crew->finishing && crew->jobs->len < crew->opts.simultaneous &&
	       !g_queue_is_empty(&crew->waiting)) {
		execcrew_start(crew, g_queue_pop_head(&crew->waiting));
	}
}

void execcrew_add(struct execcrew *crew, const char *path)
{
	g_queue_push_tail(&crew->waiting, g_strdup(path));
	execcrew_fill(crew);
}

static void execjob_log_end(const struct execjob *job, int status)
{
	const char *signal_name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (signal_name) {
		log_msg(LOG_LEVEL_INFO, "Command [%d] on %s was terminated by SIG%s", (int)job->pid,
			job->path, signal_name);
	} else if (WEXITSTATUS(status) != 0) {
		log_msg(LOG_LEVEL_INFO,
			"Command [%d] on %s has completed with a nonzero return status (%d)",
			(int)job->pid, job->path, WEXITSTATUS(status));
	} else {
		log_msg(LOG_LEVEL_INFO, "Command [%d] on %s has completed successfully",
			(int)job->pid, job->path);
	}
}

/* Take in the jobs that have ended. */
static void execcrew_reap(struct execcrew *crew)
{
	for (guint i = crew->jobs->len; i-- > 0;) {
		struct execjob *job = g_ptr_array_index(crew->jobs, i);
		int status;

		if (waitpid(job->pid, &status, WNOHANG) != job->pid) {
			continue;
		}
		g_ptr_array_remove_index(crew->jobs, i);
		execjob_log_end(job, status);
		crew->opts.done(crew->opts.arg, job->path,
				WIFEXITED(status) && WEXITSTATUS(status) == 0);
		if (job->pidfd >= 0) {
			close(job->pidfd);
		}
		g_free(job->path);
		g_free(job);
	}
	execcrew_fill(crew);
}

/* Send the signals that are due; returns the time of the next one, or INT64_MAX. */
static int64_t execcrew_signal(struct execcrew *crew)
{
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	int64_t next_ns = INT64_MAX;

	for (guint i = 0; !crew->finishing && i < crew->jobs->len; i++) {
		struct execjob *job = g_ptr_array_index(crew->jobs, i);

		for (size_t t = 0; t < crew->opts.timeout_count; t++) {
			const struct exectimeout *timeout = &crew->opts.timeouts[t];
			int64_t due_ns = job->started_ns + timeout->after_ns;

			if (job->signalled >> t & 1) {
				continue;
			}
			if (due_ns > now_ns) {
				next_ns = MIN(next_ns, due_ns);
				continue;
			}
			job->signalled |= UINT32_C(1) << t;
			log_msg(LOG_LEVEL_WARNING, "Sending SIG%s to process [%d]",
				sigabbrev_np(timeout->signal), (int)job->pid);
			kill(-job->pid, timeout->signal);
		}
	}
	return next_ns;
}

void execcrew_poll(struct execcrew *crew, int wake_fd, int timeout_ms)
{
	int64_t next_ns = execcrew_signal(crew);
	struct pollfd *fds = g_new0(struct pollfd, crew->jobs->len + 1);
	nfds_t count = 0;

	if (next_ns != INT64_MAX) {
		int64_t wait_ms = (next_ns - clock_now_ns(CLOCK_MONOTONIC)) / NS_PER_MS + 1;

		timeout_ms = (int)CLAMP(wait_ms, 0, timeout_ms);
	}
	fds[count++] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
	for (guint i = 0; i < crew->jobs->len; i++) {
		const struct execjob *job = g_ptr_array_index(crew->jobs, i);

		fds[count++] = (struct pollfd){ .fd = job->pidfd, .events = POLLIN };
		if (job->pidfd < 0) {
			timeout_ms = MIN(timeout_ms, 50); /* no descriptor to be had: look */
		}
	}
	poll(fds, count, timeout_ms);
	g_free(fds);
	execcrew_reap(crew);
}

void execcrew_finish(struct execcrew *crew)
{
	crew->finishing = true;
	while (crew->jobs->len > 0) {
		execcrew_poll(crew, -1, 1000);
	}
}

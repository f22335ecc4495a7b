/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/poller.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "packer/dirpoll.h"

struct poller {
	struct poller_opts opts;
	char *probe;
	enum probe_type type;
	struct dirpoll *directory;
	pthread_t thread;
	pthread_mutex_t lock; /* guards stop */
	pthread_cond_t wake;
	bool stop;
};

static bool poller_must_stop(struct poller *poller)
{
	bool stop;

	pthread_mutex_lock(&poller->lock);
	stop = poller->stop;
	pthread_mutex_unlock(&poller->lock);
	return stop;
}

/* A bad file is put aside; where it cannot be, the daemon stops and the file stays. */
static int poller_put_aside(struct poller *poller, const char *path)
{
	struct err err;
	int st;

	log_msg(LOG_LEVEL_NOTICE, "File '%s' does not appear to be a valid %s file", path,
		probe_type_name(poller->type));
	st = disposal_bad(poller->opts.disposal, path, &err);
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
		poller->opts.stop_daemon();
	}
	return st;
}

/* What was good in it is durable; now the file may go. */
static int poller_dispose(struct poller *poller, const char *path, int read, struct err *err)
{
	int64_t now_s = clock_now_ns(CLOCK_REALTIME) / NS_PER_S;
	int st = read;

	if ((read == ST_OK || read == ST_EFORMAT) && poller->type != PROBE_SILK) {
		collector_report_probe(poller->opts.collector, poller->probe);
	}
	if (read == ST_EFORMAT) {
		log_msg(LOG_LEVEL_INFO, "'%s': %s", poller->probe, err->text);
		return poller_put_aside(poller, path);
	}
	if (read == ST_OK) {
		st = disposal_good(poller->opts.disposal, path, now_s, err);
	}
	if (st == ST_EAGAIN) {
		log_msg(LOG_LEVEL_INFO, "'%s': '%s' is left for the next start: %s", poller->probe,
			path, err->text);
	} else if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "'%s': %s", poller->probe, err->text);
		poller->opts.stop_daemon();
	}
	return st;
}

static int poller_take(void *arg, const char *path, const char *name)
{
	struct poller *poller = arg;
	struct intake *intake = collector_intake(poller->opts.collector);
	struct intake_file file;
	struct err err;
	int st;

	if (poller_must_stop(poller)) {
		return ST_EAGAIN;
	}
	log_msg(LOG_LEVEL_INFO, "'%s': Directory Reader processing %s file '%s'", poller->probe,
		probe_type_name(poller->type), name);
	st = intake_file_read(intake, poller->probe, path, &file, &err);
	if (st == ST_OK && poller->type == PROBE_SILK) {
		log_msg(LOG_LEVEL_INFO, "%s: Recs %10" PRIu64, name, file.records);
	}
	st = poller_dispose(poller, path, st, &err);
	intake_file_end(intake, &file, st == ST_OK);
	return st;
}

static void *poller_main(void *arg)
{
	struct poller *poller = arg;

	pthread_mutex_lock(&poller->lock);
	while (!poller->stop) {
		int64_t next_ns = clock_now_ns(CLOCK_MONOTONIC) + poller->opts.interval_ns;
		const struct timespec next = {
			.tv_sec = next_ns / NS_PER_S,
			.tv_nsec = next_ns % NS_PER_S,
		};
		struct err err = { .status = ST_OK };

		pthread_mutex_unlock(&poller->lock);
		if (dirpoll_scan(poller->directory, poller_take, poller, &err) == ST_EIO &&
		    err.status != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "'%s': %s", poller->probe, err.text);
		}
		pthread_mutex_lock(&poller->lock);
		while (!poller->stop && clock_now_ns(CLOCK_MONOTONIC) < next_ns) {
			pthread_cond_timedwait(&poller->wake, &poller->lock, &next);
		}
	}
	pthread_mutex_unlock(&poller->lock);
	return NULL;
}

static void poller_free(struct poller *poller)
{
	dirpoll_free(poller->directory);
	pthread_cond_destroy(&poller->wake);
	pthread_mutex_destroy(&poller->lock);
	g_free(poller->probe);
	g_free(poller);
}

int poller_start(struct poller **out, const struct poller_opts *opts, const struct probe *probe,
		 struct err *err)
{
	struct poller *poller = g_new0(struct poller, 1);
	pthread_condattr_t attr;
	int failed;

	poller->opts = *opts;
	poller->probe = g_strdup(probe->name);
	poller->type = probe->type;
	poller->directory = dirpoll_new(probe->poll_directory);
	pthread_mutex_init(&poller->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&poller->wake, &attr);
	pthread_condattr_destroy(&attr);
	failed = pthread_create(&poller->thread, NULL, poller_main, poller);
	if (failed) {
		poller_free(poller);
		return err_errno(err, ST_EIO, failed, "cannot start a thread");
	}
	*out = poller;
	return ST_OK;
}

void poller_stop(struct poller *poller)
{
	pthread_mutex_lock(&poller->lock);
	poller->stop = true;
	pthread_cond_signal(&poller->wake);
	pthread_mutex_unlock(&poller->lock);
	pthread_join(poller->thread, NULL);
	poller_free(poller);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sink.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

/* Spooled messages become durable, and may go out, this much after they came. */
#define SYNC_INTERVAL_MS 100
/* How long the thread sleeps when there is nothing to do. */
#define THREAD_POLL_MS 20
#define EVENTS_MAX     64

struct sink {
	struct link *link; /* or */
	FILE *file;
	struct sink_spool_opts spool_opts;
	char *spool_directory;
	struct spool *spool;
	uint64_t dropped_before[2]; /* messages and records that the spool had dropped earlier */
	uint64_t refused[2];        /* messages and records that it had no room for */
	bool refusing;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock; /* of what the thread tells: */
	struct link_stats told;
	GQueue events; /* of struct err */
	bool stop;
	char *name;
	bool is_udp;
	uint64_t messages;
	uint64_t records;
};

static const struct sink_form {
	const char *prefix;
	size_t message_bytes;
} sink_forms[] = {
	{ "tls://", 8192 },
	{ "tcp://", 8192 },
	{ "udp://", 1420 }, /* no IP fragments over any usual path */
};

static const struct sink_form *sink_form_of(const char *destination)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sink_forms); i++) {
		if (g_str_has_prefix(destination, sink_forms[i].prefix)) {
			return &sink_forms[i];
		}
	}
	return NULL;
}

size_t sink_message_bytes(const char *destination)
{
	const struct sink_form *form = sink_form_of(destination);

	return form != NULL ? form->message_bytes : EXPORT_MESSAGE_MAX;
}

void sink_set_spool(struct sink *sink, const struct sink_spool_opts *opts)
{
	sink->spool_opts = *opts;
	g_free(sink->spool_directory);
	sink->spool_directory = g_strdup(opts->directory);
	sink->spool_opts.directory = sink->spool_directory;
}

/* Locked. */
static void keep_event(struct sink *sink, const struct err *event)
{
	if (g_queue_get_length(&sink->events) == EVENTS_MAX) {
		g_free(g_queue_pop_head(&sink->events));
	}
	g_queue_push_tail(&sink->events, g_memdup2(event, sizeof(*event)));
}

static void *send_from_spool(void *arg)
{
	struct sink *sink = arg;
	bool stop = false;

	while (!stop) {
		struct link_stats stats;
		struct err event;

		link_poll(sink->link, clock_now_ns(CLOCK_MONOTONIC), THREAD_POLL_MS);
		link_get_stats(sink->link, &stats);
		pthread_mutex_lock(&sink->lock);
		sink->told = stats;
		while (link_take_event(sink->link, &event)) {
			keep_event(sink, &event);
		}
		stop = sink->stop;
		pthread_mutex_unlock(&sink->lock);
	}
	return NULL;
}

static void stop_thread(struct sink *sink)
{
	if (sink->has_thread) {
		pthread_mutex_lock(&sink->lock);
		sink->stop = true;
		pthread_mutex_unlock(&sink->lock);
		pthread_join(sink->thread, NULL);
	}
}

/* What was there already, for the log. */
static void tell_recovery(struct sink *sink, const struct journal_recovery *recovery)
{
	struct journal_stats stats;
	struct err event;

	spool_get_stats(sink->spool, &stats);
	sink->dropped_before[0] = stats.dropped_entries;
	sink->dropped_before[1] = stats.dropped_records;
	err_set(&event, recovery->lost_entries > 0 ? ST_EFORMAT : ST_OK,
		"spool %s: %s%s, positions %" PRIu64 " to %" PRIu64 " wait, %" PRIu64
		" bytes torn, %" PRIu64 " messages damaged, %" PRIu64 " messages with %" PRIu64
		" records dropped in all",
		sink->spool_directory, recovery->created ? "new" : "found",
		recovery->clean ? "" : " after a crash", stats.first, stats.last,
		recovery->torn_bytes, recovery->lost_entries, stats.dropped_entries,
		stats.dropped_records);
	keep_event(sink, &event);
}

int sink_start(struct sink *sink, struct err *err)
{
	const struct spool_opts opts = { .directory = sink->spool_directory,
					 .max_bytes = sink->spool_opts.max_bytes,
					 .drop_oldest = sink->spool_opts.drop_oldest,
					 .sync_interval_ms = SYNC_INTERVAL_MS };
	struct journal_recovery recovery;
	int st;

	if (sink->spool_directory == NULL) {
		return ST_OK;
	}
	if (sink->link == NULL) {
		return err_set(err, ST_EINVAL, "a spool is for collectors only");
	}
	st = spool_open(&sink->spool, &opts, &recovery, err);
	if (st != ST_OK) {
		return st;
	}
	tell_recovery(sink, &recovery);
	link_set_spool(sink->link, sink->spool);
	sink->has_thread = pthread_create(&sink->thread, NULL, send_from_spool, sink) == 0;
	return sink->has_thread ? ST_OK : err_set(err, ST_EIO, "cannot start a thread");
}

int sink_open(struct sink **out, const struct link_opts *opts, struct err *err)
{
	struct sink *sink = g_new0(struct sink, 1);
	const char *destination = opts->destination;
	int st = ST_OK;

	pthread_mutex_init(&sink->lock, NULL);
	g_queue_init(&sink->events);
	sink->name = g_strdup(destination);
	sink->is_udp = g_str_has_prefix(destination, "udp://");
	if (sink_form_of(destination) != NULL) {
		st = link_new(&sink->link, opts, err);
	} else if (strcmp(destination, "-") == 0) {
		sink->file = stdout;
	} else {
		sink->file = fopen(destination, "wbe");
		if (sink->file == NULL) {
			st = err_errno(err, ST_EIO, errno, "%s", destination);
		}
	}
	if (st != ST_OK) {
		sink_close(sink);
		return st;
	}
	*out = sink;
	return ST_OK;
}

void sink_close(struct sink *sink)
{
	if (sink == NULL) {
		return;
	}
	stop_thread(sink);
	link_free(sink->link);
	spool_close(sink->spool, NULL);
	g_queue_clear_full(&sink->events, g_free);
	pthread_mutex_destroy(&sink->lock);
	g_free(sink->spool_directory);
	if (sink->file != NULL && sink->file != stdout) {
		fclose(sink->file);
	}
	g_free(sink->name);
	g_free(sink);
}

static int file_send(struct sink *sink, const struct export_message *message, struct err *err)
{
	if (fwrite(message->bytes, 1, message->len, sink->file) != message->len) {
		return err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return ST_OK;
}

/* When the spool has no room and nothing may be dropped for it, the message is. */
static int spool_send(struct sink *sink, const struct export_message *message, struct err *err)
{
	int st;

	if (message->templates) {
		return spool_add_template(sink->spool, message->bytes, message->len, err);
	}
	st = spool_append(sink->spool, message->bytes, message->len, message->records, err);
	if (st != ST_ELIMIT) {
		return st;
	}
	if (!sink->spool_opts.drop_oldest && !sink->refusing) {
		return ST_EAGAIN;
	}
	sink->refused[0]++;
	sink->refused[1] += message->records;
	return ST_OK;
}

int sink_send(struct sink *sink, const struct export_message *message, struct err *err)
{
	int st;

	if (sink->link == NULL) {
		st = file_send(sink, message, err);
	} else if (sink->spool != NULL) {
		st = spool_send(sink, message, err);
	} else if (message->templates) {
		return link_add_preamble(sink->link, message->bytes, message->len, err);
	} else {
		st = link_send(sink->link, message->bytes, message->len, message->records, err);
	}
	if (st == ST_OK && message->records > 0) {
		sink->messages++;
		sink->records += message->records;
	}
	return st;
}

void sink_drop_oldest(struct sink *sink)
{
	if (sink->spool != NULL) {
		sink->refusing = true;
	} else if (sink->link != NULL) {
		link_drop_oldest(sink->link);
	}
}

void sink_poll(struct sink *sink, int64_t now_ns, int timeout_ms)
{
	if (sink->spool != NULL) {
		g_usleep((gulong)timeout_ms * 1000);
	} else if (sink->link != NULL) {
		link_poll(sink->link, now_ns, timeout_ms);
	}
}

bool sink_take_event(struct sink *sink, struct err *out)
{
	struct err *event;

	if (sink->spool == NULL) {
		return sink->link != NULL && link_take_event(sink->link, out);
	}
	pthread_mutex_lock(&sink->lock);
	event = g_queue_pop_head(&sink->events);
	pthread_mutex_unlock(&sink->lock);
	if (event == NULL) {
		return false;
	}
	*out = *event;
	g_free(event);
	return true;
}

bool sink_is_drained(const struct sink *sink)
{
	if (sink->spool != NULL) {
		return spool_is_empty(sink->spool);
	}
	return sink->link == NULL || link_is_drained(sink->link);
}

int sink_flush(struct sink *sink, struct err *err)
{
	if (sink->file != NULL && fflush(sink->file) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return ST_OK;
}

void sink_get_stats(const struct sink *sink, struct sink_stats *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&sink->lock;

	memset(out, 0, sizeof(*out));
	out->messages = sink->messages;
	out->records = sink->records;
	out->is_link = sink->link != NULL;
	if (sink->spool != NULL) {
		out->has_spool = true;
		out->lost = spool_lost(sink->spool);
		spool_get_stats(sink->spool, &out->spool);
		pthread_mutex_lock(lock);
		out->link = sink->told;
		pthread_mutex_unlock(lock);
		out->link.queued_messages = out->spool.last + 1 - out->spool.first;
		out->link.dropped_messages =
			out->spool.dropped_entries - sink->dropped_before[0] + sink->refused[0];
		out->link.dropped_records =
			out->spool.dropped_records - sink->dropped_before[1] + sink->refused[1];
	} else if (sink->link != NULL) {
		link_get_stats(sink->link, &out->link);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/relay.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/timestamp.h"

#define RELAY_POLL_MS        20
#define RELAY_BACKOFF_MIN_NS (NS_PER_S / 2)
#define RELAY_BACKOFF_MAX_NS (10 * NS_PER_S)
#define RELAY_STALL_NS       (60 * NS_PER_S)

struct relay {
	struct collector *collector;
	struct spool *spool;
	struct link *link;
	int64_t drain_ns;
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

int relay_check_destination(const char *destination, struct err *err)
{
	if (!g_str_has_prefix(destination, "tls://")) {
		return err_set(err, ST_EINVAL,
			       "'%s' does not begin with tls://: only over TLS is anything "
			       "acknowledged",
			       destination);
	}
	return ST_OK;
}

/* ---- the journal as a spool ---- */

static void relay_release(void *arg, uint64_t position)
{
	const struct relay *relay = arg;

	collector_allow(relay->collector, position);
}

static uint8_t *relay_opening(void *arg, uint64_t position, size_t *len)
{
	const struct relay *relay = arg;
	GByteArray *bytes = g_byte_array_new();

	collector_allow(relay->collector, position);
	collector_print_opening(relay->collector, position, bytes);
	*len = bytes->len;
	return g_byte_array_free(bytes, FALSE);
}

/* ---- sending ---- */

static void relay_log_events(struct relay *relay)
{
	struct err event;

	while (link_take_event(relay->link, &event)) {
		log_msg(event.status == ST_OK ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "Relay: %s",
			event.text);
	}
}

static void *relay_main(void *arg)
{
	struct relay *relay = arg;
	int64_t until_ns = INT64_MAX;

	while (clock_now_ns(CLOCK_MONOTONIC) < until_ns) {
		link_poll(relay->link, clock_now_ns(CLOCK_MONOTONIC), RELAY_POLL_MS);
		relay_log_events(relay);
		if (relay->stop && until_ns == INT64_MAX) {
			until_ns = clock_now_ns(CLOCK_MONOTONIC) + relay->drain_ns;
		}
		if (relay->stop && link_is_drained(relay->link)) {
			break;
		}
	}
	return NULL;
}

static int relay_open_link(struct relay *relay, const struct relay_opts *opts, struct err *err)
{
	const struct link_opts link = {
		.destination = opts->destinations[0],
		.others = opts->destinations + 1,
		.return_ns = opts->return_ns,
		.tls = opts->tls,
		.buffer_bytes = LINK_SPOOL_BUFFER,
		.backoff_min_ns = RELAY_BACKOFF_MIN_NS,
		.backoff_max_ns = RELAY_BACKOFF_MAX_NS,
		.stall_timeout_ns = RELAY_STALL_NS,
		.peer_timeout_ns = opts->peer_timeout_ns,
	};

	return link_new(&relay->link, &link, err);
}

static int relay_attach(struct relay *relay, struct err *err)
{
	const struct spool_relay functions = { relay_opening, relay_release, relay };
	uint64_t committed;
	struct journal *journal = collector_journal(relay->collector, &committed);
	int st = spool_attach(&relay->spool, journal, committed, &functions, err);

	if (st == ST_OK) {
		link_set_spool(relay->link, relay->spool);
	}
	return st;
}

int relay_start(struct relay **out, const struct relay_opts *opts, struct collector *collector,
		struct err *err)
{
	struct relay *relay = g_new0(struct relay, 1);
	int failed;
	int st;

	relay->collector = collector;
	relay->drain_ns = opts->drain_ns;
	st = relay_open_link(relay, opts, err);
	if (st == ST_OK) {
		st = relay_attach(relay, err);
	}
	if (st == ST_OK) {
		failed = pthread_create(&relay->thread, NULL, relay_main, relay);
		relay->running = !failed;
		st = failed ? err_errno(err, ST_EIO, failed, "cannot start a thread") : ST_OK;
	}
	if (st != ST_OK) {
		relay_stop(relay);
		return st;
	}
	*out = relay;
	return ST_OK;
}

void relay_stop(struct relay *relay)
{
	if (!relay) {
		return;
	}
	if (relay->running) {
		relay->stop = true;
		pthread_join(relay->thread, NULL);
		if (!link_is_drained(relay->link)) {
			log_msg(LOG_LEVEL_NOTICE,
				"Relay: what the packer has not acknowledged stays in the journal");
		}
	}
	link_free(relay->link);
	spool_close(relay->spool, NULL);
	g_free(relay);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/collector_internal.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <urcu.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/processors.h"
#include "common/timestamp.h"
#include "packer/exporterstore.h"

#define COLLECTOR_BATCH    64   /* messages between two looks at who waits */
#define COLLECTOR_WAIT_MS  1000 /* for messages */
#define COLLECTOR_PAUSE_NS 20000000
/* Soon used again, what the journal takes up of memory is in use already, and warm. */
#define COLLECTOR_UNSYNCED_MAX  (UINT64_C(16) << 20)
#define COLLECTOR_UNSYNCED_HELD (UINT64_C(64) << 20) /* then packing waits for commits */
#define COLLECTOR_STORE_NS      (30 * NS_PER_S)
#define COLLECTOR_STORE_PART    64 /* of what came in: more is not to be written about exporters */
#define COLLECTOR_NICE          5  /* packing can wait, a socket's buffer cannot */

/* A commit waits for the messages in work, not for those that come all the time. */
static void collector_init_locks(struct collector *collector)
{
	pthread_rwlockattr_t attr;
	pthread_condattr_t clock;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&collector->taking, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&collector->commit, NULL);
	pthread_mutex_init(&collector->packed_lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&collector->packed_more, &clock);
	pthread_condattr_destroy(&clock);
}

struct collector *collector_new(const struct collector_opts *opts)
{
	struct collector *collector = g_new0(struct collector, 1);

	collector->opts = *opts;
	collector_init_locks(collector);
	collector->configs = packconfigs_new();
	collector->stats = probetable_new();
	collector->notes = notelog_new();
	collector->interfaces = ifkeeper_new();
	collector->model = iemodel_new();
	collector->feedbacks = feedbacks_new();
	return collector;
}

static void collector_clear_mark(struct collector *collector)
{
	if (collector->mark.exporters) {
		g_byte_array_free(collector->mark.exporters, TRUE);
	}
	collector->mark = (struct collector_mark){ .set = false };
}

void collector_free(struct collector *collector)
{
	struct err err;

	if (!collector) {
		return;
	}
	collector_stop(collector);
	collector_clear_mark(collector);
	intake_free(collector->intake);
	exporters_free(collector->exporters);
	journal_reader_free(collector->reader);
	if (journal_close(collector->journal, &err) != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
	}
	streamclaims_free(collector->claims);
	feedbacks_free(collector->feedbacks);
	packconfigs_free(collector->configs);
	probetable_free(collector->stats);
	notelog_free(collector->notes);
	ifkeeper_free(collector->interfaces);
	iemodel_free(collector->model);
	pthread_cond_destroy(&collector->packed_more);
	pthread_mutex_destroy(&collector->packed_lock);
	pthread_mutex_destroy(&collector->commit);
	pthread_rwlock_destroy(&collector->taking);
	g_free(collector);
}

void collector_publish(struct collector *collector, struct site *site, struct sensorconf *conf)
{
	probetable_configure(collector->stats, conf);
	packconfigs_publish(collector->configs, site, conf);
}

const struct sensorconf *collector_conf(const struct collector *collector)
{
	return packconfigs_current(collector->configs)->conf;
}

static void collector_fail(void *arg, const struct err *err)
{
	struct collector *collector = arg;

	if (!atomic_exchange(&collector->failed, true)) {
		log_msg(LOG_LEVEL_CRIT, "%s", err->text);
		if (collector->opts.fatal) {
			collector->opts.fatal();
		}
	}
}

/* ---- packing ---- */

static int collector_pack_entry(struct collector *collector, const struct packconfig *config,
				const struct journal_entry *entry, struct err *err)
{
	bool repeat = entry->position <= collector->repeat_until;
	struct envelope envelope;
	struct err damage;
	int st = ST_OK;

	if (envelope_parse(&envelope, entry->bytes, entry->len, &damage) != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "the journal's entry %" PRIu64 " is lost: %s",
			entry->position, damage.text);
	} else {
		st = exporters_take(collector->exporters, config, entry->position, &envelope,
				    repeat, err);
		collector->waiting_ns = envelope.arrival_ns;
	}
	if (!repeat) {
		metric_add(&collector->unsynced_bytes, entry->len);
	}
	collector->at = entry->position;
	collector->packed = MAX(collector->packed, entry->position);
	return st;
}

/* Connections of an earlier run are over. */
static int collector_pass_beginning(struct collector *collector, uint64_t next, struct err *err)
{
	int st = ST_OK;

	if (!collector->connected && next > collector->life_begins) {
		st = exporters_flush(collector->exporters, err);
		exporters_disconnect(collector->exporters);
		collector->connected = true;
	}
	return st;
}

static bool collector_is_limited(const struct collector *collector)
{
	return collector->at >= collector->limit;
}

static int collector_next(struct collector *collector, struct journal_entry *entry, struct err *err)
{
	int flushed;
	int st;

	if (collector_is_limited(collector)) {
		return ST_END;
	}
	st = journal_reader_next(collector->reader, entry, err);
	flushed = collector_pass_beginning(collector, st == ST_END ? UINT64_MAX : entry->position,
					   err);
	return flushed == ST_OK ? st : flushed;
}

/* Some entries; ST_END: there are no more. */
static int collector_pack_entries(struct collector *collector, const struct packconfig *config,
				  struct err *err)
{
	int st = ST_OK;

	for (unsigned i = 0; st == ST_OK && i < COLLECTOR_BATCH; i++) {
		uint64_t last = MIN(journal_last(collector->journal), collector->limit);
		struct journal_entry entry;

		st = collector_next(collector, &entry, err);
		if (st == ST_OK) {
			st = collector_pack_entry(collector, config, &entry, err);
		} else if (st == ST_EFORMAT) {
			log_msg(LOG_LEVEL_ERR,
				"the journal is damaged: %" PRIu64 " entries from %" PRIu64
				" on are lost: %s",
				entry.lost, entry.position, err->text);
			collector->at = MAX(collector->at, entry.position + entry.lost - 1);
			st = ST_OK;
		} else if (st == ST_END) {
			/* positions that were passed over */
			collector->at = MAX(collector->at, last);
			collector->packed = MAX(collector->packed, last);
			collector->waiting_ns = 0;
		}
	}
	return st;
}

/* The same, with all their records in the writer. */
static int collector_pack_batch(struct collector *collector, struct err *err)
{
	const struct packconfig *config = packconfigs_enter(collector->configs);
	int st;
	int flushed;

	if (collector->seeks) {
		journal_reader_seek(collector->reader, collector->seek);
		collector->seeks = false;
	}
	writer_begin(collector->opts.writer);
	st = collector_pack_entries(collector, config, err);
	flushed = exporters_flush(collector->exporters, err);
	writer_end(collector->opts.writer);
	packconfigs_leave();
	return flushed == ST_OK ? st : flushed;
}

static void collector_tell(struct collector *collector)
{
	pthread_mutex_lock(&collector->packed_lock);
	pthread_cond_broadcast(&collector->packed_more);
	pthread_mutex_unlock(&collector->packed_lock);
}

static void collector_tell_waiters(struct collector *collector)
{
	if (collector->packed_waiters > 0) {
		collector_tell(collector);
	}
}

/* For a moment of CLOCK_MONOTONIC, or what is told. Locked. */
static void collector_await(struct collector *collector, int64_t until_ns)
{
	const struct timespec until = { .tv_sec = until_ns / NS_PER_S,
					.tv_nsec = until_ns % NS_PER_S };

	pthread_cond_timedwait(&collector->packed_more, &collector->packed_lock, &until);
}

/* For the next entry, or until it is allowed. */
static void collector_wait_for_more(struct collector *collector)
{
	if (!collector_is_limited(collector)) {
		journal_reader_wait(collector->reader, COLLECTOR_WAIT_MS);
		return;
	}
	pthread_mutex_lock(&collector->packed_lock);
	if (collector_is_limited(collector) && !collector->stop) {
		collector_await(collector,
				clock_now_ns(CLOCK_MONOTONIC) + COLLECTOR_WAIT_MS * NS_PER_MS);
	}
	pthread_mutex_unlock(&collector->packed_lock);
}

/* When the repository takes nothing, memory is not to take it all. */
static bool collector_is_held_up(const struct collector *collector)
{
	return metric_get(&collector->unsynced_bytes) > COLLECTOR_UNSYNCED_HELD;
}

static void *collector_main(void *arg)
{
	const struct timespec pause = { .tv_nsec = COLLECTOR_PAUSE_NS };
	struct collector *collector = arg;
	struct err err;

	rcu_register_thread();
	/* of this thread alone; receiving goes first, when there is but one processor for both */
	processors_be_nicer(COLLECTOR_NICE);
	while (!collector->stop && !collector->failed) {
		int st;

		metric_add(&collector->ticks, 1);
		if (collector_is_held_up(collector)) {
			nanosleep(&pause, NULL);
			continue;
		}
		pthread_rwlock_rdlock(&collector->taking);
		st = collector_pack_batch(collector, &err);
		pthread_rwlock_unlock(&collector->taking);
		collector_tell_waiters(collector);
		if (st == ST_END) {
			collector_wait_for_more(collector);
		} else if (st != ST_OK) {
			collector_fail(collector, &err);
		}
	}
	collector->stop = true;
	collector_tell_waiters(collector);
	rcu_unregister_thread();
	return NULL;
}

/* Until one of its counts has reached the entry, packing stops, or so long (negative: for ever). */
static bool collector_wait(struct collector *collector, const _Atomic uint64_t *reached,
			   uint64_t entry, int64_t timeout_ns)
{
	int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + timeout_ns;
	bool is_reached;

	pthread_mutex_lock(&collector->packed_lock);
	collector->packed_waiters++;
	while (*reached < entry && !collector->stop &&
	       (timeout_ns < 0 || clock_now_ns(CLOCK_MONOTONIC) < until_ns)) {
		collector_await(collector, clock_now_ns(CLOCK_MONOTONIC) + NS_PER_S / 10);
	}
	is_reached = *reached >= entry;
	collector->packed_waiters--;
	pthread_mutex_unlock(&collector->packed_lock);
	return is_reached;
}

static bool collector_wait_packed(void *arg, uint64_t entry)
{
	struct collector *collector = arg;

	return collector_wait(collector, &collector->packed, entry, -1);
}

bool collector_drain(struct collector *collector, int64_t timeout_ns)
{
	return collector_wait(collector, &collector->packed,
			      MIN(journal_last(collector->journal), collector->limit), timeout_ns);
}

/* ---- of a relay ---- */

struct journal *collector_journal(struct collector *collector, uint64_t *committed)
{
	*committed = metric_get(&collector->committed);
	return collector->journal;
}

void collector_allow(struct collector *collector, uint64_t position)
{
	collector->limit = MAX(collector->limit, position);
	collector_tell(collector);
}

void collector_print_opening(struct collector *collector, uint64_t position, GByteArray *out)
{
	bool known = false;

	/* a commit that failed may have taken packing back meanwhile */
	while (!known && collector_wait(collector, &collector->at, position, -1)) {
		pthread_rwlock_wrlock(&collector->taking);
		known = collector->at >= position;
		if (known) {
			exporters_print_opening(collector->exporters, out);
		}
		pthread_rwlock_unlock(&collector->taking);
	}
}

/* ---- starting ---- */

int collector_start(struct collector *collector, struct err *err)
{
	int st = collector_recover(collector, err);
	int failed;

	if (st != ST_OK) {
		return st;
	}
	collector->intake = intake_new(&(struct intake_env){
		.journal = collector->journal,
		.configs = collector->configs,
		.positions = collector->opts.positions,
		.claims = collector->claims,
		.stats = collector->stats,
		.feedbacks = collector->feedbacks,
		.notes = collector->notes,
		.fail = collector_fail,
		.wait_packed = collector_wait_packed,
		.arg = collector,
	});
	failed = pthread_create(&collector->thread, NULL, collector_main, collector);
	if (failed) {
		return err_errno(err, ST_EIO, failed, "cannot start a thread");
	}
	collector->running = true;
	return ST_OK;
}

struct intake *collector_intake(struct collector *collector)
{
	return collector->intake;
}

void collector_stop(struct collector *collector)
{
	if (collector->running) {
		collector->stop = true;
		journal_wake(collector->journal);
		collector_tell(collector);
		pthread_join(collector->thread, NULL);
		collector->running = false;
	}
}

/* ---- commits ---- */

/* What is committed and stored leaves the journal: one that is half full is to be emptied. */
static bool collector_journal_fills(const struct collector *collector)
{
	struct journal_stats stats;

	journal_get_stats(collector->journal, &stats);
	return collector->opts.journal_bytes > 0 && stats.bytes > collector->opts.journal_bytes / 2;
}

/* What exporters say is stored so that the journal can be released: early, where it is little. */
static bool collector_store_is_due(const struct collector *collector, int64_t now_ns)
{
	uint64_t bytes = collector->unstored_bytes + collector->mark.bytes;

	return now_ns - collector->stored_ns >= COLLECTOR_STORE_NS ||
	       bytes >= MAX(COLLECTOR_UNSYNCED_MAX, COLLECTOR_STORE_PART * collector->stored_len) ||
	       collector_journal_fills(collector);
}

/* Between two messages: what is packed by now belongs to the next commit, and what is told of
 * exporters, if it is time, is as of now. */
static void collector_set_mark(struct collector *collector, int64_t now_ns, bool store)
{
	pthread_rwlock_wrlock(&collector->taking);
	collector->mark.set = true;
	collector->mark.entry = collector->packed;
	collector->mark.bytes = metric_get(&collector->unsynced_bytes);
	positions_mark(collector->opts.positions, journal_id(collector->journal),
		       collector->mark.entry);
	writer_freeze(collector->opts.writer);
	store |= collector_store_is_due(collector, now_ns);
	if (store && collector->packed > collector->stored && collector->at == collector->packed) {
		collector->mark.exporters = g_byte_array_new();
		exporters_save(collector->exporters, clock_now_ns(CLOCK_REALTIME),
			       clock_now_ns(CLOCK_MONOTONIC), collector->mark.exporters);
	}
	pthread_rwlock_unlock(&collector->taking);
}

static void collector_add_mark(void *arg, const char *key, uint64_t committed, uint64_t marked)
{
	const struct streamclaims_mark mark = { g_strdup(key), committed, marked };

	if (marked > 0 && !g_str_has_prefix(key + POSITIONS_KEY_NAME, INTAKE_LOCAL_STREAM)) {
		g_array_append_val((GArray *)arg, mark);
	} else {
		g_free((char *)mark.key);
	}
}

/* Before others see the records: are the messages still ours? */
static int collector_claim(struct collector *collector, struct err *err)
{
	GArray *marks = g_array_new(FALSE, FALSE, sizeof(struct streamclaims_mark));
	bool news = false;
	int st = ST_OK;

	positions_each(collector->opts.positions, collector_add_mark, marks);
	for (guint i = 0; i < marks->len; i++) {
		const struct streamclaims_mark *mark =
			&g_array_index(marks, struct streamclaims_mark, i);

		news |= mark->marked != mark->committed;
	}
	if (news) {
		st = streamclaims_commit(collector->claims,
					 (struct streamclaims_mark *)(void *)marks->data,
					 marks->len, err);
	}
	for (guint i = 0; i < marks->len; i++) {
		g_free((char *)g_array_index(marks, struct streamclaims_mark, i).key);
	}
	g_array_free(marks, TRUE);
	return st;
}

/* What was packed since the last commit was not all ours: pack it again, knowing that. */
static int collector_rewind(struct collector *collector, struct err *err)
{
	int st;

	pthread_rwlock_wrlock(&collector->taking);
	writer_discard(collector->opts.writer);
	positions_rewind(collector->opts.positions);
	collector_clear_mark(collector);
	collector->unsynced_bytes = 0;
	st = streamclaims_refresh(collector->claims, err);
	if (st == ST_OK) {
		collector->seek = collector_go_back(collector);
		collector->seeks = true;
	}
	pthread_rwlock_unlock(&collector->taking);
	return st;
}

struct collector_epoch {
	struct collector *collector;
	int64_t now_s;
};

static int collector_epoch_over(void *arg, bool appended, struct err *err)
{
	const struct collector_epoch *epoch = arg;

	return positions_commit(epoch->collector->opts.positions, appended, epoch->now_s, err);
}

/* The exporters as of what is committed now; then the journal is not needed up to there. */
static int collector_store(struct collector *collector, int64_t now_ns, struct err *err)
{
	struct exporterstore_head head = { .position = collector->mark.entry };
	int st = ST_OK;

	if (collector->mark.exporters) {
		memcpy(head.journal_id, journal_id(collector->journal), sizeof(head.journal_id));
		st = exporterstore_write(collector->opts.state_directory, &head,
					 collector->mark.exporters, err);
		if (st == ST_OK) {
			collector->stored = head.position;
			collector->stored_ns = now_ns;
			collector->stored_len = collector->mark.exporters->len;
			collector->unstored_bytes = 0;
		}
	}
	return st == ST_OK ? journal_release(collector->journal, collector->stored, err) : st;
}

static int collector_commit_mark(struct collector *collector, unsigned flags, int64_t now_ns,
				 int64_t now_s, struct err *err)
{
	struct collector_epoch state = { collector, now_s };
	const struct writer_epoch epoch = {
		.number = positions_epoch(collector->opts.positions),
		.over = collector_epoch_over,
		.arg = &state,
	};
	/* positions are not to know more than the journal */
	int st = journal_sync(collector->journal, err);

	if (st == ST_OK) {
		st = collector_claim(collector, err);
	}
	if (st == ST_OK) {
		st = writer_commit(collector->opts.writer, flags, now_ns, &epoch, err);
	}
	if (st == ST_OK) {
		metric_add(&collector->unsynced_bytes, -collector->mark.bytes);
		collector->committed = collector->mark.entry;
		collector->unstored_bytes += collector->mark.bytes;
		st = collector_store(collector, now_ns, err);
		collector_clear_mark(collector);
	}
	return st;
}

int collector_commit(struct collector *collector, unsigned writer_flush_flags, int64_t now_ns,
		     int64_t now_s, struct err *err)
{
	struct err why;
	int st;

	pthread_mutex_lock(&collector->commit);
	if (!collector->mark.set) {
		collector_set_mark(collector, now_ns, writer_flush_flags & WRITER_CLOSE);
	}
	st = collector_commit_mark(collector, writer_flush_flags, now_ns, now_s, &why);
	if (st == ST_EAGAIN) {
		log_msg(LOG_LEVEL_NOTICE, "%s: packing goes back to the last commit", why.text);
		st = collector_rewind(collector, &why);
	}
	if (st != ST_OK && st != ST_ELIMIT) {
		collector_fail(collector, &why);
	}
	pthread_mutex_unlock(&collector->commit);
	return st == ST_OK ? st : err_set(err, st, "%s", why.text);
}

bool collector_wants_commit(struct collector *collector)
{
	return metric_get(&collector->unsynced_bytes) > COLLECTOR_UNSYNCED_MAX ||
	       (collector_journal_fills(collector) &&
		collector->packed > metric_get(&collector->committed)) ||
	       writer_is_crowded(collector->opts.writer);
}

/* ---- for those who watch ---- */

void collector_get_state(struct collector *collector, struct collector_state *out)
{
	int64_t waiting_ns = collector->waiting_ns;

	*out = (struct collector_state){
		.messages = intake_messages(collector->intake),
		.packed = collector->packed,
		.committed = collector->committed,
		.unsynced_bytes = metric_get(&collector->unsynced_bytes),
		.ticks = metric_get(&collector->ticks),
	};
	if (waiting_ns > 0) {
		out->lag_ns = MAX(clock_now_ns(CLOCK_REALTIME) - waiting_ns, 0);
	}
	journal_get_stats(collector->journal, &out->journal);
}

void collector_report(struct collector *collector)
{
	probetable_report(collector->stats);
}

void collector_report_probe(struct collector *collector, const char *probe)
{
	probetable_report_one(collector->stats, probetable_get(collector->stats, probe));
}

/* For queries to print; what cannot be written is logged, and comes with the next names. */
static void collector_save_names(struct collector *collector, const struct packconfig *config)
{
	struct labels *labels = labels_new();
	struct err err;

	pthread_rwlock_wrlock(&collector->taking);
	exporters_give_names(collector->exporters, config, labels);
	pthread_rwlock_unlock(&collector->taking);
	if (labels_changed(labels) && labels_put(labels, &collector->opts.lines, &err) != ST_OK) {
		log_msg(LOG_LEVEL_WARNING, "names of exporters cannot be kept: %s", err.text);
	}
	labels_free(labels);
}

void collector_book_losses(struct collector *collector, int64_t now_ns, bool last)
{
	const struct hourlines_place *lines = &collector->opts.lines;

	if (lines->root || lines->put) {
		const struct packconfig *config = packconfigs_visit(collector->configs);

		probetable_book(collector->stats, config->conf, lines, now_ns, last);
		ifkeeper_write(collector->interfaces, lines, now_ns, last);
		collector_save_names(collector, config);
		packconfigs_depart();
	}
}

void collector_each_probe(struct collector *collector,
			  void (*fn)(void *arg, const struct probestats *stats), void *arg)
{
	probetable_each(collector->stats, fn, arg);
}

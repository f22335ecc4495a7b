/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Units stand in a list, in order; a worker takes the first that nobody has taken, or asks for one
 * more at the end of the list. The consumer stands at the head and leaves a unit when it is done
 * and its pieces are taken. One lock guards all of it: it is taken a few times a unit, and units
 * are large.
 */
#include "query/scancrew.h"

#include <glib.h>
#include <pthread.h>

/* Units ahead of the consumer, per thread: small files hold little. */
#define AHEAD_PER_THREAD 32
/* Bytes of pieces that wait for the consumer, where the caller gives none. */
#define WAITING_BYTES_DEFAULT (64u << 20)
/* Of these may be of the unit that the consumer stands at: a part, or so many. */
#define HEAD_PART       4
#define HEAD_BYTES_MAX  (8u << 20)
#define JOBS_PER_THREAD 4

struct scanturn {
	struct scancrew *crew;
	struct scanturn *next;
	void *unit;
	struct scanturn *last_added; /* behind which the next added unit goes */
	struct scanpiece *first;
	struct scanpiece *last;
	size_t bytes;
	bool taken;
	bool done;
};

struct scancrew {
	struct scancrew_opts opts;
	pthread_mutex_t lock;
	pthread_cond_t work_cond; /* for workers: units, jobs, room, the end */
	pthread_cond_t take_cond; /* for the consumer: pieces, ends of units, of jobs */
	struct scanturn *head;
	struct scanturn *tail;
	unsigned turns;       /* in the list */
	size_t waiting_bytes; /* of all pieces */
	size_t head_bytes;    /* most of those of the head */
	struct scanjob *first_job;
	struct scanjob *last_job;
	bool pulling;   /* someone asks for the next unit */
	bool exhausted; /* there are no more */
	bool stop;      /* atomic: nothing more is wanted */
	bool started;
	GArray *threads; /* pthread_t */
	/* of the run without threads */
	void *worker;
	struct err *err;
	int status;
};

struct scancrew *scancrew_new(const struct scancrew_opts *opts)
{
	struct scancrew *crew = g_new0(struct scancrew, 1);

	crew->opts = *opts;
	if (crew->opts.waiting_bytes == 0) {
		crew->opts.waiting_bytes = WAITING_BYTES_DEFAULT;
	}
	crew->head_bytes = MIN(crew->opts.waiting_bytes / HEAD_PART, HEAD_BYTES_MAX);
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->work_cond, NULL);
	pthread_cond_init(&crew->take_cond, NULL);
	crew->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
	return crew;
}

static bool is_stopped(const struct scancrew *crew)
{
	return __atomic_load_n(&crew->stop, __ATOMIC_RELAXED);
}

bool scancrew_stopped(const struct scanturn *turn)
{
	return is_stopped(turn->crew);
}

bool scancrew_is_inline(const struct scanturn *turn)
{
	return !turn->crew->started;
}

/* ---- the list; with the lock held once there are threads ---- */

static struct scanturn *insert_turn(struct scancrew *crew, struct scanturn *after, void *unit)
{
	struct scanturn *turn = g_new0(struct scanturn, 1);

	turn->crew = crew;
	turn->unit = unit;
	turn->last_added = turn;
	if (after) {
		turn->next = after->next;
		after->next = turn;
	} else {
		crew->head = turn;
	}
	if (crew->tail == after) {
		crew->tail = turn;
	}
	crew->turns++;
	return turn;
}

static void remove_head(struct scancrew *crew)
{
	struct scanturn *turn = crew->head;

	crew->head = turn->next;
	if (!crew->head) {
		crew->tail = NULL;
	}
	crew->turns--;
	g_free(turn);
}

void scancrew_add(struct scanturn *turn, void *unit)
{
	struct scancrew *crew = turn->crew;

	pthread_mutex_lock(&crew->lock);
	turn->last_added = insert_turn(crew, turn->last_added, unit);
	pthread_cond_broadcast(&crew->work_cond);
	pthread_mutex_unlock(&crew->lock);
}

/* ---- without threads ---- */

static void take_inline(struct scancrew *crew, struct scanpiece *piece)
{
	bool drained = is_stopped(crew);
	int st = crew->opts.take(crew->opts.arg, piece, drained, drained ? NULL : crew->err);

	if (!drained && st != ST_OK) {
		crew->status = st;
		__atomic_store_n(&crew->stop, true, __ATOMIC_RELAXED);
	}
}

/* The first unit of the list, or one more; NULL: no more. */
static struct scanturn *next_inline(struct scancrew *crew)
{
	void *unit;

	if (crew->head || crew->exhausted) {
		return crew->head;
	}
	unit = crew->opts.next(crew->opts.arg);
	crew->exhausted = !unit;
	return unit ? insert_turn(crew, NULL, unit) : NULL;
}

static bool wants_threads(const struct scancrew *crew, void *unit)
{
	return crew->opts.threads > 1 &&
	       (!crew->opts.worth || crew->opts.worth(crew->opts.arg, unit));
}

/* Work until there is enough to do for threads; the units that are left are in the list. */
static void run_inline(struct scancrew *crew)
{
	struct scanturn *turn;

	while (!is_stopped(crew) && (turn = next_inline(crew)) != NULL) {
		if (wants_threads(crew, turn->unit)) {
			return;
		}
		if (!crew->worker && crew->opts.begin) {
			crew->worker = crew->opts.begin(crew->opts.arg);
		}
		turn->taken = true;
		crew->opts.work(crew->opts.arg, crew->worker, turn->unit, turn);
		remove_head(crew);
	}
}

/* ---- workers ---- */

static void put_waits(struct scanturn *turn, const struct scanpiece *piece)
{
	struct scancrew *crew = turn->crew;

	while (!is_stopped(crew)) {
		bool room = crew->waiting_bytes + piece->bytes <= crew->opts.waiting_bytes;

		if (turn == crew->head ? turn->bytes <= crew->head_bytes : room) {
			return;
		}
		pthread_cond_wait(&crew->work_cond, &crew->lock);
	}
}

void scancrew_put(struct scanturn *turn, struct scanpiece *piece)
{
	struct scancrew *crew = turn->crew;

	if (!crew->started) {
		take_inline(crew, piece);
		return;
	}
	piece->next = NULL;
	pthread_mutex_lock(&crew->lock);
	put_waits(turn, piece);
	if (turn->last) {
		turn->last->next = piece;
	} else {
		turn->first = piece;
	}
	turn->last = piece;
	turn->bytes += piece->bytes;
	crew->waiting_bytes += piece->bytes;
	if (turn == crew->head) {
		pthread_cond_signal(&crew->take_cond);
	}
	pthread_mutex_unlock(&crew->lock);
}

static struct scanjob *take_job(struct scancrew *crew)
{
	struct scanjob *job = crew->first_job;

	if (job) {
		crew->first_job = job->next;
		if (!crew->first_job) {
			crew->last_job = NULL;
		}
	}
	return job;
}

/* false: there is none. */
static bool do_job(struct scancrew *crew)
{
	struct scanjob *job = take_job(crew);

	if (!job) {
		return false;
	}
	pthread_mutex_unlock(&crew->lock);
	job->work(job);
	pthread_mutex_lock(&crew->lock);
	job->done = true;
	pthread_cond_signal(&crew->take_cond);
	return true;
}

static struct scanturn *untaken(const struct scancrew *crew)
{
	struct scanturn *turn = crew->head;

	while (turn && turn->taken) {
		turn = turn->next;
	}
	return turn;
}

/* Ask for one more unit; the lock is not held while asking, which may take long. */
static void pull(struct scancrew *crew)
{
	void *unit;

	crew->pulling = true;
	pthread_mutex_unlock(&crew->lock);
	unit = crew->opts.next(crew->opts.arg);
	pthread_mutex_lock(&crew->lock);
	crew->pulling = false;
	if (unit) {
		insert_turn(crew, crew->tail, unit);
	} else {
		crew->exhausted = true;
		pthread_cond_signal(&crew->take_cond);
	}
	pthread_cond_broadcast(&crew->work_cond);
}

static bool may_pull(const struct scancrew *crew)
{
	return !crew->exhausted && !crew->pulling &&
	       crew->turns < AHEAD_PER_THREAD * crew->opts.threads;
}

static void do_turn(struct scancrew *crew, void *worker, struct scanturn *turn)
{
	turn->taken = true;
	pthread_mutex_unlock(&crew->lock);
	crew->opts.work(crew->opts.arg, worker, turn->unit, turn);
	pthread_mutex_lock(&crew->lock);
	turn->done = true;
	if (turn == crew->head) {
		pthread_cond_signal(&crew->take_cond);
	}
}

static void *work(void *arg)
{
	struct scancrew *crew = arg;
	void *worker = crew->opts.begin ? crew->opts.begin(crew->opts.arg) : NULL;

	pthread_mutex_lock(&crew->lock);
	while (!is_stopped(crew)) {
		struct scanturn *turn;

		if (do_job(crew)) {
			continue;
		}
		turn = untaken(crew);
		if (turn) {
			do_turn(crew, worker, turn);
		} else if (may_pull(crew)) {
			pull(crew);
		} else {
			pthread_cond_wait(&crew->work_cond, &crew->lock);
		}
	}
	pthread_mutex_unlock(&crew->lock);
	if (crew->opts.end) {
		crew->opts.end(crew->opts.arg, worker);
	}
	return NULL;
}

/* false: not even one thread could be started. */
static bool start_threads(struct scancrew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->started = true;
	for (unsigned i = 0; i < crew->opts.threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, crew) == 0) {
			g_array_append_val(crew->threads, thread);
		}
	}
	crew->started = crew->threads->len > 0;
	pthread_mutex_unlock(&crew->lock);
	return crew->started;
}

/* ---- the consumer ---- */

static struct scanpiece *take_pieces(struct scanturn *turn)
{
	struct scanpiece *pieces = turn->first;

	turn->first = NULL;
	turn->last = NULL;
	turn->crew->waiting_bytes -= turn->bytes;
	turn->bytes = 0;
	return pieces;
}

/* Take a list of pieces, freeing those behind the end. */
static int take_all(struct scancrew *crew, struct scanpiece *pieces, bool drained, struct err *err)
{
	int st = ST_OK;

	while (pieces) {
		struct scanpiece *next = pieces->next;
		bool over = drained || st != ST_OK;
		int one = crew->opts.take(crew->opts.arg, pieces, over, over ? NULL : err);

		st = st == ST_OK && !over ? one : st;
		pieces = next;
	}
	return st;
}

static int run_threads(struct scancrew *crew, struct err *err)
{
	int st = ST_OK;

	pthread_mutex_lock(&crew->lock);
	while (st == ST_OK && (crew->head || !crew->exhausted)) {
		struct scanturn *head = crew->head;

		if (head && head->first) {
			struct scanpiece *pieces = take_pieces(head);

			pthread_cond_broadcast(&crew->work_cond);
			pthread_mutex_unlock(&crew->lock);
			st = take_all(crew, pieces, false, err);
			pthread_mutex_lock(&crew->lock);
		} else if (head && head->done) {
			remove_head(crew);
			pthread_cond_broadcast(&crew->work_cond);
		} else {
			pthread_cond_wait(&crew->take_cond, &crew->lock);
		}
	}
	pthread_mutex_unlock(&crew->lock);
	return st;
}

int scancrew_run(struct scancrew *crew, struct err *err)
{
	crew->err = err;
	run_inline(crew);
	if (is_stopped(crew) || !crew->head) {
		return crew->status;
	}
	if (!start_threads(crew)) {
		crew->opts.threads = 1;
		run_inline(crew);
		return crew->status;
	}
	return run_threads(crew, err);
}

unsigned scancrew_threads(const struct scancrew *crew)
{
	return crew->started ? crew->threads->len : 1;
}

static void drop_turns(struct scancrew *crew)
{
	while (crew->head) {
		struct scanturn *head = crew->head;

		take_all(crew, take_pieces(head), true, NULL);
		if (!head->taken && crew->opts.drop) {
			crew->opts.drop(crew->opts.arg, head->unit);
		}
		remove_head(crew);
	}
}

void scancrew_free(struct scancrew *crew)
{
	if (!crew) {
		return;
	}
	pthread_mutex_lock(&crew->lock);
	__atomic_store_n(&crew->stop, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&crew->work_cond);
	pthread_mutex_unlock(&crew->lock);
	for (guint i = 0; i < crew->threads->len; i++) {
		pthread_join(g_array_index(crew->threads, pthread_t, i), NULL);
	}
	drop_turns(crew);
	if (crew->worker && crew->opts.end) {
		crew->opts.end(crew->opts.arg, crew->worker);
	}
	g_array_free(crew->threads, TRUE);
	pthread_cond_destroy(&crew->take_cond);
	pthread_cond_destroy(&crew->work_cond);
	pthread_mutex_destroy(&crew->lock);
	g_free(crew);
}

/* ---- jobs ---- */

void scancrew_submit(struct scancrew *crew, struct scanjob *job)
{
	job->next = NULL;
	job->done = false;
	pthread_mutex_lock(&crew->lock);
	if (crew->last_job) {
		crew->last_job->next = job;
	} else {
		crew->first_job = job;
	}
	crew->last_job = job;
	pthread_cond_broadcast(&crew->work_cond);
	pthread_mutex_unlock(&crew->lock);
}

void scancrew_wait(struct scancrew *crew, struct scanjob *job)
{
	pthread_mutex_lock(&crew->lock);
	/* by this thread if need be: all workers may be waiting for the consumer */
	while (!job->done) {
		if (!do_job(crew)) {
			pthread_cond_wait(&crew->take_cond, &crew->lock);
		}
	}
	pthread_mutex_unlock(&crew->lock);
}

unsigned scancrew_jobs(const struct scancrew *crew)
{
	return crew->started ? JOBS_PER_THREAD * crew->threads->len : 0;
}

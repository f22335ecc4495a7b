/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scancrew.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

#define UNITS    40
#define PIECES   5
#define ADDED    3
#define ADD_EACH 8 /* every so manieth unit adds others */

/* Numbers go out in pieces, and jobs add them up. */
struct piece {
	struct scanpiece piece;
	unsigned number;
};

struct job {
	struct scanjob job;
	unsigned number;
	unsigned doubled;
};

struct run {
	unsigned next;
	unsigned worth_at; /* the unit that is worth threads */
	unsigned stop_at;  /* the piece that is enough */
	GArray *taken;     /* unsigned */
	struct scancrew *crew;
	unsigned begun; /* atomic, as the rest */
	unsigned ended;
	unsigned done; /* units */
	unsigned dropped;
	unsigned pieces; /* that are there */
};

static void add(unsigned *to, unsigned count)
{
	__atomic_add_fetch(to, count, __ATOMIC_SEQ_CST);
}

/* A unit is a number, from 1 on: 100 times the place, and the place among added ones. */
static void *make_unit(unsigned number)
{
	unsigned *unit = g_new(unsigned, 1);

	*unit = number;
	return unit;
}

static void *next(void *arg)
{
	struct run *run = arg;

	return run->next < UNITS ? make_unit(++run->next * 100) : NULL;
}

static bool worth(void *arg, void *unit)
{
	const struct run *run = arg;

	return *(unsigned *)unit / 100 >= run->worth_at;
}

static void *begin(void *arg)
{
	add(&((struct run *)arg)->begun, 1);
	return arg;
}

static void end(void *arg, void *worker)
{
	add(&((struct run *)arg)->ended, 1);
}

static void work(void *arg, void *worker, void *state, struct scanturn *turn)
{
	struct run *run = arg;
	unsigned unit = *(unsigned *)state;

	CU_ASSERT_PTR_EQUAL(worker, arg);
	for (unsigned i = 1; unit % 100 == 0 && unit / 100 % ADD_EACH == 0 && i <= ADDED; i++) {
		scancrew_add(turn, make_unit(unit + i));
	}
	for (unsigned i = 0; i < PIECES && !scancrew_stopped(turn); i++) {
		struct piece *piece = g_new0(struct piece, 1);

		piece->number = unit * PIECES + i;
		piece->piece.bytes = 3u << 20;
		add(&run->pieces, 1);
		scancrew_put(turn, &piece->piece);
	}
	add(&run->done, 1);
	g_free(state);
}

static void drop(void *arg, void *unit)
{
	add(&((struct run *)arg)->dropped, 1);
	g_free(unit);
}

static void double_number(struct scanjob *job)
{
	struct job *own = (struct job *)job;

	own->doubled = 2 * own->number;
}

static int take(void *arg, struct scanpiece *taken, bool drained, struct err *err)
{
	struct run *run = arg;
	struct piece *piece = (struct piece *)taken;
	unsigned number = piece->number;

	add(&run->pieces, (unsigned)-1);
	g_free(piece);
	if (drained) {
		CU_ASSERT_PTR_NULL(err);
		return ST_OK;
	}
	if (scancrew_jobs(run->crew) > 0) {
		struct job job = { .job.work = double_number, .number = number };

		scancrew_submit(run->crew, &job.job);
		scancrew_wait(run->crew, &job.job);
		CU_ASSERT_EQUAL(job.doubled, 2 * number);
	}
	g_array_append_val(run->taken, number);
	return run->taken->len == run->stop_at ? err_set(err, ST_ERANGE, "enough") : ST_OK;
}

/* What must come out, in order. */
static GArray *expect(void)
{
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(unsigned));

	for (unsigned unit = 1; unit <= UNITS; unit++) {
		unsigned added = unit % ADD_EACH == 0 ? ADDED : 0;

		for (unsigned i = 0; i <= added; i++) {
			for (unsigned k = 0; k < PIECES; k++) {
				unsigned number = (unit * 100 + i) * PIECES + k;

				g_array_append_val(numbers, number);
			}
		}
	}
	return numbers;
}

static void check_run(unsigned threads, unsigned worth_at, unsigned stop_at)
{
	struct run run = { .worth_at = worth_at, .stop_at = stop_at };
	const struct scancrew_opts opts = {
		.threads = threads,
		.arg = &run,
		.begin = begin,
		.end = end,
		.next = next,
		.worth = worth,
		.work = work,
		.drop = drop,
		.take = take,
	};
	GArray *expected = expect();
	struct err err;
	int st;

	run.taken = g_array_new(FALSE, FALSE, sizeof(unsigned));
	run.crew = scancrew_new(&opts);
	st = scancrew_run(run.crew, &err);
	CU_ASSERT_EQUAL(st, stop_at ? ST_ERANGE : ST_OK);
	scancrew_free(run.crew);
	CU_ASSERT_EQUAL(run.taken->len, stop_at ? stop_at : expected->len);
	CU_ASSERT(memcmp(run.taken->data, expected->data, run.taken->len * sizeof(unsigned)) == 0);
	CU_ASSERT_EQUAL(run.begun, run.ended);
	CU_ASSERT_EQUAL(run.pieces, 0);
	if (!stop_at) {
		CU_ASSERT_EQUAL(run.done, UNITS + UNITS / ADD_EACH * ADDED);
		CU_ASSERT_EQUAL(run.dropped, 0);
	}
	if (threads == 1 || worth_at > UNITS) {
		CU_ASSERT_EQUAL(run.begun, 1);
	}
	g_array_free(run.taken, TRUE);
	g_array_free(expected, TRUE);
}

static void test_order(void)
{
	static const unsigned threads[] = { 1, 2, 4, 7 };
	static const unsigned worth_at[] = { 1, 8, 9, UNITS, UNITS + 1 };
	static const unsigned stop_at[] = { 0, 1, 38, 41, 77 };

	for (size_t t = 0; t < G_N_ELEMENTS(threads); t++) {
		for (size_t w = 0; w < G_N_ELEMENTS(worth_at); w++) {
			for (size_t s = 0; s < G_N_ELEMENTS(stop_at); s++) {
				check_run(threads[t], worth_at[w], stop_at[s]);
			}
		}
	}
}

static void *next_none(void *arg)
{
	return NULL;
}

static void test_nothing(void)
{
	const struct scancrew_opts opts = { .threads = 4, .next = next_none };
	struct scancrew *crew = scancrew_new(&opts);

	CU_ASSERT_EQUAL(scancrew_run(crew, NULL), ST_OK);
	scancrew_free(crew);
	scancrew_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "what comes out does not depend on the threads", test_order },
		{ "a crew without work", test_nothing },
		{ NULL, NULL },
	};

	return unit_run("scancrew", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scancrew whose units are parts of the text that end with a line. A part is a piece, too: it
 * takes its records and its bad lines along.
 */
#include "query/tuccrew.h"

#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "common/clock.h"
#include "query/scancrew.h"
#include "query/scanspares.h"
#include "query/tuclines.h"

/* Of text that a thread takes at once. */
#define PART_BYTES ((size_t)256 << 10)
/* What parts that wait for their turn may take, with their records. */
#define WAITING_BYTES ((size_t)16 << 20)

struct bad_line {
	uint64_t number; /* in its part, from 0 on */
	size_t at;
	size_t len;
	size_t records; /* of the part, before it */
	gsize why;      /* place in the part's reasons */
};

/* Used again once it is taken, as memory that is new costs more than filling it. */
struct part {
	struct scanpiece head; /* first */
	GByteArray *text;      /* and TUCLINES_SLACK bytes */
	size_t len;            /* of text */
	uint64_t lines;
	GByteArray *rows;
	GArray *bad;      /* struct bad_line */
	GString *reasons; /* texts, each with its NUL */
};

struct run {
	const struct tuccrew *crew;
	struct bytesource *src;
	bool is_file;      /* else what has come by now is not kept waiting */
	GByteArray *ahead; /* what was read behind the last part */
	uint64_t bytes_met;
	uint64_t lines; /* before the part that is taken next */
	int status;     /* of reading */
	struct err *err;
	struct scanspares spares;
};

struct worker {
	struct batch *batch; /* records of a part that are not encoded yet */
	struct tuclines *lines;
};

static void free_part(struct scanpiece *head)
{
	struct part *part = (struct part *)head;

	g_byte_array_free(part->text, TRUE);
	g_byte_array_free(part->rows, TRUE);
	g_array_free(part->bad, TRUE);
	g_string_free(part->reasons, TRUE);
	g_free(part);
}

/* One that has nothing yet. */
static struct part *new_part(struct run *run)
{
	struct part *part = (struct part *)scanspares_take(&run->spares);

	if (!part) {
		part = g_new0(struct part, 1);
		part->text = g_byte_array_new();
		part->rows = g_byte_array_new();
		part->bad = g_array_new(FALSE, FALSE, sizeof(struct bad_line));
		part->reasons = g_string_new(NULL);
	}
	return part;
}

static void give_back(struct run *run, struct part *part)
{
	g_byte_array_set_size(part->text, 0);
	g_byte_array_set_size(part->rows, 0);
	g_array_set_size(part->bad, 0);
	g_string_truncate(part->reasons, 0);
	part->lines = 0;
	scanspares_keep(&run->spares, &part->head);
}

/* ---- reading ---- */

static bool is_file(const struct bytesource *src)
{
	struct stat st;

	return bytesource_fd(src) < 0 ||
	       (fstat(bytesource_fd(src), &st) == 0 && S_ISREG(st.st_mode));
}

/* Bytes of whole lines that were read ahead. */
static size_t whole_lines(const struct run *run)
{
	const uint8_t *newline =
		run->ahead->len ? memrchr(run->ahead->data, '\n', run->ahead->len) : NULL;

	return newline ? (size_t)(newline + 1 - run->ahead->data) : 0;
}

static void read_more(struct run *run)
{
	const uint8_t *bytes;
	size_t len = 0;

	run->status = bytesource_view(run->src, 1, &bytes, &len, run->err);
	if (run->status == ST_OK && len == 0) {
		run->status = ST_END;
	} else if (run->status == ST_OK) {
		len = MIN(len, PART_BYTES);
		g_byte_array_append(run->ahead, bytes, (guint)len);
		run->bytes_met += len;
		bytesource_consume(run->src, len);
	}
}

/* No line may be longer than this: a longer one ends the input. */
static bool is_too_long(const struct run *run)
{
	const uint8_t *newline;

	if (run->ahead->len <= BYTESOURCE_VIEW_MAX) {
		return false;
	}
	newline = memchr(run->ahead->data, '\n', run->ahead->len);
	return !newline || newline - run->ahead->data >= BYTESOURCE_VIEW_MAX;
}

static bool is_enough(const struct run *run)
{
	return (run->ahead->len >= PART_BYTES || !run->is_file) && whole_lines(run) > 0;
}

static void *next_part(void *arg)
{
	struct run *run = arg;
	struct part *part;
	GByteArray *swap;
	size_t len;

	while (run->status == ST_OK && !is_enough(run)) {
		read_more(run);
		if (is_too_long(run)) {
			run->status =
				err_set(run->err, ST_ELIMIT, "%s: a line is longer than %zu bytes",
					bytesource_name(run->src), (size_t)BYTESOURCE_VIEW_MAX);
			g_byte_array_set_size(run->ahead, 0);
		}
	}
	len = run->status == ST_END ? run->ahead->len : whole_lines(run);
	if (len == 0) {
		return NULL;
	}
	part = new_part(run);
	swap = part->text;
	part->text = run->ahead;
	part->len = len;
	run->ahead = swap;
	g_byte_array_append(run->ahead, part->text->data + len, part->text->len - (guint)len);
	g_byte_array_set_size(part->text, (guint)(len + TUCLINES_SLACK));
	return part;
}

static bool is_worth_threads(void *arg, void *unit)
{
	return ((const struct run *)arg)->bytes_met >= PART_BYTES;
}

/* ---- parsing, by any thread ---- */

static void *begin(void *arg)
{
	const struct run *run = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->batch = batch_new();
	batch_clear(worker->batch, COLUMNS_ALL);
	worker->lines = tuclines_new(run->crew->tuc);
	return worker;
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;

	batch_free(worker->batch);
	tuclines_free(worker->lines);
	g_free(worker);
}

static size_t count_records(const struct tuccrew *crew, const struct part *part)
{
	return part->rows->len / crew->format->length;
}

/* The records of the batch go on into the part. */
static void encode(const struct tuccrew *crew, struct part *part, struct batch *batch)
{
	const struct rowview view = rowview_of_batch(batch);
	const size_t from = part->rows->len;
	struct rowwrite out = { .stride = crew->format->length };

	g_byte_array_set_size(part->rows, (guint)(from + batch->selected * out.stride));
	out.bytes = part->rows->data + from;
	rowformat_encode(crew->format, &out, &view, batch->selection, batch->selected);
	batch_clear(batch, COLUMNS_ALL);
}

static void add_bad_line(struct part *part, size_t records, const struct tuclines *lines,
			 const char *why)
{
	const struct tuclines_place place = tuclines_place(lines);
	const struct bad_line bad = {
		.number = place.number,
		.at = place.at,
		.len = place.len,
		.records = records,
		.why = part->reasons->len,
	};

	g_array_append_val(part->bad, bad);
	g_string_append_len(part->reasons, why, (gssize)strlen(why) + 1);
}

static int next_line(const struct tuccrew *crew, struct tuclines *lines, struct tuc_line *line,
		     struct err *err)
{
	int64_t now_ns = tuc_wants_now(crew->tuc) ? clock_now_ns(CLOCK_REALTIME) : 0;

	return tuclines_next(lines, now_ns, line, err);
}

static void parse_part(void *arg, void *state, void *unit, struct scanturn *turn)
{
	const struct tuccrew *crew = ((const struct run *)arg)->crew;
	struct worker *worker = state;
	struct batch *batch = worker->batch;
	struct part *part = unit;
	struct tuc_line line;
	struct err err;
	int status;

	tuclines_begin(worker->lines, (char *)part->text->data, part->len);
	while ((status = next_line(crew, worker->lines, &line, &err)) != ST_END) {
		if (status != ST_OK) {
			add_bad_line(part, count_records(crew, part) + batch->rows, worker->lines,
				     err.text);
			continue;
		}
		batch_append(batch, &line.rec);
		if (batch->rows == BATCH_ROWS) {
			encode(crew, part, batch);
		}
	}
	encode(crew, part, batch);
	part->lines = tuclines_place(worker->lines).number;
	part->head.bytes = part->len + part->rows->len + part->bad->len * sizeof(struct bad_line) +
			   part->reasons->len;
	scancrew_put(turn, &part->head);
}

/* ---- the caller ---- */

static void hand_out(const struct run *run, const struct part *part, size_t from, size_t end)
{
	const struct tuccrew *crew = run->crew;

	if (from < end) {
		crew->rows(crew->arg, part->rows->data + from * crew->format->length, end - from);
	}
}

static int take_part(void *arg, struct scanpiece *piece, bool drained, struct err *err)
{
	struct run *run = arg;
	struct part *part = (struct part *)piece;
	size_t done = 0;
	bool go_on = !drained;

	for (guint i = 0; i < part->bad->len && go_on; i++) {
		const struct bad_line *bad = &g_array_index(part->bad, struct bad_line, i);
		const struct tuccrew_bad told = {
			.number = run->lines + bad->number + 1,
			.bytes = (const char *)part->text->data + bad->at,
			.len = bad->len,
			.why = part->reasons->str + bad->why,
		};

		hand_out(run, part, done, bad->records);
		done = bad->records;
		go_on = run->crew->bad(run->crew->arg, &told);
	}
	if (go_on) {
		hand_out(run, part, done, count_records(run->crew, part));
	}
	run->lines += part->lines;
	give_back(run, part);
	return go_on ? ST_OK : ST_EINVAL;
}

static void drop_part(void *arg, void *unit)
{
	struct part *part = unit;

	free_part(&part->head);
}

int tuccrew_run(const struct tuccrew *crew, struct bytesource *src, uint64_t lines_read,
		struct err *err)
{
	struct run run = {
		.crew = crew,
		.src = src,
		.ahead = g_byte_array_new(),
		.lines = lines_read,
		.err = err,
		.is_file = is_file(src),
		.spares = SCANSPARES_INIT(free_part),
	};
	struct scancrew *threads = scancrew_new(&(struct scancrew_opts){
		.threads = tuc_wants_now(crew->tuc) ? 1 : crew->threads,
		.waiting_bytes = WAITING_BYTES,
		.arg = &run,
		.begin = begin,
		.end = end,
		.next = next_part,
		.worth = is_worth_threads,
		.work = parse_part,
		.drop = drop_part,
		.take = take_part,
	});
	int status = scancrew_run(threads, NULL);

	scancrew_free(threads);
	g_byte_array_free(run.ahead, TRUE);
	scanspares_release(&run.spares);
	return status == ST_OK ? run.status : ST_OK;
}

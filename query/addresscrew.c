/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/addresscrew.h"

#include "common/processors.h"
#include "query/addressline.h"
#include "query/scancrew.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#define CHUNK_BYTES   65536u
#define WAITING_BYTES (1u << 20)
#define IPS_FIRST     1024u

struct chunk {
	struct scanpiece piece;
	struct addresschunk lines;
	struct ip *ips;
	size_t capacity;
	char text[]; /* ADDRESSLINE_SPARE bytes more */
};

struct reading {
	struct bytesource *src;
	size_t longest;
	addresscrew_take_fn take;
	void *arg;
	int status; /* of the source */
	struct err err;
};

static struct chunk *chunk_new(const void *bytes, size_t len)
{
	struct chunk *chunk = g_malloc(sizeof(*chunk) + len + ADDRESSLINE_SPARE);

	*chunk = (struct chunk){ .lines = { .text = chunk->text, .len = len } };
	memcpy(chunk->text, bytes, len);
	memset(chunk->text + len, 0, ADDRESSLINE_SPARE);
	return chunk;
}

static void chunk_free(struct chunk *chunk)
{
	g_free(chunk->ips);
	g_free(chunk);
}

/* The beginning of a line that is too long, as a line; the rest of it is passed over. */
static struct chunk *take_long_line(struct reading *reading, const uint8_t *bytes, size_t len)
{
	struct chunk *chunk = chunk_new(bytes, reading->longest + 1);
	const uint8_t *end;

	chunk->text[reading->longest] = '\n';
	do {
		end = memchr(bytes, '\n', len);
		bytesource_consume(reading->src, end ? (size_t)(end + 1 - bytes) : len);
		reading->status =
			end ? ST_OK : bytesource_view(reading->src, 1, &bytes, &len, &reading->err);
	} while (reading->status == ST_OK && !end && len);
	return chunk;
}

static void *next_chunk(void *arg)
{
	struct reading *reading = arg;
	const uint8_t *bytes;
	const uint8_t *end;
	struct chunk *chunk;
	size_t len;

	if (reading->status == ST_OK) {
		reading->status =
			bytesource_view(reading->src, CHUNK_BYTES, &bytes, &len, &reading->err);
	}
	if (reading->status != ST_OK || !len) {
		return NULL;
	}
	len = MIN(len, CHUNK_BYTES);
	end = memrchr(bytes, '\n', len);
	if (!end && len == CHUNK_BYTES) {
		return take_long_line(reading, bytes, len);
	}
	/* where fewer are shown they are the last ones */
	len = len == CHUNK_BYTES ? (size_t)(end + 1 - bytes) : len;
	chunk = chunk_new(bytes, len);
	bytesource_consume(reading->src, len);
	return chunk;
}

static bool is_worth(void *arg, void *unit)
{
	const struct chunk *chunk = unit;

	return chunk->lines.len > CHUNK_BYTES / 2;
}

static struct ip *room_for_one(struct chunk *chunk)
{
	if (chunk->lines.count == chunk->capacity) {
		chunk->capacity = MAX(2 * chunk->capacity, IPS_FIRST);
		chunk->ips = g_renew(struct ip, chunk->ips, chunk->capacity);
	}
	return &chunk->ips[chunk->lines.count];
}

static void read_lines(void *arg, void *worker, void *unit, struct scanturn *turn)
{
	struct chunk *chunk = unit;
	struct addresschunk *lines = &chunk->lines;
	const char *end = memrchr(lines->text, '\n', lines->len);
	const char *at = lines->text;

	while (end && at <= end) {
		struct ip *to = room_for_one(chunk);
		size_t len = addressline_v4(at, to);

		if (!len) {
			len = addressline_v6(at, to);
			lines->has_v6 = lines->has_v6 || len;
		}
		if (!len) {
			break;
		}
		lines->count++;
		at += len;
	}
	lines->taken = (size_t)(at - lines->text);
	lines->ips = chunk->ips;
	chunk->piece.bytes = lines->len + chunk->capacity * sizeof(struct ip);
	scancrew_put(turn, &chunk->piece);
}

static void drop_chunk(void *arg, void *unit)
{
	chunk_free(unit);
}

static int take_chunk(void *arg, struct scanpiece *piece, bool drained, struct err *err)
{
	struct reading *reading = arg;
	struct chunk *chunk = (struct chunk *)piece;
	int status = drained ? ST_OK : reading->take(reading->arg, &chunk->lines, err);

	chunk_free(chunk);
	return status;
}

int addresscrew_read(struct bytesource *src, size_t longest, addresscrew_take_fn take, void *arg,
		     struct err *err)
{
	struct reading reading = { .src = src, .longest = longest, .take = take, .arg = arg };
	const struct scancrew_opts opts = {
		.threads = processors_count(),
		.waiting_bytes = WAITING_BYTES,
		.arg = &reading,
		.next = next_chunk,
		.worth = is_worth,
		.work = read_lines,
		.drop = drop_chunk,
		.take = take_chunk,
	};
	struct scancrew *crew = scancrew_new(&opts);
	int status;

	assert(longest < CHUNK_BYTES);
	status = scancrew_run(crew, err);
	scancrew_free(crew);
	if (status == ST_OK && reading.status != ST_OK) {
		status = err_set(err, reading.status, "%s", reading.err.text);
	}
	return status;
}

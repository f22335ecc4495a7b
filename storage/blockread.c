/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the data section. A block is decompressed into a slot, behind a head room into which goes
 * what is left of the block before, so that records that lie in two blocks are shown whole. Slots
 * go round: without a thread two of them, with one all, and the thread stops before the slot that
 * is being shown.
 */
#include "storage/block.h"

#include "storage/byteorder.h"
#include "storage/compress.h"
#include "storage/header.h"

#include <assert.h>
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD_ROOM BLOCK_BYTES
/* Blocks that are read before a thread is worth it. */
#define AHEAD_AFTER 4
#define SLOTS       8
/* Whoever must wait waits for so many, so that the two do not wake each other for every block. */
#define WAIT_FOR (SLOTS / 2)

struct slot {
	uint8_t *bytes; /* HEAD_ROOM, then the block */
	size_t capacity;
	size_t len;
	int status; /* instead of a block: ST_END or an error */
	struct err err;
};

/* What takes blocks from the source: the reader, or its thread once there is one. */
struct frames {
	struct bytesource *src; /* kept */
	uint8_t compression;
	uint64_t blocks; /* read so far */
};

struct ahead {
	pthread_t thread;
	unsigned first; /* the slot of its first block */
	pthread_mutex_t lock;
	pthread_cond_t filled_cond;
	pthread_cond_t taken_cond;
	uint64_t filled; /* slots, by the thread */
	uint64_t taken;  /* of these, by the reader, which still shows the last one */
	bool ended;      /* no more will be filled */
	bool stop;       /* no more are wanted */
};

struct block_reader {
	struct frames frames;
	bool wants_ahead;
	struct ahead *ahead; /* NULL: not begun */
	struct slot slots[SLOTS];
	struct slot *current; /* bytes pos..end of it are not consumed; NULL: nothing read yet */
	size_t pos;
	size_t end;
	uint64_t blocks; /* that have come into current */
	bool ended;
	struct err failure;
	char place[40];
};

/* --- one block --- */

/* Damage of the block that begins at the current offset. */
static int damaged(const struct frames *frames, int status, const char *what, struct err *err)
{
	return err_set(err, status,
		       "%s: %s (block %" G_GUINT64_FORMAT " at byte %" G_GUINT64_FORMAT ")",
		       bytesource_name(frames->src), what, frames->blocks + 1,
		       bytesource_offset(frames->src));
}

/* The sizes of the next block. ST_OK, ST_END, or an error; nothing is consumed. */
static int read_frame(const struct frames *frames, uint32_t *compressed, uint32_t *plain,
		      struct err *err)
{
	const uint8_t *at;
	size_t have;
	int rc = bytesource_view(frames->src, BLOCK_FRAME_BYTES, &at, &have, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (have == 0 || (have >= 4 && load32_be(at) == 0)) {
		return ST_END;
	}
	if (have < BLOCK_FRAME_BYTES) {
		return damaged(frames, ST_ETRUNC, "incomplete block", err);
	}
	*compressed = load32_be(at);
	*plain = load32_be(at + 4);
	if (*compressed > BLOCK_COMPRESSED_MAX || *plain > BLOCK_PLAIN_MAX) {
		return damaged(frames, ST_EFORMAT, "block too large", err);
	}
	return ST_OK;
}

static void make_room(struct slot *slot, size_t len)
{
	if (slot->capacity < HEAD_ROOM + len) {
		g_free(slot->bytes);
		slot->capacity = HEAD_ROOM + MAX(len, (size_t)BLOCK_BYTES);
		slot->bytes = g_malloc(slot->capacity);
	}
}

/* Decompress the next block into the slot. ST_OK, ST_END or an error. */
static int read_block(struct frames *frames, struct slot *slot, struct err *err)
{
	uint32_t compressed = 0, plain = 0;
	const uint8_t *at;
	struct err why;
	size_t have;
	int rc = read_frame(frames, &compressed, &plain, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = bytesource_view(frames->src, BLOCK_FRAME_BYTES + compressed, &at, &have, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (have < BLOCK_FRAME_BYTES + compressed) {
		return damaged(frames, ST_ETRUNC, "incomplete block", err);
	}
	make_room(slot, plain);
	rc = decompress_block(frames->compression, at + BLOCK_FRAME_BYTES, compressed,
			      slot->bytes + HEAD_ROOM, plain, &why);
	if (rc != ST_OK) {
		return damaged(frames, rc, why.text, err);
	}
	slot->len = plain;
	frames->blocks++;
	bytesource_consume(frames->src, BLOCK_FRAME_BYTES + compressed);
	return ST_OK;
}

/* --- the thread --- */

static struct slot *slot_of(struct block_reader *reader, uint64_t block)
{
	return &reader->slots[(reader->ahead->first + block) % SLOTS];
}

/* Waits for a slot to fill; false: nobody wants more. */
static bool wait_for_room(struct ahead *ahead)
{
	bool stop;

	pthread_mutex_lock(&ahead->lock);
	if (ahead->filled - ahead->taken >= SLOTS - 1) {
		while (!ahead->stop && ahead->filled - ahead->taken >= SLOTS - WAIT_FOR) {
			pthread_cond_wait(&ahead->taken_cond, &ahead->lock);
		}
	}
	stop = ahead->stop;
	pthread_mutex_unlock(&ahead->lock);
	return !stop;
}

static void *run_ahead(void *arg)
{
	struct block_reader *reader = arg;
	struct ahead *ahead = reader->ahead;
	int status = ST_OK;

	for (uint64_t block = 0; status == ST_OK && wait_for_room(ahead); block++) {
		struct slot *slot = slot_of(reader, block);

		status = read_block(&reader->frames, slot, &slot->err);
		slot->status = status;
		pthread_mutex_lock(&ahead->lock);
		ahead->filled++;
		ahead->ended = status != ST_OK;
		if (ahead->ended || ahead->filled - ahead->taken >= WAIT_FOR) {
			pthread_cond_signal(&ahead->filled_cond);
		}
		pthread_mutex_unlock(&ahead->lock);
	}
	return NULL;
}

static void ahead_free(struct ahead *ahead)
{
	pthread_mutex_destroy(&ahead->lock);
	pthread_cond_destroy(&ahead->filled_cond);
	pthread_cond_destroy(&ahead->taken_cond);
	g_free(ahead);
}

/* From here on the frames are the thread's. Where there can be no thread all stays as it is. */
static void ahead_start(struct block_reader *reader)
{
	struct ahead *ahead = g_new0(struct ahead, 1);

	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->filled_cond, NULL);
	pthread_cond_init(&ahead->taken_cond, NULL);
	ahead->first = (unsigned)(reader->current - reader->slots) + 1;
	reader->ahead = ahead;
	if (pthread_create(&ahead->thread, NULL, run_ahead, reader) != 0) {
		reader->ahead = NULL;
		reader->wants_ahead = false;
		ahead_free(ahead);
	}
}

static void ahead_stop(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_signal(&ahead->taken_cond);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	ahead_free(ahead);
}

/* The slot behind the one that is shown. */
static struct slot *ahead_next(struct block_reader *reader)
{
	struct ahead *ahead = reader->ahead;

	pthread_mutex_lock(&ahead->lock);
	if (ahead->filled == ahead->taken) {
		while (!ahead->ended && ahead->filled - ahead->taken < WAIT_FOR) {
			pthread_cond_wait(&ahead->filled_cond, &ahead->lock);
		}
	}
	pthread_mutex_unlock(&ahead->lock);
	return slot_of(reader, ahead->taken);
}

/* It is shown now, and the one before may be filled again. */
static void ahead_take(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->taken++;
	if (ahead->filled - ahead->taken < SLOTS - WAIT_FOR) {
		pthread_cond_signal(&ahead->taken_cond);
	}
	pthread_mutex_unlock(&ahead->lock);
}

/* --- the reader --- */

int block_reader_new(struct block_reader **out, struct bytesource *src, uint8_t compression,
		     struct err *err)
{
	struct block_reader *reader;

	if (compression > COMPRESSION_SNAPPY) {
		return err_set(err, ST_ESUPPORT, "%s: compression method %u is not known",
			       bytesource_name(src), compression);
	}
	reader = g_new0(struct block_reader, 1);
	reader->frames.src = src;
	reader->frames.compression = compression;
	*out = reader;
	return ST_OK;
}

void block_reader_free(struct block_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	if (reader->ahead != NULL) {
		ahead_stop(reader->ahead);
	}
	for (size_t i = 0; i < SLOTS; i++) {
		g_free(reader->slots[i].bytes);
	}
	g_free(reader);
}

static bool has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

void block_reader_read_ahead(struct block_reader *reader)
{
	int fd = bytesource_fd(reader->frames.src);
	struct stat st;

	reader->wants_ahead = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
			      reader->frames.compression != COMPRESSION_NONE && has_processors();
}

const char *block_reader_place(struct block_reader *reader)
{
	if (reader->frames.compression == COMPRESSION_NONE) {
		snprintf(reader->place, sizeof(reader->place), "byte %" G_GUINT64_FORMAT,
			 bytesource_offset(reader->frames.src));
	} else {
		snprintf(reader->place, sizeof(reader->place), "block %" G_GUINT64_FORMAT,
			 reader->blocks);
	}
	return reader->place;
}

/* The next block, or what came instead of it. */
static struct slot *next_slot(struct block_reader *reader)
{
	struct slot *slot;

	if (reader->wants_ahead && reader->ahead == NULL && reader->blocks >= AHEAD_AFTER) {
		ahead_start(reader);
	}
	if (reader->ahead != NULL) {
		return ahead_next(reader);
	}
	slot = &reader->slots[reader->current == &reader->slots[0]];
	slot->status = read_block(&reader->frames, slot, &slot->err);
	return slot;
}

/* Put the next block behind what is left, which is less than the head room. */
static void take_block(struct block_reader *reader)
{
	size_t rest = reader->end - reader->pos;
	struct slot *slot = next_slot(reader);

	if (slot->status != ST_OK) {
		reader->ended = true;
		if (slot->status != ST_END) {
			reader->failure = slot->err;
		}
		return;
	}
	if (rest > 0) {
		memcpy(slot->bytes + HEAD_ROOM - rest, reader->current->bytes + reader->pos, rest);
	}
	if (reader->ahead != NULL) {
		ahead_take(reader->ahead);
	}
	reader->current = slot;
	reader->pos = HEAD_ROOM - rest;
	reader->end = HEAD_ROOM + slot->len;
	reader->blocks++;
}

int block_reader_view(struct block_reader *reader, size_t want, const uint8_t **bytes, size_t *len,
		      struct err *err)
{
	assert(want <= BLOCK_BYTES);
	if (reader->frames.compression == COMPRESSION_NONE) {
		return bytesource_view(reader->frames.src, want, bytes, len, err);
	}
	while (reader->end - reader->pos < want && !reader->ended) {
		take_block(reader);
	}
	*bytes = reader->current == NULL ? NULL : reader->current->bytes + reader->pos;
	*len = reader->end - reader->pos;
	if (*len < want && reader->failure.status != ST_OK) {
		return err_set(err, reader->failure.status, "%s", reader->failure.text);
	}
	return ST_OK;
}

void block_reader_consume(struct block_reader *reader, size_t len)
{
	if (reader->frames.compression == COMPRESSION_NONE) {
		bytesource_consume(reader->frames.src, len);
		return;
	}
	assert(len <= reader->end - reader->pos);
	reader->pos += len;
}

int block_reader_measure(struct block_reader *reader, uint64_t *bytes, struct err *err)
{
	struct frames *frames = &reader->frames;
	uint32_t compressed = 0, plain = 0;
	uint64_t skipped;
	int rc;

	assert(reader->ahead == NULL);
	if (frames->compression == COMPRESSION_NONE) {
		return bytesource_skip(frames->src, UINT64_MAX, bytes, err);
	}
	*bytes = reader->end - reader->pos;
	while ((rc = read_frame(frames, &compressed, &plain, err)) == ST_OK) {
		rc = bytesource_skip(frames->src, BLOCK_FRAME_BYTES + compressed, &skipped, err);
		if (rc == ST_OK && skipped < BLOCK_FRAME_BYTES + compressed) {
			rc = damaged(frames, ST_ETRUNC, "incomplete block", err);
		}
		if (rc != ST_OK) {
			return rc;
		}
		frames->blocks++;
		*bytes += plain;
	}
	return rc == ST_END ? ST_OK : rc;
}

int block_reader_read(struct block_reader *reader, void *to, size_t len, struct err *err)
{
	uint8_t *out = to;

	while (len > 0) {
		const uint8_t *bytes;
		size_t have;
		int rc = block_reader_view(reader, 1, &bytes, &have, err);

		if (rc != ST_OK) {
			return rc;
		}
		if (have == 0) {
			return err_set(err, ST_ETRUNC, "%s: unexpected end of data at %s",
				       bytesource_name(reader->frames.src),
				       block_reader_place(reader));
		}
		have = MIN(have, len);
		memcpy(out, bytes, have);
		block_reader_consume(reader, have);
		out += have;
		len -= have;
	}
	return ST_OK;
}

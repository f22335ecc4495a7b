/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the data section. A block is decompressed into a slot, behind a head room into which goes
 * what is left of the block before, so that records that lie in two blocks are shown whole. Slots
 * go round: without a thread two of them, with one all, and the thread stops before the slot that
 * is being shown.
 */
#include "storage/block.h"

#include "common/processors.h"
#include "storage/byteorder.h"
#include "storage/compress.h"
#include "storage/header.h"

#include <assert.h>
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD_ROOM BLOCK_BYTES
/* Blocks that are read before threads are worth it. */
#define AHEAD_AFTER 4
#define SLOTS       8
/* Whoever must wait waits for so many, so that they do not wake each other for every block. */
#define WAIT_FOR    (SLOTS / 2)
#define WORKERS_MAX 4

/* A block as it stands in the file. */
struct packed {
	const uint8_t *bytes;
	uint32_t len;
	uint32_t plain_len;
	uint64_t number; /* from 1 */
	uint64_t offset; /* of its frame */
	uint64_t plain_offset;
};

struct slot {
	uint8_t *bytes; /* HEAD_ROOM, then the block */
	size_t capacity;
	size_t len;
	int status; /* instead of a block: ST_END or an error */
	struct err err;
	struct block_digest digest;
	bool done;     /* with threads, under their lock */
	uint8_t *copy; /* with threads: the packed block */
	size_t copy_capacity;
};

/* What takes blocks from the source, one after the other. */
struct frames {
	struct bytesource *src; /* kept */
	uint8_t compression;
	uint64_t blocks;        /* read so far */
	uint64_t plain_bytes;   /* in these */
	block_digest_fn digest; /* NULL: none is wanted */
};

struct ahead {
	pthread_t threads[WORKERS_MAX];
	unsigned workers;
	pthread_mutex_t frames_lock; /* taken before lock */
	unsigned first;              /* the slot of the first block */
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	pthread_cond_t taken_cond;
	uint64_t begun; /* blocks, by the threads */
	uint64_t taken; /* of these, by the reader, which still shows the last one */
	unsigned done;  /* and not taken */
	bool ended;     /* no more will be begun */
	bool stop;      /* no more are wanted */
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

static int damaged(const struct frames *frames, uint64_t number, uint64_t offset, int status,
		   const char *what, struct err *err)
{
	return err_set(err, status,
		       "%s: %s (block %" G_GUINT64_FORMAT " at byte %" G_GUINT64_FORMAT ")",
		       bytesource_name(frames->src), what, number, offset);
}

/* Damage of the block that begins at the current offset. */
static int damaged_here(const struct frames *frames, int status, const char *what, struct err *err)
{
	return damaged(frames, frames->blocks + 1, bytesource_offset(frames->src), status, what,
		       err);
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
		return damaged_here(frames, ST_ETRUNC, "incomplete block", err);
	}
	*compressed = load32_be(at);
	*plain = load32_be(at + 4);
	if (*compressed > BLOCK_COMPRESSED_MAX || *plain > BLOCK_PLAIN_MAX) {
		return damaged_here(frames, ST_EFORMAT, "block too large", err);
	}
	return ST_OK;
}

/* The next block, which stays where it is. ST_OK, ST_END or an error. */
static int view_packed(const struct frames *frames, struct packed *packed, struct err *err)
{
	size_t have;
	int rc = read_frame(frames, &packed->len, &packed->plain_len, err);

	if (rc == ST_OK) {
		rc = bytesource_view(frames->src, BLOCK_FRAME_BYTES + packed->len, &packed->bytes,
				     &have, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	if (have < BLOCK_FRAME_BYTES + packed->len) {
		return damaged_here(frames, ST_ETRUNC, "incomplete block", err);
	}
	packed->bytes += BLOCK_FRAME_BYTES;
	packed->number = frames->blocks + 1;
	packed->offset = bytesource_offset(frames->src);
	packed->plain_offset = frames->plain_bytes;
	return ST_OK;
}

static void consume_packed(struct frames *frames, const struct packed *packed)
{
	frames->blocks++;
	frames->plain_bytes += packed->plain_len;
	bytesource_consume(frames->src, BLOCK_FRAME_BYTES + packed->len);
}

static int unpack(const struct frames *frames, const struct packed *packed, struct slot *slot,
		  struct err *err)
{
	struct err why;
	int rc;

	if (slot->capacity < HEAD_ROOM + packed->plain_len) {
		g_free(slot->bytes);
		slot->capacity = HEAD_ROOM + MAX(packed->plain_len, BLOCK_BYTES);
		slot->bytes = g_malloc(slot->capacity);
	}
	rc = decompress_block(frames->compression, packed->bytes, packed->len,
			      slot->bytes + HEAD_ROOM, packed->plain_len, &why);
	slot->len = packed->plain_len;
	slot->digest.len = 0;
	if (rc != ST_OK) {
		return damaged(frames, packed->number, packed->offset, rc, why.text, err);
	}
	if (frames->digest != NULL) {
		frames->digest(packed->plain_offset, slot->bytes + HEAD_ROOM, slot->len,
			       &slot->digest);
	}
	return ST_OK;
}

/* The next block into the slot. ST_OK, ST_END or an error. */
static int read_block(struct frames *frames, struct slot *slot, struct err *err)
{
	struct packed packed = { 0 };
	int rc = view_packed(frames, &packed, err);

	if (rc == ST_OK) {
		rc = unpack(frames, &packed, slot, err);
	}
	if (rc == ST_OK) {
		consume_packed(frames, &packed);
	}
	return rc;
}

/* --- the threads --- */

static struct slot *slot_of(struct block_reader *reader, uint64_t block)
{
	return &reader->slots[(reader->ahead->first + block) % SLOTS];
}

/* Waits for a slot to fill; NULL: nobody wants more, or there is no more. */
static struct slot *begin_slot(struct block_reader *reader)
{
	struct ahead *ahead = reader->ahead;
	struct slot *slot = NULL;

	pthread_mutex_lock(&ahead->lock);
	if (ahead->begun - ahead->taken >= SLOTS - 1) {
		while (!ahead->stop && ahead->begun - ahead->taken >= SLOTS - WAIT_FOR) {
			pthread_cond_wait(&ahead->taken_cond, &ahead->lock);
		}
	}
	if (!ahead->stop && !ahead->ended) {
		slot = slot_of(reader, ahead->begun++);
		slot->done = false;
	}
	pthread_mutex_unlock(&ahead->lock);
	return slot;
}

/* A copy of the next block, which another thread may then look for the one after. */
static int copy_packed(struct frames *frames, struct slot *slot, struct packed *packed)
{
	int rc = view_packed(frames, packed, &slot->err);

	if (rc != ST_OK) {
		return rc;
	}
	if (slot->copy_capacity < packed->len) {
		g_free(slot->copy);
		slot->copy_capacity = MAX(packed->len, BLOCK_BYTES);
		slot->copy = g_malloc(slot->copy_capacity);
	}
	memcpy(slot->copy, packed->bytes, packed->len);
	packed->bytes = slot->copy;
	consume_packed(frames, packed);
	return ST_OK;
}

static void end_slot(struct ahead *ahead, struct slot *slot)
{
	pthread_mutex_lock(&ahead->lock);
	slot->done = true;
	ahead->done++;
	ahead->ended = ahead->ended || slot->status != ST_OK;
	if (ahead->ended || ahead->done >= WAIT_FOR) {
		pthread_cond_signal(&ahead->done_cond);
	}
	pthread_mutex_unlock(&ahead->lock);
}

static void *run_ahead(void *arg)
{
	struct block_reader *reader = arg;
	struct ahead *ahead = reader->ahead;
	bool going_on = true;

	while (going_on) {
		struct packed packed = { 0 };
		struct slot *slot;

		pthread_mutex_lock(&ahead->frames_lock);
		slot = begin_slot(reader);
		if (slot) {
			slot->status = copy_packed(&reader->frames, slot, &packed);
		}
		if (slot && slot->status != ST_OK) {
			end_slot(ahead, slot);
		}
		going_on = slot && slot->status == ST_OK;
		pthread_mutex_unlock(&ahead->frames_lock);
		if (going_on) {
			slot->status = unpack(&reader->frames, &packed, slot, &slot->err);
			end_slot(ahead, slot);
		}
	}
	return NULL;
}

static void ahead_stop(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_broadcast(&ahead->taken_cond);
	pthread_mutex_unlock(&ahead->lock);
	for (unsigned i = 0; i < ahead->workers; i++) {
		pthread_join(ahead->threads[i], NULL);
	}
	pthread_mutex_destroy(&ahead->frames_lock);
	pthread_mutex_destroy(&ahead->lock);
	pthread_cond_destroy(&ahead->done_cond);
	pthread_cond_destroy(&ahead->taken_cond);
	g_free(ahead);
}

/* From here on the frames are the threads'. Where there can be none all stays as it is. */
static void ahead_start(struct block_reader *reader)
{
	struct ahead *ahead = g_new0(struct ahead, 1);
	unsigned wanted = MIN(processors_count(), WORKERS_MAX);

	pthread_mutex_init(&ahead->frames_lock, NULL);
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->done_cond, NULL);
	pthread_cond_init(&ahead->taken_cond, NULL);
	ahead->first = (unsigned)(reader->current - reader->slots) + 1;
	reader->ahead = ahead;
	while (ahead->workers < wanted &&
	       pthread_create(&ahead->threads[ahead->workers], NULL, run_ahead, reader) == 0) {
		ahead->workers++;
	}
	if (!ahead->workers) {
		ahead_stop(ahead);
		reader->ahead = NULL;
		reader->wants_ahead = false;
	}
}

/* The slot behind the one that is shown. */
static struct slot *ahead_next(struct block_reader *reader)
{
	struct ahead *ahead = reader->ahead;
	struct slot *slot = slot_of(reader, ahead->taken);

	pthread_mutex_lock(&ahead->lock);
	/* nobody has begun it, and then done may still tell of the time before */
	if (ahead->begun == ahead->taken || !slot->done) {
		while (ahead->begun == ahead->taken || !slot->done ||
		       (ahead->done < WAIT_FOR && !ahead->ended)) {
			pthread_cond_wait(&ahead->done_cond, &ahead->lock);
		}
	}
	pthread_mutex_unlock(&ahead->lock);
	return slot;
}

/* It is shown now, and the one before may be filled again. */
static void ahead_take(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->taken++;
	ahead->done--;
	if (ahead->begun - ahead->taken < SLOTS - WAIT_FOR) {
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
		g_free(reader->slots[i].copy);
	}
	g_free(reader);
}

void block_reader_read_ahead(struct block_reader *reader)
{
	int fd = bytesource_fd(reader->frames.src);
	struct stat st;

	reader->wants_ahead = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
			      reader->frames.compression != COMPRESSION_NONE &&
			      processors_count() > 1;
}

void block_reader_digest(struct block_reader *reader, block_digest_fn digest)
{
	reader->frames.digest = digest;
}

const struct block_digest *block_reader_digested(const struct block_reader *reader, size_t *before)
{
	const struct block_digest *digest;
	size_t begin;

	if (reader->current == NULL) {
		return NULL;
	}
	digest = &reader->current->digest;
	begin = HEAD_ROOM + digest->begin;
	if (digest->len == 0 || begin < reader->pos) {
		return NULL;
	}
	*before = begin - reader->pos;
	return digest;
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

	if (reader->wants_ahead && reader->ahead == NULL && reader->current != NULL &&
	    reader->blocks >= AHEAD_AFTER) {
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

/*
 * Pass over the next block without decompressing it. ST_OK; ST_END: it is longer than that, or
 * there is none; or an error.
 */
static int skip_block(struct block_reader *reader, uint64_t longest, uint32_t *plain,
		      struct err *err)
{
	struct frames *frames = &reader->frames;
	uint32_t compressed = 0;
	uint64_t skipped;
	int rc = read_frame(frames, &compressed, plain, err);

	if (rc == ST_OK && *plain > longest) {
		rc = ST_END;
	}
	if (rc != ST_OK) {
		return rc;
	}
	rc = bytesource_skip(frames->src, BLOCK_FRAME_BYTES + compressed, &skipped, err);
	if (rc == ST_OK && skipped < BLOCK_FRAME_BYTES + compressed) {
		rc = damaged_here(frames, ST_ETRUNC, "incomplete block", err);
	}
	if (rc == ST_OK) {
		frames->blocks++;
		frames->plain_bytes += *plain;
		reader->blocks++;
	}
	return rc;
}

int block_reader_skip(struct block_reader *reader, uint64_t len, uint64_t *skipped, struct err *err)
{
	if (reader->frames.compression == COMPRESSION_NONE) {
		return bytesource_skip(reader->frames.src, len, skipped, err);
	}
	*skipped = 0;
	while (*skipped < len) {
		const uint8_t *bytes;
		uint32_t plain = 0;
		size_t have = 0;
		int rc = ST_END;

		if (reader->pos == reader->end && reader->ahead == NULL && !reader->ended) {
			rc = skip_block(reader, len - *skipped, &plain, err);
		}
		if (rc == ST_END) {
			plain = 0;
			rc = block_reader_view(reader, 1, &bytes, &have, err);
			if (rc == ST_OK && have == 0) {
				return ST_OK;
			}
		}
		if (rc != ST_OK) {
			return rc;
		}
		have = MIN(have, len - *skipped);
		reader->pos += have;
		*skipped += plain + have;
	}
	return ST_OK;
}

int block_reader_measure(struct block_reader *reader, uint64_t *bytes, struct err *err)
{
	uint32_t plain;
	int rc;

	assert(reader->ahead == NULL);
	if (reader->frames.compression == COMPRESSION_NONE) {
		return bytesource_skip(reader->frames.src, UINT64_MAX, bytes, err);
	}
	*bytes = reader->end - reader->pos;
	while ((rc = skip_block(reader, UINT64_MAX, &plain, err)) == ST_OK) {
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

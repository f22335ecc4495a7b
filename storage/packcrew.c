/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks go round in a ring of slots: the writer fills the slot at its head, the workers pack those
 * behind it in turn, and the writer writes the oldest when it needs the slot again.
 */
#include "storage/packcrew.h"

#include <glib.h>
#include <pthread.h>

#include "common/processors.h"
#include "storage/block.h"
#include "storage/compress.h"

#define SLOTS       8
#define WORKERS_MAX 4

struct slot {
	uint8_t *plain;
	size_t len;
	packcrew_fill_fn fill; /* NULL: it is filled */
	const void *arg;
	uint64_t offset;
	uint8_t *packed;
	size_t packed_len;
	bool done;
	int status;
	struct err err;
};

struct packcrew {
	uint8_t compression;
	size_t row_bytes;
	pthread_mutex_t lock;
	pthread_cond_t filled_cond;
	pthread_cond_t done_cond;
	struct slot slots[SLOTS]; /* block n is in slot n % SLOTS */
	uint64_t filled;          /* blocks, by the writer */
	uint64_t taken;           /* of these, by workers */
	uint64_t written;         /* of these, by the writer; its own */
	bool stop;
	unsigned workers;
	pthread_t threads[WORKERS_MAX];
};

/* The next block to be packed; NULL: there will be none. */
static struct slot *take_slot(struct packcrew *crew)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&crew->lock);
	while (!crew->stop && crew->taken == crew->filled) {
		pthread_cond_wait(&crew->filled_cond, &crew->lock);
	}
	if (!crew->stop) {
		slot = &crew->slots[crew->taken++ % SLOTS];
	}
	pthread_mutex_unlock(&crew->lock);
	return slot;
}

static void *run_worker(void *arg)
{
	struct packcrew *crew = arg;
	struct compressor *compressor = compressor_new_rows(crew->compression, crew->row_bytes);
	struct slot *slot;

	while ((slot = take_slot(crew))) {
		if (slot->fill) {
			slot->fill(slot->arg, slot->offset, slot->plain, slot->len);
		}
		slot->status = block_pack(compressor, slot->plain, slot->len, slot->packed,
					  &slot->packed_len, &slot->err);
		pthread_mutex_lock(&crew->lock);
		slot->done = true;
		pthread_cond_signal(&crew->done_cond);
		pthread_mutex_unlock(&crew->lock);
	}
	compressor_free(compressor);
	return NULL;
}

struct packcrew *packcrew_new(uint8_t compression, size_t row_bytes, size_t block_bytes)
{
	unsigned wanted = MIN(processors_count(), WORKERS_MAX);
	struct packcrew *crew;

	if (wanted < 2) {
		return NULL;
	}
	crew = g_new0(struct packcrew, 1);
	crew->compression = compression;
	crew->row_bytes = row_bytes;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->filled_cond, NULL);
	pthread_cond_init(&crew->done_cond, NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		crew->slots[i].plain = g_malloc(block_bytes);
		crew->slots[i].packed = g_malloc(block_pack_bound(compression, block_bytes));
	}
	while (crew->workers < wanted &&
	       pthread_create(&crew->threads[crew->workers], NULL, run_worker, crew) == 0) {
		crew->workers++;
	}
	if (!crew->workers) {
		packcrew_free(crew);
		return NULL;
	}
	return crew;
}

void packcrew_free(struct packcrew *crew)
{
	if (!crew) {
		return;
	}
	pthread_mutex_lock(&crew->lock);
	crew->stop = true;
	pthread_cond_broadcast(&crew->filled_cond);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->workers; i++) {
		pthread_join(crew->threads[i], NULL);
	}
	for (size_t i = 0; i < SLOTS; i++) {
		g_free(crew->slots[i].plain);
		g_free(crew->slots[i].packed);
	}
	pthread_mutex_destroy(&crew->lock);
	pthread_cond_destroy(&crew->filled_cond);
	pthread_cond_destroy(&crew->done_cond);
	g_free(crew);
}

uint8_t *packcrew_room(struct packcrew *crew)
{
	return crew->slots[crew->filled % SLOTS].plain;
}

/* The oldest block, once it is packed. */
static int write_oldest(struct packcrew *crew, struct bytesink *sink, struct err *err)
{
	struct slot *slot = &crew->slots[crew->written % SLOTS];

	pthread_mutex_lock(&crew->lock);
	while (!slot->done) {
		pthread_cond_wait(&crew->done_cond, &crew->lock);
	}
	slot->done = false;
	pthread_mutex_unlock(&crew->lock);
	crew->written++;
	if (slot->status != ST_OK) {
		return err_set(err, slot->status, "%s: %s", bytesink_name(sink), slot->err.text);
	}
	return bytesink_write(sink, slot->packed, slot->packed_len, err);
}

/* The slot at the head, with all but what packing gives, is one more to be packed. */
static int hand_over(struct packcrew *crew, struct bytesink *sink, struct err *err)
{
	int status = ST_OK;

	pthread_mutex_lock(&crew->lock);
	crew->filled++;
	pthread_cond_signal(&crew->filled_cond);
	pthread_mutex_unlock(&crew->lock);
	while (status == ST_OK && crew->filled - crew->written >= SLOTS) {
		status = write_oldest(crew, sink, err);
	}
	return status;
}

int packcrew_pack(struct packcrew *crew, size_t len, struct bytesink *sink, struct err *err)
{
	struct slot *slot = &crew->slots[crew->filled % SLOTS];

	slot->len = len;
	slot->fill = NULL;
	return hand_over(crew, sink, err);
}

int packcrew_pack_filled(struct packcrew *crew, packcrew_fill_fn fill, const void *arg,
			 uint64_t offset, size_t len, struct bytesink *sink, struct err *err)
{
	struct slot *slot = &crew->slots[crew->filled % SLOTS];

	slot->len = len;
	slot->fill = fill;
	slot->arg = arg;
	slot->offset = offset;
	return hand_over(crew, sink, err);
}

int packcrew_drain(struct packcrew *crew, struct bytesink *sink, struct err *err)
{
	int status = ST_OK;

	while (status == ST_OK && crew->written < crew->filled) {
		status = write_oldest(crew, sink, err);
	}
	return status;
}

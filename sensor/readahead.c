/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/readahead.h"

#include <glib.h>
#include <pthread.h>

#include "common/status.h"

#define PIECES      4
#define PIECE_BYTES (256 * 1024) /* they are to stay in the processor's cache */

struct piece {
	uint8_t *room; /* the front, then the piece */
	size_t len;
	int status; /* ST_END and ST_EIO come after the last bytes */
};

struct readahead {
	readahead_fill_fn fill;
	void *arg;
	bool threaded;
	pthread_t thread;
	pthread_mutex_t
		lock; /* guards the following; pieces from taken to filled are the taker's */
	pthread_cond_t changed;
	uint64_t filled; /* pieces in all */
	uint64_t taken;  /* and that were handed out: the last one is in use */
	bool stop;
	struct piece pieces[PIECES];
};

static struct piece *piece_at(struct readahead *ahead, uint64_t number)
{
	return &ahead->pieces[number % PIECES];
}

static void fill_piece(struct readahead *ahead, struct piece *piece)
{
	ssize_t got = 1;

	piece->len = 0;
	while (got > 0 && piece->len < PIECE_BYTES) {
		got = ahead->fill(ahead->arg, piece->room + READAHEAD_FRONT_BYTES + piece->len,
				  PIECE_BYTES - piece->len);
		piece->len += got > 0 ? (size_t)got : 0;
	}
	piece->status = got > 0 ? ST_OK : got == 0 ? ST_END : ST_EIO;
}

static void *readahead_main(void *arg)
{
	struct readahead *ahead = arg;
	int status = ST_OK;

	pthread_mutex_lock(&ahead->lock);
	while (status == ST_OK && !ahead->stop) {
		/* the one handed out last is still in use */
		if (ahead->filled + 1 - ahead->taken >= PIECES) {
			pthread_cond_wait(&ahead->changed, &ahead->lock);
			continue;
		}
		pthread_mutex_unlock(&ahead->lock);
		fill_piece(ahead, piece_at(ahead, ahead->filled));
		pthread_mutex_lock(&ahead->lock);
		status = piece_at(ahead, ahead->filled)->status;
		ahead->filled++;
		pthread_cond_signal(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

struct readahead *readahead_new(readahead_fill_fn fill, void *arg, bool threaded)
{
	struct readahead *ahead = g_new0(struct readahead, 1);

	ahead->fill = fill;
	ahead->arg = arg;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	for (size_t i = 0; i < PIECES; i++) {
		ahead->pieces[i].room = g_malloc(READAHEAD_FRONT_BYTES + PIECE_BYTES);
	}
	/* without one it works as well */
	ahead->threaded =
		threaded && pthread_create(&ahead->thread, NULL, readahead_main, ahead) == 0;
	return ahead;
}

void readahead_free(struct readahead *ahead)
{
	if (!ahead) {
		return;
	}
	if (ahead->threaded) {
		pthread_mutex_lock(&ahead->lock);
		ahead->stop = true;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->lock);
		pthread_join(ahead->thread, NULL);
	}
	for (size_t i = 0; i < PIECES; i++) {
		g_free(ahead->pieces[i].room);
	}
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
	g_free(ahead);
}

/* The end stays what it was. */
static bool is_over(struct readahead *ahead, int *status)
{
	*status = ahead->taken > 0 ? piece_at(ahead, ahead->taken - 1)->status : ST_OK;
	return *status != ST_OK;
}

int readahead_next(struct readahead *ahead, struct readahead_piece *out)
{
	struct piece *piece;
	int status;

	if (is_over(ahead, &status)) {
		return status;
	}
	if (ahead->threaded) {
		pthread_mutex_lock(&ahead->lock);
		while (ahead->filled == ahead->taken) {
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		}
		piece = piece_at(ahead, ahead->taken++);
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->lock);
	} else {
		piece = piece_at(ahead, ahead->taken++);
		fill_piece(ahead, piece);
	}
	*out = (struct readahead_piece){ piece->room + READAHEAD_FRONT_BYTES, piece->len };
	return piece->len > 0 ? ST_OK : piece->status;
}

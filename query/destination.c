/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/destination.h"

#include <glib.h>

struct destination {
	GPtrArray *streams; /* struct stream * */
	uint64_t room;      /* UINT64_MAX: no limit */
};

struct destination *destination_new(uint64_t limit)
{
	struct destination *destination = g_new0(struct destination, 1);

	destination->streams = g_ptr_array_new();
	destination->room = limit > 0 ? limit : UINT64_MAX;
	return destination;
}

static struct stream *stream_at(const struct destination *destination, guint i)
{
	return g_ptr_array_index(destination->streams, i);
}

int destination_add(struct destination *destination, const char *path,
		    const struct stream_write_opts *opts, struct err *err)
{
	struct stream *stream = NULL;
	int st = stream_create(&stream, path, opts, err);

	if (st == ST_OK) {
		g_ptr_array_add(destination->streams, stream);
	}
	return st;
}

void destination_add_entries(struct destination *destination, const struct header *entries)
{
	for (guint i = 0; i < destination->streams->len; i++) {
		stream_add_entries(stream_at(destination, i), entries);
	}
}

uint64_t destination_room(const struct destination *destination)
{
	return destination->room;
}

int destination_write(struct destination *destination, const struct batch *batch, struct err *err)
{
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < destination->streams->len; i++) {
		st = stream_write_batch(stream_at(destination, i), batch, NULL, err);
	}
	if (destination->room != UINT64_MAX) {
		destination->room -= MIN(destination->room, batch->selected);
	}
	return st;
}

int destination_close(struct destination *destination, struct err *err)
{
	int st = ST_OK;

	if (!destination) {
		return ST_OK;
	}
	for (guint i = 0; i < destination->streams->len; i++) {
		int one = stream_close(stream_at(destination, i), st == ST_OK ? err : NULL);

		st = st == ST_OK ? one : st;
	}
	g_ptr_array_free(destination->streams, TRUE);
	g_free(destination);
	return st;
}

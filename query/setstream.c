/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setstream.h"

#include <glib.h>

#include "storage/bytesource.h"
#include "storage/setranges.h"
#include "storage/setrecords.h"

#define FILES_MAX 8 /* that are read at the same time */

bool setstream_may(const struct setstream *stream)
{
	bool may = stream->count <= FILES_MAX;

	for (int i = 0; may && i < stream->count; i++) {
		may = bytesource_is_file(stream->paths[i]);
	}
	return may;
}

int setstream_write(const struct setstream *stream, struct bytesink *sink,
		    void (*ready)(void *arg, struct ipset_write_opts *opts))
{
	struct setrecords *inputs[FILES_MAX] = { NULL };
	struct ipset_write_opts opts = { 0 };
	int status = ST_OK;

	for (int i = 0; status == ST_OK && i < stream->count; i++) {
		status = setrecords_open(&inputs[i], stream->paths[i], NULL);
		if (status == ST_OK) {
			stream->opened(stream->arg, setrecords_header(inputs[i]));
		}
	}
	if (status == ST_OK) {
		ready(stream->arg, &opts);
		status = setrecords_combine(inputs, (size_t)stream->count, stream->op, sink, &opts,
					    NULL);
	}
	for (int i = 0; i < stream->count; i++) {
		setrecords_close(inputs[i]);
	}
	return status;
}

int setstream_combine(const struct setstream *stream, struct ipset **out, bool *changed)
{
	struct setranges *inputs[FILES_MAX] = { NULL };
	int status = ST_OK;

	for (int i = 0; status == ST_OK && i < stream->count; i++) {
		status = setranges_open(&inputs[i], stream->paths[i], NULL);
		if (status == ST_OK) {
			stream->opened(stream->arg, setranges_header(inputs[i]));
		}
	}
	if (status == ST_OK) {
		status = setranges_combine(inputs, (size_t)stream->count, stream->op, out, changed,
					   NULL);
	}
	for (int i = 0; i < stream->count; i++) {
		setranges_close(inputs[i]);
	}
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sink.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sink {
	struct link *link; /* or */
	FILE *file;
	char *name;
	bool is_udp;
	uint64_t messages;
	uint64_t records;
};

static const struct sink_form {
	const char *prefix;
	size_t message_bytes;
} sink_forms[] = {
	{ "tls://", 8192 },
	{ "tcp://", 8192 },
	{ "udp://", 1420 }, /* no IP fragments over any usual path */
};

static const struct sink_form *sink_form_of(const char *destination)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sink_forms); i++) {
		if (g_str_has_prefix(destination, sink_forms[i].prefix)) {
			return &sink_forms[i];
		}
	}
	return NULL;
}

size_t sink_message_bytes(const char *destination)
{
	const struct sink_form *form = sink_form_of(destination);

	return form != NULL ? form->message_bytes : EXPORT_MESSAGE_MAX;
}

int sink_open(struct sink **out, const struct link_opts *opts, struct err *err)
{
	struct sink *sink = g_new0(struct sink, 1);
	const char *destination = opts->destination;
	int st = ST_OK;

	sink->name = g_strdup(destination);
	sink->is_udp = g_str_has_prefix(destination, "udp://");
	if (sink_form_of(destination) != NULL) {
		st = link_new(&sink->link, opts, err);
	} else if (strcmp(destination, "-") == 0) {
		sink->file = stdout;
	} else {
		sink->file = fopen(destination, "wbe");
		if (sink->file == NULL) {
			st = err_errno(err, ST_EIO, errno, "%s", destination);
		}
	}
	if (st != ST_OK) {
		sink_close(sink);
		return st;
	}
	*out = sink;
	return ST_OK;
}

void sink_close(struct sink *sink)
{
	if (sink == NULL) {
		return;
	}
	link_free(sink->link);
	if (sink->file != NULL && sink->file != stdout) {
		fclose(sink->file);
	}
	g_free(sink->name);
	g_free(sink);
}

static int file_send(struct sink *sink, const struct export_message *message, struct err *err)
{
	if (fwrite(message->bytes, 1, message->len, sink->file) != message->len) {
		return err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return ST_OK;
}

int sink_send(struct sink *sink, const struct export_message *message, struct err *err)
{
	int st;

	if (sink->link == NULL) {
		st = file_send(sink, message, err);
	} else if (message->templates) {
		return link_add_preamble(sink->link, message->bytes, message->len, err);
	} else {
		st = link_send(sink->link, message->bytes, message->len, message->records, err);
	}
	if (st == ST_OK && message->records > 0) {
		sink->messages++;
		sink->records += message->records;
	}
	return st;
}

void sink_drop_oldest(struct sink *sink)
{
	if (sink->link != NULL) {
		link_drop_oldest(sink->link);
	}
}

void sink_poll(struct sink *sink, int64_t now_ns, int timeout_ms)
{
	if (sink->link != NULL) {
		link_poll(sink->link, now_ns, timeout_ms);
	}
}

bool sink_take_event(struct sink *sink, struct err *out)
{
	return sink->link != NULL && link_take_event(sink->link, out);
}

bool sink_is_drained(const struct sink *sink)
{
	return sink->link == NULL || link_is_drained(sink->link);
}

int sink_flush(struct sink *sink, struct err *err)
{
	if (sink->file != NULL && fflush(sink->file) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", sink->name);
	}
	return ST_OK;
}

void sink_get_stats(const struct sink *sink, struct sink_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->messages = sink->messages;
	out->records = sink->records;
	out->is_link = sink->link != NULL;
	if (sink->link != NULL) {
		link_get_stats(sink->link, &out->link);
	}
}

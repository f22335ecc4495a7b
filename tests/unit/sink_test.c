/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sink.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t bytes[] = { 0, 10, 0, 16, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0 };

static void test_sizes(void)
{
	UNIT_ASSERT_U64(sink_message_bytes("udp://[::1]:4739"), 1420);
	UNIT_ASSERT_U64(sink_message_bytes("tcp://a"), 8192);
	UNIT_ASSERT_U64(sink_message_bytes("tls://a"), 8192);
	UNIT_ASSERT_U64(sink_message_bytes("-"), EXPORT_MESSAGE_MAX);
	UNIT_ASSERT_U64(sink_message_bytes("flows.ipfix"), EXPORT_MESSAGE_MAX);
}

static void test_file(void)
{
	char *path = g_build_filename(unit_scratch(), "out", NULL);
	struct link_opts opts = { .destination = path };
	struct export_message message = { .bytes = bytes, .len = sizeof(bytes) };
	struct sink_stats stats;
	struct sink *sink = NULL;
	struct err err;
	char *written = NULL;
	gsize len = 0;

	CU_ASSERT_EQUAL_FATAL(sink_open(&sink, &opts, &err), ST_OK);
	message.templates = true;
	CU_ASSERT_EQUAL(sink_send(sink, &message, &err), ST_OK);
	message.templates = false;
	message.records = 7;
	CU_ASSERT_EQUAL(sink_send(sink, &message, &err), ST_OK);
	sink_poll(sink, 0, 1000);
	sink_drop_oldest(sink);
	CU_ASSERT(!sink_take_event(sink, &err));
	CU_ASSERT(sink_is_drained(sink));
	CU_ASSERT_EQUAL(sink_flush(sink, &err), ST_OK);
	sink_get_stats(sink, &stats);
	UNIT_ASSERT_U64(stats.messages, 1);
	UNIT_ASSERT_U64(stats.records, 7);
	CU_ASSERT(!stats.is_link);
	sink_close(sink);
	CU_ASSERT(g_file_get_contents(path, &written, &len, NULL));
	UNIT_ASSERT_U64(len, 2 * sizeof(bytes));
	CU_ASSERT(memcmp(written + sizeof(bytes), bytes, sizeof(bytes)) == 0);
	g_free(written);
	g_free(path);
	sink_close(NULL);
}

/* A link that nobody answers: the messages wait, and are dropped one by one when told. */
static void test_link(void)
{
	struct link_opts opts = { .destination = "tcp://127.0.0.1:1",
				  .buffer_bytes = 200,
				  .backoff_min_ns = 1000000,
				  .backoff_max_ns = 1000000 };
	struct export_message message = { .bytes = bytes, .len = sizeof(bytes), .records = 3 };
	struct sink_stats stats;
	struct sink *sink = NULL;
	struct err err;
	int st = ST_OK;
	uint64_t sent = 0;

	CU_ASSERT_EQUAL_FATAL(sink_open(&sink, &opts, &err), ST_OK);
	while (st == ST_OK && sent < 1000) {
		st = sink_send(sink, &message, &err);
		sent += st == ST_OK;
	}
	CU_ASSERT_EQUAL(st, ST_EAGAIN);
	sink_drop_oldest(sink);
	CU_ASSERT_EQUAL(sink_send(sink, &message, &err), ST_OK);
	CU_ASSERT(!sink_is_drained(sink));
	sink_get_stats(sink, &stats);
	CU_ASSERT(stats.is_link);
	UNIT_ASSERT_U64(stats.messages, sent + 1);
	UNIT_ASSERT_U64(stats.link.dropped_records, 3);
	UNIT_ASSERT_U64(stats.link.queued_messages, sent);
	sink_close(sink);
}

static void test_failures(void)
{
	struct link_opts opts = { .destination = "/nowhere/out" };
	struct export_message message = { .bytes = bytes, .len = sizeof(bytes), .records = 1 };
	struct sink *sink = NULL;
	struct err err;

	CU_ASSERT_EQUAL(sink_open(&sink, &opts, &err), ST_EIO);
	UNIT_ASSERT_STR(err.text, "/nowhere/out: No such file or directory");
	opts.destination = "tcp://";
	CU_ASSERT_EQUAL(sink_open(&sink, &opts, &err), ST_EINVAL);
	opts.destination = "/dev/full";
	CU_ASSERT_EQUAL_FATAL(sink_open(&sink, &opts, &err), ST_OK);
	CU_ASSERT_EQUAL(sink_send(sink, &message, &err), ST_OK);
	CU_ASSERT_EQUAL(sink_flush(sink, &err), ST_EIO);
	UNIT_ASSERT_STR(err.text, "/dev/full: No space left on device");
	sink_close(sink);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "message sizes", test_sizes }, { "file", test_file }, { "link", test_link },
		{ "failures", test_failures },   { NULL, NULL },
	};

	return unit_run("sink", cases);
}

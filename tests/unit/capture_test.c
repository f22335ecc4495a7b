/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/capture.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

struct seen {
	uint64_t packets;
	uint64_t wire_bytes;
	int64_t first_ns, last_ns;
	uint32_t most_captured;
};

static void on_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		      uint32_t wire_len)
{
	struct seen *seen = arg;

	seen->first_ns = seen->packets == 0 ? time_ns : seen->first_ns;
	seen->last_ns = time_ns;
	seen->packets++;
	seen->wire_bytes += wire_len;
	seen->most_captured = captured > seen->most_captured ? captured : seen->most_captured;
}

/* Read to the end or the error, whose status is returned. */
static int read_all(const char *path, const char *filter, struct seen *seen, struct err *err)
{
	struct capture *capture = NULL;
	int st = capture_open_file(&capture, path, filter, err);

	memset(seen, 0, sizeof(*seen));
	while (st == ST_OK) {
		st = capture_read(capture, on_packet, seen, err);
	}
	capture_close(capture);
	return st;
}

/* All packets are there, but what says that they are whole is not. */
static void test_gzip_without_end(void)
{
	char path[512];
	char *bytes = NULL;
	size_t len = 0;
	struct seen seen;
	struct err err;

	snprintf(path, sizeof(path), "%s/cut.pcap.gz", unit_scratch());
	CU_ASSERT_FATAL(g_file_get_contents(unit_path("tests/data/sensor/24-mix.pcap.gz"), &bytes,
					    &len, NULL));
	CU_ASSERT_FATAL(g_file_set_contents(path, bytes, (gssize)len - 8, NULL));
	g_free(bytes);
	CU_ASSERT_EQUAL(read_all(path, NULL, &seen, &err), ST_EFORMAT);
	UNIT_ASSERT_U64(seen.packets, 5212);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
}

static void test_files(void)
{
	static const struct {
		const char *path, *filter;
		uint64_t packets, wire_bytes;
	} rows[] = {
		{ "tests/data/sensor/24-mix.pcap.gz", NULL, 5212, 669199 },
		{ "tests/data/sensor/18-nano.pcap", NULL, 3, 129 },
		{ "tests/data/sensor/18-nano.pcap", "src port 1802", 1, 43 },
		{ "tests/data/sensor/18-nano.pcap", "", 3, 129 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen;
		struct err err;

		unit_at("%s %s", rows[i].path, rows[i].filter);
		CU_ASSERT_EQUAL(read_all(unit_path(rows[i].path), rows[i].filter, &seen, &err),
				ST_END);
		UNIT_ASSERT_U64(seen.packets, rows[i].packets);
		UNIT_ASSERT_U64(seen.wire_bytes, rows[i].wire_bytes);
	}
}

static void test_times(void)
{
	struct seen seen;
	struct err err;

	CU_ASSERT_EQUAL(read_all(unit_path("tests/data/sensor/18-nano.pcap"), NULL, &seen, &err),
			ST_END);
	CU_ASSERT_EQUAL(seen.first_ns, INT64_C(1700000000000000123));
	CU_ASSERT_EQUAL(seen.last_ns, INT64_C(1700000001999999999));
	/* Microseconds in the file are nanoseconds here. */
	CU_ASSERT_EQUAL(read_all(unit_path("tests/data/sensor/01-tcp-fin.pcap"), NULL, &seen, &err),
			ST_END);
	CU_ASSERT_EQUAL(seen.first_ns, INT64_C(1700000000000000000));
	/* Past 2038: 2106-01-01. */
	CU_ASSERT_EQUAL(read_all(unit_path("tests/data/pcap-odd/tcpdump-time_2106.pcap"), NULL,
				 &seen, &err),
			ST_END);
	CU_ASSERT_EQUAL(seen.first_ns, INT64_C(4291747200000000000));
}

static void test_failures(void)
{
	static const struct {
		const char *path, *filter;
		int status;
		const char *reason;
	} rows[] = {
		{ "tests/data/nowhere.pcap", NULL, ST_EIO, "No such file or directory" },
		{ "tests/data/sensor/README.md", NULL, ST_EFORMAT, "README.md" },
		{ "tests/data/sensor/18-nano.pcap", "port", ST_EINVAL, "filter 'port'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen;
		struct err err;

		unit_at("%s", rows[i].path);
		CU_ASSERT_EQUAL(read_all(unit_path(rows[i].path), rows[i].filter, &seen, &err),
				rows[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].reason));
	}
	capture_close(NULL);
}

static void test_link_type(void)
{
	struct capture *capture = NULL;
	struct capture_stats stats;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(capture_open_file(&capture,
						unit_path("tests/data/sensor/17-link-sll2.pcap"),
						NULL, &err),
			      ST_OK);
	UNIT_ASSERT_U64((unsigned)capture_linktype(capture), 276);
	UNIT_ASSERT_STR(capture_linktype_name(capture), "LINUX_SLL2");
	CU_ASSERT_PTR_NOT_NULL(strstr(capture_name(capture), "17-link-sll2.pcap"));
	capture_get_stats(capture, &stats);
	UNIT_ASSERT_U64(stats.dropped, 0);
	capture_close(capture);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "gzip without its end", test_gzip_without_end },
		{ "files", test_files },
		{ "times", test_times },
		{ "failures", test_failures },
		{ "link type", test_link_type },
		{ NULL, NULL },
	};

	return unit_run("capture", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapfile.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sensor/capture.h"
#include "tests/unit/unit.h"

struct seen {
	unsigned count;
	int64_t time_ns;
	uint32_t captured, wire_len;
	uint8_t last;
};

static void see(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		uint32_t wire_len)
{
	struct seen *seen = arg;

	*seen = (struct seen){ seen->count + 1, time_ns, captured, wire_len, bytes[captured - 1] };
}

static void test_there_and_back(void)
{
	char *folder = g_dir_make_tmp("pcapfile-XXXXXX", NULL);
	char *path = g_build_filename(folder, "x.pcap", NULL);
	const uint8_t bytes[] = { 1, 2, 3, 4 };
	struct pcapfile *file = NULL;
	struct capture *capture = NULL;
	struct seen seen = { 0 };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(pcapfile_create(&file, path, false, 1, 4096, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_write(file, 1000000001, bytes, 4, 100, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_write(file, INT64_C(1700000000123456789), bytes, 2, 2, &err),
			ST_OK);
	CU_ASSERT_EQUAL(pcapfile_close(file, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(capture_open_file(&capture, path, NULL, &err), ST_OK);
	UNIT_ASSERT_U64((uint64_t)capture_linktype(capture), 1);
	UNIT_ASSERT_U64(capture_snap_bytes(capture), 4096);
	while (capture_read(capture, see, &seen, &err) == ST_OK) {
	}
	UNIT_ASSERT_U64(seen.count, 2);
	UNIT_ASSERT_U64((uint64_t)seen.time_ns, UINT64_C(1700000000123456000));
	UNIT_ASSERT_U64(seen.captured, 2);
	UNIT_ASSERT_U64(seen.last, 2);
	capture_close(capture);
	CU_ASSERT_EQUAL(pcapfile_create(&file, path, false, 1, 4096, &err), ST_EEXIST);
	CU_ASSERT_EQUAL(pcapfile_create(&file, path, true, 1, 4096, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_close(file, &err), ST_OK);
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
}

static void test_full(void)
{
	const uint8_t bytes[4096] = { 0 };
	struct pcapfile *file = NULL;
	struct err err;
	int status = ST_OK;

	CU_ASSERT_EQUAL_FATAL(pcapfile_create(&file, "/dev/full", false, 1, 4096, &err), ST_OK);
	for (int i = 0; status == ST_OK && i < 100; i++) {
		status = pcapfile_write(file, 0, bytes, sizeof(bytes), sizeof(bytes), &err);
	}
	CU_ASSERT_EQUAL(status, ST_EIO);
	CU_ASSERT(strstr(err.text, "/dev/full") != NULL);
	CU_ASSERT(pcapfile_close(file, NULL) != ST_OK);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "there and back", test_there_and_back },
		{ "a full disk", test_full },
		{ NULL, NULL },
	};

	return unit_run("pcapfile", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapfile.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "sensor/capture.h"
#include "tests/unit/unit.h"

static const struct pcapfile_form ethernet = { .link = 1, .snap_bytes = 4096 };

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
	struct pcapfile_form form;
	struct seen seen = { 0 };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(pcapfile_create(&file, path, false, &ethernet, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_write(file, 1000000001, bytes, 4, 100, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_write(file, INT64_C(1700000000123456789), bytes, 2, 2, &err),
			ST_OK);
	CU_ASSERT_EQUAL(pcapfile_close(file, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(capture_open_file(&capture, path, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(capture_file_form(capture, &form, &err), ST_OK);
	CU_ASSERT(form.link == 1 && form.snap_bytes == 4096 && !form.nano);
	while (capture_read(capture, see, &seen, &err) == ST_OK) {
	}
	UNIT_ASSERT_U64(seen.count, 2);
	UNIT_ASSERT_U64((uint64_t)seen.time_ns, UINT64_C(1700000000123456000));
	UNIT_ASSERT_U64(seen.captured, 2);
	UNIT_ASSERT_U64(seen.last, 2);
	capture_close(capture);
	CU_ASSERT_EQUAL(pcapfile_create(&file, path, false, &ethernet, &err), ST_EEXIST);
	CU_ASSERT_EQUAL(pcapfile_create(&file, path, true, &ethernet, &err), ST_OK);
	CU_ASSERT_EQUAL(pcapfile_close(file, &err), ST_OK);
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
}

/* Of link types that libpcap numbers otherwise than files do, too; times are kept as they are. */
static void test_forms(void)
{
	static const struct pcapfile_form forms[] = {
		{ .link = 101, .snap_bytes = 100, .nano = true },  /* raw IP: DLT_RAW is 12 */
		{ .link = 100, .snap_bytes = 100, .nano = false }, /* ATM: 11 */
		{ .link = 0x14000001, .snap_bytes = 65535, .nano = true }, /* 4 bytes of FCS */
	};
	const uint8_t bytes[] = { 1, 2, 3, 4 };
	const int64_t time_ns = INT64_C(1700000000123456789);
	char *folder = g_dir_make_tmp("pcapfile-XXXXXX", NULL);
	char *path = g_build_filename(folder, "x.pcap", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		struct pcapfile *file = NULL;
		struct capture *capture = NULL;
		struct pcapfile_form form;
		struct seen seen = { 0 };
		struct err err;

		unit_at("link %x", forms[i].link);
		CU_ASSERT_EQUAL_FATAL(pcapfile_create(&file, path, true, &forms[i], &err), ST_OK);
		CU_ASSERT_EQUAL(pcapfile_write(file, time_ns, bytes, 4, 4, &err), ST_OK);
		CU_ASSERT_EQUAL(pcapfile_close(file, &err), ST_OK);
		CU_ASSERT_EQUAL_FATAL(capture_open_file(&capture, path, NULL, &err), ST_OK);
		CU_ASSERT_EQUAL(capture_file_form(capture, &form, &err), ST_OK);
		UNIT_ASSERT_U64(form.link, forms[i].link);
		UNIT_ASSERT_U64(form.snap_bytes, forms[i].snap_bytes);
		CU_ASSERT_EQUAL(form.nano, forms[i].nano);
		while (capture_read(capture, see, &seen, &err) == ST_OK) {
		}
		CU_ASSERT_EQUAL(seen.time_ns,
				forms[i].nano ? time_ns : time_ns / NS_PER_US * NS_PER_US);
		capture_close(capture);
	}
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
}

static void test_join(void)
{
	struct pcapfile_form form = { .link = 0x14000001, .snap_bytes = 96 };
	const struct pcapfile_form nano = { .link = 0x14000001, .snap_bytes = 60, .nano = true };
	const struct pcapfile_form raw = { .link = 101, .snap_bytes = 60 };
	struct err err;

	CU_ASSERT_EQUAL(pcapfile_form_join(&form, &nano, &err), ST_OK);
	CU_ASSERT(form.link == 0x14000001 && form.snap_bytes == 96 && form.nano);
	CU_ASSERT_EQUAL(pcapfile_form_join(&form, &ethernet, &err), ST_OK);
	CU_ASSERT(form.link == 1 && form.snap_bytes == 4096 && form.nano);
	CU_ASSERT_EQUAL(pcapfile_form_join(&form, &raw, &err), ST_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "101, not 1"));
}

static void test_full(void)
{
	const uint8_t bytes[4096] = { 0 };
	struct pcapfile *file = NULL;
	struct err err;
	int status = ST_OK;

	CU_ASSERT_EQUAL_FATAL(pcapfile_create(&file, "/dev/full", false, &ethernet, &err), ST_OK);
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
		{ "forms", test_forms },
		{ "forms that are joined", test_join },
		{ "a full disk", test_full },
		{ NULL, NULL },
	};

	return unit_run("pcapfile", cases);
}

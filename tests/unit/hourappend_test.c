/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Appending in steps, and taking it out again after a crash: a writer is killed inside its write,
 * at any byte (block files) or any page (SiLK's, as the kernel does it), then another may append,
 * then what the dead one had not finished is taken out. The records of a file are told apart by
 * their packets.
 */
#include "storage/hourappend.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/hoursync.h"
#include "storage/seal.h"
#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

#define EPOCH 7

static const struct hourfile_key key = { .hour_ns = BLOCKRECORDS_HOUR_NS };

static const struct form {
	const char *name;
	struct hourfile_write_opts opts;
	unsigned step; /* of the places where a write stops */
	unsigned last; /* packets of what is written then */
} forms[] = {
	{ "blocks", { .kind = HOURFILE_BLOCKS, .compression = COMPRESSION_LZO1X }, 1, 1400 },
	{ "silk-lzo", { .kind = HOURFILE_SILK, .compression = COMPRESSION_LZO1X }, 4096, 1400 },
	{ "silk-none", { .kind = HOURFILE_SILK, .compression = COMPRESSION_NONE }, 4096, 1400 },
	/* in several parts of memory */
	{ "quick", { .kind = HOURFILE_BLOCKS, .quick = true }, 1, 30000 },
};

/* Shared with the writers that are forked: bytes until the next write stops; negative: never. */
static struct {
	int64_t bytes_to_live;
	uint64_t wanted; /* bytes that a whole write has */
	uint64_t offset;
} * shared;

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	if (shared == NULL || shared->bytes_to_live < 0) {
		return syscall(SYS_pwrite64, fd, bytes, len, offset);
	}
	syscall(SYS_pwrite64, fd, bytes, MIN(len, (size_t)shared->bytes_to_live), offset);
	kill(getpid(), SIGKILL);
	return -1;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (shared == NULL || shared->bytes_to_live < 0) {
		return syscall(SYS_pwritev, fd, parts, count, offset, 0);
	}
	for (int i = 0; i < count; i++) {
		int64_t some = MIN((int64_t)parts[i].iov_len, shared->bytes_to_live);

		syscall(SYS_pwrite64, fd, parts[i].iov_base, some, offset);
		shared->bytes_to_live -= some;
		offset += some;
	}
	kill(getpid(), SIGKILL);
	return -1;
}

static char *scratch(const char *name)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);

	g_mkdir(path, 0755);
	return path;
}

static struct hourappend *append_new(const struct form *form, const char *path)
{
	struct hourappend *append = NULL;

	CU_ASSERT_EQUAL(hourappend_new(&append, path, &key, &form->opts, NULL, NULL), ST_OK);
	return append;
}

/* Records of first..last packets. */
static void fill(struct hourappend *append, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		struct record rec;

		record_init(&rec);
		rec.start_ns = BLOCKRECORDS_HOUR_NS + (int64_t)i * 1000000;
		rec.packets = i;
		rec.bytes = i * 2654435761u % 100000 + i;
		rec.sip = ip_from_v4(i * 2246822519u);
		CU_ASSERT_EQUAL(hourappend_write(append, &rec, NULL), ST_OK);
	}
}

static void append_all(struct hourappend *append)
{
	CU_ASSERT_EQUAL(hourappend_stage(append, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourappend_lock(append, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourappend_put(append, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourappend_sync(append, NULL), ST_OK);
	hourappend_keep(append);
	CU_ASSERT(hourappend_is_empty(append));
}

static void append_records(const struct form *form, const char *path, unsigned first, unsigned last)
{
	struct hourappend *append = append_new(form, path);

	fill(append, first, last);
	append_all(append);
	hourappend_free(append);
}

/* "1-5 9-9" of the packets found, each as often as it is there; "none"; or the trouble. */
static char *contents(const char *path)
{
	GString *text = g_string_new(NULL);
	struct hourfile_reader *reader = NULL;
	struct batch *batch = batch_new();
	uint64_t first = 0;
	uint64_t last = 0;
	struct err err = { .status = ST_OK };
	int st = hourfile_open(&reader, path, NULL, &err);

	while (st == ST_OK &&
	       (st = hourfile_read_batch(reader, batch, COLUMNS_ALL, &err)) == ST_OK) {
		for (uint32_t i = 0; i < batch->rows; i++) {
			uint64_t packets = batch->packets[i];

			if (first > 0 && packets != last + 1) {
				g_string_append_printf(text, "%u-%u ", (unsigned)first,
						       (unsigned)last);
				first = 0;
			}
			first = first > 0 ? first : packets;
			last = packets;
		}
	}
	if (first > 0) {
		g_string_append_printf(text, "%u-%u ", (unsigned)first, (unsigned)last);
	}
	g_string_append(text, st == ST_END ? "" : err.text);
	hourfile_close(reader);
	batch_free(batch);
	return g_string_free(text, FALSE);
}

static void expect(const char *path, const char *wanted)
{
	char *found = contents(path);

	UNIT_ASSERT_STR(found, wanted);
	g_free(found);
}

static void test_steps(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		const struct form *form = &forms[i];
		char *root = scratch(form->name);
		char *path = g_build_filename(root, "a", "b", "hour", NULL);
		struct hourappend *append = append_new(form, path);
		struct hourappend *other;

		unit_at("%s", form->name);
		CU_ASSERT(hourappend_is_empty(append));
		fill(append, 1, 3);
		CU_ASSERT(!hourappend_is_empty(append));
		CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));
		append_all(append);
		expect(path, "1-3 ");
		/* another between; records of any number of blocks */
		append_records(form, path, 10, 12);
		fill(append, 100, 70100);
		append_all(append);
		expect(path, "1-3 10-12 100-70100 ");
		/* not while another has the lock */
		other = append_new(form, path);
		fill(other, 2, 2);
		fill(append, 4, 4);
		CU_ASSERT_EQUAL(hourappend_stage(append, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourappend_stage(other, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourappend_lock(append, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourappend_lock(other, NULL), ST_EAGAIN);
		/* written and taken back, then kept */
		CU_ASSERT_EQUAL(hourappend_put(append, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourappend_take_back(append, NULL), ST_OK);
		expect(path, "1-3 10-12 100-70100 ");
		append_all(other);
		append_all(append);
		expect(path, "1-3 10-12 100-70100 2-2 4-4 ");
		hourappend_free(other);
		hourappend_free(append);
		g_free(path);
		g_free(root);
	}
}

/* The file of another kind that is there decides; one of no kind is refused. */
static void test_kinds(void)
{
	char *root = scratch("kinds");
	char *path = g_build_filename(root, "hour", NULL);
	struct hourappend *append;
	struct err err;

	append_records(&forms[2], path, 1, 2);
	append_records(&forms[0], path, 3, 4);
	expect(path, "1-4 ");
	append = append_new(&forms[1], path);
	fill(append, 5, 6);
	/* which was another when the records were encoded */
	CU_ASSERT_EQUAL(g_unlink(path), 0);
	append_records(&forms[0], path, 1, 1);
	CU_ASSERT_EQUAL(hourappend_stage(append, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourappend_lock(append, &err), ST_EFORMAT);
	hourappend_free(append);
	CU_ASSERT(g_file_set_contents(
		path, "no hourly file at all, but long enough to look like it", -1, NULL));
	CU_ASSERT_NOT_EQUAL(hourappend_new(&append, path, &key, &forms[0].opts, NULL, &err), ST_OK);
	g_free(path);
	g_free(root);
}

/* A child writes the claim and dies after so many bytes of the append; or lives. */
static void write_and_die(const struct form *form, const char *root, const char *path,
			  int64_t bytes)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct hourappend *append = append_new(form, path);
		struct appendlog_claim claim;
		struct appendlog *log = NULL;

		fill(append, 11, form->last);
		hourappend_stage(append, NULL);
		hourappend_lock(append, NULL);
		hourappend_get_claim(append, &claim);
		appendlog_open(&log, root, "one", NULL);
		appendlog_write(log, EPOCH, &claim, 1, NULL);
		shared->wanted = claim.len;
		shared->offset = claim.offset;
		shared->bytes_to_live = bytes;
		hourappend_put(append, NULL);
		_exit(0);
	}
	CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child);
	shared->bytes_to_live = -1;
}

static void count_report(void *arg, const char *path, uint64_t bytes, const char *trouble)
{
	(void)path;
	if (trouble) {
		UNIT_ASSERT_STR(trouble, "");
	}
	*(uint64_t *)arg += bytes;
}

static void undo(const char *root, uint64_t epoch)
{
	struct appendlog *log = NULL;
	uint64_t taken = 0;
	struct err err = { .status = ST_OK };

	CU_ASSERT_EQUAL(appendlog_open(&log, root, "one", &err), ST_OK);
	CU_ASSERT_EQUAL(appendlog_undo(log, epoch, count_report, &taken, &err), ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	appendlog_close(log);
}

static void crash_once(const struct form *form, const char *root, int64_t bytes, bool another)
{
	char *path = g_build_filename(root, "hour", NULL);

	unit_at("%s after %d bytes%s", form->name, (int)bytes, another ? ", another" : "");
	g_unlink(path);
	append_records(form, path, 1, 10);
	write_and_die(form, root, path, bytes);
	CU_ASSERT(appendlog_is_claimed(root, path));
	if (another) {
		append_records(form, path, 5001, 5003);
	}
	undo(root, EPOCH);
	CU_ASSERT(!appendlog_is_claimed(root, path));
	expect(path, another ? "1-10 5001-5003 " : "1-10 ");
	/* and life goes on */
	append_records(form, path, 11, 12);
	expect(path, another ? "1-10 5001-5003 11-12 " : "1-12 ");
	g_free(path);
}

static void test_crashes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		const struct form *form = &forms[i];
		char *name = g_strdup_printf("crash-%s", form->name);
		char *root = scratch(name);

		shared->wanted = UINT64_MAX;
		crash_once(form, root, INT64_MAX, false);
		crash_once(form, root, INT64_MAX, true);
		for (uint64_t at = 0; at < shared->wanted;
		     at += form->step == 1 ? 1 + shared->wanted / 20 : form->step) {
			uint64_t bytes = at;

			if (form->step > 1 && at > 0) {
				bytes = at - shared->offset % form->step;
			}
			crash_once(form, root, (int64_t)bytes, false);
			crash_once(form, root, (int64_t)bytes, true);
		}
		g_free(root);
		g_free(name);
	}
}

/* What was finished stays, and what another log says is another's. */
static void test_epochs(void)
{
	char *root = scratch("epochs");
	char *path = g_build_filename(root, "hour", NULL);
	char *log_path = g_build_filename(root, APPENDLOG_PREFIX "one", NULL);
	struct seal_result sealed;
	char *bytes = NULL;
	gsize len = 0;

	append_records(&forms[0], path, 1, 10);
	write_and_die(&forms[0], root, path, INT64_MAX);
	undo(root, EPOCH + 1);
	expect(path, "1-1400 ");
	CU_ASSERT(appendlog_is_claimed(root, path));
	CU_ASSERT_EQUAL(seal_file(path, &(struct seal_opts){ .root = root }, &sealed, NULL),
			ST_EAGAIN);
	CU_ASSERT_EQUAL(
		seal_file(path, &(struct seal_opts){ .root = unit_scratch() }, &sealed, NULL),
		ST_OK);
	/* a log that is damaged claims nothing */
	CU_ASSERT(g_file_get_contents(log_path, &bytes, &len, NULL));
	for (gsize cut = 0; cut < len; cut += 7) {
		CU_ASSERT(g_file_set_contents(log_path, bytes, (gssize)cut, NULL));
		CU_ASSERT(!appendlog_is_claimed(root, path));
		undo(root, EPOCH);
	}
	bytes[len / 2] ^= 1;
	CU_ASSERT(g_file_set_contents(log_path, bytes, (gssize)len, NULL));
	undo(root, EPOCH);
	expect(path, "1-1400 ");
	/* a file that is gone is done with */
	bytes[len / 2] ^= 1;
	CU_ASSERT(g_file_set_contents(log_path, bytes, (gssize)len, NULL));
	CU_ASSERT_EQUAL(g_unlink(path), 0);
	undo(root, EPOCH);
	g_free(bytes);
	g_free(log_path);
	g_free(path);
	g_free(root);
}

/* More files than syncs at once; one of them is not there to be synced. */
static void test_many(void)
{
	enum { FILES = 20, BAD = 13 };
	char *folder = scratch("many");
	struct hourappend *appends[FILES];
	char *paths[FILES];
	struct err err = { .text = "" };

	for (int i = 0; i < FILES; i++) {
		paths[i] = g_strdup_printf("%s/%d/file", folder, i);
		appends[i] = append_new(&forms[i % G_N_ELEMENTS(forms)], paths[i]);
		fill(appends[i], 1, (unsigned)i + 1);
		CU_ASSERT_EQUAL(hourappend_stage(appends[i], NULL), ST_OK);
		if (i != BAD) {
			CU_ASSERT_EQUAL(hourappend_lock(appends[i], NULL), ST_OK);
			CU_ASSERT_EQUAL(hourappend_put(appends[i], NULL), ST_OK);
		}
	}
	CU_ASSERT_EQUAL(hoursync(appends, 0, &err), ST_OK);
	CU_ASSERT_EQUAL(hoursync(appends, BAD, &err), ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	CU_ASSERT_EQUAL(hoursync(appends, FILES, &err), ST_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/13/file"));
	for (int i = 0; i < FILES; i++) {
		if (i != BAD) {
			char *expected = g_strdup_printf("1-%d ", i + 1);
			char *found;

			hourappend_keep(appends[i]);
			found = contents(paths[i]);
			UNIT_ASSERT_STR(found, expected);
			g_free(found);
			g_free(expected);
		}
		hourappend_free(appends[i]);
		g_free(paths[i]);
	}
	g_free(folder);
}

enum { BASE_BYTES = 100, FIRST_BYTES = 6000, SECOND_BYTES = 300 };

static bool is_open(const void *arg, uint64_t epoch)
{
	return *(const uint64_t *)arg >> epoch & 1;
}

/* Appended one behind the other to one file, and by another then; of those whose epoch (1, 2) is
 * open (bits) nothing stays. */
static void undo_each(const char *root, uint64_t open, bool another)
{
	static uint8_t bytes[BASE_BYTES + FIRST_BYTES + SECOND_BYTES + 10];
	const size_t second_at = BASE_BYTES + FIRST_BYTES;
	const struct iovec first = { bytes + BASE_BYTES, FIRST_BYTES };
	const struct iovec second = { bytes + second_at, SECOND_BYTES };
	char *path = g_build_filename(root, "any", NULL);
	const struct appendlog_claim claims[] = {
		{ 1, path, BASE_BYTES, &first, 1, FIRST_BYTES, NULL, 0 },
		{ 2, path, second_at, &second, 1, SECOND_BYTES, NULL, 0 },
	};
	const gsize len = another ? sizeof(bytes) : sizeof(bytes) - 10;
	GByteArray *want = g_byte_array_new();
	struct appendlog *log = NULL;
	uint64_t taken = 0;
	char *got = NULL;
	gsize got_len = 0;

	unit_at("open %u%s", (unsigned)open, another ? ", another" : "");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 256 + 1);
	}
	CU_ASSERT(g_file_set_contents(path, (const char *)bytes, (gssize)len, NULL));
	CU_ASSERT_EQUAL(appendlog_open(&log, root, "each", NULL), ST_OK);
	CU_ASSERT_EQUAL(appendlog_write_each(log, claims, G_N_ELEMENTS(claims), NULL), ST_OK);
	CU_ASSERT(appendlog_is_claimed(root, path));
	appendlog_close(log);
	CU_ASSERT_EQUAL(appendlog_open(&log, root, "each", NULL), ST_OK);
	CU_ASSERT_EQUAL(appendlog_undo_where(log, is_open, &open, count_report, &taken, NULL),
			ST_OK);
	CU_ASSERT_EQUAL(appendlog_is_claimed(root, path), open == 0);
	appendlog_clear(log);
	appendlog_close(log);
	UNIT_ASSERT_U64(taken, (open & 2 ? FIRST_BYTES : 0) + (open & 4 ? SECOND_BYTES : 0));
	g_byte_array_append(want, bytes, BASE_BYTES);
	g_byte_array_append(want, first.iov_base, open & 2 ? 0 : FIRST_BYTES);
	g_byte_array_append(want, second.iov_base, open & 4 ? 0 : SECOND_BYTES);
	g_byte_array_append(want, bytes + second_at + SECOND_BYTES, another ? 10 : 0);
	CU_ASSERT(g_file_get_contents(path, &got, &got_len, NULL));
	CU_ASSERT(got_len == want->len && memcmp(got, want->data, got_len) == 0);
	g_free(got);
	g_byte_array_unref(want);
	g_free(path);
}

static void test_each_epoch(void)
{
	char *root = scratch("each");

	for (uint64_t open = 0; open < 8; open += 2) {
		undo_each(root, open, false);
		undo_each(root, open, true);
	}
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "steps", test_steps },
		{ "many files at once", test_many },
		{ "kinds of files", test_kinds },
		{ "killed inside a write", test_crashes },
		{ "epochs and damage", test_epochs },
		{ "an epoch for each entry", test_each_epoch },
		{ NULL, NULL },
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	shared->bytes_to_live = -1;
	return unit_run("hourappend", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses, counters and names on their way to a repository. */
#include "storage/hournotes.h"

#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/ifcounters.h"
#include "storage/labels.h"
#include "storage/lossfile.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define BASE_NS (INT64_C(1699999200) * NS_PER_S) /* 2023/11/14T22 */

struct notes_case {
	char *path;
	char *root;
	struct hournotes *notes;
};

static int put(void *arg, const char *folder, const char *line, struct err *err)
{
	const struct notes_case *at = arg;

	return hournotes_write(at->notes, folder, line, err);
}

static void begin(struct notes_case *at, const char *name)
{
	at->path = g_build_filename(unit_scratch(), name, NULL);
	at->root = g_strconcat(at->path, ".root", NULL);
	CU_ASSERT_EQUAL(g_mkdir_with_parents(at->root, 0755), 0);
	CU_ASSERT_EQUAL(hournotes_create(&at->notes, at->path, NULL), ST_OK);
}

static void end(struct notes_case *at)
{
	g_free(at->path);
	g_free(at->root);
}

static void lose(const struct notes_case *at, int64_t hour, int64_t missing)
{
	const struct hourlines_place place = { .put = put, .arg = (void *)at };
	const struct loss loss = { { [LOSS_RECEIVED] = 100, [LOSS_MISSING] = missing } };

	CU_ASSERT_EQUAL(lossfile_add(&place, BASE_NS + hour * HOUR_NS, "S0", "P", &loss, NULL),
			ST_OK);
}

static void sum_missing(void *arg, int64_t hour_ns, const char *sensor, const char *probe,
			const struct loss *loss)
{
	int64_t *sum = arg;

	(void)hour_ns;
	CU_ASSERT_STRING_EQUAL(sensor, "S0");
	CU_ASSERT_STRING_EQUAL(probe, "P");
	*sum += loss->values[LOSS_MISSING];
}

static void expect_missing(const struct notes_case *at, int64_t missing)
{
	int64_t sum = 0;

	CU_ASSERT_EQUAL(lossfile_each_hour(at->root, sum_missing, &sum, NULL), ST_OK);
	CU_ASSERT_EQUAL(sum, missing);
}

/* Also over two days, of lines that look alike, and twice. */
static void test_losses(void)
{
	struct notes_case at;
	size_t lines;

	begin(&at, "losses");
	lose(&at, 0, 7);
	lose(&at, 0, 7);
	lose(&at, 3, 5);
	lose(&at, 1, 1);
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	CU_ASSERT_TRUE(hournotes_recognise(at.path));
	CU_ASSERT_EQUAL(hournotes_deliver(at.path, &(struct hourlines_place){ .root = at.root },
					  NULL, NULL, &lines, NULL),
			ST_OK);
	UNIT_ASSERT_U64(lines, 4);
	expect_missing(&at, 20);
	CU_ASSERT_EQUAL(hournotes_deliver(at.path, &(struct hourlines_place){ .root = at.root },
					  NULL, NULL, &lines, NULL),
			ST_OK);
	UNIT_ASSERT_U64(lines, 0);
	expect_missing(&at, 20);
	end(&at);
}

static void take_counters(void *arg, int64_t hour_ns, const char *probe,
			  const struct ifcounters *counters)
{
	(void)hour_ns;
	CU_ASSERT_STRING_EQUAL(probe, "P");
	*(uint64_t *)arg = counters->values[IFCOUNTER_IN_BYTES];
}

static void test_counters_and_names(void)
{
	const struct label label = { "S0", "192.0.2.1", LABEL_INTERFACE, 3, "ge 0/0/3" };
	struct ifcounters counters = { .time_ns = BASE_NS, .interface = 3 };
	struct labels *labels = labels_new();
	struct notes_case at;
	struct hourlines_place place = { .put = put, .arg = &at };
	uint64_t bytes = 0;
	size_t lines;

	counters.values[IFCOUNTER_IN_BYTES] = 12345;
	labels_set(labels, &label, NULL);
	begin(&at, "names");
	CU_ASSERT_EQUAL(ifcounters_add(&place, BASE_NS, "P", &counters, NULL), ST_OK);
	CU_ASSERT_EQUAL(labels_put(labels, &place, NULL), ST_OK);
	CU_ASSERT_FALSE(labels_changed(labels));
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	labels_free(labels);
	CU_ASSERT_EQUAL(hournotes_deliver(at.path, &(struct hourlines_place){ .root = at.root },
					  NULL, NULL, &lines, NULL),
			ST_OK);
	UNIT_ASSERT_U64(lines, 2);
	CU_ASSERT_EQUAL(ifcounters_each(at.root, BASE_NS, BASE_NS, take_counters, &bytes, NULL),
			ST_OK);
	UNIT_ASSERT_U64(bytes, 12345);
	CU_ASSERT_EQUAL(labels_load(&labels, at.root, NULL), ST_OK);
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_INTERFACE, 3), "ge 0/0/3");
	labels_free(labels);
	end(&at);
}

static void write_text(const char *path, const char *text, size_t len)
{
	CU_ASSERT_TRUE(g_file_set_contents(path, text, (gssize)len, NULL));
}

/* A collector that knows no sensors, and a packer between it and the repository. */
static void edit(void *arg, const char *folder, const char *line, GPtrArray *out)
{
	char *probe = lossfile_line_probe(line);

	(void)arg;
	CU_ASSERT_STRING_EQUAL(folder, LOSSFILE_FOLDER);
	UNIT_ASSERT_STR(probe, "P");
	g_ptr_array_add(out, lossfile_line_of(line, "S0"));
	g_free(probe);
}

static void test_on_the_way(void)
{
	const struct loss loss = { { [LOSS_MISSING] = 3 } };
	struct notes_case at;
	struct notes_case next;
	struct hourlines_place place = { .put = put, .arg = &at };
	size_t lines;

	begin(&at, "flowcap");
	CU_ASSERT_EQUAL(lossfile_add(&place, BASE_NS, LOSSFILE_NO_SENSOR, "P", &loss, NULL), ST_OK);
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	begin(&next, "packer");
	place.arg = &next;
	for (int i = 0; i < 2; i++) { /* read again after a kill */
		CU_ASSERT_EQUAL(hournotes_deliver(at.path, &place, edit, NULL, &lines, NULL),
				ST_OK);
		UNIT_ASSERT_U64(lines, 1);
	}
	CU_ASSERT_EQUAL(hournotes_close(next.notes, NULL), ST_OK);
	place = (struct hourlines_place){ .root = next.root };
	CU_ASSERT_EQUAL(hournotes_deliver(next.path, &place, NULL, NULL, &lines, NULL), ST_OK);
	UNIT_ASSERT_U64(lines, 1);
	expect_missing(&next, 3);
	CU_ASSERT_PTR_NULL(lossfile_line_probe("2023/11/14T22 S0 P missing=1"));
	CU_ASSERT_PTR_NULL(lossfile_line_probe("2023/11/14T22 -"));
	end(&next);
	end(&at);
}

/* A line that a dying packer left torn, and one of a later release. */
static void test_torn(void)
{
	static const char text[] = "tussah-notes 1\n.later 2023/11/14T22 x=1\n"
				   ".loss 2023/11/14T22 S0 P missing=4 note=1\n"
				   ".loss 2023/11/14T22 S0 P missing=1000";
	struct notes_case at;
	size_t lines;

	begin(&at, "torn");
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	write_text(at.path, text, sizeof(text) - 1);
	CU_ASSERT_EQUAL(hournotes_deliver(at.path, &(struct hourlines_place){ .root = at.root },
					  NULL, NULL, &lines, NULL),
			ST_OK);
	UNIT_ASSERT_U64(lines, 1);
	expect_missing(&at, 4);
	end(&at);
}

/* A line in the repository that is there in part, wherever it was cut. */
static void test_torn_there(void)
{
	static const char line[] = "2023/11/14T22 S0 P missing=40 note=12";
	struct notes_case at;
	char *day;
	char *text = g_strconcat("tussah-notes 1\n.loss ", line, "\n", NULL);
	size_t lines;

	begin(&at, "end");
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	day = g_build_filename(at.root, ".loss/2023/11", NULL);
	CU_ASSERT_EQUAL(g_mkdir_with_parents(day, 0755), 0);
	g_free(day);
	day = g_build_filename(at.root, ".loss/2023/11/14", NULL);
	write_text(at.path, text, strlen(text));
	for (size_t cut = 0; cut <= strlen(line); cut++) {
		unit_at("%zu bytes", cut);
		write_text(day, line, cut);
		expect_missing(&at, 0);
		CU_ASSERT_EQUAL(hournotes_deliver(at.path,
						  &(struct hourlines_place){ .root = at.root },
						  NULL, NULL, &lines, NULL),
				ST_OK);
		expect_missing(&at, 40);
	}
	g_free(text);
	g_free(day);
	end(&at);
}

/* A line that found no room is not there; those before and behind it are. */
static void test_no_room(void)
{
	struct notes_case at;
	struct rlimit before;
	struct stat written;
	const struct loss loss = { { [LOSS_MISSING] = 1000 } };
	struct hourlines_place place = { .put = put, .arg = &at };
	size_t lines;

	begin(&at, "room");
	lose(&at, 0, 1);
	CU_ASSERT_EQUAL(stat(at.path, &written), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ (rlim_t)written.st_size + 10, before.rlim_max });
	CU_ASSERT_NOT_EQUAL(lossfile_add(&place, BASE_NS, "S0", "P", &loss, NULL), ST_OK);
	setrlimit(RLIMIT_FSIZE, &before);
	lose(&at, 0, 2);
	CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
	place = (struct hourlines_place){ .root = at.root };
	CU_ASSERT_EQUAL(hournotes_deliver(at.path, &place, NULL, NULL, &lines, NULL), ST_OK);
	expect_missing(&at, 3);
	end(&at);
}

static void test_damage(void)
{
	static const struct {
		const char *text;
		size_t len;
		const char *error;
	} rows[] = {
		{ "tussah-notes 2\n", 15, "is no file of notes" },
		{ "", 0, "is no file of notes" },
		{ "tussah-notes 1\n.loss \0", 22, "is no file of notes" },
		{ "tussah-notes 1\n.loss S0 P missing=1\n", 36, "'S0 P missing=1' has no hour" },
		{ "tussah-notes 1\n.loss ../../../x S\n", 34, "has no hour" },
		{ "tussah-notes 1\n.labels S0\tx\n", 28, "is no label" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct notes_case at;
		struct err err;
		size_t lines;

		unit_at("%zu", i);
		begin(&at, "damage");
		CU_ASSERT_EQUAL(hournotes_close(at.notes, NULL), ST_OK);
		write_text(at.path, rows[i].text, rows[i].len);
		CU_ASSERT_EQUAL(hournotes_recognise(at.path), i > 1);
		CU_ASSERT_EQUAL(hournotes_deliver(at.path,
						  &(struct hourlines_place){ .root = at.root },
						  NULL, NULL, &lines, &err),
				ST_EFORMAT);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].error));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, at.path));
		unlink(at.path);
		end(&at);
	}
}

static const struct unit_case cases[] = {
	{ "losses arrive once", test_losses },
	{ "counters and names", test_counters_and_names },
	{ "from collector to packer to repository", test_on_the_way },
	{ "what is torn or of a later release is passed over", test_torn },
	{ "a line that is there in part", test_torn_there },
	{ "no room for a line", test_no_room },
	{ "damage is told", test_damage },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("hournotes", cases);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/labels.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static char *new_root(const char *name)
{
	char *root = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL(g_mkdir(root, 0777), 0);
	return root;
}

static int set(struct labels *labels, const char *sensor, const char *exporter,
	       enum label_kind kind, uint64_t id, const char *name)
{
	const struct label label = { sensor, exporter, kind, id, name };

	return labels_set(labels, &label, NULL);
}

static void test_find(void)
{
	struct labels *labels = labels_new();

	CU_ASSERT_FALSE(labels_changed(labels));
	CU_ASSERT_PTR_NULL(labels_find(labels, "S0", LABEL_INTERFACE, 3));
	CU_ASSERT_EQUAL(set(labels, "S0", "192.0.2.1", LABEL_INTERFACE, 3, "ge-0/0/3"), ST_OK);
	CU_ASSERT_TRUE(labels_changed(labels));
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_INTERFACE, 3), "ge-0/0/3");
	CU_ASSERT_PTR_NULL(labels_find(labels, "S0", LABEL_VRF, 3));
	CU_ASSERT_PTR_NULL(labels_find(labels, "S0", LABEL_INTERFACE, 4));
	CU_ASSERT_PTR_NULL(labels_find(labels, "S1", LABEL_INTERFACE, 3));
	/* a later name of the same exporter takes the place of the first */
	set(labels, "S0", "192.0.2.1", LABEL_INTERFACE, 3, "uplink");
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_INTERFACE, 3), "uplink");
	/* two exporters of a sensor: both names, each once */
	set(labels, "S0", "192.0.2.2", LABEL_INTERFACE, 3, "Gi1");
	set(labels, "S0", "192.0.2.3", LABEL_INTERFACE, 3, "Gi1");
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_INTERFACE, 3), "uplink;Gi1");
	set(labels, "S0", "192.0.2.4", LABEL_INTERFACE, 3, "Gi");
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_INTERFACE, 3), "uplink;Gi1;Gi");
	/* a name for all sensors */
	set(labels, "-", "-", LABEL_APPLICATION, UINT64_MAX, "any");
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_APPLICATION, UINT64_MAX), "any");
	UNIT_ASSERT_U64(labels_count(labels), 5);
	labels_free(labels);
	labels_free(NULL);
}

static void test_hostile(void)
{
	struct labels *labels = labels_new();
	char longer[LABELS_NAME_BYTES + 10];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 1,
			    "a\tb\nc\x7f"
			    "d "),
			ST_OK);
	UNIT_ASSERT_STR(labels_find(labels, "S0", LABEL_VRF, 1), "a b c d");
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 2, longer), ST_OK);
	UNIT_ASSERT_U64(strlen(labels_find(labels, "S0", LABEL_VRF, 2)), LABELS_NAME_BYTES);
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 3, ""), ST_OK);
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 3, " \t"), ST_OK);
	CU_ASSERT_PTR_NULL(labels_find(labels, "S0", LABEL_VRF, 3));
	CU_ASSERT_EQUAL(set(labels, "", "-", LABEL_VRF, 4, "n"), ST_EINVAL);
	CU_ASSERT_EQUAL(set(labels, "#S0", "-", LABEL_VRF, 4, "n"), ST_EINVAL);
	CU_ASSERT_EQUAL(set(labels, "S0", "\t", LABEL_VRF, 4, "n"), ST_EINVAL);
	CU_ASSERT_EQUAL(set(labels, "S0", "", LABEL_VRF, 4, "n"), ST_EINVAL);
	CU_ASSERT_EQUAL(set(labels, longer, "-", LABEL_VRF, 4, "n"), ST_EINVAL);
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_KINDS, 4, "n"), ST_EINVAL);
	for (uint64_t id = labels_count(labels); id < LABELS_MAX; id++) {
		if (set(labels, "S1", "-", LABEL_SAMPLER, id, "n") != ST_OK) {
			CU_FAIL("a label below the limit was refused");
			break;
		}
	}
	CU_ASSERT_EQUAL(set(labels, "S2", "-", LABEL_SAMPLER, 1, "n"), ST_ELIMIT);
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 1, "changed"), ST_OK);
	labels_free(labels);
}

static void test_save(void)
{
	char *root = new_root("save");
	char *path = g_build_filename(root, LABELS_FILE, NULL);
	struct labels *first = NULL;
	struct labels *second = NULL;
	struct labels *read = NULL;
	char *text = NULL;

	CU_ASSERT_EQUAL(labels_load(&first, root, NULL), ST_OK);
	CU_ASSERT_EQUAL(labels_load(&second, root, NULL), ST_OK);
	set(first, "S0", "192.0.2.1", LABEL_INTERFACE, 10, "first");
	set(first, "S0", "192.0.2.1", LABEL_INTERFACE, 2, "both: first");
	CU_ASSERT_EQUAL(labels_save(first, root, NULL), ST_OK);
	CU_ASSERT_FALSE(labels_changed(first));
	set(second, "S0", "2001:db8::1", LABEL_INTERFACE, 10, "second");
	set(second, "S0", "192.0.2.1", LABEL_INTERFACE, 2, "both: second");
	CU_ASSERT_EQUAL(labels_save(second, root, NULL), ST_OK);
	CU_ASSERT_TRUE(g_file_get_contents(path, &text, NULL, NULL));
	UNIT_ASSERT_STR(text, "# tussah labels 1\n"
			      "S0\t192.0.2.1\tinterface\t2\tboth: second\n"
			      "S0\t192.0.2.1\tinterface\t10\tfirst\n"
			      "S0\t2001:db8::1\tinterface\t10\tsecond\n");
	CU_ASSERT_EQUAL(labels_load(&read, root, NULL), ST_OK);
	UNIT_ASSERT_U64(labels_count(read), 3);
	UNIT_ASSERT_STR(labels_find(read, "S0", LABEL_INTERFACE, 10), "first;second");
	UNIT_ASSERT_U64(labels_at(read, 1).id, 10);
	UNIT_ASSERT_STR(labels_at(read, 2).exporter, "2001:db8::1");
	/* the second process keeps what it was not told */
	UNIT_ASSERT_U64(labels_count(second), 3);
	labels_free(first);
	labels_free(second);
	labels_free(read);
	g_free(text);
	g_free(path);
	g_free(root);
}

static void test_unchanged_is_not_written(void)
{
	char *root = new_root("unchanged");
	char *path = g_build_filename(root, LABELS_FILE, NULL);
	struct labels *labels = labels_new();
	GStatBuf before = { 0 };
	GStatBuf after = { 0 };

	set(labels, "S0", "-", LABEL_VRF, 1, "red");
	CU_ASSERT_EQUAL(labels_save(labels, root, NULL), ST_OK);
	CU_ASSERT_EQUAL(g_stat(path, &before), 0);
	CU_ASSERT_EQUAL(set(labels, "S0", "-", LABEL_VRF, 1, "red"), ST_OK);
	CU_ASSERT_FALSE(labels_changed(labels));
	CU_ASSERT_EQUAL(labels_save(labels, root, NULL), ST_OK);
	CU_ASSERT_EQUAL(g_stat(path, &after), 0);
	CU_ASSERT_EQUAL(before.st_ino, after.st_ino);
	labels_free(labels);
	g_free(path);
	g_free(root);
}

static void test_damaged(void)
{
	static const struct {
		const char *text;
		int status;
		size_t count;
	} files[] = {
		{ "", ST_OK, 0 },
		{ "# tussah labels 1\n", ST_OK, 0 },
		{ "# tussah labels 1\n\n# more\nS0\t-\tvrf\t1\tred\n", ST_OK, 1 },
		{ "# tussah labels 1\nS0\t-\tvrf\t1\tred", ST_OK, 1 },
		{ "# tussah labels 1\nS0\t-\tof later\t1\tred\nS0\t-\tvrf\t1\tx\n", ST_OK, 1 },
		{ "# tussah labels 2\n", ST_EFORMAT, 0 },
		{ "S0\t-\tvrf\t1\tred\n", ST_EFORMAT, 0 },
		{ "# tussah labels 1\nS0\t-\tvrf\t1\n", ST_EFORMAT, 0 },
		{ "# tussah labels 1\nS0\t-\tvrf\t-1\tred\n", ST_EFORMAT, 0 },
		{ "# tussah labels 1\nS0\t-\tvrf\t1x\tred\n", ST_EFORMAT, 0 },
		{ "# tussah labels 1\nS0\t-\tvrf\t18446744073709551616\tred\n", ST_EFORMAT, 0 },
		{ "# tussah labels 1\n\t-\tvrf\t1\tred\n", ST_EFORMAT, 0 },
	};
	char *root = new_root("damaged");
	char *path = g_build_filename(root, LABELS_FILE, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		struct labels *labels = NULL;
		struct err err = { 0 };

		unit_at("%zu: %s", i, files[i].text);
		CU_ASSERT_TRUE(g_file_set_contents(path, files[i].text, -1, NULL));
		CU_ASSERT_EQUAL(labels_load(&labels, root, &err), files[i].status);
		UNIT_ASSERT_U64(labels ? labels_count(labels) : 0, files[i].count);
		CU_ASSERT_EQUAL(strstr(err.text, path) != NULL, files[i].status != ST_OK);
		labels_free(labels);
		/* a file that cannot be understood is not written over */
		labels = labels_new();
		set(labels, "S9", "-", LABEL_VRF, 9, "mine");
		CU_ASSERT_EQUAL(labels_save(labels, root, &err), files[i].status);
		labels_free(labels);
	}
	g_free(path);
	g_free(root);
}

static void test_application_id(void)
{
	static const uint8_t nbar[] = { 13, 0, 1, 0xc5 };
	static const uint8_t wide[] = { 20, 9, 9, 1, 2, 3, 4, 5, 6, 7 };

	UNIT_ASSERT_U64(label_application_id(nbar, 0), 0);
	UNIT_ASSERT_U64(label_application_id(nbar, 1), UINT64_C(13) << 56);
	UNIT_ASSERT_U64(label_application_id(nbar, sizeof(nbar)), UINT64_C(13) << 56 | 453);
	UNIT_ASSERT_U64(label_application_id(wide, sizeof(wide)),
			UINT64_C(20) << 56 | UINT64_C(0x01020304050607));
}

static const struct unit_case cases[] = {
	{ "find", test_find },
	{ "hostile names", test_hostile },
	{ "save and merge", test_save },
	{ "unchanged is not written", test_unchanged_is_not_written },
	{ "damaged files", test_damaged },
	{ "application ids", test_application_id },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("labels", cases);
}

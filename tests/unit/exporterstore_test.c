/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporterstore.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void test_there_and_back(void)
{
	const struct exporterstore_head head = { .journal_id = { 9, 8, 7 }, .position = 4711 };
	char *folder = g_build_filename(unit_scratch(), "back", NULL);
	char *path = g_build_filename(folder, EXPORTERSTORE_FILE, NULL);
	GByteArray *state = g_byte_array_new();
	struct exporterstore_head back;
	GByteArray *read = NULL;
	char *bytes = NULL;
	gsize len = 0;

	CU_ASSERT_EQUAL(g_mkdir(folder, 0755), 0);
	CU_ASSERT_EQUAL(exporterstore_read(folder, &back, &read, NULL), ST_ENOENT);
	CU_ASSERT_EQUAL(exporterstore_write(folder, &head, state, NULL), ST_OK);
	g_byte_array_append(state, (const guint8 *)"what they said", 14);
	CU_ASSERT_EQUAL(exporterstore_write(folder, &head, state, NULL), ST_OK);
	CU_ASSERT_EQUAL(exporterstore_read(folder, &back, &read, NULL), ST_OK);
	CU_ASSERT_EQUAL(memcmp(&back, &head, sizeof(head)), 0);
	UNIT_ASSERT_U64(read->len, 14);
	CU_ASSERT_EQUAL(memcmp(read->data, state->data, 14), 0);
	g_byte_array_free(read, TRUE);

	/* any other byte, or one fewer, is noticed */
	CU_ASSERT(g_file_get_contents(path, &bytes, &len, NULL));
	for (gsize i = 0; i < len; i++) {
		unit_at("byte %zu", i);
		bytes[i] ^= 1;
		CU_ASSERT(g_file_set_contents(path, bytes, (gssize)len, NULL));
		CU_ASSERT_EQUAL(exporterstore_read(folder, &back, &read, NULL), ST_EFORMAT);
		bytes[i] ^= 1;
		CU_ASSERT(g_file_set_contents(path, bytes, (gssize)i, NULL));
		CU_ASSERT_EQUAL(exporterstore_read(folder, &back, &read, NULL), ST_EFORMAT);
	}
	CU_ASSERT_EQUAL(exporterstore_write("/nonexistent", &head, state, NULL), ST_ENOENT);
	g_byte_array_free(state, TRUE);
	g_free(bytes);
	g_free(path);
	g_free(folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "there and back", test_there_and_back },
		{ NULL, NULL },
	};

	return unit_run("exporterstore", cases);
}

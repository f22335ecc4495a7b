/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/spool.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct spool *open_spool(const char *directory)
{
	const struct spool_opts opts = { .directory = directory,
					 .max_bytes = 1 << 20,
					 .sync_interval_ms = 5 };
	struct spool *spool = NULL;

	CU_ASSERT_EQUAL_FATAL(spool_open(&spool, &opts, NULL, NULL), ST_OK);
	return spool;
}

/* Wait for the sync. */
static int next(struct spool *spool, struct spool_message *message)
{
	int rc = ST_END;

	for (int i = 0; i < 2000 && rc == ST_END && !spool_is_empty(spool); i++) {
		rc = spool_next(spool, message, NULL);
		if (rc == ST_END) {
			g_usleep(5000);
		}
	}
	return rc;
}

/* Two lives with templates of their own; the second reads both. */
static void test_lives(void)
{
	char *directory = g_strdup_printf("%s/spool", unit_scratch());
	const uint8_t bytes[40] = "message of forty bytes";
	struct spool *spool = open_spool(directory);
	struct spool_message message;
	uint8_t id[JOURNAL_ID_BYTES];
	uint8_t *templates;
	size_t len;

	memcpy(id, spool_id(spool), sizeof(id));
	CU_ASSERT(spool_is_empty(spool));
	CU_ASSERT_EQUAL(spool_add_template(spool, "templates 1 .......", 20, NULL), ST_OK);
	CU_ASSERT_EQUAL(spool_append(spool, bytes, 40, 3, NULL), ST_OK);
	CU_ASSERT_EQUAL(spool_append(spool, bytes, 30, 4, NULL), ST_OK);
	CU_ASSERT_EQUAL(spool_close(spool, NULL), ST_OK);

	spool = open_spool(directory);
	CU_ASSERT_EQUAL(memcmp(id, spool_id(spool), sizeof(id)), 0);
	CU_ASSERT_EQUAL(spool_add_template(spool, "templates 2 .......", 20, NULL), ST_OK);
	CU_ASSERT_EQUAL(spool_add_template(spool, "and more of them ..", 20, NULL), ST_OK);
	CU_ASSERT_EQUAL(spool_append(spool, bytes, 20, 5, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(next(spool, &message), ST_OK);
	UNIT_ASSERT_U64(message.position, 1);
	UNIT_ASSERT_U64(message.epoch, 1);
	UNIT_ASSERT_U64(message.records, 3);
	UNIT_ASSERT_U64(message.len, 40);
	CU_ASSERT_EQUAL(memcmp(message.bytes, bytes, 40), 0);
	templates = spool_templates(spool, 1, &len);
	CU_ASSERT(templates != NULL && len == 20 && memcmp(templates, "templates 1", 11) == 0);
	g_free(templates);
	CU_ASSERT_EQUAL_FATAL(next(spool, &message), ST_OK);
	CU_ASSERT_EQUAL_FATAL(next(spool, &message), ST_OK);
	UNIT_ASSERT_U64(message.position, 3);
	UNIT_ASSERT_U64(message.epoch, 3);
	spool_forget_before(spool, 3);
	templates = spool_templates(spool, 1, &len);
	CU_ASSERT_PTR_NULL(templates);
	templates = spool_templates(spool, 3, &len);
	CU_ASSERT(templates != NULL && len == 40);
	g_free(templates);
	CU_ASSERT_EQUAL(spool_release(spool, 3, NULL), ST_OK);
	CU_ASSERT(spool_is_empty(spool));
	UNIT_ASSERT_U64(spool_lost(spool), 0);
	CU_ASSERT_EQUAL(spool_close(spool, NULL), ST_OK);
	g_free(directory);
}

static void test_bounds(void)
{
	char *directory = g_strdup_printf("%s/full", unit_scratch());
	struct spool *spool = open_spool(directory);
	uint8_t *bytes = g_malloc0(60000);
	uint64_t appended = 0;

	CU_ASSERT_EQUAL(spool_add_template(spool, bytes, 3, NULL), ST_ELIMIT);
	CU_ASSERT_EQUAL(spool_add_template(spool, bytes, SPOOL_TEMPLATES_MAX + 1, NULL), ST_ELIMIT);
	while (appended < 1000 && spool_append(spool, bytes, 60000, 1, NULL) == ST_OK) {
		appended++;
	}
	CU_ASSERT(appended >= 14 && appended <= 17);
	CU_ASSERT_EQUAL(spool_close(spool, NULL), ST_OK);
	g_free(bytes);
	g_free(directory);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "lives", test_lives },
		{ "bounds", test_bounds },
		{ NULL, NULL },
	};

	return unit_run("spool", cases);
}

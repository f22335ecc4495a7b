/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/logstats.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

#include "query/tool.h"

#define LAYOUT "v0001" /* of the arguments */

/* What is wrong with it as a program, or NULL. */
static const char *find_fault(const char *program)
{
	if (!strchr(program, '/')) {
		return "the name has no slash";
	}
	if (!g_file_test(program, G_FILE_TEST_IS_REGULAR)) {
		return "no such file";
	}
	return g_file_test(program, G_FILE_TEST_IS_EXECUTABLE) ? NULL : "not a program";
}

static void add_number(GPtrArray *words, uint64_t number)
{
	g_ptr_array_add(words, g_strdup_printf("%" PRIu64, number));
}

static void start(const char *program, const struct logstats *stats, char *const *argv)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	GError *error = NULL;

	g_ptr_array_add(words, g_strdup(program));
	g_ptr_array_add(words, g_strdup("rwfilter"));
	g_ptr_array_add(words, g_strdup(LAYOUT));
	add_number(words, (uint64_t)stats->start_s);
	add_number(words, (uint64_t)(g_get_real_time() / G_USEC_PER_SEC));
	add_number(words, stats->files);
	add_number(words, stats->records_read);
	add_number(words, stats->records_written);
	for (; *argv; argv++) {
		g_ptr_array_add(words, g_strdup(*argv));
	}
	g_ptr_array_add(words, NULL);
	if (!g_spawn_async(NULL, (char **)words->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
			   &error)) {
		tool_warn("SILK_LOGSTATS: %s", error->message);
		g_error_free(error);
	}
	g_ptr_array_free(words, TRUE);
}

void logstats_tell(const struct logstats *stats, char *const *argv)
{
	const char *program =
		tool_getenv(tool_has_env("SILK_LOGSTATS_RWFILTER") ? "SILK_LOGSTATS_RWFILTER"
								   : "SILK_LOGSTATS");
	const char *fault = program ? find_fault(program) : NULL;

	if (fault && tool_getenv("SILK_LOGSTATS_DEBUG")) {
		tool_warn("SILK_LOGSTATS: %s: %s", program, fault);
	}
	if (program && !fault) {
		start(program, stats, argv);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/notelog.h"

#include <glib.h>
#include <string.h>

#include "common/log.h"
#include "packer/probe.h"
#include "tests/unit/unit.h"

static void test_wanted(void)
{
	const unsigned always = 1U << DECODER_NOTE_UNSUPPORTED | 1U << DECODER_NOTE_CLOCK;
	static const struct {
		const char *name;
		unsigned log_flags;
		unsigned wanted;
	} rows[] = {
		{ "none", 0, 0 },
		{ "bad", PROBE_LOG_BAD, 1U << DECODER_NOTE_BAD },
		{ "missing", PROBE_LOG_MISSING, 1U << DECODER_NOTE_MISSING },
		{ "firewall-event", PROBE_LOG_FIREWALL_EVENT, 1U << DECODER_NOTE_FIREWALL },
		{ "default", PROBE_LOG_DEFAULT,
		  1U << DECODER_NOTE_BAD | 1U << DECODER_NOTE_MISSING |
			  1U << DECODER_NOTE_SAMPLING },
		{ "all", PROBE_LOG_ALL, (1U << DECODER_NOTES) - 1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		unit_at("%s", rows[i].name);
		UNIT_ASSERT_U64(notelog_wanted(rows[i].log_flags), rows[i].wanted | always);
	}
}

static unsigned count_lines(const char *text, const char *line)
{
	unsigned count = 0;

	for (const char *at = strstr(text, line); at; at = strstr(at + 1, line)) {
		count++;
	}
	return count;
}

/* A flood of one kind at one probe is cut, another kind and another probe are still heard. */
static void test_limit(void)
{
	char *path = g_build_filename(unit_scratch(), "notes.log", NULL);
	const struct log_opts opts = { .pathname = path, .level = (char *)"notice" };
	struct notelog *notes = notelog_new();
	char *text = NULL;
	struct err err;

	CU_ASSERT_EQUAL(log_open(&opts, "prog", NULL, &err), ST_OK);
	for (int i = 0; i < 5000; i++) {
		notelog_write(notes, "P", DECODER_NOTE_BAD, "bad record");
	}
	notelog_write(notes, "Q", DECODER_NOTE_BAD, "bad record");
	notelog_write(notes, "Q", DECODER_NOTE_UNSUPPORTED, "version 8");
	notelog_write(notes, "Q", DECODER_NOTE_TEMPLATES, "below the level");
	log_close();
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	/* one more if a minute ends meanwhile */
	CU_ASSERT_TRUE(count_lines(text, ": 'P': bad record") >= 60);
	CU_ASSERT_TRUE(count_lines(text, ": 'P': bad record") <= 61);
	UNIT_ASSERT_U64(count_lines(text, ": 'Q': bad record\n"), 1);
	UNIT_ASSERT_U64(count_lines(text, ": 'Q': version 8\n"), 1);
	UNIT_ASSERT_U64(count_lines(text, "below the level"), 0);
	g_free(text);
	g_free(path);
	notelog_free(notes);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "log-flags", test_wanted },
		{ "too many lines", test_limit },
		{ NULL, NULL },
	};

	return unit_run("notelog", cases);
}

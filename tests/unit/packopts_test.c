/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packopts.h"

#include <glib.h>

#include "tests/unit/unit.h"

static void hear(void *arg, const char *text)
{
	g_string_append_printf(arg, "%s|", text);
}

static void test_combinations(void)
{
	static const struct {
		const char *line;
		const char *complaints;
	} cases[] = {
		{ "--sensor-conf=a --root-directory=/tmp", "" },
		{ "--input-mode=stream --output-mode=local-storage --sensor-conf=a --root=/tmp "
		  "--archive-directory=/tmp --post-archive-command=%s",
		  "" },
		{ "", "The --sensor-configuration switch is required in Stream Input Mode|"
		      "The --root-directory switch is required in Local-Storage Output Mode|" },
		{ "--root-directory=/tmp --sensor-conf=a --netflow-file=x --sender-directory=/tmp",
		  "The --netflow-file switch is illegal in Stream Input Mode|"
		  "The --sender-directory switch is illegal in Local-Storage Output Mode|" },
		{ "--input-mode=foo", "Invalid input-mode 'foo'|" },
		{ "--input-mode=respool --output-mode=sending",
		  "input-mode 'respool' is not supported yet|"
		  "output-mode 'sending' is not supported yet|" },
		{ "--root-directory=/tmp --sensor-conf=a --post-archive-command=%x",
		  "Invalid post-archive-command '%x': Unknown conversion '%x'|"
		  "The --post-archive-command switch is only allowed when --archive-directory is "
		  "specified|" },
		{ "--verify-sensor-config --sensor-conf=a", "" },
		{ "--verify-sensor-config",
		  "The --sensor-configuration switch is required in Stream Input Mode|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct packopts opts = packopts_default;
		char **argv;
		char *line = g_strconcat("rwflowpack ", cases[i].line, NULL);
		struct opt_result result = { 0 };
		GString *heard = g_string_new(NULL);
		struct err err;

		unit_at("%s", cases[i].line);
		argv = g_strsplit(g_strstrip(line), " ", -1);
		if (opt_parse(packopts_table, &opts, (int)g_strv_length(argv), argv, &result,
			      &err) != ST_OK) {
			UNIT_ASSERT_STR(err.text, "");
		}
		packopts_check(&opts, hear, heard);
		UNIT_ASSERT_STR(heard->str, cases[i].complaints);
		g_string_free(heard, TRUE);
		g_free(result.args);
		g_strfreev(argv);
		g_free(line);
	}
}

static void test_values(void)
{
	static const struct {
		const char *option;
		const char *value;
		const char *message;
	} cases[] = {
		{ "root-directory", "/nonexistent",
		  "Invalid root-directory: Nonexistent path '/nonexistent'" },
		{ "root-directory", ".",
		  "Invalid root-directory: Must use complete path ('.' does not begin with "
		  "slash)" },
		{ "flush-timeout", "0", "Invalid flush-timeout '0': Value is below minimum of 1" },
		{ "file-cache-size", "3",
		  "Invalid file-cache-size '3': Value is below minimum of 4" },
		{ "byte-order", "x", "Cannot parse byte-order value 'x'" },
		{ "compression-method", "foo",
		  "Invalid compression-method 'foo': Value does not match any known method" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct packopts opts = packopts_default;
		struct err err;

		unit_at("%s=%s", cases[i].option, cases[i].value);
		CU_ASSERT_EQUAL(
			opt_set(packopts_table, &opts, cases[i].option, cases[i].value, &err),
			ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].message);
	}
}

static void test_table(void)
{
	struct err err;

	if (opt_check(packopts_table, &err) != ST_OK) {
		UNIT_ASSERT_STR(err.text, "");
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "which switches go together", test_combinations },
		{ "values", test_values },
		{ "table", test_table },
		{ NULL, NULL },
	};

	return unit_run("packopts", cases);
}

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
		{ "--input-mode=Stream --output-mode=send",
		  "Invalid input-mode 'Stream'|Invalid output-mode 'send'|" },
		{ "--input-mode=respool --output-mode=sending",
		  "The --incoming-directory switch is required in Respool SiLK Files Input Mode|"
		  "The --incremental-directory switch is required in Sending Output Mode|"
		  "The --sender-directory switch is required in Sending Output Mode|" },
		{ "--input-mode=respool --incoming-directory=/tmp --root-directory=/tmp "
		  "--sensor-conf=a --packing-logic=b --sensor-name=c --netflow-file=d",
		  "The --sensor-configuration switch is illegal in Respool SiLK Files Input Mode|"
		  "The --packing-logic switch is illegal in Respool SiLK Files Input Mode|"
		  "The --sensor-name switch is illegal in Respool SiLK Files Input Mode|"
		  "The --netflow-file switch is illegal in Respool SiLK Files Input Mode|" },
		{ "--input-mode=pdufile --output-mode=incremental-files --polling-interval=3 "
		  "--root-directory=/tmp --sensor-conf=a",
		  "The --netflow-file switch is required in PDU-File Input Mode|"
		  "The --root-directory switch is illegal in Incremental-Files Output Mode|"
		  "The --incremental-directory switch is required in Incremental-Files Output Mode|"
		  "The --polling-interval switch is illegal in PDU-File Input Mode|" },
		{ "--input-mode=fcfiles --incoming-directory=/tmp --root-directory=/tmp "
		  "--sensor-conf=a --compression-method=zlib",
		  "" },
		{ "--input-mode=fcfiles --incoming-directory=/tmp --root-directory=/tmp "
		  "--sensor-conf=a --compression-method=snappy",
		  "" },
		{ "--input-mode=fcfiles --incoming-directory=/tmp --sensor-conf=a "
		  "--output-mode=incremental-files --incremental-directory=/tmp "
		  "--compression-method=zstd",
		  "The --compression-method is not one of SiLK files|" },
		{ "--input-mode=fcfiles --incoming-directory=/tmp --sensor-conf=a "
		  "--output-mode=incremental-files --incremental-directory=/tmp "
		  "--compression-method=zlib",
		  "" },
		{ "--root-directory=/tmp --sensor-conf=a --post-archive-command=%x",
		  "Invalid post-archive-command '%x': Unknown conversion '%x'|"
		  "The --archive-directory switch is required when using --post-archive-command|" },
		{ "--verify-sensor-config --sensor-conf=a", "" },
		{ "--verify-sensor-config", "The --sensor-configuration switch is required|" },
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

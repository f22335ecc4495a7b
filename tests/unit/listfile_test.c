/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/listfile.h"

#include <glib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void add_name(void *arg, const char *text)
{
	g_string_append_printf(arg, "[%s]", text);
}

static void add_error(void *arg, const char *text)
{
	g_string_append_printf(arg, "{%s}", text);
}

#define RULE "After the initial '@', only the '@@' and '@,' sequences are allowed"

static void test_lists(void)
{
	static const struct {
		const char *text;
		const char *result;
	} cases[] = {
		{ "", "" },
		{ ",,", "" },
		{ "a", "[a]" },
		{ "a,,b,", "[a][b]" },
		{ " a , b", "[ a ][ b]" },
		{ "a@b,@", "[a@b][@]" },
		{ "@names,z", "[in][out][x y][z]" },
		{ "@e@@@,x", "[q]" },
		{ "@nope,z", "{Error opening file 'nope': No such file or directory}[z]" },
		{ "@s@x,z", "{Token '@s@x' contains illegal sequence '@x': " RULE "}[z]" },
		{ "@s@", "{Token '@s@' contains a single @ at end of token: " RULE "}" },
		{ "@again,z", "[a]{Bad token '@names' found in file 'again': May not recursively "
			      "use @FILE construct within a file}[z]" },
		{ "@empty", "" },
	};

	CU_ASSERT_EQUAL_FATAL(chdir(unit_scratch()), 0);
	g_file_set_contents("names", "# first\n in,  out ,,  # two\n\n x y\r\n", -1, NULL);
	g_file_set_contents("e@,x", "q", -1, NULL);
	g_file_set_contents("again", "a\n@names\nb\n", -1, NULL);
	g_file_set_contents("empty", "", -1, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *result = g_string_new(NULL);

		unit_at("%s", cases[i].text);
		listfile_each(cases[i].text, add_name, add_error, result);
		UNIT_ASSERT_STR(result->str, cases[i].result);
		g_string_free(result, TRUE);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "lists and files of names", test_lists },
		{ NULL, NULL },
	};

	return unit_run("listfile", cases);
}

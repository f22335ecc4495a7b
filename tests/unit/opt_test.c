/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/opt.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>

#include "tests/unit/unit.h"

struct inner_opts {
	char *sport;
	bool sip;
};

struct test_opts {
	bool no_titles;
	bool no_columns;
	char *fields;
	GPtrArray *inputs;
	struct opt_optstr delimited;
	uint64_t num_recs;
	double bin_size;
	uint64_t buffer;
	uint64_t timeout;
	int method;
	int calls;
	struct inner_opts inner;
};

static int parse_call(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (text && strcmp(text, "bad") == 0) {
		return err_set(err, ST_EINVAL, "it is bad");
	}
	*(int *)dest += (int)opt->tag;
	return ST_OK;
}

static const char *const methods[] = { "none", "zlib", "lzo1x", "lzo", NULL };

static const struct opt inner_table[] = {
	OPT_STR(struct inner_opts, sport, "sport", 'p', "PORT", "port of the source"),
	OPT_FLAG(struct inner_opts, sip, "sip", 0, "address of the source"),
	OPT_END,
};

static const struct opt test_table[] = {
	OPT_FLAG(struct test_opts, no_titles, "no-titles", 'v', "print no title line"),
	OPT_FLAG(struct test_opts, no_columns, "no-columns", 0, "print no padding"),
	OPT_STR(struct test_opts, fields, "fields", 'f', "LIST", "columns", .flags = OPT_ONCE),
	OPT_STR(struct test_opts, fields, "columns", 0, "LIST", "the same as --fields",
		.flags = OPT_ONCE | OPT_HIDDEN),
	OPT_STRS(struct test_opts, inputs, "input", 0, "FILE", "a file to read"),
	OPT_OPTSTR(struct test_opts, delimited, "delimited", 'd', "C", "print delimited",
		   .default_text = "|"),
	OPT_U64(struct test_opts, num_recs, "num-recs", 'n', "N", 1, 100, "stop after N records"),
	OPT_REAL(struct test_opts, bin_size, "bin-size", 0, "S", 0, 10, "seconds in a bin"),
	OPT_SIZE(struct test_opts, buffer, "buffer", 0, "SIZE", 0, UINT64_MAX, "bytes to sort in"),
	OPT_DURATION(struct test_opts, timeout, "timeout", 0, "TIME", 1000000000, 60000000000,
		     "how long to wait"),
	OPT_CHOICE(struct test_opts, method, "method", 0, "NAME", methods, "how to compress"),
	OPT_CALL(struct test_opts, calls, "add", 0, "X", parse_call, 0, "add one", .tag = 1),
	OPT_CALL(struct test_opts, calls, "added", 0, "X", parse_call, OPT_HIDDEN, "add one",
		 .tag = 1),
	OPT_CALL(struct test_opts, calls, "bump", 0, "X", parse_call, OPT_ARG_OPTIONAL, "add two",
		 .tag = 2),
	OPT_CALL(struct test_opts, calls, "tick", 0, NULL, parse_call, OPT_ARG_NONE | OPT_OWN_ERROR,
		 "add three", .tag = 3),
	OPT_GROUP(struct test_opts, inner, inner_table),
	OPT_END,
};

/* Parse a command line of words separated by '/'. Returns the status. */
static int parse(const char *line, struct test_opts *opts, struct opt_result *result,
		 struct err *err)
{
	static char *argv[32];
	static char text[512];
	int argc = 1;

	memset(opts, 0, sizeof(*opts));
	memset(result, 0, sizeof(*result));
	g_strlcpy(text, line, sizeof(text));
	argv[0] = (char *)"test";
	for (char *save, *word = strtok_r(text, "/", &save); word;
	     word = strtok_r(NULL, "/", &save)) {
		argv[argc++] = word;
	}
	return opt_parse(test_table, opts, argc, argv, result, err);
}

static void test_errors(void)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "--foo", "unrecognized option '--foo'" },
		{ "--foo=3", "unrecognized option '--foo=3'" },
		{ "-q", "unrecognized option '-q'" },
		{ "---x", "unrecognized option '---x'" },
		{ "--s", "option '--s' is ambiguous; possibilities: '--sport' '--sip'" },
		{ "-s=1", "option '-s=1' is ambiguous; possibilities: '-sport' '-sip'" },
		{ "--no",
		  "option '--no' is ambiguous; possibilities: '--no-titles' '--no-columns'" },
		{ "--fields", "option '--fields' requires an argument" },
		{ "--fi", "option '--fields' requires an argument" },
		{ "-field", "option '-fields' requires an argument" },
		{ "--no-titles=1", "option '--no-titles' doesn't allow an argument" },
		{ "--sip=1", "option '--sip' doesn't allow an argument" },
		{ "-vq", "invalid option -- 'q'" },
		{ "-n", "option requires an argument -- 'n'" },
		{ "--num-recs=abc", "Invalid num-recs 'abc': Unexpected character 'a'" },
		{ "--num-recs=0", "Invalid num-recs '0': Value is below minimum of 1" },
		{ "--num-recs=101", "Invalid num-recs '101': Value is above maximum of 100" },
		{ "--num-recs=1x", "Invalid num-recs '1x': Extra text follows value" },
		{ "--fields=1/--fields=2", "Invalid fields: Switch used multiple times" },
		{ "--fields=1/--columns=2", "Invalid columns: Switch used multiple times" },
		{ "--method=x",
		  "Invalid method 'x': Unrecognized value (choices: none, zlib, lzo1x, lzo)" },
		{ "--method=l",
		  "Invalid method 'l': Value is ambiguous (choices: none, zlib, lzo1x, lzo)" },
		{ "--timeout=0.5",
		  "Invalid timeout '0.5': Value is below minimum of 1.000 seconds" },
		{ "--add=bad", "Invalid add 'bad': it is bad" },
		{ "--tick=bad", "option '--tick' doesn't allow an argument" },
		{ "--dump", "unrecognized option '--dump'; did you mean '--bump'?" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct test_opts opts;
		struct opt_result result;
		struct err err = { 0 };

		unit_at("%s", cases[i].line);
		CU_ASSERT_EQUAL(parse(cases[i].line, &opts, &result, &err), ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].text);
	}
}

static void test_values(void)
{
	struct test_opts opts;
	struct opt_result result;
	struct err err = { 0 };

	CU_ASSERT_EQUAL(
		parse("a/--no-t/--fields/x/-n5/--bin=0.5/b/--buf=1.5k/--time=1m/--method=lzo"
		      "/--input=f1/--input/f2/--sport=80/-/--/--sip",
		      &opts, &result, &err),
		ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	CU_ASSERT(opts.no_titles && !opts.no_columns);
	UNIT_ASSERT_STR(opts.fields, "x");
	UNIT_ASSERT_U64(opts.num_recs, 5);
	CU_ASSERT_EQUAL(opts.bin_size, 0.5);
	UNIT_ASSERT_U64(opts.buffer, 1536);
	UNIT_ASSERT_U64(opts.timeout, UINT64_C(60000000000));
	UNIT_ASSERT_U64(opts.method, 3);
	UNIT_ASSERT_U64(opts.inputs->len, 2);
	UNIT_ASSERT_STR(g_ptr_array_index(opts.inputs, 1), "f2");
	UNIT_ASSERT_STR(opts.inner.sport, "80");
	CU_ASSERT(!opts.inner.sip);
	UNIT_ASSERT_U64(result.action, OPT_RUN);
	UNIT_ASSERT_U64(result.nargs, 4);
	UNIT_ASSERT_STR(result.args[0], "a");
	UNIT_ASSERT_STR(result.args[1], "b");
	UNIT_ASSERT_STR(result.args[2], "-");
	UNIT_ASSERT_STR(result.args[3], "--sip");
	CU_ASSERT_PTR_NULL(result.args[4]);
	g_ptr_array_free(opts.inputs, TRUE);
	g_free(result.args);
}

static void test_forms(void)
{
	static const struct {
		const char *line;
		const char *fields;
		const char *delimited;
		bool delimited_given;
		bool no_titles;
		int calls;
		int nargs;
	} cases[] = {
		{ "-f/x", "x", NULL, false, false, 0, 0 },
		{ "-fx", "x", NULL, false, false, 0, 0 },
		{ "-vfx", "x", NULL, false, true, 0, 0 },
		{ "-v/-fields=x", "x", NULL, false, true, 0, 0 },
		{ "--fields=", "", NULL, false, false, 0, 0 },
		{ "--fields/--no-titles", "--no-titles", NULL, false, false, 0, 0 },
		{ "--fields=a=b", "a=b", NULL, false, false, 0, 0 },
		{ "--delimited/,", NULL, NULL, true, false, 0, 1 },
		{ "--delim=,", NULL, ",", true, false, 0, 0 },
		{ "-d,", NULL, ",", true, false, 0, 0 },
		{ "-d", NULL, NULL, true, false, 0, 0 },
		{ "-delim", NULL, NULL, true, false, 0, 0 },
		{ "--add=1/--added=1/--bump/--bump=x/--tick", NULL, NULL, false, false, 9, 0 },
		{ "--ad=1", NULL, NULL, false, false, 1, 0 },
		{ "a/--/-v", NULL, NULL, false, false, 0, 2 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct test_opts opts;
		struct opt_result result;
		struct err err = { 0 };

		unit_at("%s", cases[i].line);
		CU_ASSERT_EQUAL(parse(cases[i].line, &opts, &result, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		CU_ASSERT_EQUAL(g_strcmp0(opts.fields, cases[i].fields), 0);
		CU_ASSERT_EQUAL(g_strcmp0(opts.delimited.text, cases[i].delimited), 0);
		CU_ASSERT_EQUAL(opts.delimited.given, cases[i].delimited_given);
		CU_ASSERT_EQUAL(opts.no_titles, cases[i].no_titles);
		CU_ASSERT_EQUAL(opts.calls, cases[i].calls);
		CU_ASSERT_EQUAL(result.nargs, cases[i].nargs);
		g_free(result.args);
	}
}

static void test_builtin(void)
{
	static const struct {
		const char *line;
		enum opt_action action;
	} cases[] = {
		{ "--help", OPT_HELP },
		{ "--he", OPT_HELP },
		{ "-h", OPT_HELP },
		{ "--version", OPT_VERSION },
		{ "-ver", OPT_VERSION },
		{ "--dump-options", OPT_DUMP_OPTIONS },
		{ "--help/--nonsense", OPT_HELP },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct test_opts opts;
		struct opt_result result;

		unit_at("%s", cases[i].line);
		CU_ASSERT_EQUAL(parse(cases[i].line, &opts, &result, NULL), ST_OK);
		CU_ASSERT_EQUAL(result.action, cases[i].action);
		g_free(result.args);
	}
}

static void test_permutes_argv(void)
{
	char words[][12] = { "test", "a", "--fields", "x", "b", "-v", "--", "c" };
	static const char *const expected[] = {
		"test", "--fields", "x", "-v", "--", "a", "b", "c"
	};
	char *argv[G_N_ELEMENTS(words)];
	struct test_opts opts = { 0 };
	struct opt_result result;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		argv[i] = words[i];
	}
	CU_ASSERT_EQUAL(opt_parse(test_table, &opts, G_N_ELEMENTS(words), argv, &result, NULL),
			ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		UNIT_ASSERT_STR(argv[i], expected[i]);
	}
	g_free(result.args);
}

static void test_set(void)
{
	struct test_opts opts = { 0 };
	struct err err;

	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "num-recs", "7", &err), ST_OK);
	UNIT_ASSERT_U64(opts.num_recs, 7);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "no-titles", NULL, &err), ST_OK);
	CU_ASSERT(opts.no_titles);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "no-titles", "no", &err), ST_OK);
	CU_ASSERT(!opts.no_titles);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "sport", "80", &err), ST_OK);
	UNIT_ASSERT_STR(opts.inner.sport, "80");
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "tick", "true", &err), ST_OK);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "tick", "false", &err), ST_OK);
	CU_ASSERT_EQUAL(opts.calls, 3);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "num", "7", &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "unrecognized option 'num'");
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "help", NULL, &err), ST_EINVAL);
	CU_ASSERT_EQUAL(opt_set(test_table, &opts, "sport", NULL, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "option 'sport' requires an argument");
}

static void test_read_file(void)
{
	static const struct {
		const char *content;
		const char *reason; /* NULL: read */
	} cases[] = {
		{ "[x]\nnum-recs = 7\nno-titles=true\n", NULL },
		{ "[x]\nnum-recs = 700\n",
		  "Invalid num-recs '700': Value is above maximum of 100" },
		{ "[x]\nnum-rec = 7\n", "unrecognized option 'num-rec'" },
		{ "[x]\nno-titles = maybe\n", "Invalid no-titles 'maybe': Must be true or false" },
		{ "[y]\nnum-recs = 7\n", "Key file does not have group" },
		{ "num-recs = 7\n", "Key file does not start with a group" },
	};
	char *path = g_build_filename(unit_scratch(), "conf", NULL);
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct test_opts opts = { 0 };

		unit_at("%s", cases[i].content);
		CU_ASSERT(g_file_set_contents(path, cases[i].content, -1, NULL));
		if (!cases[i].reason) {
			CU_ASSERT_EQUAL(opt_read_file(test_table, &opts, path, "x", &err), ST_OK);
			UNIT_ASSERT_U64(opts.num_recs, 7);
			CU_ASSERT(opts.no_titles);
		} else {
			CU_ASSERT_EQUAL(opt_read_file(test_table, &opts, path, "x", &err),
					ST_EINVAL);
			CU_ASSERT(strncmp(err.text, path, strlen(path)) == 0);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].reason));
		}
	}
	CU_ASSERT_EQUAL(opt_read_file(test_table, NULL, "/nonexistent", "x", &err), ST_EIO);
	g_free(path);
}

static void test_help_and_dump(void)
{
	static const struct opt table[] = {
		OPT_STR(struct test_opts, fields, "fields", 'f', "LIST",
			"print these columns, in the order of the list, which is one of names and "
			"numbers"),
		OPT_OPTSTR(struct test_opts, delimited, "delimited", 0, "C", "print delimited",
			   .default_text = "|"),
		OPT_CHOICE(struct test_opts, method, "method", 0, "NAME", methods, "compress"),
		OPT_FLAG(struct test_opts, no_titles, "old", 0, "alias", .flags = OPT_HIDDEN),
		OPT_END,
	};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	opt_help(table, NULL, out);
	opt_dump(table, out);
	fclose(out);
	UNIT_ASSERT_STR(
		text,
		"--help No Arg. Print this help and exit.\n"
		"--version No Arg. Print the version and exit.\n"
		"-f, --fields=LIST Req Arg. Print these columns, in the order of the list, which\n"
		"\tis one of names and numbers.\n"
		"--delimited[=C] Opt Arg. Print delimited. Def. |\n"
		"--method=NAME Req Arg. Compress. Choices: none, zlib, lzo1x, lzo.\n"
		"help\t-\t-\t-\tprint this help and exit\n"
		"version\t-\t-\t-\tprint the version and exit\n"
		"fields\tf\tLIST\t-\tprint these columns, in the order of the list, which is one of"
		" names and numbers\n"
		"delimited\t-\t[C]\t|\tprint delimited\n"
		"method\t-\tNAME\t-\tcompress: none, zlib, lzo1x, lzo\n");
	free(text);
}

static void test_check(void)
{
	static const struct opt bad_tables[][3] = {
		{ OPT_FLAG(struct test_opts, no_titles, "help", 0, "x"), OPT_END },
		{ OPT_FLAG(struct test_opts, no_titles, "a", 'a', "x"),
		  OPT_FLAG(struct test_opts, no_titles, "b", 'a', "x"), OPT_END },
		{ OPT_FLAG(struct test_opts, no_titles, "a_b", 0, "x"), OPT_END },
		{ OPT_FLAG(struct test_opts, no_titles, "a", 0, "ends in a full stop."), OPT_END },
		{ OPT_FLAG(struct test_opts, no_titles, "a", 0, NULL), OPT_END },
		{ OPT_STR(struct test_opts, fields, "a", 0, NULL, "x"), OPT_END },
		{ OPT_U64(struct test_opts, num_recs, "a", 0, "N", 2, 1, "x"), OPT_END },
		{ OPT_CALL(struct test_opts, calls, "a", 0, "N", NULL, 0, "x"), OPT_END },
		{ OPT_CHOICE(struct test_opts, method, "a", 0, "N", NULL, "x"), OPT_END },
	};
	struct err err = { 0 };

	CU_ASSERT_EQUAL(opt_check(test_table, &err), ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	for (size_t i = 0; i < G_N_ELEMENTS(bad_tables); i++) {
		unit_at("bad table %zu", i);
		CU_ASSERT_EQUAL(opt_check(bad_tables[i], NULL), ST_EINVAL);
	}
}

/* A row of ours neither makes a prefix of SiLK's ambiguous nor is out of a prefix's reach. */
static void test_added(void)
{
	static const struct opt table[] = {
		OPT_STR(struct test_opts, fields, "output-path", 0, "PATH", "where to write"),
		OPT_FLAG(struct test_opts, no_titles, "output-json", 0, "as JSON",
			 .flags = OPT_ADDED),
		OPT_END,
	};
	static char program[] = "x", path[] = "--output=y", json[] = "--output-j";
	char *argvs[][3] = { { program, path, NULL }, { program, json, NULL } };
	struct opt_result result = { 0 };
	struct test_opts opts = { 0 };
	struct err err;

	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(opt_parse(table, &opts, 2, argvs[i], &result, &err), ST_OK);
		g_free(result.args);
	}
	UNIT_ASSERT_STR(opts.fields, "y");
	CU_ASSERT_TRUE(opts.no_titles);
}

static int count_call(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	(void)opt, (void)text, (void)err;
	++*(int *)dest;
	return ST_OK;
}

/* Rows of one function are different switches that read their names; a hidden one is an alias. */
static void test_prefix_of_calls(void)
{
	static const struct opt table[] = {
		OPT_CALL(struct test_opts, calls, "flags-all", 0, "LIST", count_call, 0, "all"),
		OPT_CALL(struct test_opts, calls, "flags-first", 0, "LIST", count_call, 0, "first"),
		OPT_CALL(struct test_opts, calls, "start", 0, "TIME", count_call, 0, "start"),
		OPT_CALL(struct test_opts, calls, "start-old", 0, "TIME", count_call, OPT_HIDDEN,
			 "start"),
		OPT_CALL(struct test_opts, calls, "start-older", 0, "TIME", count_call, OPT_HIDDEN,
			 "start"),
		OPT_END,
	};
	static char program[] = "x", flags[] = "--flags=S/SA", start[] = "--start-o=1";
	char *argvs[][3] = { { program, flags, NULL }, { program, start, NULL } };
	struct opt_result result = { 0 };
	struct test_opts opts = { 0 };
	struct err err;

	CU_ASSERT_EQUAL(opt_parse(table, &opts, 2, argvs[0], &result, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "option '--flags=S/SA' is ambiguous; possibilities:"
				  " '--flags-all' '--flags-first'");
	CU_ASSERT_EQUAL(opt_parse(table, &opts, 2, argvs[1], &result, &err), ST_OK);
	g_free(result.args);
}

/* What begins "help" is that, whatever else begins so. */
static void test_prefix_of_help(void)
{
	static const struct opt table[] = {
		OPT_FLAG(struct test_opts, no_titles, "help-fields", 0, "describe each field"),
		OPT_STR(struct test_opts, fields, "hour-file-command", 0, "COMMAND", "run this"),
		OPT_END,
	};
	static char program[] = "x";
	static char words[][8] = { "-h", "--h", "--he", "--hel", "--help" };
	struct opt_result result = { 0 };
	struct test_opts opts = { 0 };
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		char *argv[] = { program, words[i], NULL };

		unit_at("%s", words[i]);
		CU_ASSERT_EQUAL(opt_parse(table, &opts, 2, argv, &result, &err), ST_OK);
		CU_ASSERT_EQUAL(result.action, OPT_HELP);
		g_free(result.args);
	}
}

/* What either parser saw, as text: "name=argument name= ... | arguments". */
static GString *seen;

static int note_switch(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	(void)dest, (void)err;
	g_string_append_printf(seen, "%s=%s ", opt->name, text ? text : "(none)");
	return ST_OK;
}

#define NOTE(name_, letter_, arg_, flags_)                                                         \
	OPT_CALL(struct test_opts, calls, name_, letter_, arg_, note_switch, flags_, "x",          \
		 .tag = __LINE__)

/* Rows that come to be as a switch is read. */
struct more_opts {
	int first; /* keeps the member away from the start */
	struct more {
		bool any;
		int calls;
	} more;
};

static int parse_make(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	((struct more *)dest)->any = true;
	return ST_OK;
}

static int parse_made(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	((struct more *)dest)->calls += (int)opt->tag;
	return ST_OK;
}

static const struct opt made_table[] = {
	{ .kind = OPT_KIND_CALL,
	  .name = "made-one",
	  .arg = "X",
	  .help = "one that is made",
	  .parse = parse_made,
	  .tag = 1 },
	{ .kind = OPT_KIND_CALL,
	  .name = "made-two",
	  .arg = "X",
	  .help = "one that is made",
	  .parse = parse_made,
	  .tag = 10 },
	OPT_END,
};

static const struct opt *made_rows(const void *member)
{
	return ((const struct more *)member)->any ? made_table : NULL;
}

static void test_more(void)
{
	static const struct opt table[] = {
		OPT_CALL(struct more_opts, more, "make", 0, NULL, parse_make, OPT_ARG_NONE,
			 "make more switches"),
		OPT_MORE(struct more_opts, more, made_rows),
		OPT_END,
	};
	static const struct {
		const char *words[4];
		int calls; /* -1: an error */
	} cases[] = {
		{ { "--made-one=1" }, -1 },
		{ { "--make", "--made-one=1" }, 1 },
		{ { "--make", "--made-t", "1", "--made-one=2" }, 11 },
		{ { "--made-one=1", "--make" }, -1 },
		{ { "--make", "--made=1" }, -1 },
	};
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *argv[6] = { (char *)"tool" };
		struct more_opts opts = { 0 };
		struct opt_result result;
		int argc = 1;
		int st;

		for (size_t k = 0; k < 4 && cases[i].words[k]; k++) {
			argv[argc++] = (char *)cases[i].words[k];
		}
		st = opt_parse(table, &opts, argc, argv, &result, &err);
		unit_at("case %zu", i);
		CU_ASSERT_EQUAL(st == ST_OK, cases[i].calls >= 0);
		if (st == ST_OK) {
			CU_ASSERT_EQUAL(opts.more.calls, cases[i].calls);
			g_free(result.args);
		}
	}
	CU_ASSERT_EQUAL(opt_check(table, &err), ST_OK);
}

static const struct opt getopt_table[] = {
	NOTE("fields", 'f', "X", 0),
	NOTE("field", 0, "X", 0),
	NOTE("num-recs", 'n', "X", 0),
	NOTE("no-titles", 0, NULL, OPT_ARG_NONE),
	NOTE("no-columns", 'c', NULL, OPT_ARG_NONE),
	NOTE("output", 'o', "X", OPT_ARG_OPTIONAL),
	NOTE("output-path", 0, "X", 0),
	NOTE("quiet", 'q', NULL, OPT_ARG_NONE),
	OPT_END,
};

/* The reference: the C library on the same switches. Its message goes to err. */
static void run_getopt(int argc, char **argv, struct err *err)
{
	struct option longs[G_N_ELEMENTS(getopt_table) + 2] = {
		{ "help", no_argument, NULL, 1 },
		{ "version", no_argument, NULL, 2 },
	};
	FILE *saved = stderr;
	char *text = NULL;
	size_t size;
	int index;
	int c;

	for (size_t i = 0; getopt_table[i].kind != OPT_KIND_END; i++) {
		unsigned flags = getopt_table[i].flags;

		longs[i + 2] = (struct option){
			getopt_table[i].name,
			flags & OPT_ARG_NONE       ? no_argument
			: flags & OPT_ARG_OPTIONAL ? optional_argument
						   : required_argument,
			NULL,
			(int)i + 1000,
		};
	}
	stderr = open_memstream(&text, &size);
	optind = 0;
	while ((c = getopt_long_only(argc, argv, "f:n:co::q", longs, &index)) != -1 && c != '?') {
		for (size_t i = 0; getopt_table[i].kind != OPT_KIND_END; i++) {
			if (c == (int)i + 1000 || c == getopt_table[i].letter) {
				g_string_append_printf(seen, "%s=%s ", getopt_table[i].name,
						       optarg ? optarg : "(none)");
			}
		}
	}
	fclose(stderr);
	stderr = saved;
	if (c == '?') {
		err_set(err, ST_EINVAL, "%.*s", (int)strcspn(text, "\n"), text);
	} else {
		g_string_append_c(seen, '|');
		for (int i = optind; i < argc; i++) {
			g_string_append_printf(seen, " %s", argv[i]);
		}
	}
	free(text);
}

static void run_ours(int argc, char **argv, struct err *err)
{
	struct opt_result result;
	struct test_opts opts = { 0 };

	if (opt_parse(getopt_table, &opts, argc, argv, &result, err) != ST_OK) {
		/* the program's name is for the caller to add */
		err_prefix(err, "test");
		return;
	}
	g_string_append_c(seen, '|');
	for (int i = 0; i < result.nargs; i++) {
		g_string_append_printf(seen, " %s", result.args[i]);
	}
	g_free(result.args);
}

/* Random command lines: the same switches, arguments, order of argv and messages as the C library
 * finds. */
static void test_as_getopt(void)
{
	static char words[][16] = {
		"--fields",   "--fields=1", "--field", "--fi",    "-fields",   "-fx",
		"-f",         "-field=2",   "--num=3", "-num",    "-n",        "-n5",
		"--no",       "--no-t",     "-no-c",   "-c",      "-cq",       "-cqn",
		"-qcfx",      "-co",        "-oc",     "-o",      "--output",  "--output=4",
		"--output-p", "--out",      "-out=5",  "--quiet", "--quiet=1", "-quiet",
		"-q",         "-qu",        "-z",      "-cz",     "--zap",     "--zap=1",
		"-",          "--",         "a",       "b",       "---q",      "-=",
		"-f=1",       "--field=",   "-q=1",    "-nn",     "--n",       "-qq",
	};
	GRand *random = g_rand_new_with_seed(9);

	for (int round = 0; round < 20000; round++) {
		char *first[8] = { (char *)"test" };
		char *second[8] = { (char *)"test" };
		int argc = g_rand_int_range(random, 1, 7);
		struct err first_err = { 0 };
		struct err second_err = { 0 };
		GString *line = g_string_new(NULL);
		GString *reference;

		for (int i = 1; i < argc; i++) {
			first[i] = words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))];
			second[i] = first[i];
			g_string_append_printf(line, "%s ", first[i]);
		}
		unit_at("%s", line->str);
		seen = g_string_new(NULL);
		run_getopt(argc, first, &first_err);
		reference = seen;
		seen = g_string_new(NULL);
		run_ours(argc, second, &second_err);
		UNIT_ASSERT_STR(seen->str, reference->str);
		UNIT_ASSERT_STR(second_err.text, first_err.text);
		for (int i = 1; i < argc && !first_err.text[0]; i++) {
			UNIT_ASSERT_STR(second[i], first[i]);
		}
		g_string_free(line, TRUE);
		g_string_free(seen, TRUE);
		g_string_free(reference, TRUE);
	}
	g_rand_free(random);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "errors", test_errors },
		{ "values", test_values },
		{ "forms", test_forms },
		{ "built-in switches", test_builtin },
		{ "argv is permuted", test_permutes_argv },
		{ "set by name", test_set },
		{ "read from a file", test_read_file },
		{ "help and dump", test_help_and_dump },
		{ "check", test_check },
		{ "added", test_added },
		{ "prefix of calls", test_prefix_of_calls },
		{ "prefix of help", test_prefix_of_help },
		{ "as getopt_long_only", test_as_getopt },
		{ "rows that come to be", test_more },
		{ NULL, NULL },
	};

	return unit_run("opt", cases);
}

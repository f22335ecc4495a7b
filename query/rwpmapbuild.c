/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpmapbuild: make a prefix map from text. */
#include "query/tool.h"

#include "query/pmapsink.h"
#include "query/pmaptext.h"
#include "storage/byteline.h"

#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX (16u << 20)

struct pmapbuild_opts {
	char *input_path;
	char *mode;
	bool ignore_errors;
	struct pmapsink_opts sink;
};

static const struct opt pmapbuild_opt_table[] = {
	OPT_STR(struct pmapbuild_opts, input_path, "input-path", 0, "PATH",
		"read the text from this file", .flags = OPT_ONCE, .default_text = "stdin"),
	OPT_STR(struct pmapbuild_opts, input_path, "input-file", 0, "PATH",
		"the same as --input-path", .flags = OPT_ONCE | OPT_HIDDEN),
	OPT_STR(struct pmapbuild_opts, mode, "mode", 0, "MODE",
		"what is mapped: ipv4, ipv6 or proto-port", .flags = OPT_ONCE,
		.default_text = "ipv4"),
	OPT_FLAG(struct pmapbuild_opts, ignore_errors, "ignore-errors", 0,
		 "write the map although statements are wrong"),
	OPT_GROUP(struct pmapbuild_opts, sink, pmapsink_opt_table),
	OPT_END,
};

static void warn(void *arg, const char *text)
{
	tool_warn("%s: %s", (const char *)arg, text);
}

/* "ip" is a word of the text only. */
static void set_mode(struct pmaptext *text, const char *mode)
{
	struct err err;

	if (strcmp(mode, "ip") == 0) {
		tool_usage("invalid mode '%s'", mode);
	}
	if (pmaptext_set_mode(text, mode, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
}

static int read_lines(struct bytesource *src, struct pmaptext *text, struct err *err)
{
	GString *line = g_string_new(NULL);
	int status = ST_OK;

	while (status == ST_OK) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_OK) {
			status = pmaptext_line(text, line->str, line->len);
		}
	}
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

/* Has everything been told when nothing of it is to be written? */
static bool is_wanted(const struct pmapbuild_opts *opts, unsigned faults)
{
	bool wanted = !faults || (opts->ignore_errors && !opts->sink.dry_run);

	if (faults) {
		tool_warn("%u statement%s wrong%s", faults, faults == 1 ? " is" : "s are",
			  wanted ? "" : ", nothing is written");
	}
	return wanted;
}

static int pmapbuild_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct pmapbuild_opts *opts = base;
	const char *path = opts->input_path ? opts->input_path : "stdin";
	struct pmaptext *text = pmaptext_new(warn, (void *)path);
	struct bytesource *src = NULL;
	struct pmap *pmap;
	struct err err = { 0 };
	unsigned faults;
	int status;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->input_path && isatty(STDIN_FILENO)) {
		tool_usage("no --input-path given and standard input is a terminal");
	}
	if (opts->mode) {
		set_mode(text, opts->mode);
	}
	if (bytesource_open(&src, path, &err) != ST_OK) {
		tool_die_err(&err);
	}
	status = read_lines(src, text, &err);
	pmap = pmaptext_finish(text, &faults);
	bytesource_close(src);
	if (status != ST_OK) {
		if (err.text[0]) {
			tool_warn_err(&err);
		}
		status = TOOL_EXIT_ERROR;
	} else {
		status = is_wanted(opts, faults) ? pmapsink_write(env, pmap, &opts->sink)
						 : TOOL_EXIT_ERROR;
	}
	pmap_free(pmap);
	return status;
}

const struct tool tool = {
	.name = "rwpmapbuild",
	.summary = "Make a prefix map from text",
	.usage = "[SWITCHES]",
	.opts = pmapbuild_opt_table,
	.opts_size = sizeof(struct pmapbuild_opts),
	.run = pmapbuild_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The skeleton of a query tool. main() exists once, in tool_main.c; each tool file ends in
 *
 *	const struct tool tool = { .name = "rwcut", .summary = "print records as text",
 *		.usage = "[SWITCHES] [FILES]", .opts = cut_opt_table,
 *		.opts_size = sizeof(struct cut_opts), .run = cut_run };
 *
 * tool_main parses the table, answers --help --version --dump-options, calls run with a zeroed
 * (or .opts_default) options struct, flushes and closes stdout and reports a full disk.
 * Messages: "rwcut: what: why", lower case where ours, no full stop. A usage error adds
 * "Use 'rwcut --help' for usage" and exits TOOL_EXIT_ERROR, if it has no other status for that.
 */
#ifndef TUSSAH_QUERY_TOOL_H
#define TUSSAH_QUERY_TOOL_H

#include "common/err.h"
#include "common/opt.h"
#include "common/site.h"

enum tool_exit {
	TOOL_EXIT_OK = 0,
	TOOL_EXIT_ERROR = 1,
};

struct text;
struct tool_env;

struct tool {
	const char *name;
	const char *summary; /* one line for --help */
	const char *usage;
	const struct opt *opts;
	size_t opts_size;
	const void *opts_default; /* initial content of the options; NULL: zeros */
	bool outlives_readers;    /* SIGPIPE is ignored; else it ends the tool */
	int usage_status;         /* of tool_usage(); 0: TOOL_EXIT_ERROR */
	/* argc, argv: what is not a switch. Returns an enum tool_exit. */
	int (*run)(struct tool_env *env, void *opts, int argc, char **argv);
};
extern const struct tool tool;

/* The whole life of a tool; what main() returns. */
int tool_run(int argc, char **argv);

/* The whole command line, in getopt's permuted order (switches first), for invocation entries. */
int tool_argc(const struct tool_env *env);
char *const *tool_argv(const struct tool_env *env);

/* $NAME or NULL when unset or empty; the only way tools read the environment. */
const char *tool_getenv(const char *name);
/* Is it set, even to nothing? */
bool tool_has_env(const char *name);
/* Does $SILK_CLOBBER allow to overwrite files? */
bool tool_clobbers(void);

/* Does the path ("-", "stdout"; NULL: none) mean standard output? */
bool tool_is_stdout(const char *path);

/* Shared rows: --site-config-file. Embed with OPT_GROUP(struct x, site, site_opt_table). */
struct site_opts {
	char *config_file;
	char *rootdir; /* where a tool has --data-rootdir or --root-directory */
};
extern const struct opt site_opt_table[];

/* Parse a --data-rootdir, into a char *: it must be there. */
int tool_parse_rootdir(const struct opt *opt, const char *text, void *dest, struct err *err);

/*
 * The site, loaded at first use. needed: no file is fatal ("rwglob: ..."); else an empty site
 * stands in when there is none. A file that is there but faulty is fatal when needed, too; else its
 * faults are told, and what could be understood stands in.
 */
const struct site *tool_site(struct tool_env *env, const struct site_opts *opts, bool needed);
/* The data root by the rules of silk-packing.md 1.1; never NULL. */
const char *tool_rootdir(struct tool_env *env, const struct site_opts *opts);

/* Print what --help prints. opts as for opt_help(). */
void tool_help(const void *opts);

/* Print "NAME: text" on stderr. */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tool_warn_err(const struct err *err);
/* The same and exit TOOL_EXIT_ERROR; output opened through the skeleton is left as it is. */
_Noreturn void tool_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void tool_die_err(const struct err *err);
/* With the hint at --help. */
_Noreturn void tool_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A page for text on a terminal ($PAGER, $SILK_PAGER, --pager, --output-path): where results go. */
struct output_opts {
	char *output_path;
	char *pager;
};
extern const struct opt output_opt_table[]; /* --output-path --pager */
/* The descriptor to write text to; closed (and its errors reported) by the skeleton. */
int tool_output(struct tool_env *env, const struct output_opts *opts);
/*
 * text_close(), and tool_die_err() where not all could be written: what is cut off replaces no file.
 */
void tool_close_text(struct text *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The option table: the one list of a program's switches. The parser, --help, --dump-options, the
 * configuration-file reader and the manual page all read it.
 *
 *	struct cut_opts { char *fields; uint64_t limit; bool no_titles; };
 *	static const struct opt cut_opt_table[] = {
 *		OPT_STR(struct cut_opts, fields, "fields", 'f', "LIST", "columns to print"),
 *		OPT_U64(struct cut_opts, limit, "num-recs", 'n', "N", 0, UINT64_MAX,
 *			"stop after N records"),
 *		OPT_FLAG(struct cut_opts, no_titles, "no-titles", 0, "print no title line"),
 *		OPT_GROUP(struct cut_opts, text, text_opt_table),
 *		OPT_END,
 *	};
 *
 * The command line is read as getopt_long_only() reads it: long names may be cut to any unambiguous
 * prefix, and an exact name wins over longer ones; one dash does for a long name; "--name=value"
 * and "--name value" are the same for a needed argument, an optional argument takes only the "="
 * form; "--" ends switches; arguments and switches may be mixed. Rows that set the same member in
 * the same way are aliases: a prefix of several of them is not ambiguous. Rows that call a function
 * are so when one of them is hidden. A prefix of "help" is never ambiguous.
 */
#ifndef TUSSAH_COMMON_OPT_H
#define TUSSAH_COMMON_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_FLAG,     /* bool: set to true */
	OPT_KIND_STR,      /* char *: borrowed from argv; the last one wins */
	OPT_KIND_STRS,     /* GPtrArray * of char * (borrowed), made at first use; repeatable */
	OPT_KIND_OPTSTR,   /* struct opt_optstr: argument may be left out */
	OPT_KIND_U64,      /* uint64_t in min..max */
	OPT_KIND_REAL,     /* double in min..max (whole numbers) */
	OPT_KIND_SIZE,     /* uint64_t with k m g t suffix */
	OPT_KIND_DURATION, /* uint64_t nanoseconds; min..max in nanoseconds */
	OPT_KIND_CHOICE,   /* int: index into choices, by unique prefix */
	OPT_KIND_CALL,     /* call parse(text or NULL, opts base + offset) each time */
	OPT_KIND_GROUP,    /* rows of another table, at an offset */
	OPT_KIND_MORE,     /* rows that come to be as switches are read: more(member) */
};

enum opt_flags {
	OPT_ARG_OPTIONAL = 1 << 0, /* OPT_KIND_CALL: argument may be left out */
	OPT_ARG_NONE = 1 << 1,     /* OPT_KIND_CALL: takes no argument */
	OPT_ONCE = 1 << 2,         /* giving it twice, or a text by two names, is an error */
	OPT_HIDDEN = 1 << 3,       /* an alias: parsed, not listed */
	OPT_OWN_ERROR = 1 << 4,    /* OPT_KIND_CALL: parse words the whole message */
	OPT_ADDED = 1 << 5,        /* ours, not SiLK's: a prefix that fits others means those */
};

struct opt_optstr {
	bool given;
	const char *text; /* NULL when given without argument */
};

struct opt;

/*
 * Parse text (NULL: no argument) for row opt into the member at dest. The reason of a failure gets
 * "Invalid NAME 'TEXT': " in front, unless the row says OPT_OWN_ERROR.
 */
typedef int (*opt_parse_fn)(const struct opt *opt, const char *text, void *dest, struct err *err);

struct opt {
	enum opt_kind kind;
	const char *name; /* long name without dashes */
	char letter;      /* short name or 0 */
	size_t offset;    /* of the member in the options struct */
	const char *arg;  /* argument's name in help; NULL: none */
	const char *help; /* one line, lower case, no full stop */
	uint64_t min, max;
	const char *const *choices; /* NULL-terminated */
	opt_parse_fn parse;
	const struct opt *group;
	/* The rows so far, with offsets from the member; or NULL. They live until all is read. */
	const struct opt *(*more)(const void *member);
	unsigned flags;
	intptr_t tag;             /* the table owner's own, for parse */
	const char *default_text; /* shown in help; NULL: nothing */
};

/*
 * Makers of rows. Anything after the help goes into the row as it is:
 *	OPT_STR(struct cut_opts, fields, "fields", 0, "LIST", "columns", .flags = OPT_ONCE),
 */
#define OPT_FLAG(st, member, name_, letter_, help_, ...)                                           \
	{                                                                                          \
		.kind = OPT_KIND_FLAG, .name = name_, .letter = letter_,                           \
		.offset = offsetof(st, member), .help = help_, __VA_ARGS__                         \
	}
#define OPT_STR(st, member, name_, letter_, arg_, help_, ...)                                      \
	{                                                                                          \
		.kind = OPT_KIND_STR, .name = name_, .letter = letter_,                            \
		.offset = offsetof(st, member), .arg = arg_, .help = help_, __VA_ARGS__            \
	}
#define OPT_STRS(st, member, name_, letter_, arg_, help_, ...)                                     \
	{                                                                                          \
		.kind = OPT_KIND_STRS, .name = name_, .letter = letter_,                           \
		.offset = offsetof(st, member), .arg = arg_, .help = help_, __VA_ARGS__            \
	}
#define OPT_OPTSTR(st, member, name_, letter_, arg_, help_, ...)                                   \
	{                                                                                          \
		.kind = OPT_KIND_OPTSTR, .name = name_, .letter = letter_,                         \
		.offset = offsetof(st, member), .arg = arg_, .help = help_, __VA_ARGS__            \
	}
#define OPT_U64(st, member, name_, letter_, arg_, min_, max_, help_, ...)                          \
	{                                                                                          \
		.kind = OPT_KIND_U64, .name = name_, .letter = letter_,                            \
		.offset = offsetof(st, member), .arg = arg_, .min = min_, .max = max_,             \
		.help = help_, __VA_ARGS__                                                         \
	}
#define OPT_REAL(st, member, name_, letter_, arg_, min_, max_, help_, ...)                         \
	{                                                                                          \
		.kind = OPT_KIND_REAL, .name = name_, .letter = letter_,                           \
		.offset = offsetof(st, member), .arg = arg_, .min = min_, .max = max_,             \
		.help = help_, __VA_ARGS__                                                         \
	}
#define OPT_SIZE(st, member, name_, letter_, arg_, min_, max_, help_, ...)                         \
	{                                                                                          \
		.kind = OPT_KIND_SIZE, .name = name_, .letter = letter_,                           \
		.offset = offsetof(st, member), .arg = arg_, .min = min_, .max = max_,             \
		.help = help_, __VA_ARGS__                                                         \
	}
#define OPT_DURATION(st, member, name_, letter_, arg_, min_, max_, help_, ...)                     \
	{                                                                                          \
		.kind = OPT_KIND_DURATION, .name = name_, .letter = letter_,                       \
		.offset = offsetof(st, member), .arg = arg_, .min = min_, .max = max_,             \
		.help = help_, __VA_ARGS__                                                         \
	}
#define OPT_CHOICE(st, member, name_, letter_, arg_, choices_, help_, ...)                         \
	{                                                                                          \
		.kind = OPT_KIND_CHOICE, .name = name_, .letter = letter_,                         \
		.offset = offsetof(st, member), .arg = arg_, .choices = choices_, .help = help_,   \
		__VA_ARGS__                                                                        \
	}
#define OPT_CALL(st, member, name_, letter_, arg_, parse_, flags_, help_, ...)                     \
	{                                                                                          \
		.kind = OPT_KIND_CALL, .name = name_, .letter = letter_,                           \
		.offset = offsetof(st, member), .arg = arg_, .parse = parse_, .flags = flags_,     \
		.help = help_, __VA_ARGS__                                                         \
	}
#define OPT_GROUP(st, member, table_)                                                              \
	{                                                                                          \
		.kind = OPT_KIND_GROUP, .offset = offsetof(st, member), .group = table_            \
	}
#define OPT_MORE(st, member, more_)                                                                \
	{                                                                                          \
		.kind = OPT_KIND_MORE, .offset = offsetof(st, member), .more = more_               \
	}
#define OPT_END                                                                                    \
	{                                                                                          \
		.kind = OPT_KIND_END                                                               \
	}

enum opt_action {
	OPT_RUN,          /* go on */
	OPT_HELP,         /* --help was given: print opt_help() and exit 0 */
	OPT_VERSION,      /* --version */
	OPT_DUMP_OPTIONS, /* --dump-options: print opt_dump() and exit 0 */
};

struct opt_result {
	enum opt_action action;
	int nargs;   /* arguments that are not switches, in order */
	char **args; /* returned: g_free() the array, strings are argv's */
};

/*
 * Parse argv[1..] into the zeroed or defaulted struct at opts. --help, --version and --dump-options
 * (which cannot be cut) belong to every table and need no row; the first of them ends parsing.
 * argv is put into getopt's order: switches first. *result is set on success only. Returns ST_OK,
 * or ST_EINVAL with getopt_long()'s words
 * ("unrecognized option '--foo'", and "; did you mean '--fob'?" where a name is near; "option '--s'
 * is ambiguous; possibilities: '--sip' '--sport'", "option '--x' requires an argument") or the
 * parser's ("Invalid NAME 'TEXT': REASON").
 */
int opt_parse(const struct opt *table, void *opts, int argc, char **argv, struct opt_result *result,
	      struct err *err);

/* Set one option by its exact name, for configuration files. text NULL: a flag's "true". text must
 * live as long as opts. */
int opt_set(const struct opt *table, void *opts, const char *name, const char *text,
	    struct err *err);

/*
 * Read a GLib key file: [GROUP] name = value, names as the long switches; an unknown name is an
 * error naming it. The strings live as long as the process.
 */
int opt_read_file(const struct opt *table, void *opts, const char *path, const char *group,
		  struct err *err);

/* Walk all visible rows, groups unfolded, in table order. */
typedef void (*opt_walk_fn)(void *arg, const struct opt *opt);
void opt_walk(const struct opt *table, opt_walk_fn fn, void *arg);

/*
 * The list for --help: "--NAME Req Arg. HELP" per row, wrapped to 80 columns. opts: what was read
 * so far, whose rows of OPT_KIND_MORE come last; NULL: nothing.
 */
void opt_help(const struct opt *table, const void *opts, FILE *out);

/* One line per row, tab-separated: name, letter or "-", argument or "-" (in brackets when it may be
 * left out), default or "-", help, which ends in the choices if there are any. */
void opt_dump(const struct opt *table, FILE *out);

/* Names and letters unique, helps present and of the right shape, arguments where the kind needs
 * them. Returns ST_OK or ST_EINVAL naming the row. opt_parse() ends the process on a table that
 * does not pass. */
int opt_check(const struct opt *table, struct err *err);

#endif

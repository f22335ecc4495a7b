/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records a tool reads: files named on the command line, a list of names (--xargs), or standard
 * input, one after the other, as batches.
 *
 *	struct source *source = source_new(env, &opts.source, argc, argv);
 *	while (source_next(source, batch, columns)) ...
 *	exit_status = source_close(source);
 */
#ifndef TUSSAH_QUERY_SOURCE_H
#define TUSSAH_QUERY_SOURCE_H

#include "common/batch.h"
#include "query/tool.h"
#include "storage/stream.h"

struct source_opts {
	struct opt_optstr xargs; /* --xargs[=FILE] */
	char *ipv6_policy;       /* --ipv6-policy; $SILK_IPV6_POLICY when not given */
	const char *own_policy;  /* of tools without the switch, whatever the variable says */
	bool print_filenames;    /* --print-filenames */
	char *copy_input;        /* --copy-input=PATH */
};
extern const struct opt source_opt_table[];       /* all of the above */
extern const struct opt source_print_opt_table[]; /* all but --ipv6-policy */
extern const struct opt source_names_opt_table[]; /* --print-filenames and --xargs */
extern const struct opt source_xargs_opt_table[]; /* --xargs only */

/* Parse a --ipv6-policy, into a char *; each one that is given is looked at. */
int source_parse_policy(const struct opt *opt, const char *text, void *dest, struct err *err);
/* The tool's own policy, or what the switch or $SILK_IPV6_POLICY names; IPV6_MIX by default. */
enum ipv6_policy source_policy(const struct source_opts *opts);
/* Does $SILK_ICMP_SPORT_HANDLER say so? For struct stream_read_opts of tools without a source. */
bool source_keeps_icmp_sport(void);
/* Usage error when --copy-input and the text of output_path (NULL: none given) would mix. */
void source_check_copy(const struct source_opts *opts, const char *output_path);

struct source;

/*
 * Names the inputs, opens none yet. No name, no --xargs: standard input, which must not be a
 * terminal ("no input files given on command line and standard input is a terminal").
 */
struct source *source_new(struct tool_env *env, const struct source_opts *opts, int argc,
			  char **argv);

/*
 * The next batch with at least one selected row, the IPv6 policy applied. false: no more. A file
 * that cannot be opened or read on is named on stderr and decides the exit status; SiLK's tools
 * stop there, so does this.
 */
bool source_next(struct source *source, struct batch *batch, uint32_t columns);

/* How many records were read, all of those of the last batch among them, whatever the policy says.
 */
uint64_t source_read_count(const struct source *source);

/*
 * For tools that open the inputs themselves: the name of the next one, or NULL when there are no
 * more. Borrowed until the next call.
 */
const char *source_next_name(struct source *source);
/* As names_ahead(). */
const char *const *source_names_ahead(struct source *source, size_t *count);
/* How they are to be opened. */
const struct stream_read_opts *source_read_opts(const struct source *source);

/*
 * What damage inside of a SiLK file costs, once it has been told: file, record and byte. The
 * records before it count. (Else a file that cannot be opened ends the input; a damaged block of
 * ours costs that block, and is an error.)
 */
enum source_damage {
	SOURCE_DAMAGE_ENDS,     /* all that follows; an error. The rule */
	SOURCE_DAMAGE_SKIPS,    /* the rest of the file; an error. For tools that print what they
				   have all the same */
	SOURCE_ALL_SKIPPED,     /* as before, and a file that cannot be opened costs that file */
	SOURCE_DAMAGE_FORGIVEN, /* the rest of the file; the exit status does not speak of it, as
				   SiLK's does not. For tools that hand records on: the hour that
				   is being written looks so */
};
void source_set_damage(struct source *source, enum source_damage damage);
/* Has the input ended early? */
bool source_failed(const struct source *source);

/* Names of legacy files are read with this site; kept. */
void source_set_site(struct source *source, const struct site *site);

/* Called once per opened file, before its first batch (to copy header entries); may be NULL. */
typedef void (*source_open_fn)(void *arg, const char *path, const struct header *header);
void source_on_open(struct source *source, source_open_fn fn, void *arg);

/* Free; returns TOOL_EXIT_OK, or TOOL_EXIT_ERROR when something could not be read. */
int source_close(struct source *source);

/* ---- for query/readcrew, which opens the inputs itself ---- */

/* All that must be read so that source_accept() can do its part for these COLUMN_BITs. */
uint32_t source_needed(const struct source *source, uint32_t columns);
/* Are all records copied? Then batches must be accepted in order. */
bool source_copies(const struct source *source);
/* Count, copy, apply the policy: source_next() is reading and this. Any thread, if none is copied.
 */
void source_accept(struct source *source, struct batch *batch);
/* A file was opened: print its name, call the function of source_on_open(). */
void source_opened(struct source *source, const char *path, const struct header *header);
/* That a file could not be opened is told. false: this is the end of the input. */
bool source_unopened(struct source *source, const struct err *err);
/* Damage is told. goes_on: it cost a part of the file. false: this is the end of the input. */
bool source_damaged(struct source *source, const struct err *err, bool goes_on);

#endif

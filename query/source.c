/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/source.h"

#include <glib.h>
#include <stdio.h>
#include <strings.h>

#include "query/names.h"
#include "query/sink.h"
#include "storage/hourfile.h"

/* Rows of the tables below. */
#define XARGS                                                                                      \
	OPT_OPTSTR(struct source_opts, xargs, "xargs", 0, "FILE",                                  \
		   "read the names of input files from this file, or from standard input",         \
		   .flags = OPT_ONCE)
#define PRINT_FILENAMES                                                                            \
	OPT_FLAG(struct source_opts, print_filenames, "print-filenames", 0,                        \
		 "print the name of each input file as it is opened")
#define COPY_INPUT                                                                                 \
	OPT_STR(struct source_opts, copy_input, "copy-input", 0, "PATH",                           \
		"copy all input records to this file, pipe or stdout", .flags = OPT_ONCE)

const struct opt source_xargs_opt_table[] = {
	XARGS,
	OPT_END,
};

const struct opt source_names_opt_table[] = {
	PRINT_FILENAMES,
	XARGS,
	OPT_END,
};

int source_parse_policy(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	enum ipv6_policy policy;
	int st = ipv6_policy_parse(text, &policy, err);

	if (st == ST_OK) {
		*(const char **)dest = text;
	}
	return st;
}

const struct opt source_print_opt_table[] = {
	PRINT_FILENAMES,
	COPY_INPUT,
	XARGS,
	OPT_END,
};

const struct opt source_opt_table[] = {
	COPY_INPUT,
	PRINT_FILENAMES,
	XARGS,
	OPT_CALL(struct source_opts, ipv6_policy, "ipv6-policy", 0, "POLICY", source_parse_policy,
		 0, "treat IPv6 records so: ignore, asv4, mix, force or only"),
	OPT_END,
};

struct source {
	struct tool_env *env;
	struct names *names;
	enum ipv6_policy policy;
	bool print_filenames;
	enum source_damage damage;
	struct stream_read_opts read_opts;
	struct hourfile_reader *reader; /* the file being read */
	struct stream *copy;
	source_open_fn on_open;
	void *on_open_arg;
	bool failed; /* atomic */
	int exit_status;
	uint64_t read_count; /* records */
};

enum ipv6_policy source_policy(const struct source_opts *opts)
{
	const char *text = opts->own_policy ? opts->own_policy : opts->ipv6_policy;
	enum ipv6_policy policy = IPV6_MIX;

	if (!text && tool_has_env("SILK_IPV6_POLICY")) {
		const char *set = tool_getenv("SILK_IPV6_POLICY");

		text = set ? set : "";
	}
	return text && ipv6_policy_parse(text, &policy, NULL) == ST_OK ? policy : IPV6_MIX;
}

void source_check_copy(const struct source_opts *opts, const char *output_path)
{
	if (tool_is_stdout(opts->copy_input) && (!output_path || tool_is_stdout(output_path))) {
		tool_usage("cannot send both records and text to standard output; use "
			   "--output-path for the text");
	}
}

void source_set_site(struct source *source, const struct site *site)
{
	source->read_opts.site = site;
}

static struct stream *source_open_copy(const char *path)
{
	struct stream *copy = NULL;
	struct err err;
	struct stream_write_opts write_opts = { 0 };

	sink_write_opts(&(struct sink_opts){ 0 }, &write_opts);
	/* as SiLK has it, whatever the environment says */
	write_opts.compression = COMPRESSION_DEFAULT;
	write_opts.crew = false;
	if (path && stream_create(&copy, path, &write_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return copy;
}

bool source_keeps_icmp_sport(void)
{
	const char *handler = tool_getenv("SILK_ICMP_SPORT_HANDLER");

	return handler && strcasecmp(handler, "none") == 0;
}

struct source *source_new(struct tool_env *env, const struct source_opts *opts, int argc,
			  char **argv)
{
	struct source *source = g_new0(struct source, 1);

	source->env = env;
	source->names = names_new(&opts->xargs, true, argc, argv);
	source->policy = source_policy(opts);
	source->print_filenames = opts->print_filenames;
	source->read_opts.keep_icmp_sport = source_keeps_icmp_sport();
	source->read_opts.read_ahead = true;
	source->copy = source_open_copy(opts->copy_input);
	return source;
}

void source_set_damage(struct source *source, enum source_damage damage)
{
	source->damage = damage;
}

bool source_failed(const struct source *source)
{
	return __atomic_load_n(&source->failed, __ATOMIC_RELAXED);
}

const struct stream_read_opts *source_read_opts(const struct source *source)
{
	return &source->read_opts;
}

const char *source_next_name(struct source *source)
{
	return source_failed(source) ? NULL : names_next(source->names);
}

const char *const *source_names_ahead(struct source *source, size_t *count)
{
	return names_ahead(source->names, count);
}

static void source_fail(struct source *source, const struct err *err)
{
	tool_warn_err(err);
	__atomic_store_n(&source->failed, true, __ATOMIC_RELAXED);
	source->exit_status = TOOL_EXIT_ERROR;
}

bool source_unopened(struct source *source, const struct err *err)
{
	if (source->damage != SOURCE_ALL_SKIPPED) {
		source_fail(source, err);
		return false;
	}
	tool_warn_err(err);
	source->exit_status = TOOL_EXIT_ERROR;
	return true;
}

bool source_damaged(struct source *source, const struct err *err, bool goes_on)
{
	if (!goes_on && source->damage == SOURCE_DAMAGE_ENDS) {
		source_fail(source, err);
		return false;
	}
	tool_warn_err(err);
	if (goes_on || source->damage != SOURCE_DAMAGE_FORGIVEN) {
		source->exit_status = TOOL_EXIT_ERROR;
	}
	return true;
}

void source_opened(struct source *source, const char *path, const struct header *header)
{
	if (source->print_filenames) {
		fprintf(stderr, "%s\n", path);
	}
	if (source->on_open) {
		source->on_open(source->on_open_arg, path, header);
	}
}

static bool source_open_next(struct source *source)
{
	const char *name = source_next_name(source);
	struct err err;

	while (name && hourfile_open(&source->reader, name, &source->read_opts, &err) != ST_OK) {
		if (!source_unopened(source, &err)) {
			return false;
		}
		name = source_next_name(source);
	}
	if (!name) {
		return false;
	}
	source_opened(source, name, hourfile_header(source->reader));
	return true;
}

static void source_copy_batch(struct source *source, const struct batch *batch)
{
	struct err err;

	if (source->copy && stream_write_batch(source->copy, batch, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

uint64_t source_read_count(const struct source *source)
{
	return source->read_count;
}

uint32_t source_needed(const struct source *source, uint32_t columns)
{
	return source->copy ? COLUMNS_ALL : ipv6_policy_columns(source->policy, columns);
}

bool source_copies(const struct source *source)
{
	return source->copy != NULL;
}

void source_accept(struct source *source, struct batch *batch)
{
	__atomic_add_fetch(&source->read_count, batch->rows, __ATOMIC_RELAXED);
	source_copy_batch(source, batch);
	batch_apply_ipv6_policy(batch, source->policy);
}

bool source_next(struct source *source, struct batch *batch, uint32_t columns)
{
	uint32_t needed = source_needed(source, columns);
	struct err err;

	while (source->reader || source_open_next(source)) {
		int st = hourfile_read_batch(source->reader, batch, needed, &err);
		bool goes_on = st == ST_OK || hourfile_goes_on(source->reader);

		if (st == ST_OK) {
			source_accept(source, batch);
			if (batch->selected > 0) {
				return true;
			}
			continue;
		}
		if (st != ST_END) {
			source_damaged(source, &err, goes_on);
		}
		if (st == ST_END || !goes_on) {
			hourfile_close(source->reader);
			source->reader = NULL;
		}
	}
	return false;
}

void source_on_open(struct source *source, source_open_fn fn, void *arg)
{
	source->on_open = fn;
	source->on_open_arg = arg;
}

int source_close(struct source *source)
{
	int exit_status = source->exit_status;
	struct err err;

	if (source->read_count == 0) {
		/* no record, no header: the file is empty, as in SiLK */
		stream_abandon(source->copy);
	} else if (stream_close(source->copy, &err) != ST_OK) {
		tool_warn_err(&err);
		exit_status = TOOL_EXIT_ERROR;
	}
	hourfile_close(source->reader);
	if (!names_free(source->names)) {
		exit_status = TOOL_EXIT_ERROR;
	}
	g_free(source);
	return exit_status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwmatch: relate queries and responses. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "common/numlist.h"
#include "common/timestamp.h"
#include "common/value_kind.h"
#include "query/flowmatch.h"
#include "query/recordout.h"
#include "query/rowkey.h"
#include "query/source.h"
#include "query/tool.h"

#define RELATIONS_MAX 128
/* Fields of different kinds are compared as numbers of this size. */
#define NUMBER_SIZE 16

struct relation {
	const struct field *fields[FLOWMATCH_SIDES];
};

struct time_delta {
	int64_t ns;
};

struct window_choice {
	const struct opt *opt; /* the switch that was given */
};

struct unmatched_choice {
	bool sides[FLOWMATCH_SIDES];
};

struct match_opts {
	bool help_relate;
	GArray *relations; /* struct relation; NULL: none */
	struct time_delta delta;
	bool symmetric;
	struct window_choice window;
	struct unmatched_choice unmatched;
	struct sink_opts sink;
	struct source_opts source;
	struct site_opts site;
};

static const char *const relate_names[] = {
	"sIP",          "dIP",        "sPort",       "dPort", "protocol", "packets", "bytes",
	"flags",        "sensor",     "in",          "out",   "class",    "type",    "initialFlags",
	"sessionFlags", "attributes", "application", "iType", "iCode",
};

static bool can_relate(const struct field *field)
{
	for (size_t i = 0; i < G_N_ELEMENTS(relate_names); i++) {
		if (strcmp(relate_names[i], field->name) == 0) {
			return true;
		}
	}
	return false;
}

static int parse_relate(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	GArray **relations = dest;
	const struct field **fields = NULL;
	struct relation relation;
	size_t count = 0;
	int status = field_parse_list(text, FIELD_LIST_REPEATS | FIELD_LIST_NO_DEPRECATED, &fields,
				      &count, err);

	if (status == ST_OK && count != FLOWMATCH_SIDES) {
		status = err_set(err, ST_EINVAL, "two fields must be named");
	}
	for (size_t i = 0; status == ST_OK && i < count; i++) {
		relation.fields[i] = fields[i];
		if (!can_relate(fields[i])) {
			status = err_set(err, ST_EINVAL, "records cannot be related by %s",
					 fields[i]->name);
		}
	}
	if (!*relations) {
		*relations = g_array_new(FALSE, FALSE, sizeof(relation));
	}
	if (status == ST_OK && (*relations)->len == RELATIONS_MAX) {
		status = err_set(err, ST_ELIMIT, "there may be %d relations", RELATIONS_MAX);
	}
	if (status == ST_OK) {
		g_array_append_val(*relations, relation);
	}
	g_free(fields);
	return status;
}

static int parse_delta(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	double seconds;
	int status = real_parse(text, 0.001, 1e9, &seconds, err);

	/* Cut as SiLK cuts it, so that the same records match: 1.001 is a little less in a double.
	 */
	if (status == ST_OK) {
		((struct time_delta *)dest)->ns = (int64_t)(seconds * 1000) * NS_PER_MS;
	}
	return status;
}

static int parse_window(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct window_choice *window = dest;

	if (window->opt) {
		return err_set(err, ST_EINVAL,
			       "one window of time may be given, and there is --%s before --%s",
			       window->opt->name, opt->name);
	}
	window->opt = opt;
	return ST_OK;
}

/* More than one choice: all of them. */
static int parse_unmatched(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct unmatched_choice *unmatched = dest;
	int letter = tolower((unsigned char)text[0]);

	if (letter == '\0' || text[1] != '\0' || !strchr("qrb", letter)) {
		return err_set(err, ST_EINVAL, "q, r or b is expected");
	}
	unmatched->sides[FLOWMATCH_QUERY] |= letter != 'r';
	unmatched->sides[FLOWMATCH_RESPONSE] |= letter != 'q';
	return ST_OK;
}

#define WINDOW(name_, tag_, help_)                                                                 \
	OPT_CALL(struct match_opts, window, name_, 0, NULL, parse_window,                          \
		 OPT_ARG_NONE | OPT_OWN_ERROR, help_, .tag = tag_)

static const struct opt match_opt_table[] = {
	OPT_FLAG(struct match_opts, help_relate, "help-relate", 0,
		 "list the fields that records can be related by and exit"),
	OPT_CALL(struct match_opts, relations, "relate", 0, "FIELD,FIELD", parse_relate, 0,
		 "records match when the first field of a query is the second one of a response"),
	OPT_CALL(struct match_opts, delta, "time-delta", 0, "SECONDS", parse_delta, 0,
		 "a response may start so long after the end of its query", .default_text = "0"),
	OPT_FLAG(struct match_opts, symmetric, "symmetric-delta", 0,
		 "a response may come before its query, too"),
	WINDOW("absolute-delta", FLOWMATCH_ABSOLUTE,
	       "records join a match until the end of its first record, and the delta"),
	WINDOW("relative-delta", FLOWMATCH_RELATIVE,
	       "records join a match until the latest end of those that joined, and the delta"),
	WINDOW("infinite-delta", FLOWMATCH_INFINITE, "records join a match whenever they start"),
	OPT_CALL(struct match_opts, unmatched, "unmatched", 0, "q|r|b", parse_unmatched, 0,
		 "write queries, responses or both without a match, too"),
	OPT_CALL(struct match_opts, source.ipv6_policy, "ipv6-policy", 0, "POLICY",
		 source_parse_policy, 0, "treat IPv6 records so: ignore, asv4, mix, force or only"),
	OPT_GROUP(struct match_opts, sink, sink_opt_table),
	OPT_GROUP(struct match_opts, site, site_opt_table),
	OPT_END,
};

/* ---- reading: records of both files with their keys ---- */

struct feed_file {
	struct source *source;
	struct batch *batch;
	uint8_t *keys;
	uint32_t at; /* selected row to hand out */
	bool ended;
};

struct matcher {
	const struct match_opts *opts;
	const struct site *site;
	size_t key_size;
	struct feed_file files[FLOWMATCH_SIDES];
	struct recordout *out;
};

/* Keys as they are packed can be compared. Those of a class tell the type, too. */
static bool is_one_kind(const struct relation *relation)
{
	return relation->fields[0]->kind == relation->fields[1]->kind &&
	       relation->fields[0]->kind != &kind_class;
}

static size_t part_size(const struct relation *relation)
{
	return is_one_kind(relation) ? relation->fields[0]->kind->key_size : NUMBER_SIZE;
}

/* The number of a class; one for all that the site does not know, as in SiLK. */
static uint64_t class_number(const struct site *site, uint64_t flowtype)
{
	return (uint8_t)site_flowtype_class(site, (int)flowtype);
}

static void pack_number(const struct matcher *matcher, const struct field *field,
			const struct batch *batch, uint8_t *out)
{
	static const struct field_context ctx = { 0 };

	for (uint32_t i = 0; i < batch->selected; i++, out += matcher->key_size) {
		struct value value = { 0 };
		struct ip number;

		field->load(batch, batch->selection[i], &ctx, &value);
		if (field->kind == &kind_class) {
			value.u = class_number(matcher->site, value.u);
		}
		number =
			field->kind->key_size == NUMBER_SIZE ? value.ip : (struct ip){ 0, value.u };
		ip_to_bytes(number, out);
	}
}

static void pack_keys(const struct matcher *matcher, enum flowmatch_side side)
{
	const struct feed_file *file = &matcher->files[side];
	uint8_t *out = file->keys;

	for (guint i = 0; i < matcher->opts->relations->len; i++) {
		const struct relation *relation =
			&g_array_index(matcher->opts->relations, struct relation, i);
		struct rowkey key;

		if (is_one_kind(relation)) {
			rowkey_init(&key, &relation->fields[side], 1);
			rowkey_pack(&key, file->batch, out, matcher->key_size);
		} else {
			pack_number(matcher, relation->fields[side], file->batch, out);
		}
		out += part_size(relation);
	}
}

static bool next_record(void *arg, enum flowmatch_side side, struct record *rec,
			const uint8_t **key)
{
	struct matcher *matcher = arg;
	struct feed_file *file = &matcher->files[side];

	if (file->ended) {
		return false;
	}
	if (file->at == file->batch->selected) {
		file->at = 0;
		file->ended = !source_next(file->source, file->batch, COLUMNS_ALL);
		if (file->ended) {
			return false;
		}
		pack_keys(matcher, side);
	}
	batch_get(file->batch, file->batch->selection[file->at], rec);
	*key = file->keys + file->at * matcher->key_size;
	file->at++;
	return true;
}

static int write_record(void *arg, const struct record *rec, struct err *err)
{
	return stream_write(recordout_stream(((struct matcher *)arg)->out), rec, err);
}

static void open_all(struct matcher *matcher, struct tool_env *env, char **argv)
{
	struct header none;

	matcher->site = tool_site(env, &matcher->opts->site, false);
	for (guint i = 0; i < matcher->opts->relations->len; i++) {
		matcher->key_size +=
			part_size(&g_array_index(matcher->opts->relations, struct relation, i));
	}
	for (int side = 0; side < FLOWMATCH_SIDES; side++) {
		struct feed_file *file = &matcher->files[side];

		file->source = source_new(env, &matcher->opts->source, 1, argv + side);
		source_set_site(file->source, matcher->site);
		file->batch = batch_new();
		file->keys = g_malloc0(BATCH_ROWS * matcher->key_size);
	}
	matcher->out = recordout_open(argv[FLOWMATCH_SIDES], &matcher->opts->sink);
	header_init(&none);
	recordout_begin(matcher->out, env, &none);
	header_release(&none);
}

/* Returns an enum tool_exit. */
static int close_all(struct matcher *matcher)
{
	int status = TOOL_EXIT_OK;
	struct err err;

	for (int side = 0; side < FLOWMATCH_SIDES; side++) {
		struct feed_file *file = &matcher->files[side];

		status |= source_close(file->source);
		batch_free(file->batch);
		g_free(file->keys);
	}
	if (status != TOOL_EXIT_OK) {
		recordout_drop(matcher->out);
	} else if (recordout_close(matcher->out, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return status;
}

static void list_fields(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(relate_names); i++) {
		printf("%-14s %s\n", relate_names[i], field_find(relate_names[i], NULL)->help);
	}
}

static bool is_stdin(const char *name)
{
	return strcmp(name, "-") == 0 || strcmp(name, "stdin") == 0;
}

static void check_arguments(const struct match_opts *opts, int argc, char **argv)
{
	static const char *const names[] = { "QUERY_FILE", "RESPONSE_FILE", "OUTPUT_FILE" };

	if (!opts->relations) {
		tool_usage("--relate is needed");
	}
	if (argc < 3) {
		tool_usage("%s is missing", names[argc]);
	}
	if (argc > 3) {
		tool_usage("there is more than QUERY_FILE, RESPONSE_FILE and OUTPUT_FILE: '%s'",
			   argv[3]);
	}
	if (is_stdin(argv[0]) && is_stdin(argv[1])) {
		tool_usage("only one file can be standard input");
	}
}

static int match_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct match_opts *opts = options;
	struct matcher matcher = { .opts = opts };
	struct flowmatch_spec spec = {
		.delta_ns = opts->delta.ns,
		.symmetric = opts->symmetric,
		.window = opts->window.opt ? (enum flowmatch_window)opts->window.opt->tag
					   : FLOWMATCH_ABSOLUTE,
		.write_unmatched = { opts->unmatched.sides[0], opts->unmatched.sides[1] },
		.next = next_record,
		.write = write_record,
		.arg = &matcher,
	};
	struct err err;
	int status;

	if (opts->help_relate) {
		list_fields();
		return TOOL_EXIT_OK;
	}
	check_arguments(opts, argc, argv);
	open_all(&matcher, env, argv);
	spec.key_size = matcher.key_size;
	if (flowmatch_run(&spec, &err) != ST_OK) {
		tool_die_err(&err);
	}
	status = close_all(&matcher);
	g_array_free(opts->relations, TRUE);
	return status;
}

const struct tool tool = {
	.name = "rwmatch",
	.summary = "relate the records of queries and of responses",
	.usage = "--relate=FIELD,FIELD... [SWITCHES] QUERY_FILE RESPONSE_FILE OUTPUT_FILE",
	.opts = match_opt_table,
	.opts_size = sizeof(struct match_opts),
	.run = match_run,
};

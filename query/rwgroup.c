/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwgroup: number the groups of sorted records that belong together. */
#include <glib.h>

#include "common/extfield.h"
#include "query/flowgroup.h"
#include "query/format.h"
#include "query/labelling.h"
#include "query/madefields.h"
#include "query/recordout.h"
#include "query/source.h"
#include "query/tool.h"

struct group_offset {
	struct ip ip;
	bool is_v6;
};

struct group_opts {
	bool help_fields;
	char *id_fields;
	char *delta_field;
	uint64_t delta_value; /* 0: not given */
	bool objective;
	bool summarize;
	uint64_t threshold;
	struct group_offset offset;
	char *output_path;
	struct madefield_opts made;
	struct sink_opts sink;
	struct source_opts source;
	struct site_opts site;
};

static int parse_offset(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct group_offset *offset = dest;

	return ip_parse(text, &offset->ip, &offset->is_v6, err);
}

static const struct opt group_opt_table[] = {
	OPT_FLAG(struct group_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_STR(struct group_opts, id_fields, "id-fields", 0, "LIST",
		"records of a group have the same values of these fields", .flags = OPT_ONCE),
	OPT_STR(struct group_opts, delta_field, "delta-field", 0, "FIELD",
		"records of a group differ in this field by no more than --delta-value",
		.flags = OPT_ONCE),
	OPT_U64(struct group_opts, delta_value, "delta-value", 0, "N", 1, UINT64_MAX,
		"the greatest difference; of addresses the bits at the end that are ignored"),
	OPT_FLAG(struct group_opts, objective, "objective", 0,
		 "measure the difference from the first record of the group"),
	OPT_FLAG(struct group_opts, summarize, "summarize", 0, "write one record for each group"),
	OPT_U64(struct group_opts, threshold, "rec-threshold", 0, "N", 0, UINT16_MAX,
		"leave out groups of fewer records", .default_text = "1"),
	OPT_CALL(struct group_opts, offset, "group-offset", 0, "IP", parse_offset, 0,
		 "number of the first group", .default_text = "0"),
	OPT_STR(struct group_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file, pipe or stdout", .flags = OPT_ONCE),
	OPT_STR(struct group_opts, source.copy_input, "copy-input", 0, "PATH",
		"copy all input records to this file, pipe or stdout", .flags = OPT_ONCE),
	OPT_GROUP(struct group_opts, made, madefield_opt_table),
	OPT_GROUP(struct group_opts, sink, sink_opt_table),
	OPT_GROUP(struct group_opts, site, site_opt_table),
	OPT_END,
};

static const struct group_opts group_defaults = {
	.threshold = 1,
	.offset = { { 0, IP_V4_PREFIX }, false },
	.source = { .own_policy = "mix" },
};

struct grouping {
	const struct group_opts *opts;
	struct extfields *ext;
	struct madefields *made;
	struct labelling *labelling;
	const struct field **fields;
	size_t field_count;
	struct rowkey key;
	struct flowgroup *group;
	struct header entries;
	struct recordout *out;
	bool has_entries;
};

static const struct field *find_delta(struct grouping *grouping)
{
	const struct field **fields = NULL;
	const struct field *field = NULL;
	size_t count;
	struct err err;

	if (extfields_parse_list(grouping->ext, grouping->opts->delta_field, 0, &fields, &count,
				 &err) != ST_OK) {
		tool_die("invalid delta-field: %s", err.text);
	}
	if (count != 1) {
		tool_die("invalid delta-field: one field is to be named");
	}
	field = fields[0];
	g_free(fields);
	if (flowgroup_delta_max(field) == 0) {
		tool_die("invalid delta-field '%s': differences of it cannot be measured",
			 grouping->opts->delta_field);
	}
	if (grouping->opts->delta_value > flowgroup_delta_max(field)) {
		tool_die("invalid delta-value: the greatest for %s is %" G_GUINT64_FORMAT,
			 field->name, flowgroup_delta_max(field));
	}
	return field;
}

static void check_switches(const struct group_opts *opts)
{
	if (!opts->id_fields && !opts->delta_field) {
		tool_usage("--id-fields or --delta-field is needed");
	}
	if (opts->id_fields && !*opts->id_fields) {
		tool_usage("invalid id-fields: no field is named");
	}
	if (opts->delta_field && opts->delta_value == 0) {
		tool_usage("--delta-field needs --delta-value");
	}
	if (opts->delta_value > 0 && !opts->delta_field) {
		tool_usage("--delta-value needs --delta-field");
	}
	source_check_copy(&opts->source, opts->output_path);
}

static int write_record(void *arg, const struct record *rec, struct err *err)
{
	const struct grouping *grouping = arg;

	return stream_write(recordout_stream(grouping->out), rec, err);
}

static void prepare(struct grouping *grouping, struct tool_env *env)
{
	const struct group_opts *opts = grouping->opts;
	struct flowgroup_spec spec = {
		.key = &grouping->key,
		.delta_value = opts->delta_value,
		.objective = opts->objective,
		.summarize = opts->summarize,
		.threshold = (uint32_t)opts->threshold,
		.offset = opts->offset.ip,
		.offset_is_v6 = opts->offset.is_v6,
		.write = write_record,
		.arg = grouping,
	};
	struct err err;

	grouping->ext = extfields_new();
	grouping->made = madefields_new(&opts->made, env, &opts->site, grouping->ext);
	if (opts->id_fields &&
	    extfields_parse_list(grouping->ext, opts->id_fields, 0, &grouping->fields,
				 &grouping->field_count, &err) != ST_OK) {
		tool_die("invalid id-fields: %s", err.text);
	}
	if (opts->delta_field) {
		spec.delta = find_delta(grouping);
	}
	rowkey_init(&grouping->key, grouping->fields, grouping->field_count);
	grouping->group = flowgroup_new(&spec);
	header_init(&grouping->entries);
}

static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct grouping *grouping = arg;

	if (header) {
		header_add_entries(&grouping->entries, header);
	}
}

/* Returns an enum tool_exit. */
static int group_all(struct grouping *grouping, struct tool_env *env, int argc, char **argv)
{
	const struct group_opts *opts = grouping->opts;
	struct source *source = source_new(env, &opts->source, argc, argv);
	struct batch *batch = batch_new();
	struct err err;
	int status;

	grouping->labelling = labelling_new(grouping->ext, env, &opts->site);
	extfields_want(grouping->ext, batch);
	source_set_site(source, tool_site(env, &opts->site, false));
	source_on_open(source, copy_entries, grouping);
	grouping->out = recordout_open(opts->output_path, &opts->sink);
	while (source_next(source, batch, COLUMNS_ALL)) {
		if (!grouping->has_entries) {
			grouping->has_entries = true;
			recordout_begin(grouping->out, env, &grouping->entries);
		}
		if (flowgroup_add(grouping->group, batch, &err) != ST_OK) {
			tool_die_err(&err);
		}
	}
	status = source_close(source);
	batch_free(batch);
	return status;
}

static void release(struct grouping *grouping)
{
	flowgroup_free(grouping->group);
	header_release(&grouping->entries);
	g_free(grouping->fields);
	extfields_free(grouping->ext);
	madefields_free(grouping->made);
	labelling_free(grouping->labelling);
}

static int group_run(struct tool_env *env, void *options, int argc, char **argv)
{
	const struct group_opts *opts = options;
	struct grouping grouping = { .opts = opts };
	struct err err;
	int status;

	if (opts->help_fields) {
		format_help_fields(0);
		return TOOL_EXIT_OK;
	}
	check_switches(opts);
	if (argc > 1) {
		tool_usage("only one input file may be given");
	}
	prepare(&grouping, env);
	status = group_all(&grouping, env, argc, argv);
	if (status != TOOL_EXIT_OK) {
		recordout_drop(grouping.out);
	} else {
		if (!grouping.has_entries) {
			recordout_begin(grouping.out, env, &grouping.entries);
		}
		if (flowgroup_finish(grouping.group, &err) != ST_OK ||
		    recordout_close(grouping.out, &err) != ST_OK) {
			tool_die_err(&err);
		}
		if (flowgroup_unsorted(grouping.group)) {
			tool_warn("the input is not sorted by these fields; groups may be in "
				  "pieces");
		}
	}
	release(&grouping);
	return status;
}

const struct tool tool = {
	.name = "rwgroup",
	.summary = "number the groups of sorted records that belong together",
	.usage = "{--id-fields=LIST | --delta-field=FIELD --delta-value=N} [SWITCHES] [FILE]",
	.opts = group_opt_table,
	.opts_size = sizeof(struct group_opts),
	.opts_default = &group_defaults,
	.run = group_run,
};

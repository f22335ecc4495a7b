/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwaggbagtool: make an aggregate bag, a bag or a set of aggregate bags. */
#include "query/tool.h"

#include "common/numlist.h"
#include "query/aggalgebra.h"
#include "query/aggsink.h"
#include "query/bagsink.h"
#include "query/setsink.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

struct operation {
	const char *name; /* NULL: none was given */
	enum aggalgebra_op op;
};

struct aggtool_opts {
	char *remove_fields;
	char *select_fields;
	char *to_bag;
	char *to_ipset;
	GPtrArray *inserts;     /* char *, as the ones below */
	GPtrArray *multipliers; /* "N" or "FIELD=N" */
	GPtrArray *min_fields;  /* "FIELD=VALUE" */
	GPtrArray *max_fields;
	GPtrArray *intersects; /* "FIELD=PATH" */
	GPtrArray *complements;
	struct operation operation;
	struct aggalgebra_divisor divisor;
	struct setsink_version version;
	bool note_strip;
	bool help_fields;
	struct outfile_opts out;
	struct sink_opts sink;
	struct site_opts site;
};

/* --- switches --- */

static int parse_operation(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct operation *operation = dest;

	if (operation->name) {
		return err_set(err, ST_EINVAL, "Switches --%s and --%s are incompatible",
			       operation->name, opt->name);
	}
	*operation = (struct operation){ opt->name, (enum aggalgebra_op)opt->tag };
	return ST_OK;
}

static int parse_zero(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	static const struct {
		const char *name;
		struct aggalgebra_divisor divisor;
	} words[] = {
		{ "error", { AGGZERO_ERROR, 0 } },
		{ "remove", { AGGZERO_REMOVE, 0 } },
		{ "nochange", { AGGZERO_NOCHANGE, 0 } },
		{ "maximum", { AGGZERO_VALUE, UINT64_MAX } },
	};
	struct aggalgebra_divisor *divisor = dest;
	size_t len = strlen(text);

	for (size_t i = 0; len && i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strncasecmp(text, words[i].name, len) == 0) {
			*divisor = words[i].divisor;
			return ST_OK;
		}
	}
	divisor->zero = AGGZERO_VALUE;
	return number_parse(text, 0, UINT64_MAX, &divisor->value, err);
}

#define OPERATION(name_, op_, help_)                                                               \
	OPT_CALL(struct aggtool_opts, operation, name_, 0, NULL, parse_operation,                  \
		 OPT_ARG_NONE | OPT_OWN_ERROR, help_, .tag = op_)

static const struct opt aggtool_opt_table[] = {
	OPT_STR(struct aggtool_opts, remove_fields, "remove-fields", 0, "LIST",
		"take these fields out of each input", .flags = OPT_ONCE),
	OPT_STR(struct aggtool_opts, select_fields, "select-fields", 0, "LIST",
		"keep only these fields of each input", .flags = OPT_ONCE),
	OPT_STR(struct aggtool_opts, to_bag, "to-bag", 0, "KEY,COUNTER",
		"write a bag of this key and this counter", .flags = OPT_ONCE),
	OPT_STR(struct aggtool_opts, to_ipset, "to-ipset", 0, "FIELD",
		"write the values of this field as an IPset", .flags = OPT_ONCE),
	OPT_GROUP(struct aggtool_opts, version, setsink_version_opt_table),
	OPT_STRS(struct aggtool_opts, inserts, "insert-field", 0, "FIELD=VALUE",
		 "give every row of each input this value of this field; repeatable"),
	OPERATION("add", AGGALGEBRA_ADD, "add the counters of all inputs; so without an operation"),
	OPERATION("subtract", AGGALGEBRA_SUBTRACT, "subtract all other inputs from the first"),
	OPERATION("divide", AGGALGEBRA_DIVIDE, "divide the first input by all others"),
	OPT_CALL(struct aggtool_opts, divisor, "zero-divisor-result", 0, "WHAT", parse_zero, 0,
		 "what division by 0 gives: error, remove, nochange, maximum or a number",
		 .default_text = "error"),
	OPT_STRS(struct aggtool_opts, multipliers, "scalar-multiply", 0, "[FIELD=]N",
		 "multiply all counters or this one; repeatable"),
	OPT_STRS(struct aggtool_opts, min_fields, "min-field", 0, "FIELD=VALUE",
		 "keep only rows with at least this value; repeatable"),
	OPT_STRS(struct aggtool_opts, max_fields, "max-field", 0, "FIELD=VALUE",
		 "keep only rows with at most this value; repeatable"),
	OPT_STRS(struct aggtool_opts, intersects, "set-intersect", 0, "FIELD=FILE",
		 "keep only rows whose value is in this IPset; repeatable"),
	OPT_STRS(struct aggtool_opts, complements, "set-complement", 0, "FIELD=FILE",
		 "keep only rows whose value is not in this IPset; repeatable"),
	OPT_FLAG(struct aggtool_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the output"),
	OPT_FLAG(struct aggtool_opts, help_fields, "help-fields", 0,
		 "print names and meanings of fields, and exit"),
	OPT_GROUP(struct aggtool_opts, out, outfile_opt_table),
	OPT_GROUP(struct aggtool_opts, sink, sink_opt_table),
	OPT_GROUP(struct aggtool_opts, site, site_opt_table),
	OPT_END,
};

struct job {
	const struct aggtool_opts *opts;
	const struct site *site;
	struct aggshape shape;
	struct agginsert inserts[AGGLAYOUT_MAX + 1];
	uint64_t all_factor;
	uint64_t factors[AGGLAYOUT_MAX]; /* by number of the counter less AGGFIELD_COUNTER */
	GArray *limits;                  /* struct agglimit */
	struct aggbag *bag;              /* the result so far */
	struct header notes;
};

/* --- what is asked for --- */

static void parse_list(const char *name, const char *list, struct agglayout *layout)
{
	struct err err;

	if (aggvalue_parse_list(list, AGGFIELD_ANY, layout, NULL, &err) != ST_OK) {
		tool_die("Invalid %s '%s': %s", name, list, err.text);
	}
}

static void plan_bag(struct job *job, const char *fields)
{
	parse_list("to-bag", fields, &job->shape.keep);
	if (job->shape.keep.count != 2) {
		tool_die("Invalid to-bag '%s': Exactly two fields must be specified", fields);
	}
	if (job->shape.keep.key_count != 1) {
		tool_die("Invalid to-bag '%s': One key and one counter must be specified", fields);
	}
}

static void plan_set(struct job *job, const char *field)
{
	parse_list("to-ipset", field, &job->shape.keep);
	if (job->shape.keep.count != 1 || job->shape.keep.key_count != 1) {
		tool_die("Invalid to-ipset '%s': Exactly one key field must be specified", field);
	}
}

static void plan_fields(struct job *job)
{
	const struct aggtool_opts *opts = job->opts;
	int given =
		!!opts->remove_fields + !!opts->select_fields + !!opts->to_bag + !!opts->to_ipset;

	if (given > 1) {
		tool_die("May only specify one of --remove-fields, --select-fields, --to-bag, and "
			 "--to-ipset");
	}
	job->shape.keep_all = !given;
	job->shape.drop = opts->remove_fields;
	if (opts->to_bag) {
		plan_bag(job, opts->to_bag);
	} else if (opts->to_ipset) {
		plan_set(job, opts->to_ipset);
	} else if (given) {
		parse_list(opts->remove_fields ? "remove-fields" : "select-fields",
			   opts->remove_fields ? opts->remove_fields : opts->select_fields,
			   &job->shape.keep);
	}
}

static void parse_value(const struct job *job, const char *name, const char *text, uint16_t *id,
			uint8_t *value)
{
	const char *value_text;
	struct err err;

	if (aggvalue_split(text, AGGFIELD_ANY, id, &value_text, &err) != ST_OK ||
	    aggvalue_parse(job->site, *id, value_text, value, &err) != ST_OK) {
		tool_usage("Invalid %s '%s': %s", name, text, err.text);
	}
}

/* On the way to a set every value counts the rows that have it. */
static void count_rows(struct job *job)
{
	struct agginsert *insert = &job->inserts[job->shape.insert_count++];

	insert->id = AGGFIELD_COUNTER;
	agglayout_store(insert->value, 1, 8);
}

static void plan_inserts(struct job *job)
{
	const GPtrArray *texts = job->opts->inserts;
	struct agglayout seen = { 0 };

	for (guint i = 0; texts && i < texts->len; i++) {
		struct agginsert *insert = &job->inserts[seen.count];

		parse_value(job, "insert-field", g_ptr_array_index(texts, i), &insert->id,
			    insert->value);
		if (!agglayout_add(&seen, insert->id)) {
			tool_usage("Invalid insert-field: A value for '%s' is already set",
				   aggfield_name(insert->id));
		}
		if ((job->opts->to_bag || job->opts->to_ipset) &&
		    agglayout_find(&job->shape.keep, insert->id) < 0) {
			tool_die("Field %s appears in --insert-field but not in --%s",
				 aggfield_name(insert->id),
				 job->opts->to_bag ? "to-bag" : "to-ipset");
		}
	}
	job->shape.inserts = job->inserts;
	job->shape.insert_count = seen.count;
	if (job->opts->to_ipset) {
		count_rows(job);
	}
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void plan_factors(struct job *job)
{
	const GPtrArray *texts = job->opts->multipliers;
	struct err err;

	job->all_factor = 1;
	for (size_t i = 0; i < AGGLAYOUT_MAX; i++) {
		job->factors[i] = 1;
	}
	for (guint i = 0; texts && i < texts->len; i++) {
		const char *text = g_ptr_array_index(texts, i);
		const char *value = text;
		uint64_t *factor = &job->all_factor;
		uint16_t id;
		uint64_t number;

		if (strchr(text, '=')) {
			if (aggvalue_split(text, AGGFIELD_NAMED | AGGFIELD_COUNTERS, &id, &value,
					   &err) != ST_OK) {
				tool_usage("Invalid scalar-multiply '%s': %s", text, err.text);
			}
			factor = &job->factors[id - AGGFIELD_COUNTER];
		}
		if (number_parse(value, value == text, UINT64_MAX, &number, &err) != ST_OK) {
			tool_usage("Invalid scalar-multiply '%s': %s", text, err.text);
		}
		*factor = times(*factor, number);
	}
}

static void plan_values(struct job *job, const char *name, enum agglimit_kind kind,
			const GPtrArray *texts)
{
	for (guint i = 0; texts && i < texts->len; i++) {
		struct agglimit limit = { .kind = kind };

		parse_value(job, name, g_ptr_array_index(texts, i), &limit.id, limit.value);
		g_array_append_val(job->limits, limit);
	}
}

static void plan_sets(struct job *job, const char *name, enum agglimit_kind kind,
		      const GPtrArray *texts)
{
	for (guint i = 0; texts && i < texts->len; i++) {
		const char *text = g_ptr_array_index(texts, i);
		struct agglimit limit = { .kind = kind };
		const char *path;
		struct err err;

		if (aggvalue_split(text, AGGFIELD_NAMED | AGGFIELD_KEYS, &limit.id, &path, &err) !=
			    ST_OK ||
		    ipset_read(&limit.set, path, NULL, &err) != ST_OK) {
			tool_die("Invalid %s '%s': %s", name, text, err.text);
		}
		g_array_append_val(job->limits, limit);
	}
}

static void plan(struct job *job)
{
	const struct aggtool_opts *opts = job->opts;

	plan_fields(job);
	plan_inserts(job);
	plan_factors(job);
	job->limits = g_array_new(FALSE, FALSE, sizeof(struct agglimit));
	plan_values(job, "min-field", AGGLIMIT_MIN, opts->min_fields);
	plan_values(job, "max-field", AGGLIMIT_MAX, opts->max_fields);
	plan_sets(job, "set-intersect", AGGLIMIT_IN, opts->intersects);
	plan_sets(job, "set-complement", AGGLIMIT_NOT_IN, opts->complements);
}

static void release_plan(struct job *job)
{
	for (guint i = 0; i < job->limits->len; i++) {
		ipset_free(g_array_index(job->limits, struct agglimit, i).set);
	}
	g_array_unref(job->limits);
}

/* --- the run --- */

/* Read an aggregate bag and put it together with the result so far. */
static int take_file(struct job *job, const char *path, struct err *err)
{
	struct aggbag *bag = NULL;
	struct header header;
	int status = aggbag_read(&bag, path, &header, err);

	if (status == ST_OK && !job->opts->note_strip) {
		header_copy_entries(&job->notes, &header, ENTRY_ANNOTATION);
	}
	header_release(&header);
	if (status == ST_OK) {
		status = aggalgebra_reshape(&bag, &job->shape, err);
	}
	if (status == ST_OK && !job->bag) {
		job->bag = bag;
		return ST_OK;
	}
	if (status == ST_OK) {
		status = aggalgebra_apply(job->opts->operation.op, &job->opts->divisor, job->bag,
					  bag, err);
	}
	aggbag_free(bag);
	return status;
}

static void multiply(const struct job *job)
{
	const struct agglayout *layout = aggbag_layout(job->bag);
	uint64_t factors[AGGLAYOUT_MAX];

	if (!job->opts->multipliers) {
		return;
	}
	for (size_t i = layout->key_count; i < layout->count; i++) {
		factors[i - layout->key_count] =
			times(job->all_factor, job->factors[layout->ids[i] - AGGFIELD_COUNTER]);
	}
	aggalgebra_multiply(job->bag, factors);
}

static int compute(struct job *job, int argc, char **argv, struct err *err)
{
	int status = ST_OK;

	if (!argc) {
		status = take_file(job, "-", err);
	}
	for (int i = 0; status == ST_OK && i < argc; i++) {
		status = take_file(job, argv[i], err);
	}
	if (status != ST_OK) {
		return status;
	}
	multiply(job);
	if (job->limits->len) {
		aggalgebra_filter(job->bag, (const struct agglimit *)job->limits->data,
				  job->limits->len);
	}
	return ST_OK;
}

static int write_bag(const struct job *job, struct outfile *out)
{
	struct bag *bag = aggalgebra_to_bag(job->bag);
	int status = bagsink_write(out, bag, &job->opts->sink, &job->notes);

	bag_free(bag);
	return status;
}

static int write_set(const struct job *job, struct outfile *out)
{
	struct ipset *set = aggalgebra_to_set(job->bag);
	int status =
		setsink_write_out(out, set, &job->opts->version, &job->opts->sink, &job->notes);

	ipset_free(set);
	return status;
}

static int write_result(struct job *job, struct outfile *out)
{
	sink_add_notes(&job->opts->sink, &job->notes);
	if (job->opts->to_bag) {
		return write_bag(job, out);
	}
	if (job->opts->to_ipset) {
		return write_set(job, out);
	}
	return aggsink_write(out, job->bag, &job->opts->sink, &job->notes, NULL);
}

static int aggtool_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct job job = { .opts = base };
	struct outfile *out;
	struct err err;
	int status;

	if (job.opts->help_fields) {
		aggvalue_help(AGGFIELD_ANY);
		return TOOL_EXIT_OK;
	}
	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	job.site = tool_site(env, &job.opts->site, false);
	plan(&job);
	out = outfile_open(&job.opts->out);
	header_init(&job.notes);
	status = compute(&job, argc, argv, &err);
	if (status == ST_OK) {
		status = write_result(&job, out);
	} else {
		tool_warn_err(&err);
		outfile_leave_empty(out);
		status = TOOL_EXIT_ERROR;
	}
	header_release(&job.notes);
	aggbag_free(job.bag);
	release_plan(&job);
	return status;
}

const struct tool tool = {
	.name = "rwaggbagtool",
	.summary = "Make an aggregate bag, a bag or a set of aggregate bags",
	.usage = "[SWITCHES] [AGGBAG_FILES]",
	.opts = aggtool_opt_table,
	.opts_size = sizeof(struct aggtool_opts),
	.run = aggtool_run,
};

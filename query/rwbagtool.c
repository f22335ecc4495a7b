/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwbagtool: make a bag, or a set of its keys, of bags. */
#include "query/tool.h"

#include "common/numlist.h"
#include "query/bagalgebra.h"
#include "query/bagsink.h"
#include "query/setsink.h"
#include "storage/ipset.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

/* The operation and the switch that chose it. */
struct operation {
	const char *name; /* NULL: none was given */
	enum bagalgebra_op op;
	uint64_t factor; /* of --scalar-multiply; 0: it is another */
};

struct mask {
	struct ipset *set; /* NULL: none */
	bool complement;
};

struct bagtool_opts {
	struct operation operation;
	struct mask mask;
	struct baglimits limits;
	bool invert;
	bool coverset;
	struct setsink_version version;
	bool note_strip;
	struct outfile_opts out;
	struct sink_opts sink;
};

static const struct bagtool_opts defaults = {
	.limits = { .min_counter = 1, .max_counter = BAG_COUNTER_MAX },
};

/* --- switches --- */

static int set_operation(const struct opt *opt, struct operation *operation, struct err *err)
{
	if (operation->name) {
		return err_set(err, ST_EINVAL, "Switches --%s and --%s are incompatible", opt->name,
			       operation->name);
	}
	operation->name = opt->name;
	operation->op = (enum bagalgebra_op)opt->tag;
	return ST_OK;
}

static int parse_operation(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return set_operation(opt, dest, err);
}

static int parse_compare(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	static const struct {
		const char *name;
		enum bagalgebra_op op;
	} names[] = {
		{ "lt", BAGALGEBRA_COMPARE_LT }, { "le", BAGALGEBRA_COMPARE_LE },
		{ "eq", BAGALGEBRA_COMPARE_EQ }, { "ge", BAGALGEBRA_COMPARE_GE },
		{ "gt", BAGALGEBRA_COMPARE_GT },
	};
	struct operation *operation = dest;
	int status = set_operation(opt, operation, err);

	for (size_t i = 0; status == ST_OK && i < G_N_ELEMENTS(names); i++) {
		if (g_ascii_strcasecmp(names[i].name, text) == 0) {
			operation->op = names[i].op;
			return ST_OK;
		}
	}
	return status == ST_OK
		       ? err_set(err, ST_EINVAL, "Invalid compare: Unknown comparator '%s'", text)
		       : status;
}

static int parse_factor(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct operation *operation = dest;
	int status = set_operation(opt, operation, err);

	if (status == ST_OK &&
	    number_parse(text, 1, BAG_COUNTER_MAX, &operation->factor, err) != ST_OK) {
		status = err_prefix(err, "Invalid %s '%s'", opt->name, text);
	}
	return status;
}

/* Read at once: of several masks the last counts, but each must be a set. */
static int parse_mask(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct mask *mask = dest;

	ipset_free(mask->set);
	mask->set = NULL;
	mask->complement = mask->complement || opt->tag;
	return ipset_read(&mask->set, text, NULL, err);
}

#define OPERATION(name_, op_, help_)                                                               \
	OPT_CALL(struct bagtool_opts, operation, name_, 0, NULL, parse_operation,                  \
		 OPT_ARG_NONE | OPT_OWN_ERROR, help_, .tag = op_)

static const struct opt bagtool_opt_table[] = {
	OPERATION("add", BAGALGEBRA_ADD, "add the counters of all bags; so without an operation"),
	OPERATION("subtract", BAGALGEBRA_SUBTRACT, "subtract all other bags from the first"),
	OPERATION("minimize", BAGALGEBRA_MINIMIZE, "the smallest counters of keys in all bags"),
	OPERATION("maximize", BAGALGEBRA_MAXIMIZE, "the largest counters of keys in any bag"),
	OPERATION("divide", BAGALGEBRA_DIVIDE, "divide the first bag by the second"),
	OPT_CALL(struct bagtool_opts, operation, "scalar-multiply", 0, "N", parse_factor,
		 OPT_OWN_ERROR, "multiply the counters of one bag"),
	OPT_CALL(struct bagtool_opts, operation, "compare", 0, "OPERATION", parse_compare,
		 OPT_OWN_ERROR, "keys whose counters in two bags compare so: lt, le, eq, ge, gt"),
	OPT_CALL(struct bagtool_opts, mask, "intersect", 0, "FILE", parse_mask, OPT_OWN_ERROR,
		 "keep only keys in this IPset"),
	OPT_CALL(struct bagtool_opts, mask, "complement-intersect", 0, "FILE", parse_mask,
		 OPT_OWN_ERROR, "keep only keys that are not in this IPset", .tag = 1),
	OPT_GROUP(struct bagtool_opts, limits, baglimits_key_opt_table),
	OPT_U64(struct bagtool_opts, limits.min_counter, "mincounter", 0, "N", 1, BAG_COUNTER_MAX,
		"keep only keys with a counter of at least this"),
	OPT_U64(struct bagtool_opts, limits.max_counter, "maxcounter", 0, "N", 1, BAG_COUNTER_MAX,
		"keep only keys with a counter of at most this"),
	OPT_FLAG(struct bagtool_opts, invert, "invert", 0, "write how many keys have each counter"),
	OPT_FLAG(struct bagtool_opts, coverset, "coverset", 0,
		 "write the keys as an IPset instead of a bag"),
	OPT_GROUP(struct bagtool_opts, version, setsink_version_opt_table),
	OPT_FLAG(struct bagtool_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the output"),
	OPT_GROUP(struct bagtool_opts, out, outfile_opt_table),
	OPT_GROUP(struct bagtool_opts, sink, sink_opt_table),
	OPT_END,
};

/* --- the run --- */

struct job {
	const struct bagtool_opts *opts;
	struct baglimits limits;
	struct bag *bag;       /* the result so far */
	struct header entries; /* of the output */
};

static void check_opts(const struct bagtool_opts *opts, int files)
{
	enum bagalgebra_op op = opts->operation.op;

	if (opts->operation.factor && files > 1) {
		tool_usage("The --scalar-multiply switch operates on a single Bag file");
	}
	if ((op == BAGALGEBRA_DIVIDE || op >= BAGALGEBRA_COMPARE_LT) && files != 2) {
		tool_usage("The --%s switch requires exactly two Bag files", opts->operation.name);
	}
	if (!files && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	baglimits_check(&opts->limits);
}

/* Read a bag and put it together with the result so far. */
static int take_file(struct job *job, const char *path, struct err *err)
{
	struct bag *bag = NULL;
	struct header header;
	int status = bag_read(&bag, path, &header, err);

	if (status == ST_OK && !job->opts->note_strip) {
		header_copy_entries(&job->entries, &header, ENTRY_ANNOTATION);
	}
	header_release(&header);
	if (status == ST_OK && !job->bag) {
		job->bag = bag;
		return ST_OK;
	}
	if (status == ST_OK) {
		status = bagalgebra_apply(job->opts->operation.op, &job->bag, bag, err);
	}
	bag_free(bag);
	return status;
}

/* A mask or limits that let everything through need no second bag. */
static bool limits_matter(const struct baglimits *limits)
{
	return limits->mask || limits->min_key_given || limits->max_key_given ||
	       limits->min_counter > 1 || limits->max_counter < BAG_COUNTER_MAX;
}

static int compute(struct job *job, int argc, char **argv, struct err *err)
{
	const struct bagtool_opts *opts = job->opts;
	int status = ST_OK;

	job->limits = opts->limits;
	job->limits.mask = opts->mask.set;
	job->limits.complement = opts->mask.complement;
	if (!argc) {
		status = take_file(job, "-", err);
	}
	for (int i = 0; status == ST_OK && i < argc; i++) {
		status = take_file(job, argv[i], err);
	}
	if (status != ST_OK) {
		return status;
	}
	if (opts->operation.factor && !bagalgebra_multiply(&job->bag, opts->operation.factor)) {
		tool_warn("Overflow when applying scalar multiplier");
	}
	if (limits_matter(&job->limits)) {
		bagalgebra_filter(&job->bag, &job->limits);
	}
	if (opts->invert) {
		bagalgebra_invert(&job->bag);
	}
	return ST_OK;
}

static int write_set(struct job *job, struct outfile *out)
{
	struct ipset *set = bagalgebra_cover(job->bag);
	int status =
		setsink_write_out(out, set, &job->opts->version, &job->opts->sink, &job->entries);

	ipset_free(set);
	return status;
}

static int bagtool_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct bagtool_opts *opts = base;
	struct job job = { .opts = opts };
	struct outfile *out;
	struct err err;
	int status;

	check_opts(opts, argc);
	out = outfile_open(&opts->out);
	header_init(&job.entries);
	status = compute(&job, argc, argv, &err);
	sink_add_notes(&opts->sink, &job.entries);
	if (status != ST_OK) {
		tool_warn_err(&err);
		outfile_leave_empty(out);
		status = TOOL_EXIT_ERROR;
	} else if (opts->coverset) {
		status = write_set(&job, out);
	} else {
		status = bagsink_write(out, job.bag, &opts->sink, &job.entries);
	}
	header_release(&job.entries);
	bag_free(job.bag);
	ipset_free(opts->mask.set);
	return status;
}

const struct tool tool = {
	.name = "rwbagtool",
	.summary = "Make a bag, or a set of its keys, of bags",
	.usage = "[SWITCHES] [BAG_FILES]",
	.opts = bagtool_opt_table,
	.opts_size = sizeof(struct bagtool_opts),
	.opts_default = &defaults,
	.run = bagtool_run,
};

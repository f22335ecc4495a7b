/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsettool: a set from other sets. */
#include "query/tool.h"

#include "common/numlist.h"
#include "common/timestamp.h"
#include "query/outfile.h"
#include "query/setinputs.h"
#include "query/setresult.h"
#include "query/setsink.h"
#include "query/setstream.h"
#include "storage/ipsetform.h"

#include <sys/random.h>
#include <unistd.h>

struct settool_opts {
	bool given[SETRESULT_OPS];
	struct block_switch {
		bool given;
		uint8_t prefix;
	} mask, fill;
	struct size_switch {
		bool given;
		uint64_t number;
	} size, seed;
	struct ratio_switch {
		bool given;
		double number;
	} ratio;
	bool note_strip;
	bool with_times;
	struct setresult_time since;
	struct setresult_time before;
	struct outfile_opts out;
	struct setsink_opts sink;
};

static int parse_block(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct block_switch *block = dest;
	uint64_t number;
	int status = number_parse(text, 1, 128, &number, err);

	if (status == ST_OK) {
		*block = (struct block_switch){ true, (uint8_t)number };
	}
	return status;
}

/* The tag, unless 0, is the highest value. */
static int parse_size(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct size_switch *size = dest;

	size->given = true;
	return number_parse(text, 1, opt->tag ? (uint64_t)opt->tag : UINT64_MAX, &size->number,
			    err);
}

static int parse_ratio(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct ratio_switch *ratio = dest;

	ratio->given = true;
	return real_parse(text, 0, 1, &ratio->number, err);
}

/* UTC; a day, an hour, ... stands for its first millisecond. */
static int parse_time(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct setresult_time *time = dest;
	int64_t ns = 0;
	int status = timestamp_parse(text, false, &ns, NULL, err);

	*time = (struct setresult_time){ true, ns / NS_PER_MS };
	return status;
}

static const struct opt settool_opt_table[] = {
	OPT_FLAG(struct settool_opts, given[SETRESULT_UNION], "union", 0,
		 "write the addresses that are in any input"),
	OPT_FLAG(struct settool_opts, given[SETRESULT_INTERSECT], "intersect", 0,
		 "write the addresses that are in all inputs"),
	OPT_FLAG(struct settool_opts, given[SETRESULT_DIFFERENCE], "difference", 0,
		 "write the addresses of the first input that are in no other"),
	OPT_FLAG(struct settool_opts, given[SETRESULT_SYMMETRIC_DIFFERENCE], "symmetric-difference",
		 0, "write the addresses that are in an odd number of inputs"),
	OPT_CALL(struct settool_opts, mask, "mask", 0, "PREFIX", parse_block, 0,
		 "write the first address of each block of this size that has one"),
	OPT_CALL(struct settool_opts, fill, "fill-blocks", 0, "PREFIX", parse_block, 0,
		 "write each block of this size that has an address as a whole"),
	OPT_FLAG(struct settool_opts, given[SETRESULT_SAMPLE], "sample", 0,
		 "write a random sample of each input"),
	OPT_CALL(struct settool_opts, size, "size", 0, "COUNT", parse_size, OPT_ONCE,
		 "sample this many addresses of each input"),
	OPT_CALL(struct settool_opts, ratio, "ratio", 0, "RATIO", parse_ratio, OPT_ONCE,
		 "sample each address with this probability, 0 to 1"),
	OPT_CALL(struct settool_opts, seed, "seed", 0, "NUMBER", parse_size, 0,
		 "start the random numbers here, for a sample that can be repeated",
		 .tag = UINT32_MAX),
	OPT_FLAG(struct settool_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the output"),
	OPT_FLAG(struct settool_opts, with_times, "with-times", 0,
		 "write a union with the times of its inputs", .flags = OPT_ADDED),
	OPT_CALL(struct settool_opts, since, "seen-since", 0, "TIME", parse_time, OPT_ADDED,
		 "take only addresses that were last seen then or later"),
	OPT_CALL(struct settool_opts, before, "seen-before", 0, "TIME", parse_time, OPT_ADDED,
		 "take only addresses that were last seen before then"),
	OPT_GROUP(struct settool_opts, out, outfile_opt_table),
	OPT_GROUP(struct settool_opts, sink, setsink_opt_table),
	OPT_END,
};

struct job {
	const struct settool_opts *opts;
	struct setresult_opts what;
	struct setresult *result;
	struct header entries;
	struct tool_env *env;
};

/* --- what is asked for --- */

static enum setresult_op chosen_operation(const struct settool_opts *opts)
{
	static const char *const names[SETRESULT_OPS] = {
		"union", "intersect",   "difference", "symmetric-difference",
		"mask",  "fill-blocks", "sample",
	};
	enum setresult_op chosen = SETRESULT_OPS;

	for (int i = 0; i < SETRESULT_OPS; i++) {
		if (!opts->given[i] && !(i == SETRESULT_MASK && opts->mask.given) &&
		    !(i == SETRESULT_FILL && opts->fill.given)) {
			continue;
		}
		if (chosen == SETRESULT_UNION && (i == SETRESULT_MASK || i == SETRESULT_FILL)) {
			chosen = SETRESULT_OPS; /* these take the union of their inputs anyway */
		}
		if (chosen != SETRESULT_OPS) {
			tool_usage("Switches --%s and --%s are incompatible", names[chosen],
				   names[i]);
		}
		chosen = (enum setresult_op)i;
	}
	if (chosen == SETRESULT_OPS) {
		tool_usage("One of --union, --intersect, --difference, --symmetric-difference, "
			   "--mask, --fill-blocks, or --sample is required");
	}
	return chosen;
}

static void check_sample(const struct settool_opts *opts, enum setresult_op operation)
{
	if (opts->size.given && opts->ratio.given) {
		tool_usage("Switches size and ratio are incompatible");
	}
	if (operation == SETRESULT_SAMPLE && !opts->size.given && !opts->ratio.given) {
		tool_usage("The --sample switch requires a valid --size or --ratio argument");
	}
}

static void check_times(const struct settool_opts *opts, enum setresult_op operation)
{
	if (opts->with_times && operation != SETRESULT_UNION) {
		tool_usage("Use --with-times with --union only");
	}
	if (opts->with_times && opts->sink.version.given) {
		tool_usage("Cannot combine the --with-times and --record-version switches");
	}
}

static uint64_t seed_of(const struct settool_opts *opts)
{
	uint64_t seed = opts->seed.number;

	if (!opts->seed.given && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		tool_die("cannot get a random number to start with");
	}
	return seed;
}

static bool version_tells_history(const struct settool_opts *opts)
{
	struct ipset_write_opts write = { 0 };

	setsink_write_opts(&opts->sink, &write);
	return write.record_version == 0 || write.record_version == 3;
}

static struct setresult_opts what_is_asked(const struct settool_opts *opts,
					   enum setresult_op operation)
{
	return (struct setresult_opts){
		.op = operation,
		.growing = version_tells_history(opts),
		.prefix = operation == SETRESULT_FILL ? opts->fill.prefix : opts->mask.prefix,
		.size = opts->size.given ? opts->size.number : 0,
		.ratio = opts->ratio.number,
		.seed = seed_of(opts),
		.with_times = opts->with_times,
		.since = opts->since,
		.before = opts->before,
	};
}

/* --- input --- */

static void copy_notes(void *arg, const struct header *header)
{
	struct job *job = arg;

	if (!job->opts->note_strip || job->what.op == SETRESULT_SYMMETRIC_DIFFERENCE) {
		header_copy_entries(&job->entries, header, ENTRY_ANNOTATION);
	}
}

static setinputs_read_fn choose_reading(void *arg, const char *path, bool is_first)
{
	struct job *job = arg;

	return setresult_choose(job->result, path, is_first);
}

static void take_input(void *arg, const struct setinput *input)
{
	struct job *job = arg;

	copy_notes(job, input->header);
	setresult_take(job->result, input);
}

/* --- output --- */

static const struct setsink_opts *sink_opts(const struct job *job)
{
	static const struct setsink_opts defaults;

	return job->what.op == SETRESULT_SYMMETRIC_DIFFERENCE ? &defaults : &job->opts->sink;
}

/* Complete the header, and say how to write. SiLK writes a symmetric difference as if no switch had
 * been given. */
static void prepare_output(void *arg, struct ipset_write_opts *write)
{
	struct job *job = arg;
	const struct setsink_opts *opts = sink_opts(job);

	if (opts == &job->opts->sink) {
		if (!opts->invocation_strip) {
			header_add_invocation(&job->entries, tool_argc(job->env),
					      tool_argv(job->env));
		}
		sink_add_notes(&opts->sink, &job->entries);
	}
	setsink_write_opts(opts, write);
	write->entries = &job->entries;
	if (opts != &job->opts->sink) {
		write->record_version = 0;
		write->compression = COMPRESSION_DEFAULT;
	}
}

static int write_result(struct job *job, struct outfile *out, struct err *err)
{
	struct ipset *set = setresult_set(job->result);
	struct ipset_write_opts write = { 0 };
	int status;

	prepare_output(job, &write);
	if (set) {
		setsink_finish(set, sink_opts(job));
		ipset_shrink(set);
		status = ipset_write_to(set, outfile_sink(out), &write, err);
	} else {
		status = sightings_write_to(setresult_seen(job->result), outfile_sink(out), &write,
					    err);
	}
	return status == ST_OK ? ST_OK
			       : err_prefix(err, "Error writing IPset to '%s'", outfile_path(out));
}

/* --- the run --- */

/* What was found out on the way is forgotten when status is a failure. Returns whether it is none. */
static bool end_streaming(struct job *job, int status)
{
	if (status != ST_OK) {
		header_release(&job->entries);
		header_init(&job->entries);
	}
	return status == ST_OK;
}

/*
 * Sets of IPv4 addresses are put together bitmap by bitmap and never held, where the output can be
 * begun anew when an input turns out to be of another kind, or damaged. Whether all is written; if
 * not, whatever the reason, it is to be done in another way.
 */
static bool write_streamed(struct job *job, const struct setstream *stream, struct outfile **out)
{
	const struct outfile_opts *opts = &job->opts->out;
	struct ipset_write_opts write = { 0 };

	setsink_write_opts(sink_opts(job), &write);
	if (!opts->output_path || tool_is_stdout(opts->output_path) ||
	    (write.record_version != 0 && write.record_version != 2)) {
		return false;
	}
	if (end_streaming(job, setstream_write(stream, outfile_sink(*out), prepare_output))) {
		return true;
	}
	outfile_drop(*out);
	*out = outfile_open(opts);
	return false;
}

/* Of others the result alone is held, unless each input is taken in. Whether it is made. */
static bool combine_streamed(struct job *job, const struct setstream *stream)
{
	struct ipset *set = NULL;
	bool changed = false;

	if (setresult_grows(&job->what) || stream->count == 1 ||
	    !end_streaming(job, setstream_combine(stream, &set, &changed))) {
		return false;
	}
	setresult_use(job->result, set, changed, stream->paths[0]);
	return true;
}

static int make_set(struct job *job, struct outfile **out, char **paths, int count, struct err *err)
{
	struct setstream stream = {
		.paths = paths,
		.count = count,
		.opened = copy_notes,
		.arg = job,
	};
	const struct setinputs inputs = {
		.paths = paths,
		.count = count,
		.times = setresult_needs_times(&job->what),
		.choose = choose_reading,
		.take = take_input,
		.arg = job,
	};
	bool streams = setresult_is_plain(&job->what, &stream.op) && setstream_may(&stream);
	int status;

	if (streams && write_streamed(job, &stream, out)) {
		return ST_OK;
	}
	if (!streams || !combine_streamed(job, &stream)) {
		setinputs_read(&inputs);
	}
	status = setresult_finish(job->result, err);
	return status == ST_OK ? write_result(job, *out, err) : status;
}

/* status is that of writing. */
static int end_output(struct outfile *out, int status, struct err *err)
{
	if (status == ST_OK) {
		return outfile_close(out, err);
	}
	if (status == ST_EINVAL) {
		/* the file of a set that its version cannot hold stays, empty, as in SiLK */
		outfile_leave_empty(out);
	} else {
		outfile_drop(out);
	}
	return status;
}

static int settool_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct settool_opts *opts = base;
	enum setresult_op operation = chosen_operation(opts);
	struct job job = { .opts = opts, .env = env };
	char dash[] = "-";
	char *only_stdin[] = { dash };
	struct outfile *out;
	struct err err;
	int status;

	check_sample(opts, operation);
	check_times(opts, operation);
	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	out = outfile_open(&opts->out);
	job.what = what_is_asked(opts, operation);
	job.result = setresult_new(&job.what);
	header_init(&job.entries);
	status = make_set(&job, &out, argc ? argv : only_stdin, argc ? argc : 1, &err);
	status = end_output(out, status, &err);
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	header_release(&job.entries);
	setresult_free(job.result);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwsettool",
	.summary = "Make a set from other sets",
	.usage = "{--union | --intersect | --difference | --symmetric-difference | --mask=PREFIX | "
		 "--fill-blocks=PREFIX | --sample {--size=COUNT | --ratio=RATIO}} [SWITCHES] "
		 "[SET_FILES]",
	.opts = settool_opt_table,
	.opts_size = sizeof(struct settool_opts),
	.run = settool_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsettool: a set from other sets. */
#include "query/tool.h"

#include "common/numlist.h"
#include "common/processors.h"
#include "common/timestamp.h"
#include "query/outfile.h"
#include "query/setsample.h"
#include "query/setsink.h"
#include "storage/ipsetalgebra.h"
#include "storage/ipsetform.h"
#include "storage/setranges.h"
#include "storage/setrecords.h"
#include "storage/sightings.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STREAMED_MAX 8 /* files that are read at the same time */

enum operation {
	OP_UNION,
	OP_INTERSECT,
	OP_DIFFERENCE,
	OP_SYMMETRIC_DIFFERENCE,
	OP_MASK,
	OP_FILL,
	OP_SAMPLE,
	OP_COUNT,
};

struct settool_opts {
	bool given[OP_COUNT];
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
	struct time_switch {
		bool given;
		int64_t ms;
	} since, before;
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
	struct time_switch *time = dest;
	int64_t ns = 0;
	int status = timestamp_parse(text, false, &ns, NULL, err);

	*time = (struct time_switch){ true, ns / NS_PER_MS };
	return status;
}

static const struct opt settool_opt_table[] = {
	OPT_FLAG(struct settool_opts, given[OP_UNION], "union", 0,
		 "write the addresses that are in any input"),
	OPT_FLAG(struct settool_opts, given[OP_INTERSECT], "intersect", 0,
		 "write the addresses that are in all inputs"),
	OPT_FLAG(struct settool_opts, given[OP_DIFFERENCE], "difference", 0,
		 "write the addresses of the first input that are in no other"),
	OPT_FLAG(struct settool_opts, given[OP_SYMMETRIC_DIFFERENCE], "symmetric-difference", 0,
		 "write the addresses that are in an odd number of inputs"),
	OPT_CALL(struct settool_opts, mask, "mask", 0, "PREFIX", parse_block, 0,
		 "write the first address of each block of this size that has one"),
	OPT_CALL(struct settool_opts, fill, "fill-blocks", 0, "PREFIX", parse_block, 0,
		 "write each block of this size that has an address as a whole"),
	OPT_FLAG(struct settool_opts, given[OP_SAMPLE], "sample", 0,
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
	enum operation operation;
	bool growing;           /* the order of insertions shows in the output */
	const char *history;    /* the result still is this file's set, whose order was not read */
	struct ipset *result;   /* NULL: nothing was read yet */
	struct sightings *seen; /* the result when it has times, and then result is NULL */
	struct header entries;
	struct setsample_random random;
};

/* --- what is asked for --- */

static enum operation chosen_operation(const struct settool_opts *opts)
{
	static const char *const names[OP_COUNT] = {
		"union", "intersect",   "difference", "symmetric-difference",
		"mask",  "fill-blocks", "sample",
	};
	enum operation chosen = OP_COUNT;

	for (int i = 0; i < OP_COUNT; i++) {
		if (!opts->given[i] && !(i == OP_MASK && opts->mask.given) &&
		    !(i == OP_FILL && opts->fill.given)) {
			continue;
		}
		if (chosen == OP_UNION && (i == OP_MASK || i == OP_FILL)) {
			chosen = OP_COUNT; /* these take the union of their inputs anyway */
		}
		if (chosen != OP_COUNT) {
			tool_usage("Switches --%s and --%s are incompatible", names[chosen],
				   names[i]);
		}
		chosen = (enum operation)i;
	}
	if (chosen == OP_COUNT) {
		tool_usage("One of --union, --intersect, --difference, --symmetric-difference, "
			   "--mask, --fill-blocks, or --sample is required");
	}
	return chosen;
}

static void check_sample(const struct settool_opts *opts, enum operation operation)
{
	if (opts->size.given && opts->ratio.given) {
		tool_usage("Switches size and ratio are incompatible");
	}
	if (operation == OP_SAMPLE && !opts->size.given && !opts->ratio.given) {
		tool_usage("The --sample switch requires a valid --size or --ratio argument");
	}
}

static void seed_random(struct job *job)
{
	uint64_t seed = job->opts->seed.number;

	if (!job->opts->seed.given && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		tool_die("cannot get a random number to start with");
	}
	setsample_seed(&job->random, seed);
}

/* --- operations --- */

static void replace_result(struct job *job, struct ipset *set)
{
	ipset_free(job->result);
	job->result = set;
}

/* A set that loses nothing keeps its history, and so the numbers of its nodes. */
static void combine(struct job *job, const struct ipset *set, enum ipset_op op)
{
	struct ipset *combined;

	ipset_finish(job->result);
	combined = ipset_combine(job->result, set, op);
	if (ipset_equal(combined, job->result)) {
		ipset_free(combined);
	} else {
		replace_result(job, combined);
		job->history = NULL;
	}
}

static void add_set(struct job *job, struct ipset *set)
{
	if (!job->growing || (!ipset_is_wide(job->result) && !ipset_has_ipv6(set))) {
		ipset_finish(set);
		combine(job, set, IPSET_UNION);
		return;
	}
	ipset_add_set(job->result, set);
}

/* What an operation does with each input behind the first, and with the last result. */
static const struct step {
	bool grows;   /* the first input counts with its history */
	bool streams; /* is that operation, and nothing else is done to inputs or result */
	enum ipset_op op;
	void (*add)(struct job *job, struct ipset *set); /* instead; NULL: just that operation */
} steps[OP_COUNT] = {
	[OP_UNION] = { true, true, IPSET_UNION, add_set },
	[OP_INTERSECT] = { true, true, IPSET_INTERSECTION, NULL },
	[OP_DIFFERENCE] = { true, true, IPSET_DIFFERENCE, NULL },
	[OP_SYMMETRIC_DIFFERENCE] = { true, true, IPSET_SYMMETRIC_DIFFERENCE, NULL },
	[OP_MASK] = { false, false, IPSET_UNION, NULL },
	[OP_FILL] = { false, false, IPSET_UNION, NULL },
	[OP_SAMPLE] = { false, false, IPSET_UNION, NULL },
};

static struct ipset *sample_of(struct job *job, struct ipset *set)
{
	struct ipset *sample = ipset_is_wide(set) ? ipset_new_wide() : ipset_new();

	if (job->opts->size.given) {
		setsample_size(sample, set, job->opts->size.number, &job->random);
	} else {
		setsample_ratio(sample, set, job->opts->ratio.number, &job->random);
	}
	ipset_finish(sample);
	ipset_free(set);
	return sample;
}

/* Takes set. */
static void take_set(struct job *job, struct ipset *set)
{
	const struct step *step = &steps[job->operation];

	if (job->operation == OP_SAMPLE) {
		set = sample_of(job, set);
	}
	if (!job->result) {
		job->result = set;
		return;
	}
	if (step->add) {
		step->add(job, set);
	} else {
		combine(job, set, step->op);
	}
	ipset_free(set);
}

/* --- times --- */

static void check_times(const struct settool_opts *opts, enum operation operation)
{
	if (opts->with_times && operation != OP_UNION) {
		tool_usage("Use --with-times with --union only");
	}
	if (opts->with_times && opts->sink.version.given) {
		tool_usage("Cannot combine the --with-times and --record-version switches");
	}
}

static bool needs_times(const struct settool_opts *opts)
{
	return opts->with_times || opts->since.given || opts->before.given;
}

static bool is_wanted(const struct settool_opts *opts, const struct sighting *sighting)
{
	return !(opts->since.given && sighting->last_ms < opts->since.ms) &&
	       !(opts->before.given && sighting->last_ms >= opts->before.ms);
}

/* What the times select of an input goes into the result, or becomes a plain set. Takes seen. */
static struct ipset *select_seen(struct job *job, struct sightings *seen)
{
	struct ipset *set = NULL;

	if (!job->opts->with_times) {
		set = sightings_have_ipv6(seen) ? ipset_new_wide() : ipset_new();
	}
	for (size_t i = 0; i < sightings_count(seen); i++) {
		const struct sighting *at = sightings_at(seen, i);

		if (!is_wanted(job->opts, at)) {
			continue;
		}
		if (set) {
			ipset_load_range(set, at->ip, at->ip);
		} else {
			sightings_add(job->seen, at->ip, at->first_ms, at->last_ms);
		}
	}
	sightings_free(seen);
	if (set) {
		ipset_finish(set);
	}
	return set;
}

/* --- input --- */

typedef int (*read_fn)(struct ipset **out, const char *path, struct header *header,
		       struct err *err);

/*
 * The order of insertions of the first input takes long to read, and shows only when nothing is
 * added or taken away. So it is read when that is known, if the file can be read again.
 */
static bool reads_history(struct job *job, const char *path)
{
	if (!job->growing) {
		return false;
	}
	if (job->operation == OP_UNION || !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		return true;
	}
	job->history = path;
	return false;
}

static read_fn way_to_read(struct job *job, const char *path, bool is_first)
{
	if (is_first) {
		return reads_history(job, path) ? ipset_read_growing : ipset_read;
	}
	return job->growing && job->operation == OP_UNION ? ipset_read_for_adding : ipset_read;
}

static void recall_history(struct job *job)
{
	struct ipset *set = NULL;
	struct err err;

	if (!job->history || !ipset_is_wide(job->result)) {
		return;
	}
	if (ipset_read_growing(&set, job->history, NULL, &err) != ST_OK) {
		tool_die("Unable to read IPset from '%s': %s", job->history, err.text);
	}
	replace_result(job, set);
}

/* A file that is being read, perhaps by a thread. */
struct input {
	const char *path;
	read_fn read;
	bool times;
	bool on_thread;
	pthread_t thread;
	int status;
	struct err err;
	struct header header;
	struct ipset *set;
	struct sightings *seen; /* instead of the set, with times */
};

static void *read_input(void *arg)
{
	struct input *input = arg;

	if (input->times) {
		input->status =
			sightings_read(&input->seen, input->path, &input->header, &input->err);
	} else {
		input->status = input->read(&input->set, input->path, &input->header, &input->err);
	}
	return NULL;
}

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0;
}

/* Read a file while others are read and put together, if there is a processor for it. */
static void begin_input(struct input *input)
{
	input->on_thread = !is_stdin(input->path) && processors_count() > 1 &&
			   pthread_create(&input->thread, NULL, read_input, input) == 0;
}

static void end_input(struct input *input)
{
	if (input->on_thread) {
		pthread_join(input->thread, NULL);
	} else {
		read_input(input);
	}
	if (input->status != ST_OK) {
		tool_die("Unable to read IPset from '%s': %s",
			 strcmp(input->path, "-") == 0 ? "stdin" : input->path, input->err.text);
	}
}

static void copy_notes(struct job *job, const struct header *header)
{
	if (!job->opts->note_strip || job->operation == OP_SYMMETRIC_DIFFERENCE) {
		header_copy_entries(&job->entries, header, ENTRY_ANNOTATION);
	}
}

static void use_input(struct job *job, struct input *input)
{
	struct ipset *set = input->set;

	copy_notes(job, &input->header);
	header_release(&input->header);
	if (input->times) {
		set = select_seen(job, input->seen);
	}
	if (set) {
		take_set(job, set);
	}
}

/* Each file is read while the one before is, and is put together with those before that. */
static void read_inputs(struct job *job, char **paths, int count)
{
	struct input inputs[2]; /* in turn */

	for (int i = 0; i <= count; i++) {
		struct input *next = &inputs[i % 2];
		struct input *input = &inputs[(i + 1) % 2];

		if (i < count) {
			*next = (struct input){
				.path = paths[i],
				.read = way_to_read(job, paths[i], i == 0),
				.times = needs_times(job->opts),
			};
			if (i > 0) {
				begin_input(next);
			}
		}
		if (i > 0) {
			end_input(input);
			use_input(job, input);
		}
	}
}

static int finish_blocks(struct job *job, struct err *err)
{
	const struct settool_opts *opts = job->opts;
	bool filling = job->operation == OP_FILL;
	unsigned prefix = filling ? opts->fill.prefix : opts->mask.prefix;
	struct ipset *blocks = NULL;
	int status = ST_OK;

	if (!ipset_is_wide(job->result)) {
		if (prefix > 32) {
			tool_warn("Ignoring mask of %u for an IPv4 IPset", prefix);
			return ST_OK;
		}
		prefix += 96;
	}
	if (filling) {
		blocks = ipset_fill(job->result, prefix);
	} else {
		status = ipset_mask(&blocks, job->result, prefix, err);
	}
	if (status == ST_OK) {
		replace_result(job, blocks);
	}
	return status;
}

/* --- output --- */

static const struct setsink_opts *sink_opts(const struct job *job)
{
	static const struct setsink_opts defaults;

	return job->operation == OP_SYMMETRIC_DIFFERENCE ? &defaults : &job->opts->sink;
}

/* Complete the header, and say how to write. SiLK writes a symmetric difference as if no switch had
 * been given. */
static void prepare_output(struct job *job, struct tool_env *env, struct ipset_write_opts *write)
{
	const struct setsink_opts *opts = sink_opts(job);

	if (opts == &job->opts->sink) {
		if (!opts->invocation_strip) {
			header_add_invocation(&job->entries, tool_argc(env), tool_argv(env));
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

static int write_result(struct job *job, struct tool_env *env, struct outfile *out, struct err *err)
{
	struct ipset_write_opts write = { 0 };
	int status;

	prepare_output(job, env, &write);
	if (job->seen) {
		sightings_finish(job->seen);
		status = sightings_write_to(job->seen, outfile_sink(out), &write, err);
	} else {
		setsink_finish(job->result, sink_opts(job));
		ipset_shrink(job->result);
		status = ipset_write_to(job->result, outfile_sink(out), &write, err);
	}
	return status == ST_OK ? ST_OK
			       : err_prefix(err, "Error writing IPset to '%s'", outfile_path(out));
}

/* --- from files --- */

/* Can the inputs be gone through together, and be read again if that comes to nothing? */
static bool may_stream(const struct job *job, char **paths, int count)
{
	bool may =
		steps[job->operation].streams && count <= STREAMED_MAX && !needs_times(job->opts);

	for (int i = 0; may && i < count; i++) {
		may = g_file_test(paths[i], G_FILE_TEST_IS_REGULAR);
	}
	return may;
}

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
 * begun anew when an input turns out to be of another kind, or damaged.
 */
static bool may_write_records(const struct job *job, char **paths, int count)
{
	const struct outfile_opts *out = &job->opts->out;
	struct ipset_write_opts write = { 0 };

	setsink_write_opts(sink_opts(job), &write);
	return out->output_path && !tool_is_stdout(out->output_path) &&
	       (write.record_version == 0 || write.record_version == 2) &&
	       may_stream(job, paths, count);
}

/* Whether all is written; if not, whatever the reason, it is to be done in another way. */
static bool write_records(struct job *job, struct tool_env *env, struct outfile *out, char **paths,
			  int count)
{
	struct setrecords *inputs[STREAMED_MAX] = { NULL };
	struct ipset_write_opts write = { 0 };
	int status = ST_OK;

	for (int i = 0; status == ST_OK && i < count; i++) {
		status = setrecords_open(&inputs[i], paths[i], NULL);
		if (status == ST_OK) {
			copy_notes(job, setrecords_header(inputs[i]));
		}
	}
	if (status == ST_OK) {
		prepare_output(job, env, &write);
		status = setrecords_combine(inputs, (size_t)count, steps[job->operation].op,
					    outfile_sink(out), &write, NULL);
	}
	for (int i = 0; i < count; i++) {
		setrecords_close(inputs[i]);
	}
	return end_streaming(job, status);
}

/* Of others the result alone is held, unless each input grows it by what tells a history. */
static bool may_combine_ranges(const struct job *job, char **paths, int count)
{
	return !(job->growing && job->operation == OP_UNION) && count > 1 &&
	       may_stream(job, paths, count);
}

/* Whether the result is made; as write_records(). */
static bool combine_ranges(struct job *job, char **paths, int count)
{
	struct setranges *inputs[STREAMED_MAX] = { NULL };
	bool changed = false;
	int status = ST_OK;

	for (int i = 0; status == ST_OK && i < count; i++) {
		status = setranges_open(&inputs[i], paths[i], NULL);
		if (status == ST_OK) {
			copy_notes(job, setranges_header(inputs[i]));
		}
	}
	if (status == ST_OK) {
		status = setranges_combine(inputs, (size_t)count, steps[job->operation].op,
					   &job->result, &changed, NULL);
		job->history = job->growing && !changed ? paths[0] : NULL;
	}
	for (int i = 0; i < count; i++) {
		setranges_close(inputs[i]);
	}
	return end_streaming(job, status);
}

/* --- the run --- */

static bool version_tells_history(const struct settool_opts *opts)
{
	struct ipset_write_opts write = { 0 };

	setsink_write_opts(&opts->sink, &write);
	return write.record_version == 0 || write.record_version == 3;
}

static int make_result(struct job *job, struct tool_env *env, struct outfile *out, char **paths,
		       int count, struct err *err)
{
	int status = ST_OK;

	if (!may_combine_ranges(job, paths, count) || !combine_ranges(job, paths, count)) {
		read_inputs(job, paths, count);
	}
	if (job->operation == OP_MASK || job->operation == OP_FILL) {
		status = finish_blocks(job, err);
	}
	if (status == ST_OK) {
		recall_history(job);
		status = write_result(job, env, out, err);
	}
	return status;
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
	struct job job = { .opts = opts, .operation = chosen_operation(opts) };
	char dash[] = "-";
	char *only_stdin[] = { dash };
	char **paths = argc ? argv : only_stdin;
	int count = argc ? argc : 1;
	bool done = false;
	struct outfile *out;
	struct err err;
	int status;

	check_sample(opts, job.operation);
	check_times(opts, job.operation);
	if (!argc && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	out = outfile_open(&opts->out);
	seed_random(&job);
	job.growing = steps[job.operation].grows && version_tells_history(opts);
	job.seen = opts->with_times ? sightings_new() : NULL;
	header_init(&job.entries);
	if (may_write_records(&job, paths, count)) {
		done = write_records(&job, env, out, paths, count);
		if (!done) {
			outfile_drop(out);
			out = outfile_open(&opts->out);
		}
	}
	status = done ? ST_OK : make_result(&job, env, out, paths, count, &err);
	status = end_output(out, status, &err);
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	header_release(&job.entries);
	ipset_free(job.result);
	sightings_free(job.seen);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwrecgenerator: made-up flow records, for trying things out. */
#include "query/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "common/log.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "query/eventgen.h"
#include "query/format.h"
#include "query/incremental.h"
#include "query/sink.h"

#define TEXT_FIELDS                                                                                \
	"sIP,dIP,sPort,dPort,protocol,packets,bytes,sTime,duration,eTime,sensor,class,type,"       \
	"initialFlags,sessionFlags,attributes,application,iType,iCode"
#define HOUR_NS (3600 * NS_PER_S)

struct when {
	bool given;
	int64_t ns;
};

struct seed {
	bool given;
	uint64_t number;
};

struct step {
	bool given;
	uint64_t ms;
};

struct recgenerator_opts {
	char *silk_output_path;
	char *output_directory;
	char *text_output_path;
	char *processing_directory;
	uint64_t num_subprocesses;
	uint64_t flush_timeout_ms;
	uint64_t file_cache_size;
	struct compressionopt compression;
	struct log_opts log;
	struct seed seed;
	struct when start, end;
	struct step step;
	uint64_t events_per_step;
	char *sensor_map;
	char *flowtypes[EVENTGEN_WAYS];
	struct text_opts text;
	struct format_opts format;
	struct site_opts site;
};

static const struct recgenerator_opts recgenerator_defaults = {
	.flush_timeout_ms = 30000,
	.file_cache_size = 32,
	.events_per_step = 1,
};

static int parse_when(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct when *when = dest;

	when->given = true;
	return timestamp_parse(text, false, &when->ns, NULL, err);
}

static int parse_seed(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct seed *seed = dest;

	seed->given = true;
	return number_parse(text, 0, UINT32_MAX, &seed->number, err);
}

static int parse_step(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct step *step = dest;

	step->given = true;
	return number_parse(text, 0, UINT32_MAX, &step->ms, err);
}

static const struct opt recgenerator_opt_table[] = {
	OPT_STR(struct recgenerator_opts, silk_output_path, "silk-output-path", 0, "PATH",
		"write the records to this file", .flags = OPT_ONCE),
	OPT_STR(struct recgenerator_opts, output_directory, "output-directory", 0, "DIR",
		"write the records to incremental files in this folder", .flags = OPT_ONCE),
	OPT_STR(struct recgenerator_opts, text_output_path, "text-output-path", 0, "PATH",
		"write the records to this file as text", .flags = OPT_ONCE),
	OPT_STR(struct recgenerator_opts, processing_directory, "processing-directory", 0, "DIR",
		"make incremental files in this folder, which is emptied first"),
	OPT_U64(struct recgenerator_opts, num_subprocesses, "num-subprocesses", 0, "N", 0, 1024,
		"make incremental files with this many processes", .default_text = "0"),
	OPT_U64(struct recgenerator_opts, flush_timeout_ms, "flush-timeout", 0, "MS", 1, UINT32_MAX,
		"move incremental files when so much of the time window is done",
		.default_text = "30000"),
	OPT_U64(struct recgenerator_opts, file_cache_size, "file-cache-size", 0, "N", 4, 65535,
		"have so many incremental files open at a time", .default_text = "32"),
	OPT_CALL(struct recgenerator_opts, compression, "compression-method", 0, "METHOD",
		 compressionopt_parse, 0,
		 "compress the records: none, zlib, lzo1x, snappy or best"),
	OPT_STR(struct recgenerator_opts, log.destination, "log-destination", 0, "DESTINATION",
		"log to none, stdout, stderr, syslog, both, or a file by its complete path"),
	OPT_STR(struct recgenerator_opts, log.level, "log-level", 0, "LEVEL",
		"log this and what is graver: emerg to debug", .default_text = "info"),
	OPT_STR(struct recgenerator_opts, log.facility, "log-sysfacility", 0, "FACILITY",
		"file messages to syslog under this facility"),
	OPT_CALL(struct recgenerator_opts, seed, "seed", 0, "N", parse_seed, 0,
		 "make the same records as every run with this seed"),
	OPT_CALL(struct recgenerator_opts, start, "start-time", 0, "TIME", parse_when, 0,
		 "the first events begin now", .default_text = "the previous hour"),
	OPT_CALL(struct recgenerator_opts, end, "end-time", 0, "TIME", parse_when, 0,
		 "the last events begin now", .default_text = "the end of the previous hour"),
	OPT_CALL(struct recgenerator_opts, step, "time-step", 0, "MS", parse_step, 0,
		 "make events so far apart; 0: at the start only",
		 .default_text = "from start to end"),
	OPT_U64(struct recgenerator_opts, events_per_step, "events-per-step", 0, "N", 0, UINT32_MAX,
		"make so many events at each step", .default_text = "1"),
	OPT_STR(struct recgenerator_opts, sensor_map, "sensor-prefix-map", 0, "FILE",
		"take the numbers of sensors from this prefix map of inner addresses",
		.flags = OPT_ONCE),
	OPT_STR(struct recgenerator_opts, flowtypes[EVENTGEN_IN], "flowtype-in", 0, "CLASS/TYPE",
		"the type of incoming records", .default_text = "all/in"),
	OPT_STR(struct recgenerator_opts, flowtypes[EVENTGEN_INWEB], "flowtype-inweb", 0,
		"CLASS/TYPE", "the type of incoming web records", .default_text = "all/inweb"),
	OPT_STR(struct recgenerator_opts, flowtypes[EVENTGEN_OUT], "flowtype-out", 0, "CLASS/TYPE",
		"the type of outgoing records", .default_text = "all/out"),
	OPT_STR(struct recgenerator_opts, flowtypes[EVENTGEN_OUTWEB], "flowtype-outweb", 0,
		"CLASS/TYPE", "the type of outgoing web records", .default_text = "all/outweb"),
	OPT_GROUP(struct recgenerator_opts, text, text_opt_table),
	OPT_GROUP(struct recgenerator_opts, format, format_msec_opt_table),
	OPT_GROUP(struct recgenerator_opts, site, site_opt_table),
	OPT_END,
};

/* Where records go: one of the three. */
struct output {
	struct stream *stream;
	struct incremental *files;
	struct text *text;
	struct batch *batch; /* of one record, for the text */
	const struct field **fields;
	size_t field_count;
	struct field_context ctx;
};

struct generator {
	struct tool_env *env;
	const struct recgenerator_opts *opts;
	const struct site *site;
	struct eventgen_opts events;
	struct pmap *sensors;
	struct output output;
	int64_t start_ns, end_ns, step_ns;
	uint64_t records;
	struct err err;
};

/* --- the outputs --- */

static int open_text(struct generator *generator)
{
	const struct recgenerator_opts *opts = generator->opts;
	const struct output_opts where = { .output_path = opts->text_output_path };
	struct output *output = &generator->output;
	struct text_style style;

	if (text_style_from_opts(&opts->text, &style, &generator->err) != ST_OK ||
	    field_parse_list(TEXT_FIELDS, 0, &output->fields, &output->field_count,
			     &generator->err) != ST_OK) {
		return ST_EINVAL;
	}
	format_context(&opts->format, true, generator->site, &style, &output->ctx);
	output->ctx.ipv4_only = true;
	output->batch = batch_new();
	output->text = text_new(tool_output(generator->env, &where), &style);
	for (size_t i = 0; i < output->field_count; i++) {
		text_add_column(output->text, output->fields[i]->name,
				field_width(output->fields[i], &output->ctx),
				field_is_number(output->fields[i], &output->ctx));
	}
	text_titles(output->text);
	return ST_OK;
}

static int open_stream(struct generator *generator)
{
	struct sink_opts sink = { .compression = generator->opts->compression };
	struct stream_write_opts write_opts = { .format = FORMAT_RWGENERIC };

	sink_write_opts(&sink, &write_opts);
	return stream_create(&generator->output.stream, generator->opts->silk_output_path,
			     &write_opts, &generator->err);
}

static int open_files(struct generator *generator, const char *processing)
{
	const struct recgenerator_opts *opts = generator->opts;
	const struct sink_opts sink = { .compression = opts->compression };
	const struct incremental_opts files = {
		.site = generator->site,
		.processing = processing,
		.output = opts->output_directory,
		.files_max = opts->file_cache_size,
		.compression = (uint8_t)sink_compression(&sink),
		.no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL,
	};

	generator->output.files = incremental_new(&files);
	return ST_OK;
}

static int write_text(struct output *output, const struct record *rec)
{
	batch_clear(output->batch, COLUMNS_ALL);
	batch_append(output->batch, rec);
	for (size_t i = 0; i < output->field_count; i++) {
		const struct field *field = output->fields[i];
		struct value value;

		field_load(field, output->batch, 0, &output->ctx, &value);
		text_cell_done(output->text, field->kind->print(text_cell(output->text), &value,
								field, &output->ctx));
	}
	text_row_done(output->text);
	return ST_OK;
}

static int write_record(void *arg, const struct record *rec)
{
	struct generator *generator = arg;
	struct output *output = &generator->output;

	generator->records++;
	if (output->stream) {
		return stream_write(output->stream, rec, &generator->err);
	}
	return output->files ? incremental_write(output->files, rec, &generator->err)
			     : write_text(output, rec);
}

static int close_output(struct generator *generator, int status)
{
	struct output *output = &generator->output;
	struct err *err = status == ST_OK ? &generator->err : NULL;
	int closed = ST_OK;

	if (output->stream) {
		closed = stream_close(output->stream, err);
	} else if (output->text) {
		closed = text_close(output->text, err);
		batch_free(output->batch);
		g_free(output->fields);
	} else {
		closed = status == ST_OK ? incremental_flush(output->files, err) : ST_OK;
		incremental_free(output->files);
	}
	return status != ST_OK ? status : closed;
}

/* --- the events --- */

/* From start to end. Files are moved when the time they stand for is over. */
static int make_events(struct generator *generator, int64_t start_ns, int64_t end_ns)
{
	const struct recgenerator_opts *opts = generator->opts;
	struct eventgen *events = eventgen_new(&generator->events);
	int64_t flush_ns = start_ns + (int64_t)opts->flush_timeout_ms * NS_PER_MS;
	int status = ST_OK;

	for (int64_t now_ns = start_ns; status == ST_OK && now_ns <= end_ns;) {
		for (uint64_t i = 0; status == ST_OK && i < opts->events_per_step; i++) {
			status = eventgen_event(events, now_ns, write_record, generator);
		}
		if (generator->step_ns == 0) {
			break;
		}
		now_ns += generator->step_ns;
		if (status == ST_OK && generator->output.files && now_ns >= flush_ns) {
			status = incremental_flush(generator->output.files, &generator->err);
			flush_ns = now_ns + (int64_t)opts->flush_timeout_ms * NS_PER_MS;
		}
	}
	eventgen_free(events);
	return status;
}

/* In a process of its own: a part of the time, a folder of its own, other numbers. */
static int run_part(struct generator *generator, uint64_t part)
{
	const struct recgenerator_opts *opts = generator->opts;
	int64_t length_ns =
		(generator->end_ns - generator->start_ns) / (int64_t)opts->num_subprocesses;
	int64_t first_ns = generator->start_ns + (int64_t)part * length_ns;
	bool last = part + 1 == opts->num_subprocesses;
	char *folder = g_strdup_printf("%s/process%" PRIu64, opts->processing_directory, part);
	int status = ST_OK;

	if (mkdir(folder, 0777) != 0) {
		status = err_errno(&generator->err, ST_EIO, errno, "%s", folder);
	}
	generator->events.seed += (uint32_t)part;
	if (status == ST_OK) {
		open_files(generator, folder);
		status = make_events(generator, first_ns,
				     last ? generator->end_ns : first_ns + length_ns - 1);
		status = close_output(generator, status);
		rmdir(folder);
	}
	g_free(folder);
	return status;
}

static int run_parts(struct generator *generator)
{
	uint64_t count = generator->opts->num_subprocesses;
	int status = ST_OK;
	int child = 0;

	for (uint64_t part = 0; part < count; part++) {
		pid_t pid = fork();

		if (pid == 0) {
			status = run_part(generator, part);
			if (status != ST_OK) {
				tool_warn_err(&generator->err);
			}
			_exit(status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR);
		}
		if (pid < 0) {
			return err_errno(&generator->err, ST_EIO, errno, "cannot make a process");
		}
	}
	while (wait(&child) >= 0) {
		if (child != 0) {
			status = err_set(&generator->err, ST_EIO, "a process has failed");
		}
	}
	return status;
}

static int run_whole(struct generator *generator)
{
	const struct recgenerator_opts *opts = generator->opts;
	int status = opts->silk_output_path   ? open_stream(generator)
		     : opts->text_output_path ? open_text(generator)
					      : open_files(generator, opts->processing_directory);

	if (status != ST_OK) {
		return status;
	}
	status = make_events(generator, generator->start_ns, generator->end_ns);
	status = close_output(generator, status);
	if (status == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "%" PRIu64 " records made", generator->records);
	}
	return status;
}

/* --- what the switches say --- */

static void check_options(const struct recgenerator_opts *opts)
{
	unsigned outputs = (opts->silk_output_path != NULL) + (opts->text_output_path != NULL) +
			   (opts->output_directory != NULL);

	if (outputs != 1) {
		tool_usage("one of --silk-output-path, --output-directory and --text-output-path "
			   "must be given");
	}
	if (!opts->log.destination) {
		tool_usage("--log-destination must be given");
	}
	if (opts->output_directory && !opts->processing_directory) {
		tool_usage("--output-directory needs --processing-directory");
	}
}

/* Without the switches: the hour before this one, to its last millisecond. */
static void choose_window(struct generator *generator)
{
	const struct recgenerator_opts *opts = generator->opts;
	int64_t hour_ns = (int64_t)time(NULL) * NS_PER_S / HOUR_NS * HOUR_NS;

	generator->start_ns = opts->start.given ? opts->start.ns : hour_ns - HOUR_NS;
	generator->end_ns = opts->end.given ? opts->end.ns : hour_ns - NS_PER_MS;
	if (generator->end_ns < generator->start_ns) {
		tool_usage("--end-time is before --start-time");
	}
	generator->step_ns = opts->step.given ? (int64_t)opts->step.ms * NS_PER_MS
					      : generator->end_ns - generator->start_ns;
}

/* The types, and the first sensor of the class of incoming ones. */
static void choose_site(struct generator *generator)
{
	static const char *const defaults[EVENTGEN_WAYS] = { "in", "inweb", "out", "outweb" };
	const struct site *site = generator->site;
	const uint16_t *sensors;
	size_t count = 0;

	for (size_t way = 0; way < EVENTGEN_WAYS; way++) {
		const char *given = generator->opts->flowtypes[way];
		char **parts = g_strsplit(given ? given : "all", "/", 2);
		int class_id = site_class_id(site, parts[0]);
		const char *type = given ? parts[1] : defaults[way];
		int id = class_id >= 0 && type ? site_flowtype_of(site, class_id, type) : -1;

		if (id < 0) {
			tool_die("the site has no flowtype '%s%s'", given ? given : "all/",
				 given ? "" : type);
		}
		generator->events.flowtypes[way] = (uint8_t)id;
		g_strfreev(parts);
	}
	sensors = site_class_sensors(
		site, site_flowtype_class(site, generator->events.flowtypes[0]), &count);
	if (count == 0) {
		tool_die("no sensor belongs to the class of --flowtype-in");
	}
	generator->events.sensor = sensors[0];
}

static void choose_numbers(struct generator *generator)
{
	const struct recgenerator_opts *opts = generator->opts;
	uint32_t seed = (uint32_t)opts->seed.number;

	if (!opts->seed.given && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		tool_die("cannot get random numbers");
	}
	generator->events.seed = seed;
	if (opts->sensor_map) {
		if (pmap_read(&generator->sensors, opts->sensor_map, NULL, &generator->err) !=
		    ST_OK) {
			tool_die_err(&generator->err);
		}
		generator->events.sensors = generator->sensors;
	}
}

/* What an earlier run left. */
static void empty_folder(const char *path)
{
	GError *error = NULL;
	GDir *folder = g_dir_open(path, 0, &error);
	const char *name;

	if (!folder) {
		tool_die("%s", error->message);
	}
	while ((name = g_dir_read_name(folder))) {
		char *file = g_build_filename(path, name, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_REGULAR) && unlink(file) != 0) {
			tool_die("%s: %s", file, strerror(errno));
		}
		g_free(file);
	}
	g_dir_close(folder);
}

static void check_folders(const struct recgenerator_opts *opts)
{
	if (opts->output_directory && !g_file_test(opts->output_directory, G_FILE_TEST_IS_DIR)) {
		tool_die("%s: not a folder", opts->output_directory);
	}
	if (opts->output_directory) {
		empty_folder(opts->processing_directory);
	}
}

static int recgenerator_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct recgenerator_opts *opts = base;
	struct generator generator = { .env = env, .opts = opts };
	bool parts = opts->output_directory && opts->num_subprocesses > 0;
	int status;

	if (argc > 0) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	check_options(opts);
	generator.site = tool_site(env, &opts->site, true);
	choose_window(&generator);
	choose_site(&generator);
	choose_numbers(&generator);
	check_folders(opts);
	if (log_open(&opts->log, tool.name, NULL, &generator.err) != ST_OK) {
		tool_die_err(&generator.err);
	}
	status = parts ? run_parts(&generator) : run_whole(&generator);
	log_close();
	pmap_free(generator.sensors);
	if (status != ST_OK) {
		tool_die_err(&generator.err);
	}
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwrecgenerator",
	.summary = "Make up flow records, for trying things out",
	.usage = "--log-destination=DESTINATION {--silk-output-path | --output-directory | "
		 "--text-output-path}=PATH [SWITCHES]",
	.opts = recgenerator_opt_table,
	.opts_size = sizeof(struct recgenerator_opts),
	.opts_default = &recgenerator_defaults,
	.run = recgenerator_run,
};

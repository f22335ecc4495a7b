/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/tosilk.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packer/notelog.h"
#include "packer/probe.h"
#include "storage/blockout.h"
#include "storage/bytesink.h"
#include "storage/stream.h"

enum file_format { FILE_SILK, FILE_BLOCKS };
static const char *const file_formats[] = { "silk", "block", NULL };

const struct opt tosilk_opt_table[] = {
	OPT_STR(struct tosilk_opts, silk_output, "silk-output", 0, "PATH",
		"write the records to this file or pipe, \"stdout\" or \"stderr\"",
		.flags = OPT_ONCE, .default_text = "stdout"),
	OPT_CHOICE(struct tosilk_opts, file_format, "file-format", 0, "FORMAT", file_formats,
		   "write SiLK records, or blocks, which keep all information elements",
		   .default_text = "silk", .flags = OPT_ADDED),
	OPT_FLAG(struct tosilk_opts, print_statistics, "print-statistics", 0,
		 "print how many records were written"),
	OPT_STR(struct tosilk_opts, log_destination, "log-destination", 0, "DESTINATION",
		"tell about the messages: none, stdout, stderr or a file", .default_text = "none"),
	OPT_STR(struct tosilk_opts, log_flags, "log-flags", 0, "LIST",
		"tell more: none, all, bad, missing, record-timestamps and so on",
		.default_text = "none", .flags = OPT_ONCE),
	OPT_OPTSTR(struct tosilk_opts, xargs, "xargs", 0, "FILE",
		   "read the names of input files from this file, or from standard input",
		   .flags = OPT_ONCE),
	OPT_GROUP(struct tosilk_opts, notes, notes_opt_table),
	OPT_CALL(struct tosilk_opts, compression, "compression-method", 0, "METHOD",
		 compressionopt_parse, 0, "compress the output: none, zlib, lzo1x, snappy or best"),
	OPT_END,
};

struct tosilk {
	const struct tosilk_program *program;
	const void *all; /* options of the program */
	const struct tosilk_opts *opts;
	struct stream *stream;   /* where records go, or */
	struct blockout *blocks; /* ... */
	FILE *log;               /* NULL: nowhere */
	unsigned notes;          /* bits of enum decoder_note that are told there */
	unsigned inputs;         /* opened so far */
	uint64_t records;        /* written */
	bool failed;             /* told */
};

static void complain(struct tosilk *self, const char *text)
{
	fprintf(stderr, "%s: %s\n", self->program->tool.name, text);
	self->failed = true;
}

/* --- the log --- */

void tosilk_log(struct tosilk *self, const char *fmt, ...)
{
	va_list ap;

	if (self->log) {
		fprintf(self->log, "%s: 'input%04u': ", self->program->tool.name, self->inputs);
		va_start(ap, fmt);
		vfprintf(self->log, fmt, ap);
		va_end(ap);
		fputc('\n', self->log);
	}
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	(void)note;
	tosilk_log(arg, "%s", text);
}

static void take_ignored(void *arg, const struct record *rec, const char *reason)
{
	char sip[IP_TEXT_MAX];
	char dip[IP_TEXT_MAX];

	ip_print(sip, rec->sip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(dip, rec->dip, record_is_ipv6(rec), IP_CANONICAL);
	tosilk_log(arg, "IGNORED|%s|%s|%u|%u|%u|%" PRIu64 "|%" PRIu64 "|%s|", sip, dip, rec->sport,
		   rec->dport, rec->protocol, rec->packets, rec->bytes, reason);
}

/* The switches are right only when there is a log to be written. */
static int open_log(struct tosilk *self, struct err *err)
{
	const char *destination = self->opts->log_destination;
	unsigned flags = 0;
	int status = ST_OK;

	if (self->opts->log_flags) {
		status = probe_log_flags_parse(self->opts->log_flags, &flags, err);
	}
	if (status != ST_OK || !destination || strcmp(destination, "none") == 0) {
		return status;
	}
	self->notes = notelog_wanted(flags | notelog_environment());
	if (strcmp(destination, "stdout") == 0) {
		self->log = stdout;
	} else if (strcmp(destination, "stderr") == 0) {
		self->log = stderr;
	} else {
		self->log = fopen(destination, "ae");
	}
	return self->log ? ST_OK : err_errno(err, ST_EIO, errno, "%s", destination);
}

static void close_log(struct tosilk *self)
{
	if (self->log && self->log != stdout && self->log != stderr && fclose(self->log) != 0) {
		complain(self, "cannot write the log");
	}
}

/* --- the output --- */

static bool is_stdout(const char *path)
{
	return !path || strcmp(path, "-") == 0 || strcmp(path, "stdout") == 0;
}

static bool is_set(const char *variable)
{
	const char *text = getenv(variable);

	return text && *text;
}

static int open_output(struct tosilk *self, int argc, char **argv, struct err *err)
{
	const char *path = self->opts->silk_output ? self->opts->silk_output : "stdout";
	bool overwrite = bytesink_clobbers(getenv("SILK_CLOBBER"));
	struct header entries;
	struct stream_write_opts write_opts = {
		.compression = compressionopt_choose(&self->opts->compression,
						     getenv(COMPRESSIONOPT_VARIABLE)),
		.overwrite = overwrite,
		.no_silk_version = is_set("SILK_HEADER_NOVERSION"),
		.entries = &entries,
	};
	int status;

	if (self->log == stdout && is_stdout(path)) {
		return err_set(err, ST_EINVAL, "the log and the records cannot both go to stdout");
	}
	header_init(&entries);
	notes_add_to(self->opts->notes, &entries);
	header_add_invocation(&entries, argc, argv);
	if (self->opts->file_format == FILE_BLOCKS) {
		status = blockout_create(&self->blocks, path, overwrite ? BYTESINK_OVERWRITE : 0,
					 write_opts.compression, err);
		if (status == ST_OK) {
			blockout_add_entries(self->blocks, &entries);
		}
	} else {
		status = stream_create(&self->stream, path, &write_opts, err);
	}
	header_release(&entries);
	return status;
}

static int write_block_record(struct blockout *blocks, const struct record *rec,
			      const struct extras *extras, struct err *err)
{
	int status = blockout_write(blocks, rec, err);

	for (size_t i = 0; status == ST_OK && extras && i < extras->count; i++) {
		status = blockout_set(blocks, &extras->values[i], err);
		if (status == ST_EINVAL) { /* of another type than the block has it */
			status = blockout_end_block(blocks, err);
		}
	}
	return status;
}

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct tosilk *self = arg;
	struct err err;
	int status = self->blocks ? write_block_record(self->blocks, rec, extras, &err)
				  : stream_write(self->stream, rec, &err);

	if (status == ST_ERANGE) {
		tosilk_log(self, "record left out: %s", err.text);
		return ST_OK;
	}
	if (status != ST_OK) {
		complain(self, err.text);
		return ST_EIO;
	}
	self->records++;
	return ST_OK;
}

/* --- the inputs --- */

bool tosilk_is_stdin(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0;
}

void tosilk_complain(struct tosilk *self, const char *path, const char *text)
{
	fprintf(stderr, "%s: %s: %s\n", self->program->tool.name, path, text);
}

/* A file that is not there ends the run; one that is damaged does not. */
static int read_file(struct tosilk *self, const char *path)
{
	const struct decoder_sink sink = {
		.flow = take_flow,
		.ignored = take_ignored,
		.note = take_note,
		.arg = self,
		.notes = self->notes,
	};
	int status;

	self->inputs++;
	status = self->program->read(self, self->all, path, &sink);
	self->failed |= status == ST_ENOENT;
	return status;
}

/* Names, one a line; empty lines are none. */
static int read_listed(struct tosilk *self)
{
	const char *path = self->opts->xargs.text ? self->opts->xargs.text : "-";
	FILE *list = tosilk_is_stdin(path) ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int status = ST_OK;

	if (!list) {
		tosilk_complain(self, path, strerror(errno));
		self->failed = true;
		return ST_ENOENT;
	}
	while (status == ST_OK && getline(&line, &size, list) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line) {
			status = read_file(self, line);
		}
	}
	if (ferror(list)) {
		tosilk_complain(self, path, strerror(errno));
		self->failed = true;
	}
	free(line);
	if (list != stdin) {
		fclose(list);
	}
	return status;
}

static void read_inputs(struct tosilk *self, const struct opt_result *names)
{
	int status = ST_OK;

	if (self->opts->xargs.given) {
		status = read_listed(self);
	} else if (names->nargs == 0) {
		status = read_file(self, "-");
	}
	for (int i = 0; status == ST_OK && i < names->nargs; i++) {
		status = read_file(self, names->args[i]);
	}
}

/* --- the run --- */

static int run(struct tosilk *self, const struct opt_result *names, int argc, char **argv)
{
	const struct tosilk_opts *opts = self->opts;
	struct err err;
	int status = open_log(self, &err);

	if (status == ST_OK) {
		status = open_output(self, argc, argv, &err);
	}
	if (status != ST_OK) {
		complain(self, err.text);
		return EXIT_FAILURE;
	}
	read_inputs(self, names);
	status = self->blocks ? blockout_close(self->blocks, &err)
			      : stream_close(self->stream, &err);
	if (status != ST_OK && !self->failed) {
		complain(self, err.text);
	}
	close_log(self);
	if (!self->failed && opts->print_statistics) {
		fprintf(stderr, "%s: Wrote %" PRIu64 " records to '%s'\n", self->program->tool.name,
			self->records, opts->silk_output ? opts->silk_output : "-");
	}
	return self->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char *find_fault(const struct tosilk_program *program, const struct tosilk_opts *opts,
			      const struct opt_result *names)
{
	if (opts->xargs.given && names->nargs > 0) {
		return "may not give file names on the command line with --xargs";
	}
	if (!opts->xargs.given && names->nargs == 0 && !program->reads_stdin) {
		return "No input files specified on the command line";
	}
	if (!opts->xargs.given && names->nargs == 0 && isatty(STDIN_FILENO)) {
		return "no input files given on command line and standard input is a terminal";
	}
	return NULL;
}

int tosilk_main(const struct tosilk_program *program, void *opts, int argc, char **argv)
{
	struct tosilk self = {
		.program = program,
		.all = opts,
		.opts = (const struct tosilk_opts *)((const char *)opts + program->offset),
	};
	struct opt_result names = { 0 };
	const char *fault;
	int status;

	if (!optmain_parse(&program->tool, opts, argc, argv, &names, &status)) {
		return status;
	}
	fault = find_fault(program, self.opts, &names);
	if (fault) {
		status = optmain_usage(&program->tool, fault);
	} else {
		status = run(&self, &names, argc, argv);
	}
	g_free(names.args);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwappend: put the records of flow files behind those of another. */
#include "query/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "common/text.h"
#include "query/sink.h"
#include "query/source.h"
#include "storage/blockout.h"
#include "storage/bytesource.h"
#include "storage/hourfile.h"
#include "storage/rowformat.h"

struct append_opts {
	struct opt_optstr create;
	bool print_statistics;
	int output_format;
	struct site_opts site;
};

static int parse_template(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (text && access(text, F_OK) != 0) {
		return err_set(err, ST_ENOENT, "%s", strerror(errno));
	}
	*(struct opt_optstr *)dest = (struct opt_optstr){ true, text };
	return ST_OK;
}

static const struct opt append_opt_table[] = {
	OPT_CALL(struct append_opts, create, "create", 0, "TEMPLATE", parse_template,
		 OPT_ARG_OPTIONAL,
		 "make the target when it is not there, in the format of this flow file"),
	OPT_FLAG(struct append_opts, print_statistics, "print-statistics", 0,
		 "print how many records of each source were appended"),
	TEXT_DATA_FORMAT_ROW(struct append_opts, "print statistics as text, csv or json lines"),
	OPT_GROUP(struct append_opts, site, site_opt_table),
	OPT_END,
};

/* What is appended to: SiLK records or a block file. */
struct target {
	const char *path;
	struct stat st; /* to know it among the sources */
	struct stream *stream;
	struct hourfile_writer *blocks;
	enum ipv6_policy policy; /* what it can hold of both families */
};

struct appending {
	const struct append_opts *opts;
	const struct stream_read_opts *read_opts;
	struct target target;
	struct batch *batch;
	uint64_t records;        /* appended in all */
	unsigned sources;        /* that were read */
	bool damaged;            /* a block file has lost something */
	struct text *statistics; /* NULL: none, or as text */
};

/* --- the target --- */

static int open_silk(struct target *target, const struct header *like, struct err *err)
{
	struct stream_write_opts opts = { .append = true, .lock = true, .like = like };
	const struct rowformat *format;
	const struct header *header;

	sink_write_opts(&(struct sink_opts){ 0 }, &opts);
	opts.compression = COMPRESSION_DEFAULT; /* whatever the environment says */
	if (like) {
		opts.byte_order = like->big_endian ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE;
	}
	if (stream_create(&target->stream, target->path, &opts, err) != ST_OK) {
		return ST_EIO;
	}
	header = stream_header(target->stream);
	format = rowformat_find(header->format, header->record_version);
	target->policy = format->flags & ROWFORMAT_IPV6 ? IPV6_MIX : IPV6_ASV4;
	return ST_OK;
}

static int open_blocks(struct target *target, const struct blockfile_header *like, struct err *err)
{
	const struct hourfile_write_opts opts = {
		.kind = HOURFILE_BLOCKS,
		.compression = COMPRESSION_DEFAULT,
	};
	struct hourfile_key key = { INT64_MIN, RECORD_NO_SENSOR, RECORD_NO_FLOWTYPE };

	if (like) {
		key = (struct hourfile_key){ like->hour_ns, like->sensor, like->flowtype };
	}
	return hourfile_append(&target->blocks, target->path, &key, &opts, NULL, err);
}

static bool is_standard_stream(const char *path)
{
	return tool_is_stdout(path) || strcmp(path, "stderr") == 0 || strcmp(path, "stdin") == 0;
}

/* Make it, like the template if there is one. */
static int create_target(struct appending *appending, struct err *err)
{
	const char *template = appending->opts->create.text;
	struct hourfile_reader *reader = NULL;
	const struct blockfile *blocks;
	int status;

	if (is_standard_stream(appending->target.path)) {
		return err_set(err, ST_EINVAL, "%s: the target must be a file",
			       appending->target.path);
	}
	if (!template) {
		return open_silk(&appending->target, NULL, err);
	}
	status = hourfile_open(&reader, template, appending->read_opts, err);
	if (status != ST_OK) {
		return err_prefix(err, "cannot read the template");
	}
	blocks = hourfile_blocks(reader);
	status = blocks ? open_blocks(&appending->target, blockfile_header(blocks), err)
			: open_silk(&appending->target, hourfile_header(reader), err);
	hourfile_close(reader);
	return status;
}

/* The format of an existing file is its own. */
static int open_existing(struct appending *appending, struct err *err)
{
	struct target *target = &appending->target;
	struct hourfile_reader *reader = NULL;
	int status;
	bool blocks;

	if (!S_ISREG(target->st.st_mode)) {
		return err_set(err, ST_EINVAL, "%s: not a regular file", target->path);
	}
	status = hourfile_open(&reader, target->path, appending->read_opts, err);
	if (status != ST_OK) {
		return status;
	}
	blocks = hourfile_blocks(reader) != NULL;
	hourfile_close(reader);
	return blocks ? open_blocks(target, NULL, err) : open_silk(target, NULL, err);
}

static void open_target(struct appending *appending)
{
	struct target *target = &appending->target;
	struct err err;
	int status;

	if (stat(target->path, &target->st) == 0) {
		status = open_existing(appending, &err);
	} else if (errno != ENOENT || !appending->opts->create.given) {
		tool_die("%s: %s%s", target->path, strerror(errno),
			 errno == ENOENT ? "; --create would make it" : "");
	} else {
		status = create_target(appending, &err);
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	if (stat(target->path, &target->st) != 0) {
		tool_die("%s: %s", target->path, strerror(errno));
	}
}

static int close_target(struct target *target, struct err *err)
{
	return target->blocks ? hourfile_finish(target->blocks, err)
			      : stream_close(target->stream, err);
}

/* --- the sources --- */

/* A record with what else the batch knows about it. */
static int append_to_blocks(struct hourfile_writer *out, const struct batch *batch, uint32_t row,
			    struct err *err)
{
	struct record rec;
	int status;

	batch_get(batch, row, &rec);
	status = hourfile_write(out, &rec, err);
	for (size_t i = 0; status == ST_OK && i < batch_extension_count(batch); i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		if (column->any && column->present[row]) {
			struct flowblock_value value = blockout_value(column, row);

			status = hourfile_set(out, &value, err);
		}
	}
	return status;
}

/* *held: how many the target could hold; *reason: why it could not hold the first of the others. */
static int append_batch(struct appending *appending, uint32_t *held, struct err *reason,
			struct err *err)
{
	struct batch *batch = appending->batch;
	struct target *target = &appending->target;
	uint64_t refused = 0;
	int status = ST_OK;

	for (uint32_t i = 0; target->blocks && status == ST_OK && i < batch->selected; i++) {
		status = append_to_blocks(target->blocks, batch, batch->selection[i], err);
	}
	if (target->stream) {
		batch_apply_ipv6_policy(batch, target->policy);
		if (batch->selected < batch->rows && !reason->text[0]) {
			err_set(reason, ST_ERANGE, "IPv6 addresses");
		}
		status = stream_write_batch(target->stream, batch, &refused, err);
	}
	if (status == ST_OK && refused > 0 && !reason->text[0]) {
		*reason = *err;
	}
	*held = batch->selected - (uint32_t)refused;
	return status;
}

static void tell_appended(const struct appending *appending, const char *path, uint64_t records)
{
	struct text *table = appending->statistics;

	if (table) {
		text_cell_string(table, path);
		text_cell_string(table, appending->target.path);
		text_cell_number(table, records);
		text_row_done(table);
	} else {
		tool_warn("appended %" PRIu64 " records from %s to %s", records, path,
			  appending->target.path);
	}
}

static void tell_all_appended(const struct appending *appending)
{
	struct err err;

	if (appending->statistics) {
		if (text_close(appending->statistics, &err) != ST_OK) {
			tool_die_err(&err);
		}
	} else {
		tool_warn("appended %" PRIu64 " records from %u %s to %s", appending->records,
			  appending->sources, appending->sources == 1 ? "file" : "files",
			  appending->target.path);
	}
}

/* false: the target cannot be written on. */
static bool append_file(struct appending *appending, const char *path, struct hourfile_reader *in)
{
	struct err err = { 0 };
	struct err reason = { 0 };
	uint64_t before = appending->records;
	uint64_t read = 0;
	int status;

	while ((status = hourfile_read_batch(in, appending->batch, COLUMNS_ALL, &err)) != ST_END) {
		uint32_t held = 0;

		if (status != ST_OK) {
			tool_warn_err(&err);
			if (!hourfile_goes_on(in)) {
				break;
			}
			appending->damaged = true;
			continue;
		}
		if (append_batch(appending, &held, &reason, &err) != ST_OK) {
			tool_warn_err(&err);
			return false;
		}
		read += appending->batch->rows;
		appending->records += held;
	}
	if (read > appending->records - before) {
		tool_warn("%s: %" PRIu64 " records left out, the first for this: %s", path,
			  read - (appending->records - before), reason.text);
	}
	if (appending->opts->print_statistics) {
		tell_appended(appending, path, appending->records - before);
	}
	return true;
}

static bool is_target(const struct target *target, const char *path)
{
	struct stat st;

	return !bytesource_is_stdin(path) && stat(path, &st) == 0 &&
	       st.st_dev == target->st.st_dev && st.st_ino == target->st.st_ino;
}

/* A source that cannot be read is told, and the next one taken. */
static bool append_source(struct appending *appending, const char *path)
{
	struct hourfile_reader *in = NULL;
	struct err err;
	bool written;

	if (is_target(&appending->target, path)) {
		tool_warn("%s: left out, being the target itself", path);
		return true;
	}
	if (hourfile_open(&in, path, appending->read_opts, &err) != ST_OK) {
		tool_warn_err(&err);
		return true;
	}
	written = append_file(appending, path, in);
	hourfile_close(in);
	appending->sources++;
	return written;
}

static int append_run(struct tool_env *env, void *base, int argc, char **argv)
{
	static const char *const columns[] = { "source", "target", "records", NULL };
	const struct append_opts *opts = base;
	const struct stream_read_opts read_opts = {
		.site = tool_site(env, &opts->site, false),
		.keep_icmp_sport = source_keeps_icmp_sport(),
	};
	struct appending appending = { .opts = opts, .read_opts = &read_opts };
	struct err err;
	bool written = true;

	if (argc == 0) {
		tool_usage("the name of the target file is missing");
	}
	appending.target.path = argv[0];
	open_target(&appending);
	appending.batch = batch_new();
	if (appending.target.blocks) {
		batch_want_every(appending.batch);
	}
	if (opts->print_statistics) {
		appending.statistics =
			text_data_new(STDERR_FILENO, opts->output_format, false, columns);
	}
	for (int i = 1; written && i < argc; i++) {
		written = append_source(&appending, argv[i]);
	}
	batch_free(appending.batch);
	if (close_target(&appending.target, &err) != ST_OK) {
		if (written) {
			tool_warn_err(&err);
		}
		written = false;
	}
	if (written && opts->print_statistics) {
		tell_all_appended(&appending);
	}
	return written && !appending.damaged ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwappend",
	.summary = "Append flow records to an existing flow file",
	.usage = "[SWITCHES] TARGET-FILE SOURCE-FILE...",
	.opts = append_opt_table,
	.opts_size = sizeof(struct append_opts),
	.run = append_run,
};

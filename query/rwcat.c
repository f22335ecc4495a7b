/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwcat: join flow files into one. */
#include "query/tool.h"

#include "query/sink.h"
#include "query/source.h"
#include "storage/hourfile.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

struct cat_opts {
	char *output_path;
	enum byte_order byte_order;
	bool ipv4_output;
	bool print_filenames;
	struct source_opts source;
	struct sink_opts sink;
	struct site_opts site;
};

static int parse_byte_order(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return byte_order_parse(text, dest, err);
}

static const struct opt cat_opt_table[] = {
	OPT_STR(struct cat_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file or pipe, \"stdout\" or \"stderr\"",
		.default_text = "stdout", .flags = OPT_ONCE),
	OPT_CALL(struct cat_opts, byte_order, "byte-order", 0, "ORDER", parse_byte_order, 0,
		 "write the records in this order: native, little or big",
		 .default_text = "native"),
	OPT_FLAG(struct cat_opts, ipv4_output, "ipv4-output", 0,
		 "write IPv4 records only, converting those IPv6 records that can be"),
	OPT_FLAG(struct cat_opts, print_filenames, "print-filenames", 0,
		 "print the name of each input and how many records were read and written"),
	OPT_GROUP(struct cat_opts, source, source_xargs_opt_table),
	OPT_GROUP(struct cat_opts, sink, sink_opt_table),
	OPT_GROUP(struct cat_opts, site, site_opt_table),
	OPT_END,
};

struct cat {
	const struct cat_opts *opts;
	struct stream *out;
	struct batch *batch;
	bool damaged; /* an input was not read whole, and gone on with */
};

static struct stream *open_output(const struct cat_opts *opts)
{
	const struct stream_write_opts write = {
		.format = opts->ipv4_output ? FORMAT_RWGENERIC : FORMAT_RWIPV6ROUTING,
		.byte_order = opts->byte_order,
	};

	return sink_create(&opts->sink, opts->output_path, write);
}

/* Copy one input. What is damaged is told; of a block file the rest is copied all the same. */
static int cat_file(struct cat *cat, struct hourfile_reader *in)
{
	uint64_t before = stream_records(cat->out);
	uint64_t records = 0;
	struct err err;
	int rc;

	while ((rc = hourfile_read_batch(in, cat->batch, COLUMNS_ALL, &err)) != ST_END) {
		if (rc != ST_OK) {
			tool_warn_err(&err);
			cat->damaged = cat->damaged || hourfile_goes_on(in);
			if (!hourfile_goes_on(in)) {
				break;
			}
			continue;
		}
		records += cat->batch->rows;
		batch_apply_ipv6_policy(cat->batch, cat->opts->ipv4_output ? IPV6_ASV4 : IPV6_MIX);
		if (stream_write_batch(cat->out, cat->batch, NULL, &err) != ST_OK) {
			tool_warn_err(&err);
			return TOOL_EXIT_ERROR;
		}
	}
	if (cat->opts->print_filenames) {
		fprintf(stderr, "Read %" PRIu64 " Wrote %" PRIu64 "\n", records,
			stream_records(cat->out) - before);
	}
	return TOOL_EXIT_OK;
}

static int cat_inputs(struct cat *cat, struct source *source)
{
	int status = TOOL_EXIT_OK;
	const char *name;

	while (status == TOOL_EXIT_OK && (name = source_next_name(source)) != NULL) {
		struct hourfile_reader *in = NULL;
		struct err err;

		if (hourfile_open(&in, name, source_read_opts(source), &err) != ST_OK) {
			tool_warn_err(&err);
			return TOOL_EXIT_ERROR;
		}
		if (cat->opts->print_filenames) {
			fprintf(stderr, "%s\n", name);
		}
		status = cat_file(cat, in);
		hourfile_close(in);
	}
	return cat->damaged ? TOOL_EXIT_ERROR : status;
}

static int cat_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct cat_opts *opts = base;
	struct source *source = source_new(env, &opts->source, argc, argv);
	struct cat cat = { .opts = opts };
	struct err err;
	int status;

	source_set_site(source, tool_site(env, &opts->site, false));
	cat.out = open_output(opts);
	cat.batch = batch_new();
	status = cat_inputs(&cat, source);
	if (stream_close(cat.out, &err) != ST_OK) {
		tool_warn_err(&err);
		status = TOOL_EXIT_ERROR;
	}
	batch_free(cat.batch);
	if (source_close(source) != TOOL_EXIT_OK) {
		status = TOOL_EXIT_ERROR;
	}
	return status;
}

const struct tool tool = {
	.name = "rwcat",
	.summary = "Join SiLK flow files into one",
	.usage = "[SWITCHES] [FILES]",
	.opts = cat_opt_table,
	.opts_size = sizeof(struct cat_opts),
	.run = cat_run,
};

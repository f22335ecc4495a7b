/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwswapbytes: a flow file in another byte order, and else as it was. */
#include "query/tool.h"

#include "query/sink.h"
#include "query/source.h"
#include "storage/hourfile.h"

#include <unistd.h>

enum swap_order { SWAP_NONE, SWAP_BIG, SWAP_LITTLE, SWAP_NATIVE, SWAP_OTHER };

struct swapbytes_opts {
	const struct opt *order; /* the switch that was given */
	struct sink_opts sink;
};

static int parse_order(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	const struct opt **order = dest;

	if (*order && (*order)->tag != opt->tag) {
		return err_set(err, ST_EINVAL, "--%s and --%s exclude each other", opt->name,
			       (*order)->name);
	}
	*order = opt;
	return ST_OK;
}

#define ORDER(name, order_, help)                                                                  \
	OPT_CALL(struct swapbytes_opts, order, name, 0, NULL, parse_order,                         \
		 OPT_ARG_NONE | OPT_OWN_ERROR, help, .tag = order_)

static const struct opt swapbytes_opt_table[] = {
	ORDER("big-endian", SWAP_BIG, "write big-endian records (network byte order)"),
	ORDER("little-endian", SWAP_LITTLE, "write little-endian records"),
	ORDER("native-endian", SWAP_NATIVE, "write records in the byte order of this machine"),
	ORDER("swap-endian", SWAP_OTHER, "write records in the byte order that the input has not"),
	OPT_GROUP(struct swapbytes_opts, sink, sink_note_opt_table),
	OPT_END,
};

static enum byte_order choose_order(enum swap_order order, bool input_is_big)
{
	switch (order) {
	case SWAP_BIG:
		return BYTE_ORDER_BIG;
	case SWAP_LITTLE:
		return BYTE_ORDER_LITTLE;
	case SWAP_OTHER:
		return input_is_big ? BYTE_ORDER_LITTLE : BYTE_ORDER_BIG;
	default:
		return BYTE_ORDER_NATIVE;
	}
}

static struct stream *open_output(const struct swapbytes_opts *opts, const char *path,
				  const struct header *like)
{
	const struct stream_write_opts write = {
		.like = like,
		.byte_order = choose_order((enum swap_order)opts->order->tag, like->big_endian),
	};

	return sink_create(&opts->sink, path, write);
}

/* A damaged input is copied up to its damage, which is told. */
static int copy_records(struct stream *in, struct stream *out)
{
	struct batch *batch = batch_new();
	struct err err;
	int status = ST_OK;

	while (status == ST_OK) {
		int read = stream_read_batch(in, batch, COLUMNS_ALL, &err);

		if (read != ST_OK) {
			if (read != ST_END) {
				tool_warn_err(&err);
			}
			break;
		}
		status = stream_write_batch(out, batch, NULL, &err);
		if (status != ST_OK) {
			tool_warn_err(&err);
		}
	}
	batch_free(batch);
	return status;
}

static int swapbytes_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct swapbytes_opts *opts = base;
	const struct site_opts site = { 0 };
	const struct stream_read_opts read_opts = {
		.site = tool_site(env, &site, false),
		.keep_icmp_sport = true,
	};
	struct stream *in = NULL;
	struct stream *out;
	struct err err;
	int status;

	if (!opts->order) {
		tool_usage("one of --big-endian, --little-endian, --native-endian and "
			   "--swap-endian must be given");
	}
	if (argc > 2) {
		tool_usage("too many arguments: '%s'", argv[2]);
	}
	if (argc == 0 && isatty(STDIN_FILENO)) {
		tool_usage("no input file given and standard input is a terminal");
	}
	if (stream_open(&in, argc > 0 ? argv[0] : "stdin", &read_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	out = open_output(opts, argc > 1 ? argv[1] : "stdout", stream_header(in));
	status = copy_records(in, out);
	if (stream_close(out, status == ST_OK ? &err : NULL) != ST_OK && status == ST_OK) {
		tool_warn_err(&err);
		status = ST_EIO;
	}
	stream_close(in, NULL);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwswapbytes",
	.summary = "Change the byte order of a flow file",
	.usage = "ORDER-SWITCH [SWITCHES] [INPUT-FILE [OUTPUT-FILE]]",
	.opts = swapbytes_opt_table,
	.opts_size = sizeof(struct swapbytes_opts),
	.run = swapbytes_run,
};

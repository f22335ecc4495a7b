/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwconvert: turn SiLK flow files into block files, and back. */
#include "query/tool.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "query/convert.h"
#include "query/names.h"

struct rwconvert_opts {
	int file_format; /* enum hourfile_kind */
	int compression; /* row of methods */
	char *output_path;
	bool in_place;
	bool allow_loss;
	enum byte_order byte_order;
	struct opt_optstr xargs;
	struct site_opts site;
};

static const char *const format_names[] = { "block", "silk", NULL };

static const char *const method_names[] = { "default", "none", "zlib", "lzo1x",
					    "snappy",  "zstd", NULL };

/* What a method is called in each kind of file; -1: there it is not. */
static const int methods[][2] = {
	{ CHUNK_LZO1X, COMPRESSION_DEFAULT },
	{ CHUNK_PLAIN, COMPRESSION_NONE },
	{ -1, COMPRESSION_ZLIB },
	{ CHUNK_LZO1X, COMPRESSION_LZO1X },
	{ -1, COMPRESSION_SNAPPY },
	{ CHUNK_ZSTD, -1 },
};
_Static_assert(G_N_ELEMENTS(methods) == G_N_ELEMENTS(method_names) - 1, "a row for each name");

static int parse_byte_order(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return byte_order_parse(text, dest, err);
}

static const struct opt rwconvert_opt_table[] = {
	OPT_CHOICE(struct rwconvert_opts, file_format, "file-format", 0, "KIND", format_names,
		   "the kind of file to make: block or silk", .default_text = "block"),
	OPT_STR(struct rwconvert_opts, output_path, "output-path", 0, "PATH",
		"write the one input to this file; SiLK records also to \"stdout\"",
		.flags = OPT_ONCE),
	OPT_FLAG(struct rwconvert_opts, in_place, "in-place", 0,
		 "replace each input by what it is converted to"),
	OPT_FLAG(struct rwconvert_opts, allow_loss, "allow-loss", 0,
		 "with --in-place: replace also what the other kind cannot hold whole"),
	OPT_CHOICE(struct rwconvert_opts, compression, "compression-method", 0, "NAME",
		   method_names, "block files: none, lzo1x, zstd; SiLK: none, zlib, lzo1x, snappy",
		   .default_text = "lzo1x"),
	OPT_CALL(struct rwconvert_opts, byte_order, "byte-order", 0, "ORDER", parse_byte_order, 0,
		 "write SiLK records in this order: native, little or big",
		 .default_text = "native"),
	OPT_OPTSTR(struct rwconvert_opts, xargs, "xargs", 0, "FILE",
		   "read the names of input files from this file, or from standard input",
		   .flags = OPT_ONCE),
	OPT_GROUP(struct rwconvert_opts, site, site_opt_table),
	OPT_END,
};

/* What column_name() says, of core columns. */
static void warn_changed(const char *path, const struct convert_losses *losses)
{
	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		char name[COLUMN_NAME_MAX];

		if (losses->changed[column] > 0) {
			tool_warn("%s: %" PRIu64 " of %" PRIu64
				  " records: column %s is cut to what the format holds",
				  path, losses->changed[column], losses->records,
				  column_name(&column_core(column)->key, name));
		}
	}
}

static int compare_names(const void *a, const void *b)
{
	return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

static void warn_columns(const char *path, const struct convert_losses *losses)
{
	guint count;
	char **names;
	char *list;

	if (losses->columns == NULL) {
		return;
	}
	names = (char **)g_hash_table_get_keys_as_array(losses->columns, &count);
	qsort(names, count, sizeof(*names), compare_names);
	list = g_strjoinv(", ", names);
	tool_warn("%s: extension columns left out: %s", path, list);
	g_free(list);
	g_free(names);
}

static void warn_losses(const char *path, const struct convert_losses *losses)
{
	if (losses->refused > 0) {
		tool_warn("%s: %" PRIu64 " of %" PRIu64 " records left out: %s", path,
			  losses->refused, losses->records, losses->refusal);
	}
	warn_changed(path, losses);
	warn_columns(path, losses);
}

/* Returns the exit status. */
static int convert_one(const char *path, const char *to, const struct convert_opts *opts)
{
	struct convert_losses losses = { 0 };
	struct err err;
	int rc = convert_file(path, to, opts, &losses, &err);
	int status = TOOL_EXIT_OK;

	if (rc == ST_OK || rc == ST_ERANGE) {
		warn_losses(path, &losses);
	}
	if (rc != ST_OK) {
		tool_warn_err(&err);
		status = TOOL_EXIT_ERROR;
	}
	convert_losses_release(&losses);
	return status;
}

/* A list of files may hold some that need nothing: that is no failure, but it is said. */
static int convert_in_place(const struct rwconvert_opts *opts, struct convert_opts *convert,
			    int argc, char **argv)
{
	struct names *names = names_new(&opts->xargs, false, argc, argv);
	int status = TOOL_EXIT_OK;
	const char *name;

	convert->keep_if_lossy = !opts->allow_loss;
	while ((name = names_next(names)) != NULL) {
		status |= convert_one(name, name, convert);
	}
	return names_free(names) ? status : TOOL_EXIT_ERROR;
}

static void check_switches(const struct rwconvert_opts *opts, int argc)
{
	if (methods[opts->compression][opts->file_format] < 0) {
		tool_usage("--compression-method=%s is not for %s files",
			   method_names[opts->compression], format_names[opts->file_format]);
	}
	if (opts->in_place) {
		if (opts->output_path != NULL) {
			tool_usage("--output-path and --in-place exclude each other");
		}
		if (argc == 0 && !opts->xargs.given) {
			tool_usage("no input files given on command line");
		}
		return;
	}
	if (opts->output_path == NULL || argc != 1 || opts->xargs.given) {
		tool_usage("give one input and --output-path, or --in-place");
	}
	if (tool_is_stdout(opts->output_path) && opts->file_format == HOURFILE_BLOCKS) {
		tool_usage("block files cannot be written to standard output");
	}
}

static void check_output(const char *path)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS) && !tool_clobbers()) {
		tool_die("%s: exists already", path);
	}
}

static int rwconvert_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct rwconvert_opts *opts = base;
	const char *icmp_handler = tool_getenv("SILK_ICMP_SPORT_HANDLER");
	struct convert_opts convert = {
		.kind = (enum hourfile_kind)opts->file_format,
		.byte_order = opts->byte_order,
		.no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL,
	};

	check_switches(opts, argc);
	convert.compression = (uint8_t)methods[opts->compression][opts->file_format];
	convert.read_opts.site = tool_site(env, &opts->site, false);
	convert.read_opts.keep_icmp_sport = icmp_handler && strcasecmp(icmp_handler, "none") == 0;
	if (opts->in_place) {
		return convert_in_place(opts, &convert, argc, argv);
	}
	if (tool_is_stdout(opts->output_path)) {
		return convert_one(argv[0], NULL, &convert);
	}
	check_output(opts->output_path);
	return convert_one(argv[0], opts->output_path, &convert);
}

const struct tool tool = {
	.name = "rwconvert",
	.summary = "turn SiLK flow files into block files, and back",
	.usage = "[SWITCHES] FILES",
	.opts = rwconvert_opt_table,
	.opts_size = sizeof(struct rwconvert_opts),
	.run = rwconvert_run,
};

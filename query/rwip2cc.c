/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwip2cc: the country codes of addresses; rwpmaplookup does the same and more. */
#include "query/tool.h"

#include "common/text.h"
#include "common/wildcard.h"
#include "query/mapfile.h"
#include "storage/byteline.h"
#include "storage/country.h"

#include <string.h>

#define LINE_BYTES_MAX 2048
#define IP_WIDTH       15

/* The three switches about addresses; of what they say on printing them, the last counts. */
struct ips_switches {
	bool given;
	bool on;
	bool integer;
	bool zero_pad;
};

struct ip2cc_opts {
	char *map_file;
	char *address;
	char *input_file;
	struct ips_switches ips;
	struct text_opts text;
	struct output_opts output;
};

static int parse_print_ips(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct ips_switches *ips = dest;

	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
		return err_set(err, ST_EINVAL, "value must be 0 or 1");
	}
	ips->given = true;
	ips->on = text[0] == '1';
	return ST_OK;
}

static int parse_ip_form(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct ips_switches *ips = dest;

	ips->given = ips->on = true;
	if (opt->tag == IP_DECIMAL) {
		ips->integer = true;
	} else {
		ips->zero_pad = true;
	}
	return ST_OK;
}

static const struct opt ip2cc_opt_table[] = {
	OPT_STR(struct ip2cc_opts, map_file, "map-file", 0, "FILE",
		"use this map of country codes, not the default one"),
	OPT_STR(struct ip2cc_opts, address, "address", 0, "ADDRESS", "look up this address"),
	OPT_STR(struct ip2cc_opts, input_file, "input-file", 0, "FILE",
		"look up the addresses in this text file, one a line"),
	OPT_CALL(struct ip2cc_opts, ips, "print-ips", 0, "0|1", parse_print_ips, 0,
		 "print the addresses beside their codes (1) or not (0)"),
	OPT_CALL(struct ip2cc_opts, ips, "integer-ips", 0, NULL, parse_ip_form, OPT_ARG_NONE,
		 "print addresses, as decimal numbers", .tag = IP_DECIMAL),
	OPT_CALL(struct ip2cc_opts, ips, "zero-pad-ips", 0, NULL, parse_ip_form, OPT_ARG_NONE,
		 "print addresses, every part at its full width", .tag = IP_ZERO_PADDED),
	OPT_GROUP(struct ip2cc_opts, text, text_opt_table),
	/* as of output_opt_table, but that the last path counts */
	OPT_STR(struct ip2cc_opts, output.output_path, "output-path", 0, "PATH",
		"write the output to this file, \"stdout\" or \"stderr\""),
	OPT_STR(struct ip2cc_opts, output.pager, "pager", 0, "PROGRAM",
		"page the output through this program when it goes to a terminal"),
	OPT_END,
};

struct job {
	const struct pmap *pmap;
	struct text *text;
	bool print_ips;
	unsigned ip_format;
	struct wildcard wildcard; /* of the line being read */
};

static void print_code(const struct job *job, struct ip ip, bool is_v6)
{
	char code[COUNTRY_TEXT_MAX];

	if (job->print_ips) {
		text_cell_done(job->text,
			       ip_print(text_cell(job->text), ip, is_v6, job->ip_format));
	}
	country_print(code, country_lookup(job->pmap, ip));
	text_cell_string(job->text, code);
	text_row_done(job->text);
}

static int print_range(void *arg, const struct cidr *range)
{
	const struct job *job = arg;
	struct ip ip = range->first;

	for (;;) {
		print_code(job, ip, range->is_v6);
		if (ip_equal(ip, range->last)) {
			return 0;
		}
		ip = ip_next(ip);
	}
}

static int take_line(struct job *job, char *line, struct err *err)
{
	int status;

	line[strcspn(line, "#")] = '\0';
	if (!line[strspn(line, " \t\r")]) {
		return ST_OK;
	}
	status = wildcard_parse(line, &job->wildcard, err);
	if (status == ST_OK) {
		wildcard_each_range(&job->wildcard, print_range, job);
	}
	return status;
}

/* The first line that is wrong ends it. */
static int take_file(struct job *job, const char *path, struct err *err)
{
	GString *line = g_string_new(NULL);
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, path, err);

	for (unsigned number = 1; status == ST_OK; number++) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_OK && take_line(job, line->str, err) != ST_OK) {
			status = err_prefix(err, "%s: line %u", path, number);
		}
	}
	bytesource_close(src);
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

static int take_address(struct job *job, const char *address, struct err *err)
{
	struct ip ip;
	bool is_v6;
	int status = ip_parse(address, &ip, &is_v6, err);

	if (status != ST_OK) {
		return err_prefix(err, "invalid address '%s'", address);
	}
	print_code(job, ip, is_v6);
	return ST_OK;
}

/* --- the run --- */

static struct text *open_text(struct tool_env *env, const struct ip2cc_opts *opts, bool print_ips)
{
	struct text_style style;
	struct text *text;
	struct err err;

	if (text_style_from_opts(&opts->text, &style, &err) != ST_OK) {
		tool_die_err(&err);
	}
	style.no_final_delimiter |= !print_ips;
	text = text_new(tool_output(env, &opts->output), &style);
	if (print_ips) {
		text_add_column(text, "ip", IP_WIDTH, false);
	}
	text_add_column(text, "country", 2, false);
	return text;
}

static unsigned choose_format(const struct ips_switches *ips)
{
	if (ips->integer && ips->zero_pad) {
		tool_warn("--integer-ips overrides --zero-pad-ips");
	}
	return ips->integer ? IP_DECIMAL : ips->zero_pad ? IP_ZERO_PADDED : IP_CANONICAL;
}

static int ip2cc_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct ip2cc_opts *opts = base;
	const struct mapfile_choice choice = { MAPFILE_COUNTRY_CODES, opts->map_file };
	struct job *job = g_new0(struct job, 1); /* too large for the stack */
	struct pmap *pmap;
	struct err err;
	int status;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->address == !opts->input_file) {
		tool_usage("one of --address and --input-file must be given");
	}
	pmap = mapfile_read(&choice);
	job->pmap = pmap;
	job->ip_format = choose_format(&opts->ips);
	job->print_ips = opts->ips.given ? opts->ips.on : opts->input_file != NULL;
	job->text = open_text(env, opts, job->print_ips);
	status = opts->address ? take_address(job, opts->address, &err)
			       : take_file(job, opts->input_file, &err);
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	if (text_close(job->text, &err) != ST_OK) {
		tool_warn_err(&err);
		status = ST_EIO;
	}
	pmap_free(pmap);
	g_free(job);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwip2cc",
	.summary = "Print the country codes of addresses",
	.usage = "{--address=ADDRESS | --input-file=FILE} [SWITCHES]",
	.opts = ip2cc_opt_table,
	.opts_size = sizeof(struct ip2cc_opts),
	.run = ip2cc_run,
};

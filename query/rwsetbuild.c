/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsetbuild: make a set of addresses from text. */
#include "query/tool.h"

#include "common/hugeroom.h"
#include "common/wildcard.h"
#include "query/addresscrew.h"
#include "query/addressline.h"
#include "query/delimiter.h"
#include "query/setsink.h"
#include "query/threattext.h"
#include "storage/byteline.h"
#include "storage/ipset.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX         511   /* with its newline; longer ones are passed over */
#define LENIENT_LINE_BYTES_MAX 65536 /* the same of --lenient */
#define WAITING_MAX            256

struct ranges_switch {
	bool given;
	char delimiter;
};

struct setbuild_opts {
	struct ranges_switch ip_ranges;
	bool lenient;
	struct setsink_opts sink;
};

static int parse_ranges(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct ranges_switch *ranges = dest;
	const char *meaning;

	*ranges = (struct ranges_switch){ true, text ? text[0] : '-' };
	meaning = delimiter_other_meaning(ranges->delimiter);
	return meaning ? err_set(err, ST_EINVAL, "Separator may not be the %s character", meaning)
		       : ST_OK;
}

static const struct opt setbuild_opt_table[] = {
	OPT_CALL(struct setbuild_opts, ip_ranges, "ip-ranges", 0, "DELIMITER", parse_ranges,
		 OPT_ARG_OPTIONAL, "take lines with two addresses as ranges"),
	OPT_FLAG(struct setbuild_opts, lenient, "lenient", 0,
		 "read threat lists: find addresses in them and count what is no address",
		 .flags = OPT_ADDED),
	OPT_GROUP(struct setbuild_opts, sink, setsink_opt_table),
	OPT_END,
};

struct job {
	const struct setbuild_opts *opts;
	struct ipset *set;
	struct wildcard wildcard;       /* of the line being read */
	struct ip waiting[WAITING_MAX]; /* to be added */
	size_t waiting_count;
	bool saw_integer;
	bool saw_ipv6;
	unsigned line;
	/* of --lenient */
	unsigned skipped; /* lines with something that is no address */
	unsigned first_skipped;
};

/* The reason in err, in the words "Invalid WHAT on line N: REASON". */
static int invalid(const struct job *job, struct err *err, const char *what)
{
	return err_prefix(err, "Invalid %s on line %u", what, job->line);
}

/* Numbers are IPv4 addresses, so they cannot stand beside IPv6 ones. */
static int check_kind(struct job *job, const char *text, struct err *err)
{
	if (strchr(text, ':')) {
		job->saw_ipv6 = true;
	} else if (!strchr(text, '.')) {
		job->saw_integer = true;
	}
	if (job->saw_integer && job->saw_ipv6) {
		return err_set(err, ST_EINVAL,
			       "Error on line %u: May not mix IPv6 addresses and integer IPs",
			       job->line);
	}
	return ST_OK;
}

static int add_range(void *arg, const struct cidr *range)
{
	struct job *job = arg;

	ipset_add_range(job->set, range->first, range->last);
	return 0;
}

/* A block as it is written; the largest one, /0, is none, as in SiLK. */
static int parse_block(const char *text, struct cidr *out, struct err *err)
{
	int status = cidr_parse(text, out, err);
	unsigned largest;

	if (status != ST_OK) {
		return status;
	}
	largest = out->is_v6 ? 0 : 96;
	if (ip_equal(ip_block_first(out->first, largest), out->first) &&
	    ip_equal(ip_block_last(out->first, largest), out->last)) {
		status = err_set(err, ST_EINVAL, "Value is below minimum of 1");
	}
	return status;
}

/* A block in IPv6 notation that holds all of ::ffff:0:0/96 makes an IPv6 set, as in SiLK. */
static void add_block(struct job *job, const struct cidr *block)
{
	if (block->is_v6 && ip_equal(block->first, ip_from_v4(0)) &&
	    ip_equal(block->last, ip_from_v4(UINT32_MAX))) {
		ipset_widen(job->set);
	}
	add_range(job, block);
}

/* --- lines --- */

/* Is it two addresses, perhaps with a prefix on the first? */
static bool is_pair(const char *text)
{
	struct ip ip;
	bool is_v6;

	if (ip_scan(&text, &ip, &is_v6, NULL) != ST_OK) {
		return false;
	}
	if (*text == '/') {
		text++;
		text += strspn(text, "0123456789");
	}
	if (!strspn(text, " \t-,")) {
		return false;
	}
	text += strspn(text, " \t-,");
	return strpbrk(text, ".:") && ip_parse(text, &ip, &is_v6, NULL) == ST_OK;
}

static int add_wildcard(struct job *job, const char *text, struct err *err)
{
	struct cidr block;

	if (parse_block(text, &block, NULL) == ST_OK) {
		add_block(job, &block);
		return ST_OK;
	}
	if (wildcard_parse(text, &job->wildcard, err) != ST_OK) {
		if (is_pair(text)) {
			err_set(err, ST_EINVAL,
				"Multiple IPs on single line; did you intend to use --ip-ranges?");
			return invalid(job, err, "IP");
		}
		return invalid(job, err, "IP Wildcard");
	}
	if (job->wildcard.is_v6) {
		ipset_widen(job->set);
	}
	wildcard_each_range(&job->wildcard, add_range, job);
	return ST_OK;
}

static int parse_end(const struct job *job, const char *what, char *text, struct cidr *out,
		     struct err *err)
{
	if (ip_parse(text, &out->first, &out->is_v6, err) != ST_OK) {
		return invalid(job, err, what);
	}
	return ST_OK;
}

static int add_pair(struct job *job, char *first_text, char *last_text, struct err *err)
{
	struct cidr first;
	struct cidr last;
	int status = parse_end(job, "minimum IP", first_text, &first, err);

	if (status == ST_OK) {
		status = parse_end(job, "maximum IP", last_text, &last, err);
	}
	if (status != ST_OK) {
		return status;
	}
	if (ip_compare(first.first, last.first) > 0) {
		return err_set(err, ST_EINVAL, "Invalid IP range on line %u: min > max", job->line);
	}
	if (first.is_v6 || last.is_v6) {
		ipset_widen(job->set);
	}
	ipset_add_range(job->set, first.first, last.first);
	return ST_OK;
}

/* A line of --ip-ranges: one address or block, or two addresses. */
static int add_range_line(struct job *job, char *text, struct err *err)
{
	char delimiter = job->opts->ip_ranges.delimiter;
	struct cidr block;
	char *at = strchr(text, delimiter);

	if (at) {
		*at = '\0';
		return add_pair(job, text, at + 1, err);
	}
	if (parse_block(text, &block, err) != ST_OK) {
		return invalid(job, err, "IP");
	}
	add_block(job, &block);
	return ST_OK;
}

/*
 * A dotted quad, perhaps with a prefix, and nothing else but the end of the line: nearly all lines
 * of nearly all inputs. False: whatever it is, nothing was added.
 */
static bool add_quad(struct job *job, const char *at)
{
	uint32_t address = 0;
	unsigned prefix = 32;

	for (int i = 0; i < 4; i++) {
		unsigned octet = 0;
		const char *start = at;

		for (; g_ascii_isdigit(*at) && at - start < 3; at++) {
			octet = octet * 10 + (unsigned)(*at - '0');
		}
		if (at == start || octet > 255 || (i < 3 && *at++ != '.')) {
			return false;
		}
		address = address << 8 | octet;
	}
	if (*at == '/') {
		prefix = 0;
		for (at++; g_ascii_isdigit(*at) && prefix <= 32; at++) {
			prefix = prefix * 10 + (unsigned)(*at - '0');
		}
	}
	if ((*at != '\n' && *at != '\0') || prefix < 1 || prefix > 32) {
		return false;
	}
	ipset_add_range(job->set, ip_block_first(ip_from_v4(address), 96 + prefix),
			ip_block_last(ip_from_v4(address), 96 + prefix));
	return true;
}

static int add_line(struct job *job, char *line, struct err *err)
{
	int status;

	if (!job->opts->ip_ranges.given && add_quad(job, line)) {
		return ST_OK;
	}
	line[strcspn(line, "#\n")] = '\0';
	g_strstrip(line);
	if (!line[0]) {
		return ST_OK;
	}
	status = check_kind(job, line, err);
	if (status != ST_OK) {
		return status;
	}
	return job->opts->ip_ranges.given ? add_range_line(job, line, err)
					  : add_wildcard(job, line, err);
}

/* --- lines of threat lists --- */

/*
 * An address, block or range. A plain number is none here: a first column of numbers rather counts
 * lines. Nor is a wildcard, which in a list of somebody else's could be of any size.
 */
static bool add_threat(struct job *job, const char *text)
{
	struct cidr block;

	if (!strpbrk(text, ".:")) {
		return false;
	}
	if (parse_block(text, &block, NULL) == ST_OK) {
		add_block(job, &block);
		return true;
	}
	if (cidr_parse_range(text, &block, NULL) == ST_OK && !strchr(text, '/')) {
		add_range(job, &block);
		return true;
	}
	return false;
}

static void add_threat_line(struct job *job, char *line)
{
	struct threattext threat;
	char *text;
	bool all_good = true;

	threattext_start(&threat, line);
	while ((text = threattext_next(&threat))) {
		char *blank;

		if (add_threat(job, text)) {
			continue;
		}
		/* words behind the address, as in "192.0.2.1 scanner" */
		blank = strpbrk(text, " \t");
		if (blank) {
			*blank = '\0';
		}
		all_good = (blank && add_threat(job, text)) && all_good;
	}
	if (!all_good) {
		job->first_skipped = job->skipped++ ? job->first_skipped : job->line;
	}
}

/* --- all lines --- */

/* Are most lines plain addresses? */
static bool is_plain(const struct setbuild_opts *opts)
{
	return !opts->lenient && !opts->ip_ranges.given;
}

static void add_waiting(struct job *job)
{
	ipset_add_many(job->set, job->waiting, job->waiting_count);
	job->waiting_count = 0;
}

/*
 * Takes plain addresses from lines in a row; limit is the newline of the last line. Returns how
 * many bytes they are, up to the first line that is something else.
 */
static size_t take_plain_lines(struct job *job, const char *text, const char *limit)
{
	const char *at = text;

	while (at <= limit) {
		struct ip *to = &job->waiting[job->waiting_count];
		size_t len = addressline_v4(at, to);

		if (!len && !job->saw_integer) {
			len = addressline_v6(at, to);
			job->saw_ipv6 = job->saw_ipv6 || len;
		}
		if (!len) {
			break;
		}
		if (++job->waiting_count == WAITING_MAX) {
			add_waiting(job);
		}
		at += len;
		job->line++;
	}
	return (size_t)(at - text);
}

/* The plain lines that come next, all at once; the last one may be left. */
static int read_plain_lines(struct job *job, struct bytesource *src, struct err *err)
{
	const uint8_t *bytes;
	const char *limit;
	size_t len, taken = 0;

	do {
		int status = bytesource_view(src, 1, &bytes, &len, err);

		if (status != ST_OK) {
			return status;
		}
		limit = len > ADDRESSLINE_SPARE ? memrchr(bytes, '\n', len - ADDRESSLINE_SPARE)
						: NULL;
		taken = limit ? take_plain_lines(job, (const char *)bytes, limit) : 0;
		bytesource_consume(src, taken);
	} while (taken && taken == (size_t)(limit + 1 - (const char *)bytes));
	return ST_OK;
}

static int take_line(struct job *job, char *line, struct err *err)
{
	if (job->opts->lenient) {
		add_threat_line(job, line);
		return ST_OK;
	}
	return add_line(job, line, err);
}

/* Of src, up to its end: ST_OK. */
static int read_lines(struct job *job, struct bytesource *src, struct err *err)
{
	size_t longest = job->opts->lenient ? LENIENT_LINE_BYTES_MAX : LINE_BYTES_MAX;
	GString *line = g_string_new(NULL);
	int status = ST_OK;

	while (status == ST_OK) {
		if (is_plain(job->opts)) {
			status = read_plain_lines(job, src, err);
			add_waiting(job);
		}
		if (status == ST_OK) {
			status = byteline_read(src, longest, line, err);
		}
		if (status == ST_OK) {
			status = take_line(job, line->str, err);
		} else if (status == ST_ELIMIT) {
			tool_warn("Input line %u too long. ignored", job->line);
			status = ST_OK;
		}
		job->line += status == ST_OK;
	}
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

/* The addresses of a chunk, then its lines from the first one on that is no plain address. */
static int take_chunk(void *arg, const struct addresschunk *chunk, struct err *err)
{
	struct job *job = arg;
	/* lines with IPv6 addresses behind one with an integer are to be refused */
	bool by_line = chunk->has_v6 && job->saw_integer;
	size_t taken = by_line ? 0 : chunk->taken;
	struct bytesource *rest;
	int status;

	if (!by_line) {
		ipset_add_many(job->set, chunk->ips, chunk->count);
		job->line += (unsigned)chunk->count;
		job->saw_ipv6 = job->saw_ipv6 || chunk->has_v6;
	}
	if (taken == chunk->len) {
		return ST_OK;
	}
	rest = bytesource_memory(chunk->text + taken, chunk->len - taken, "text");
	status = read_lines(job, rest, err);
	bytesource_close(rest);
	return status;
}

static int read_text(struct job *job, struct bytesource *src, struct err *err)
{
	int status;

	job->line = 1;
	status = is_plain(job->opts) ? addresscrew_read(src, LINE_BYTES_MAX, take_chunk, job, err)
				     : read_lines(job, src, err);
	if (status == ST_OK && job->skipped) {
		tool_warn("skipped %u of %u lines without an address, the first is line %u",
			  job->skipped, job->line - 1, job->first_skipped);
	}
	return status;
}

/* --- the run --- */

static struct bytesource *open_input(const char *path)
{
	struct bytesource *src = NULL;
	struct err err;

	if (!path && isatty(STDIN_FILENO)) {
		tool_usage("No input files given on command line and standard input is a terminal");
	}
	if (bytesource_open(&src, path ? path : "-", &err) != ST_OK) {
		tool_die_err(&err);
	}
	return src;
}

static int setbuild_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct setbuild_opts *opts = base;
	struct job *job = g_new0(struct job, 1); /* too large for the stack */
	struct outfile *out;
	struct header entries;
	struct err err;
	struct bytesource *in;
	int status;

	if (argc > 2) {
		tool_usage("Too many arguments; a maximum of two files may be specified");
	}
	if (opts->lenient && opts->ip_ranges.given) {
		tool_usage("Cannot combine the --lenient and --ip-ranges switches");
	}
	hugeroom_return_freed();
	in = open_input(argc > 0 ? argv[0] : NULL);
	out = outfile_create(argc > 1 ? argv[1] : "stdout");
	job->opts = opts;
	job->set = ipset_new();
	if (read_text(job, in, &err) == ST_OK) {
		header_init(&entries);
		if (!opts->sink.invocation_strip) {
			header_add_invocation(&entries, tool_argc(env), tool_argv(env));
		}
		sink_add_notes(&opts->sink.sink, &entries);
		status = setsink_write(out, job->set, &opts->sink, &entries,
				       "Unable to write IPset");
		header_release(&entries);
	} else {
		tool_warn_err(&err);
		outfile_drop(out);
		status = TOOL_EXIT_ERROR;
	}
	bytesource_close(in);
	ipset_free(job->set);
	g_free(job);
	return status;
}

const struct tool tool = {
	.name = "rwsetbuild",
	.summary = "Make a set of addresses from text",
	.usage = "[SWITCHES] [TEXT_FILE [SET_FILE]]",
	.opts = setbuild_opt_table,
	.opts_size = sizeof(struct setbuild_opts),
	.run = setbuild_run,
};

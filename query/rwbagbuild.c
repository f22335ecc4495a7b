/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwbagbuild: make a bag from text or from a set of addresses. */
#include "query/tool.h"

#include "common/numlist.h"
#include "common/wildcard.h"
#include "query/bagsink.h"
#include "query/delimiter.h"
#include "query/mapfile.h"
#include "query/pmapfile.h"
#include "storage/byteline.h"
#include "storage/country.h"
#include "storage/ipset.h"

#include <ctype.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1023 /* with its newline; longer ones are passed over */
/* More keys than this from one line are a slip of the pen, and would fill the memory. */
#define LINE_KEYS_MAX (UINT64_C(1) << 32)

struct delimiter {
	bool given;
	char c;
};

struct default_count {
	bool given;
	uint64_t count;
};

struct bagbuild_opts {
	char *set_input;
	char *bag_input;
	struct delimiter delimiter;
	struct delimiter port_delimiter;
	struct default_count default_count;
	uint16_t key_type;
	uint16_t counter_type;
	char *pmap_file;
	struct bagsink_opts sink;
	struct outfile_opts out;
};

static const struct bagbuild_opts defaults = {
	.delimiter = { false, '|' },
	.key_type = BAGTYPE_CUSTOM,
	.counter_type = BAGTYPE_CUSTOM,
};

static int parse_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct delimiter *delimiter = dest;
	const char *meaning = delimiter_other_meaning(text[0]);

	*delimiter = (struct delimiter){ true, text[0] };
	return meaning ? err_set(err, ST_EINVAL, "May not be the %s character", meaning) : ST_OK;
}

static int parse_type(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return bagtype_find(text, dest, err);
}

static int parse_default_count(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct default_count *count = dest;

	count->given = true;
	return number_parse(text, 0, BAG_COUNTER_MAX, &count->count, err);
}

static const struct opt bagbuild_opt_table[] = {
	OPT_STR(struct bagbuild_opts, set_input, "set-input", 0, "FILE",
		"make a bag of the addresses of this IPset", .flags = OPT_ONCE),
	OPT_STR(struct bagbuild_opts, bag_input, "bag-input", 0, "FILE",
		"make a bag of the keys and counters in this text", .flags = OPT_ONCE),
	OPT_CALL(struct bagbuild_opts, delimiter, "delimiter", 0, "CHAR", parse_delimiter, 0,
		 "this character stands between key and counter", .default_text = "|"),
	OPT_CALL(struct bagbuild_opts, port_delimiter, "proto-port-delimiter", 0, "CHAR",
		 parse_delimiter, 0, "this character stands between protocol and port"),
	OPT_CALL(struct bagbuild_opts, default_count, "default-count", 0, "N", parse_default_count,
		 0, "the counter of every key, whatever the text says"),
	OPT_CALL(struct bagbuild_opts, key_type, "key-type", 0, "TYPE", parse_type, 0,
		 "what the keys are", .default_text = "custom"),
	OPT_CALL(struct bagbuild_opts, counter_type, "counter-type", 0, "TYPE", parse_type, 0,
		 "what the counters are", .default_text = "custom"),
	OPT_STR(struct bagbuild_opts, pmap_file, "pmap-file", 0, "[NAME:]PATH",
		"the prefix map for key types that end in -pmap", .flags = OPT_ONCE),
	OPT_GROUP(struct bagbuild_opts, sink, bagsink_opt_table),
	OPT_GROUP(struct bagbuild_opts, out, outfile_path_opt_table),
	OPT_END,
};

struct job {
	const struct bagbuild_opts *opts;
	struct bag *bag;
	struct pmapfile map;
	struct pmap *country_map;
	const struct pmap *lookup; /* addresses become its values; NULL: they are the keys */
	struct wildcard wildcard;  /* of the line being read */
	const char *output;
	bool saw_integer;
	bool saw_ipv6;
	bool overflowed;
	unsigned line;
};

/* --- keys --- */

static void add_key(struct job *job, struct ip key, uint64_t count)
{
	if (!bag_add(job->bag, key, count) && !job->overflowed) {
		job->overflowed = true;
		tool_warn("**WARNING** Counter overflow for Bag being written to '%s'",
			  job->output);
	}
}

static uint64_t times(uint64_t count, unsigned __int128 keys)
{
	unsigned __int128 product = count && keys > UINT64_MAX ? UINT64_MAX : count * keys;

	return product > BAG_COUNTER_MAX ? BAG_COUNTER_MAX : (uint64_t)product;
}

/* Addresses by blocks that the map knows as one. */
static void add_mapped(struct job *job, struct ip first, struct ip last, uint64_t count)
{
	bool countries = bagtype_kind(job->opts->key_type) == BAGKIND_COUNTRY;

	for (;;) {
		struct pmap_range block = { first, last, PMAP_NO_VALUE };
		uint32_t value;

		if (!pmap_lookup_block(job->lookup, first, &block)) {
			block.last = ip_is_mapped(first) ? last : first;
		}
		block.last = ip_compare(block.last, last) < 0 ? block.last : last;
		value = countries ? country_lookup(job->lookup, first)
				  : pmap_lookup_ip(job->lookup, first);
		add_key(job, ip_from_v4(value),
			times(count, ip_number(block.last) - ip_number(first) + 1));
		if (ip_equal(block.last, last)) {
			return;
		}
		first = ip_next(block.last);
	}
}

/* Counters of 0 make no keys, so they need not be walked. */
static int add_range(struct job *job, struct ip first, struct ip last, uint64_t count,
		     struct err *err)
{
	if (!count) {
		return ST_OK;
	}
	if (job->lookup) {
		add_mapped(job, first, last, count);
		return ST_OK;
	}
	if (ip_number(last) - ip_number(first) >= LINE_KEYS_MAX) {
		return err_set(err, ST_ELIMIT, "more than 2^32 addresses at once");
	}
	for (;;) {
		add_key(job, first, count);
		if (ip_equal(first, last)) {
			return ST_OK;
		}
		first = ip_next(first);
	}
}

struct wildcard_walk {
	struct job *job;
	uint64_t count;
	struct err *err;
};

static int add_wildcard_range(void *arg, const struct cidr *range)
{
	struct wildcard_walk *walk = arg;

	return add_range(walk->job, range->first, range->last, walk->count, walk->err);
}

/* --- lines --- */

/* Numbers may be IPv4 addresses, so they cannot stand beside IPv6 ones. */
static int check_mix(struct job *job, bool integer, bool ipv6, struct err *err)
{
	job->saw_integer = job->saw_integer || integer;
	job->saw_ipv6 = job->saw_ipv6 || ipv6;
	if (job->saw_integer && job->saw_ipv6) {
		return err_set(err, ST_EINVAL,
			       "Error on line %u: May not mix integer keys with IPv6 keys",
			       job->line);
	}
	return ST_OK;
}

static int add_address(struct job *job, const char *text, uint64_t count, struct err *err)
{
	struct wildcard_walk walk = { job, count, err };
	struct cidr block;
	uint64_t number;
	int status;

	if (number_parse(text, 0, UINT32_MAX, &number, NULL) == ST_OK) {
		struct ip ip = ip_from_v4((uint32_t)number);

		status = check_mix(job, true, false, err);
		return status == ST_OK ? add_range(job, ip, ip, count, err) : status;
	}
	if (cidr_parse_min(text, 1, &block, NULL) == ST_OK) {
		status = check_mix(job, !strpbrk(text, ".:"), block.is_v6, err);
		return status == ST_OK ? add_range(job, block.first, block.last, count, err)
				       : status;
	}
	status = wildcard_parse(text, &job->wildcard, err);
	if (status != ST_OK) {
		return err_prefix(err, "Error parsing IP on line %u '%s'", job->line, text);
	}
	status = check_mix(job, false, job->wildcard.is_v6, err);
	return status == ST_OK ? wildcard_each_range(&job->wildcard, add_wildcard_range, &walk)
			       : status;
}

/* A column of a line: a number, or an error that names what it should have been. */
static int parse_column(const struct job *job, const char *text, const char *what, uint64_t max,
			uint64_t *out, struct err *err)
{
	int status = number_parse(text, 0, max, out, err);

	return status == ST_OK
		       ? status
		       : err_prefix(err, "Error parsing %s on line %u '%s'", what, job->line, text);
}

/* Cut text at the delimiter; what follows it, or NULL when there is none. */
static char *cut(char *text, char delimiter)
{
	char *at = strchr(text, delimiter);

	if (at) {
		*at++ = '\0';
	}
	return at;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n\v\f")];
}

/* What stands after the key: nothing is 1. */
static int parse_count(const struct job *job, char *text, uint64_t *out, struct err *err)
{
	const struct bagbuild_opts *opts = job->opts;

	if (opts->default_count.given) {
		*out = opts->default_count.count;
		return ST_OK;
	}
	*out = 1;
	if (!text || is_blank(text)) {
		return ST_OK;
	}
	text += strspn(text, isspace((unsigned char)opts->delimiter.c) ? " \t\r\v\f" : "");
	cut(text, opts->delimiter.c);
	return parse_column(job, text, "count", BAG_COUNTER_MAX, out, err);
}

static int add_port_line(struct job *job, char *line, struct err *err)
{
	const struct bagbuild_opts *opts = job->opts;
	char *port_text =
		cut(line, opts->port_delimiter.given ? opts->port_delimiter.c : opts->delimiter.c);
	char *rest = port_text ? cut(port_text, opts->delimiter.c) : NULL;
	uint64_t protocol;
	uint64_t port;
	uint64_t count;
	int status = parse_column(job, line, "protocol", UINT8_MAX, &protocol, err);

	if (status == ST_OK && !port_text) {
		status =
			err_set(err, ST_EINVAL, "Error on line %u: No port value found", job->line);
	}
	if (status == ST_OK) {
		status = parse_column(job, port_text, "port", UINT16_MAX, &port, err);
	}
	if (status == ST_OK) {
		status = parse_count(job, rest, &count, err);
	}
	if (status == ST_OK) {
		add_key(job,
			ip_from_v4(
				pmap_lookup_port(job->map.pmap, (uint8_t)protocol, (uint16_t)port)),
			count);
	}
	return status;
}

static int add_line(struct job *job, char *line, struct err *err)
{
	uint64_t count;
	char *rest;
	int status;

	line[strcspn(line, "#\n")] = '\0';
	if (is_blank(line)) {
		return ST_OK;
	}
	g_strchug(line);
	if (bagtype_kind(job->opts->key_type) == BAGKIND_PORT_PMAP) {
		return add_port_line(job, line, err);
	}
	rest = cut(line, job->opts->delimiter.c);
	g_strchomp(line);
	status = parse_count(job, rest, &count, err);
	return status == ST_OK ? add_address(job, line, count, err) : status;
}

static int read_lines(struct job *job, struct bytesource *src, struct err *err)
{
	GString *line = g_string_new(NULL);
	int status = ST_OK;

	for (job->line = 1; status == ST_OK; job->line++) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_ELIMIT) {
			tool_warn("Input line %u too long. ignored", job->line);
			status = ST_OK;
		} else if (status == ST_OK) {
			status = add_line(job, line->str, err);
		}
	}
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

/* --- inputs --- */

static int read_text(struct job *job, struct err *err)
{
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, job->opts->bag_input, err);

	if (status == ST_OK) {
		status = read_lines(job, src, err);
		bytesource_close(src);
	}
	return status;
}

static int read_set(struct job *job, struct err *err)
{
	const struct default_count *given = &job->opts->default_count;
	struct ipset *set = NULL;
	int status = ipset_read(&set, job->opts->set_input, NULL, err);

	for (size_t i = 0; status == ST_OK && i < ipset_ranges(set); i++) {
		struct cidr range = ipset_range(set, i);

		status = add_range(job, range.first, range.last, given->given ? given->count : 1,
				   err);
	}
	if (status == ST_OK && job->opts->key_type == BAGTYPE_CUSTOM) {
		bag_set_types(job->bag, bag_is_wide(job->bag) ? BAGTYPE_ANY_IPV6 : BAGTYPE_ANY_IPV4,
			      job->opts->counter_type);
	}
	ipset_free(set);
	return status;
}

static const struct mapfile_choice country_choice = { .kind = MAPFILE_COUNTRY_CODES };

/* A map that is given is read even when the key type needs none. */
static int read_pmap(struct job *job, struct err *err)
{
	const struct bagbuild_opts *opts = job->opts;
	enum bagtype_kind kind = bagtype_kind(opts->key_type);
	bool needed = kind == BAGKIND_IP_PMAP || kind == BAGKIND_PORT_PMAP;
	int status = ST_OK;

	if (opts->pmap_file) {
		status = pmapfile_read(&job->map, opts->pmap_file, err);
	} else if (needed) {
		status = err_set(err, ST_EINVAL,
				 "The --pmap-file switch is required for Bags containing %s keys",
				 bagtype_name(opts->key_type));
	}
	if (status == ST_OK && needed &&
	    (pmap_kind(job->map.pmap) == PMAP_PROTO_PORT) != (kind == BAGKIND_PORT_PMAP)) {
		status = err_set(err, ST_EINVAL,
				 "the prefix map is not of the kind that %s keys need",
				 bagtype_name(opts->key_type));
	}
	return status;
}

/* The maps that are given and that the key type needs. */
static int read_maps(struct job *job, struct err *err)
{
	enum bagtype_kind kind = bagtype_kind(job->opts->key_type);
	int status = read_pmap(job, err);

	if (status == ST_OK && kind == BAGKIND_COUNTRY) {
		job->country_map = mapfile_read(&country_choice);
		job->lookup = job->country_map;
	} else if (status == ST_OK && kind == BAGKIND_IP_PMAP) {
		job->lookup = job->map.pmap;
	}
	return status;
}

static void check_opts(const struct bagbuild_opts *opts, int argc)
{
	const char *input = opts->set_input ? opts->set_input : opts->bag_input;

	if (!input) {
		tool_usage("Must specify either --set-input or --bag-input");
	}
	if (opts->set_input && opts->bag_input) {
		tool_usage("May not specify both --set-input and --bag-input");
	}
	if (argc) {
		tool_usage("Too many arguments or unrecognized switch");
	}
	if ((strcmp(input, "-") == 0 || strcmp(input, "stdin") == 0) && isatty(STDIN_FILENO)) {
		tool_usage("Will not read from a terminal");
	}
}

static int bagbuild_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct bagbuild_opts *opts = base;
	struct job *job = g_new0(struct job, 1); /* too large for the stack */
	struct outfile *out;
	struct header entries;
	struct err err;
	int status;

	check_opts(opts, argc);
	job->opts = opts;
	status = read_maps(job, &err);
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	out = outfile_open(&opts->out);
	job->output = outfile_path(out);
	job->bag = bag_new(opts->key_type, opts->counter_type);
	status = opts->set_input ? read_set(job, &err) : read_text(job, &err);
	if (status == ST_OK) {
		header_init(&entries);
		if (!opts->sink.invocation_strip) {
			header_add_invocation(&entries, tool_argc(env), tool_argv(env));
		}
		sink_add_notes(&opts->sink.sink, &entries);
		status = bagsink_write(out, job->bag, &opts->sink.sink, &entries);
		header_release(&entries);
	} else {
		tool_warn_err(&err);
		outfile_drop(out);
		status = TOOL_EXIT_ERROR;
	}
	bag_free(job->bag);
	pmapfile_release(&job->map);
	pmap_free(job->country_map);
	g_free(job);
	return status;
}

const struct tool tool = {
	.name = "rwbagbuild",
	.summary = "Make a bag from text or from a set of addresses",
	.usage = "{--set-input=FILE | --bag-input=FILE} [SWITCHES]",
	.opts = bagbuild_opt_table,
	.opts_size = sizeof(struct bagbuild_opts),
	.opts_default = &defaults,
	.run = bagbuild_run,
};

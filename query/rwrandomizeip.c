/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwrandomizeip: other addresses in the place of those in flow records. */
#include "query/tool.h"

#include <inttypes.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/numlist.h"
#include "query/outfile.h"
#include "query/scramble.h"
#include "query/sink.h"
#include "query/source.h"
#include "storage/ipset.h"

struct seed {
	bool given;
	uint64_t number;
};

struct randomizeip_opts {
	struct seed seed;
	char *only_change_set;
	char *dont_change_set;
	bool consistent;
	char *save_table;
	char *load_table;
	struct site_opts site;
};

static int parse_seed(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct seed *seed = dest;

	seed->given = true;
	return number_parse(text, 0, UINT64_MAX, &seed->number, err);
}

static const struct opt randomizeip_opt_table[] = {
	OPT_CALL(struct randomizeip_opts, seed, "seed", 0, "N", parse_seed, 0,
		 "draw the same addresses as every run with this seed"),
	OPT_STR(struct randomizeip_opts, only_change_set, "only-change-set", 0, "FILE",
		"change only addresses in this set", .flags = OPT_ONCE),
	OPT_STR(struct randomizeip_opts, dont_change_set, "dont-change-set", 0, "FILE",
		"leave addresses in this set as they are", .flags = OPT_ONCE),
	OPT_FLAG(struct randomizeip_opts, consistent, "consistent", 0,
		 "put the same address in the place of the same"),
	OPT_STR(struct randomizeip_opts, save_table, "save-table", 0, "FILE",
		"do so, and keep the table for other runs in this file", .flags = OPT_ONCE),
	OPT_STR(struct randomizeip_opts, load_table, "load-table", 0, "FILE",
		"do so by the table of an earlier run", .flags = OPT_ONCE),
	OPT_GROUP(struct randomizeip_opts, site, site_opt_table),
	OPT_END,
};

struct randomizer {
	struct ipset *only; /* NULL: all */
	struct ipset *keep; /* NULL: none */
	bool consistent;
	struct scramble tables;
	uint64_t left_out; /* IPv6 records */
};

static struct ipset *read_set(const char *path)
{
	struct ipset *set = NULL;
	struct err err;

	if (path && ipset_read(&set, path, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return set;
}

static void save_tables(const struct scramble *tables, const char *path)
{
	struct outfile *out = outfile_create(path);
	struct err err;

	if (scramble_write(tables, outfile_sink(out), &err) != ST_OK) {
		outfile_drop(out);
		tool_die_err(&err);
	}
	if (outfile_close(out, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static void prepare(struct randomizer *randomizer, const struct randomizeip_opts *opts)
{
	uint32_t seed = (uint32_t)opts->seed.number;
	struct err err;

	if (!opts->seed.given && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		tool_die("cannot get random numbers");
	}
	scramble_seed(seed);
	randomizer->only = read_set(opts->only_change_set);
	randomizer->keep = read_set(opts->dont_change_set);
	randomizer->consistent = opts->consistent || opts->save_table || opts->load_table;
	if (opts->load_table) {
		if (scramble_read(&randomizer->tables, opts->load_table, &err) != ST_OK) {
			tool_die_err(&err);
		}
	} else if (randomizer->consistent) {
		scramble_shuffle(&randomizer->tables);
	}
	if (opts->save_table) {
		save_tables(&randomizer->tables, opts->save_table);
	}
}

static void randomize(const struct randomizer *randomizer, struct ip *ip)
{
	if ((randomizer->keep && ipset_contains(randomizer->keep, *ip)) ||
	    (randomizer->only && !ipset_contains(randomizer->only, *ip))) {
		return;
	}
	*ip = ip_from_v4(randomizer->consistent ? scramble_map(&randomizer->tables, ip_to_v4(*ip))
						: scramble_draw());
}

static int copy_records(struct randomizer *randomizer, struct stream *in, struct stream *out,
			struct err *err)
{
	struct batch *batch = batch_new();
	int status = ST_OK;

	while (status == ST_OK) {
		int read = stream_read_batch(in, batch, COLUMNS_ALL, err);

		if (read != ST_OK) {
			if (read != ST_END) {
				tool_warn_err(err);
			}
			break;
		}
		batch_apply_ipv6_policy(batch, IPV6_ASV4);
		randomizer->left_out += batch->rows - batch->selected;
		for (uint32_t i = 0; i < batch->selected; i++) {
			randomize(randomizer, &batch->sip[batch->selection[i]]);
			randomize(randomizer, &batch->dip[batch->selection[i]]);
		}
		status = stream_write_batch(out, batch, NULL, err);
	}
	batch_free(batch);
	return status;
}

static int randomize_stream(struct randomizer *randomizer, struct stream *in, const char *path)
{
	struct stream_write_opts write_opts = {
		.like = stream_header(in),
		.byte_order = stream_header(in)->big_endian ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE,
	};
	struct stream *out = NULL;
	struct err err;
	int status;

	sink_write_opts(&(struct sink_opts){ 0 }, &write_opts);
	if (stream_create(&out, path, &write_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	status = copy_records(randomizer, in, out, &err);
	if (stream_close(out, status == ST_OK ? &err : NULL) != ST_OK) {
		status = ST_EIO;
	}
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	return status;
}

static int randomizeip_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct randomizeip_opts *opts = base;
	const struct stream_read_opts read_opts = {
		.site = tool_site(env, &opts->site, false),
		.keep_icmp_sport = source_keeps_icmp_sport(),
	};
	struct randomizer randomizer = { 0 };
	struct stream *in = NULL;
	struct err err;
	int status;

	if (argc > 2) {
		tool_usage("too many arguments: '%s'", argv[2]);
	}
	if (opts->save_table && opts->load_table) {
		tool_usage("--save-table and --load-table exclude each other");
	}
	if (argc == 0 && isatty(STDIN_FILENO)) {
		tool_usage("no input file given and standard input is a terminal");
	}
	prepare(&randomizer, opts);
	if (stream_open(&in, argc > 0 ? argv[0] : "stdin", &read_opts, &err) != ST_OK) {
		tool_die_err(&err);
	}
	status = randomize_stream(&randomizer, in, argc > 1 ? argv[1] : "stdout");
	if (randomizer.left_out > 0) {
		tool_warn("%" PRIu64 " records with IPv6 addresses left out", randomizer.left_out);
	}
	stream_close(in, NULL);
	ipset_free(randomizer.only);
	ipset_free(randomizer.keep);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwrandomizeip",
	.summary = "Put random addresses in the place of those in flow records",
	.usage = "[SWITCHES] [INPUT-FILE [OUTPUT-FILE]]",
	.opts = randomizeip_opt_table,
	.opts_size = sizeof(struct randomizeip_opts),
	.run = randomizeip_run,
};

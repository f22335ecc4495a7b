/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwnetmask: keep the first bits of addresses only. */
#include "query/tool.h"

#include "common/numlist.h"
#include "query/sink.h"
#include "query/source.h"

#include <glib.h>

/* Which address; of each there is one length a family. */
enum mask_address { MASK_SIP, MASK_DIP, MASK_NHIP, MASK_ADDRESSES };

struct prefix {
	bool given;
	unsigned bits; /* of 128, IPv4 counted as 96 + n */
};

struct netmask_opts {
	struct prefix v4[MASK_ADDRESSES];
	struct prefix v6[MASK_ADDRESSES];
	char *output_path;
	struct source_opts source;
	struct sink_opts sink;
	struct site_opts site;
};

#define V4_SHIFT 96
#define V4_BITS  32
#define V6_BITS  128

/* Lengths that take nothing away need no work. */
static const struct netmask_opts netmask_defaults = {
	.v4 = { { .bits = V6_BITS }, { .bits = V6_BITS }, { .bits = V6_BITS } },
	.v6 = { { .bits = V6_BITS }, { .bits = V6_BITS }, { .bits = V6_BITS } },
};

static int parse_prefix(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct prefix *prefix = dest;
	unsigned shift = opt->tag == V4_BITS ? V4_SHIFT : 0;
	uint64_t bits = 0;
	int status = number_parse(text, 1, (uint64_t)opt->tag, &bits, err);

	if (status == ST_OK && prefix->given) {
		tool_warn("--%s is given more than once; the last one, %s, counts", opt->name,
			  text);
	}
	if (status == ST_OK) {
		*prefix = (struct prefix){ true, (unsigned)bits + shift };
	}
	return status;
}

#define PREFIX4(name, address, help)                                                               \
	OPT_CALL(struct netmask_opts, v4[address], name, 0, "N", parse_prefix, 0, help,            \
		 .tag = V4_BITS)
#define PREFIX6(name, address, help)                                                               \
	OPT_CALL(struct netmask_opts, v6[address], name, 0, "N", parse_prefix, 0, help,            \
		 .tag = V6_BITS)

static const struct opt netmask_opt_table[] = {
	PREFIX4("4sip-prefix-length", MASK_SIP, "keep this many bits of an IPv4 source"),
	PREFIX4("4dip-prefix-length", MASK_DIP, "keep this many bits of an IPv4 destination"),
	PREFIX4("4nhip-prefix-length", MASK_NHIP, "keep this many bits of an IPv4 next hop"),
	PREFIX6("6sip-prefix-length", MASK_SIP, "keep this many bits of an IPv6 source"),
	PREFIX6("6dip-prefix-length", MASK_DIP, "keep this many bits of an IPv6 destination"),
	PREFIX6("6nhip-prefix-length", MASK_NHIP, "keep this many bits of an IPv6 next hop"),
	PREFIX4("sip-prefix-length", MASK_SIP, "the same as --4sip-prefix-length"),
	PREFIX4("dip-prefix-length", MASK_DIP, "the same as --4dip-prefix-length"),
	PREFIX4("nhip-prefix-length", MASK_NHIP, "the same as --4nhip-prefix-length"),
	OPT_STR(struct netmask_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file or pipe, \"stdout\" or \"stderr\"",
		.flags = OPT_ONCE, .default_text = "stdout"),
	OPT_GROUP(struct netmask_opts, source, source_names_opt_table),
	OPT_CALL(struct netmask_opts, source.ipv6_policy, "ipv6-policy", 0, "POLICY",
		 source_parse_policy, 0, "treat IPv6 records so: ignore, asv4, mix, force or only"),
	OPT_GROUP(struct netmask_opts, sink, sink_opt_table),
	OPT_GROUP(struct netmask_opts, site, site_opt_table),
	OPT_END,
};

static void mask_column(struct ip *column, const struct batch *batch, const struct prefix *v4,
			const struct prefix *v6)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint16_t row = batch->selection[i];
		const struct prefix *prefix = batch->state[row] & RECORD_IPV6 ? v6 : v4;

		column[row] = ip_block_first(column[row], prefix->bits);
	}
}

static void mask_batch(const struct netmask_opts *opts, struct batch *batch)
{
	struct ip *columns[MASK_ADDRESSES] = { batch->sip, batch->dip, batch->nhip };

	for (size_t i = 0; i < MASK_ADDRESSES; i++) {
		if (opts->v4[i].given || opts->v6[i].given) {
			mask_column(columns[i], batch, &opts->v4[i], &opts->v6[i]);
		}
	}
}

static bool any_given(const struct netmask_opts *opts)
{
	for (size_t i = 0; i < MASK_ADDRESSES; i++) {
		if (opts->v4[i].given || opts->v6[i].given) {
			return true;
		}
	}
	return false;
}

static int netmask_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct netmask_opts *opts = base;
	struct source *source;
	struct stream *out;
	struct batch *batch = batch_new();
	struct err err;
	int status = ST_OK;
	int exit_status;

	if (!any_given(opts)) {
		tool_usage("at least one prefix length must be given");
	}
	source = source_new(env, &opts->source, argc, argv);
	source_set_site(source, tool_site(env, &opts->site, false));
	source_set_damage(source, SOURCE_DAMAGE_FORGIVEN);
	out = sink_create(&opts->sink, opts->output_path, (struct stream_write_opts){ 0 });
	while (status == ST_OK && source_next(source, batch, COLUMNS_ALL)) {
		mask_batch(opts, batch);
		status = stream_write_batch(out, batch, NULL, &err);
	}
	if (stream_close(out, status == ST_OK ? &err : NULL) != ST_OK) {
		status = ST_EIO;
	}
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	batch_free(batch);
	exit_status = source_close(source);
	return status == ST_OK ? exit_status : TOOL_EXIT_ERROR;
}

const struct tool tool = {
	.name = "rwnetmask",
	.summary = "Keep only the first bits of the addresses of flow records",
	.usage = "PREFIX-SWITCH... [SWITCHES] [FILES]",
	.opts = netmask_opt_table,
	.opts_size = sizeof(struct netmask_opts),
	.opts_default = &netmask_defaults,
	.run = netmask_run,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/madefields.h"

#include <string.h>

#include "common/timestamp.h"
#include "query/flowfield.h"
#include "query/flowrate.h"
#include "storage/repo.h"

struct madefields {
	struct mapfields *maps;
	struct flowfields *flows;
};

static const struct plugin {
	const char *name;
	unsigned fields;
} plugins[] = {
	{ "flowrate.so", FLOWFIELD_RATE },         { "flowkey.so", FLOWFIELD_KEY },
	{ "cutmatch.so", FLOWFIELD_MATCH },        { "int-ext-fields.so", FLOWFIELD_INT_EXT },
	{ "conficker-c.so", FLOWFIELD_CONFICKER }, { "app-mismatch.so", 0 },
};

int madefields_parse_plugin(const char *name, unsigned *out, struct err *err)
{
	const char *slash = strrchr(name, '/');
	const char *file = slash ? slash + 1 : name;

	for (size_t i = 0; i < G_N_ELEMENTS(plugins); i++) {
		if (strcmp(plugins[i].name, file) == 0) {
			*out |= plugins[i].fields;
			return ST_OK;
		}
	}
	return err_set(err, ST_ESUPPORT, "Not one of the plug-ins that are built in");
}

static int parse_plugin(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return madefields_parse_plugin(text, dest, err);
}

static int refuse_python(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return err_set(err, ST_ESUPPORT,
		       "--%s is not supported: this program runs no Python; rwfilter --where tests "
		       "expressions over all fields",
		       opt->name);
}

#define REFUSED(name_, arg_)                                                                       \
	{                                                                                          \
		.kind = OPT_KIND_CALL, .name = name_, .arg = arg_, .help = "not supported",        \
		.parse = refuse_python, .flags = OPT_OWN_ERROR | OPT_HIDDEN | OPT_ADDED            \
	}

const struct opt madefield_python_opt_table[] = {
	REFUSED("python-file", "FILE"),
	REFUSED("python-expr", "TEXT"),
	OPT_END,
};

const struct opt madefield_opt_table[] = {
	OPT_STRS(struct madefield_opts, pmap_files, "pmap-file", 0, "[NAME:]FILE",
		 "add the fields src-NAME and dst-NAME of this prefix map; may be repeated"),
	OPT_CALL(struct madefield_opts, plugins, "plugin", 0, "FILE", parse_plugin, 0,
		 "accepted for SiLK's plug-ins, whose fields are built in; may be repeated"),
	OPT_U64(struct madefield_opts, zero_duration_us, "flowrate-zero-duration", 0,
		"MICROSECONDS", 1, UINT32_MAX, "take this as the duration of 0 in rates",
		.default_text = "400", .flags = OPT_ADDED),
	OPT_GROUP(struct madefield_opts, conficker, conficker_opt_table),
	OPT_STR(struct madefield_opts, incoming, "incoming-flowtypes", 0, "LIST",
		"pairs of CLASS/TYPE whose destination is inside, for int-ip and its like",
		.flags = OPT_ADDED),
	OPT_STR(struct madefield_opts, outgoing, "outgoing-flowtypes", 0, "LIST",
		"pairs of CLASS/TYPE whose source is inside", .flags = OPT_ADDED),
	{ .kind = OPT_KIND_GROUP, .group = madefield_python_opt_table },
	OPT_END,
};

const struct opt madefield_width_opt_table[] = {
	OPT_U64(struct madefield_opts, pmap_column_width, "pmap-column-width", 0, "N", 1,
		UINT16_MAX, "make columns of labels no wider than this", .flags = OPT_ONCE),
	OPT_END,
};

uint64_t madefields_zero_ns(const struct madefield_opts *opts)
{
	return opts->zero_duration_us ? opts->zero_duration_us * (uint64_t)NS_PER_US
				      : FLOWRATE_ZERO_NS;
}

/* false: neither switch nor variable is there. */
static bool parse_flowtypes(const char *name, const char *given, const char *variable,
			    const struct site *site, struct numset *out)
{
	const char *text = given ? given : tool_getenv(variable);
	char *intro = g_strconcat("Invalid ", name, NULL);
	int *ids = NULL;
	size_t count = 0;
	struct err err;

	if (text &&
	    repo_parse_list(site, REPO_LIST_FLOWTYPES, intro, text, &ids, &count, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	for (size_t i = 0; i < count; i++) {
		numset_add(out, (uint16_t)ids[i]);
	}
	g_free(ids);
	g_free(intro);
	return text != NULL;
}

static void set_up(struct flowfield_setup *setup, const struct madefield_opts *opts,
		   struct tool_env *env, const struct site_opts *site_opts)
{
	const struct site *site = tool_site(env, site_opts, false);
	bool incoming = parse_flowtypes("incoming-flowtypes", opts->incoming, "INCOMING_FLOWTYPES",
					site, &setup->incoming);
	bool outgoing = parse_flowtypes("outgoing-flowtypes", opts->outgoing, "OUTGOING_FLOWTYPES",
					site, &setup->outgoing);

	setup->has_sides = incoming && outgoing;
	setup->zero_ns = madefields_zero_ns(opts);
	setup->plugins = opts->plugins;
	setup->conficker = opts->conficker;
}

struct madefields *madefields_new(const struct madefield_opts *opts, struct tool_env *env,
				  const struct site_opts *site, struct extfields *ext)
{
	struct madefields *made = g_new0(struct madefields, 1);
	struct flowfield_setup setup = { 0 };
	struct err err;

	made->maps = mapfields_new();
	for (guint i = 0; opts->pmap_files && i < opts->pmap_files->len; i++) {
		const char *text = g_ptr_array_index(opts->pmap_files, i);

		if (mapfields_add(made->maps, text, &err) != ST_OK) {
			tool_usage("Invalid pmap-file '%s': %s", text, err.text);
		}
	}
	if (opts->pmap_column_width) {
		mapfields_set_width(made->maps, (unsigned)opts->pmap_column_width);
	}
	mapfields_register(made->maps, ext);
	set_up(&setup, opts, env, site);
	made->flows = flowfields_new(&setup);
	flowfields_register(made->flows, ext);
	return made;
}

void madefields_free(struct madefields *made)
{
	if (made) {
		flowfields_free(made->flows);
		mapfields_free(made->maps);
		g_free(made);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setsink.h"

#include "common/numlist.h"
#include "query/tool.h"
#include "storage/bytesink.h"

#include <glib.h>

#define VERSION_MAX 5

/* Any but 1, which nobody ever wrote. */
static int parse_version_number(const char *text, uint16_t *out, struct err *err)
{
	uint64_t number;
	int status = number_parse(text, 0, VERSION_MAX, &number, err);

	if (status == ST_OK && number == 1) {
		status = err_set(err, ST_EINVAL, "Illegal version number");
	}
	if (status == ST_OK) {
		*out = (uint16_t)number;
	}
	return status;
}

static int parse_version(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct setsink_version *version = dest;

	version->given = true;
	return parse_version_number(text, &version->number, err);
}

const struct opt setsink_opt_table[] = {
	OPT_CALL(struct setsink_opts, version, "record-version", 0, "VERSION", parse_version, 0,
		 "write this version of the IPset format: 0, 2, 3, 4 or 5", .default_text = "0"),
	OPT_FLAG(struct setsink_opts, invocation_strip, "invocation-strip", 0,
		 "do not record the command line in the output"),
	OPT_GROUP(struct setsink_opts, sink, sink_opt_table),
	OPT_END,
};

const struct opt setsink_version_opt_table[] = {
	OPT_CALL(struct setsink_version, given, "ipset-record-version", 0, "VERSION", parse_version,
		 0, "write this version of the IPset format: 0, 2, 3, 4 or 5", .default_text = "0"),
	OPT_END,
};

void setsink_write_opts(const struct setsink_opts *opts, struct ipset_write_opts *out)
{
	const char *text = tool_getenv("SILK_IPSET_RECORD_VERSION");

	out->compression = (uint8_t)sink_compression(&opts->sink);
	out->no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL;
	if (opts->version.given) {
		out->record_version = opts->version.number;
	} else if (text) {
		/* a wrong value is as good as none */
		parse_version_number(text, &out->record_version, NULL);
	}
}

/* status is that of writing. */
static int finish(struct outfile *out, int status, struct err *err, const char *what)
{
	char *path = g_strdup(outfile_path(out));

	if (status == ST_OK) {
		status = outfile_close(out, err);
	} else if (status == ST_EINVAL) {
		/* the file of a set that its version cannot hold stays, empty, as in SiLK */
		outfile_leave_empty(out);
	} else {
		outfile_drop(out);
	}
	if (status != ST_OK) {
		err_prefix(err, "%s to '%s'", what, path);
		tool_warn_err(err);
	}
	g_free(path);
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

void setsink_finish(struct ipset *set, const struct setsink_opts *opts)
{
	struct ipset_write_opts write = { 0 };

	setsink_write_opts(opts, &write);
	if (write.record_version == 0 || write.record_version == 3) {
		ipset_finish_for_tree(set);
	} else {
		ipset_finish(set);
	}
}

int setsink_write(struct outfile *out, struct ipset *set, const struct setsink_opts *opts,
		  const struct header *entries, const char *what)
{
	struct ipset_write_opts write = { .entries = entries };
	struct err err;

	setsink_finish(set, opts);
	setsink_write_opts(opts, &write);
	return finish(out, ipset_write_to(set, outfile_sink(out), &write, &err), &err, what);
}

int setsink_write_seen(struct outfile *out, const struct sightings *seen,
		       const struct setsink_opts *opts, const struct header *entries,
		       const char *what)
{
	struct ipset_write_opts write = { .entries = entries };
	struct err err;

	setsink_write_opts(opts, &write);
	return finish(out, sightings_write_to(seen, outfile_sink(out), &write, &err), &err, what);
}

int setsink_write_out(struct outfile *out, const struct ipset *set,
		      const struct setsink_version *version, const struct sink_opts *sink,
		      const struct header *entries)
{
	const struct setsink_opts opts = { .version = *version, .sink = *sink };
	struct ipset_write_opts write = { .entries = entries };
	struct err err;
	int status;

	setsink_write_opts(&opts, &write);
	status = ipset_write_to(set, outfile_sink(out), &write, &err);
	if (status == ST_OK) {
		status = outfile_close(out, &err);
	} else {
		outfile_drop(out);
	}
	if (status != ST_OK) {
		tool_warn_err(&err);
	}
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwgeoip2ccmap: make a map of country codes from a MaxMind database. */
#include "query/tool.h"

#include "query/geoip.h"
#include "query/pmapsink.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is read --- */

enum form { FORM_AUTO, FORM_CSV, FORM_BINARY };
enum age { AGE_AUTO, AGE_NEW, AGE_OLD };

struct mode {
	bool given;
	enum geoip_family family;
	enum form form;
	enum age age;
};

/* Each word sets one part of the mode. */
static const struct mode_word {
	const char *name;
	struct mode part;
} mode_words[] = {
	{ "auto", { .given = true } },         { "ipv6", { .family = GEOIP_IPV6 } },
	{ "ipv4", { .family = GEOIP_IPV4 } },  { "csv", { .form = FORM_CSV } },
	{ "binary", { .form = FORM_BINARY } }, { "geoip2", { .age = AGE_NEW } },
	{ "legacy", { .age = AGE_OLD } },
};

static const char *const field_names[] = {
	[GEOIP_LOCATION] = "location",
	[GEOIP_REGISTERED] = "registered",
	[GEOIP_REPRESENTED] = "represented",
	[GEOIP_CONTINENT] = "continent",
	[GEOIP_FLAGS] = "flags",
};

/* Which of count names, of either case and maybe cut, is meant; names are stride bytes apart. */
static int find_name(const char *text, const char *const *names, size_t stride, size_t count,
		     size_t *out, struct err *err)
{
	size_t len = strlen(text);
	size_t matches = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name =
			*(const char *const *)(const void *)((const char *)names + i * stride);

		if (g_ascii_strncasecmp(name, text, len) == 0) {
			*out = i;
			matches++;
		}
	}
	if (matches == 1) {
		return ST_OK;
	}
	return err_set(err, ST_EINVAL, matches ? "'%s' may mean several" : "'%s' is not known",
		       text);
}

static int add_mode_word(struct mode *mode, const char *text, struct err *err)
{
	const struct mode *part;
	size_t i = 0;
	int status = find_name(text, &mode_words[0].name, sizeof(mode_words[0]),
			       G_N_ELEMENTS(mode_words), &i, err);

	if (status != ST_OK) {
		return status;
	}
	part = &mode_words[i].part;
	if ((part->family && mode->family) || (part->form && mode->form) ||
	    (part->age && mode->age)) {
		return err_set(err, ST_EINVAL, "'%s' conflicts with what is before it", text);
	}
	mode->family |= part->family;
	mode->form |= part->form;
	mode->age |= part->age;
	return ST_OK;
}

static int parse_mode_words(const char *text, struct mode *mode, struct err *err)
{
	char **words = g_strsplit(text, ",", -1);
	int status = ST_OK;

	if (mode->given) {
		status = err_set(err, ST_EINVAL, "the mode is given several times");
	} else if (!text[0]) {
		status = err_set(err, ST_EINVAL, "the list is empty");
	}
	for (char **word = words; *word && status == ST_OK; word++) {
		if (**word) {
			status = add_mode_word(mode, *word, err);
		}
	}
	mode->given = true;
	g_strfreev(words);
	return status;
}

static int parse_mode(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return parse_mode_words(text, dest, err);
}

/* Old switches that stand for a mode. */
static const char *const mode_aliases[] = { "ipv4,csv,legacy", "ipv6,csv,legacy", "binary,legacy" };

static int parse_mode_alias(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return parse_mode_words(mode_aliases[opt->tag], dest, err);
}

struct fields_switch {
	bool given;
	struct geoip_fields fields;
};

static int add_field(struct geoip_fields *fields, const char *text, struct err *err)
{
	size_t field = 0;
	int status = find_name(text, &field_names[0], sizeof(field_names[0]),
			       G_N_ELEMENTS(field_names), &field, err);

	for (size_t i = 0; i < fields->count && status == ST_OK; i++) {
		if (fields->order[i] == field) {
			status = err_set(err, ST_EINVAL, "'%s' is given twice", text);
		}
	}
	if (status == ST_OK) {
		fields->order[fields->count++] = (enum geoip_field)field;
	}
	return status;
}

static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct fields_switch *fields = dest;
	char **words = g_strsplit(text, ",", -1);
	int status = ST_OK;

	if (fields->given) {
		status = err_set(err, ST_EINVAL, "the fields are given several times");
	}
	fields->given = true;
	fields->fields.count = 0;
	for (char **word = words; *word && status == ST_OK; word++) {
		if (**word) {
			status = add_field(&fields->fields, *word, err);
		}
	}
	g_strfreev(words);
	return status == ST_OK && !text[0] ? err_set(err, ST_EINVAL, "the list is empty") : status;
}

struct ccmap_opts {
	char *input_path;
	struct mode mode;
	struct fields_switch fields;
	struct pmapsink_opts sink;
};

static const struct opt ccmap_opt_table[] = {
	OPT_STR(struct ccmap_opts, input_path, "input-path", 0, "PATH",
		"read the database from this file or folder", .flags = OPT_ONCE,
		.default_text = "stdin"),
	OPT_STR(struct ccmap_opts, input_path, "input-file", 0, "PATH", "the same as --input-path",
		.flags = OPT_ONCE | OPT_HIDDEN),
	OPT_CALL(struct ccmap_opts, mode, "mode", 0, "LIST", parse_mode, 0,
		 "what is read and made: auto, or some of ipv4 or ipv6, csv or binary, geoip2 or "
		 "legacy",
		 .default_text = "auto"),
	OPT_CALL(struct ccmap_opts, fields, "fields", 0, "LIST", parse_fields, 0,
		 "in which order to look at what is said of a block",
		 .default_text = "location,registered,represented,continent,flags"),
	OPT_CALL(struct ccmap_opts, mode, "csv-input", 0, NULL, parse_mode_alias, OPT_ARG_NONE,
		 "the same as --mode=ipv4,csv,legacy", .tag = 0),
	OPT_CALL(struct ccmap_opts, mode, "v6-csv-input", 0, NULL, parse_mode_alias, OPT_ARG_NONE,
		 "the same as --mode=ipv6,csv,legacy", .tag = 1),
	OPT_CALL(struct ccmap_opts, mode, "encoded-input", 0, NULL, parse_mode_alias, OPT_ARG_NONE,
		 "the same as --mode=binary,legacy", .tag = 2),
	OPT_GROUP(struct ccmap_opts, sink, pmapsink_opt_table),
	OPT_END,
};

/* --- the run --- */

static void warn(const char *text)
{
	tool_warn("%s", text);
}

/* Does it begin as no text does? */
static int looks_binary(struct bytesource *src, bool *out, struct err *err)
{
	const uint8_t *at;
	size_t len;
	int status = bytesource_view(src, 512, &at, &len, err);

	*out = false;
	for (size_t i = 0; status == ST_OK && i < len && i < 512; i++) {
		*out |= at[i] < '\t' || (i == 0 && at[i] > '~');
	}
	return status;
}

static int read_old(struct geoip *geoip, const char *path, enum form form, struct err *err)
{
	struct bytesource *src = NULL;
	bool binary = false;
	int status = bytesource_open(&src, path, err);

	if (status == ST_OK) {
		status = looks_binary(src, &binary, err);
	}
	if (status == ST_OK && form != FORM_AUTO && binary != (form == FORM_BINARY)) {
		status = err_set(err, ST_EFORMAT, "%s: the file is %s", path,
				 binary ? "binary" : "text");
	}
	if (status == ST_OK) {
		status = binary ? geoip_read_old_binary(geoip, src, err)
				: geoip_read_old_csv(geoip, src, err);
	}
	bytesource_close(src);
	return status;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int read_folder(struct geoip *geoip, const char *path, const struct mode *mode,
		       struct err *err)
{
	if (mode->age == AGE_OLD || mode->form == FORM_BINARY) {
		return err_set(err, ST_EFORMAT, "%s: is a folder", path);
	}
	return geoip_read_new_csv(geoip, path, err);
}

static int read_file(struct geoip *geoip, const char *path, const struct mode *mode,
		     struct err *err)
{
	if (mode->age == AGE_NEW && mode->form == FORM_CSV) {
		return err_set(err, ST_EFORMAT, "%s: is not a folder", path);
	}
	if (mode->age == AGE_NEW ||
	    (mode->age == AGE_AUTO && mode->form != FORM_CSV && geoip_is_new_binary(path))) {
		return geoip_read_new_binary(geoip, path, err);
	}
	return read_old(geoip, path, mode->form, err);
}

static int read_database(struct geoip *geoip, const struct ccmap_opts *opts, struct err *err)
{
	const char *path = opts->input_path ? opts->input_path : "stdin";

	if (strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0) {
		if (opts->mode.age == AGE_NEW) {
			tool_usage("--mode=geoip2 needs an --input-path");
		}
		return read_old(geoip, path, opts->mode.form, err);
	}
	return is_folder(path) ? read_folder(geoip, path, &opts->mode, err)
			       : read_file(geoip, path, &opts->mode, err);
}

static int ccmap_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct ccmap_opts *opts = base;
	struct geoip geoip = {
		.family = opts->mode.family,
		.fields = opts->fields.given ? opts->fields.fields : geoip_default_fields,
		.warn = warn,
	};
	struct err err;
	int status = TOOL_EXIT_ERROR;

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->input_path && isatty(STDIN_FILENO)) {
		tool_usage("no --input-path given and standard input is a terminal");
	}
	if (read_database(&geoip, opts, &err) != ST_OK) {
		tool_warn_err(&err);
	} else {
		if (geoip.faults) {
			tool_warn("%u line%s passed over", geoip.faults,
				  geoip.faults == 1 ? " was" : "s were");
		}
		status = pmapsink_write(env, geoip.map, &opts->sink);
	}
	pmap_free(geoip.map);
	return status;
}

const struct tool tool = {
	.name = "rwgeoip2ccmap",
	.summary = "Make a map of country codes from a MaxMind database",
	.usage = "[SWITCHES]",
	.opts = ccmap_opt_table,
	.opts_size = sizeof(struct ccmap_opts),
	.run = ccmap_run,
};

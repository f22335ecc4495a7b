/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanrc.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "query/tool.h"
#include "storage/byteline.h"

#define LINE_BYTES_MAX 4096

static int take_text(const char *value, char **dest, struct err *err)
{
	g_free(*dest);
	*dest = g_strdup(value);
	return ST_OK;
}

static int take_driver(const char *value, char **dest, struct err *err)
{
	if (g_ascii_strcasecmp(value, "sqlite") != 0) {
		return err_set(err, ST_EINVAL, "db_driver '%s' is not supported, only sqlite is",
			       value);
	}
	return ST_OK;
}

static int pass_over(const char *value, char **dest, struct err *err)
{
	return ST_OK;
}

static const struct parameter {
	const char *name;
	int (*take)(const char *value, char **dest, struct err *err);
	size_t offset;
} parameters[] = {
	{ "db_driver", take_driver, 0 },
	{ "db_userid", pass_over, 0 },
	{ "db_password", pass_over, 0 },
	{ "db_instance", take_text, offsetof(struct scanrc, instance) },
	{ "rw_in_class", take_text, offsetof(struct scanrc, in_class) },
	{ "rw_in_type", take_text, offsetof(struct scanrc, in_type) },
	{ "rw_out_class", take_text, offsetof(struct scanrc, out_class) },
	{ "rw_out_type", take_text, offsetof(struct scanrc, out_type) },
};

int scanrc_find(char **out, struct err *err)
{
	const char *named = tool_getenv("RWSCANRC");
	const char *home = tool_getenv("HOME");
	const char *const folders[] = { home ? home : "/", TUSSAH_PREFIX "/share/silk" };

	*out = g_strdup(named);
	if (named && access(named, F_OK) != 0) {
		g_clear_pointer(out, g_free);
		return err_set(err, ST_ENOENT, "there is no file %s, which RWSCANRC names", named);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(folders) && !*out; i++) {
		*out = g_build_filename(folders[i], ".rwscanrc", NULL);
		if (access(*out, F_OK) != 0) {
			g_clear_pointer(out, g_free);
		}
	}
	return ST_OK;
}

static int take_line(struct scanrc *rc, char *line, struct err *err)
{
	char *name = g_strstrip(line);
	char *value = strchr(name, '=');

	if (!*name || *name == '#') {
		return ST_OK;
	}
	if (!value) {
		return err_set(err, ST_EINVAL, "'%s' is not NAME=VALUE", name);
	}
	*value++ = '\0';
	g_strchomp(name);
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
		if (strcmp(parameters[i].name, name) == 0) {
			return parameters[i].take(
				g_strchug(value),
				(char **)(void *)((char *)rc + parameters[i].offset), err);
		}
	}
	return err_set(err, ST_EINVAL, "there is no parameter '%s'", name);
}

int scanrc_read(struct scanrc *rc, const char *path, struct err *err)
{
	GString *line = g_string_new(NULL);
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, path, err);

	for (unsigned number = 1; status == ST_OK; number++) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_OK && take_line(rc, line->str, err) != ST_OK) {
			status = err_prefix(err, "%s:%u", path, number);
		}
	}
	bytesource_close(src);
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

void scanrc_release(struct scanrc *rc)
{
	g_free(rc->instance);
	g_free(rc->in_class);
	g_free(rc->in_type);
	g_free(rc->out_class);
	g_free(rc->out_type);
	*rc = (struct scanrc){ NULL };
}

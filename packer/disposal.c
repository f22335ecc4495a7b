/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/disposal.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/* What commands know the path by. */
#define DISPOSAL_VARIABLE "TUSSAH_FILE"

/* Rename, or copy and delete when the target lies on another file system. */
static int disposal_move(const char *path, const char *directory, char **moved_to, struct err *err)
{
	char *name = g_path_get_basename(path);
	char *target = g_build_filename(directory, name, NULL);
	char *content = NULL;
	gsize len;
	GError *error = NULL;
	int st = ST_OK;

	if (g_mkdir_with_parents(directory, 0777) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", directory);
	} else if (g_rename(path, target) == 0) {
		st = ST_OK;
	} else if (errno != EXDEV) {
		st = err_errno(err, ST_EIO, errno, "cannot move %s to %s", path, target);
	} else if (!g_file_get_contents(path, &content, &len, &error) ||
		   !g_file_set_contents_full(target, content, (gssize)len,
					     G_FILE_SET_CONTENTS_CONSISTENT |
						     G_FILE_SET_CONTENTS_DURABLE,
					     0644, &error)) {
		st = err_set(err, ST_EIO, "cannot move %s: %s", path, error->message);
		g_error_free(error);
	} else if (g_unlink(path) != 0) {
		st = err_errno(err, ST_EIO, errno, "%s", path);
	}
	g_free(content);
	g_free(name);
	if (st == ST_OK && moved_to) {
		*moved_to = target;
	} else {
		g_free(target);
	}
	return st;
}

int disposal_command(const char *command, const char *path, char **out, struct err *err)
{
	GString *text = g_string_new(NULL);

	for (const char *at = command; *at; at++) {
		if (*at != '%') {
			g_string_append_c(text, *at);
			continue;
		}
		at++;
		if (*at == 's') {
			g_string_append(text, path);
		} else if (*at == '%') {
			g_string_append_c(text, '%');
		} else {
			g_string_free(text, TRUE);
			return err_set(err, ST_EINVAL, "Unknown conversion '%%%.1s'", at);
		}
	}
	*out = g_string_free(text, FALSE);
	return ST_OK;
}

/* Where the shell is in its words, as far as quotes go. */
struct disposal_quotes {
	char open; /* ' or ", or 0 */
	bool escaped;
};

static void disposal_quotes_take(struct disposal_quotes *quotes, char c)
{
	if (quotes->escaped) {
		quotes->escaped = false;
	} else if (c == '\\' && quotes->open != '\'') {
		quotes->escaped = true;
	} else if (c == quotes->open) {
		quotes->open = 0;
	} else if (!quotes->open && (c == '\'' || c == '"')) {
		quotes->open = c;
	}
}

/* The name of a file comes from another machine, maybe: no shell is to read it as a command. */
char *disposal_script(const char *command)
{
	GString *script = g_string_new(NULL);
	struct disposal_quotes quotes = { 0 };

	for (const char *at = command; *at; at++) {
		if (at[0] != '%') {
			disposal_quotes_take(&quotes, *at);
			g_string_append_c(script, *at);
			continue;
		}
		at++;
		if (*at != 's') { /* disposal_command() has seen that it is % */
			quotes.escaped = false;
			g_string_append_c(script, *at);
			continue;
		}
		if (quotes.escaped && quotes.open) {
			g_string_append_c(script, '\\'); /* it is one before a slash */
		} else if (quotes.escaped) {
			g_string_truncate(script, script->len - 1);
		}
		quotes.escaped = false;
		g_string_append(script, quotes.open == '"'    ? "${" DISPOSAL_VARIABLE "}"
					: quotes.open == '\'' ? "'\"${" DISPOSAL_VARIABLE "}\"'"
							      : "\"${" DISPOSAL_VARIABLE "}\"");
	}
	return g_string_free(script, FALSE);
}

static void disposal_new_group(void *arg)
{
	(void)arg;
	setpgid(0, 0);
}

int disposal_spawn(const char *shell, const char *command, const char *path, GSpawnFlags flags,
		   GPid *pid, struct err *err)
{
	char *argv[] = { g_strdup(shell), g_strdup("-c"), disposal_script(command), NULL };
	char **environment = g_environ_setenv(g_get_environ(), DISPOSAL_VARIABLE, path, TRUE);
	GError *error = NULL;
	int st = ST_OK;

	if (!g_spawn_async(NULL, argv, environment, flags, disposal_new_group, NULL, pid, &error)) {
		st = err_set(err, ST_EIO, "%s", error->message);
		g_error_free(error);
	}
	g_strfreev(environment);
	for (size_t i = 0; argv[i]; i++) {
		g_free(argv[i]);
	}
	return st;
}

void disposal_run(const char *name, const char *command, const char *path)
{
	char *line = NULL;
	struct err err;

	if (disposal_command(command, path, &line, NULL) == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "Running %s: %s", name, line);
		if (disposal_spawn("/bin/sh", command, path, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
				   &err) != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "cannot run %s: %s", name, err.text);
		}
	}
	g_free(line);
}

int disposal_good_under(const struct disposal_opts *opts, const char *path, const char *folder,
			struct err *err)
{
	char *directory;
	char *moved_to = NULL;
	int st;

	if (!opts->archive_directory) {
		return g_unlink(path) == 0 ? ST_OK : err_errno(err, ST_EIO, errno, "%s", path);
	}
	directory = opts->flat_archive ? g_strdup(opts->archive_directory)
				       : g_build_filename(opts->archive_directory, folder, NULL);
	st = disposal_move(path, directory, &moved_to, err);
	if (st == ST_OK && opts->post_archive_command && opts->post_archive_command[0]) {
		disposal_run(opts->command_name ? opts->command_name : "post-archive-command",
			     opts->post_archive_command, moved_to);
	}
	g_free(moved_to);
	g_free(directory);
	return st;
}

int disposal_good(const struct disposal_opts *opts, const char *path, int64_t now_s,
		  struct err *err)
{
	time_t now = (time_t)now_s;
	struct tm tm;
	char hour[32];

	(opts->local_time ? localtime_r : gmtime_r)(&now, &tm);
	strftime(hour, sizeof(hour), "%Y/%m/%d/%H", &tm);
	return disposal_good_under(opts, path, hour, err);
}

int disposal_bad(const struct disposal_opts *opts, const char *path, struct err *err)
{
	if (!opts->error_directory) {
		return err_set(err, ST_ENOENT, "%s: there is no error directory to move it to",
			       path);
	}
	return disposal_move(path, opts->error_directory, NULL, err);
}

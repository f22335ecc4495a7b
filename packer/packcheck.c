/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "common/metricsd.h"
#include "packer/positions.h"

struct packcheck {
	packcheck_fn fn;
	void *arg;
	unsigned bad;
};

static void packcheck_say(struct packcheck *check, bool ok, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void packcheck_say(struct packcheck *check, bool ok, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	check->bad += !ok;
	check->fn(check->arg, ok, text);
	g_free(text);
}

/* mode: of access(2). Asked for the identity that files are used with, not for who we are. */
static void packcheck_directory(struct packcheck *check, const char *what, const char *path,
				int mode)
{
	if (!path) {
		return;
	}
	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		packcheck_say(check, false, "%s '%s': no such directory", what, path);
	} else if (faccessat(AT_FDCWD, path, mode | X_OK, AT_EACCESS) != 0) {
		packcheck_say(check, false, "%s '%s': %s", what, path, g_strerror(errno));
	} else {
		packcheck_say(check, true, "%s '%s': %s", what, path,
			      mode & W_OK ? "writable" : "readable");
	}
}

static void packcheck_directories(struct packcheck *check, const struct packopts *opts)
{
	const struct {
		const char *what;
		const char *path;
	} directories[] = {
		{ "root directory", opts->root_directory },
		{ "incoming directory", opts->incoming_directory },
		{ "incremental directory", opts->incremental_directory },
		{ "sender directory", opts->sender_directory },
		{ "state directory", opts->state_directory },
		{ "archive directory", opts->disposal.archive_directory },
		{ "error directory", opts->disposal.error_directory },
		{ "log directory", opts->log.directory },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
		packcheck_directory(check, directories[i].what, directories[i].path, R_OK | W_OK);
	}
}

/* One packer at a time may have it; a running one is no fault: it may be about to reload. */
static void packcheck_state(struct packcheck *check, const struct packopts *opts)
{
	const char *directory = packopts_state_directory(opts);
	struct positions *positions = positions_new(directory);

	if (positions_in_use(positions)) {
		packcheck_say(check, true,
			      "state directory '%s': a running packer has it; another one needs "
			      "another --state-directory",
			      directory);
	}
	positions_free(positions);
}

static void packcheck_tls(struct packcheck *check, const struct packopts *opts, bool needed)
{
	struct tls_context *context = NULL;
	struct err err;

	if (!needed && !opts->tls.ca && !opts->tls.cert && !opts->tls.key) {
		return;
	}
	if (tls_context_new(&context, &opts->tls, true, &err) == ST_OK) {
		packcheck_say(check, true, "TLS: certificate '%s' and key belong together",
			      opts->tls.cert);
	} else {
		packcheck_say(check, false, "TLS: %s", err.text);
	}
	tls_context_free(context);
}

/* What is opened before the daemon becomes --user. */
static void packcheck_as_we_are(struct packcheck *check, const struct packopts *opts,
				bool needs_tls)
{
	packcheck_tls(check, opts, needs_tls);
	if (opts->log.pathname) {
		char *folder = g_path_get_dirname(opts->log.pathname);

		packcheck_directory(check, "log directory", folder, W_OK);
		g_free(folder);
	}
}

static void packcheck_probes(struct packcheck *check, const struct sensorconf *conf)
{
	const GPtrArray *probes = sensorconf_probes(conf);
	unsigned listening = 0;

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (probe->sensors->len == 0) {
			continue;
		}
		listening += probe->port != 0;
		if (probe->poll_directory) {
			char *what = g_strdup_printf("poll directory of probe '%s'", probe->name);

			packcheck_directory(check, what, probe->poll_directory, R_OK | W_OK);
			g_free(what);
		}
	}
	packcheck_say(check, true, "sensor configuration: %u probes (%u listen), %u sensors",
		      probes->len, listening, sensorconf_sensors(conf)->len);
}

unsigned packcheck(const struct packopts *opts, const struct sensorconf *conf, packcheck_fn fn,
		   void *arg)
{
	struct packcheck check = { .fn = fn, .arg = arg };
	struct err err;

	packcheck_as_we_are(&check, opts, conf && sensorconf_uses_tls(conf));
	if (daemon_file_identity(&opts->daemon, &err) != ST_OK) {
		packcheck_say(&check, false, "user: %s", err.text);
		return check.bad;
	}
	if (conf) {
		packcheck_probes(&check, conf);
	}
	packcheck_directories(&check, opts);
	if (packopts_input(opts) == PACKOPTS_STREAM) {
		packcheck_state(&check, opts);
	}
	if (opts->metrics) {
		bool ok = metricsd_check(opts->metrics, &err) == ST_OK;

		packcheck_say(&check, ok, "metrics: %s", ok ? opts->metrics : err.text);
	}
	return check.bad;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwflowappend: incremental files of a packer into the hourly files (silk-packing.md section 6). */
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/timestamp.h"
#include "packer/appender.h"
#include "packer/daemontool.h"
#include "packer/dirpoll.h"

#define PROGRAM "rwflowappend"

/* A file is left alone until nothing was appended to it for so long. */
#define SEAL_IDLE_S UINT64_C(300)

struct rwflowappend_opts {
	const char *incoming_directory;
	const char *root_directory;
	struct disposal_opts disposal;
	const char *hour_file_command;
	uint64_t threads;
	uint64_t hours_past;
	uint64_t hours_future;
	uint64_t polling_interval_s;
	bool no_file_locking;
	bool pad_header;
	int byte_order;
	int compression;
	int file_format;
	uint64_t seal_delay_s;
	const char *state_directory;
	char *site_config_file;
	struct log_opts log;
	struct daemon_opts daemon;

	struct site *site; /* read from the file */
};

/* ---- switches ---- */

#define HOURS_ANY UINT32_MAX

enum { ORDER_AS_IS, ORDER_NATIVE, ORDER_LITTLE, ORDER_BIG };
static const char *const byte_orders[] = { "as-is", "native", "little", "big", NULL };
enum { KIND_AS_IS, KIND_BLOCK, KIND_SILK };
static const char *const file_formats[] = { "as-is", "block", "silk", NULL };

static int parse_command(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	char *line = NULL;
	int st = disposal_command(text, "", &line, err);

	g_free(line);
	if (st != ST_OK) {
		return err_prefix(err, "Invalid %s '%s'", opt->name, text);
	}
	*(const char **)dest = text;
	return ST_OK;
}

static int parse_compression(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	enum compression method = COMPRESSION_DEFAULT;

	if (compression_parse(text, &method, NULL) != ST_OK) {
		return err_set(err, ST_EINVAL,
			       "Invalid %s '%s': Value does not match any known method", opt->name,
			       text);
	}
	*(int *)dest = (int)method;
	return ST_OK;
}

#define RWFLOWAPPEND_DIRECTORY(member, name, help, ...)                                            \
	OPT_CALL(struct rwflowappend_opts, member, name, 0, "DIR", daemontool_parse_directory,     \
		 OPT_OWN_ERROR, help, __VA_ARGS__)

static const struct opt rwflowappend_table[] = {
	RWFLOWAPPEND_DIRECTORY(incoming_directory, "incoming-directory",
			       "watch this directory for incremental files"),
	RWFLOWAPPEND_DIRECTORY(root_directory, "root-directory", "root of the repository"),
	RWFLOWAPPEND_DIRECTORY(disposal.error_directory, "error-directory",
			       "move files here that cannot be appended"),
	RWFLOWAPPEND_DIRECTORY(disposal.archive_directory, "archive-directory",
			       "move files here when they are appended",
			       .default_text = "they are deleted"),
	OPT_FLAG(struct rwflowappend_opts, disposal.flat_archive, "flat-archive", 0,
		 "archive without the subdirectories of the repository"),
	OPT_CALL(struct rwflowappend_opts, disposal.post_archive_command, "post-command", 0, "CMD",
		 parse_command, OPT_OWN_ERROR, "run this for each archived file; %s is its path"),
	OPT_CALL(struct rwflowappend_opts, hour_file_command, "hour-file-command", 0, "CMD",
		 parse_command, OPT_OWN_ERROR, "run this for each new hourly file; %s is its path"),
	OPT_U64(struct rwflowappend_opts, threads, "threads", 0, "N", 1, APPENDER_THREADS_MAX,
		"work on so many hourly files at a time", .default_text = "1"),
	OPT_U64(struct rwflowappend_opts, hours_past, "reject-hours-past", 0, "N", 0, INT32_MAX,
		"put files aside whose first record is more hours old", .default_text = "none"),
	OPT_U64(struct rwflowappend_opts, hours_future, "reject-hours-future", 0, "N", 0, INT32_MAX,
		"put files aside whose first record is more hours ahead", .default_text = "none"),
	OPT_FLAG(struct rwflowappend_opts, no_file_locking, "no-file-locking", 0,
		 "do not lock the files read and written"),
	OPT_U64(struct rwflowappend_opts, polling_interval_s, "polling-interval", 0, "SECONDS", 1,
		86400, "how often the directory is looked at", .default_text = "15"),
	OPT_CHOICE(struct rwflowappend_opts, byte_order, "byte-order", 0, "ORDER", byte_orders,
		   "byte order of new hourly files", .default_text = "as-is"),
	OPT_FLAG(struct rwflowappend_opts, pad_header, "pad-header", 0, "ignored",
		 .flags = OPT_HIDDEN),
	OPT_CALL(struct rwflowappend_opts, compression, "compression-method", 0, "METHOD",
		 parse_compression, OPT_OWN_ERROR,
		 "compression of new hourly files: none, zlib, lzo1x, snappy or best",
		 .default_text = "that of the incremental file"),
	OPT_CHOICE(struct rwflowappend_opts, file_format, "file-format", 0, "FORMAT", file_formats,
		   "kind of new hourly files", .default_text = "as-is", .flags = OPT_ADDED),
	OPT_U64(struct rwflowappend_opts, seal_delay_s, "seal-delay", 0, "SECONDS", 1, 604800,
		"seal the files of an hour when it has been over for so long",
		.default_text = "2400", .flags = OPT_ADDED),
	OPT_CALL(struct rwflowappend_opts, state_directory, "state-directory", 0, "DIR",
		 daemontool_parse_directory, OPT_OWN_ERROR | OPT_ADDED,
		 "keep the list of files to be sealed here", .default_text = "root directory"),
	OPT_STR(struct rwflowappend_opts, site_config_file, "site-config-file", 0, "FILE",
		"read the site from this file"),
	OPT_GROUP(struct rwflowappend_opts, log, log_opt_table),
	OPT_GROUP(struct rwflowappend_opts, daemon, daemon_opt_table),
	OPT_END,
};

static unsigned rwflowappend_check(const void *arg, daemontool_complain_fn complain,
				   void *complain_arg)
{
	const struct rwflowappend_opts *opts = arg;
	const struct daemontool_required required[] = {
		{ "incoming-directory", opts->incoming_directory },
		{ "root-directory", opts->root_directory },
		{ "error-directory", opts->disposal.error_directory },
	};
	unsigned bad =
		daemontool_check_required(required, G_N_ELEMENTS(required), complain, complain_arg);

	if (opts->disposal.post_archive_command && !opts->disposal.archive_directory) {
		complain(complain_arg, "The --post-command switch is only allowed when "
				       "--archive-directory is specified");
		bad++;
	}
	return bad;
}

static void complain_about_site(void *arg, const char *file, int line, const char *message)
{
	(void)arg;
	if (line > 0) {
		fprintf(stderr,
			PROGRAM ": Error while parsing site configuration file at %s:%d:\n\t%s\n",
			file, line, message);
	} else {
		fprintf(stderr, PROGRAM ": %s\n", message);
	}
}

static int rwflowappend_prepare(void *arg, struct err *err)
{
	struct rwflowappend_opts *opts = arg;
	char *path = daemontool_find_site(opts->site_config_file, opts->root_directory);
	int st = site_load_all(&opts->site, path, complain_about_site, NULL, err);

	if (st != ST_OK) {
		err_prefix(err, "cannot read the site configuration");
	}
	g_free(path);
	return st;
}

/* ---- running ---- */

struct rwflowappend {
	const struct rwflowappend_opts *opts;
	struct appender *appender;
	struct dirpoll *directory;
	pthread_t threads[APPENDER_THREADS_MAX];
	unsigned started;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	GQueue found;     /* names of files, to be appended */
	GPtrArray *later; /* names of files that somebody still writes */
	unsigned numbered;
	bool stop;
	bool broken;
};

/* A thread's share of what waits, or a group; returns how many, 0: told to stop. */
static size_t next_names(struct rwflowappend *self, char *names[APPENDER_GROUP_MAX])
{
	size_t count = 0;
	size_t share;

	pthread_mutex_lock(&self->lock);
	while (!self->stop && g_queue_is_empty(&self->found)) {
		pthread_cond_wait(&self->wake, &self->lock);
	}
	share = g_queue_get_length(&self->found) / self->opts->threads;
	share = CLAMP(share, 1, APPENDER_GROUP_MAX);
	while (!self->stop && count < share) {
		names[count++] = g_queue_pop_head(&self->found);
	}
	pthread_mutex_unlock(&self->lock);
	return count;
}

static void abort_daemon(struct rwflowappend *self, const struct err *err)
{
	log_msg(LOG_LEVEL_CRIT, "%s", err->text);
	log_msg(LOG_LEVEL_CRIT, "Aborting due to append error");
	pthread_mutex_lock(&self->lock);
	self->broken = true;
	self->stop = true;
	pthread_mutex_unlock(&self->lock);
	daemon_request_stop();
}

static void take_names(struct rwflowappend *self, unsigned thread, char **names, size_t count)
{
	struct appender_file files[APPENDER_GROUP_MAX];
	struct err err;

	for (size_t i = 0; i < count; i++) {
		files[i] = (struct appender_file){
			.path = g_build_filename(self->opts->incoming_directory, names[i], NULL),
			.name = names[i],
		};
	}
	if (appender_take(self->appender, thread, files, count, &err) != ST_OK) {
		abort_daemon(self, &err);
	}
	pthread_mutex_lock(&self->lock);
	for (size_t i = 0; i < count; i++) {
		if (files[i].busy) {
			g_ptr_array_add(self->later, names[i]);
		} else {
			g_free(names[i]);
		}
		g_free((char *)files[i].path);
	}
	pthread_mutex_unlock(&self->lock);
}

/* Appends names until told to stop. */
static void take_files(struct rwflowappend *self, unsigned thread)
{
	char *names[APPENDER_GROUP_MAX];
	size_t count;

	while ((count = next_names(self, names)) > 0) {
		take_names(self, thread, names, count);
	}
}

static void *thread_main(void *arg)
{
	struct rwflowappend *self = arg;
	unsigned number;

	pthread_mutex_lock(&self->lock);
	number = self->numbered++;
	pthread_mutex_unlock(&self->lock);
	log_msg(LOG_LEVEL_INFO, "Started appender thread #%u.", number + 1);
	take_files(self, number);
	log_msg(LOG_LEVEL_INFO, "Finishing appender thread #%u...", number + 1);
	return NULL;
}

static int start_threads(struct rwflowappend *self, struct err *err)
{
	log_msg(LOG_LEVEL_INFO, "Starting %" PRIu64 " appender thread%s...", self->opts->threads,
		self->opts->threads == 1 ? "" : "s");
	while (self->started < self->opts->threads) {
		int failed = pthread_create(&self->threads[self->started], NULL, thread_main, self);

		if (failed) {
			return err_errno(err, ST_EIO, failed, "cannot start a thread");
		}
		self->started++;
	}
	log_msg(LOG_LEVEL_INFO, "Started all appender threads.");
	return ST_OK;
}

static void stop_threads(struct rwflowappend *self)
{
	pthread_mutex_lock(&self->lock);
	self->stop = true;
	pthread_cond_broadcast(&self->wake);
	pthread_mutex_unlock(&self->lock);
	for (unsigned i = 0; i < self->started; i++) {
		pthread_join(self->threads[i], NULL);
	}
}

static int file_found(void *arg, const char *path, const char *name)
{
	struct rwflowappend *self = arg;

	(void)path;
	pthread_mutex_lock(&self->lock);
	g_queue_push_tail(&self->found, g_strdup(name));
	pthread_mutex_unlock(&self->lock);
	return ST_OK;
}

static void scan(struct rwflowappend *self)
{
	struct err err;

	pthread_mutex_lock(&self->lock);
	for (guint i = 0; i < self->later->len; i++) {
		dirpoll_again(self->directory, g_ptr_array_index(self->later, i));
	}
	g_ptr_array_set_size(self->later, 0);
	pthread_mutex_unlock(&self->lock);
	if (dirpoll_scan(self->directory, file_found, self, &err) != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
	}
	/* all of them: threads that wake for the first would take it alone */
	pthread_mutex_lock(&self->lock);
	pthread_cond_broadcast(&self->wake);
	pthread_mutex_unlock(&self->lock);
}

static void watch(struct rwflowappend *self)
{
	int64_t next_ns = 0;

	while (!daemon_stopping()) {
		struct pollfd wake = { .fd = daemon_wake_fd(), .events = POLLIN };
		int64_t left_ns = next_ns - clock_now_ns(CLOCK_MONOTONIC);

		if (left_ns <= 0) {
			left_ns = (int64_t)self->opts->polling_interval_s * NS_PER_S;
			next_ns = clock_now_ns(CLOCK_MONOTONIC) + left_ns;
			scan(self);
		}
		poll(&wake, 1, (int)MIN(left_ns / NS_PER_MS + 1, 1000));
		log_tick(clock_now_ns(CLOCK_REALTIME));
		daemon_take_report();
	}
}

static struct appender_opts appender_opts(const struct rwflowappend_opts *opts)
{
	static const uint8_t kinds[] = { HOURFILE_SILK, HOURFILE_BLOCKS, HOURFILE_SILK };
	static const enum byte_order orders[] = { BYTE_ORDER_NATIVE, BYTE_ORDER_NATIVE,
						  BYTE_ORDER_LITTLE, BYTE_ORDER_BIG };

	return (struct appender_opts){
		.site = opts->site,
		.incoming_directory = opts->incoming_directory,
		.root_directory = opts->root_directory,
		.disposal = opts->disposal,
		.hour_file_command = opts->hour_file_command,
		.hours_past = opts->hours_past == HOURS_ANY ? -1 : (int64_t)opts->hours_past,
		.hours_future = opts->hours_future == HOURS_ANY ? -1 : (int64_t)opts->hours_future,
		.threads = (unsigned)opts->threads,
		.no_locking = opts->no_file_locking,
		.keep_kind = opts->file_format == KIND_AS_IS,
		.kind = kinds[opts->file_format],
		.keep_byte_order = opts->byte_order == ORDER_AS_IS,
		.byte_order = orders[opts->byte_order],
		.compression = (uint8_t)opts->compression,
	};
}

/* Sealing needs locks. */
static struct keeper *make_keeper(const struct rwflowappend_opts *opts)
{
	char *id = appender_id(opts->incoming_directory);
	char *suffix = g_strconcat("-", id, NULL);
	struct keeper *keeper = NULL;

	if (!opts->no_file_locking) {
		keeper = keeper_new(&(struct keeper_opts){
			.root = opts->root_directory,
			.state_directory = opts->state_directory ? opts->state_directory
								 : opts->root_directory,
			.list_suffix = suffix,
			.delay_ns = (int64_t)opts->seal_delay_s * NS_PER_S,
			.idle_ns = (int64_t)MIN(opts->seal_delay_s, SEAL_IDLE_S) * NS_PER_S,
			.compression = hourfile_chunk_method(opts->compression == APPENDER_AS_IS
								     ? COMPRESSION_DEFAULT
								     : (uint8_t)opts->compression),
		});
	}
	g_free(suffix);
	g_free(id);
	return keeper;
}

static int run_appender(struct rwflowappend *self, struct supervise *supervise, struct err *err)
{
	int st;

	self->directory = dirpoll_new(self->opts->incoming_directory);
	self->later = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->wake, NULL);
	st = start_threads(self, err);
	if (st == ST_OK) {
		supervise_ready(supervise);
		watch(self);
		daemontool_stop(supervise);
	}
	stop_threads(self);
	log_msg(LOG_LEVEL_INFO, "Finished shutting down.");
	g_queue_clear_full(&self->found, g_free);
	g_ptr_array_free(self->later, TRUE);
	pthread_cond_destroy(&self->wake);
	pthread_mutex_destroy(&self->lock);
	dirpoll_free(self->directory);
	return st;
}

static int rwflowappend_run(void *arg, struct supervise *supervise, struct err *err)
{
	struct rwflowappend_opts *opts = arg;
	struct rwflowappend self = { .opts = opts };
	struct keeper *keeper = NULL;
	struct appender_opts appender;
	int st;

	opts->disposal.command_name = "post-command";
	appender = appender_opts(opts);
	st = appender_open(&self.appender, &appender, err);
	if (st == ST_OK) {
		keeper = make_keeper(opts); /* nobody else has the list, as we have the directory */
		appender_set_keeper(self.appender, keeper);
		st = keeper ? keeper_start(keeper, err) : ST_OK;
	}
	if (st == ST_OK) {
		st = run_appender(&self, supervise, err);
	}
	keeper_stop(keeper);
	appender_close(self.appender);
	keeper_free(keeper);
	site_free(opts->site);
	if (st == ST_OK && self.broken) {
		st = err_set(err, ST_EIO, "stopped by an append error");
	}
	return st;
}

static const struct daemontool rwflowappend_tool = {
	.name = PROGRAM,
	.usage = "--incoming-directory=DIR --root-directory=DIR --error-directory=DIR [SWITCHES]",
	.summary = "append incremental files to the hourly files of the repository",
	.table = rwflowappend_table,
	.log_offset = offsetof(struct rwflowappend_opts, log),
	.daemon_offset = offsetof(struct rwflowappend_opts, daemon),
	.check = rwflowappend_check,
	.prepare = rwflowappend_prepare,
	.run = rwflowappend_run,
};

int main(int argc, char **argv)
{
	struct rwflowappend_opts opts = {
		.threads = 1,
		.hours_past = HOURS_ANY,
		.hours_future = HOURS_ANY,
		.polling_interval_s = 15,
		.seal_delay_s = 2400,
		.compression = APPENDER_AS_IS,
	};

	return daemontool_main(&rwflowappend_tool, &opts, argc, argv);
}

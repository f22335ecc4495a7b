/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flowcap: what comes in through each probe into files, for a packer elsewhere (silk-packing.md
 * section 7), or to the packer at once (packer/relay.h). */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "common/clock.h"
#include "common/numlist.h"
#include "common/timestamp.h"
#include "packer/daemontool.h"
#include "packer/packing.h"
#include "storage/rowformat.h"

#define PROGRAM              "flowcap"
#define FLOWCAP_OPENED_LEN   14 /* YYYYMMDDhhmmss */
#define FLOWCAP_SUFFIX_LEN   7  /* .XXXXXX */
#define FLOWCAP_IPV6_BYTES   88 /* of a record */
#define FLOWCAP_STATE        ".flowcap-state"
#define FLOWCAP_SECONDS_MAX  (UINT32_MAX - 1)
#define FLOWCAP_DURATION_MAX ((uint64_t)INT64_MAX / 4)
#define FLOWCAP_DRAIN_NS     (5 * NS_PER_S) /* for the packer's last word, at the end */

struct flowcap_opts {
	const char *destination_directory;
	char *forward;
	uint64_t return_ns;
	uint64_t peer_timeout_ns;
	const char *state_directory;
	char *sensor_configuration;
	struct opt_optstr verify;
	char *probes;
	uint64_t max_file_size;
	uint64_t timeout_s;
	struct opt_optstr clock_time;
	uint64_t clock_offset_s;
	uint64_t fc_version;
	uint64_t freespace_minimum;
	double space_maximum_percent;
	uint64_t journal_bytes;
	uint64_t max_connections;
	int compression;
	struct tls_opts tls;
	struct log_opts log;
	struct daemon_opts daemon;

	struct sensorconf *conf; /* read from the file; taken by the packing */
};

/* ---- switches ---- */

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

static int parse_percent(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	char *end;
	double value = g_ascii_strtod(text, &end);

	if (end == text || *end) {
		return err_set(err, ST_EINVAL, "Invalid %s '%s': Not a number", opt->name, text);
	}
	if (!(value >= 0 && value <= 100)) {
		return err_set(err, ST_EINVAL, "Invalid %s '%s': Value is %s of %f", opt->name,
			       text, value > 100 ? "above maximum" : "below minimum",
			       value > 100 ? 100.0 : 0.0);
	}
	*(double *)dest = value;
	return ST_OK;
}

static const struct opt flowcap_table[] = {
	OPT_CALL(struct flowcap_opts, destination_directory, "destination-directory", 0, "DIR",
		 daemontool_parse_directory, OPT_OWN_ERROR, "store the files here"),
	OPT_STR(struct flowcap_opts, forward, "forward", 0, "LIST",
		"instead send what comes in to a packer at tls://HOST:PORT; several are tried in "
		"order",
		.flags = OPT_ADDED),
	OPT_DURATION(
		struct flowcap_opts, return_ns, "return-interval", 0, "TIME", 0,
		FLOWCAP_DURATION_MAX,
		"with a later packer of several, look for the first one this often; 0 is never",
		.default_text = "300", .flags = OPT_ADDED),
	OPT_DURATION(struct flowcap_opts, peer_timeout_ns, "peer-timeout", 0, "TIME", 0,
		     FLOWCAP_DURATION_MAX,
		     "take a packer's host that does not answer for so long as away; 0 is never",
		     .default_text = "10", .flags = OPT_ADDED),
	OPT_STR(struct flowcap_opts, sensor_configuration, "sensor-configuration", 0, "FILE",
		"read probes from this file"),
	OPT_SIZE(struct flowcap_opts, max_file_size, "max-file-size", 0, "SIZE", 1,
		 UINT64_C(1) << 50, "begin a new file when one is about so large"),
	OPT_OPTSTR(struct flowcap_opts, verify, "verify-sensor-config", 0, "ANY",
		   "check the sensor configuration and exit; with a value, list its probes"),
	OPT_STR(struct flowcap_opts, probes, "probes", 0, "LIST", "use only these probes"),
	OPT_U64(struct flowcap_opts, timeout_s, "timeout", 0, "SECONDS", 1, FLOWCAP_SECONDS_MAX,
		"begin a new file after so long", .default_text = "60"),
	OPT_OPTSTR(struct flowcap_opts, clock_time, "clock-time", 0, "OFFSET",
		   "begin new files at midnight (UTC) and so many seconds, and every timeout"),
	OPT_U64(struct flowcap_opts, fc_version, "fc-version", 0, "N", 2, 5,
		"version of records of netflow-v5 probes", .default_text = "5"),
	OPT_SIZE(struct flowcap_opts, freespace_minimum, "freespace-minimum", 0, "SIZE", 0,
		 UINT64_C(1) << 50, "stop rather than leave less room than this on the disk",
		 .default_text = "1g"),
	OPT_CALL(struct flowcap_opts, space_maximum_percent, "space-maximum-percent", 0, "PERCENT",
		 parse_percent, OPT_OWN_ERROR, "stop rather than have more of the disk in use",
		 .default_text = "98"),
	OPT_CALL(struct flowcap_opts, compression, "compression-method", 0, "METHOD",
		 parse_compression, OPT_OWN_ERROR,
		 "compression of files: none, zlib, lzo1x, snappy or best", .default_text = "best"),
	OPT_CALL(struct flowcap_opts, state_directory, "state-directory", 0, "DIR",
		 daemontool_parse_directory, OPT_OWN_ERROR | OPT_ADDED,
		 "keep the journal and the positions of acknowledged streams here",
		 .default_text = FLOWCAP_STATE " in the destination directory"),
	OPT_SIZE(struct flowcap_opts, journal_bytes, "journal-size", 0, "BYTES", 16 << 20,
		 UINT64_C(1) << 50, "let messages that wait to be stored take so much of the disk",
		 .default_text = "8g", .flags = OPT_ADDED),
	OPT_U64(struct flowcap_opts, max_connections, "max-connections", 0, "N", 1, 65536,
		"refuse more connections or UDP peers than this on one port",
		.default_text = "1024", .flags = OPT_ADDED),
	OPT_GROUP(struct flowcap_opts, tls, tls_opt_table),
	OPT_GROUP(struct flowcap_opts, log, log_opt_table),
	OPT_GROUP(struct flowcap_opts, daemon, daemon_opt_table),
	OPT_END,
};

static unsigned check_required(const struct flowcap_opts *opts, daemontool_complain_fn complain,
			       void *complain_arg)
{
	const struct daemontool_required for_files[] = {
		{ "sensor-configuration", opts->sensor_configuration },
		{ "destination-directory", opts->destination_directory },
		{ "max-file-size", opts->max_file_size > 0 ? "" : NULL },
	};
	const struct daemontool_required for_forward[] = {
		{ "sensor-configuration", opts->sensor_configuration },
		{ "state-directory", opts->state_directory },
		{ "tls-ca", opts->tls.ca },
		{ "tls-cert", opts->tls.cert },
		{ "tls-key", opts->tls.key },
	};
	const struct daemontool_required *required = opts->forward ? for_forward : for_files;
	const size_t count = opts->forward ? G_N_ELEMENTS(for_forward) : G_N_ELEMENTS(for_files);

	return daemontool_check_required(required, opts->verify.given ? 1 : count, complain,
					 complain_arg);
}

static unsigned check_forward(const struct flowcap_opts *opts, daemontool_complain_fn complain,
			      void *complain_arg)
{
	char **destinations = g_strsplit(opts->forward, ",", -1);
	unsigned bad = 0;
	struct err err;

	if (opts->destination_directory) {
		complain(complain_arg, "Cannot use both --forward and --destination-directory");
		bad++;
	}
	for (char **at = destinations; *at; at++) {
		if (relay_check_destination(*at, &err) != ST_OK) {
			char *text = g_strdup_printf("Invalid forward %s", err.text);

			complain(complain_arg, text);
			g_free(text);
			bad++;
		}
	}
	g_strfreev(destinations);
	return bad;
}

static unsigned flowcap_check(const void *arg, daemontool_complain_fn complain, void *complain_arg)
{
	const struct flowcap_opts *opts = arg;
	unsigned bad = check_required(opts, complain, complain_arg);
	uint64_t offset;
	struct err err;

	if (opts->forward) {
		bad += check_forward(opts, complain, complain_arg);
	}
	if (opts->clock_time.text &&
	    number_parse(opts->clock_time.text, 0, FLOWCAP_SECONDS_MAX, &offset, &err) != ST_OK) {
		char *text = g_strdup_printf("Invalid clock-time '%s': %s", opts->clock_time.text,
					     err.text);

		complain(complain_arg, text);
		g_free(text);
		bad++;
	}
	return bad;
}

static void complain_on_stderr(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static void print_probes(const struct sensorconf *conf)
{
	const GPtrArray *probes = sensorconf_probes(conf);

	printf(PROGRAM ": Successfully parsed %u probe%s:\n\t", probes->len,
	       probes->len == 1 ? "" : "s");
	for (guint i = 0; i < probes->len; i++) {
		printf("%s%s", i ? ", " : "",
		       ((const struct probe *)g_ptr_array_index(probes, i))->name);
	}
	printf("\n");
}

static int flowcap_prepare(void *arg, struct err *err)
{
	struct flowcap_opts *opts = arg;
	int st = sensorconf_load_probes(&opts->conf, opts->sensor_configuration, opts->probes,
					complain_on_stderr, NULL, err);

	if (st == ST_OK && opts->verify.given) {
		if (opts->verify.text && opts->verify.text[0] &&
		    strcmp(opts->verify.text, "0") != 0) {
			print_probes(opts->conf);
		}
		sensorconf_free(opts->conf);
		exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	if (opts->clock_time.text) {
		number_parse(opts->clock_time.text, 0, FLOWCAP_SECONDS_MAX, &opts->clock_offset_s,
			     NULL);
	}
	return st;
}

/* ---- files ---- */

/* What a file of the probe is. */
struct flowcap_probe {
	char *name;
	bool netflow5;
	struct header entries;
};

struct flowcap {
	const struct flowcap_opts *opts;
	struct flowcap_probe *probes; /* by number */
	guint probe_count;
	guint used_count; /* that are listened for */
	struct tls_context *tls;
	char *state_directory;
	bool conf_taken;
	char **destinations; /* NULL: files are written */
	struct packing *packing;
};

static char *file_name(void *arg, const struct hourfile_key *key)
{
	const struct flowcap *self = arg;
	time_t now = time(NULL);
	struct tm tm;
	char opened[FLOWCAP_OPENED_LEN + 1];

	gmtime_r(&now, &tm);
	strftime(opened, sizeof(opened), "%Y%m%d%H%M%S", &tm);
	return g_strconcat(opened, "_", self->probes[key->sensor].name, NULL);
}

/* Is there room for so many files? Of the disk counts what is not kept back for root, as for df(1). */
static int check_space(const struct flowcap *self, guint files, struct err *err)
{
	const struct flowcap_opts *opts = self->opts;
	const uint64_t wanted = files * opts->max_file_size;
	struct statvfs fs;
	uint64_t taken;
	uint64_t total;
	uint64_t room;
	double used;

	if (statvfs(opts->destination_directory, &fs) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", opts->destination_directory);
	}
	taken = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	total = taken + room;
	room = room > wanted ? room - wanted : 0;
	used = total > 0 ? 100.0 * (double)(total - room) / (double)total : 0;
	if (room < opts->freespace_minimum) {
		return err_set(err, ST_EIO,
			       "Free disk space limit overrun: free=%" PRIu64 " < min=%" PRIu64
			       " (used %.4f%%)",
			       room, opts->freespace_minimum, used);
	}
	if (used > opts->space_maximum_percent) {
		return err_set(err, ST_EIO,
			       "Free disk space limit overrun: used=%.4f%% > max=%.4f%% (free "
			       "%" PRIu64 " bytes)",
			       used, opts->space_maximum_percent, room);
	}
	return ST_OK;
}

static int file_begin(void *arg, const char *name, struct err *err)
{
	int st = check_space(arg, 1, err);

	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "Opened new file '%s'", name);
	}
	return st;
}

static void file_form(void *arg, const struct hourfile_key *key, struct hourfile_write_opts *opts)
{
	const struct flowcap *self = arg;
	const struct flowcap_probe *probe = &self->probes[key->sensor];

	opts->format = probe->netflow5 ? FORMAT_FLOWCAP : FORMAT_RWIPV6ROUTING;
	opts->record_version = probe->netflow5 ? (uint16_t)self->opts->fc_version : 0;
	opts->entries = &probe->entries;
	opts->no_hour = true;
}

/* Seconds since the file that has this name was opened. */
static int64_t seconds_open(const char *name)
{
	struct tm tm = { 0 };
	char opened[FLOWCAP_OPENED_LEN + 1];

	g_strlcpy(opened, name, sizeof(opened));
	return strptime(opened, "%Y%m%d%H%M%S", &tm) ? time(NULL) - timegm(&tm) : 0;
}

static size_t record_bytes(const struct flowcap *self, bool netflow5)
{
	const struct rowformat *format =
		netflow5 ? rowformat_find(FORMAT_FLOWCAP, (uint16_t)self->opts->fc_version) : NULL;

	return format ? format->length : FLOWCAP_IPV6_BYTES;
}

/* NAME is DATE_PROBE.SUFFIX. */
static char *probe_of(const char *name)
{
	size_t len = strlen(name);

	return len > FLOWCAP_OPENED_LEN + 1 + FLOWCAP_SUFFIX_LEN
		       ? g_strndup(name + FLOWCAP_OPENED_LEN + 1,
				   len - FLOWCAP_OPENED_LEN - 1 - FLOWCAP_SUFFIX_LEN)
		       : g_strdup("");
}

static void file_closed(void *arg, const char *path, const char *name, uint64_t records)
{
	const struct flowcap *self = arg;
	char *probe = probe_of(name);
	struct stat found = { .st_size = 0 };
	double plain = 0;

	for (guint i = 0; i < self->probe_count; i++) {
		if (strcmp(self->probes[i].name, probe) == 0) {
			plain = (double)records *
				(double)record_bytes(self, self->probes[i].netflow5);
		}
	}
	if (stat(path, &found) != 0) {
		found.st_size = 0;
	}
	log_msg(LOG_LEVEL_INFO,
		"'%s': Closing file '%s': %" PRId64 " seconds, %" PRIu64 " records, %" PRId64
		" bytes, %4.1f%% compression",
		probe, name, seconds_open(name), records, (int64_t)found.st_size,
		plain > 0 ? 100.0 * (plain - (double)found.st_size) / plain : 0.0);
	g_free(probe);
}

static void file_published(void *arg, const char *name)
{
	(void)arg;
	log_msg(LOG_LEVEL_INFO, "Finished closing '%s'", name);
}

/* ---- running ---- */

static void take_probes(struct flowcap *self)
{
	const GPtrArray *probes = sensorconf_probes(self->opts->conf);

	self->probe_count = probes->len;
	self->probes = g_new0(struct flowcap_probe, probes->len);
	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		self->probes[i].name = g_strdup(probe->name);
		self->probes[i].netflow5 = probe->type == PROBE_NETFLOW_V5;
		header_init(&self->probes[i].entries);
		header_add_text(&self->probes[i].entries, ENTRY_PROBE_NAME, probe->name);
		self->used_count += probe->sensors->len > 0;
	}
}

static void log_probes(const struct flowcap *self, const char *text)
{
	const GPtrArray *probes = sensorconf_probes(self->opts->conf);

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (probe->sensors->len > 0) {
			log_msg(LOG_LEVEL_INFO, "'%s': %s", probe->name, text);
		}
	}
}

static int open_tls(struct flowcap *self, struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(self->opts->conf);

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (probe->tls && probe->sensors->len > 0) {
			return tls_context_new(&self->tls, &self->opts->tls, true, err);
		}
	}
	return ST_OK;
}

static int make_state_directory(struct flowcap *self, struct err *err)
{
	const struct flowcap_opts *opts = self->opts;

	self->state_directory =
		opts->state_directory
			? g_strdup(opts->state_directory)
			: g_build_filename(opts->destination_directory, FLOWCAP_STATE, NULL);
	return g_mkdir_with_parents(self->state_directory, 0750) == 0
		       ? ST_OK
		       : err_errno(err, ST_EIO, errno, "%s", self->state_directory);
}

static int start(struct flowcap *self, const struct outputincremental_files *files, struct err *err)
{
	const struct flowcap_opts *opts = self->opts;
	const struct relay_opts relay = {
		.destinations = (const char *const *)self->destinations,
		.tls = opts->tls,
		.return_ns = (int64_t)opts->return_ns,
		.peer_timeout_ns = (int64_t)opts->peer_timeout_ns,
		.drain_ns = FLOWCAP_DRAIN_NS,
	};
	const struct packing_opts packing = {
		.writer = {
			.root = opts->forward ? self->state_directory
					      : opts->destination_directory,
			.cache_size = MAX(128, 2 * self->probe_count),
			.file = {
				.kind = HOURFILE_SILK,
				.compression = (uint8_t)opts->compression,
				.byte_order = BYTE_ORDER_BIG,
			},
			.idle_ns = (int64_t)opts->timeout_s * 2 * NS_PER_S,
		},
		.incremental = { .directory = opts->destination_directory, .files = files },
		.by_probe = !self->destinations,
		.relay = self->destinations ? &relay : NULL,
		.state_directory = self->state_directory,
		.journal_bytes = opts->journal_bytes,
		.limits = { .max_templates = 1024, .max_template_fields = 1024, .max_domains = 256 },
		.tls = self->tls,
		.max_connections = (unsigned)opts->max_connections,
		.udp_receive_buffer = 32 << 20,
		.flush_timeout_ns = (int64_t)opts->timeout_s * NS_PER_S,
		.flush_offset_ns = opts->clock_time.given
					   ? (int64_t)opts->clock_offset_s * NS_PER_S
					   : -1,
		.stop = daemon_request_stop,
	};
	int st;

	log_msg(LOG_LEVEL_INFO, "Starting all reader threads...");
	self->conf_taken = true;
	st = packing_start(&self->packing, &packing, site_empty(), opts->conf, err);
	if (st == ST_OK) {
		st = daemon_drop_privileges(&opts->daemon, err);
	}
	if (st == ST_OK) {
		log_probes(self, "Reader thread started.");
		st = packing_run(self->packing, err);
	}
	return st;
}

/* With a sign of life to the service manager while work goes on. */
static void wait_for_orders(struct flowcap *self, struct supervise *supervise)
{
	uint64_t ticks = 0;

	while (!daemon_stopping()) {
		struct pollfd wake = { .fd = daemon_wake_fd(), .events = POLLIN };

		poll(&wake, 1, 1000);
		if (packing_ticks(self->packing) != ticks) {
			ticks = packing_ticks(self->packing);
			supervise_alive(supervise, clock_now_ns(CLOCK_MONOTONIC));
		}
		log_tick(clock_now_ns(CLOCK_REALTIME));
		if (daemon_take_report()) {
			packing_report(self->packing);
		}
	}
}

static int flowcap_run(void *arg, struct supervise *supervise, struct err *err)
{
	struct flowcap self = { .opts = arg };
	const struct outputincremental_files files = {
		.name = file_name,
		.begin = file_begin,
		.form = file_form,
		.closed = file_closed,
		.published = file_published,
		.max_bytes = self.opts->max_file_size,
		.arg = &self,
	};
	int stopped = ST_OK;
	int st;

	take_probes(&self);
	self.destinations = self.opts->forward ? g_strsplit(self.opts->forward, ",", -1) : NULL;
	st = open_tls(&self, err);
	if (st == ST_OK) {
		st = daemon_file_identity(&self.opts->daemon, err);
	}
	if (st == ST_OK) {
		st = make_state_directory(&self, err);
	}
	if (st == ST_OK && !self.destinations) {
		st = check_space(&self, self.used_count, err);
	}
	if (st == ST_OK) {
		st = start(&self, &files, err);
	}
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "Started all reader threads.");
		supervise_ready(supervise);
		wait_for_orders(&self, supervise);
		daemontool_stop(supervise);
		log_msg(LOG_LEVEL_INFO, "Shutting down...");
	}
	if (self.packing) {
		stopped = packing_stop(self.packing, err);
		log_msg(LOG_LEVEL_INFO, "Destroyed all sources.");
	}
	tls_context_free(self.tls);
	for (guint i = 0; i < self.probe_count; i++) {
		header_release(&self.probes[i].entries);
		g_free(self.probes[i].name);
	}
	g_free(self.probes);
	g_free(self.state_directory);
	g_strfreev(self.destinations);
	if (!self.conf_taken) {
		sensorconf_free(self.opts->conf);
	}
	return st == ST_OK ? stopped : st;
}

static const struct daemontool flowcap_tool = {
	.name = PROGRAM,
	.usage = "{--destination-directory=DIR --max-file-size=SIZE | --forward=LIST} "
		 "--sensor-configuration=FILE [SWITCHES]",
	.summary = "store what comes in through each probe, for a packer elsewhere",
	.table = flowcap_table,
	.log_offset = offsetof(struct flowcap_opts, log),
	.daemon_offset = offsetof(struct flowcap_opts, daemon),
	.check = flowcap_check,
	.prepare = flowcap_prepare,
	.keeps_privileges = true,
	.run = flowcap_run,
};

int main(int argc, char **argv)
{
	struct flowcap_opts opts = {
		.timeout_s = 60,
		.return_ns = 300 * (uint64_t)NS_PER_S,
		.peer_timeout_ns = 10 * (uint64_t)NS_PER_S,
		.fc_version = 5,
		.freespace_minimum = UINT64_C(1) << 30,
		.space_maximum_percent = 98,
		.journal_bytes = UINT64_C(8) << 30,
		.max_connections = 1024,
		.compression = COMPRESSION_BEST,
	};

	return daemontool_main(&flowcap_tool, &opts, argc, argv);
}

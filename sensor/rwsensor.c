/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rwsensor: packets in, IPFIX out. This file has the switches and what they mean for the modules;
 * the work is in sensor/sensor.c.
 */
#include <errno.h>
#include <glib.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/metricsd.h"
#include "common/opt.h"
#include "common/stdstreams.h"
#include "common/supervise.h"
#include "common/timestamp.h"
#include "sensor/sensor.h"
#include "sensor/sensormetrics.h"

#define PROGRAM "rwsensor"
#define MIB     (UINT64_C(1024) * 1024)

struct rwsensor_opts {
	char *config;
	GPtrArray *read;
	GPtrArray *read_list;
	char *interface;
	char *filter;
	uint64_t snap_bytes;
	uint64_t ring_bytes;
	bool no_promiscuous;
	GPtrArray *export;
	char *spool_directory;
	uint64_t spool_bytes;
	uint64_t peer_timeout_ns;
	uint64_t return_ns;
	uint64_t buffer_bytes;
	uint64_t drain_timeout_ns;
	uint64_t template_interval_ns;
	struct tls_opts tls;
	uint64_t idle_timeout_ns;
	uint64_t active_timeout_ns;
	uint64_t late_tolerance_ns;
	uint64_t fragment_timeout_ns;
	uint64_t max_flows;
	uint64_t max_fragments;
	bool accept_late;
	bool no_fragments;
	bool no_vlan_in_key;
	bool ip4_only;
	bool ip6_only;
	bool silk;
	bool uniflow;
	bool delta;
	bool force_ip6;
	bool mac;
	int precision;
	uint64_t ingress;
	uint64_t egress;
	uint64_t domain;
	uint64_t stats_interval_ns;
	bool no_stats;
	bool check_config;
	char *metrics;
	struct log_opts log;
	struct daemon_opts daemon;
};

static const struct rwsensor_opts default_opts = {
	.snap_bytes = 256,
	.ring_bytes = 64 * MIB,
	.buffer_bytes = 64 * MIB,
	.spool_bytes = 1024 * MIB,
	.peer_timeout_ns = 10 * (uint64_t)NS_PER_S,
	.return_ns = 300 * (uint64_t)NS_PER_S,
	.drain_timeout_ns = 60 * (uint64_t)NS_PER_S,
	.template_interval_ns = 200 * (uint64_t)NS_PER_S,
	.idle_timeout_ns = 300 * (uint64_t)NS_PER_S,
	.active_timeout_ns = 1800 * (uint64_t)NS_PER_S,
	.late_tolerance_ns = (uint64_t)NS_PER_MS,
	.fragment_timeout_ns = 30 * (uint64_t)NS_PER_S,
	.max_flows = 1000000,
	.max_fragments = 4096,
	.stats_interval_ns = 300 * (uint64_t)NS_PER_S,
};

static const char *const precision_names[] = { "ms", "us", "ns", NULL };

#define DURATION_MAX ((uint64_t)INT64_MAX / 4)

/* A row with bounds and the text of its default. */
#define ROW(kind_, member, name_, letter_, arg_, min_, max_, default_, help_)                      \
	{                                                                                          \
		.kind = OPT_KIND_##kind_, .name = name_, .letter = letter_,                        \
		.offset = offsetof(struct rwsensor_opts, member), .arg = arg_, .min = min_,        \
		.max = max_, .help = help_, .default_text = default_                               \
	}

/* clang-format off */
static const struct opt rwsensor_opt_table[] = {
	OPT_STR(struct rwsensor_opts, config, "config", 0, "FILE",
		"read switches from section [rwsensor] of this file first"),
	OPT_STRS(struct rwsensor_opts, read, "read", 'r', "FILE",
		 "read packets from this capture file (repeatable); - is standard input"),
	OPT_STRS(struct rwsensor_opts, read_list, "read-list", 0, "FILE",
		 "read packets from the capture files named in FILE, one a line"),
	OPT_STR(struct rwsensor_opts, interface, "interface", 'i', "NAME",
		"capture packets from this interface"),
	OPT_STR(struct rwsensor_opts, filter, "filter", 0, "EXPRESSION",
		"take only packets that pass this BPF filter"),
	ROW(U64, snap_bytes, "snap-length", 0, "BYTES", 64, 262144, "256",
	    "capture so many bytes of each packet"),
	ROW(SIZE, ring_bytes, "ring-size", 0, "BYTES", 0, 2047 * MIB, "64m",
	    "size of the kernel's packet buffer"),
	OPT_FLAG(struct rwsensor_opts, no_promiscuous, "no-promiscuous", 0,
		 "leave the interface in its present mode"),

	OPT_STRS(struct rwsensor_opts, export, "export", 'o', "DESTINATION",
		 "send flows to tls://, tcp:// or udp:// HOST:PORT, a file, or - (standard output); "
		 "several collectors, by commas or repeated, are tried in order"),
	OPT_STR(struct rwsensor_opts, spool_directory, "spool-directory", 0, "DIR",
		"keep messages in this folder until a collector has acknowledged them"),
	ROW(SIZE, spool_bytes, "spool-size", 0, "BYTES", MIB, UINT64_C(1) << 50, "1g",
	    "keep at most so much there"),
	ROW(DURATION, peer_timeout_ns, "peer-timeout", 0, "TIME", 0, DURATION_MAX, "10",
	    "take a collector's host that does not answer for so long as away; 0 is never"),
	ROW(DURATION, return_ns, "return-interval", 0, "TIME", 0, DURATION_MAX, "300",
	    "with a later collector of several, look for the first one this often; 0 is never"),
	ROW(SIZE, buffer_bytes, "buffer-size", 0, "BYTES", MIB / 16, UINT64_C(1) << 40, "64m",
	    "keep at most so much for a collector that is away or slow"),
	ROW(DURATION, drain_timeout_ns, "drain-timeout", 0, "TIME", 0, DURATION_MAX, "60",
	    "at the end wait so long for the collector to acknowledge everything"),
	ROW(DURATION, template_interval_ns, "template-interval", 0, "TIME", 0, DURATION_MAX, "200",
	    "over UDP send the templates again after this time; 0 is never"),
	OPT_GROUP(struct rwsensor_opts, tls, tls_opt_table),

	ROW(DURATION, idle_timeout_ns, "idle-timeout", 0, "TIME", 0, DURATION_MAX, "300",
	    "end a flow after so long without a packet"),
	ROW(DURATION, active_timeout_ns, "active-timeout", 0, "TIME", 0, DURATION_MAX, "1800",
	    "end a flow, and go on with a new one, after so long"),
	ROW(U64, max_flows, "max-flows", 0, "N", 1, FLOWTABLE_FLOWS_MAX, "1000000",
	    "hold so many flows; the least recently seen end early"),
	ROW(U64, max_fragments, "max-fragments", 0, "N", 1, 1 << 20, "4096",
	    "reassemble so many datagrams at a time"),
	ROW(DURATION, fragment_timeout_ns, "fragment-timeout", 0, "TIME", 0, DURATION_MAX, "30",
	    "give up a datagram so long after its last fragment"),
	OPT_FLAG(struct rwsensor_opts, no_fragments, "no-fragments", 0,
		 "refuse fragments instead of reassembling"),
	ROW(DURATION, late_tolerance_ns, "late-tolerance", 0, "TIME", 0, DURATION_MAX, "1ms",
	    "take packets at most this much older than the one before as on time"),
	OPT_FLAG(struct rwsensor_opts, accept_late, "accept-late", 0,
		 "take in packets however late they come"),
	OPT_FLAG(struct rwsensor_opts, no_vlan_in_key, "no-vlan-in-key", 0,
		 "let packets of different VLANs be one flow"),
	OPT_FLAG(struct rwsensor_opts, ip4_only, "ip4-only", 0, "take only IPv4 packets"),
	OPT_FLAG(struct rwsensor_opts, ip6_only, "ip6-only", 0, "take only IPv6 packets"),

	OPT_FLAG(struct rwsensor_opts, silk, "silk", 0,
		 "mark flows that continue, and end flows at 4 GiB, for SiLK's file formats"),
	OPT_FLAG(struct rwsensor_opts, uniflow, "uniflow", 0,
		 "export one record per direction instead of biflows"),
	OPT_FLAG(struct rwsensor_opts, delta, "delta", 0,
		 "export volumes as delta counts instead of total counts"),
	{ .kind = OPT_KIND_CHOICE, .name = "time-precision",
	  .offset = offsetof(struct rwsensor_opts, precision), .arg = "UNIT",
	  .choices = precision_names, .help = "export times in ms, us or ns",
	  .default_text = "ms" },
	OPT_FLAG(struct rwsensor_opts, force_ip6, "force-ip6-export", 0,
		 "export IPv4 addresses as IPv6 addresses"),
	OPT_FLAG(struct rwsensor_opts, mac, "mac", 0, "export MAC addresses"),
	ROW(U64, ingress, "ingress", 0, "N", 0, UINT32_MAX, NULL,
	    "export N as the ingress interface"),
	ROW(U64, egress, "egress", 0, "N", 0, UINT32_MAX, NULL,
	    "export N as the egress interface"),
	ROW(U64, domain, "observation-domain", 0, "N", 0, UINT32_MAX, "0",
	    "number of the observation domain"),
	ROW(DURATION, stats_interval_ns, "stats-interval", 0, "TIME", 0, DURATION_MAX, "300",
	    "log and export statistics this often; 0 is only at the end"),
	OPT_FLAG(struct rwsensor_opts, no_stats, "no-stats", 0,
		 "export no statistics records"),
	OPT_FLAG(struct rwsensor_opts, check_config, "check-config", 0,
		 "check all that starting would need, say what is found, and exit"),
	OPT_STR(struct rwsensor_opts, metrics, "metrics", 0, "HOST:PORT",
		"serve metrics over HTTP at this address"),
	OPT_GROUP(struct rwsensor_opts, log, log_opt_table),
	OPT_GROUP(struct rwsensor_opts, daemon, daemon_opt_table),
	OPT_END,
};
/* clang-format on */

/* --- switches ------------------------------------------------------------------------------- */

static void opts_release(struct rwsensor_opts *opts)
{
	if (opts->read != NULL) {
		g_ptr_array_unref(opts->read);
	}
	if (opts->read_list != NULL) {
		g_ptr_array_unref(opts->read_list);
	}
	if (opts->export != NULL) {
		g_ptr_array_unref(opts->export);
	}
}

/* The configuration file is read first, so that the command line overrules it. */
static int parse(struct rwsensor_opts *opts, int argc, char **argv, struct opt_result *result,
		 struct err *err)
{
	bool has_export;
	char *config;
	int st;

	*opts = default_opts;
	st = opt_parse(rwsensor_opt_table, opts, argc, argv, result, err);
	if (st != ST_OK || result->action != OPT_RUN || opts->config == NULL) {
		return st;
	}
	config = opts->config;
	has_export = opts->export != NULL;
	g_free(result->args);
	result->args = NULL;
	opts_release(opts);
	*opts = default_opts;
	st = opt_read_file(rwsensor_opt_table, opts, config, PROGRAM, err);
	if (st == ST_OK && has_export && opts->export != NULL) {
		g_ptr_array_unref(opts->export);
		opts->export = NULL;
	}
	return st == ST_OK ? opt_parse(rwsensor_opt_table, opts, argc, argv, result, err) : st;
}

/* Append the names in a list file: one a line, blank lines and # comments left out. */
static int append_list(GPtrArray *inputs, const char *path, struct err *err)
{
	GError *gerror = NULL;
	char *text = NULL;
	char **lines;

	if (!g_file_get_contents(path, &text, NULL, &gerror)) {
		err_set(err, ST_EIO, "%s", gerror->message);
		g_error_free(gerror);
		return ST_EIO;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_strstrip(*line);
		if (**line != '\0' && **line != '#') {
			g_ptr_array_add(inputs, g_strdup(*line));
		}
	}
	g_strfreev(lines);
	g_free(text);
	return ST_OK;
}

/* All capture files, in the order: arguments, --read, --read-list. */
static int collect_inputs(const struct rwsensor_opts *opts, const struct opt_result *result,
			  GPtrArray *inputs, struct err *err)
{
	int st = ST_OK;

	for (int i = 0; i < result->nargs; i++) {
		g_ptr_array_add(inputs, g_strdup(result->args[i]));
	}
	for (guint i = 0; opts->read != NULL && i < opts->read->len; i++) {
		g_ptr_array_add(inputs, g_strdup(opts->read->pdata[i]));
	}
	for (guint i = 0; st == ST_OK && opts->read_list != NULL && i < opts->read_list->len; i++) {
		st = append_list(inputs, opts->read_list->pdata[i], err);
	}
	return st;
}

static int check(const struct rwsensor_opts *opts, const GPtrArray *inputs, struct err *err)
{
	if (opts->export == NULL) {
		return err_set(err, ST_EINVAL, "--export is needed");
	}
	if ((opts->interface != NULL) == (inputs->len > 0)) {
		return err_set(err, ST_EINVAL, "either --interface or capture files must be given");
	}
	if (opts->ip4_only && opts->ip6_only) {
		return err_set(err, ST_EINVAL, "--ip4-only and --ip6-only exclude each other");
	}
	return opts->metrics != NULL ? metricsd_check(opts->metrics, err) : ST_OK;
}

/*
 * The values of --export, those of collectors taken apart at their commas, NULL at the end. The
 * name of a file may have commas.
 */
static GPtrArray *destinations_of(const struct rwsensor_opts *opts)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < opts->export->len; i++) {
		const char *value = opts->export->pdata[i];
		const bool is_file = sink_message_bytes(value) == EXPORT_MESSAGE_MAX;
		char **parts = g_strsplit(value, ",", is_file ? 1 : -1);

		for (char **part = parts; *part != NULL; part++) {
			g_ptr_array_add(all, g_strdup(g_strstrip(*part)));
		}
		g_strfreev(parts);
	}
	g_ptr_array_add(all, NULL);
	return all;
}

/* What all destinations take. */
static size_t message_bytes(const struct rwsensor_opts *opts)
{
	GPtrArray *all = destinations_of(opts);
	size_t bytes = EXPORT_MESSAGE_MAX;

	for (guint i = 0; i + 1 < all->len; i++) {
		bytes = MIN(bytes, sink_message_bytes(all->pdata[i]));
	}
	g_ptr_array_unref(all);
	return bytes;
}

/* --- from switches to modules --------------------------------------------------------------- */

static int random_bytes(void *out, size_t size, struct err *err)
{
	if (getrandom(out, size, 0) != (ssize_t)size) {
		return err_errno(err, ST_EIO, errno, "random numbers");
	}
	return ST_OK;
}

static int sensor_opts_from(const struct rwsensor_opts *opts, struct sensor_opts *out,
			    struct err *err)
{
	struct hash_key key;

	*out = (struct sensor_opts){
		.meter = {
			.flows = {
				.max_flows = (uint32_t)opts->max_flows,
				.idle_timeout_ns = (int64_t)opts->idle_timeout_ns,
				.active_timeout_ns = (int64_t)opts->active_timeout_ns,
				.late_tolerance_ns = (int64_t)opts->late_tolerance_ns,
				.accept_late = opts->accept_late,
				.no_vlan_in_key = opts->no_vlan_in_key,
				.silk = opts->silk,
			},
			.fragments = {
				.max_datagrams = (uint32_t)opts->max_fragments,
				.timeout_ns = (int64_t)opts->fragment_timeout_ns,
			},
			.no_fragments = opts->no_fragments,
			.only_version = opts->ip4_only ? 4 : opts->ip6_only ? 6 : 0,
		},
		.export = {
			.domain = (uint32_t)opts->domain,
			.max_message_bytes = message_bytes(opts),
			.precision = (enum export_precision)opts->precision,
			.uniflow = opts->uniflow,
			.delta = opts->delta,
			.force_ipv6 = opts->force_ip6,
			.mac = opts->mac,
			.interfaces = opts->ingress != 0 || opts->egress != 0,
			.ingress = (uint32_t)opts->ingress,
			.egress = (uint32_t)opts->egress,
		},
		.filter = opts->filter,
		.stats_interval_ns = (int64_t)opts->stats_interval_ns,
		.stats_records = !opts->no_stats,
		.drain_timeout_ns = (int64_t)opts->drain_timeout_ns,
	};
	if (random_bytes(&key, sizeof(key), err) != ST_OK) {
		return err->status;
	}
	out->meter.flows.key = key;
	out->meter.fragments.key = key;
	return ST_OK;
}

static int open_sink(const struct rwsensor_opts *opts, struct sink **out, struct err *err)
{
	GPtrArray *all = destinations_of(opts);
	const struct sink_spool_opts spool = {
		.directory = opts->spool_directory,
		.max_bytes = opts->spool_bytes,
		.drop_oldest = opts->interface != NULL,
	};
	struct link_opts link = {
		.destination = all->pdata[0],
		.others = (const char *const *)all->pdata + 1,
		.return_ns = (int64_t)opts->return_ns,
		.tls = opts->tls,
		.buffer_bytes = opts->buffer_bytes,
		.backoff_min_ns = NS_PER_S / 4,
		.backoff_max_ns = 30 * NS_PER_S,
		.stall_timeout_ns = 60 * NS_PER_S,
		.peer_timeout_ns = (int64_t)opts->peer_timeout_ns,
		.template_refresh_ns = (int64_t)opts->template_interval_ns,
	};
	int st = random_bytes(link.stream_id, sizeof(link.stream_id), err);

	if (opts->spool_directory != NULL) {
		link.buffer_bytes =
			MIN(opts->buffer_bytes, MIN(opts->spool_bytes / 4, LINK_SPOOL_BUFFER));
		link.backoff_max_ns = 5 * NS_PER_S;
	}
	if (st == ST_OK) {
		st = sink_open(out, &link, err);
	}
	if (st == ST_OK && opts->spool_directory != NULL) {
		sink_set_spool(*out, &spool);
	}
	g_ptr_array_unref(all);
	return st;
}

/* --- --check-config -------------------------------------------------------------------------- */

static bool find(bool ok, const char *what, const char *name, const char *why)
{
	fprintf(ok ? stdout : stderr, PROGRAM ": %s%s '%s': %s\n", ok ? "" : "error: ", what, name,
		why);
	return ok;
}

static bool find_destinations(const struct rwsensor_opts *opts)
{
	GPtrArray *all = destinations_of(opts);
	struct tls_context *tls = NULL;
	bool ok = true;
	struct err err;

	for (guint i = 0; all->pdata[i] != NULL; i++) {
		const char *name = all->pdata[i];

		if (!g_str_has_prefix(name, "tls://")) {
			find(true, "destination", name, "not tried");
			continue;
		}
		tls = NULL;
		if (tls_context_new(&tls, &opts->tls, false, &err) == ST_OK) {
			find(true, "destination", name, "certificate and key belong together");
		} else {
			ok = find(false, "destination", name, err.text);
		}
		tls_context_free(tls);
	}
	g_ptr_array_unref(all);
	return ok;
}

/* Nothing is opened for capture, connected or replaced. */
static int check_config(const struct rwsensor_opts *opts, const GPtrArray *inputs)
{
	bool ok = find_destinations(opts);

	if (opts->interface != NULL) {
		bool found = if_nametoindex(opts->interface) != 0;

		ok &= find(found, "interface", opts->interface,
			   found ? "is there" : g_strerror(errno));
	}
	for (guint i = 0; i < inputs->len; i++) {
		const char *path = inputs->pdata[i];
		bool readable = strcmp(path, "-") == 0 || access(path, R_OK) == 0;

		ok &= find(readable, "capture file", path,
			   readable ? "readable" : g_strerror(errno));
	}
	if (opts->spool_directory != NULL) {
		bool writable = access(opts->spool_directory, R_OK | W_OK | X_OK) == 0;

		/* one that is not there is made */
		ok &= find(writable || errno == ENOENT, "spool directory", opts->spool_directory,
			   writable ? "writable" : g_strerror(errno));
	}
	return ok ? ST_OK : ST_EINVAL;
}

static int open_live(const struct rwsensor_opts *opts, struct capture **out, struct err *err)
{
	struct capture_live_opts live = {
		.interface = opts->interface,
		.filter = opts->filter,
		.snap_bytes = (int)opts->snap_bytes,
		.promiscuous = !opts->no_promiscuous,
		.ring_bytes = opts->ring_bytes,
	};

	return capture_open_live(out, &live, err);
}

/* --- running -------------------------------------------------------------------------------- */

/* Go on after a bad file; returns the status of the last one that was bad. */
static int read_files(struct sensor *sensor, const GPtrArray *inputs, struct err *err)
{
	int st = ST_OK;

	for (guint i = 0; i < inputs->len && !daemon_stopping(); i++) {
		int one = sensor_read_file(sensor, inputs->pdata[i], err);

		if (one != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err->text);
			st = one;
		}
		if (sensor_is_broken(sensor)) {
			break;
		}
	}
	return st;
}

/* Whom the sensor's thread tells how it does. */
struct watchers {
	struct supervise *supervise;
	struct sensormetrics *metrics;
	struct metricsd *metricsd;
};

static void on_tick(void *arg, const struct sensor_snapshot *snapshot)
{
	struct watchers *watchers = arg;

	supervise_alive(watchers->supervise, clock_now_ns(CLOCK_MONOTONIC));
	sensormetrics_publish(watchers->metrics, snapshot);
}

static int watchers_open(struct watchers *watchers, const struct rwsensor_opts *opts,
			 struct err *err)
{
	int st = ST_OK;

	watchers->supervise = daemon_supervise();
	watchers->metrics = sensormetrics_new();
	if (opts->metrics != NULL) {
		const struct metricsd_sources sources = { .collect = sensormetrics_collect,
							  .arg = watchers->metrics };

		st = metricsd_start(&watchers->metricsd, opts->metrics, &sources, err);
	}
	if (watchers->metricsd != NULL) {
		log_msg(LOG_LEVEL_NOTICE, "Metrics at http://%s/metrics",
			metricsd_address(watchers->metricsd));
	}
	return st;
}

static void watchers_close(struct watchers *watchers)
{
	metricsd_stop(watchers->metricsd);
	sensormetrics_free(watchers->metrics);
	supervise_free(watchers->supervise);
}

static int sense(const struct rwsensor_opts *opts, const GPtrArray *inputs, struct capture *capture,
		 struct sink *sink, struct watchers *watchers, struct err *err)
{
	struct sensor_opts sensor_opts;
	struct sensor *sensor = NULL;
	int finish;
	int st = sensor_opts_from(opts, &sensor_opts, err);

	sensor_opts.tick = on_tick;
	sensor_opts.tick_arg = watchers;
	if (st == ST_OK) {
		st = sink_start(sink, err);
	}
	if (st == ST_OK) {
		st = sensor_start(&sensor, &sensor_opts, sink, err);
	}
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err->text);
		return st;
	}
	if (capture == NULL) {
		st = read_files(sensor, inputs, err);
	} else {
		st = sensor_read_live(sensor, capture, err);
		if (st != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err->text);
		}
	}
	finish = sensor_finish(sensor, err);
	if (finish != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err->text);
		st = finish;
	}
	sensor_free(sensor);
	return st;
}

/* Open what needs privileges, become a daemon, drop them, work. Files are read in the foreground.
 */
static int run(struct rwsensor_opts *opts, const GPtrArray *inputs, struct err *err)
{
	struct watchers watchers = { 0 };
	struct capture *capture = NULL;
	struct sink *sink = NULL;
	bool foreground = capture == NULL && opts->interface == NULL;
	int st;

	opts->daemon.no_daemon |= foreground;
	st = log_open(&opts->log, PROGRAM, opts->daemon.no_daemon ? "stderr" : "syslog", err);
	if (st != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err->text);
		return st;
	}
	if (opts->interface != NULL) {
		st = open_live(opts, &capture, err);
	}
	if (st == ST_OK) {
		st = open_sink(opts, &sink, err);
	}
	if (st == ST_OK) {
		st = daemon_start(&opts->daemon, PROGRAM, true, err);
	}
	if (st == ST_OK) {
		st = watchers_open(&watchers, opts, err);
		if (st == ST_OK) {
			st = daemon_drop_privileges(&opts->daemon, err);
		}
		if (st != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err->text);
		} else {
			supervise_ready(watchers.supervise);
			st = sense(opts, inputs, capture, sink, &watchers, err);
			supervise_stopping(watchers.supervise);
		}
		daemon_finish();
	} else {
		fprintf(stderr, PROGRAM ": %s\n", err->text);
	}
	watchers_close(&watchers);
	sink_close(sink);
	capture_close(capture);
	log_close();
	return st;
}

static int run_checked(struct rwsensor_opts *opts, const struct opt_result *result)
{
	GPtrArray *inputs = g_ptr_array_new_with_free_func(g_free);
	struct err err;
	int st = collect_inputs(opts, result, inputs, &err);

	if (st == ST_OK) {
		st = check(opts, inputs, &err);
	}
	if (st != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\nTry '" PROGRAM " --help'\n", err.text);
	} else if (opts->check_config) {
		st = check_config(opts, inputs);
	} else {
		st = run(opts, inputs, &err);
	}
	g_ptr_array_unref(inputs);
	return st;
}

int main(int argc, char **argv)
{
	struct rwsensor_opts opts;
	struct opt_result result = { 0 };
	struct err err;
	int st;

	stdstreams_guard();
	st = parse(&opts, argc, argv, &result, &err);
	if (st != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\nTry '" PROGRAM " --help'\n", err.text);
		return EXIT_FAILURE;
	}
	switch (result.action) {
	case OPT_HELP:
		printf("Usage: " PROGRAM " [switches] --export=DESTINATION FILE...\n"
		       "       " PROGRAM " [switches] --export=DESTINATION --interface=NAME\n\n"
		       "Make flow records from packets and send them as IPFIX.\n\n");
		opt_help(rwsensor_opt_table, NULL, stdout);
		break;
	case OPT_VERSION:
		printf(PROGRAM " (" PACKAGE_NAME ") " PACKAGE_VERSION "\n");
		break;
	case OPT_DUMP_OPTIONS:
		opt_dump(rwsensor_opt_table, stdout);
		break;
	case OPT_RUN:
		st = run_checked(&opts, &result);
		break;
	}
	g_free(result.args);
	opts_release(&opts);
	if (result.action != OPT_RUN && (fflush(stdout) != 0 || ferror(stdout))) {
		perror(PROGRAM ": cannot write standard output");
		return EXIT_FAILURE;
	}
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwflowpack: records of sensors, routers and files in, hourly files of the repository out. */
#include <glib.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/metricsd.h"
#include "common/numlist.h"
#include "common/stdstreams.h"
#include "common/supervise.h"
#include "common/timestamp.h"
#include "packer/classify.h"
#include "packer/daemontool.h"
#include "packer/filepacking.h"
#include "packer/packcheck.h"
#include "packer/packing.h"
#include "packer/packopts.h"

#define PROGRAM "rwflowpack"

/* Descriptors for all that is neither an hourly file nor a connection. */
#define RWFLOWPACK_FILES_RESERVED 64

#define RWFLOWPACK_STATUS_NS (60 * NS_PER_S)

/* Of each UDP port: a second at full rate, for when the disk or the machine is busy. */
#define RWFLOWPACK_UDP_BUFFER (32 << 20)

/* Bounds on what one exporter can make us hold. */
static const struct ipfix_limits rwflowpack_limits = {
	.max_templates = 1024,
	.max_template_fields = 1024,
	.max_domains = 256,
};

struct rwflowpack {
	struct packopts opts;
	char *site_path;
	char *sensor_path;
	struct tls_context *tls;
	struct packing *packing;
	struct supervise *supervise;
	struct metricsd *metricsd;
	const struct probe *pdu_probe; /* of the mode pdufile */
};

/* What the service manager was told last. */
struct watch {
	uint64_t ticks;
	uint64_t messages;
	int64_t status_ns; /* when it is told again */
};

/* ---- configuration: complaints go to stderr at the start, to the log at a reload ---- */

static void complain_on_stderr(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static void complain_in_log(void *arg, const char *text)
{
	char *line = g_strdelimit(g_strdup(text), "\n\t", ' ');

	(void)arg;
	log_msg(LOG_LEVEL_ERR, "%s", line);
	g_free(line);
}

static void complain_about_site(void *arg, const char *file, int line, const char *message)
{
	confreport_fn complain = *(confreport_fn *)arg;
	char *text = line > 0 ? g_strdup_printf("Error while parsing site configuration file at "
						"%s:%d:\n\t%s",
						file, line, message)
			      : g_strdup(message);

	complain(NULL, text);
	g_free(text);
}

static int load_sensors(const struct rwflowpack *self, const struct site *site,
			confreport_fn complain, struct sensorconf **out, struct err *err)
{
	const char *name =
		self->opts.packing_logic ? self->opts.packing_logic : site_packing_logic(site);
	enum packlogic logic = PACKLOGIC_TWOWAY;
	struct sensorconf *conf = NULL;
	int st = name ? packlogic_parse(name, &logic, err) : ST_OK;

	if (st == ST_OK) {
		st = packlogic_check_site(logic, site, err);
		if (st != ST_OK) {
			err_prefix(err, "%s", self->site_path);
		}
	}
	if (st == ST_OK) {
		st = sensorconf_load(&conf, self->sensor_path, site, logic, complain, NULL, err);
	}
	if (st == ST_OK && self->opts.sensor_name) {
		st = sensorconf_select(conf, self->opts.sensor_name, err);
	}
	if (st == ST_OK && !self->opts.verify.given &&
	    packopts_input(&self->opts) == PACKOPTS_STREAM) {
		st = sensorconf_check_supported(conf, err);
	}
	if (st != ST_OK) {
		sensorconf_free(conf);
		return st;
	}
	*out = conf;
	return ST_OK;
}

/* Both or none. */
static int load(const struct rwflowpack *self, confreport_fn complain, struct site **site,
		struct sensorconf **conf, struct err *err)
{
	int st = site_load_all(site, self->site_path, complain_about_site, &complain, err);

	if (st != ST_OK) {
		err_prefix(err, "cannot read the site configuration");
	} else if (packopts_input(&self->opts) != PACKOPTS_RESPOOL || self->opts.verify.given) {
		st = load_sensors(self, *site, complain, conf, err);
	}
	if (st != ST_OK) {
		site_free(*site);
		*site = NULL;
	}
	return st;
}

/* ---- --verify-sensor-config ---- */

static void print_names(const char *what, const GPtrArray *names)
{
	printf(PROGRAM ": Successfully parsed %u %s%s:\n\t", names->len, what,
	       names->len == 1 ? "" : "s");
	for (guint i = 0; i < names->len; i++) {
		printf("%s%s", i ? ", " : "", (const char *)g_ptr_array_index(names, i));
	}
	printf("\n");
}

static void print_verified(const struct sensorconf *conf)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);

		g_ptr_array_add(names, probe->name);
	}
	print_names("probe", names);
	g_ptr_array_set_size(names, 0);
	for (guint i = 0; i < sensorconf_sensors(conf)->len; i++) {
		const struct sensor *sensor = g_ptr_array_index(sensorconf_sensors(conf), i);

		g_ptr_array_add(names, sensor->name);
	}
	print_names("sensor", names);
	g_ptr_array_free(names, TRUE);
}

/* ---- running ---- */

/* Probes that define a source which stream mode does not read; switches that nobody needs. */
static void warn_about_sources(const struct packopts *opts, const struct sensorconf *conf)
{
	const struct {
		const char *name;
		bool given;
	} polling[] = {
		{ "archive-directory", opts->disposal.archive_directory != NULL },
		{ "error-directory", opts->disposal.error_directory != NULL },
		{ "polling-interval",
		  opts->polling_interval_s != packopts_default.polling_interval_s },
	};
	bool polls = false;

	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);

		polls |= probe->poll_directory != NULL;
		if (probe->file || (!probe->ephemeral && probe->sensors->len == 0)) {
			log_msg(LOG_LEVEL_WARNING, "Warning: Ignoring probe '%s': %s", probe->name,
				probe->file ? "read-from-file is not for stream input"
					    : "no sensor uses it");
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(polling); i++) {
		if (polling[i].given && !polls) {
			log_msg(LOG_LEVEL_WARNING,
				"Ignoring --%s since no probes use directory polling",
				polling[i].name);
		}
	}
}

static void reload(struct rwflowpack *self)
{
	struct sensorconf *conf = NULL;
	struct site *site = NULL;
	struct err err;
	int st;

	log_reopen();
	log_msg(LOG_LEVEL_NOTICE, "Reloading '%s' and '%s'", self->site_path, self->sensor_path);
	st = load(self, complain_in_log, &site, &conf, &err);
	if (st == ST_OK && self->tls) {
		st = tls_context_reload(self->tls, &self->opts.tls, &err);
	}
	if (st == ST_OK) {
		st = packing_reload(self->packing, site, conf, &err);
	}
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_NOTICE, "The new configuration is in use");
	} else {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
		log_msg(LOG_LEVEL_ERR, "The new configuration is refused; the old one stays");
	}
}

/* To the service manager: a sign of life while work goes on, and a line now and then. */
static void tell_manager(struct rwflowpack *self, struct watch *watch)
{
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	uint64_t ticks = packing_ticks(self->packing);

	if (ticks != watch->ticks) {
		watch->ticks = ticks;
		supervise_alive(self->supervise, now_ns);
	}
	if (now_ns >= watch->status_ns) {
		uint64_t messages = packing_messages(self->packing);

		supervise_status(self->supervise,
				 "%" PRIu64 " messages, %" PRIu64 " in the last minute", messages,
				 messages - watch->messages);
		watch->messages = messages;
		watch->status_ns = now_ns + RWFLOWPACK_STATUS_NS;
	}
}

static void reload_for_manager(struct rwflowpack *self)
{
	supervise_reloading(self->supervise, clock_now_ns(CLOCK_MONOTONIC));
	reload(self);
	supervise_ready(self->supervise);
}

static void wait_for_orders(struct rwflowpack *self)
{
	int64_t watchdog_ns = supervise_watchdog_ns(self->supervise);
	int wait_ms = watchdog_ns > 0 ? (int)CLAMP(watchdog_ns / 4 / NS_PER_MS, 10, 1000) : 1000;
	struct watch watch = { 0 };

	while (!daemon_stopping()) {
		struct pollfd wake = { .fd = daemon_wake_fd(), .events = POLLIN };

		poll(&wake, 1, wait_ms);
		tell_manager(self, &watch);
		log_tick(clock_now_ns(CLOCK_REALTIME));
		if (daemon_take_reload()) {
			reload_for_manager(self);
		}
		if (daemon_take_report()) {
			packing_report(self->packing);
		}
	}
}

/*
 * How many connections a port may have. Strangers' must not take the descriptors that the hourly
 * files need, for a file that cannot be opened stops the daemon: so raise the limit, or else take
 * fewer connections.
 */
static unsigned fit_connections(const struct packopts *opts, const struct sensorconf *conf)
{
	rlim_t reserved = opts->file_cache_size + RWFLOWPACK_FILES_RESERVED;
	rlim_t ports = 0;
	rlim_t wanted;
	rlim_t fit = 1;
	struct rlimit limit;

	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);

		ports += probe->port && (probe->tls || probe->protocol == PROBE_TCP);
	}
	wanted = reserved + ports * opts->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
		return (unsigned)opts->max_connections;
	}
	limit.rlim_cur = MIN(wanted, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted) {
		return (unsigned)opts->max_connections;
	}
	if (ports > 0 && limit.rlim_cur > reserved + ports) {
		fit = (limit.rlim_cur - reserved) / ports;
	}
	fit = MIN(fit, opts->max_connections);
	log_msg(LOG_LEVEL_WARNING,
		"%lu open files are allowed: taking %lu connections on each port instead of %lu",
		(unsigned long)limit.rlim_cur, (unsigned long)fit,
		(unsigned long)opts->max_connections);
	return (unsigned)fit;
}

static uint64_t size_from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;

	return text && number_parse(text, 1, INT32_MAX / 2, &value, NULL) == ST_OK ? value
										   : otherwise;
}

/* silk-packing.md 11.1: SiLK's variables share a total among the sockets; without them be generous.
 */
static int udp_receive_buffer(const struct sensorconf *conf)
{
	uint64_t total = size_from_environment("SK_SOCKETBUFFER_TOTAL", 0);
	uint64_t sockets = 0;

	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);

		sockets += probe->port && !probe->tls && probe->protocol != PROBE_TCP;
	}
	if (total == 0) {
		return RWFLOWPACK_UDP_BUFFER;
	}
	return (int)MAX(total / MAX(sockets, 1),
			size_from_environment("SK_SOCKETBUFFER_MINIMUM", 128 << 10));
}

static int take_socket(void *arg, int type, const struct sockaddr *address, socklen_t len)
{
	return supervise_take_socket(arg, type, address, len);
}

static void collect_metrics(void *arg, struct metrictext *text)
{
	packing_collect_metrics(arg, text);
}

static int start_metrics(struct rwflowpack *self, struct err *err)
{
	const struct metricsd_sources sources = { .collect = collect_metrics,
						  .arg = self->packing };
	int st;

	if (!self->opts.metrics) {
		return ST_OK;
	}
	st = metricsd_start(&self->metricsd, self->opts.metrics, &sources, err);
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_NOTICE, "Metrics at http://%s/metrics",
			metricsd_address(self->metricsd));
	}
	return st;
}

/* What the switches ask of the packing. */
static struct packing_opts packing_opts(const struct rwflowpack *self,
					const struct sensorconf *conf)
{
	const struct packopts *opts = &self->opts;

	return (struct packing_opts){
		.writer = packopts_writer(opts),
		.incremental = { .directory = opts->incremental_directory,
				 .sender_directory = opts->sender_directory },
		.flush_offset_ns = -1,
		.keep = packopts_keeps(opts),
		.keeper = packopts_keeper(opts),
		.state_directory = packopts_state_directory(opts),
		.journal_bytes = opts->journal_bytes,
		.limits = rwflowpack_limits,
		.tls = self->tls,
		.max_connections = fit_connections(opts, conf),
		.udp_receive_buffer = udp_receive_buffer(conf),
		.bound_socket = take_socket,
		.bound_socket_arg = self->supervise,
		.disposal = opts->disposal,
		.clock_limit_ns = (int64_t)opts->clock_limit_s * NS_PER_S,
		.flush_timeout_ns = (int64_t)opts->flush_timeout_s * NS_PER_S,
		.polling_interval_ns = (int64_t)opts->polling_interval_s * NS_PER_S,
		.stop = daemon_request_stop,
	};
}

static int start(struct rwflowpack *self, struct site *site, struct sensorconf *conf,
		 struct err *err)
{
	const struct packing_opts packing = packing_opts(self, conf);
	int st = daemon_file_identity(&self->opts.daemon, err);

	if (st != ST_OK) {
		sensorconf_free(conf);
		site_free(site);
		return st;
	}
	log_msg(LOG_LEVEL_INFO, "Using packing logic from %s",
		packlogic_name(sensorconf_logic(conf)));
	warn_about_sources(&self->opts, conf);
	log_msg(LOG_LEVEL_INFO, "Creating stream cache");
	st = packing_start(&self->packing, &packing, site, conf, err);
	if (st == ST_OK && supervise_untaken(self->supervise) > 0) {
		log_msg(LOG_LEVEL_WARNING, "%u passed sockets are bound where no probe listens",
			supervise_untaken(self->supervise));
	}
	if (st == ST_OK) {
		st = start_metrics(self, err);
	}
	if (st == ST_OK) {
		st = daemon_drop_privileges(&self->opts.daemon, err);
	}
	if (st == ST_OK) {
		st = packing_run(self->packing, err);
	}
	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "Starting flush timer");
	}
	return st;
}

/* From the forked child on; errors are logged. Takes site and conf. */
static int run(struct rwflowpack *self, struct site *site, struct sensorconf *conf)
{
	struct err err;
	int stopped = ST_OK;
	int st;

	self->supervise = daemon_supervise();
	st = start(self, site, conf, &err);
	if (st == ST_OK) {
		supervise_ready(self->supervise);
		wait_for_orders(self);
		supervise_stopping(self->supervise);
		daemontool_log_stop();
	} else {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
	}
	metricsd_stop(self->metricsd);
	if (self->packing) {
		stopped = packing_stop(self->packing, &err);
		if (stopped != ST_OK) {
			log_msg(LOG_LEVEL_ERR, "%s", err.text);
		}
		log_msg(LOG_LEVEL_INFO, "Finished shutting down.");
	}
	supervise_free(self->supervise);
	return st == ST_OK && stopped == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the modes that read files ---- */

static bool reads_files(const struct rwflowpack *self)
{
	return packopts_input(&self->opts) != PACKOPTS_STREAM;
}

static int pack_files(const struct rwflowpack *self, const struct site *site,
		      const struct sensorconf *conf, struct err *err)
{
	static const enum filepacking_mode modes[] = {
		[PACKOPTS_PDUFILE] = FILEPACKING_PDUFILE,
		[PACKOPTS_FCFILES] = FILEPACKING_FCFILES,
		[PACKOPTS_RESPOOL] = FILEPACKING_RESPOOL,
	};
	const struct packopts *opts = &self->opts;
	const struct keeper_opts keeper = packopts_keeper(opts);
	const struct outputincremental_opts incremental = {
		.directory = opts->incremental_directory,
		.sender_directory = opts->sender_directory,
	};
	const struct filepacking_opts packing = {
		.mode = modes[packopts_input(opts)],
		.site = site,
		.conf = conf,
		.incoming_directory = opts->incoming_directory,
		.netflow_file = opts->netflow_file,
		.probe = self->pdu_probe,
		.state_directory = packopts_state_directory(opts),
		.writer = packopts_writer(opts),
		.keeper = packopts_keeps(opts) ? &keeper : NULL,
		.incremental = opts->incremental_directory ? &incremental : NULL,
		.disposal = opts->disposal,
		.polling_interval_ns = (int64_t)opts->polling_interval_s * NS_PER_S,
		.flush_timeout_ns = (int64_t)opts->flush_timeout_s * NS_PER_S,
	};

	return filepacking_run(&packing, err);
}

/* From the forked child on; errors are logged. Takes site and conf. */
static int run_files(struct rwflowpack *self, struct site *site, struct sensorconf *conf)
{
	bool one_file = packopts_input(&self->opts) == PACKOPTS_PDUFILE;
	struct err err = { .status = ST_OK };
	int st;

	log_msg(LOG_LEVEL_INFO, "Using packing logic from %s",
		conf ? packlogic_name(sensorconf_logic(conf)) : "respool");
	st = daemon_drop_privileges(&self->opts.daemon, &err);
	if (st == ST_OK) {
		st = pack_files(self, site, conf, &err);
	}
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err.text);
	}
	log_msg(LOG_LEVEL_INFO,
		one_file ? "Finished processing PDU file." : "Finished shutting down.");
	sensorconf_free(conf);
	site_free(site);
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool needs_tls(const struct rwflowpack *self, const struct sensorconf *conf)
{
	const struct tls_opts *tls = &self->opts.tls;

	return !reads_files(self) &&
	       (tls->ca || tls->cert || tls->key || sensorconf_uses_tls(conf));
}

static void print_finding(void *arg, bool ok, const char *text)
{
	(void)arg;
	fprintf(ok ? stdout : stderr, PROGRAM ": %s%s\n", ok ? "" : "error: ", text);
}

/* Everything that can fail while a person watches, then the daemon. */
static int rwflowpack(struct rwflowpack *self, int argc, char **argv, struct err *err)
{
	struct sensorconf *conf = NULL;
	struct site *site = NULL;
	int status = EXIT_FAILURE;

	if (load(self, complain_on_stderr, &site, &conf, err) != ST_OK) {
		return EXIT_FAILURE;
	}
	if (self->opts.verify.given) {
		if (self->opts.verify.text) {
			print_verified(conf);
		}
		status = EXIT_SUCCESS;
		goto done;
	}
	if (self->opts.check_config) {
		status = packcheck(&self->opts, conf, print_finding, NULL) == 0 ? EXIT_SUCCESS
										: EXIT_FAILURE;
		goto done;
	}
	if (packopts_input(&self->opts) == PACKOPTS_PDUFILE) {
		self->opts.daemon.no_daemon = true;
		if (filepacking_find_probe(conf, &self->pdu_probe, err) != ST_OK) {
			goto done;
		}
	}
	if (needs_tls(self, conf) &&
	    tls_context_new(&self->tls, &self->opts.tls, true, err) != ST_OK) {
		goto done;
	}
	if (log_open(&self->opts.log, PROGRAM, NULL, err) != ST_OK) {
		goto done;
	}
	daemontool_log_command_line(argc, argv);
	if (daemon_start(&self->opts.daemon, PROGRAM, !reads_files(self), err) == ST_OK) {
		status = reads_files(self) ? run_files(self, site, conf) : run(self, site, conf);
		site = NULL;
		conf = NULL;
		err->text[0] = '\0';
		daemon_finish();
	}
	log_close();
done:
	sensorconf_free(conf);
	site_free(site);
	return status;
}

static void print_help(void)
{
	printf(PROGRAM " --sensor-configuration=FILE --root-directory=DIR [SWITCHES]\n"
		       "\tpack records of sensors, routers and files into the hourly repository\n\n"
		       "SWITCHES:\n");
	opt_help(packopts_table, NULL, stdout);
}

static void print_version(void)
{
	printf(PROGRAM ": part of %s\n    * Configured with: %s\n", PACKAGE_STRING,
	       *TUSSAH_CONFIGURE_ARGS ? TUSSAH_CONFIGURE_ARGS : "(defaults)");
}

static int usage_error(void)
{
	fprintf(stderr, "Use '" PROGRAM " --help' for usage\n");
	return EXIT_FAILURE;
}

static int check_arguments(const struct rwflowpack *self, const struct opt_result *result)
{
	if (result->nargs > 0) {
		fprintf(stderr, PROGRAM ": Too many or unrecognized argument specified '%s'\n",
			result->args[0]);
		return usage_error();
	}
	if (packopts_check(&self->opts, complain_on_stderr, NULL) > 0) {
		return usage_error();
	}
	return EXIT_SUCCESS;
}

static void make_absolute(struct tls_opts *tls, GPtrArray *kept)
{
	char **paths[] = { &tls->ca, &tls->cert, &tls->key, &tls->crl };

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (*paths[i]) {
			*paths[i] = g_canonicalize_filename(*paths[i], NULL);
			g_ptr_array_add(kept, *paths[i]);
		}
	}
}

/* Blocks are made in buffers of some hundred KiB again and again: keep the pages between them. */
static void keep_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

int main(int argc, char **argv)
{
	struct rwflowpack self = { .opts = packopts_default };
	GPtrArray *kept = g_ptr_array_new_with_free_func(g_free);
	struct opt_result result = { 0 };
	struct err err = { .status = ST_OK };
	int status;

	stdstreams_guard();
	keep_memory();
	if (opt_parse(packopts_table, &self.opts, argc, argv, &result, &err) != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return usage_error();
	}
	if (result.action != OPT_RUN) {
		g_free(result.args);
		switch (result.action) {
		case OPT_HELP:
			print_help();
			break;
		case OPT_VERSION:
			print_version();
			break;
		default:
			opt_dump(packopts_table, stdout);
			break;
		}
		if (fflush(stdout) != 0 || ferror(stdout)) {
			perror(PROGRAM ": cannot write standard output");
			return EXIT_FAILURE;
		}
		return EXIT_SUCCESS;
	}
	status = check_arguments(&self, &result);
	if (status == EXIT_SUCCESS) {
		/* absolute: a daemon changes its folder, and reads them again */
		self.sensor_path =
			self.opts.sensor_configuration
				? g_canonicalize_filename(self.opts.sensor_configuration, NULL)
				: NULL;
		self.site_path =
			daemontool_find_site(self.opts.site_config_file, self.opts.root_directory);
		make_absolute(&self.opts.tls, kept);
		status = rwflowpack(&self, argc, argv, &err);
		if (status != EXIT_SUCCESS && err.text[0]) {
			fprintf(stderr, PROGRAM ": %s\n", err.text);
		}
	}
	tls_context_free(self.tls);
	g_ptr_array_unref(kept);
	g_free(self.site_path);
	g_free(self.sensor_path);
	g_free(result.args);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packopts.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

#include "common/metricsd.h"
#include "common/timestamp.h"
#include "packer/daemontool.h"
#include "storage/flowblock.h"

/* Hourly files are closed when nothing was written to them for so long. */
#define PACKOPTS_IDLE_S UINT64_C(300)

static int packopts_parse_byte_order(const struct opt *opt, const char *text, void *dest,
				     struct err *err)
{
	if (byte_order_parse(text, dest, NULL) != ST_OK) {
		return err_set(err, ST_EINVAL, "Cannot parse %s value '%s'", opt->name, text);
	}
	return ST_OK;
}

static int packopts_parse_compression(const struct opt *opt, const char *text, void *dest,
				      struct err *err)
{
	int *compression = dest;
	enum compression method = COMPRESSION_DEFAULT;

	if (strlen(text) > 1 && g_str_has_prefix("zstd", text)) {
		*compression = PACKOPTS_ZSTD;
		return ST_OK;
	}
	if (compression_parse(text, &method, NULL) != ST_OK) {
		return err_set(err, ST_EINVAL,
			       "Invalid %s '%s': Value does not match any known method", opt->name,
			       text);
	}
	*compression = (int)method;
	return ST_OK;
}

static int packopts_parse_directory(const struct opt *opt, const char *text, void *dest,
				    struct err *err)
{
	if (*(const char **)dest) {
		return err_set(err, ST_EINVAL, "Switch %s already seen", opt->name);
	}
	return daemontool_parse_directory(opt, text, dest, err);
}

#define PACKOPTS_DIRECTORY(member, name, help, ...)                                                \
	OPT_CALL(struct packopts, member, name, 0, "DIR", packopts_parse_directory, OPT_OWN_ERROR, \
		 help, __VA_ARGS__)

static const char *const packopts_file_formats[] = {
	[HOURFILE_BLOCKS] = "block",
	[HOURFILE_SILK] = "silk",
	NULL,
};

const struct opt packopts_table[] = {
	OPT_STR(struct packopts, input_mode, "input-mode", 0, "MODE",
		"where records come from: stream, pdufile, fcfiles or respool",
		.default_text = "stream"),
	OPT_STR(struct packopts, output_mode, "output-mode", 0, "MODE",
		"where records go: local-storage, incremental-files or sending",
		.default_text = "local-storage"),
	OPT_STR(struct packopts, sensor_configuration, "sensor-configuration", 0, "FILE",
		"read probes and sensors from this file"),
	OPT_OPTSTR(struct packopts, verify, "verify-sensor-config", 0, "ANY",
		   "check the sensor configuration and exit; with a value, list what it defines"),
	OPT_STR(struct packopts, packing_logic, "packing-logic", 0, "NAME",
		"use packlogic-twoway or packlogic-generic, whatever the site file says"),
	OPT_STR(struct packopts, sensor_name, "sensor-name", 0, "LIST",
		"use only these sensors, and the probes that feed them"),
	OPT_STR(struct packopts, site_config_file, "site-config-file", 0, "FILE",
		"read the site from this file"),
	PACKOPTS_DIRECTORY(root_directory, "root-directory", "root of the repository"),
	PACKOPTS_DIRECTORY(state_directory, "state-directory",
			   "keep the journal and the positions of acknowledged streams here",
			   .default_text = "root directory"),
	OPT_SIZE(struct packopts, journal_bytes, "journal-size", 0, "BYTES", PACKOPTS_JOURNAL_MIN,
		 UINT64_C(1) << 50, "let messages that wait to be packed take so much of the disk",
		 .default_text = "8g", .flags = OPT_ADDED),
	PACKOPTS_DIRECTORY(incoming_directory, "incoming-directory",
			   "input files of the modes fcfiles and respool"),
	OPT_STR(struct packopts, netflow_file, "netflow-file", 0, "FILE",
		"the input file of mode pdufile"),
	PACKOPTS_DIRECTORY(incremental_directory, "incremental-directory",
			   "work in progress of the modes incremental-files and sending"),
	PACKOPTS_DIRECTORY(sender_directory, "sender-directory",
			   "finished files of the mode sending"),
	OPT_U64(struct packopts, polling_interval_s, "polling-interval", 0, "SECONDS", 1, 86400,
		"how often directories are looked at", .default_text = "15"),
	PACKOPTS_DIRECTORY(disposal.error_directory, "error-directory",
			   "move input files that cannot be read here"),
	PACKOPTS_DIRECTORY(disposal.archive_directory, "archive-directory",
			   "move input files here when they are done",
			   .default_text = "they are deleted"),
	OPT_FLAG(struct packopts, disposal.flat_archive, "flat-archive", 0,
		 "archive without subdirectories for date and hour"),
	OPT_STR(struct packopts, disposal.post_archive_command, "post-archive-command", 0, "CMD",
		"run this for each archived file; %s is its path"),
	OPT_U64(struct packopts, clock_limit_s, "clock-limit", 0, "SECONDS", 0, 315360000,
		"store flows that ended further from their arrival under its time; 0: none",
		.flags = OPT_ADDED),
	OPT_U64(struct packopts, flush_timeout_s, "flush-timeout", 0, "SECONDS", 1, 86400,
		"how often files are flushed and reported", .default_text = "120"),
	OPT_U64(struct packopts, file_cache_size, "file-cache-size", 0, "N", 4, 32767,
		"keep this many hourly files open", .default_text = "128"),
	OPT_FLAG(struct packopts, no_file_locking, "no-file-locking", 0,
		 "do not lock the files written to"),
	OPT_FLAG(struct packopts, pack_interfaces, "pack-interfaces", 0,
		 "store interfaces and next hop as well"),
	OPT_CALL(struct packopts, byte_order, "byte-order", 0, "ORDER", packopts_parse_byte_order,
		 OPT_OWN_ERROR, "byte order of new files: native, little or big",
		 .default_text = "native"),
	OPT_CALL(
		struct packopts, compression, "compression-method", 0, "METHOD",
		packopts_parse_compression, OPT_OWN_ERROR,
		"compression of new files: none, lzo1x, zlib, snappy or best; block files zstd as well",
		.default_text = "lzo1x"),
	OPT_CHOICE(struct packopts, file_format, "file-format", 0, "FORMAT", packopts_file_formats,
		   "kind of new files: block or silk",
		   .default_text = "block, of incremental files silk", .flags = OPT_ADDED),
	OPT_U64(struct packopts, seal_delay_s, "seal-delay", 0, "SECONDS", 1, 604800,
		"seal the files of an hour when it has been over for so long",
		.default_text = "2400", .flags = OPT_ADDED),
	OPT_U64(struct packopts, max_connections, "max-connections", 0, "N", 1, 65536,
		"refuse more connections or UDP peers than this on one port",
		.default_text = "1024", .flags = OPT_ADDED),
	OPT_FLAG(struct packopts, check_config, "check-config", 0,
		 "check all that starting would need, say what is found, and exit",
		 .flags = OPT_ADDED),
	OPT_STR(struct packopts, metrics, "metrics", 0, "HOST:PORT",
		"serve metrics over HTTP at this address", .flags = OPT_ADDED),
	OPT_GROUP(struct packopts, tls, tls_opt_table),
	OPT_GROUP(struct packopts, log, log_opt_table),
	OPT_GROUP(struct packopts, daemon, daemon_opt_table),
	OPT_END,
};

const struct packopts packopts_default = {
	.journal_bytes = UINT64_C(8) << 30,
	.polling_interval_s = 15,
	.flush_timeout_s = 120,
	.file_cache_size = 128,
	.byte_order = BYTE_ORDER_NATIVE,
	.file_format = PACKOPTS_BY_OUTPUT,
	.compression = COMPRESSION_DEFAULT,
	.seal_delay_s = 2400, /* the usual active timeout, and ten minutes on the way */
	.max_connections = 1024,
};

struct packopts_complaints {
	packopts_complain_fn fn;
	void *arg;
	unsigned count;
};

static void packopts_complain(struct packopts_complaints *complaints, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void packopts_complain(struct packopts_complaints *complaints, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	complaints->count++;
	complaints->fn(complaints->arg, text);
	g_free(text);
}

/* Modes must be written exactly; the first is meant when none is given. */
struct packopts_mode {
	const char *name;
	const char *title;
};

static const struct packopts_mode packopts_inputs[] = {
	[PACKOPTS_STREAM] = { "stream", "Stream Input" },
	[PACKOPTS_PDUFILE] = { "pdufile", "PDU-File Input" },
	[PACKOPTS_FCFILES] = { "fcfiles", "Flowcap Files Input" },
	[PACKOPTS_RESPOOL] = { "respool", "Respool SiLK Files Input" },
};

static const struct packopts_mode packopts_outputs[] = {
	[PACKOPTS_LOCAL_STORAGE] = { "local-storage", "Local-Storage Output" },
	[PACKOPTS_INCREMENTAL_FILES] = { "incremental-files", "Incremental-Files Output" },
	[PACKOPTS_SENDING] = { "sending", "Sending Output" },
};

/* -1: there is no such mode. */
static int packopts_find_mode(const struct packopts_mode *modes, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++) {
		if (strcmp(modes[i].name, name) == 0) {
			return (int)i;
		}
	}
	return name ? -1 : 0;
}

enum packopts_input packopts_input(const struct packopts *opts)
{
	return (enum packopts_input)packopts_find_mode(
		packopts_inputs, G_N_ELEMENTS(packopts_inputs), opts->input_mode);
}

enum packopts_output packopts_output(const struct packopts *opts)
{
	return (enum packopts_output)packopts_find_mode(
		packopts_outputs, G_N_ELEMENTS(packopts_outputs), opts->output_mode);
}

#define FOR(mode) (1U << (mode))
#define NEVER     0U

/* The switches of modes, in the order in which they are complained of; a mode that a switch is
 * neither required in nor illegal in does not care. */
static const struct packopts_mode_row {
	const char *name;
	size_t offset; /* of a char * */
	bool output;   /* the modes are those of output */
	unsigned required;
	unsigned illegal;
} packopts_modes[] = {
	{ "sensor-configuration", offsetof(struct packopts, sensor_configuration), false,
	  FOR(PACKOPTS_STREAM) | FOR(PACKOPTS_PDUFILE) | FOR(PACKOPTS_FCFILES),
	  FOR(PACKOPTS_RESPOOL) },
	{ "packing-logic", offsetof(struct packopts, packing_logic), false, NEVER,
	  FOR(PACKOPTS_RESPOOL) },
	{ "sensor-name", offsetof(struct packopts, sensor_name), false, NEVER,
	  FOR(PACKOPTS_FCFILES) | FOR(PACKOPTS_RESPOOL) },
	{ "incoming-directory", offsetof(struct packopts, incoming_directory), false,
	  FOR(PACKOPTS_FCFILES) | FOR(PACKOPTS_RESPOOL),
	  FOR(PACKOPTS_STREAM) | FOR(PACKOPTS_PDUFILE) },
	{ "netflow-file", offsetof(struct packopts, netflow_file), false, FOR(PACKOPTS_PDUFILE),
	  FOR(PACKOPTS_STREAM) | FOR(PACKOPTS_FCFILES) | FOR(PACKOPTS_RESPOOL) },
	{ "root-directory", offsetof(struct packopts, root_directory), true,
	  FOR(PACKOPTS_LOCAL_STORAGE), FOR(PACKOPTS_INCREMENTAL_FILES) | FOR(PACKOPTS_SENDING) },
	{ "incremental-directory", offsetof(struct packopts, incremental_directory), true,
	  FOR(PACKOPTS_INCREMENTAL_FILES) | FOR(PACKOPTS_SENDING), FOR(PACKOPTS_LOCAL_STORAGE) },
	{ "sender-directory", offsetof(struct packopts, sender_directory), true,
	  FOR(PACKOPTS_SENDING), FOR(PACKOPTS_LOCAL_STORAGE) | FOR(PACKOPTS_INCREMENTAL_FILES) },
};

static void packopts_check_row(struct packopts_complaints *complaints, const struct packopts *opts,
			       const struct packopts_mode_row *row)
{
	const unsigned mode = row->output ? FOR(packopts_output(opts)) : FOR(packopts_input(opts));
	const char *title = row->output ? packopts_outputs[packopts_output(opts)].title
					: packopts_inputs[packopts_input(opts)].title;
	char *value;

	memcpy(&value, (const char *)opts + row->offset, sizeof(value));
	if (!value && (row->required & mode)) {
		packopts_complain(complaints, "The --%s switch is required in %s Mode", row->name,
				  title);
	} else if (value && (row->illegal & mode)) {
		packopts_complain(complaints, "The --%s switch is illegal in %s Mode", row->name,
				  title);
	}
}

static void packopts_check_modes(struct packopts_complaints *complaints,
				 const struct packopts *opts)
{
	for (size_t i = 0; i < G_N_ELEMENTS(packopts_modes); i++) {
		packopts_check_row(complaints, opts, &packopts_modes[i]);
	}
	if (packopts_input(opts) == PACKOPTS_PDUFILE &&
	    opts->polling_interval_s != packopts_default.polling_interval_s) {
		packopts_complain(complaints, "The --polling-interval switch is illegal in %s Mode",
				  packopts_inputs[PACKOPTS_PDUFILE].title);
	}
}

/* ---- what follows from them ---- */

const char *packopts_root(const struct packopts *opts)
{
	return opts->root_directory ? opts->root_directory : opts->incremental_directory;
}

const char *packopts_state_directory(const struct packopts *opts)
{
	return opts->state_directory ? opts->state_directory : packopts_root(opts);
}

enum hourfile_kind packopts_file_kind(const struct packopts *opts)
{
	if (opts->file_format != PACKOPTS_BY_OUTPUT) {
		return (enum hourfile_kind)opts->file_format;
	}
	return packopts_output(opts) == PACKOPTS_LOCAL_STORAGE ? HOURFILE_BLOCKS : HOURFILE_SILK;
}

bool packopts_keeps(const struct packopts *opts)
{
	return !opts->no_file_locking && packopts_output(opts) == PACKOPTS_LOCAL_STORAGE;
}

static int64_t packopts_idle_ns(const struct packopts *opts)
{
	return (int64_t)MIN(opts->seal_delay_s, PACKOPTS_IDLE_S) * NS_PER_S;
}

struct writer_opts packopts_writer(const struct packopts *opts)
{
	return (struct writer_opts){
		.root = packopts_root(opts),
		.cache_size = opts->file_cache_size,
		.file = {
			.kind = (uint8_t)packopts_file_kind(opts),
			.format = opts->pack_interfaces ? FORMAT_RWIPV6ROUTING : FORMAT_RWIPV6,
			.compression = packopts_file_compression(opts),
			/* sealing makes them small */
			.quick = packopts_keeps(opts),
			.byte_order = opts->byte_order,
			.no_locking = opts->no_file_locking,
		},
		.idle_ns = packopts_idle_ns(opts),
	};
}

struct keeper_opts packopts_keeper(const struct packopts *opts)
{
	return (struct keeper_opts){
		.root = opts->root_directory,
		.state_directory = packopts_state_directory(opts),
		.delay_ns = (int64_t)opts->seal_delay_s * NS_PER_S,
		.idle_ns = packopts_idle_ns(opts),
		.compression = packopts_seal_compression(opts),
	};
}

uint8_t packopts_file_compression(const struct packopts *opts)
{
	return (uint8_t)(opts->compression == PACKOPTS_ZSTD ? (int)COMPRESSION_BEST
							    : opts->compression);
}

uint8_t packopts_seal_compression(const struct packopts *opts)
{
	return hourfile_chunk_method(packopts_file_compression(opts));
}

static void packopts_check_compression(struct packopts_complaints *complaints,
				       const struct packopts *opts)
{
	if (packopts_file_kind(opts) != HOURFILE_BLOCKS && opts->compression == PACKOPTS_ZSTD) {
		packopts_complain(complaints, "The --compression-method is not one of SiLK files");
	}
}

unsigned packopts_check(const struct packopts *opts, packopts_complain_fn fn, void *arg)
{
	struct packopts_complaints complaints = { .fn = fn, .arg = arg };
	const char *command = opts->disposal.post_archive_command;
	char *ignored = NULL;
	struct err err;

	if (opts->verify.given) {
		if (!opts->sensor_configuration) {
			packopts_complain(&complaints,
					  "The --sensor-configuration switch is required");
		}
		return complaints.count;
	}
	if ((int)packopts_input(opts) < 0) {
		packopts_complain(&complaints, "Invalid input-mode '%s'", opts->input_mode);
	}
	if ((int)packopts_output(opts) < 0) {
		packopts_complain(&complaints, "Invalid output-mode '%s'", opts->output_mode);
	}
	if (complaints.count == 0) {
		packopts_check_modes(&complaints, opts);
		packopts_check_compression(&complaints, opts);
	}
	if (command && disposal_command(command, "", &ignored, &err) != ST_OK) {
		packopts_complain(&complaints, "Invalid post-archive-command '%s': %s", command,
				  err.text);
	}
	if (command && !opts->disposal.archive_directory) {
		packopts_complain(&complaints, "The --archive-directory switch is required when "
					       "using --post-archive-command");
	}
	g_free(ignored);
	if (opts->metrics && metricsd_check(opts->metrics, &err) != ST_OK) {
		packopts_complain(&complaints, "%s", err.text);
	}
	return complaints.count;
}

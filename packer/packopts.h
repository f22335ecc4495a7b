/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switches of rwflowpack, and which of them go together (silk-packing.md 5.1). */
#ifndef TUSSAH_PACKER_PACKOPTS_H
#define TUSSAH_PACKER_PACKOPTS_H

#include "common/daemon.h"
#include "common/log.h"
#include "common/opt.h"
#include "common/tls.h"
#include "packer/disposal.h"
#include "packer/writer.h"

#define PACKOPTS_JOURNAL_MIN (UINT64_C(1) << 20) /* bytes */

/* Beside the methods of SiLK files. */
enum packopts_compression {
	PACKOPTS_ZSTD = 4,
};

/* In the order of their names in the table of switches. */
enum packopts_input {
	PACKOPTS_STREAM,
	PACKOPTS_PDUFILE,
	PACKOPTS_FCFILES,
	PACKOPTS_RESPOOL,
};

enum packopts_output {
	PACKOPTS_LOCAL_STORAGE,
	PACKOPTS_INCREMENTAL_FILES,
	PACKOPTS_SENDING,
};

struct packopts {
	char *input_mode;
	char *output_mode;
	char *sensor_configuration;
	struct opt_optstr verify;
	char *packing_logic;
	char *sensor_name;
	char *site_config_file;
	char *root_directory;
	char *state_directory;
	uint64_t journal_bytes;
	char *incoming_directory;
	char *netflow_file;
	char *incremental_directory;
	char *sender_directory;
	uint64_t polling_interval_s;
	struct disposal_opts disposal;
	uint64_t clock_limit_s;
	uint64_t flush_timeout_s;
	uint64_t file_cache_size;
	bool no_file_locking;
	bool pack_interfaces;
	enum byte_order byte_order;
	int file_format; /* enum hourfile_kind; PACKOPTS_BY_OUTPUT: see packopts_file_kind() */
	int compression; /* enum packopts_compression or enum compression */
	uint64_t seal_delay_s;
	uint64_t max_connections;
	bool check_config;
	char *metrics;
	struct log_opts log;
	struct daemon_opts daemon;
	struct tls_opts tls;
};

#define PACKOPTS_BY_OUTPUT (-1)

extern const struct opt packopts_table[];

/* What counts when a switch is not given. */
extern const struct packopts packopts_default;

/*
 * Check what one switch alone cannot know: modes, directories, the archive command. Every
 * complaint goes to fn; returns how many there were. When verifying only the sensor configuration
 * counts.
 */
typedef void (*packopts_complain_fn)(void *arg, const char *text);
unsigned packopts_check(const struct packopts *opts, packopts_complain_fn fn, void *arg);

/* What the modes are; checked before. */
enum packopts_input packopts_input(const struct packopts *opts);
enum packopts_output packopts_output(const struct packopts *opts);
/* Where files are made: the root, or the directory of incremental files. */
const char *packopts_root(const struct packopts *opts);
const char *packopts_state_directory(const struct packopts *opts);

/* What new files are: of the packer's own format, but incremental files SiLK's, for any
 * rwflowappend to read. */
enum hourfile_kind packopts_file_kind(const struct packopts *opts);
/* For the writer, without keeper and place; and for the keeper. */
struct writer_opts packopts_writer(const struct packopts *opts);
struct keeper_opts packopts_keeper(const struct packopts *opts);
/* Are files sealed? That needs locks, and hourly files. */
bool packopts_keeps(const struct packopts *opts);

/* What hourfile_append() is to be told: enum compression. */
uint8_t packopts_file_compression(const struct packopts *opts);
/* And what sealing uses: enum chunk_compression. */
uint8_t packopts_seal_compression(const struct packopts *opts);

#endif

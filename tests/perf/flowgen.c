/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flowgen: makes up flow records, the same for the same options, as a repository of hourly files
 * and as NetFlow v9 packets. For measuring; nothing in it was ever seen on a network.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "common/opt.h"
#include "common/site.h"
#include "storage/flowblock.h"
#include "storage/hourfile.h"
#include "storage/repo.h"
#include "storage/seal.h"
#include "tests/perf/hosts.h"
#include "tests/perf/netflow9.h"
#include "tests/perf/sample.h"
#include "tests/perf/timeline.h"
#include "tests/perf/traffic.h"

#define FIRST_HOUR_MS INT64_C(1772409600000) /* Monday 2026-03-02 00:00 UTC */

enum { SAMPLE_HOSTS = 1000, FLOWTYPES_MAX = 16 };

struct flowgen_opts {
	char *site_config_file;
	char *root;
	char *netflow;
	char *hosts;
	uint64_t records;
	uint64_t days;
	uint64_t seed;
	int file_format; /* of file_formats */
	bool unsealed;
	bool one_flowtype;
	bool pack_interfaces;
	bool show_rare;
};

static const char *const file_formats[] = { "silk", "block", NULL };
static const struct file_format {
	uint8_t kind;
	uint8_t compression;
} file_format_table[] = {
	{ HOURFILE_SILK, COMPRESSION_LZO1X },
	{ HOURFILE_BLOCKS, CHUNK_LZO1X },
};

static const struct opt flowgen_opt_table[] = {
	OPT_STR(struct flowgen_opts, root, "root", 0, "DIR",
		"write a repository of hourly files below this folder"),
	OPT_STR(struct flowgen_opts, site_config_file, "site-config-file", 0, "FILE",
		"site of the repository: tests/perf/silk.conf"),
	OPT_CHOICE(struct flowgen_opts, file_format, "file-format", 0, "FORMAT", file_formats,
		   "kind of the hourly files", .default_text = "silk"),
	OPT_FLAG(struct flowgen_opts, unsealed, "unsealed", 0,
		 "leave block files as appending made them, in the order in which flows ended"),
	OPT_STR(struct flowgen_opts, netflow, "netflow", 0, "DIR",
		"write a file of NetFlow v9 packets for each hour into this folder"),
	OPT_STR(struct flowgen_opts, hosts, "hosts", 0, "FILE",
		"write 1,000 of the distinct addresses, drawn evenly, into this file"),
	OPT_U64(struct flowgen_opts, records, "records", 'n', "N", 1, UINT64_C(1000000000),
		"make this many records", .default_text = "1000000"),
	OPT_U64(struct flowgen_opts, days, "days", 0, "N", 1, 3660,
		"spread them over this many days from 2026-03-02", .default_text = "7"),
	OPT_U64(struct flowgen_opts, seed, "seed", 0, "N", 0, UINT32_MAX,
		"make other records with another seed", .default_text = "1"),
	OPT_FLAG(struct flowgen_opts, one_flowtype, "one-flowtype", 0,
		 "file all records as \"in\": one file for each sensor and hour"),
	OPT_FLAG(struct flowgen_opts, pack_interfaces, "pack-interfaces", 0,
		 "keep next hops and interfaces, which the packer does not unless told to"),
	OPT_FLAG(struct flowgen_opts, show_rare, "show-rare", 0,
		 "print the address that is planted in ten records and exit"),
	OPT_END,
};

/* The files of one hour. */
struct hour_file {
	struct hourfile_writer *writer; /* NULL: no record yet */
	char *path;
};
struct hour_files {
	const struct site *site;
	const struct flowgen_opts *opts;
	int64_t hour_ms;
	struct hour_file files[SENSOR_COUNT][FLOWTYPES_MAX];
};

static int open_file(struct hour_files *hour, const struct record *rec, struct err *err)
{
	const struct hourfile_write_opts opts = {
		.kind = file_format_table[hour->opts->file_format].kind,
		.compression = file_format_table[hour->opts->file_format].compression,
		.format = hour->opts->pack_interfaces ? FORMAT_RWIPV6ROUTING : FORMAT_RWIPV6,
		.no_locking = true,
	};
	struct hourfile_key key = {
		.hour_ns = hour->hour_ms * 1000000,
		.sensor = rec->sensor,
		.flowtype = rec->flowtype,
	};
	struct hour_file *file = &hour->files[rec->sensor][rec->flowtype];
	bool created = false;
	int rc;

	file->path = repo_path(hour->site, hour->opts->root, &key);
	rc = hourfile_append(&file->writer, file->path, &key, &opts, &created, err);
	if (rc == ST_OK && !created) {
		rc = err_set(err, ST_EEXIST, "%s: exists", file->path);
	}
	return rc;
}

/* As the packer does with an hour that is over; rc: whether all went well so far. */
static int close_file(const struct hour_files *hour, struct hour_file *file, int rc,
		      struct err *err)
{
	const struct file_format *format = &file_format_table[hour->opts->file_format];
	const struct seal_opts opts = { .compression = format->compression };
	bool is_there = file->writer != NULL;
	int finish_rc = hourfile_finish(file->writer, rc == ST_OK ? err : NULL);

	rc = rc == ST_OK ? finish_rc : rc;
	if (rc == ST_OK && is_there && format->kind == HOURFILE_BLOCKS && !hour->opts->unsealed) {
		struct seal_result result;

		rc = seal_file(file->path, &opts, &result, err);
	}
	g_free(file->path);
	*file = (struct hour_file){ 0 };
	return rc;
}

static int write_files(struct hour_files *hour, const GArray *records, struct err *err)
{
	int rc = ST_OK;

	for (guint i = 0; rc == ST_OK && i < records->len; i++) {
		const struct record *rec = &g_array_index(records, struct record, i);
		const struct hour_file *file = &hour->files[rec->sensor][rec->flowtype];

		if (file->writer == NULL) {
			rc = open_file(hour, rec, err);
		}
		if (rc == ST_OK) {
			rc = hourfile_write(file->writer, rec, err);
		}
	}
	for (unsigned sensor = 0; sensor < SENSOR_COUNT; sensor++) {
		for (unsigned flowtype = 0; flowtype < FLOWTYPES_MAX; flowtype++) {
			rc = close_file(hour, &hour->files[sensor][flowtype], rc, err);
		}
	}
	return rc;
}

static int write_netflow(const struct flowgen_opts *opts, int64_t hour_ms, const GArray *records,
			 struct err *err)
{
	GDateTime *hour = g_date_time_new_from_unix_utc(hour_ms / 1000);
	char *name = g_date_time_format(hour, "%Y%m%d%H.nf9");
	char *path = g_build_filename(opts->netflow, name, NULL);
	FILE *out = fopen(path, "w");
	int rc = ST_OK;

	if (out != NULL) {
		netflow9_write(out, hour_ms, records, opts->pack_interfaces);
	}
	if (out == NULL || (ferror(out) | fclose(out)) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", path);
	}
	g_free(path);
	g_free(name);
	g_date_time_unref(hour);
	return rc;
}

static int write_hosts(const struct sample *sample, const char *path, struct err *err)
{
	FILE *out = fopen(path, "w");

	if (out != NULL) {
		sample_print(sample, out);
	}
	if (out == NULL || (ferror(out) | fclose(out)) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	return ST_OK;
}

static int generate(const struct flowgen_opts *opts, const struct site *site, struct err *err)
{
	const struct traffic_opts traffic_opts = {
		.seed = opts->seed,
		.records = opts->records,
		.first_hour_ms = FIRST_HOUR_MS,
		.hours = (uint32_t)opts->days * 24,
		.one_flowtype = opts->one_flowtype,
		.with_routes = opts->pack_interfaces,
	};
	struct traffic *traffic = traffic_new(&traffic_opts);
	struct sample *sample = sample_new(SAMPLE_HOSTS, opts->seed);
	struct hour_files hour_files = { .site = site, .opts = opts };
	int rc = ST_OK;

	for (uint32_t hour = 0; rc == ST_OK && hour < traffic_opts.hours; hour++) {
		GArray *records = traffic_hour(traffic, hour);

		hour_files.hour_ms = FIRST_HOUR_MS + hour * HOUR_MS;
		if (opts->root != NULL) {
			rc = write_files(&hour_files, records, err);
		}
		if (rc == ST_OK && opts->netflow != NULL) {
			rc = write_netflow(opts, hour_files.hour_ms, records, err);
		}
		for (guint i = 0; opts->hosts != NULL && i < records->len; i++) {
			sample_add(sample, &g_array_index(records, struct record, i));
		}
		g_array_unref(records);
	}
	if (rc == ST_OK && opts->hosts != NULL) {
		rc = write_hosts(sample, opts->hosts, err);
	}
	sample_free(sample);
	traffic_free(traffic);
	return rc;
}

static int run(const struct flowgen_opts *opts, struct err *err)
{
	struct site *site = NULL;
	char text[IP_TEXT_MAX];
	int rc = ST_OK;

	if (opts->show_rare) {
		ip_print(text, hosts_rare().ip, false, IP_CANONICAL);
		puts(text);
		return ST_OK;
	}
	if (opts->root != NULL && opts->site_config_file == NULL) {
		return err_set(err, ST_EINVAL, "--root needs --site-config-file");
	}
	if (opts->root != NULL) {
		rc = site_load(&site, opts->site_config_file, err);
	}
	if (rc == ST_OK) {
		rc = generate(opts, site, err);
	}
	site_free(site);
	return rc;
}

int main(int argc, char **argv)
{
	struct flowgen_opts opts = { .records = 1000000, .days = 7, .seed = 1 };
	struct opt_result result = { 0 };
	struct err err;
	int rc = opt_parse(flowgen_opt_table, &opts, argc, argv, &result, &err);

	if (rc == ST_OK && result.action == OPT_HELP) {
		opt_help(flowgen_opt_table, NULL, stdout);
	} else if (rc == ST_OK) {
		rc = run(&opts, &err);
	}
	g_free(result.args);
	if (rc != ST_OK) {
		fprintf(stderr, "flowgen: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

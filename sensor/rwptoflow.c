/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwptoflow: a flow record for every packet of a capture file. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/numlist.h"
#include "common/optmain.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "sensor/capture.h"
#include "sensor/ip4frame.h"
#include "sensor/pcapfile.h"
#include "storage/bytesink.h"
#include "storage/compressionopt.h"
#include "storage/notes.h"
#include "storage/stream.h"

#define PROGRAM           "rwptoflow"
#define LINKTYPE_ETHERNET 1

struct active_time {
	bool given;
	int64_t first_ns;
	int64_t last_ns;
};

struct ptoflow_opts {
	struct active_time active;
	char *flow_output;
	char *pass_output;
	char *reject_output;
	bool reject_all_fragments;
	bool reject_nonzero_fragments;
	bool reject_incomplete;
	uint64_t sensor;
	uint64_t input;
	uint64_t output;
	struct ip next_hop;
	bool print_statistics;
	int output_format; /* of them */
	struct notes *notes;
	struct compressionopt compression;
};

/* START[-END], each to the day at least; END covers all of its unit, to the microsecond. */
static int parse_active_time(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct active_time *active = dest;
	char **parts = g_strsplit(text, "-", 2);
	enum timestamp_precision precision;
	int status = timestamp_parse(parts[0], false, &active->first_ns, NULL, err);

	active->given = true;
	active->last_ns = INT64_MAX;
	if (status == ST_OK && parts[1]) {
		status = timestamp_parse(parts[1], false, &active->last_ns, &precision, err);
		if (status == ST_OK) {
			active->last_ns = timestamp_ceiling(active->last_ns, precision);
		}
		if (status == ST_OK && active->last_ns < active->first_ns) {
			status = err_set(err, ST_EINVAL, "it ends before it begins");
		}
	}
	g_strfreev(parts);
	return status;
}

static int parse_next_hop(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct ip ip;
	bool is_v6;
	int status = ip_parse(text, &ip, &is_v6, err);

	if (status == ST_OK && is_v6 && !ip_is_mapped(ip)) {
		status = err_set(err, ST_EINVAL, "an IPv4 address is needed");
	}
	if (status == ST_OK) {
		*(struct ip *)dest = ip;
	}
	return status;
}

static const struct opt ptoflow_table[] = {
	OPT_CALL(struct ptoflow_opts, active, "active-time", 0, "START[-END]", parse_active_time, 0,
		 "ignore packets of other times"),
	OPT_STR(struct ptoflow_opts, flow_output, "flow-output", 0, "PATH",
		"write the records to this file or pipe", .flags = OPT_ONCE,
		.default_text = "stdout"),
	OPT_STR(struct ptoflow_opts, pass_output, "packet-pass-output", 0, "PATH",
		"write the packets that became records to this capture file", .flags = OPT_ONCE),
	OPT_STR(struct ptoflow_opts, reject_output, "packet-reject-output", 0, "PATH",
		"write the packets that did not become records to this capture file",
		.flags = OPT_ONCE),
	OPT_FLAG(struct ptoflow_opts, reject_all_fragments, "reject-all-fragments", 0,
		 "make no records of fragments"),
	OPT_FLAG(struct ptoflow_opts, reject_nonzero_fragments, "reject-nonzero-fragments", 0,
		 "make no records of fragments other than the first of a packet"),
	OPT_FLAG(struct ptoflow_opts, reject_incomplete, "reject-incomplete", 0,
		 "make no records of packets that were cut before ports, flags or ICMP type"),
	OPT_U64(struct ptoflow_opts, sensor, "set-sensorid", 0, "N", 0, RECORD_NO_SENSOR - 1,
		"the sensor of all records", .default_text = "none"),
	OPT_U64(struct ptoflow_opts, input, "set-inputindex", 0, "N", 0, UINT16_MAX,
		"the input interface of all records", .default_text = "0"),
	OPT_U64(struct ptoflow_opts, output, "set-outputindex", 0, "N", 0, UINT16_MAX,
		"the output interface of all records", .default_text = "0"),
	OPT_CALL(struct ptoflow_opts, next_hop, "set-nexthopip", 0, "IP", parse_next_hop, 0,
		 "the next hop of all records", .default_text = "0.0.0.0"),
	OPT_FLAG(struct ptoflow_opts, print_statistics, "print-statistics", 0,
		 "print how many packets became records, and why others did not"),
	TEXT_DATA_FORMAT_ROW(struct ptoflow_opts, "print statistics as text, csv or json lines"),
	OPT_GROUP(struct ptoflow_opts, notes, notes_opt_table),
	OPT_CALL(struct ptoflow_opts, compression, "compression-method", 0, "METHOD",
		 compressionopt_parse, 0,
		 "compress the records: none, zlib, lzo1x, snappy or best"),
	OPT_END,
};

static const struct optmain program = {
	.name = PROGRAM,
	.usage = "[SWITCHES] CAPTURE-FILE",
	.summary = "Make a flow record of every packet of a capture file",
	.table = ptoflow_table,
	.standins = compressionopt_standins,
	.getenv = getenv,
};

struct counts {
	uint64_t read;
	uint64_t before, after; /* the active time */
	uint64_t too_short, not_ipv4;
	uint64_t rejected_fragments, rejected_nonzero, rejected_incomplete;
	uint64_t written, fragments, zero_fragments, incomplete; /* among the written */
};

struct ptoflow {
	const struct ptoflow_opts *opts;
	struct capture *capture;
	struct stream *flows;
	struct pcapfile *pass;
	struct pcapfile *reject;
	struct counts counts;
	struct err err; /* of a write that failed: nothing more is done */
	bool failed;
};

static void fail(struct ptoflow *self)
{
	self->failed = true;
}

static bool is_set(const char *variable)
{
	const char *text = getenv(variable);

	return text && *text;
}

/* --- packets --- */

/* Does it become a record? Counts why not. */
static bool accept_frame(struct ptoflow *self, enum ip4frame_cause cause,
			 const struct ip4frame *frame)
{
	const struct ptoflow_opts *opts = self->opts;
	struct counts *counts = &self->counts;

	if (cause != IP4FRAME_OK) {
		counts->too_short += cause == IP4FRAME_SHORT;
		counts->not_ipv4 += cause == IP4FRAME_OTHER;
		return false;
	}
	if (frame->is_fragment && opts->reject_all_fragments) {
		counts->rejected_fragments++;
		return false;
	}
	if (!frame->is_first && opts->reject_nonzero_fragments) {
		counts->rejected_nonzero++;
		return false;
	}
	if (!frame->is_complete && opts->reject_incomplete) {
		counts->rejected_incomplete++;
		return false;
	}
	counts->written++;
	counts->fragments += frame->is_fragment;
	counts->zero_fragments += frame->is_fragment && frame->is_first;
	counts->incomplete += !frame->is_complete;
	return true;
}

static int write_flow(struct ptoflow *self, int64_t time_ns, const struct ip4frame *frame)
{
	const struct ptoflow_opts *opts = self->opts;
	struct record rec;

	record_init(&rec);
	rec.start_ns = time_ns;
	rec.sip = ip_from_v4(frame->sip);
	rec.dip = ip_from_v4(frame->dip);
	rec.nhip = opts->next_hop;
	rec.packets = 1;
	rec.bytes = frame->bytes;
	rec.input = (uint32_t)opts->input;
	rec.output = (uint32_t)opts->output;
	rec.sport = frame->sport;
	rec.dport = frame->dport;
	rec.sensor = (uint16_t)opts->sensor;
	rec.protocol = frame->protocol;
	rec.flowtype = 0;
	rec.flags = frame->tcp_flags;
	return stream_write(self->flows, &rec, &self->err);
}

static void take_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
			uint32_t wire_len)
{
	struct ptoflow *self = arg;
	const struct active_time *active = &self->opts->active;
	struct pcapfile *copy;
	struct ip4frame frame;
	bool accepted;

	if (self->failed) {
		return;
	}
	self->counts.read++;
	if (active->given && (time_ns < active->first_ns || time_ns > active->last_ns)) {
		self->counts.before += time_ns < active->first_ns;
		self->counts.after += time_ns > active->last_ns;
		return;
	}
	accepted = accept_frame(self, ip4frame_parse(bytes, captured, &frame), &frame);
	if (accepted && write_flow(self, time_ns, &frame) != ST_OK) {
		fail(self);
	}
	copy = accepted ? self->pass : self->reject;
	if (copy && pcapfile_write(copy, time_ns, bytes, captured, wire_len, &self->err) != ST_OK) {
		fail(self);
	}
}

/* --- files --- */

static int open_flows(struct ptoflow *self, int argc, char **argv)
{
	const struct ptoflow_opts *opts = self->opts;
	struct header entries;
	const struct stream_write_opts write_opts = {
		.compression =
			compressionopt_choose(&opts->compression, getenv(COMPRESSIONOPT_VARIABLE)),
		.overwrite = bytesink_clobbers(getenv("SILK_CLOBBER")),
		.no_silk_version = is_set("SILK_HEADER_NOVERSION"),
		.entries = &entries,
	};
	int status;

	header_init(&entries);
	notes_add_to(opts->notes, &entries);
	header_add_invocation(&entries, argc, argv);
	status = stream_create(&self->flows, opts->flow_output ? opts->flow_output : "stdout",
			       &write_opts, &self->err);
	header_release(&entries);
	return status;
}

static int open_copy(struct ptoflow *self, struct pcapfile **out, const char *path)
{
	struct pcapfile_form form;
	int status = path ? capture_file_form(self->capture, &form, &self->err) : ST_OK;

	return path && status == ST_OK
		       ? pcapfile_create(out, path, bytesink_clobbers(getenv("SILK_CLOBBER")),
					 &form, &self->err)
		       : status;
}

static int open_files(struct ptoflow *self, const char *path, int argc, char **argv)
{
	const struct ptoflow_opts *opts = self->opts;
	int status = capture_open_file(&self->capture, strcmp(path, "stdin") == 0 ? "-" : path,
				       NULL, &self->err);

	if (status == ST_OK && capture_linktype(self->capture) != LINKTYPE_ETHERNET) {
		status = err_set(&self->err, ST_ESUPPORT,
				 "%s: packets of link type %s, not Ethernet", path,
				 capture_linktype_name(self->capture));
	}
	if (status == ST_OK) {
		status = open_copy(self, &self->pass, opts->pass_output);
	}
	if (status == ST_OK && g_strcmp0(opts->pass_output, opts->reject_output) == 0) {
		self->reject = self->pass;
	} else if (status == ST_OK) {
		status = open_copy(self, &self->reject, opts->reject_output);
	}
	return status == ST_OK ? open_flows(self, argc, argv) : status;
}

static int close_files(struct ptoflow *self)
{
	struct err *err = self->failed ? NULL : &self->err;
	int status = stream_close(self->flows, err);
	int pass = pcapfile_close(self->pass, status == ST_OK ? err : NULL);
	int reject = self->reject != self->pass
			     ? pcapfile_close(self->reject, pass == ST_OK ? err : NULL)
			     : ST_OK;

	capture_close(self->capture);
	return status != ST_OK ? status : pass != ST_OK ? pass : reject;
}

static void print_count(uint64_t count, const char *what)
{
	fprintf(stderr, "\t%20" PRIu64 " %s\n", count, what);
}

static void print_statistics(const struct ptoflow *self, const char *path)
{
	const struct ptoflow_opts *opts = self->opts;
	const struct counts *counts = &self->counts;

	fprintf(stderr, "Packet count statistics for %s\n", path);
	print_count(counts->read, "read");
	if (opts->active.given) {
		print_count(counts->before, "ignored: before active-time");
		print_count(counts->after, "ignored: after active-time");
	}
	print_count(counts->too_short, "rejected: too short to get information");
	print_count(counts->not_ipv4, "rejected: not IPv4");
	if (opts->reject_all_fragments) {
		print_count(counts->rejected_fragments, "rejected: fragmented");
	}
	if (opts->reject_incomplete) {
		print_count(counts->rejected_incomplete, "rejected: incomplete");
	}
	if (opts->reject_nonzero_fragments) {
		print_count(counts->rejected_nonzero, "rejected: non-zero fragment");
	}
	fputc('\n', stderr);
	print_count(counts->written, "total written");
	if (!opts->reject_all_fragments && !opts->reject_nonzero_fragments) {
		print_count(counts->fragments, "total fragmented packets");
	}
	if (!opts->reject_all_fragments) {
		print_count(counts->zero_fragments, "zero-packet of a fragment");
	}
	if (!opts->reject_incomplete) {
		print_count(counts->incomplete, "incomplete (no ports and/or flags)");
	}
}

static int put_statistics(const struct ptoflow *self, struct err *err)
{
	const struct counts *counts = &self->counts;
	const struct text_count cells[] = {
		{ "read", counts->read },
		{ "before-active-time", counts->before },
		{ "after-active-time", counts->after },
		{ "too-short", counts->too_short },
		{ "not-ipv4", counts->not_ipv4 },
		{ "rejected-fragments", counts->rejected_fragments },
		{ "rejected-nonzero-fragments", counts->rejected_nonzero },
		{ "rejected-incomplete", counts->rejected_incomplete },
		{ "written", counts->written },
		{ "fragments", counts->fragments },
		{ "first-fragments", counts->zero_fragments },
		{ "incomplete", counts->incomplete },
	};

	return text_data_counts(STDERR_FILENO, self->opts->output_format, cells,
				G_N_ELEMENTS(cells), err);
}

/* A capture that is damaged is read up to its damage, which is told. */
static int run(struct ptoflow *self, const char *path, int argc, char **argv)
{
	struct err err;
	int status = open_files(self, path, argc, argv);

	self->failed = status != ST_OK;
	while (!self->failed && status == ST_OK) {
		status = capture_read(self->capture, take_packet, self, &err);
		if (status != ST_OK && status != ST_END) {
			fprintf(stderr, PROGRAM ": %s\n", err.text);
		}
	}
	if (close_files(self) != ST_OK || self->failed) {
		fprintf(stderr, PROGRAM ": %s\n", self->err.text);
		return EXIT_FAILURE;
	}
	if (self->opts->print_statistics && self->opts->output_format > 0) {
		return put_statistics(self, &err) == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (self->opts->print_statistics) {
		print_statistics(self, path);
	}
	return EXIT_SUCCESS;
}

static bool is_stdout(const char *path)
{
	return path && (strcmp(path, "-") == 0 || strcmp(path, "stdout") == 0);
}

static const char *find_fault(const struct ptoflow_opts *opts, int names)
{
	unsigned outputs = (!opts->flow_output || is_stdout(opts->flow_output)) +
			   is_stdout(opts->pass_output) + is_stdout(opts->reject_output);

	if (names != 1) {
		return "one capture file must be named";
	}
	return outputs > 1 ? "only one of the outputs may go to stdout" : NULL;
}

int main(int argc, char **argv)
{
	struct ptoflow_opts opts = { .sensor = RECORD_NO_SENSOR, .next_hop = ip_from_v4(0) };
	struct ptoflow self = { .opts = &opts };
	struct opt_result names = { 0 };
	const char *fault;
	int status;

	if (!optmain_parse(&program, &opts, argc, argv, &names, &status)) {
		return status;
	}
	fault = find_fault(&opts, names.nargs);
	status = fault ? optmain_usage(&program, fault) : run(&self, names.args[0], argc, argv);
	g_free(names.args);
	return status;
}

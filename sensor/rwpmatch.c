/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpmatch: the packets of a capture file that flow records were made of. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/optmain.h"
#include "common/packet.h"
#include "common/timestamp.h"
#include "sensor/capture.h"
#include "sensor/ip4frame.h"
#include "sensor/pcapfile.h"
#include "storage/hourfile.h"

#define PROGRAM           "rwpmatch"
#define LINKTYPE_ETHERNET 1
#define AHEAD_RECORDS     65536 /* are in memory at the same time, if there are so many */

struct match_opts {
	char *flow_file;
	bool msec_compare;
	bool ports_compare;
};

static const struct opt match_table[] = {
	OPT_STR(struct match_opts, flow_file, "flow-file", 0, "FILE",
		"write the packets of the records in this file, which are in order of time"),
	OPT_FLAG(struct match_opts, msec_compare, "msec-compare", 0,
		 "compare times to the millisecond, not to the second"),
	OPT_FLAG(struct match_opts, ports_compare, "ports-compare", 0,
		 "compare the ports of TCP and UDP as well"),
	OPT_END,
};

static const struct optmain program = {
	.name = PROGRAM,
	.usage = "--flow-file=FILE [SWITCHES] CAPTURE-FILE",
	.summary = "Write the packets of a capture file that match flow records",
	.table = match_table,
};

/* What is compared. */
struct key {
	int64_t time; /* in units */
	uint32_t sip, dip;
	uint16_t sport, dport;
	uint32_t protocol; /* no padding: compared and hashed as bytes */
};

struct match {
	const struct match_opts *opts;
	int64_t unit_ns;
	struct hourfile_reader *flows;
	struct batch *batch;
	uint32_t next; /* of the selection of the batch */
	bool flows_end;
	GHashTable *waiting; /* struct key to how many records have no packet yet */
	uint64_t waiting_count;
	struct pcapfile *out;
	bool failed;
};

static void fail(struct match *self, const char *text)
{
	fprintf(stderr, PROGRAM ": %s\n", text);
	self->failed = true;
}

static guint key_hash(gconstpointer key)
{
	const struct key *k = key;

	return k->sip * 31 + k->dip * 17 + ((guint)k->sport << 16 | k->dport) + k->protocol +
	       (guint)k->time * 13;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct key)) == 0;
}

static struct key make_key(const struct match *self, int64_t time, uint32_t sip, uint32_t dip,
			   uint8_t protocol, uint16_t sport, uint16_t dport)
{
	bool ports =
		self->opts->ports_compare && (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP);

	return (struct key){ time, sip, dip, ports ? sport : 0, ports ? dport : 0, protocol };
}

/* --- records --- */

/* Is there another record? Damage is told and ends them. */
static bool has_record(struct match *self)
{
	struct err err;
	int status;

	while (!self->flows_end && self->next >= self->batch->selected) {
		status = hourfile_read_batch(self->flows, self->batch, COLUMNS_ALL, &err);
		self->next = 0;
		if (status == ST_OK) {
			batch_apply_ipv6_policy(self->batch, IPV6_ASV4);
			continue;
		}
		self->flows_end = true;
		if (status != ST_END) {
			fail(self, err.text);
		}
	}
	return !self->flows_end;
}

static int64_t record_time(const struct match *self)
{
	return self->batch->start_ns[self->batch->selection[self->next]] / self->unit_ns;
}

static void set_waiting(struct match *self, const struct key *key, guint count)
{
	if (count > 0) {
		g_hash_table_insert(self->waiting, g_memdup2(key, sizeof(*key)),
				    GUINT_TO_POINTER(count));
	} else {
		g_hash_table_remove(self->waiting, key);
	}
}

static guint count_waiting(const struct match *self, const struct key *key)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(self->waiting, key));
}

static void await(struct match *self)
{
	const struct batch *batch = self->batch;
	int64_t time = record_time(self);
	uint16_t row = batch->selection[self->next++];
	struct key key = make_key(self, time, ip_to_v4(batch->sip[row]), ip_to_v4(batch->dip[row]),
				  batch->protocol[row], batch->sport[row], batch->dport[row]);

	set_waiting(self, &key, count_waiting(self, &key) + 1);
	self->waiting_count++;
}

/*
 * Have records wait for packets of this time. Those that are in the order of the packets, or in
 * that of time, are read when they are needed; some are read ahead for those that are in neither.
 */
static void await_until(struct match *self, int64_t time)
{
	while (has_record(self) &&
	       (self->waiting_count < AHEAD_RECORDS || record_time(self) <= time)) {
		await(self);
	}
}

/* Is the packet that of a record? Each record has one. */
static bool take_waiting(struct match *self, const struct key *key)
{
	guint count = count_waiting(self, key);

	if (count > 0) {
		set_waiting(self, key, count - 1);
		self->waiting_count--;
	}
	return count > 0;
}

/* --- packets --- */

static void take_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
			uint32_t wire_len)
{
	struct match *self = arg;
	int64_t time = time_ns / self->unit_ns;
	struct ip4frame frame;
	struct key key;
	struct err err;

	if (self->failed || ip4frame_parse(bytes, captured, &frame) != IP4FRAME_OK) {
		return;
	}
	await_until(self, time);
	key = make_key(self, time, frame.sip, frame.dip, frame.protocol, frame.sport, frame.dport);
	if (take_waiting(self, &key) &&
	    pcapfile_write(self->out, time_ns, bytes, captured, wire_len, &err) != ST_OK) {
		fail(self, err.text);
	}
}

static int match_packets(struct match *self, struct capture *capture, struct err *err)
{
	struct pcapfile_form form;
	int status = capture_file_form(capture, &form, err);

	if (status == ST_OK) {
		status = pcapfile_create(&self->out, "stdout", false, &form, err);
	}
	if (status != ST_OK) {
		return status;
	}
	while (status == ST_OK && !self->failed) {
		status = capture_read(capture, take_packet, self, err);
	}
	if (status == ST_END) {
		status = ST_OK;
		for (; has_record(self); self->next++) {
			self->waiting_count++;
		}
	}
	if (pcapfile_close(self->out, status == ST_OK ? err : NULL) != ST_OK) {
		status = ST_EIO;
	}
	return status;
}

static int open_inputs(struct match *self, const char *path, struct capture **capture,
		       struct err *err)
{
	int status = hourfile_open(&self->flows, self->opts->flow_file, NULL, err);

	if (status == ST_OK) {
		status = capture_open_file(capture, strcmp(path, "stdin") == 0 ? "-" : path, NULL,
					   err);
	}
	if (status == ST_OK && capture_linktype(*capture) != LINKTYPE_ETHERNET) {
		status = err_set(err, ST_ESUPPORT, "%s: packets of link type %s, not Ethernet",
				 path, capture_linktype_name(*capture));
	}
	return status;
}

static int run(struct match *self, const char *path)
{
	struct capture *capture = NULL;
	struct err err;
	int status = open_inputs(self, path, &capture, &err);

	self->unit_ns = self->opts->msec_compare ? NS_PER_MS : NS_PER_S;
	self->batch = batch_new();
	self->waiting = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
	if (status == ST_OK) {
		status = match_packets(self, capture, &err);
	}
	if (status != ST_OK) {
		fail(self, err.text);
	} else if (self->waiting_count > 0) {
		fprintf(stderr, PROGRAM ": %" PRIu64 " records have no packet\n",
			self->waiting_count);
		self->failed = true;
	}
	g_hash_table_destroy(self->waiting);
	batch_free(self->batch);
	hourfile_close(self->flows);
	capture_close(capture);
	return self->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct match_opts opts = { 0 };
	struct match self = { .opts = &opts };
	struct opt_result names = { 0 };
	int status;

	if (!optmain_parse(&program, &opts, argc, argv, &names, &status)) {
		return status;
	}
	if (!opts.flow_file) {
		status = optmain_usage(&program, "--flow-file must be given");
	} else if (names.nargs != 1) {
		status = optmain_usage(&program, "one capture file must be named");
	} else {
		status = run(&self, names.args[0]);
	}
	g_free(names.args);
	return status;
}

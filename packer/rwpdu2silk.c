/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpdu2silk: files of NetFlow v5 packets become flow records. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packer/pdufile.h"
#include "packer/tosilk.h"

#define PROGRAM  "rwpdu2silk"
#define REJECTED "Rejected PDU record "

struct pdu2silk_opts {
	struct tosilk_opts common;
};

static const struct opt pdu2silk_table[] = {
	OPT_GROUP(struct pdu2silk_opts, common, tosilk_opt_table),
	OPT_END,
};

/* Packets that are refused one behind the other for the same reason have two lines. */
struct refusals {
	struct tosilk *self;
	bool wants_bad;   /* records that cannot be true are told, too */
	char reason[128]; /* empty: the last note was none */
	uint64_t more;
};

static void tell_more(struct refusals *refusals)
{
	if (refusals->more > 0) {
		tosilk_log(refusals->self, "Rejected %" PRIu64 " additional PDU record%s %s",
			   refusals->more, refusals->more == 1 ? "" : "s", refusals->reason);
	}
	refusals->more = 0;
	refusals->reason[0] = '\0';
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	struct refusals *refusals = arg;
	const char *reason = g_str_has_prefix(text, REJECTED) ? text + strlen(REJECTED) : "";

	if (!*reason && !refusals->wants_bad && note == DECODER_NOTE_BAD) {
		return;
	}
	if (*reason && strcmp(reason, refusals->reason) == 0) {
		refusals->more++;
		return;
	}
	tell_more(refusals);
	g_strlcpy(refusals->reason, reason, sizeof(refusals->reason));
	tosilk_log(refusals->self, "%s", text);
}

/* What the sink is told of, for take_note(). */
struct pdu_reader {
	struct refusals refusals;
	const struct decoder_sink *sink;
};

static void take_note_of_reader(void *arg, enum decoder_note note, const char *text)
{
	take_note(&((struct pdu_reader *)arg)->refusals, note, text);
}

/* A good packet ends a row of refused ones. */
static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct pdu_reader *reader = arg;

	tell_more(&reader->refusals);
	return reader->sink->flow(reader->sink->arg, rec, extras);
}

static int read_file(struct tosilk *self, const void *opts, const char *path,
		     const struct decoder_sink *sink)
{
	const struct ipfix_mapping mapping = { .vlan_interfaces = false };
	const unsigned bad = 1U << DECODER_NOTE_BAD;
	struct pdu_reader reader = {
		.refusals = { .self = self, .wants_bad = sink->notes & bad },
		.sink = sink,
	};
	const struct decoder_sink ours = {
		.flow = take_flow,
		.note = take_note_of_reader,
		.arg = &reader,
		.notes = sink->notes | bad,
	};
	uint64_t counts[DECODER_COUNTERS];
	struct pdufile *file = NULL;
	struct err err;
	int status = pdufile_open(&file, path, &mapping, &ours, &err);

	(void)opts;
	if (status != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return ST_ENOENT;
	}
	while ((status = pdufile_next(file, &err)) == ST_OK) {
	}
	tell_more(&reader.refusals);
	decoder_get_counts(pdufile_decoder(file), counts);
	tosilk_log(self,
		   "Pkts %" PRIu64 "/%" PRIu64 ", Recs %" PRIu64 ", MissRecs %" PRIu64
		   ", BadRecs %" PRIu64,
		   counts[DECODER_MESSAGES] - counts[DECODER_MALFORMED], counts[DECODER_MESSAGES],
		   counts[DECODER_FORWARD], counts[DECODER_MISSING], counts[DECODER_BAD]);
	pdufile_close(file);
	return status == ST_END ? ST_OK : status;
}

static const struct tosilk_program program = {
	.tool = {
		.name = PROGRAM,
		.usage = "[SWITCHES] PDU-FILES",
		.summary = "Convert NetFlow v5 records to flow records",
		.table = pdu2silk_table,
		.standins = compressionopt_standins,
		.getenv = getenv,
	},
	.offset = offsetof(struct pdu2silk_opts, common),
	.read = read_file,
};

int main(int argc, char **argv)
{
	struct pdu2silk_opts opts = { .common = { .silk_output = NULL } };

	return tosilk_main(&program, &opts, argc, argv);
}

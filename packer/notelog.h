/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines that decoders have to say about what exporters send: which of them a probe's log-flags
 * ask for, how loud they are, and how many a minute there may be of each probe. From any thread.
 *
 *	struct notelog *notes = notelog_new();
 *	sink.notes = notelog_wanted(probe->log_flags);
 *	notelog_write(notes, probe->name, DECODER_NOTE_BAD, "Netflow record has ...");
 */
#ifndef TUSSAH_PACKER_NOTELOG_H
#define TUSSAH_PACKER_NOTELOG_H

#include "packer/decoder.h"

struct notelog;

/* What else there is to say of a probe's exporters, behind enum decoder_note. */
enum notelog_kind {
	NOTELOG_DROPPED = DECODER_NOTES, /* a record */
	NOTELOG_DAMAGED,                 /* a message */
	NOTELOG_IGNORED,                 /* a record that has no place here */
	NOTELOG_CONNECTED,               /* somebody came */
	NOTELOG_DISCONNECTED,            /* and left */
	NOTELOG_KINDS,
};

struct notelog *notelog_new(void);
void notelog_free(struct notelog *notes);

/* What the environment asks for on top of log-flags (SILK_IPFIX_PRINT_TEMPLATES). */
unsigned notelog_environment(void);
/* Bits 1 << enum decoder_note for enum probe_log_flag. */
unsigned notelog_wanted(unsigned log_flags);

/* May a line of this kind, of either enum, be logged about this probe now? As log_limit_ok(). */
bool notelog_may(struct notelog *notes, const char *probe, unsigned kind, uint64_t *held_back);
/* "'PROBE': TEXT", or nothing when there were too many of this kind lately. */
void notelog_write(struct notelog *notes, const char *probe, enum decoder_note note,
		   const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines that decoders have to say about what exporters send: which of them a probe's log-flags
 * ask for, how loud they are, and how many a minute there may be. From any thread.
 *
 *	struct notelog *notes = notelog_new();
 *	sink.notes = notelog_wanted(probe->log_flags);
 *	notelog_write(notes, probe->name, DECODER_NOTE_BAD, "Netflow record has ...");
 */
#ifndef TUSSAH_PACKER_NOTELOG_H
#define TUSSAH_PACKER_NOTELOG_H

#include "packer/decoder.h"

struct notelog;

struct notelog *notelog_new(void);
void notelog_free(struct notelog *notes);

/* What the environment asks for on top of log-flags (SILK_IPFIX_PRINT_TEMPLATES). */
unsigned notelog_environment(void);
/* Bits 1 << enum decoder_note for enum probe_log_flag. */
unsigned notelog_wanted(unsigned log_flags);

/* "'PROBE': TEXT", or nothing when there were too many of this kind lately. */
void notelog_write(struct notelog *notes, const char *probe, enum decoder_note note,
		   const char *text);

#endif

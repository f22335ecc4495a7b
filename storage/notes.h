/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes that people have written into the header of a file: the switches --note-add and
 * --note-file-add.
 *
 *	OPT_GROUP(struct tool_opts, notes, notes_opt_table)	// struct notes *notes
 *	...
 *	notes_add_to(opts->notes, &header);
 */
#ifndef TUSSAH_STORAGE_NOTES_H
#define TUSSAH_STORAGE_NOTES_H

#include "common/opt.h"
#include "storage/header.h"

struct notes;

/* Rows for a member struct notes *, NULL at first. */
extern const struct opt notes_opt_table[];

/* Append them to the header, one annotation each, in the order of the switches. NULL: none. */
void notes_add_to(const struct notes *notes, struct header *header);

#endif

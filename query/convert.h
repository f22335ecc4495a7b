/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of rwconvert: a SiLK flow file becomes a block file or the other way round, and what
 * the target cannot hold is counted.
 *
 *	struct convert_losses losses = { 0 };
 *	rc = convert_file("old.rw", "new.tb", &opts, &losses, err);
 *	... convert_loses(&losses) ...
 *	convert_losses_release(&losses);
 *
 * The target is written beside its name and takes it at the end, so that nothing half-written is
 * ever seen, and a file may be converted in place.
 */
#ifndef TUSSAH_QUERY_CONVERT_H
#define TUSSAH_QUERY_CONVERT_H

#include <glib.h>

#include "storage/hourfile.h"

struct convert_opts {
	enum hourfile_kind kind; /* of the target */
	uint8_t compression;     /* enum chunk_compression or enum compression, by kind */
	enum byte_order byte_order;
	bool no_silk_version;
	bool keep_if_lossy; /* ST_ERANGE instead of a target that holds less than the source */
	struct stream_read_opts read_opts;
};

struct convert_losses {
	uint64_t records;               /* read */
	uint64_t refused;               /* records that the target cannot hold at all */
	char *refusal;                  /* why the first one was, or NULL */
	uint64_t changed[COLUMN_COUNT]; /* records whose value is another in the target */
	GHashTable *columns;            /* names of extension columns that were left out, or NULL */
};

bool convert_loses(const struct convert_losses *losses);
void convert_losses_release(struct convert_losses *losses);

/*
 * Convert the file called from into one called to, which may be the same name; an existing target
 * is replaced. to NULL: SiLK records to standard output. ST_OK; ST_EEXIST: from is of that kind
 * already; ST_ERANGE: see keep_if_lossy; or what reading or writing failed with: then there is no
 * target, and what had the name before has it still.
 */
int convert_file(const char *from, const char *to, const struct convert_opts *opts,
		 struct convert_losses *losses, struct err *err);

#endif

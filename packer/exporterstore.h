/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file that keeps what exporters_save() gave, and as of which entry of which journal.
 *
 * On disk: DIRECTORY/.rwflowpack-exporters, replaced atomically; numbers big-endian: "TSEX",
 * version 1 (4 bytes), id of the journal (16), position (8), length of the state (8), the state,
 * and the XXH64 of all before (8).
 */
#ifndef TUSSAH_PACKER_EXPORTERSTORE_H
#define TUSSAH_PACKER_EXPORTERSTORE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define EXPORTERSTORE_FILE      ".rwflowpack-exporters"
#define EXPORTERSTORE_BYTES_MAX (UINT64_C(1) << 30)

struct exporterstore_head {
	uint8_t journal_id[16];
	uint64_t position; /* of the last entry that the state knows of */
};

/* Durable on return. ST_OK; ST_ELIMIT (no room), ST_EIO: the file is as it was. */
int exporterstore_write(const char *directory, const struct exporterstore_head *head,
			const GByteArray *state, struct err *err);
/* *state returned: g_byte_array_free(). ST_OK; ST_ENOENT: there is none; ST_EFORMAT, ST_EIO. */
int exporterstore_read(const char *directory, struct exporterstore_head *head, GByteArray **state,
		       struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header of a block file (storage/FORMAT.md 2.1), for those that read and write such files. */
#ifndef TUSSAH_STORAGE_BLOCKHEADER_H
#define TUSSAH_STORAGE_BLOCKHEADER_H

#include "storage/blockfile.h"

#define BLOCKHEADER_MIN 64u
#define BLOCKHEADER_MAX 65536u

/* Of a header that begins with these bytes: its length, which is within the bounds above. ST_OK,
 * ST_EFORMAT (another kind of file, or damaged), ST_EVERSION. */
int blockheader_length(const uint8_t bytes[BLOCKHEADER_MIN], size_t *len, struct err *err);

/* Parse a whole header. *out returned: blockheader_release(). ST_OK, ST_EFORMAT, ST_EVERSION. */
int blockheader_parse(const uint8_t *bytes, size_t len, struct blockfile_header *out,
		      struct err *err);
void blockheader_release(struct blockfile_header *header);

/* Append the header with its checksum. ST_OK; ST_ELIMIT: properties too long. */
int blockheader_put(const struct blockfile_header *header, GByteArray *out, struct err *err);

/* Append a copy of text, in which bytes that are not UTF-8 are replaced. */
void blockheader_add(struct blockfile_header *header, enum blockfile_property_type type,
		     const char *text, size_t len);

#endif

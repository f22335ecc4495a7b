/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header of a SiLK file: fixed part and entries (silk-flow-files.md section 1). Also used for
 * sets, bags and prefix maps. Entries are kept as they came, known or not, in order.
 */
#ifndef TUSSAH_STORAGE_HEADER_H
#define TUSSAH_STORAGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "storage/bytesink.h"
#include "storage/bytesource.h"

struct site;

enum header_format {
	FORMAT_AGGREGATEBAG = 0x09,
	FORMAT_RWIPV6 = 0x0b,
	FORMAT_RWIPV6ROUTING = 0x0c,
	FORMAT_RWAUGSNMPOUT = 0x0d,
	FORMAT_RWAUGROUTING = 0x0e,
	FORMAT_RWROUTED = 0x10,
	FORMAT_RWNOTROUTED = 0x11,
	FORMAT_RWSPLIT = 0x12,
	FORMAT_RWFILTER = 0x13,
	FORMAT_RWAUGMENTED = 0x14,
	FORMAT_RWAUGWEB = 0x15,
	FORMAT_RWGENERIC = 0x16,
	FORMAT_FLOWCAP = 0x1c,
	FORMAT_IPSET = 0x1d,
	FORMAT_RWWWW = 0x1f,
	FORMAT_RWBAG = 0x21,
	FORMAT_PREFIXMAP = 0x25,
};

enum compression {
	COMPRESSION_NONE = 0,
	COMPRESSION_ZLIB = 1,
	COMPRESSION_LZO1X = 2,
	COMPRESSION_SNAPPY = 3,
	COMPRESSION_BEST = 254,    /* writers: the best there is; none on a pipe */
	COMPRESSION_DEFAULT = 255, /* writers: lzo1x; none on a pipe */
};

enum entry_id {
	ENTRY_TERMINATOR = 0,
	ENTRY_PACKED_FILE = 1,
	ENTRY_INVOCATION = 2,
	ENTRY_ANNOTATION = 3,
	ENTRY_PROBE_NAME = 4,
	ENTRY_PREFIX_MAP = 5,
	ENTRY_BAG = 6,
	ENTRY_IPSET = 7,
	ENTRY_AGGREGATE_BAG = 8,
	ENTRY_SIDECAR = 9,
	ENTRY_TOMBSTONE = 10,
};

enum byte_order { BYTE_ORDER_NATIVE, BYTE_ORDER_LITTLE, BYTE_ORDER_BIG };

struct header_entry {
	uint32_t id;
	uint32_t len; /* of payload */
	uint8_t *payload;
};

struct header {
	uint8_t format;
	uint8_t file_version; /* 16 and up; below: legacy header */
	uint8_t compression;
	bool big_endian;
	uint32_t silk_version; /* 3022001; 0 unknown */
	uint16_t record_length;
	uint16_t record_version;
	size_t length_bytes; /* of the whole header in the file, set by reading and writing */
	size_t entry_count;
	struct header_entry *entries;
};

/* Bounds that reading enforces: entries of one header, bytes of all payloads. */
#define HEADER_ENTRIES_MAX 65536
#define HEADER_BYTES_MAX   (64u << 20)

void header_init(struct header *header); /* zero; nothing to release yet */
void header_release(struct header *header);

/*
 * Read the header; src then stands at the data. site (may be NULL) knows the names in the file name
 * of a file with a legacy header. header is released and filled anew; on failure it holds what was
 * understood (nothing when the magic is another) and must be released too.
 * Whether compression and record version are known is for the reader of the data to judge.
 * Returns ST_OK, ST_EFORMAT, ST_EVERSION, ST_ELIMIT (larger than the bounds above), ST_ETRUNC,
 * ST_EIO; errors name the source.
 */
int header_read(struct header *header, struct bytesource *src, const struct site *site,
		struct err *err);

/*
 * Write it with its entries, padded to whole records as record_length asks. Sets length_bytes.
 */
int header_write(struct header *header, struct bytesink *sink, struct err *err);

/* This release of the format that we stand in for. */
#define HEADER_SILK_VERSION 3022001

/* Append a copy of the payload. */
void header_add(struct header *header, uint32_t id, const void *payload, size_t len);
void header_add_text(struct header *header, uint32_t id, const char *text);
void header_add_packed_file(struct header *header, int64_t hour_ns, uint8_t flowtype,
			    uint16_t sensor);
/* "prog arg arg": directory and "lt-" dropped from argv[0]. */
void header_add_invocation(struct header *header, int argc, char *const *argv);
/* Append copies of all entries, as they are. */
void header_add_entries(struct header *to, const struct header *from);
/* Copy all entries with this id, put in order: texts end, hours are whole (1.3). */
void header_copy_entries(struct header *to, const struct header *from, uint32_t id);
void header_remove(struct header *header, uint32_t id);

/* First entry with the id at or after *pos, which is moved past it; NULL: no more. */
const struct header_entry *header_next(const struct header *header, uint32_t id, size_t *pos);

/* The first packed-file entry; false: none. */
bool header_packed_file(const struct header *header, int64_t *hour_ns, uint8_t *flowtype,
			uint16_t *sensor);

/* A flow format? Others are sets, bags, prefix maps or nothing. */
bool header_is_flow(uint8_t format);
/* What the numbers of bag and aggregate-bag entries stand for; NULL: unknown. */
const char *header_bag_type_name(uint16_t id);
const char *header_aggregate_field_name(uint16_t id);
/* "FT_RWSPLIT" or NULL; "lzo1x" or NULL. */
const char *header_format_name(uint8_t format);
const char *compression_name(uint8_t id);
/* Unique prefix of none zlib lzo1x snappy best. */
int compression_parse(const char *text, enum compression *out, struct err *err);
int byte_order_parse(const char *text, enum byte_order *out, struct err *err);

#endif

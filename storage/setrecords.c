/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/setrecords.h"

#include "storage/datafile.h"
#include "storage/ipsetform.h"
#include "storage/ipsetreading.h"

#include <glib.h>
#include <string.h>

#define RECORD_LEN  36 /* base address and bitmap */
#define BITMAPS_MAX 2  /* record versions up to this one are bitmaps, and this is written */
#define BITS_WORDS  4

struct setrecords {
	struct header header;
	struct datafile file;
	const uint8_t *at; /* records that are shown */
	const uint8_t *end;
	size_t shown;  /* bytes */
	uint64_t next; /* base that the next one has at least */
};

/* --- reading --- */

static int check_header(const struct setrecords *records, struct err *err)
{
	const struct header *header = &records->header;

	if (header->format != FORMAT_IPSET || header->record_version > BITMAPS_MAX ||
	    header->record_length > 1) {
		return err_set(err, ST_ESUPPORT, "%s: not a set of bitmaps", records->file.name);
	}
	return ST_OK;
}

int setrecords_open(struct setrecords **out, const char *path, struct err *err)
{
	struct setrecords *records = g_new0(struct setrecords, 1);
	int status;

	status = datafile_open(&records->file, path, &records->header, err);
	if (status == ST_OK) {
		status = check_header(records, err);
	}
	if (status == ST_OK) {
		status = datafile_blocks(&records->file, err);
	}
	if (status != ST_OK) {
		setrecords_close(records);
		return status;
	}
	*out = records;
	return ST_OK;
}

void setrecords_close(struct setrecords *records)
{
	if (records) {
		datafile_close(&records->file);
		header_release(&records->header);
		g_free(records);
	}
}

const struct header *setrecords_header(const struct setrecords *records)
{
	return &records->header;
}

/* Show more; ST_END when there are no more. */
static int show_records(struct setrecords *records, struct err *err)
{
	size_t len;
	int status;

	block_reader_consume(records->file.in, records->shown);
	status = block_reader_view(records->file.in, RECORD_LEN, &records->at, &len, err);
	records->shown = status == ST_OK ? len - len % RECORD_LEN : 0;
	records->end = records->at + records->shown;
	if (status == ST_OK && records->shown == 0) {
		status = len ? err_set(err, ST_ETRUNC,
				       "%s: ends in the middle of an address block at %s",
				       records->file.name, block_reader_place(records->file.in))
			     : ST_END;
	}
	return status;
}

int setrecords_next(struct setrecords *records, struct setrecord *out, struct err *err)
{
	const bool swap = records->file.swap;
	bool any = false;

	while (!any) {
		if (records->at == records->end) {
			int status = show_records(records, err);

			if (status != ST_OK) {
				return status;
			}
		}
		out->base = load32(records->at, swap) & 0xffffff00;
		if (out->base < records->next) {
			return err_set(err, ST_ESUPPORT, "%s: address blocks are not in order",
				       records->file.name);
		}
		ipset_bitmap_load(records->at + 4, swap, out->bits);
		any = out->bits[0] | out->bits[1] | out->bits[2] | out->bits[3];
		records->next = (uint64_t)out->base + 256;
		records->at += RECORD_LEN;
	}
	return ST_OK;
}

/* --- putting together --- */

/* One file, and its record that is not yet taken. */
struct side {
	struct setrecords *records;
	struct setrecord record;
	uint64_t base; /* UINT64_MAX: there is none */
};

struct combining {
	struct side *sides;
	size_t count;
	enum ipset_op op;
};

static int side_next(struct side *side, struct err *err)
{
	int status = setrecords_next(side->records, &side->record, err);

	side->base = status == ST_OK ? side->record.base : UINT64_MAX;
	return status == ST_END ? ST_OK : status;
}

static void combine_bits(uint64_t into[BITS_WORDS], const uint64_t with[BITS_WORDS],
			 const struct ipset_truth *truth)
{
	for (unsigned i = 0; i < BITS_WORDS; i++) {
		into[i] = ipset_truth_of(truth, into[i], with[i]);
	}
}

/* What becomes of the /24 at base; those who have it go on. */
static int combine_at(const struct combining *combining, uint64_t base, struct setrecord *out,
		      struct err *err)
{
	int status = ST_OK;

	*out = (struct setrecord){ .base = (uint32_t)base };
	for (size_t i = 0; status == ST_OK && i < combining->count; i++) {
		const struct ipset_truth *truth = &ipset_truths[i ? combining->op : IPSET_UNION];
		struct side *side = &combining->sides[i];

		if (side->base == base) {
			combine_bits(out->bits, side->record.bits, truth);
			status = side_next(side, err);
		} else if (!truth->first) {
			memset(out->bits, 0, sizeof(out->bits));
		}
	}
	return status;
}

/* As setrecords_next(). */
static int combine_next(const struct combining *combining, struct setrecord *out, struct err *err)
{
	bool any = false;

	while (!any) {
		uint64_t base = UINT64_MAX;
		int status;

		for (size_t i = 0; i < combining->count; i++) {
			base = MIN(base, combining->sides[i].base);
		}
		if (base == UINT64_MAX) {
			return ST_END;
		}
		status = combine_at(combining, base, out, err);
		if (status != ST_OK) {
			return status;
		}
		any = out->bits[0] | out->bits[1] | out->bits[2] | out->bits[3];
	}
	return ST_OK;
}

static void store_record(uint8_t *to, const struct setrecord *record)
{
	store32(to, record->base, false);
	for (unsigned i = 0; i < BITS_WORDS; i++) {
		store32(to + 4 + 8 * i, (uint32_t)record->bits[i], false);
		store32(to + 8 + 8 * i, (uint32_t)(record->bits[i] >> 32), false);
	}
}

static int put_record(struct block_writer *out, const struct setrecord *record, struct err *err)
{
	uint8_t bytes[RECORD_LEN];
	uint8_t *to = NULL;
	int room = block_writer_room(out, RECORD_LEN, &to, err);

	if (room == RECORD_LEN) {
		store_record(to, record);
		block_writer_commit(out, RECORD_LEN);
		return ST_OK;
	}
	store_record(bytes, record);
	return room < 0 ? room : block_writer_write(out, bytes, sizeof(bytes), err);
}

static int write_combined(void *what, struct block_writer *out, struct err *err)
{
	const struct combining *combining = what;
	struct setrecord record;
	int status = ST_OK;

	for (size_t i = 0; status == ST_OK && i < combining->count; i++) {
		status = side_next(&combining->sides[i], err);
	}
	while (status == ST_OK && (status = combine_next(combining, &record, err)) == ST_OK) {
		status = put_record(out, &record, err);
	}
	return status == ST_END ? ST_OK : status;
}

int setrecords_combine(struct setrecords *const records[], size_t count, enum ipset_op op,
		       struct bytesink *sink, const struct ipset_write_opts *opts, struct err *err)
{
	struct combining combining = { g_new0(struct side, count), count, op };
	struct header header;
	int status;

	for (size_t i = 0; i < count; i++) {
		combining.sides[i].records = records[i];
	}
	ipset_header(&header, BITMAPS_MAX, opts, sink);
	status = datafile_write(sink, &header, write_combined, &combining, err);
	header_release(&header);
	g_free(combining.sides);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/rowformat.h"

#include "storage/rowcodec.h"
#include "storage/rowlayout.h"

#include <string.h>

const struct rowformat *rowformat_find(uint8_t format, uint16_t version)
{
	for (const struct rowformat *f = rowlayout_formats; f->length > 0; f++) {
		if (f->format == format && f->version == version) {
			return f;
		}
	}
	return NULL;
}

uint16_t rowformat_default_version(uint8_t format)
{
	static const struct {
		uint8_t format;
		uint8_t version;
	} defaults[] = {
		{ FORMAT_RWIPV6ROUTING, 1 }, { FORMAT_RWIPV6, 1 },       { FORMAT_RWGENERIC, 5 },
		{ FORMAT_RWAUGMENTED, 4 },   { FORMAT_RWAUGROUTING, 4 }, { FORMAT_RWAUGWEB, 4 },
		{ FORMAT_RWAUGSNMPOUT, 4 },  { FORMAT_RWNOTROUTED, 5 },  { FORMAT_RWROUTED, 5 },
		{ FORMAT_RWSPLIT, 5 },       { FORMAT_RWWWW, 5 },        { FORMAT_RWFILTER, 5 },
		{ FORMAT_FLOWCAP, 5 },
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (defaults[i].format == format) {
			return defaults[i].version;
		}
	}
	return 0;
}

/* ---- decoding ---- */

/* Columns that the format does not store: as in a new record, or from the header. */
static void fill_missing(const struct rowformat *format, const struct rowread *in, uint32_t missing,
			 struct batch *out)
{
	struct record blank;

	record_init(&blank);
	if (format->flags & ROWFORMAT_PACKED_HEADER) {
		blank.sensor = in->sensor;
		blank.flowtype = in->flowtype;
	} else if (format->flags & ROWFORMAT_HEADER_SENSOR) {
		blank.sensor = in->sensor;
	}
#define X(upper, member, type)                                                                     \
	if (missing & COLUMN_BIT(COLUMN_##upper)) {                                                \
		for (uint32_t i = 0; i < in->rows; i++) {                                          \
			out->member[i] = blank.member;                                             \
		}                                                                                  \
	}
	RECORD_COLUMNS(X)
#undef X
}

/* Type and code of ICMP found in the source port move to the destination port (4.0). */
static void repair_icmp(const struct rowformat *format, const struct rowread *in, struct batch *out)
{
	bool exchange = in->legacy_header && (format->flags & ROWFORMAT_SWAP_ICMP);

	for (uint32_t i = 0; i < in->rows; i++) {
		uint8_t protocol = out->protocol[i];
		uint16_t port = out->sport[i];

		if ((protocol != 1 && (protocol != 58 || !(out->state[i] & RECORD_IPV6))) ||
		    port == 0 || out->dport[i] != 0) {
			continue;
		}
		out->dport[i] = exchange ? __builtin_bswap16(port) : port;
		out->sport[i] = 0;
	}
}

#define PORTS (COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT))

void rowformat_decode(const struct rowformat *format, const struct rowread *in, uint32_t wanted,
		      struct batch *out)
{
	bool repair = (wanted & PORTS) && !in->keep_icmp_sport;
	uint32_t stored = 0;

	if (repair) {
		wanted |= PORTS | COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_STATE);
	}
	for (const struct rowfield *field = format->fields; field->codec != NULL; field++) {
		stored |= field->codec->columns;
		if (field->codec->columns & wanted) {
			field->codec->decode(in, field, wanted, out);
		}
	}
	fill_missing(format, in, wanted & ~stored, out);
	if (repair) {
		repair_icmp(format, in, out);
	}
	out->rows = in->rows;
	out->columns = wanted;
	batch_select_all(out);
}

/* ---- encoding ---- */

struct rowview rowview_of_record(const struct record *rec)
{
	return (struct rowview){
#define X(upper, member, type) .member = &rec->member,
		RECORD_COLUMNS(X)
#undef X
	};
}

struct rowview rowview_of_batch(const struct batch *batch)
{
	return (struct rowview){
#define X(upper, member, type) .member = batch->member,
		RECORD_COLUMNS(X)
#undef X
	};
}

/* The bytes of so many rows stay in the nearest cache while column after column is put there. */
#define ENCODE_ROWS 128u

void rowformat_encode(const struct rowformat *format, const struct rowwrite *out,
		      const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	struct rowwrite some = *out;

	if (format->encode) {
		format->encode(out, view, rows, count);
		return;
	}
	for (uint32_t done = 0; done < count; done += ENCODE_ROWS) {
		uint32_t left = count - done;
		uint32_t more = left < ENCODE_ROWS ? left : ENCODE_ROWS;

		for (const struct rowfield *field = format->fields; field->codec != NULL; field++) {
			field->codec->encode(&some, field, view, rows + done, more);
		}
		some.bytes += more * out->stride;
	}
}

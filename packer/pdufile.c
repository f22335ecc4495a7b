/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/pdufile.h"

#include <glib.h>

#include "common/bigendian.h"
#include "storage/bytesource.h"

#define PDU_VERSION 5

struct pdufile {
	struct bytesource *src;
	struct decoder *decoder;
	struct decoder_sink sink;
};

int pdufile_open(struct pdufile **out, const char *path, const struct ipfix_mapping *mapping,
		 const struct decoder_sink *sink, struct err *err)
{
	const struct decoder_opts opts = { .mapping = *mapping };
	struct bytesource *src = NULL;
	int st = bytesource_open_gzip(&src, path, err);

	if (st != ST_OK) {
		return st;
	}
	*out = g_new0(struct pdufile, 1);
	(*out)->src = src;
	(*out)->sink = *sink;
	(*out)->decoder = decoder_new(&opts, sink);
	return ST_OK;
}

void pdufile_close(struct pdufile *file)
{
	if (file) {
		decoder_free(file->decoder);
		bytesource_close(file->src);
		g_free(file);
	}
}

/* Counted as what it is, no message, whatever else it might be. */
static void pdufile_refuse(struct pdufile *file)
{
	const struct decoder_message nothing = { .len = 0 };

	decoder_take(file->decoder, &nothing, NULL);
	if (file->sink.note && (file->sink.notes & (1U << DECODER_NOTE_BAD))) {
		file->sink.note(file->sink.arg, DECODER_NOTE_BAD,
				"Rejected PDU record not marked as version 5");
	}
}

int pdufile_next(struct pdufile *file, struct err *err)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int st = bytesource_view(file->src, PDUFILE_PACKET_BYTES, &bytes, &len, err);

	if (st != ST_OK) {
		return st;
	}
	if (len < PDUFILE_PACKET_BYTES) {
		return ST_END;
	}
	if (get_be16(bytes) == PDU_VERSION) {
		const struct decoder_message message = { .bytes = bytes,
							 .len = PDUFILE_PACKET_BYTES };

		st = decoder_take(file->decoder, &message, err);
		st = st == ST_EFORMAT || st == ST_ELIMIT ? ST_OK : st;
	} else {
		pdufile_refuse(file);
	}
	bytesource_consume(file->src, PDUFILE_PACKET_BYTES);
	return st;
}

const struct decoder *pdufile_decoder(const struct pdufile *file)
{
	return file->decoder;
}

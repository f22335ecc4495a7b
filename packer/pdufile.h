/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of NetFlow v5 packets, each in 1464 bytes, maybe through gzip (silk-packing.md 5.2).
 *
 *	struct pdufile *file;
 *	pdufile_open(&file, path, &mapping, &sink, err);	// sink of packer/decoder.h
 *	while ((st = pdufile_next(file, err)) == ST_OK) { ... }	// one packet into the sink
 *	decoder_get_counts(pdufile_decoder(file), counts);
 *	pdufile_close(file);
 */
#ifndef TUSSAH_PACKER_PDUFILE_H
#define TUSSAH_PACKER_PDUFILE_H

#include "packer/decoder.h"

#define PDUFILE_PACKET_BYTES 1464

struct pdufile;

/* "-" is standard input. sink is copied. *out returned: pdufile_close(). ST_OK, ST_ENOENT, ST_EIO.
 */
int pdufile_open(struct pdufile **out, const char *path, const struct ipfix_mapping *mapping,
		 const struct decoder_sink *sink, struct err *err);
void pdufile_close(struct pdufile *file);

/*
 * Take the next packet; one that is refused is counted, and noted in the sink. ST_OK, ST_END (what
 * is too short for a packet is passed over), ST_EIO, or the sink's value.
 */
int pdufile_next(struct pdufile *file, struct err *err);
const struct decoder *pdufile_decoder(const struct pdufile *file);

#endif

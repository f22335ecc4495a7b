/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of a classic pcap file, handed out where they lie in what was read. Knows the common form
 * of such files; what it does not take is for libpcap, which is to be given the bytes.
 *
 *	if (pcapread_open(&reader, ahead, err) == ST_ESUPPORT) {
 *		while ((len = pcapread_take(reader, out, size)) > 0) ...
 *	}
 *	while ((st = pcapread_next(reader, &packet, err)) == ST_OK) ...
 *	pcapread_free(reader);
 *
 * Threads: one per reader.
 */
#ifndef TUSSAH_SENSOR_PCAPREAD_H
#define TUSSAH_SENSOR_PCAPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "sensor/readahead.h"

struct pcapread_packet {
	int64_t time_ns;
	const uint8_t *bytes; /* borrowed until the next call */
	uint32_t captured;
	uint32_t wire_len;
};

struct pcapread;

/*
 * Read the header. ahead is taken. *out returned, whatever the status: pcapread_free(). ST_OK;
 * ST_ESUPPORT: not of the common form, pcapread_take() only; ST_EFORMAT: it cannot be read.
 */
int pcapread_open(struct pcapread **out, struct readahead *ahead, struct err *err);
void pcapread_free(struct pcapread *reader);

/* Up to size bytes that were not handed out; 0: the end; negative: cannot be read. */
ssize_t pcapread_take(struct pcapread *reader, void *out, size_t size);

int pcapread_linktype(const struct pcapread *reader); /* DLT_, too */
int pcapread_snap_bytes(const struct pcapread *reader);
/* Are times finer than microseconds? So may be those of a form that libpcap is to read. */
bool pcapread_is_nano(const struct pcapread *reader);

/* ST_OK; ST_END; ST_EFORMAT: the file is damaged or cut. */
int pcapread_next(struct pcapread *reader, struct pcapread_packet *out, struct err *err);

#endif

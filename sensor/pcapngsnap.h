/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the limits of packet lengths (snapshot lengths) out of a pcapng file on its way to libpcap,
 * which reads no file whose interfaces have different ones, as mergecap makes them. Without a limit
 * all are alike.
 *
 *	struct pcapngsnap snap = { 0 };
 *
 *	while ((len = read(fd, bytes, size)) > 0) {
 *		pcapngsnap_lift(&snap, bytes, len);	// pieces of any length
 *	}
 *
 * What is no pcapng file stays as it is, and so does what follows a damaged block. Pure.
 */
#ifndef TUSSAH_SENSOR_PCAPNGSNAP_H
#define TUSSAH_SENSOR_PCAPNGSNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcapngsnap {
	uint8_t head[12]; /* the first bytes of a block: type, length, byte order of a section */
	uint64_t at;      /* in the block */
	uint64_t length;  /* of the block, known behind its head */
	bool swapped;     /* the section is in the other byte order */
	bool begun;       /* a section is */
	bool lost;        /* these are no blocks */
};

void pcapngsnap_lift(struct pcapngsnap *snap, uint8_t *bytes, size_t len);

#endif

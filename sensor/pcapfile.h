/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing packets into a capture file (pcap, microseconds, in the byte order of the machine).
 *
 *	rc = pcapfile_create(&file, "pass.pcap", capture_linktype(capture),
 *			     capture_snap_bytes(capture), err);
 *	rc = pcapfile_write(file, time_ns, bytes, captured, wire_len, err);
 *	rc = pcapfile_close(file, err);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_SENSOR_PCAPFILE_H
#define TUSSAH_SENSOR_PCAPFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct pcapfile;

/*
 * "-" and "stdout" are standard output; a terminal is refused, and so is a file that exists, unless
 * overwrite. ST_OK, ST_EEXIST, ST_EIO.
 */
int pcapfile_create(struct pcapfile **out, const char *path, bool overwrite, int linktype,
		    uint32_t snap_bytes, struct err *err);
int pcapfile_write(struct pcapfile *file, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		   uint32_t wire_len, struct err *err);
/* Write what is buffered, and free, also on failure. NULL is fine. */
int pcapfile_close(struct pcapfile *file, struct err *err);

#endif
